"""What a notice and the live table say of each county, read at one moment: one reading for both.

Three grades stand side by side and are never added: proven here (the ledger), uploaded with evidence (orders of 832
that units of the county sent as exports), declared by the county. Months come from the roll-ups, weeks from their own
days. Orders under check, or left out for good, count nowhere. Of income the public gets only what
orders/reports/disclosure.py lets it know: of whole months, from villages with enough households and nothing held; of
a week nothing, since a month less its weeks would leave single days.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Date, case, func, literal, select

from catalog.origins import FEWEST_HOUSEHOLDS
from market import db, figures, money
from market.figures import Where
from market.parties import Organisation
from market.places import Division, VillageDesignation
from orders.anomalies import holds
from orders.bulletins import days
from orders.bulletins.models import CountyDeclared, CountyTarget
from orders.bulletins.spans import Span
from orders.quota.models import OutsideOrder
from orders.reports import disclosure
from orders.reports.village_income import BOUGHT, TOTAL_INCOME, total

UPLOADED = db.table(OutsideOrder)
Rows = Collection[Mapping[str, Any]]  # of figures.village_figures


@dataclass
class County:
    """A county's figures of a time, amounts in fen. `amounts` and `before` by grade: of the time, of the one before.

    `public_fen` is the income that anybody may know, None where nothing may be told. `held_fen` is left out everywhere.
    """

    id: int
    code: str
    name: str
    is_open: bool = True
    amounts: dict[str, int | None] = field(default_factory=lambda: {"proven": 0, "uploaded": 0, "declared": None})
    before: dict[str, int | None] = field(default_factory=lambda: {"proven": 0, "uploaded": 0, "declared": None})
    year_fen: int = 0
    target_fen: int | None = None
    villages: int = 0
    designated: int = 0
    suppliers: int = 0
    products: int = 0
    income_fen: int = 0
    households: int = 0
    public_fen: int | None = None
    public_households: int | None = None
    held_fen: int = 0

    @property
    def completion(self) -> int | None:
        """The year up to the last day, proven here, of the year's target: hundredths of a percent."""
        return money.basis_points(self.year_fen, self.target_fen) if self.target_fen else None

    def change_fen(self, grade: str) -> int | None:
        """Against the time before; not known where either is not."""
        now, before = self.amounts[grade], self.before[grade]
        return None if now is None or before is None else now - before

    def change_points(self, grade: str) -> int | None:
        """The same in hundredths of a percent of the time before, where there was anything."""
        change, before = self.change_fen(grade), self.before[grade]
        return money.basis_points(change, before) if change is not None and before and before > 0 else None


def counties(span: Span, where: Where) -> tuple[list[County], int]:
    """Every county of an area with its figures, by code; and what units without a county have uploaded, in fen.

    Former counties stand there while they have figures. A number of statements that follows the counties, not what was
    traded. Open a snapshot around.
    """
    db.need_one_moment()
    found = _counties(where)
    (_week if span.kind == "week" else _months)(span, where, found)
    elsewhere = _uploaded(span, found)
    _declared(span, found)
    _targets(span.year, found)
    shown = [one for one in found.values() if one.is_open or any(one.amounts.values()) or one.year_fen]
    return sorted(shown, key=lambda one: one.code), elsewhere


def ranks(values: Iterable[int | None]) -> list[int | None]:
    """Places by size, equal ones alike and the next ones after all of them; what is not known has none.

    >>> ranks([5, 9, 5, None, 1])
    [2, 1, 2, None, 4]
    """
    given = list(values)
    known = [value for value in given if value is not None]
    return [None if value is None else 1 + sum(other > value for other in known) for value in given]


# ---- proven here ----------------------------------------------------------------------------------------------------


