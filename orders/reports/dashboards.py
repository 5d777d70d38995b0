"""Dashboards for officials: a month of an area drawn six ways, each from a roll-up and each with its table.

Every figure is that of a report under the same filters, and leads to it. A constant number of statements.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import aliased

from catalog.models import Category
from market import clock, db, figures, i18n, money
from market.errors import N_
from market.figures import EVERYWHERE, Where
from market.i18n import gettext as _
from market.places import Division
from market.words import METHODS, UNIT_TYPES
from orders.anomalies import holds
from orders.quota import monthly
from orders.reports import place_method, unit_rows
from orders.reports.bought import NO_KIND
from orders.reports.drawn import Cell, Drawing, Heading, Line
from orders.reports.place_method import kind_words, method_words
from orders.reports.readers import Area, Reader
from orders.reports.village_income import BOUGHT, RECEIVED, TOTAL_INCOME, total

MOST = 10  # villages and goods drawn; the others are one line
MONTHS = 12
Sums = dict[str, Any]
FARM_GATE = {"farm_gate_fen": 1}
INCOME = "village-income"
BY_METHOD = "by-place-and-method"
UNITS = "unit-progress"
AMOUNTS = ((N_("Purchase amount"), BOUGHT), (N_("Received"), RECEIVED), (N_("Total income"), TOTAL_INCOME))


@dataclass(frozen=True)
class Board:
    """A month of an area. `whole` are the figures of all of it; amounts in fen."""

    month: str
    area: Area
    whole: Sums
    held_fen: int
    drawings: Sequence[Drawing]

    @property
    def bought_fen(self) -> int:
        return total(self.whole, BOUGHT)

    @property
    def received_fen(self) -> int:
        return total(self.whole, RECEIVED)

    @property
    def income_fen(self) -> int:
        return total(self.whole, TOTAL_INCOME)

    @property
    def share(self) -> int | None:
        return _share(self.whole)


def read(month: str, area: Area, reader: Reader) -> Board:
    """What is drawn of a month. Open a snapshot around."""
    where = area.where
    year = figures.facet_figures(clock.months_before(month, MONTHS - 1), month, ("period",), where)
    by_method = figures.facet_figures(month, month, ("unit_type", "method"), where)
    villages = figures.village_figures(month, month, where)
    goods = figures.facet_figures(month, month, ("category",), where)
    held = holds.held_figures(month, month, where).values()
    whole = next((row for row in year if row["period"] == month), {})
    drawings = [places_and_methods(by_method), _places(month, where), _top_villages(villages), _top_goods(goods),
                _progress(month, area, reader), shares(month, year)]
    return Board(month, area, whole, sum(one.bought() for one in held), [one for one in drawings if one])


# ---- 四进 by method -------------------------------------------------------------------------------------------------


def places_and_methods(rows: Sequence[Sums]) -> Drawing:
    """What each kind of unit bought by each method, as report 4 has it."""
    cells: defaultdict[tuple[str, str], int] = defaultdict(int)
    for row in rows:
        if row["accepted_fen"] or row["returned_fen"]:
            cells[place_method.place(row)] += total(row, BOUGHT)
    methods = [*METHODS, *sorted({method for _kind, method in cells} - set(METHODS))]
    lines = [Line(kind_words(kind), [*(_of(cells[kind, method], kind, method) for method in methods),
                                     _of(sum(cells[kind, method] for method in methods), kind)])
             for kind in place_method.kinds(dict(cells))]
    headings = [*(Heading(method_words(method), drawn=True) for method in methods), Heading(_("All methods"))]
    sums = [sum(line.cells[at].value or 0 for line in lines) for at in range(len(headings))]
    totals = [*(_of(fen, method=method) for fen, method in zip(sums, methods, strict=False)), _of(sums[-1])]
    return Drawing("methods", _("What the four places bought, by sales method"), "stacked", _("Kind of unit"),
                   headings, lines, Line(_("Total"), totals))


def _of(fen: int, kind: str = "", method: str = "") -> Cell:
    """A cell that report 4 tells when narrowed to a kind of unit and a method, where there are such."""
    narrowed = {"unit_type": kind, "method": method}
    return Cell(fen, BY_METHOD, {name: value for name, value in narrowed.items() if value and value != NO_KIND})


# ---- places ---------------------------------------------------------------------------------------------------------


def _places(month: str, where: Where) -> Drawing | None:
    """Counties on the map; of one county its townships; nothing for a smaller area."""
    if where == EVERYWHERE:
        level, title, first, kind = "county", _("Counties"), _("County"), "map"
    elif where.county_id is not None and where.township_id is None and where.village_ids is None:
        level, title, first, kind = "township", _("Townships"), _("Township"), "bars"
    else:
        return None
    rows = {row[f"{level}_id"]: row for row in figures.facet_figures(month, month, (f"{level}_id",), where)}
    query = select(Division.id, Division.code, Division.name, Division.map_county, Division.valid_to).where(
        Division.level == level, (Division.valid_to.is_(None)) | (Division.id.in_(set(rows) - {None})))
    if level == "township":
        query = query.where(Division.county_id == where.county_id)
    places = [row for row in db.session().execute(query.order_by(Division.code, Division.id))
              if level == "county" or row.id in rows]
    lines = [Line(place.name, _amounts(rows.get(place.id, {}), {level: place.code} if place.valid_to is None else None),
                  shape=place.map_county or "" if level == "county" else "") for place in places]
    if None in rows:
        lines.append(Line(_("Without a place"), _amounts(rows[None], None), rest=True))
    return Drawing("places", title, kind, first, _amount_headings(), lines, _totals(rows.values()))


def _amount_headings() -> list[Heading]:
    return [Heading(_(words), drawn=at == 0) for at, (words, _formula) in enumerate(AMOUNTS)]


def _amounts(row: Sums, filters: Mapping[str, str] | None) -> list[Cell]:
    """Purchases, money received and income; no report tells them where there are no filters for it."""
    return [Cell(total(row, formula), INCOME if filters is not None else "", filters or {})
            for _words, formula in AMOUNTS]


def _totals(rows: Collection[Sums]) -> Line:
    return Line(_("Total"), [Cell(sum(total(row, formula) for row in rows), INCOME) for _words, formula in AMOUNTS])


# ---- the most of it -------------------------------------------------------------------------------------------------


def _top_villages(rows: Sequence[Sums]) -> Drawing:
    """The villages that sold most, and all others as one line."""
    most, others = _most([row for row in rows if any(total(row, formula) for _words, formula in AMOUNTS)])
    places = _village_names([row["village_id"] for row in most])
    lines = []
    for row in most:
        place = places[row["village_id"]]
        code = place.code if place.valid_to is None else str(place.id)
        lines.append(Line(place.name, _amounts(row, {"village": code}), " ".join(
            filter(None, (place.township, place.county)))))
    if others:
        lines.append(Line(_("All others (%(count)s)", count=len(others)),
                          [Cell(sum(total(row, formula) for row in others)) for _words, formula in AMOUNTS], rest=True))
    return Drawing("villages", _("Villages that sold most"), "bars", _("Village"), _amount_headings(), lines,
                   _totals(rows))


def _village_names(ids: Sequence[int]) -> dict[int, Any]:
    county, township = aliased(Division), aliased(Division)
    return {row.id: row for row in db.session().execute(
        select(Division.id, Division.code, Division.name, Division.valid_to, county.name.label("county"),
               township.name.label("township"))
        .outerjoin(county, county.id == Division.county_id).outerjoin(township, township.id == Division.township_id)
        .where(Division.id.in_(ids)))}


def _top_goods(rows: Sequence[Sums]) -> Drawing:
    """The kinds of goods that sold most, and all others as one line."""
    most, others = _most([row for row in rows if row["accepted_fen"] or row["returned_fen"]])
    names = {row.code: row.name_en if i18n.locale() == "en" else row.name_zh for row in db.session().execute(
        select(Category.code, Category.name_zh, Category.name_en))}
    lines = [Line(names.get(row["category"], _(place_method.OTHER)),
                  _goods_cells(row, {"category": row["category"]} if row["category"] in names else None))
             for row in most]
    if others:
        lines.append(Line(_("All others (%(count)s)", count=len(others)), [
            Cell(sum(cell.value or 0 for cell in cells))
            for cells in zip(*(_goods_cells(row, None) for row in others), strict=True)], rest=True))
    sums = figures.total_of(rows)
    return Drawing("goods", _("Goods that sold most"), "bars", _("Kind of goods"),
                   [Heading(_("Purchase amount"), drawn=True), Heading(_("Weight"), "grams")], lines,
                   Line(_("Total"), _goods_cells(sums, {})))


def _goods_cells(row: Sums, filters: Mapping[str, str] | None) -> list[Cell]:
    told = BY_METHOD if filters is not None else ""
    return [Cell(total(row, BOUGHT), told, filters or {}),
            Cell(row["accepted_grams"] - row["returned_grams"], told, filters or {})]


def _most(rows: Sequence[Sums]) -> tuple[Sequence[Sums], Sequence[Sums]]:
    """The rows with most bought, and the others; a single other one stands for itself."""
    ordered = sorted(rows, key=lambda row: -total(row, BOUGHT))
    cut = MOST if len(ordered) > MOST + 1 else len(ordered)
    return ordered[:cut], ordered[cut:]


# ---- quota ----------------------------------------------------------------------------------------------------------


def _progress(month: str, area: Area, reader: Reader) -> Drawing:
    """What kinds of units bought of their reserved share since January, beside the time gone."""
    year = int(month[:4])
    units = unit_rows.units(area, reader)
    found = monthly.progress([unit.id for unit in units], year, month)
    by_kind: defaultdict[str, list[Any]] = defaultdict(list)
    for unit in units:
        by_kind[unit.unit_type or NO_KIND].append(found[unit.id])
    lines = [Line(kind_words(kind), _quota_cells(by_kind[kind])) for kind in (*UNIT_TYPES, NO_KIND) if by_kind[kind]]
    every = list(found.values())
    gone = every[0].time_points if every else None
    return Drawing(
        "quota", _("Reserved share and time elapsed"), "progress", _("Kind of unit"),
        [Heading(_("Units with a quota"), "count"), Heading(_("Quota")), Heading(_("Counts for the local rule")),
         Heading(_("Completion"), "percent", drawn=True), Heading(_("Still missing"))],
        lines, Line(_("Total"), _quota_cells(every)),
        [_("From 1 January %(year)s to the end of the month shown.", year=year)], gone,
        _("Time elapsed") if gone is not None else "")


def _quota_cells(rows: Sequence[Any]) -> list[Cell]:
    quota = sum(row.local.quota_fen or 0 for row in rows)
    bought = sum(row.local.amount_fen for row in rows)
    return [Cell(sum(row.local.quota_fen is not None for row in rows), UNITS), Cell(quota, UNITS), Cell(bought, UNITS),
            Cell(money.basis_points(bought, quota) if quota else None, UNITS),
            Cell(sum(row.local.gap_fen or 0 for row in rows), UNITS)]


# ---- what farmers had of the price ----------------------------------------------------------------------------------


def shares(month: str, rows: Sequence[Sums]) -> Drawing:
    """Twelve months of farm-gate income beside purchases."""
    by_month = {row["period"]: row for row in rows}
    lines = [Line(period, _share_cells(by_month.get(period, {}), {"from": period, "to": period}))
             for period in clock.months_between(clock.months_before(month, MONTHS - 1), month)]
    first = lines[0].name
    return Drawing(
        "share", _("Farmers' share of the price"), "months", _("Month"),
        [Heading(_("Purchase amount")), Heading(_("Farm-gate payments")),
         Heading(_("Farmers' share"), "percent", drawn=True)],
        lines, Line(_("Total"), _share_cells(figures.total_of(rows), {"from": first, "to": month})),
        [_("Farm-gate payments of a month divided by the purchase amount of the same month; goods sent back later and "
           "lots paid at weigh-in may shift it between months.")])


def _share_cells(row: Sums, filters: Mapping[str, str]) -> list[Cell]:
    return [Cell(total(row, BOUGHT), INCOME, filters), Cell(total(row, FARM_GATE), INCOME, filters), Cell(_share(row))]


def _share(row: Sums) -> int | None:
    bought = total(row, BOUGHT)
    return money.basis_points(total(row, FARM_GATE), bought) if bought > 0 else None

