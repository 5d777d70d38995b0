"""Looks at how units buy: split purchases, one co-operative only, above a tender limit, crowded month ends."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from math import comb
from typing import Any

from sqlalchemy import select

from market import clock, db, money
from market.errors import N_
from market.figures import Where
from market.parties import Organisation
from orders.anomalies.found import Found, orders_of, told
from orders.approving import tenders
from orders.approving.models import ApprovalRule
from orders.approving.rules import ROLLING_DAYS
from orders.models import Acceptance, Order, OrderLine

FEWEST_ORDERS = 5
MANY_ORDERS = 8  # of a month: from then on two thirds are much, of fewer four fifths
LAST_DAYS = 3
TIMES_NORMAL = 3
MONTHS_KNOWN = 3  # a unit's own share counts from so many other months on
RARE = 0.0005  # how seldom chance may bring so many orders into the last days


def splitting(begin: date, end: date, where: Where) -> Iterator[Found]:
    """Windows of seven days that end with a purchase of the months asked for; the first one of each month."""
    limits = _limits()
    lines: dict[tuple[int, int, str], list[Any]] = defaultdict(list)
    for row in db.session().execute(
            orders_of(where, OrderLine.category, OrderLine.amount_fen, Order.purchase_id)
            .join(OrderLine, OrderLine.order_id == Order.id)
            .where(Order.business_date > begin - timedelta(days=ROLLING_DAYS), Order.business_date < end)
            .order_by(Order.business_date, Order.id)):
        if row.unit_id in limits:
            lines[row.unit_id, row.supplier_id, row.category].append(row)
    for (unit, supplier, category), rows in lines.items():
        purchases: dict[int, tuple[date, int]] = {}
        for row in rows:
            day, fen = purchases.get(row.purchase_id, (row.business_date, 0))
            purchases[row.purchase_id] = (day, fen + row.amount_fen)
        for limit in limits[unit]:
            for window in _windows_over(purchases, limit, begin):
                last = purchases[window[-1]][0]
                inside = {row.id: row for row in rows if row.purchase_id in window}
                yield Found(
                    "splitting", f"{unit}/{supplier}/{category}/{limit}/{clock.period_of(last)}",
                    f"{rows[0].unit_name} · {rows[0].supplier_name}",
                    N_("%(count)s purchases, together ¥%(yuan)s, limit ¥%(limit)s"),
                    {"count": len(window), "yuan": money.yuan(sum(purchases[one][1] for one in window)),
                     "limit": money.yuan(limit)},
                    last, unit, supplier, tuple(inside), told(inside.values()))


def _windows_over(purchases: dict[int, tuple[date, int]], limit: int, begin: date) -> Iterator[list[int]]:
    """In each month the first window whose purchases lie each at or under the limit and together above it."""
    under = [(day, fen, number) for number, (day, fen) in purchases.items() if fen <= limit]
    done: set[str] = set()
    start = total = 0
    for at, (last, fen, _number) in enumerate(under):
        total += fen
        while under[start][0] <= last - timedelta(days=ROLLING_DAYS):
            total -= under[start][1]
            start += 1
        month = clock.period_of(last)
        if last >= begin and at > start and total > limit and month not in done:
            done.add(month)
            yield [number for _day, _fen, number in under[start:at + 1]]


def _limits() -> dict[int, list[int]]:
    """The amounts (fen) from which a yes is needed, by unit, as they are now."""
    limits: dict[int, set[int]] = defaultdict(set)
    for row in db.session().execute(select(ApprovalRule.unit_id, ApprovalRule.from_fen)):
        limits[row.unit_id].add(row.from_fen)
    plain = select(Organisation.id, Organisation.approval_limit_fen).where(Organisation.approval_limit_fen.is_not(None))
    for unit, limit in db.session().execute(plain):
        if unit not in limits:
            limits[unit].add(limit or 0)
    return {unit: sorted(amount for amount in some if amount) for unit, some in limits.items()}


def one_supplier(begin: date, end: date, where: Where) -> Iterator[Found]:
    """Shares of a unit's month, in what was accepted."""
    units: dict[tuple[int, str], list[Any]] = defaultdict(list)
    for row in db.session().execute(orders_of(where, (Order.accepted_fen - Order.returned_fen).label("fen"))
                                    .where(Order.business_date >= begin, Order.business_date < end,
                                           Order.state == "accepted").order_by(Order.id)):
        units[row.unit_id, clock.period_of(row.business_date)].append(row)
    for (unit, month), rows in units.items():
        total = sum(row.fen for row in rows)
        sums: dict[int, int] = defaultdict(int)
        for row in rows:
            sums[row.supplier_id] += row.fen
        supplier, most = max(sums.items(), key=lambda pair: pair[1])
        is_much = most * 3 > total * 2 if len(rows) >= MANY_ORDERS else most * 5 > total * 4
        if len(rows) >= FEWEST_ORDERS and is_much:
            theirs = [row for row in rows if row.supplier_id == supplier]
            share = most * 1000 // total
            yield Found("one_supplier", f"{unit}/{month}", f"{rows[0].unit_name} · {theirs[0].supplier_name}",
                        N_("%(share)s percent of ¥%(yuan)s"),
                        {"share": f"{share // 10}.{share % 10}", "yuan": money.yuan(total)},
                        max(row.business_date for row in rows), unit, supplier,
                        tuple(row.id for row in theirs), told(theirs, fen="fen"))


