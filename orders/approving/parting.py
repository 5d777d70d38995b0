"""A part now, the rest later: what is not sent with an order follows on another day as an order of its own.

So one order keeps one shipment and one acceptance. Each line costs its price times its quantity; order and purchase
are the sums of their lines, as ever: where half a fen falls twice, a total may move by one fen for each parted line.
"""

from collections import defaultdict
from collections.abc import Mapping
from datetime import date, timedelta

from sqlalchemy import select

from catalog import stock
from catalog.models import Lot, Product
from market import clock, db, money
from market.access import Visitor
from market.errors import N_, Conflict, InvalidInput, NotFound
from orders import numbers, seasons, states
from orders.approving import changes
from orders.approving.changes import Changed
from orders.buying import approval
from orders.models import Order, OrderLine
from orders.paying import card_closing, receipts

FARTHEST_DAYS = 30


class PaidAhead(Conflict):
    """Money lies on this very order; it would not follow the rest."""

    code = "paid_ahead"
    text = N_("The buyer has paid ahead for this order: send what there is, the rest is given back.")


def part(order_id: int, stays: Mapping[int, int], day: date, by: Visitor, note: str = "") -> int:
    """Leave {line id: milli} in a placed order, all else follows on `day`; returns the new order's id.

    Lines that are not named follow whole. Raises NotFound, WrongState, PaidAhead, OutOfStock, AboveCapacity,
    InvalidInput.
    """
    purchase, order = changes.locked(order_id, Order.supplier_id == by.organisation_id)
    if order.state == "waiting":
        raise NotFound()
    states.check_next(order.state, "shipped")
    if order.payment != "unpaid":
        raise PaidAhead()
    lines = changes.lines_of(order.id)
    if set(stays) - set(lines):
        raise NotFound()
    rest = {line_id: line.ordered_milli - min(stays.get(line_id, 0), line.ordered_milli)
            for line_id, line in lines.items()}
    rest = {line_id: milli for line_id, milli in rest.items() if milli}
    moved_fen = sum(line.amount_fen - money.line_total(line.price_fen, line.ordered_milli - rest[line.id])
                    for line in lines.values() if line.id in rest)
    follows_fen = sum(money.line_total(lines[line_id].price_fen, milli) for line_id, milli in rest.items())
    _check(order, rest, lines, day, order.placed_fen - moved_fen, follows_fen)
    before_fen, first_day = order.placed_fen, order.delivery_day
    order.placed_fen -= moved_fen
    purchase.total_fen += follows_fen - moved_fen
    follower_id = _follower(order, day, follows_fen)
    changed, parted = _split(lines, rest, follower_id)
    _promise_later(parted, day)
    _count_later(changed, parted, first_day, day)
    approval.rehash(purchase)
    receipts.update_payment(order)
    card_closing.close_pages(order.id)
    changes.keep(purchase, order, "parted", changed, by, before_fen=before_fen, reason=note, new_order_id=follower_id)
    return follower_id


def _check(order: Order, rest: Mapping[int, int], lines: Mapping[int, OrderLine], day: date, stays_fen: int,
           follows_fen: int) -> None:
    today = clock.today()
    if not max(today, order.delivery_day) < day <= clock.days_after(today, FARTHEST_DAYS):
        raise InvalidInput({"rest_on": [N_("A day after that of the delivery, at most 30 days ahead.")]})
    if not rest or follows_fen <= 0:
        raise InvalidInput({"rest_on": [N_("Everything is sent: nothing is left to follow.")]})
    if stays_fen <= 0 or all(rest.get(line_id) == line.ordered_milli for line_id, line in lines.items()):
        raise InvalidInput({"lines": [N_("Pack at least one good.")]})


def _follower(order: Order, day: date, placed_fen: int) -> int:
    """The order that carries the rest: like the first, with its own number and day, and nothing paid."""
    row = {name: value for name, value in db.columns_of(order).items() if name != "id"}
    row |= {"number": numbers.new("S", clock.today()), "state": "placed", "payment": "unpaid", "placed_fen": placed_fen,
            "received_fen": 0, "refunded_fen": 0, "delivery_day": day,
            "freight_fen": 0, "freight_agreed_fen": 0}  # charged once, with the first
    if row.get("cut_off_at"):
        row["cut_off_at"] += timedelta(days=(day - order.delivery_day).days)
    return db.insert_returning_ids(Order, [row])[0]


def _split(lines: Mapping[int, OrderLine], rest: Mapping[int, int],
           follower_id: int) -> tuple[list[Changed], list[tuple[int, OrderLine]]]:
    """Give the rest to the follower: whole lines go over, of others a new line does. Returns what changed in the first
    order, and (line that held the promises, line of the follower)."""
    session = db.session()
    session.flush()
    changed, parted = [], []
    for line_id, milli in rest.items():
        line = lines[line_id]
        stays = line.ordered_milli - milli
        changed.append(Changed(line, line.ordered_milli, line.amount_fen, stays,
                               money.line_total(line.price_fen, stays)))
        if not stays:
            line.order_id = follower_id
            parted.append((line_id, line))
            continue
        line.ordered_milli, line.amount_fen = stays, changed[-1].after_fen
        row = {name: value for name, value in db.columns_of(line).items() if name != "id"}
        row |= {"order_id": follower_id, "ordered_milli": milli, "amount_fen": money.line_total(line.price_fen, milli)}
        new = OrderLine(**row)
        session.add(new)
        session.flush()
        parted.append((line_id, new))
    session.flush()
    return changed, parted


def _promise_later(parted: list[tuple[int, OrderLine]], day: date) -> None:
    """Promises go over with the rest: those of lots that keep until that day, those of a day's yield to the new day."""
    line_of = dict(parted)
    kept = {line_id: 0 if line_id == line.id else db.session().get_one(OrderLine, line_id).ordered_milli
            for line_id, line in parted}
    over = [promise for promise in stock.lessen(kept) if promise["lot_id"] is not None]
    fresh = set(db.session().scalars(select(Lot.id).where(
        Lot.id.in_({promise["lot_id"] for promise in over}), Lot.best_before >= day)))
    stock.promise_again([{**promise, "line_id": line_of[promise["line_id"]].id} for promise in over
                         if promise["lot_id"] in fresh])
    daily = [line for _line_id, line in parted if line.supply == "daily"]
    yields = {row.id: row.daily_capacity_milli for row in db.session().execute(
        select(Product.id, Product.daily_capacity_milli).where(Product.id.in_([line.product_id for line in daily])))}
    if daily:
        stock.hold([stock.Wanted(line.id, line.product_id, line.product_name, "daily", line.ordered_milli,
                                 yields[line.product_id]) for line in daily], day)


def _count_later(changed: list[Changed], parted: list[tuple[int, OrderLine]], first: date, day: date) -> None:
    """A season counts what its own days bring."""
    less: dict[int, int] = defaultdict(int)
    more: dict[int, int] = defaultdict(int)
    for one, (_line_id, line) in zip(changed, parted, strict=True):
        per_unit = line.grams_per_unit
        less[line.product_id] += money.grams_of(one.before_milli, per_unit) - money.grams_of(one.after_milli, per_unit)
        more[line.product_id] += money.grams_of(line.ordered_milli, per_unit)
    seasons.count_less(less, first)
    seasons.count_more(more, day)
