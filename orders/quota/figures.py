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
        seen = {unit_id}
        while unit_id in self.successions and self.successions[unit_id][0] <= day:
            unit_id = self.successions[unit_id][1]
            if unit_id in seen:
                break
            seen.add(unit_id)
        return self.shared.get(unit_id, unit_id)

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
    for row in _amounts(sources, year, until):
        one = found[roll.unit(row.unit_id, row.day)]
        one.of[row.source] += row.fen
        one.orders.add(row.order_id)
    for row in _outside(sources, year, until):
        one = found[roll.unit(row.unit_id, row.counted_on)]
        if row.number not in one.outside_orders:  # two units of one canteen may both have sent it
            one.outside_orders.add(row.number)
            one.outside[row.fund_source] += row.fen
    for row in open_orders(sources, year):
        one = found[roll.unit(row.unit_id, until)]
        one.open_fen += row.open_fen
        if row.unpaid_fen > 0:
            one.unpaid_fen += row.unpaid_fen
            one.unpaid_since = min(filter(None, (one.unpaid_since, row.accepted_on)), default=None)
    return {unit: found[unit] for unit in units}


def _amounts(sources: Collection[int], year: int, until: date) -> Any:
    document = documents()
    return db.session().execute(
        select(Order.unit_id, Order.id.label("order_id"), document.c.day, source_column().label("source"),
               db.sum_of(document.c.fen).label("fen"))
        .join(Order, Order.id == document.c.order_id).join(Purchase, Purchase.id == Order.purchase_id)
        .where(Order.unit_id.in_(sources), document.c.day.between(date(year, 1, 1), until))
        .group_by(Order.unit_id, Order.id, document.c.day, Order.fund_source, Purchase.by_contractor))


def _outside(sources: Collection[int], year: int, until: date) -> Any:
    table = db.table(OutsideOrder)
    return db.session().execute(
        select(table.c.unit_id, table.c.number, table.c.counted_on, table.c.fund_source,
               (table.c.amount_fen - table.c.returned_fen).label("fen"))
        .where(table.c.unit_id.in_(sources), table.c.counted_on.between(date(year, 1, 1), until))
        .order_by(table.c.number, table.c.id))


def open_orders(sources: Collection[int], year: int) -> Any:
    """Orders of the year not yet accepted, and accepted ones not yet paid: fen of either, day of acceptance."""
    accepted = (select(Acceptance.order_id, func.min(Acceptance.business_date).label("day"))
                .group_by(Acceptance.order_id).subquery())
    unpaid = Order.accepted_fen - Order.returned_fen - Order.received_fen + Order.refunded_fen
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
    session, book, roll = db.session(), rules.Book(year), Roll(year)
    found = sums(units, year, day, roll)
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
        counts = rule.counts if rule else "local" if duty == "local" else "832"
        with_union = rule is None or rule.with_union or union_rule is not None
        with_staff = rule is None or rule.with_staff
        amount = 0
        if counts in ("local", "both"):
            amount += _counted({**of.of, "canteen": of.of["canteen"] + of.of["contractor"]}, with_union, with_staff)
        if counts in ("832", "both"):
            amount += _counted(of.outside, with_union, with_staff)
        yield Bar(duty, amount, _quota(duty, filed, rule, union_rule, at_832), rule)


def _counted(by_fund: Mapping[str, int], with_union: bool, with_staff: bool) -> int:
    return by_fund["canteen"] + (by_fund["union"] if with_union else 0) + (by_fund["staff"] if with_staff else 0)


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


