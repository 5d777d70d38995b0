"""What a co-operative sees of its money: claims to look for, sums by unit, its account. Its own rows only."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Row, Select, func, select

from market import clock, db, ledger, paging
from market.access import Visitor
from market.errors import N_, NotFound
from market.files import StoredFile
from market.parties import Organisation
from market.users import User
from orders.buying.lists import freight_due_fen, open_fen
from orders.models import Acceptance, BankRow, CardPayment, ClaimPart, Order, PaymentClaim
from orders.models.cards import LIVE_STATES

ROWS = 50  # of the account at once
TO_CONFIRM = 200  # announced transfers on one page: the chairman confirms them by one tap
STATE_LABELS: Mapping[str, str] = {
    "claimed": N_("To look for"), "received": N_("Received"), "refused": N_("Not found"),
    "withdrawn": N_("Claim taken back"),
}
EVENT_LABELS: Mapping[str, str] = {
    "accepted": N_("Goods accepted"), "received": N_("Money received"), "returned": N_("Goods came back"),
    "allowance": N_("Price reduced afterwards"), "refunded": N_("Money given back"), "fee": N_("Platform fee"),
    "freight": N_("Freight"),
}
Columns = Row[*tuple[Any, ...]]


def claims(by: Visitor, state: str, page: int) -> paging.Page:
    """Claims in a state, the oldest waiting first, answered ones newest first; two statements."""
    mine = PaymentClaim.supplier_id == by.organisation_id
    counts = {row.state: row.claims for row in db.session().execute(
        select(PaymentClaim.state, func.count().label("claims")).where(mine).group_by(PaymentClaim.state))}
    waits = state == "claimed"
    order = PaymentClaim.id if waits else PaymentClaim.id.desc()
    return paging.read(
        _claims().where(mine, PaymentClaim.state == state).order_by(order),
        counts.get(state, 0), page, per_page=TO_CONFIRM if waits else paging.PER_PAGE, counts=counts)


def announced(by: Visitor) -> Columns:
    """Transfers that wait for the co-operative's word: how many, and what they come to in fen."""
    return db.session().execute(
        select(func.count().label("claims"), db.sum_of(PaymentClaim.amount_fen).label("fen"))
        .where(PaymentClaim.supplier_id == by.organisation_id, PaymentClaim.state == "claimed")).one()


@dataclass(frozen=True)
class Ticks:
    """Which announced transfers are ticked, how many these are and what they come to in fen."""

    ids: frozenset[int]
    fen: int

    @property
    def count(self) -> int:
        return len(self.ids)


def ticks(rows: Sequence[Columns], by: Visitor, sent: Collection[str] | None) -> Ticks:
    """What was ticked and sent; before that, what a row of the bank's statement covers. Never one's own claims."""
    chosen = [row for row in rows if row.claimed_by != by.id
              and (row.bank_fen == row.amount_fen if sent is None else str(row.id) in sent)]
    return Ticks(frozenset(row.id for row in chosen), sum(row.amount_fen for row in chosen))


def being_checked(by: Visitor) -> Columns:
    """Card payments of which the provider has not yet said the end: how many, and what they come to in fen."""
    return db.session().execute(
        select(func.count().label("payments"), db.sum_of(CardPayment.amount_fen).label("fen"))
        .where(CardPayment.supplier_id == by.organisation_id, CardPayment.state.in_(LIVE_STATES))).one()


def claim(claim_id: int, by: Visitor) -> tuple[Columns, Sequence[Columns]]:
    """A claim to this co-operative and the orders it is for. Raises NotFound for anybody else's."""
    found = db.session().execute(
        _claims().where(PaymentClaim.id == claim_id, PaymentClaim.supplier_id == by.organisation_id)).first()
    if found is None:
        raise NotFound()
    parts = db.session().execute(
        select(ClaimPart.amount_fen, Order.id, Order.number, Order.accepted_fen, Order.returned_fen, Order.placed_fen,
               Order.received_fen, Order.freight_fen, Order.state)
        .join(Order, Order.id == ClaimPart.order_id).where(ClaimPart.claim_id == claim_id).order_by(ClaimPart.id)).all()
    return found, parts


