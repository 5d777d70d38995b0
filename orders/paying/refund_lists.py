"""What is owed back and what goes back, as both sides see it: columns, a fixed number of statements."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Select, func, select

from market import db, paging
from market.access import Visitor
from market.errors import N_, NotFound
from market.files import StoredFile
from market.parties import Organisation
from market.users import User
from orders.buying import lists
from orders.models import CardPayment, GoodsReturn, Order, OrderLine, Refund, RefundLine
from orders.paying import card_lists
from orders.paying.refund_sums import UNDER_WAY

TAB_LABELS: Mapping[str, str] = {
    "owed": N_("Paid too much"), "asked": N_("Waits for a second person"), "sending": N_("Being sent back"),
    "done": N_("Done"), "failed": N_("Not given"),
}
STATE_LABELS: Mapping[str, str] = {
    "asked": N_("Waits for a second person"), "sending": N_("Refund being checked"), "done": N_("Refunded"),
    "failed": N_("The card provider refused"), "refused": N_("Not given"),
}
TONES: Mapping[str, str] = {
    "asked": "waiting", "sending": "info", "done": "good", "failed": "wrong", "refused": "quiet",
}
WAY_LABELS: Mapping[str, str] = {"bank": N_("Bank transfer"), **card_lists.WAY_LABELS}
STATES_OF: Mapping[str, tuple[str, ...]] = {
    "asked": ("asked",), "sending": ("sending",), "done": ("done",), "failed": ("failed", "refused"),
}
Columns = Row[*tuple[Any, ...]]


def over_fen() -> Any:
    """What an order was paid too much and is not on its way back, in fen: refund_sums.owed_fen as a column."""
    under_way = (select(db.sum_of(Refund.amount_fen)).where(Refund.order_id == Order.id, Refund.state.in_(UNDER_WAY))
                 .correlate(Order).scalar_subquery())
    return -lists.open_fen() - func.coalesce(under_way, 0)


@dataclass(frozen=True)
class Waits:
    """How much waits at a co-operative: orders paid too much, refunds that another person asked for."""

    owed: int
    to_confirm: int


def waits(by: Visitor) -> Waits:
    """Two statements."""
    session = db.session()
    owed = session.scalar(select(func.count()).select_from(Order).where(*_owed(by))) or 0
    asked = session.scalar(select(func.count()).select_from(Refund).join(Order, Order.id == Refund.order_id)
                           .where(Order.supplier_id == by.organisation_id, Refund.state == "asked",
                                  Refund.made_by != by.id)) or 0
    return Waits(owed, asked)


def counts(by: Visitor) -> dict[str, int]:
    """How much lies under each tab of a co-operative's list; two statements."""
    session = db.session()
    by_state = {row.state: row.refunds for row in session.execute(
        select(Refund.state, func.count().label("refunds")).join(Order, Order.id == Refund.order_id)
        .where(Order.supplier_id == by.organisation_id).group_by(Refund.state))}
    found = {tab: sum(by_state.get(state, 0) for state in states) for tab, states in STATES_OF.items()}
    return {"owed": session.scalar(select(func.count()).select_from(Order).where(*_owed(by))) or 0, **found}


def owed(by: Visitor, total: int, page: int) -> paging.Page:
    """A co-operative's orders that were paid too much, the oldest first; one statement."""
    return paging.read(
        select(Order.id, Order.number, Order.state, (Order.received_fen - Order.refunded_fen).label("paid_fen"),
               over_fen().label("over_fen"), lists.owed_fen().label("costs_fen"),
               Organisation.short_name.label("unit_name"))
        .join(Organisation, Organisation.id == Order.unit_id).where(*_owed(by)).order_by(Order.id), total, page)


def _owed(by: Visitor) -> tuple[Any, ...]:
    return (Order.supplier_id == by.organisation_id, Order.payment == "over", over_fen() > 0)


