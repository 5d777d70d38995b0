"""What a unit owes, and what it says it has paid: columns, a fixed number of statements."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, case, func, or_, select

from market import clock, db, paging
from market.errors import NotFound
from market.files import StoredFile
from market.parties import Organisation
from market.users import User
from orders.buying import lists
from orders.models import Acceptance, ClaimPart, Order, PaymentClaim
from orders.papers.models import Statement
from orders.paying import expiry, terms
from orders.paying.payer_models import DeclaredPayer

Columns = Row[*tuple[Any, ...]]


@dataclass(frozen=True)
class Owed:
    """What accepted goods still cost: sums by co-operative over everything, and one page of the orders behind them."""

    suppliers: Sequence[Columns]
    orders: paging.Page

    @property
    def total_fen(self) -> int:
        return sum(row.open_fen for row in self.suppliers)

    @property
    def claimed_fen(self) -> int:
        return sum(row.claimed_fen for row in self.suppliers)

    @property
    def late_fen(self) -> int:
        """What is open past its day, claimed or not."""
        return sum(row.late_fen for row in self.suppliers)


def owed(units: Collection[int], page: int) -> Owed:
    """Accepted orders that are not fully paid, by co-operative, oldest acceptance first; two statements."""
    unpaid = (Order.unit_id.in_(units), Order.state == "accepted", Order.payment.in_(("unpaid", "part", "claimed")))
    suppliers = db.session().execute(
        select(Order.supplier_id, Order.supplier_name, func.count().label("orders"),
               db.sum_of(lists.open_fen()).label("open_fen"), db.sum_of(_claimed_fen()).label("claimed_fen"),
               db.sum_of(case((Order.pay_by < clock.today(), lists.open_fen()), else_=0)).label("late_fen"))
        .where(*unpaid).group_by(Order.supplier_id, Order.supplier_name).order_by(Order.supplier_name)).all()
    total = sum(row.orders for row in suppliers)
    rows = (
        _open_columns().add_columns(Acceptance.business_date.label("accepted_on"))
        .join(Acceptance, Acceptance.order_id == Order.id).where(*unpaid)
        .order_by(Order.supplier_name, Order.supplier_id, Acceptance.business_date, Order.id))
    return Owed(suppliers, paging.read(rows, total, page))


MOST_AT_ONCE = 100  # orders in one transfer


def to_pay_first(units: Collection[int], most: int = MOST_AT_ONCE) -> Sequence[Columns]:
    """Orders of these units that are packed once they are paid, those to be paid soonest first; one statement."""
    return db.session().execute(
        _open_columns().where(Order.unit_id.in_(units), terms.waits_for_payment())
        .order_by(Order.pay_by, Order.id).limit(most)).all()


def paid_first_with(supplier_id: int | None, page: int) -> paging.Page:
    """Orders that a co-operative packs once they are paid, those to be paid soonest first, with `stands` where one is
    past its day and kept all the same; two statements."""
    here = (Order.supplier_id == supplier_id, terms.waits_for_payment())
    total = db.session().scalar(select(func.count()).select_from(Order).where(*here)) or 0
    rows = (_open_columns().add_columns(Organisation.short_name.label("unit_name"), expiry.standing().label("stands"))
            .join(Organisation, Organisation.id == Order.unit_id).where(*here).order_by(Order.pay_by, Order.id))
    return paging.read(rows, total, page)


def to_transfer(unit_id: int | None, order_ids: Collection[int]) -> Sequence[Columns]:
    """The orders that one transfer is to pay, those to be paid first at the top. Raises NotFound for anybody else's."""
    found = db.session().execute(
        _open_columns().where(Order.unit_id == unit_id, Order.id.in_(order_ids), Order.state.in_(PAYABLE))
        .order_by(Order.pay_by.is_(None), Order.pay_by, Order.id)).all()
    if len(found) != len(set(order_ids)):
        raise NotFound()
    return found


def open_with(unit_id: int | None, supplier_id: int) -> list[int]:
    """Orders of a unit that one co-operative waits to be paid for: accepted, or to be paid before they are packed."""
    return list(db.session().scalars(
        select(Order.id).where(Order.unit_id == unit_id, Order.supplier_id == supplier_id,
                               or_(Order.state == "accepted", terms.waits_for_payment()),
                               Order.payment.not_in(("paid", "over")), lists.open_fen() > _claimed_fen())
        .order_by(Order.pay_by.is_(None), Order.pay_by, Order.id).limit(MOST_AT_ONCE)))


PAYABLE = ("placed", "shipped", "accepted")