def lines(unit_id: int, year: int, until: date, figure: str) -> list[dict[str, Any]]:
    """The single orders behind a figure of a unit; their sum is the figure. `figure` is one of FIGURES."""
    roll = Roll(year)
    sources = roll.sources([unit_id])
    names = {row.id: row.short_name for row in db.session().execute(
        select(Organisation.id, Organisation.short_name).where(Organisation.id.in_(sources)))}
    if figure in ("open", "unpaid"):
        found = [_open_line(row, figure, names) for row in open_orders(sources, year)
                 if roll.unit(row.unit_id, until) == unit_id]
        return [line for line in found if line["fen"] > 0]
    rows = [] if figure in _OUTSIDE else _local_lines(sources, year, until, figure, names)
    if figure in (*_OUTSIDE, "local", "832"):
        rows += _outside_lines(sources, year, until, figure, names)
    rows = _once([row for row in rows if roll.unit(row["unit_id"], row["day"]) == unit_id])
    if figure not in ("local", "832"):
        return rows
    bar = getattr(progress([unit_id], year, until)[unit_id], "local" if figure == "local" else "outside")
    unit = rules.unit(unit_id)
    union_rule = rules.Book(year).of(unit.division_id, unit.unit_type, "union", bar.duty)
    return [row for row in rows if _feeds(row, bar, union_rule)]


_OUTSIDE = ("outside", "outside_canteen", "outside_union", "outside_staff")
FIGURES = (*SOURCES, "total", *_OUTSIDE, "local", "832", "open", "unpaid")


def _feeds(row: Mapping[str, Any], bar: Bar, union_rule: Any) -> bool:
    rule = bar.rule
    counts = rule.counts if rule else "local" if bar.duty == "local" else "832"
    if counts not in ("both", row["channel"]):
        return False
    with_union = rule is None or rule.with_union or union_rule is not None
    return bool(row["fund"] in ("canteen", "contractor") or (row["fund"] == "union" and with_union)
                or (row["fund"] == "staff" and (rule is None or rule.with_staff)))


def _local_lines(sources: Collection[int], year: int, until: date, figure: str,
                 names: Mapping[int, str]) -> list[dict[str, Any]]:
    document = documents()
    query = (
        select(Order.unit_id, Order.id, Order.number, Order.supplier_name, document.c.day,
               source_column().label("source"), document.c.back,
               db.sum_of(document.c.fen).label("fen"))
        .join(Order, Order.id == document.c.order_id).join(Purchase, Purchase.id == Order.purchase_id)
        .where(Order.unit_id.in_(sources), document.c.day.between(date(year, 1, 1), until))
        .group_by(Order.unit_id, Order.id, Order.number, Order.supplier_name, document.c.day, Order.fund_source,
                  Purchase.by_contractor, document.c.back).order_by(document.c.day, Order.id))
    return [{"day": row.day, "number": row.number, "order_id": row.id, "unit_id": row.unit_id,
             "unit": names[row.unit_id], "supplier": row.supplier_name, "fund": row.source, "channel": "local",
             "fen": row.fen}
            for row in db.session().execute(query) if figure not in SOURCES or row.source == figure]


def _outside_lines(sources: Collection[int], year: int, until: date, figure: str,
                   names: Mapping[int, str]) -> list[dict[str, Any]]:
    table = db.table(OutsideOrder)
    query = (select(table).where(table.c.unit_id.in_(sources), table.c.counted_on.between(date(year, 1, 1), until))
             .order_by(table.c.number, table.c.id))
    fund = figure.removeprefix("outside_")
    return [{"day": row.counted_on, "number": row.number, "order_id": None, "unit_id": row.unit_id,
             "unit": names[row.unit_id], "supplier": row.supplier, "fund": row.fund_source, "channel": "832",
             "fen": row.amount_fen - row.returned_fen}
            for row in db.session().execute(query) if fund in ("outside", "local", "832", row.fund_source)]


def _once(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """An order of 832 that two units of one canteen sent counts once."""
    seen: set[str] = set()
    kept = []
    for row in rows:
        if row["channel"] == "832":
            if row["number"] in seen:
                continue
            seen.add(row["number"])
        kept.append(row)
    return sorted(kept, key=lambda row: (row["day"], row["number"]))


def _open_line(row: Any, figure: str, names: Mapping[int, str]) -> dict[str, Any]:
    return {"day": row.accepted_on or row.business_date, "number": row.number, "order_id": row.id,
            "unit_id": row.unit_id, "unit": names[row.unit_id], "supplier": row.supplier_name,
            "fund": row.fund_source, "channel": "local",
            "fen": row.open_fen if figure == "open" else row.unpaid_fen}
