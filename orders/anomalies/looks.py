"""All looks together, and what stands out in an area in some months."""

from collections.abc import Callable, Iterator
from datetime import date

from market import clock
from market.figures import Where
from orders.anomalies.buying_looks import one_supplier, splitting, stuffing, tender
from orders.anomalies.found import Found
from orders.anomalies.goods_looks import over_capacity, prices
from orders.anomalies.money_looks import payment_circles, round_trips
from orders.anomalies.people_looks import hasty, hasty_acceptance, two_logins
from orders.anomalies.tie_looks import self_dealing

LOOKS: tuple[Callable[[date, date, Where], Iterator[Found]], ...] = (
    round_trips, self_dealing, payment_circles, over_capacity, splitting, prices, hasty_acceptance, stuffing,
    two_logins, hasty, one_supplier, tender)


def found(first: str, last: str, where: Where) -> list[Found]:
    """All that stands out in an area in the months from first to last, both included, the newest first.

    A fixed number of statements whatever was traded.
    """
    begin = date.fromisoformat(first + "-01")
    end = date.fromisoformat(clock.months_before(last, -1) + "-01")
    rows = {(one.kind, one.key): one for look in LOOKS for one in look(begin, end, where)}
    return sorted(rows.values(), key=lambda one: (-one.day.toordinal(), one.kind, one.key))