def _open_columns() -> Select[Any]:
    return select(db.table(Order), lists.open_fen().label("open_fen"), _claimed_fen().label("claimed_fen"),
                  (Order.pay_by < clock.today()).label("is_late"))


def _claimed_fen() -> Any:
    """What is said to be paid and not yet confirmed, in fen."""
    return (
        select(db.sum_of(ClaimPart.amount_fen)).join(PaymentClaim, PaymentClaim.id == ClaimPart.claim_id)
        .where(ClaimPart.order_id == Order.id, PaymentClaim.state == "claimed").correlate(Order).scalar_subquery()
    )


def claims(units: Collection[int], page: int) -> tuple[paging.Page, dict[int, list[Columns]]]:
    """A unit's claims, newest first, and which orders each is for; three statements."""
    mine = PaymentClaim.unit_id.in_(units)
    total = db.session().scalar(select(func.count()).select_from(PaymentClaim).where(mine)) or 0
    found = paging.read(_claim_columns().where(mine).order_by(PaymentClaim.id.desc()), total, page)
    return found, parts([row.id for row in found.rows])


def claim(claim_id: int, units: Collection[int]) -> tuple[Columns, list[Columns]]:
    """One claim of these units and the orders it is for. Raises NotFound for anybody else's."""
    found = db.session().execute(
        _claim_columns().where(PaymentClaim.id == claim_id, PaymentClaim.unit_id.in_(units))).first()
    if found is None:
        raise NotFound()
    return found, parts([claim_id])[claim_id]


def claims_of(order_id: int) -> Sequence[Columns]:
    """The claims for an order, newest first, each with its part for this order. The caller has checked whose it is."""
    return db.session().execute(
        _claim_columns().add_columns(ClaimPart.amount_fen.label("part_fen"))
        .join(ClaimPart, ClaimPart.claim_id == PaymentClaim.id)
        .where(ClaimPart.order_id == order_id).order_by(PaymentClaim.id.desc())).all()


def _claim_columns() -> Select[Any]:
    """A claim as both sides see it; its payer as the unit has declared it, where it is not the unit itself."""
    answerer = db.table(User).alias()
    return (
        select(db.table(PaymentClaim), Organisation.short_name.label("supplier_name"), User.name.label("claimant"),
               answerer.c.name.label("answerer"), StoredFile.name.label("voucher"), payer_kind().label("payer_kind"),
               Statement.number.label("statement_number"))
        .join(Organisation, Organisation.id == PaymentClaim.supplier_id)
        .join(User, User.id == PaymentClaim.claimed_by)
        .outerjoin(answerer, answerer.c.id == PaymentClaim.answered_by)
        .outerjoin(StoredFile, StoredFile.id == PaymentClaim.voucher_id)
        .outerjoin(Statement, Statement.id == PaymentClaim.statement_id)
    )


def payer_kind() -> ColumnElement[str]:
    """Who a claim's payer is: 'unit', a kind that the unit has declared beforehand, or 'unknown'."""
    unit = db.table(Organisation).alias()
    is_unit = (select(unit.c.id).where(unit.c.id == PaymentClaim.unit_id,
                                       PaymentClaim.payer_name.in_((unit.c.name, unit.c.short_name)))
               .correlate(PaymentClaim).exists())
    declared = (select(func.min(DeclaredPayer.kind)).where(
        DeclaredPayer.unit_id == PaymentClaim.unit_id, DeclaredPayer.name == PaymentClaim.payer_name,
        DeclaredPayer.ended_at.is_(None)).correlate(PaymentClaim).scalar_subquery())
    return case((is_unit, "unit"), else_=func.coalesce(declared, "unknown"))


def parts(claim_ids: Collection[int]) -> dict[int, list[Columns]]:
    """By claim: the orders (id, number) it is for, each with its amount; one statement. Whose the claims are has been
    checked.
    """
    found: dict[int, list[Columns]] = defaultdict(list)
    for row in db.session().execute(
            select(ClaimPart.claim_id, ClaimPart.amount_fen, Order.id, Order.number)
            .join(Order, Order.id == ClaimPart.order_id).where(ClaimPart.claim_id.in_(claim_ids))
            .order_by(ClaimPart.id)):
        found[row.claim_id].append(row)
    return found


def payee(supplier_id: int) -> Columns:
    """Where the money goes (name, bank_name, bank_account)."""
    return db.session().execute(
        select(Organisation.name, Organisation.bank_name, Organisation.bank_account)
        .where(Organisation.id == supplier_id)).one()
