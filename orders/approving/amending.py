"""Until the cut-off a buyer changes an order: less needs nobody, more waits again for every yes."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select

from catalog import stock
from catalog.models import Product
from market import clock, db, money
from market.access import Visitor
from market.errors import N_, Conflict, InvalidInput, NotFound
from market.parties import Organisation
from orders import seasons, states
from orders.approving import changes, deciding
from orders.approving.changes import Changed
from orders.buying import approval, cart, checkout
from orders.models import Order, OrderLine, Purchase
from orders.paying import card_closing, receipts
from orders.units import admission, contractors

CUT_OFF_HOUR = 16  # of the day before delivery, unless the co-operative's own cut-off is on the order
OPEN_STATES = frozenset({"waiting", "placed"})


class TooLateToAmend(Conflict):
    """The co-operative packs already."""

    code = "too_late_to_amend"
    text = N_("This order could be changed until %(hour)s.")


class PriceMoved(Conflict):
    """More of a good at the old price would be a new purchase at an old price."""

    code = "price_moved"
    text = N_("%(name)s: the price has changed since. Please order more of it in a new purchase.")


def cut_off(order: Any) -> datetime:
    """Until when an order may be changed: the cut-off that it carries, else 16:00 on the day before delivery."""
    own: datetime | None = order.cut_off_at
    return own or clock.shanghai(clock.days_after(order.delivery_day, -1), CUT_OFF_HOUR)


def may_amend(order: Any, now: datetime) -> bool:
    """Whether the buyer may still change an order: before it is shipped and before the cut-off."""
    return order.state in OPEN_STATES and now < cut_off(order)


def amend(order_id: int, wanted: Mapping[int, int], new: Sequence[tuple[int, int]], reason: str,
          by: Visitor) -> int | None:
    """Change an order: {line id: milli wanted now, 0 cancels the line}, and new goods as (product id, milli).

    Amounts, totals, promises of stock, seasons and the content that an approval binds move together. With more of
    anything the purchase waits again for every step. When nothing is left the order is cancelled. Returns the change's
    id. Raises NotFound, WrongState, TooLateToAmend, NotThisQuantity, PriceMoved, OutOfStock, AboveCapacity,
    UnitNotAdmitted, TermOver, InvalidInput.
    """
    purchase, order = changes.locked(order_id, approval.is_of(by))
    if order.state not in OPEN_STATES:
        raise states.WrongState(state=order.state)
    if not may_amend(order, clock.now()):
        raise TooLateToAmend(hour=f"{cut_off(order).astimezone(clock.SHANGHAI):%Y-%m-%d %H:%M}")
    lines = changes.lines_of(order.id)
    if set(wanted) - set(lines):
        raise NotFound()
    wanted = {line_id: milli for line_id, milli in wanted.items() if milli != lines[line_id].ordered_milli}
    if not wanted and not new:
        raise InvalidInput({"lines": [N_("Nothing has been changed.")]})
    if not new and all(wanted.get(line_id) == 0 for line_id in lines):
        approval.cancel(order.id, reason, by)
        return None
    return _apply(purchase, order, lines, wanted, new, reason, by)


def _apply(purchase: Purchase, order: Order, lines: Mapping[int, OrderLine], wanted: Mapping[int, int],
           new: Sequence[tuple[int, int]], reason: str, by: Visitor) -> int:
    more = {line_id: milli for line_id, milli in wanted.items() if milli > lines[line_id].ordered_milli}
    less = {line_id: milli for line_id, milli in wanted.items() if line_id not in more}
    seen, before_fen = order.state == "placed", order.placed_fen
    _check_less(lines, less)
    changed = _reduce(order, lines, less)
    if more or new:
        _check_may_order(order, by)
    changed += _raise(order, lines, more, new)
    if more or new:
        deciding.keep_beforehand(purchase)  # with the content that it was about
    _total(purchase, order, changed)
    round_no = None
    if more or new:
        round_no = approval.ask_again(purchase, _unit(order.unit_id), _lines_of_purchase(purchase.id), by)
    receipts.update_payment(order)
    if order.placed_fen != before_fen:
        card_closing.close_pages(order.id)
    return changes.keep(purchase, order, "raised" if more or new else "reduced", changed, by, before_fen=before_fen,
                        reason=reason, round_no=round_no, seen=seen)


def _check_may_order(order: Order, by: Visitor) -> None:
    """More is an order: of units that may order, and within a contractor's term. Raises UnitNotAdmitted, TermOver."""
    for unit_id in db.session().scalars(select(Organisation.id).where(
            Organisation.id.in_([order.unit_id, by.organisation_id]), Organisation.status != "active")):
        raise admission.refusal(unit_id)
    contractors.need_term(by)


def _check_less(lines: Mapping[int, OrderLine], less: Mapping[int, int]) -> None:
    """What stays of a line is a quantity that the good is sold in, whether it is still on the shelf or not."""
    products = {row.id: row for row in db.session().execute(
        select(Product.id, Product.name, Product.unit, Product.minimum_milli, Product.step_milli)
        .where(Product.id.in_([lines[line_id].product_id for line_id in less])))}
    for line_id, milli in less.items():
        if milli:
            cart.check_quantity(products[lines[line_id].product_id], milli)


