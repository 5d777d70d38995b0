"""A phone order's life: typed by the co-operative, confirmed, declined or left to expire by the canteen."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select, update

from market import clock, db, journal, logins, outbox
from market.access import Visitor
from market.errors import N_, Conflict, InvalidInput, MarketError, NotFound, SecondPersonNeeded
from market.parties import Membership, Organisation
from orders.buying import cart, checkout, refusals
from orders.buying.checkout import Placed, Wish
from orders.phone.models import PhoneOrder, PhoneOrderLine
from orders.states import WINDOWS

KIND = "phone_order"
LIVES = timedelta(hours=24)
Goods = Sequence[tuple[int, int]]


class Expired(Conflict):
    """Nobody confirmed it in time."""

    code = "expired"
    text = N_("Nobody confirmed this in time: it was not ordered. Please call the co-operative or order anew.")


class NoLongerOpen(Conflict):
    """Declined by the unit or withdrawn by the co-operative."""

    code = "no_longer_open"
    text = N_("This phone order was declined or withdrawn; nothing is ordered.")


@dataclass(frozen=True)
class Said:
    """What the canteen said on the phone: goods as (product id, thousandths of its unit)."""

    unit_id: int
    delivery_day: date
    delivery_window: str
    goods: Goods
    note: str = ""


@dataclass(frozen=True)
class Link:
    """What the link to confirm is derived from, and the hash by which its token is found."""

    nonce: str
    token_hash: str


def expires_at(typed_at: datetime, delivery_day: date) -> datetime:
    """The earlier of 24 hours and the end of the day before delivery, after which nothing can be ordered for it."""
    return min(typed_at + LIVES, clock.shanghai(delivery_day))


def type_in(said: Said, link: Link, by: Visitor) -> int:
    """Write down what was said; nothing is held, nothing is ordered. Returns its id. Raises InvalidInput, NotFound."""
    products = _check(said, by)
    now = clock.now()
    order_id: int = db.insert_returning_ids(PhoneOrder, [{
        "supplier_id": by.organisation_id, "unit_id": said.unit_id, "delivery_day": said.delivery_day,
        "delivery_window": said.delivery_window, "note": said.note, "nonce": link.nonce,
        "token_hash": link.token_hash, "typed_by": by.id, "typed_at": now,
        "expires_at": expires_at(now, said.delivery_day), "state": "open", "reason": ""}])[0]
    db.insert_rows(PhoneOrderLine, [
        {"phone_order_id": order_id, "product_id": product_id, "milli": milli,
         "price_fen": products[product_id].price_fen} for product_id, milli in said.goods])
    journal.record("phone.typed", KIND, order_id, by, unit=said.unit_id, lines=len(said.goods))
    outbox.enqueue("phone.typed", {"phone_order_id": order_id})
    return order_id


def confirm(order_id: int, delivery_point_id: int, fund_source: str, shown_fen: int, by: Visitor) -> int:
    """The canteen says yes to what it saw: now it is ordered; returns the purchase's id, the first one's on a repeat.

    Raises SecondPersonNeeded for whoever typed it or belongs to the co-operative, Expired, NoLongerOpen, NotFound, and
    what checkout.place raises, PricesChanged where the sum is not the one shown.
    """
    order = _of_unit(order_id, by)
    if order.state == "confirmed" and order.purchase_id is not None:
        return order.purchase_id
    if order.typed_by == by.id or _belongs(by, order.supplier_id):
        raise SecondPersonNeeded()
    _check_open(order)
    placed = _place(order, Wish(delivery_point_id, order.delivery_day, order.delivery_window, fund_source,
                                note=order.note, expected_total_fen=shown_fen), by)
    _decide(order, "confirmed", by, purchase_id=placed.id, confirmed_by=by.id)
    return placed.id


def decline(order_id: int, reason: str, by: Visitor) -> None:
    """The canteen says no. Raises Expired, NoLongerOpen, NotFound."""
    order = _of_unit(order_id, by)
    _check_open(order)
    _decide(order, "declined", by, reason=reason)
    outbox.enqueue("phone.decided", {"phone_order_id": order.id})


def withdraw(order_id: int, by: Visitor) -> None:
    """The co-operative takes back what it typed. Raises Expired, NoLongerOpen, NotFound."""
    order = _locked(PhoneOrder.id == order_id, PhoneOrder.supplier_id == by.organisation_id)
    if order.state == "confirmed":
        raise Conflict()
    _check_open(order)
    _decide(order, "withdrawn", by)


def expire_due() -> list[int]:
    """What nobody confirmed in time is over; returns the ids."""
    gone = list(db.session().scalars(
        update(PhoneOrder).where(PhoneOrder.state == "open", PhoneOrder.expires_at <= clock.now())
        .values(state="expired", decided_at=clock.now()).returning(PhoneOrder.id)))
    journal.record_many([("phone.expired", KIND, order_id, {}) for order_id in gone], None)
    for order_id in gone:
        outbox.enqueue("phone.decided", {"phone_order_id": order_id})
    return gone


def id_of_token(token: str, by: Visitor) -> int:
    """The phone order behind a link, for somebody of its unit. Raises NotFound."""
    found = db.session().scalar(select(PhoneOrder.id).where(
        PhoneOrder.token_hash == logins.token_hash(token), PhoneOrder.unit_id == by.organisation_id))
    if found is None:
        raise NotFound()
    return found


def goods_of(order_id: int) -> list[tuple[int, int]]:
    """(product id, milli) of a phone order's lines."""
    return [(row.product_id, row.milli) for row in db.session().execute(
        select(PhoneOrderLine.product_id, PhoneOrderLine.milli)
        .where(PhoneOrderLine.phone_order_id == order_id).order_by(PhoneOrderLine.id))]


