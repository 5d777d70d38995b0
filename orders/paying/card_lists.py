"""What both sides see of payments by card: columns, a fixed number of statements, their own rows only."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, func, select

from market import access, clock, db, paging
from market.access import Visitor
from market.errors import N_, MarketError, NotFound
from market.parties import Organisation
from market.users import User
from orders.models import CardPayment, Order
from orders.paying import card_offers
from orders.paying.gateway import Gateway

Columns = Row[*tuple[Any, ...]]
STATE_LABELS: Mapping[str, str] = {
    "asked": N_("Being looked up"), "open": N_("Payment page open"), "paid": N_("Paid"), "expired": N_("Not paid"),
    "refused": N_("Refused by the provider"), "different": N_("Somebody has to look"),
}
TONES: Mapping[str, str] = {"asked": "waiting", "open": "waiting", "paid": "good", "expired": "quiet",
                            "refused": "wrong", "different": "wrong"}
WAY_LABELS: Mapping[str, str] = {"card": N_("Card"), "alipay": N_("Alipay"), "wechat_pay": N_("WeChat Pay")}


@dataclass(frozen=True)
class Panel:
    """Whether this visitor may pay an order by card now, why not, and what was tried before."""

    may_pay: bool
    refusal: MarketError | None
    attempts: Sequence[Columns]
    under_way: Columns | None
    why: str = ""  # the refusal in the reader's words
    labels: Mapping[str, str] = field(default_factory=lambda: STATE_LABELS)
    tones: Mapping[str, str] = field(default_factory=lambda: TONES)
    ways: Mapping[str, str] = field(default_factory=lambda: WAY_LABELS)


def panel(order: Any, by: Visitor, gateway: Gateway) -> Panel:
    """`order` as orders.buying.lists.order() gives it; at most four statements."""
    attempts = of_order(order.id)
    under_way = next((one for one in attempts if one.state in {"asked", "open"}), None)
    mine = order.unit_id == by.organisation_id and access.can(by, "payment.card")
    refusal = card_offers.refusal(order, order.open_fen, gateway)
    return Panel(mine and refusal is None and by.id not in {order.ordered_by, order.approved_by}, refusal, attempts,
                 under_way)


def of_order(order_id: int) -> Sequence[Columns]:
    """The attempts to pay an order, the newest first. The caller has checked whose it is."""
    return db.session().execute(
        _payments().where(CardPayment.order_id == order_id).order_by(CardPayment.attempt.desc())).all()


def one(payment_id: int, order_id: int, units: Collection[int]) -> Columns:
    """An attempt to pay an order of these units. Raises NotFound for anybody else's."""
    return _one(payment_id, order_id, Order.unit_id.in_(units))


def one_of_either(payment_id: int, order_id: int, by: Visitor) -> Columns:
    """The same for whichever side of the order asks."""
    return _one(payment_id, order_id, (Order.unit_id == by.organisation_id) | (Order.supplier_id == by.organisation_id))


def _one(payment_id: int, order_id: int, whose: ColumnElement[bool]) -> Columns:
    found = db.session().execute(
        _payments().where(CardPayment.id == payment_id, CardPayment.order_id == order_id, whose)).first()
    if found is None:
        raise NotFound()
    return found


def of_supplier(by: Visitor, page: int) -> paging.Page:
    """Payments by card to the visitor's co-operative, the newest first; two statements."""
    mine = CardPayment.supplier_id == by.organisation_id
    total = db.session().scalar(select(func.count()).select_from(CardPayment).where(mine)) or 0
    return paging.read(_payments().where(mine).order_by(CardPayment.id.desc()), total, page)


def is_known(row: Columns) -> bool:
    """Whether nothing more is to be looked up about an attempt; an open page that is over still is."""
    return row.state not in {"asked", "open"}


def may_still_pay(row: Columns) -> bool:
    """Whether the attempt's page takes money now, as far as we know."""
    return bool(row.state == "open" and row.expires_at > clock.now())


def _payments() -> Select[Any]:
    return (
        select(db.table(CardPayment), Order.number, Order.state.label("order_state"), Order.supplier_name,
               Organisation.short_name.label("unit_name"), User.name.label("payer"))
        .join(Order, Order.id == CardPayment.order_id).join(Organisation, Organisation.id == CardPayment.unit_id)
        .join(User, User.id == CardPayment.started_by)
    )
