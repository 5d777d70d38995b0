"""Paper purchases: what was ordered in one month and taken back after its end, and what was ordered month by month.

Each order counts as placed on its day, each change of it and its end on their own, so that the figures of a month that
is over never change: what comes later is a dated line of a later month. Whether an approval still waited does not
matter here: an order that is declined is taken back on that day.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import func, or_, select

from market import clock, db
from market.errors import N_, NotFound
from market.i18n import gettext as _
from market.journal import JournalEntry
from market.parties import Organisation
from orders.approving.models import OrderAmendment
from orders.models import Acceptance, GoodsReturn, Order, Purchase
from orders.reports.frame import Asked, Column, Content, Report, Row, total_of
from orders.reports.readers import Area, Reader

ENDS: Mapping[str, str] = {
    "order.cancelled": N_("Cancelled"), "order.expired": N_("Not paid in time"), "declined": N_("Not approved"),
    "rejected": N_("Rejected at acceptance"), "returned": N_("All goods sent back"),
}
BACK = "order.back"  # the journal's word for one that was placed again after it had ended unpaid
LINES = (
    Column("placed_in", N_("Month placed"), "code"), Column("taken_back", N_("Day taken back"), "code"),
    Column("unit", N_("Unit"), "text"), Column("supplier", N_("Co-operative"), "text"),
    Column("order", N_("Order"), "code"), Column("how", N_("How"), "text"),
    Column("amount", N_("Amount"), "fen", sums=True), Column("days", N_("Days between"), "count"),
)
MONTHS = (
    Column("month", N_("Month"), "code"), Column("placed", N_("Placed"), "fen", sums=True),
    Column("changed", N_("More or less by changes"), "fen", sums=True),
    Column("same", N_("Taken back, placed in the same month"), "fen", sums=True),
    Column("earlier", N_("Taken back, placed in earlier months"), "fen", sums=True),
    Column("net", N_("Placed less taken back"), "fen", sums=True),
)


@dataclass(frozen=True)
class Ended:
    """An order taken back (fen below zero), or placed again after that (above), on a day."""

    order: Any
    day: date
    how: str
    fen: int


def read_lines(asked: Asked, area: Area, reader: Reader) -> Content:
    """One minus line for each order taken back in these months, after the month in which it was placed was over."""
    _need_official(reader)
    rows = [
        Row({"placed_in": clock.period_of(one.order.business_date), "taken_back": one.day.isoformat(),
             "unit": one.order.unit, "supplier": one.order.supplier_name, "order": one.order.number,
             "how": _(ENDS.get(one.how, N_("Placed again"))), "amount": one.fen,
             "days": (one.day - one.order.business_date).days},
            order=f"{one.day.isoformat()} {one.order.id:012d}")
        for one in ended(asked, area) if clock.period_of(one.order.business_date) < clock.period_of(one.day)]
    return Content(LINES, rows, total_of(LINES, rows), [
        _("Amounts as ordered. A month that is over keeps its figures; these are lines of the month they are dated "
          "in.")])


def read_months(asked: Asked, area: Area, reader: Reader) -> Content:
    """One row for each month: placed, less what was taken back in it."""
    _need_official(reader)
    sums: defaultdict[str, dict[str, int]] = defaultdict(
        lambda: dict.fromkeys(("placed", "changed", "same", "earlier"), 0))
    for day, fen in _placed(asked, area):
        sums[clock.period_of(day)]["placed"] += fen
    for day, fen in _changed(asked, area):
        sums[clock.period_of(day)]["changed"] += fen
    for one in ended(asked, area):
        month = clock.period_of(one.day)
        sums[month]["same" if clock.period_of(one.order.business_date) == month else "earlier"] += one.fen
    rows = [Row({"month": month, **sums[month], "net": sum(sums[month].values())}, order=month)
            for month in clock.months_between(asked.first, asked.last) if month in sums]
    return Content(MONTHS, rows, total_of(MONTHS, rows), [
        _("Amounts as ordered, each on its own day: a month that is over never changes.")])


def _need_official(reader: Reader) -> None:
    if not reader.sees_all:
        raise NotFound()


# ---- what happened when ---------------------------------------------------------------------------------------------


def _placed(asked: Asked, area: Area) -> Iterator[tuple[date, int]]:
    """What was first ordered, by day; a part that follows as an order of its own is no new order."""
    first = select(OrderAmendment.order_id, func.min(OrderAmendment.id).label("id")).group_by(
        OrderAmendment.order_id).subquery()
    before = select(OrderAmendment.order_id, OrderAmendment.before_fen).join(
        first, first.c.id == OrderAmendment.id).subquery()
    followers = select(OrderAmendment.new_order_id).where(OrderAmendment.new_order_id.is_not(None))
    for row in db.session().execute(
            select(Order.business_date, db.sum_of(func.coalesce(before.c.before_fen, Order.placed_fen)).label("fen"))
            .outerjoin(before, before.c.order_id == Order.id)
            .where(Order.business_date.between(*_days(asked)), Order.id.not_in(followers), _lies_in(area))
            .group_by(Order.business_date)):
        yield row.business_date, row.fen


def _changed(asked: Asked, area: Area) -> Iterator[tuple[date, int]]:
    """What changes of orders made more or less; what moved to an order that follows comes in with that order."""
    rows = db.session().execute(
        select(OrderAmendment.amended_at, OrderAmendment.before_fen, OrderAmendment.after_fen,
               OrderAmendment.new_order_id)
        .join(Order, Order.id == OrderAmendment.order_id)
        .where(OrderAmendment.amended_at.between(*_moments(asked)), _lies_in(area))).all()
    began = _first_sums({row.new_order_id for row in rows if row.new_order_id is not None})
    for row in rows:
        yield clock.business_date(row.amended_at), row.after_fen - row.before_fen + began.get(row.new_order_id, 0)


def _first_sums(order_ids: set[int]) -> dict[int | None, int]:
    """What orders were worth when they began."""
    sums: dict[int | None, int] = {row.id: row.placed_fen for row in db.session().execute(
        select(Order.id, Order.placed_fen).where(Order.id.in_(order_ids)))}
    for row in db.session().execute(select(OrderAmendment.order_id, OrderAmendment.before_fen).where(
            OrderAmendment.order_id.in_(order_ids)).order_by(OrderAmendment.id.desc())):
        sums[row.order_id] = row.before_fen  # the first comes last and stays
    return sums


def ended(asked: Asked, area: Area) -> list[Ended]:
    """Every order taken back, or placed again, in these months, with what it was worth then."""
    ends = [(order, at, how) for order, at, how in (*_by_journal(asked), *_declined(asked), *_rejected(asked),
                                                    *_returned(asked))]
    orders = {row.id: row for row in db.session().execute(
        select(Order.id, Order.number, Order.supplier_name, Order.business_date, Order.placed_fen,
               Organisation.name.label("unit")).join(Organisation, Organisation.id == Order.unit_id)
        .where(Order.id.in_({order for order, _at, _how in ends}), _lies_in(area)))}
    changes: defaultdict[int, list[Any]] = defaultdict(list)
    for row in db.session().execute(select(
            OrderAmendment.order_id, OrderAmendment.amended_at, OrderAmendment.before_fen).where(
            OrderAmendment.order_id.in_(orders)).order_by(OrderAmendment.id)):
        changes[row.order_id].append(row)
    return [Ended(orders[order], clock.business_date(at) if isinstance(at, datetime) else at, how,
                  _worth(orders[order], changes[order], at) * (1 if how == BACK else -1))
            for order, at, how in ends if order in orders]


def _worth(order: Any, changes: Sequence[Any], at: date | datetime) -> int:
    """What an order was worth at a moment: before the first change that came later, else as it is now."""
    later = [row for row in changes if isinstance(at, datetime) and row.amended_at > at]
    return int(later[0].before_fen if later else order.placed_fen)


def _by_journal(asked: Asked) -> Iterator[tuple[int, datetime, str]]:
    for row in db.session().execute(
            select(JournalEntry.thing_id, JournalEntry.at, JournalEntry.action)
            .where(JournalEntry.thing_kind == "order", JournalEntry.at.between(*_moments(asked)),
                   JournalEntry.action.in_(("order.cancelled", "order.expired", BACK))).order_by(JournalEntry.id)):
        yield int(row.thing_id), row.at, row.action


def _declined(asked: Asked) -> Iterator[tuple[int, datetime, str]]:
    """What waited when a purchase was declined; an order cancelled by itself before that has its own line."""
    own = select(JournalEntry.thing_id).where(
        JournalEntry.thing_kind == "order", JournalEntry.action.in_(("order.cancelled", "order.expired")))
    known = {int(number) for number in db.session().scalars(own)}
    for row in db.session().execute(
            select(Order.id, Purchase.approved_at).join(Purchase, Purchase.id == Order.purchase_id)
            .where(Purchase.approval == "declined", Purchase.approved_at.between(*_moments(asked)),
                   Order.state == "cancelled")):
        if row.id not in known:
            yield row.id, row.approved_at, "declined"


def _rejected(asked: Asked) -> Iterator[tuple[int, date, str]]:
    for row in db.session().execute(
            select(Order.id, func.max(Acceptance.business_date).label("day"))
            .join(Acceptance, Acceptance.order_id == Order.id).where(Order.state == "rejected").group_by(Order.id)
            .having(func.max(Acceptance.business_date).between(*_days(asked)))):
        yield row.id, row.day, "rejected"


def _returned(asked: Asked) -> Iterator[tuple[int, date, str]]:
    for row in db.session().execute(
            select(Order.id, func.max(GoodsReturn.business_date).label("day"))
            .join(GoodsReturn, GoodsReturn.order_id == Order.id)
            .where(Order.returned_fen == Order.accepted_fen, Order.accepted_fen > 0).group_by(Order.id)
            .having(func.max(GoodsReturn.business_date).between(*_days(asked)))):
        yield row.id, row.day, "returned"


def _lies_in(area: Area) -> Any:
    """Orders of units of the area, or of co-operatives at home there."""
    here = select(Organisation.id).where(area.where.holds(Organisation.division_id))
    return or_(Order.unit_id.in_(here), Order.supplier_id.in_(here))


def _days(asked: Asked) -> tuple[date, date]:
    return clock.first_day(asked.first), clock.last_day(asked.last)


def _moments(asked: Asked) -> tuple[datetime, datetime]:
    first, last = _days(asked)
    return clock.shanghai(first), clock.shanghai(clock.days_after(last, 1)) - timedelta(microseconds=1)


LINES_REPORT = Report("placed-and-taken-back", N_("Placed and taken back"),
                      N_("Orders that were placed in one month and taken back after its end, each as a dated line."),
                      read_lines, verb="report.read", by_village=False, group="purchases")
MONTHS_REPORT = Report("placed-by-month", N_("Placed by month"),
                       N_("What was ordered in each month, less what was taken back in it; past months never change."),
                       read_months, verb="report.read", by_village=False, group="purchases")