def _months(span: Span, where: Where, found: Mapping[int, County]) -> None:
    (first, last), before = span.months, span.before().months
    new_year = f"{span.year}-01"
    by_month = holds.held_figures(min(first, before[0], new_year), last, where)
    held = holds.by_village(by_month, first, last)
    whole = figures.village_figures(first, last, where)
    rows = holds.without(whole, held)
    earlier = holds.without(figures.village_figures(*before, where), holds.by_village(by_month, *before))
    year = holds.without(figures.village_figures(new_year, last, where), holds.by_village(by_month, new_year, last))
    lies = _Lying(found, whole, earlier, year)
    _add(lies, rows, earlier, year, span.year)
    for county, one in lies.pairs({village: one.figures for village, one in held.items()}):
        county.held_fen += total(one, BOUGHT)
    for county_id, county in found.items():
        counts = figures.presence_counts(first, last, replace(where, county_id=county_id))
        county.suppliers, county.products, county.households = (
            counts.get(kind, 0) for kind in ("supplier", "product", "household"))
    if last <= disclosure.newest_month():
        counts_of = figures.presence_by_village(first, last, where)
        behind = disclosure.standing(first, last, {row["village_id"]: row for row in whole}, counts_of)
        _public_income(lies, {row["village_id"]: row for row in rows if row["village_id"] not in held}, behind,
                       {village: of_kind.get("household", 0) for village, of_kind in counts_of.items()})


def _public_income(lies: "_Lying", clear: Mapping[int, Mapping[str, Any]], behind: Mapping[int, int],
                   households: Mapping[int, int]) -> None:
    """As the public's village report adds it up: villages with enough households behind them and nothing held."""
    told = {village: {**row, "village_id": village} for village, row in clear.items()
            if behind.get(village, 0) >= FEWEST_HOUSEHOLDS}
    for county, row in lies.pairs(told):
        county.public_fen = (county.public_fen or 0) + total(row, TOTAL_INCOME)
        county.public_households = (county.public_households or 0) + households[row["village_id"]]


def _week(span: Span, where: Where, found: Mapping[int, County]) -> None:
    new_year, month, before = f"{span.year}-01", span.months[1], span.before()
    read = days.read(span.first_day, span.last_day, where)
    earlier = _rows(days.sums(before.first_day, before.last_day, where))
    later = days.later_in_month(span.last_day, where)
    held = holds.by_village(holds.held_figures(new_year, month, where), new_year, month)
    year = holds.without(figures.village_figures(new_year, month, where), held)
    so_far = [row | {name: row[name] - fen for name, fen in later.get(row["village_id"], {}).items()} for row in year]
    rows = _rows(read.sums)
    lies = _Lying(found, rows, earlier, so_far, _rows(read.held))
    _add(lies, rows, earlier, so_far, span.year)
    for county, sums in lies.pairs(read.held):
        county.held_fen += total(sums, BOUGHT)
    for county_id, things in read.things.items():
        if one := found.get(county_id):
            one.suppliers, one.products, one.households = (
                len(things.get(kind, ())) for kind in ("supplier", "product", "household"))


def _rows(sums: days.Sums) -> list[dict[str, Any]]:
    return [{"village_id": village, **of_village} for village, of_village in sums.items()]


class _Lying:
    """Which county each village of some rows lies in; one statement."""

    def __init__(self, found: Mapping[int, County], *some_rows: Rows) -> None:
        villages = {row["village_id"] for rows in some_rows for row in rows}
        self.county_of: dict[int, County] = {
            row.id: found[row.county_id] for some in db.chunks(sorted(villages)) for row in db.session().execute(
                select(Division.id, Division.county_id).where(Division.id.in_(some))) if row.county_id in found}

    def pairs(self, of_village: Mapping[int, Mapping[str, Any]]) -> Iterator[tuple[County, Mapping[str, Any]]]:
        """Each village's row with its county."""
        return ((self.county_of[village], row) for village, row in of_village.items() if village in self.county_of)


def _add(lies: _Lying, rows: Rows, before: Rows, year: Rows, of_year: int) -> None:
    """What villages sold and earned in the time, sold in the time before, and in the year so far."""
    designated = _designated(of_year)
    for county, row in lies.pairs(_by_village(rows)):
        bought = total(row, BOUGHT)
        county.amounts["proven"] = (county.amounts["proven"] or 0) + bought
        county.income_fen += total(row, TOTAL_INCOME)
        county.villages += bought > 0
        county.designated += bought > 0 and row["village_id"] in designated
    for county, row in lies.pairs(_by_village(before)):
        county.before["proven"] = (county.before["proven"] or 0) + total(row, BOUGHT)
    for county, row in lies.pairs(_by_village(year)):
        county.year_fen += total(row, BOUGHT)