def given(by: Visitor, tab: str, total: int, page: int) -> paging.Page:
    """A co-operative's refunds under a tab: what waits the oldest first, else the newest; one statement."""
    order = Refund.id if tab in {"asked", "sending"} else Refund.id.desc()
    return paging.read(_refunds().where(Order.supplier_id == by.organisation_id, Refund.state.in_(STATES_OF[tab]))
                       .order_by(order), total, page)


def to_units(units: Collection[int], page: int) -> paging.Page:
    """Refunds to a unit and to those it supervises, the newest first; two statements."""
    mine = Order.unit_id.in_(units)
    total = db.session().scalar(
        select(func.count()).select_from(Refund).join(Order, Order.id == Refund.order_id).where(mine)) or 0
    return paging.read(_refunds().where(mine).order_by(Refund.id.desc()), total, page)


def of_order(order_id: int) -> Sequence[Columns]:
    """The refunds of an order, the newest first. The caller has checked whose order it is."""
    return db.session().execute(_refunds().where(Order.id == order_id).order_by(Refund.id.desc())).all()


def refund(refund_id: int, *mine: Any) -> Columns:
    """One refund of the visitor's side. Raises NotFound for anybody else's."""
    found = db.session().execute(_refunds().where(Refund.id == refund_id, *mine)).first()
    if found is None:
        raise NotFound()
    return found


def lines_of(refund_ids: Collection[int]) -> dict[int, list[Columns]]:
    """What refunds are for, by refund, where it was said."""
    found: dict[int, list[Columns]] = defaultdict(list)
    for row in db.session().execute(
            select(RefundLine.refund_id, RefundLine.milli, RefundLine.amount_fen, OrderLine.product_name,
                   OrderLine.product_name_en, OrderLine.unit, OrderLine.unit_en)
            .join(OrderLine, OrderLine.id == RefundLine.order_line_id).where(RefundLine.refund_id.in_(refund_ids))
            .order_by(RefundLine.id)):
        found[row.refund_id].append(row)
    return found


def voucher(refund_id: int, *mine: Any) -> StoredFile:
    """The slip of a refund of the visitor's side. Raises NotFound for anybody else's, and where there is none."""
    found = db.session().scalar(
        select(StoredFile).join(Refund, Refund.voucher_id == StoredFile.id).join(Order, Order.id == Refund.order_id)
        .where(Refund.id == refund_id, *mine))
    if found is None:
        raise NotFound()
    return found


def order(order_id: int, by: Visitor) -> Any:
    """An order to this co-operative with what was paid too much of it. Raises NotFound for anybody else's."""
    found = db.session().execute(
        select(db.table(Order), lists.owed_fen().label("costs_fen"), over_fen().label("over_fen"),
               Organisation.name.label("unit_name"), Organisation.bank_name, Organisation.bank_account)
        .join(Organisation, Organisation.id == Order.unit_id)
        .where(Order.id == order_id, Order.supplier_id == by.organisation_id)).first()
    if found is None:
        raise NotFound()
    return found


def _refunds() -> Select[Any]:
    asker, second = db.table(User).alias(), db.table(User).alias()
    unit, supplier = db.table(Organisation).alias(), db.table(Organisation).alias()
    return (
        select(db.table(Refund), Order.number.label("order_number"), Order.unit_id, Order.supplier_id,
               unit.c.short_name.label("unit_name"), supplier.c.short_name.label("supplier_name"),
               unit.c.bank_name, unit.c.bank_account, unit.c.name.label("payee"),
               asker.c.name.label("asker"), second.c.name.label("confirmer"), CardPayment.way.label("method"),
               GoodsReturn.business_date.label("returned_on"), StoredFile.name.label("voucher"))
        .join(Order, Order.id == Refund.order_id).join(unit, unit.c.id == Order.unit_id)
        .join(supplier, supplier.c.id == Order.supplier_id).join(asker, asker.c.id == Refund.made_by)
        .outerjoin(second, second.c.id == Refund.confirmed_by)
        .outerjoin(CardPayment, CardPayment.id == Refund.card_payment_id)
        .outerjoin(GoodsReturn, GoodsReturn.id == Refund.return_id)
        .outerjoin(StoredFile, StoredFile.id == Refund.voucher_id)
    )
