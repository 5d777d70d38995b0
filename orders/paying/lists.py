"""What a unit owes, and what it says it has paid: columns, a fixed number of statements."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Select, func, select

from market import db, paging
from market.files import StoredFile
from market.parties import Organisation
from market.users import User
from orders.buying import lists
from orders.models import Acceptance, ClaimPart, Order, PaymentClaim

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


def owed(units: Collection[int], page: int) -> Owed:
    """Accepted orders that are not fully paid, by co-operative, oldest acceptance first; two statements."""
    unpaid = (Order.unit_id.in_(units), Order.state == "accepted", Order.payment.in_(("unpaid", "part", "claimed")))
    suppliers = db.session().execute(
        select(Order.supplier_id, Order.supplier_name, func.count().label("orders"),
               db.sum_of(lists.open_fen()).label("open_fen"), db.sum_of(_claimed_fen()).label("claimed_fen"))
        .where(*unpaid).group_by(Order.supplier_id, Order.supplier_name).order_by(Order.supplier_name)).all()
    total = sum(row.orders for row in suppliers)
    rows = (
        select(db.table(Order), lists.open_fen().label("open_fen"), _claimed_fen().label("claimed_fen"),
               Acceptance.business_date.label("accepted_on"))
        .join(Acceptance, Acceptance.order_id == Order.id).where(*unpaid)
        .order_by(Order.supplier_name, Order.supplier_id, Acceptance.business_date, Order.id))
    return Owed(suppliers, paging.read(rows, total, page))


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
    return found, _parts([row.id for row in found.rows])


def claims_of(order_id: int) -> Sequence[Columns]:
    """The claims for an order, newest first, each with its part for this order. The caller has checked whose it is."""
    return db.session().execute(
        _claim_columns().add_columns(ClaimPart.amount_fen.label("part_fen"))
        .join(ClaimPart, ClaimPart.claim_id == PaymentClaim.id)
        .where(ClaimPart.order_id == order_id).order_by(PaymentClaim.id.desc())).all()


def _claim_columns() -> Select[Any]:
    return (
        select(db.table(PaymentClaim), Organisation.short_name.label("supplier_name"), User.name.label("claimant"),
               StoredFile.name.label("voucher"))
        .join(Organisation, Organisation.id == PaymentClaim.supplier_id)
        .join(User, User.id == PaymentClaim.claimed_by)
        .outerjoin(StoredFile, StoredFile.id == PaymentClaim.voucher_id)
    )


def _parts(claim_ids: Collection[int]) -> dict[int, list[Columns]]:
    parts: dict[int, list[Columns]] = defaultdict(list)
    for row in db.session().execute(
            select(ClaimPart.claim_id, ClaimPart.amount_fen, Order.id, Order.number)
            .join(Order, Order.id == ClaimPart.order_id).where(ClaimPart.claim_id.in_(claim_ids))
            .order_by(ClaimPart.id)):
        parts[row.claim_id].append(row)
    return parts


def payee(supplier_id: int) -> Columns:
    """Where the money goes (name, bank_name, bank_account)."""
    return db.session().execute(
        select(Organisation.name, Organisation.bank_name, Organisation.bank_account)
        .where(Organisation.id == supplier_id)).one()