def _reduce(order: Order, lines: Mapping[int, OrderLine], less: Mapping[int, int]) -> list[Changed]:
    stock.lessen(less)
    changed = [_set(lines[line_id], milli) for line_id, milli in less.items()]
    seasons.count_less(_grams(changed, -1), order.delivery_day)
    db.session().flush()
    gone = [one.line.id for one in changed if not one.after_milli]
    if gone:
        for one in changed:
            if not one.after_milli:
                db.session().expunge(one.line)
        db.session().execute(delete(OrderLine).where(OrderLine.id.in_(gone)))
    return changed


def _raise(order: Order, lines: Mapping[int, OrderLine], more: Mapping[int, int],
           new: Sequence[tuple[int, int]]) -> list[Changed]:
    """More of what is ordered, at its price, and goods that the co-operative sells beside them."""
    if not more and not new:
        return []
    ids = [lines[line_id].product_id for line_id in more] + [product_id for product_id, _milli in new]
    ordered = {line.product_id for line in lines.values()}
    if len(set(ids)) != len(ids) or ordered & {product_id for product_id, _milli in new}:
        raise InvalidInput({"lines": [N_("A good is listed twice.")]})
    products = cart.sellable(ids, order.delivery_day)
    if any(products[one].supplier_id != order.supplier_id for one in products) or set(ids) - set(products):
        raise NotFound()
    for product_id, milli in [*((lines[x].product_id, milli) for x, milli in more.items()), *new]:
        _check_more(products[product_id], milli, order)
    for line_id in more:
        if products[lines[line_id].product_id].price_fen != lines[line_id].price_fen:
            raise PriceMoved(name=lines[line_id].product_name)
    changed = [_set(lines[line_id], milli) for line_id, milli in more.items()]
    changed += [_add(order, products[product_id], milli) for product_id, milli in new]
    db.session().flush()
    stock.hold([stock.Wanted(one.line.id, one.line.product_id, one.line.product_name, one.line.supply,
                             one.after_milli - one.before_milli, products[one.line.product_id].daily_capacity_milli)
                for one in changed], order.delivery_day)
    seasons.count_more(_grams(changed, 1), order.delivery_day)
    return changed


def _check_more(product: Any, milli: int, order: Order) -> None:
    cart.check_quantity(product, milli)
    if product.supply == "daily" and not checkout.in_season(product.harvest_months, order.delivery_day.month):
        raise checkout.NotInSeason(name=product.name)


def _set(line: OrderLine, milli: int) -> Changed:
    """A line at its new quantity; one of nothing keeps its figures until it leaves."""
    amount = money.line_total(line.price_fen, milli)
    if amount > money.MAX_FEN:
        raise InvalidInput({"lines": [N_("This number is outside what is possible here.")]})
    changed = Changed(line, line.ordered_milli, line.amount_fen, milli, amount)
    if milli:
        line.ordered_milli, line.amount_fen = milli, amount
    return changed


def _add(order: Order, product: Any, milli: int) -> Changed:
    amount = money.line_total(product.price_fen, milli)
    if amount > money.MAX_FEN:
        raise InvalidInput({"lines": [N_("This number is outside what is possible here.")]})
    line = OrderLine(
        order_id=order.id, product_id=product.id, product_name=product.name, product_name_en=product.name_en,
        supply=product.supply, unit=product.unit, unit_en=product.unit_en, grams_per_unit=product.grams_per_unit,
        by_weight=product.by_weight, category=product.category, certified=product.certified,
        price_fen=product.price_fen, ordered_milli=milli, amount_fen=amount)
    db.session().add(line)
    db.session().flush()
    return Changed(line, 0, 0, milli, amount)


def _grams(changed: Sequence[Changed], sign: int) -> dict[int, int]:
    """How many grams more (sign 1) or less (-1) are ordered of each product."""
    grams: dict[int, int] = defaultdict(int)
    for one in changed:
        per_unit = one.line.grams_per_unit
        grams[one.line.product_id] += sign * (money.grams_of(one.after_milli, per_unit)
                                              - money.grams_of(one.before_milli, per_unit))
    return grams


def _total(purchase: Purchase, order: Order, changed: Sequence[Changed]) -> None:
    """Totals move by what the lines moved by, whatever else is in them."""
    difference = sum(one.after_fen - one.before_fen for one in changed)
    if order.placed_fen + difference <= 0:
        raise InvalidInput({"lines": [N_("This number is outside what is possible here.")]})
    order.placed_fen += difference
    purchase.total_fen += difference
    db.session().flush()
    approval.rehash(purchase)


def _unit(unit_id: int) -> Any:
    return db.session().execute(
        select(Organisation.id, Organisation.approval_limit_fen).where(Organisation.id == unit_id)).one()


def _lines_of_purchase(purchase_id: int) -> list[dict[str, Any]]:
    return [dict(row) for row in db.session().execute(
        select(Order.supplier_id, OrderLine.category, OrderLine.amount_fen).join(Order, Order.id == OrderLine.order_id)
        .where(Order.purchase_id == purchase_id, Order.state != "cancelled")).mappings()]