def voucher(claim_id: int, by: Visitor) -> StoredFile:
    """The paper of a claim to this co-operative. Raises NotFound for anybody else's, and where there is none."""
    found = db.session().scalar(
        select(StoredFile).join(PaymentClaim, PaymentClaim.voucher_id == StoredFile.id)
        .where(PaymentClaim.id == claim_id, PaymentClaim.supplier_id == by.organisation_id))
    if found is None:
        raise NotFound()
    return found


def _claims() -> Select[Any]:
    claimant, answerer = db.table(User).alias(), db.table(User).alias()
    return (
        select(db.table(PaymentClaim), Organisation.name.label("unit_name"), claimant.c.name.label("claimant"),
               answerer.c.name.label("answerer"), StoredFile.name.label("voucher"),
               BankRow.id.label("bank_row_id"), BankRow.paid_on.label("bank_day"), BankRow.amount_fen.label("bank_fen"),
               BankRow.payer_name.label("bank_payer"), BankRow.remark.label("bank_remark"))
        .join(Organisation, Organisation.id == PaymentClaim.unit_id)
        .join(claimant, claimant.c.id == PaymentClaim.claimed_by)
        .outerjoin(answerer, answerer.c.id == PaymentClaim.answered_by)
        .outerjoin(StoredFile, StoredFile.id == PaymentClaim.voucher_id)
        .outerjoin(BankRow, BankRow.claim_id == PaymentClaim.id)
    )


@dataclass(frozen=True)
class UnitSum:
    """What was earned at one unit (accepted less returned, freight), what came in (received less refunded), in fen."""

    unit_id: int
    unit_name: str
    orders: int
    earned_fen: int
    received_fen: int

    @property
    def open_fen(self) -> int:
        """Positive: the unit owes; negative: it has paid ahead or too much."""
        return self.earned_fen - self.received_fen


def sums_by_unit(by: Visitor) -> list[UnitSum]:
    """One line per unit, who owes most first; one statement."""
    rows = db.session().execute(
        select(Organisation.id, Organisation.name, func.count().label("orders"),
               db.sum_of(Order.accepted_fen - Order.returned_fen + freight_due_fen()).label("earned_fen"),
               db.sum_of(Order.received_fen - Order.refunded_fen).label("received_fen"))
        .join(Organisation, Organisation.id == Order.unit_id)
        .where(Order.supplier_id == by.organisation_id, Order.state != "waiting")
        .group_by(Organisation.id, Organisation.name).order_by(Organisation.name))
    sums = [UnitSum(row.id, row.name, row.orders, row.earned_fen, row.received_fen) for row in rows]
    return sorted(sums, key=lambda one: -one.open_fen)


@dataclass(frozen=True)
class MoneyComing:
    """What one unit still owes for accepted goods, in fen, and the day of the oldest acceptance not paid."""

    unit_name: str
    open_fen: int
    since: date


def money_coming(by: Visitor) -> list[MoneyComing]:
    """Units that owe, who owes longest first; one statement."""
    owed = open_fen()
    rows = db.session().execute(
        select(Organisation.short_name, db.sum_of(owed).label("open_fen"), func.min(Acceptance.business_date))
        .join(Order, Order.unit_id == Organisation.id).join(Acceptance, Acceptance.order_id == Order.id)
        .where(Order.supplier_id == by.organisation_id, Order.state == "accepted", owed > 0)
        .group_by(Organisation.id, Organisation.short_name))
    return sorted((MoneyComing(*row) for row in rows), key=lambda one: (one.since, one.unit_name))


def statement(by: Visitor, before_id: int | None, unit_id: int | None = None,
              month: str = "") -> tuple[list[dict[str, Any]], int | None]:
    """Movements on the co-operative's own account, newest first, and where the next page begins.

    With a unit only those between the two, with a month only those of its days.
    """
    days = None
    if month:
        days = (date.fromisoformat(f"{month}-01"), date.fromisoformat(f"{clock.months_before(month, -1)}-01"))
    rows = ledger.statement(f"supplier:{by.organisation_id}", ROWS + 1, before_id,
                            other=f"unit:{unit_id}" if unit_id else None, days=days)
    return rows[:ROWS], rows[ROWS - 1]["id"] if len(rows) > ROWS else None