def _by_village(rows: Rows) -> dict[int, Mapping[str, Any]]:
    return {row["village_id"]: row for row in rows}


# ---- the other grades, targets, places ------------------------------------------------------------------------------


def _uploaded(span: Span, found: Mapping[int, County]) -> int:
    """Orders of 832, less what went back, by the county of the unit that sent them; what has no county, in fen."""
    before = span.before()
    fen = UPLOADED.c.amount_fen - UPLOADED.c.returned_fen
    is_now = UPLOADED.c.counted_on >= literal(span.first_day, Date)
    rows = db.session().execute(
        select(Division.county_id, db.sum_of(case((is_now, fen), else_=0)).label("now"),
               db.sum_of(case((is_now, 0), else_=fen)).label("before"))
        .select_from(UPLOADED).join(Organisation, Organisation.id == UPLOADED.c.unit_id)
        .outerjoin(Division, Division.id == Organisation.division_id)
        .where(UPLOADED.c.counted_on.between(before.first_day, span.last_day)).group_by(Division.county_id))
    elsewhere = 0
    for row in rows:
        if county := found.get(row.county_id):
            county.amounts["uploaded"], county.before["uploaded"] = row.now, row.before
        elif row.county_id is None:
            elsewhere += row.now
    return elsewhere


def _declared(span: Span, found: Mapping[int, County]) -> None:
    """The newest word of each county about the time and the one before; several months are not declared as one."""
    table, before = db.table(CountyDeclared), span.before()
    newest = (
        select(func.max(table.c.id)).where(table.c.kind == span.kind,
                                           table.c.first_day.in_((span.first_day, before.first_day)))
        .group_by(table.c.county_id, table.c.first_day))
    if span.kind == "month" and span.months[0] != span.months[1]:
        return
    for row in db.session().execute(
            select(table.c.county_id, table.c.first_day, table.c.amount_fen).where(table.c.id.in_(newest))):
        if county := found.get(row.county_id):
            (county.amounts if row.first_day == span.first_day else county.before)["declared"] = row.amount_fen


def _targets(year: int, found: Mapping[int, County]) -> None:
    for county_id, row in targets(year).items():
        if county := found.get(county_id):
            county.target_fen = row.amount_fen


def targets(year: int) -> dict[int, Any]:
    """The newest target of each county for a year, by county."""
    table = db.table(CountyTarget)
    newest = select(func.max(table.c.id)).where(table.c.year == year).group_by(table.c.county_id)
    return {row.county_id: row for row in db.session().execute(select(table).where(table.c.id.in_(newest)))}


def _counties(where: Where) -> dict[int, County]:
    """The counties of an area; that of a township or village, where only that is looked at."""
    query = select(Division.id, Division.code, Division.name, Division.valid_to.is_(None).label("is_open")).where(
        Division.level == "county")
    if where.county_id is not None:
        query = query.where(Division.id == where.county_id)
    if where.township_id is not None:
        query = query.where(Division.id.in_(select(Division.county_id).where(Division.id == where.township_id)))
    if where.village_ids is not None:
        query = query.where(Division.id.in_(select(Division.county_id).where(Division.id.in_(where.village_ids))))
    return {row.id: County(row.id, row.code, row.name, bool(row.is_open)) for row in db.session().execute(query)}


def _designated(year: int) -> set[int]:
    """Villages that the newest word up to a year says are designated."""
    newest: defaultdict[int, bool] = defaultdict(bool)
    for row in db.session().execute(
            select(VillageDesignation.village_id, VillageDesignation.designated)
            .where(VillageDesignation.year <= year).order_by(VillageDesignation.year)):
        newest[row.village_id] = row.designated
    return {village for village, designated in newest.items() if designated}
