"""What a unit has bought against its reserved share: each document of an order counts once, for one unit.

Purchases are dated by acceptance and return. From the day of a succession they count for the successor; those of a
unit with a shared canteen for its representative. A fixed number of statements, whatever the number of units.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import and_, case, func, literal, or_, select, union_all

from market import clock, db, money
from market.parties import Organisation
from orders.models import Acceptance, AcceptanceLine, GoodsReturn, Order, Purchase, ReturnLine
from orders.quota import rules
from orders.quota.models import FILED, OutsideFiling, OutsideOrder, QuotaFiling, QuotaSuccession

SOURCES = ("canteen", "contractor", "union", "staff")
DAYS_TO_TELL = 30  # before that a forecast says nothing
DAYS_TO_PAY = 30  # 保障中小企业款项支付条例, State Council order 802 (2025), domain.md 4.5
FILING = db.table(QuotaFiling)


class Roll:
    """Where each unit's purchases count in a year: three small tables, read once."""

    def __init__(self, year: int) -> None:
        session = db.session()
        self.successions: dict[int, tuple[date, int]] = {
            row.unit_id: (row.from_day, row.successor_id) for row in session.execute(
            select(QuotaSuccession.unit_id, QuotaSuccession.from_day, QuotaSuccession.successor_id)
            .where(QuotaSuccession.state == "confirmed"))}
        self.shared: dict[int, int] = {row.unit_id: row.representative_id for row in session.execute(
            select(QuotaFiling.unit_id, QuotaFiling.representative_id)
            .where(QuotaFiling.year == year, QuotaFiling.canteen == "shared", QuotaFiling.state.in_(FILED),
                   QuotaFiling.representative_id.is_not(None)))}

    def unit(self, unit_id: int, day: date) -> int:
        """The unit for which a document of this day counts."""
        unit_id = self._successor(unit_id, day)
        return self._successor(self.shared[unit_id], day) if unit_id in self.shared else unit_id

    def _successor(self, unit_id: int, day: date) -> int:
        seen = {unit_id}
        while unit_id in self.successions and self.successions[unit_id][0] <= day:
            unit_id = self.successions[unit_id][1]
            if unit_id in seen:
                break
            seen.add(unit_id)
        return unit_id

    def sources(self, units: Collection[int]) -> set[int]:
        """These units and all whose purchases may count for them."""
        found = set(units)
        links = [*self.shared.items(), *((one, to) for one, (_day, to) in self.successions.items())]
        while more := {one for one, to in links if to in found} - found:
            found |= more
        return found


@dataclass
class Sums:
    """A unit's figures of a year in fen; `outside` are orders of 832 by fund source."""

    of: dict[str, int] = field(default_factory=lambda: dict.fromkeys(SOURCES, 0))
    outside: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("canteen", "union", "staff"), 0))
    orders: set[int] = field(default_factory=set)
    outside_orders: set[str] = field(default_factory=set)
    open_fen: int = 0
    unpaid_fen: int = 0
    unpaid_since: date | None = None

    @property
    def total_fen(self) -> int:
        return sum(self.of.values())


@dataclass(frozen=True)
class Bar:
    """One duty: counted amount, quota (None: not known), its rule (None: none is entered)."""

    duty: str
    amount_fen: int
    quota_fen: int | None
    rule: Any

    @property
    def points(self) -> int | None:
        return money.basis_points(self.amount_fen, self.quota_fen) if self.quota_fen else None

    @property
    def gap_fen(self) -> int | None:
        return None if self.quota_fen is None else max(0, self.quota_fen - self.amount_fen)


@dataclass(frozen=True)
class Progress:
    """A unit's year as seen on a day."""

    unit: Any
    year: int
    day: date
    filing: Any
    sums: Sums
    local: Bar
    outside: Bar

    @property
    def days_gone(self) -> int:
        return max(0, (self.day - date(self.year, 1, 1)).days + 1)

    @property
    def days_of_year(self) -> int:
        return (date(self.year + 1, 1, 1) - date(self.year, 1, 1)).days

    @property
    def time_points(self) -> int:
        return money.basis_points(self.days_gone, self.days_of_year)

    @property
    def forecast_fen(self) -> int | None:
        """Amount so far ÷ days gone × days of the year; None while it is too early to say."""
        if self.days_gone < DAYS_TO_TELL:
            return None
        return money.average(self.local.amount_fen * self.days_of_year, self.days_gone)

    @property
    def overdue_days(self) -> int:
        if self.sums.unpaid_since is None:
            return 0
        return max(0, (self.day - self.sums.unpaid_since).days - DAYS_TO_PAY)

    @property
    def lag_points(self) -> int | None:
        return None if self.local.points is None else self.time_points - self.local.points