def tender(begin: date, end: date, where: Where) -> Iterator[Found]:
    """Units whose year lies above a limit, looked at on the last day of the months asked for."""
    day = min(end - timedelta(days=1), clock.today())
    if day < begin:
        return
    for above in tenders.above(day, where):
        yield Found("tender", f"{above.unit_id}/{day.year}/{above.category}",
                    f"{above.unit_name} · {above.name}",
                    N_("¥%(yuan)s, limit ¥%(limit)s (%(document)s)"),
                    {"yuan": money.yuan(above.total_fen), "limit": money.yuan(above.limit_fen),
                     "document": above.document}, day, above.unit_id)


def stuffing(begin: date, end: date, where: Where) -> Iterator[Found]:
    """Months of units, by what was accepted when; what is usual is the unit's own share in the year before."""
    months: dict[tuple[int, str], list[Any]] = defaultdict(list)
    for row in db.session().execute(
            orders_of(where, Order.accepted_fen.label("fen"), Acceptance.business_date.label("accepted_on"))
            .join(Acceptance, Acceptance.order_id == Order.id)
            .where(Acceptance.business_date >= begin - timedelta(days=366), Acceptance.business_date < end)
            .order_by(Acceptance.business_date, Order.id)):
        months[row.unit_id, clock.period_of(row.accepted_on)].append(row)
    by_unit: dict[int, dict[str, tuple[int, int]]] = defaultdict(dict)  # by month: orders in the last days, all orders
    for (unit, month), rows in months.items():
        by_unit[unit][month] = (len(_late(rows, month)), len(rows))
    for (unit, month), rows in months.items():
        if month < clock.period_of(begin) or len(rows) < FEWEST_ORDERS:
            continue
        late = _late(rows, month)
        usual = _usual(by_unit[unit], month)
        all_fen, late_fen = sum(row.fen for row in rows), sum(row.fen for row in late)
        if late_fen > TIMES_NORMAL * usual * all_fen and _chance_of(len(late), len(rows), usual) < RARE:
            yield Found("stuffing", f"{unit}/{month}", f"{rows[0].unit_name} · {month}",
                        N_("%(late)s of %(all)s orders and ¥%(yuan)s of ¥%(total)s on the last 3 days; usual are "
                           "%(usual)s percent"),
                        {"late": len(late), "all": len(rows), "yuan": money.yuan(late_fen),
                         "total": money.yuan(all_fen), "usual": f"{usual * 100:.0f}"},
                        late[-1].accepted_on, unit, None, tuple(row.id for row in late), told(late, fen="fen"))


def _late(rows: Sequence[Any], month: str) -> list[Any]:
    first_of_them = clock.last_day(month) - timedelta(days=LAST_DAYS - 1)
    return [row for row in rows if row.accepted_on >= first_of_them]


def _usual(months: dict[str, tuple[int, int]], month: str) -> float:
    """The share of orders in the last days of a unit's other months up to this one; at least that of the calendar."""
    others = [counts for other, counts in months.items() if other < month]
    calendar = LAST_DAYS / clock.last_day(month).day
    if len(others) < MONTHS_KNOWN:
        return calendar
    return max(calendar, sum(late for late, _all in others) / sum(count for _late, count in others))


def _chance_of(late: int, count: int, usual: float) -> float:
    """How likely it is that at least so many of the orders fall into the last days by themselves.

    >>> round(_chance_of(2, 8, 0.1), 3), _chance_of(8, 18, 0.1) < 0.0005
    (0.187, True)
    """
    return sum(comb(count, k) * usual ** k * (1 - usual) ** (count - k) for k in range(late, count + 1))
