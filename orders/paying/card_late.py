"""Money for an order that had ended because none came in time: it is placed again if its goods can be held anew."""

from collections import defaultdict

from sqlalchemy import select

from catalog import stock
from market import clock, db, journal, money, outbox
from market.errors import MarketError
from market.journal import JournalEntry
from orders import seasons, states
from orders.buying import cart, refusals
from orders.models import Order, OrderLine

EXPIRED = "order.expired"  # the journal's word for an order that was not paid in time
BACK = "card.order_back"


def bring_back(order: Order) -> bool:
    """Place an order again that ended unpaid, where its delivery day is ahead and all its goods are there.

    The caller has locked the order and laid its money. False where it stays as it is.
    """
    before, after = states.PAID_LATE
    if order.state != before or order.delivery_day <= clock.today() or not _ended_unpaid(order.id):
        return False
    try:
        with db.session().begin_nested():
            _hold_again(order)
            order.state = after
            db.session().flush()
    except MarketError:  # sold meanwhile, or no longer sold: nothing of the try stands
        return False
    journal.record("order.back", "order", order.id, None)
    outbox.enqueue(BACK, {"order_id": order.id})
    return True


def _ended_unpaid(order_id: int) -> bool:
    """Whether the last thing that ended this order was its term."""
    last = db.session().scalar(
        select(JournalEntry.action)
        .where(JournalEntry.thing_kind == "order", JournalEntry.thing_id == str(order_id),
               JournalEntry.action.in_((EXPIRED, "order.cancelled")))
        .order_by(JournalEntry.id.desc()).limit(1))
    return last == EXPIRED


def _hold_again(order: Order) -> None:
    """Raises what speaks against one of the goods."""
    lines = db.session().scalars(
        select(OrderLine).where(OrderLine.order_id == order.id).order_by(OrderLine.id)).all()
    against = refusals.by_good([(line.product_id, line.ordered_milli) for line in lines], order.delivery_day)
    for refusal in against.values():
        raise refusal
    products = cart.sellable([line.product_id for line in lines], order.delivery_day)
    stock.hold([stock.Wanted(line.id, line.product_id, line.product_name, line.supply, line.ordered_milli,
                             products[line.product_id].daily_capacity_milli) for line in lines], order.delivery_day)
    grams: dict[int, int] = defaultdict(int)
    for line in lines:
        grams[line.product_id] += money.grams_of(line.ordered_milli, line.grams_per_unit)
    seasons.count_more(grams, order.delivery_day)