def last_day(year: int) -> date:
    """Today within the year, else its last day; before it begins, the day before."""
    return max(min(clock.today(), date(year, 12, 31)), clock.days_after(date(year, 1, 1), -1))


def documents() -> Any:
    """Every accepted and returned amount: order, day, fen. Returns are a minus in their own time."""
    return union_all(
        select(Acceptance.order_id.label("order_id"), Acceptance.business_date.label("day"),
               AcceptanceLine.amount_fen.label("fen"), literal(0).label("back"))
        .join(AcceptanceLine, AcceptanceLine.acceptance_id == Acceptance.id),
        select(GoodsReturn.order_id, GoodsReturn.business_date, -ReturnLine.amount_fen, literal(1))
        .join(ReturnLine, ReturnLine.return_id == GoodsReturn.id)).subquery()


def source_column() -> Any:
    """Which of SOURCES an order belongs to."""
    return case((and_(Order.fund_source == "canteen", Purchase.by_contractor), "contractor"),
                else_=Order.fund_source)


def sums(units: Collection[int], year: int, until: date, roll: Roll) -> dict[int, Sums]:
    """Figures of these units from the year's first day until a day, by unit; other units' are not shown."""
    found: defaultdict[int, Sums] = defaultdict(Sums)
    sources = roll.sources(units)
    for row in amounts(sources, year, until):
        one = found[roll.unit(row.unit_id, row.day)]
        one.of[row.source] += row.fen
        one.orders.add(row.order_id)
    for row in outside(sources, year, until):
        one = found[roll.unit(row.unit_id, row.day)]
        if row.number not in one.outside_orders:  # two units of one canteen may both have sent it
            one.outside_orders.add(row.number)
            one.outside[row.source] += row.fen
    for row in open_orders(sources, year):
        one = found[roll.unit(row.unit_id, until)]
        one.open_fen += row.open_fen
        if row.unpaid_fen > 0:
            one.unpaid_fen += row.unpaid_fen
            one.unpaid_since = min(filter(None, (one.unpaid_since, row.accepted_on)), default=None)
    return {unit: found[unit] for unit in units}


def amounts(sources: Collection[int], year: int, until: date) -> Any:
    """What each order came to on each day, in fen: once as taken, once (a minus) as returned."""
    document = documents()
    return db.session().execute(
        select(Order.unit_id, Order.id.label("order_id"), Order.number, Order.supplier_name, document.c.day,
               source_column().label("source"), db.sum_of(document.c.fen).label("fen"))
        .join(Order, Order.id == document.c.order_id).join(Purchase, Purchase.id == Order.purchase_id)
        .where(Order.unit_id.in_(sources), document.c.day.between(date(year, 1, 1), until))
        .group_by(Order.unit_id, Order.id, Order.number, Order.supplier_name, document.c.day, document.c.back,
                  Order.fund_source, Purchase.by_contractor)
        .order_by(document.c.day, Order.id))


def outside(sources: Collection[int], year: int, until: date) -> Any:
    """Orders of 832 less what went back, in fen."""
    table = db.table(OutsideOrder)
    return db.session().execute(
        select(table.c.unit_id, table.c.number, table.c.supplier, table.c.counted_on.label("day"),
               table.c.fund_source.label("source"), (table.c.amount_fen - table.c.returned_fen).label("fen"))
        .where(table.c.unit_id.in_(sources), table.c.counted_on.between(date(year, 1, 1), until))
        .order_by(table.c.number, table.c.id))