# ---- whose it is, and whether it is still open ----------------------------------------------------------------------


def _of_unit(order_id: int, by: Visitor) -> PhoneOrder:
    return _locked(PhoneOrder.id == order_id, PhoneOrder.unit_id == by.organisation_id)


def _locked(*conditions: Any) -> PhoneOrder:
    order = db.session().scalar(select(PhoneOrder).where(*conditions).with_for_update()
                                .execution_options(populate_existing=True))
    if order is None:
        raise NotFound()
    return order


def _check_open(order: PhoneOrder) -> None:
    """By the clock, not by the state alone: the job that marks what is over may come a minute later."""
    if order.state == "expired" or (order.state == "open" and clock.now() >= order.expires_at):
        raise Expired()
    if order.state != "open":
        raise NoLongerOpen()


def _belongs(by: Visitor, supplier_id: int) -> bool:
    return db.session().scalar(select(Membership.id).where(
        Membership.user_id == by.id, Membership.organisation_id == supplier_id).limit(1)) is not None


def _place(order: PhoneOrder, wish: Wish, by: Visitor) -> Placed:
    goods = goods_of(order.id)
    gone = set(dict(goods)) - set(cart.sellable([product_id for product_id, _milli in goods]))
    if gone:
        raise InvalidInput({"lines": [refusals.NoLongerSold()]})
    return checkout.place(goods, wish, f"phone:{order.id}", by, source="phone")


def _decide(order: PhoneOrder, state: str, by: Visitor, **more: Any) -> None:
    order.state, order.decided_at = state, clock.now()
    for name, value in more.items():
        setattr(order, name, value)
    db.session().flush()
    journal.record(f"phone.{state}", KIND, order.id, by, **more)


def _check(said: Said, by: Visitor) -> dict[int, Any]:
    """The goods by id: the co-operative's own, in quantities they are sold in. Raises InvalidInput, NotFound."""
    unit = db.session().execute(select(Organisation.id).where(
        Organisation.id == said.unit_id, Organisation.kind == "unit", Organisation.status == "active")).first()
    products = cart.sellable([product_id for product_id, _milli in said.goods], said.delivery_day)
    if unit is None or any(product_id not in products or products[product_id].supplier_id != by.organisation_id
                           for product_id, _milli in said.goods):
        raise NotFound()
    problems: dict[str, list[str | MarketError]] = {}
    if not said.goods or len(said.goods) > checkout.MOST_LINES:
        problems["lines"] = [N_("An order holds between 1 and 200 goods.")]
    if not clock.today() < said.delivery_day <= clock.days_after(clock.today(), checkout.FARTHEST_DAYS):
        problems["delivery_day"] = [N_("Delivery is possible from tomorrow on, up to 60 days ahead.")]
    if said.delivery_window not in WINDOWS:
        problems["delivery_window"] = [N_("Please choose one of the list.")]
    for number, (product_id, milli) in enumerate(said.goods):
        try:
            cart.check_quantity(products[product_id], milli)
        except cart.NotThisQuantity as refusal:
            problems[f"lines-{number}-quantity_milli"] = [refusal]
    if problems:
        raise InvalidInput(problems)
    return products