def open_orders(sources: Collection[int], year: int) -> Any:
    """Orders of the year not yet accepted, and accepted ones not yet paid: fen of either, day of acceptance."""
    accepted = (select(Acceptance.order_id, func.min(Acceptance.business_date).label("day"))
                .group_by(Acceptance.order_id).subquery())
    unpaid = (Order.accepted_fen - Order.returned_fen + Order.freight_fen - Order.received_fen  # as orders/states.py
              + Order.refunded_fen)
    is_open = Order.state.in_(("waiting", "placed", "shipped"))
    first, last = date(year, 1, 1), date(year, 12, 31)
    return db.session().execute(
        select(Order.id, Order.number, Order.unit_id, Order.supplier_name, Order.business_date, Order.fund_source,
               accepted.c.day.label("accepted_on"), case((is_open, Order.placed_fen), else_=0).label("open_fen"),
               case((Order.state == "accepted", unpaid), else_=0).label("unpaid_fen"))
        .outerjoin(accepted, accepted.c.order_id == Order.id)
        .where(Order.unit_id.in_(sources),
               or_(and_(is_open, Order.business_date.between(first, last)),
                   and_(Order.state == "accepted", unpaid > 0, accepted.c.day.between(first, last))))
        .order_by(Order.id)).all()


# ---- progress -------------------------------------------------------------------------------------------------------


def progress(units: Collection[int], year: int, until: date | None = None) -> dict[int, Progress]:
    """The two bars of these units and what stands behind them."""
    day = min(until or last_day(year), last_day(year))
    return told(units, year, day, sums(units, year, day, Roll(year)))


def told(units: Collection[int], year: int, day: date, found: Mapping[int, Sums]) -> dict[int, Progress]:
    """The progress of units of which one knows what they bought, as seen on a day."""
    session, book = db.session(), rules.Book(year)
    filings = {row.unit_id: row for row in session.execute(
        select(FILING).where(FILING.c.unit_id.in_(units), FILING.c.year == year))}
    at_832 = {row.unit_id: row.quota_fen for row in session.execute(
        select(OutsideFiling.unit_id, OutsideFiling.quota_fen)
        .where(OutsideFiling.unit_id.in_(units), OutsideFiling.year == year))}
    facts = session.execute(
        select(Organisation.id, Organisation.name, Organisation.short_name, Organisation.unit_type,
               Organisation.division_id, Organisation.parent_id).where(Organisation.id.in_(units))).all()
    return {unit.id: Progress(unit, year, day, filings.get(unit.id), found[unit.id],
                              *_bars(unit, filings.get(unit.id), at_832.get(unit.id), found[unit.id], book))
            for unit in facts}


def _bars(unit: Any, filing: Any, at_832: int | None, of: Sums, book: rules.Book) -> Iterator[Bar]:
    filed = filing if filing is not None and filing.state in FILED else None
    for duty in ("local", "832"):
        rule = book.of(unit.division_id, unit.unit_type, "canteen", duty)
        union_rule = book.of(unit.division_id, unit.unit_type, "union", duty)
        feeds = what_feeds(duty, rule, union_rule)
        amount = sum(fen for channel, by_fund in (("local", of.of), ("832", of.outside))
                     for fund, fen in by_fund.items() if (channel, fund) in feeds)
        yield Bar(duty, amount, _quota(duty, filed, rule, union_rule, at_832), rule)


def what_feeds(duty: str, rule: Any, union_rule: Any) -> set[tuple[str, str]]:
    """Which channels ('local', '832') and funds count towards a duty; without a rule all funds of its own channel."""
    counts = rule.counts if rule else duty
    channels = ("local", "832") if counts == "both" else (counts,)
    funds = {"canteen", "contractor"}
    if rule is None or rule.with_union or union_rule is not None:
        funds.add("union")
    if rule is None or rule.with_staff:
        funds.add("staff")
    return {(channel, fund) for channel in channels for fund in funds}


def _quota(duty: str, filed: Any, rule: Any, union_rule: Any, at_832: int | None) -> int | None:
    """The filed quota where it answers to this duty; for 832 what was filed there, else the least that its rule asks.
    """
    if duty == "832" and at_832 is not None:
        return at_832
    if filed is None:
        return None
    if duty == "local":
        answers = rule is not None or union_rule is not None or filed.canteen not in ("own", "outsourced")
        return filed.canteen_quota_fen + filed.union_quota_fen if answers else None
    if rule is None:
        return None
    if filed.canteen_rule_id == rule.id:
        return int(filed.canteen_quota_fen + filed.union_quota_fen)
    return money.part_of(filed.canteen_base_fen, rule.min_points)


def progress_line(unit_id: int) -> tuple[Bar, Bar]:
    """The two bars of a unit's running year, for the first screen: local rule, 832."""
    found = progress([unit_id], clock.today().year)[unit_id]
    return found.local, found.outside
