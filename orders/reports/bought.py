"""What was bought, from the ledger: single lines in the order of a key, their sums, and how many orders they are of.

A line is what an order line brought one village in one month: what was accepted, or what came back. It is dated and
counted as the village report counts it, so that lines add up to its purchase amount. Lists read no more rows than
they show, or stream; sums and counts are made by SQL.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from heapq import merge
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, case, cast, collate, false, func, select, true, union_all

from market import clock, db, figures, thing_counts
from market.figures import ALL, EVERYWHERE, Facets, Where
from market.parties import Organisation
from market.sealing import TRANSFERS, UNSEALED, closed_months, open_month, signed
from market.village_months import VillageMonth, figures_of

MONTHS = db.table(VillageMonth)
EVENTS = ("accepted", "returned")
NO_KIND = "none"  # stands for goods of no kind of unit
MOST = 5_000  # rows that a page holds; all of them are exported
AT_ONCE = 1_000  # rows fetched together while streaming
WAY = ("unit_type", "method")
ROW = ("id", "event", "backward", "business_date", "period", "amount_fen", "grams", "income_kind", "village_id",
       "order_ref", "line_ref", "lot_id", "unit_id", "unit_type", "fund_source", "method", "category", "certified",
       "supplier_id")


@dataclass(frozen=True)
class Wanted:
    """Months, both included, villages, facets; a buying unit; a co-operative; goods of no kind of unit; orders."""

    first: str
    last: str
    where: Where = EVERYWHERE
    facets: Facets = ALL
    unit_id: int | None = None
    supplier_id: int | None = None
    no_kind: bool = False
    orders: Collection[str] | None = None

    def sealed(self) -> ColumnElement[bool]:
        """The condition on transfers in blocks, as all else wanted.

        Where no place and no account leads to them, those villages do that have figures in these months.
        """
        if self.orders is not None:  # found by their number
            return self._holds() & (TRANSFERS.c.period + "").between(self.first, self.last)
        condition = self._holds() & TRANSFERS.c.period.between(self.first, self.last)
        if self.where == EVERYWHERE and self.unit_id is None and self.supplier_id is None:
            condition &= TRANSFERS.c.village_id.in_(
                select(MONTHS.c.village_id).where(MONTHS.c.period.between(self.first, self.last)))
        return condition

    def unsealed(self) -> ColumnElement[bool]:
        """The condition on those in none yet: they count where the sealer will put them."""
        return self._holds() & UNSEALED & _dated_in(self.first, self.last)

    def _holds(self) -> ColumnElement[bool]:
        """Accepted or sent back, of these villages. A unit's or co-operative's rows are found by its ledger account,
        which has an index; the one that begins with the event leads to nearly all rows and must not be taken.
        """
        condition = TRANSFERS.c.village_id.is_not(None) & (TRANSFERS.c.event + "").in_(EVENTS)
        condition &= self.where.holds(TRANSFERS.c.village_id) & self.facets.holds(TRANSFERS)
        if self.orders is not None:
            condition &= TRANSFERS.c.order_ref.in_(self.orders)
        for name, wanted in (("unit", self.unit_id), ("supplier", self.supplier_id)):
            if wanted is not None:
                account = f"{name}:{wanted}"
                condition &= (TRANSFERS.c.debit == account) | (TRANSFERS.c.credit == account)
                condition &= TRANSFERS.c[f"{name}_id"] == wanted
        return condition & TRANSFERS.c.unit_type.is_(None) if self.no_kind else condition


@dataclass
class Line:
    """What an order line brought a village on a day: fen and grams, below zero where goods came back."""

    number: int  # the first of its transfers: names the line for good
    month: str
    day: date
    row: Mapping[str, Any]
    amount_fen: int
    grams: int
    lots: set[int]


def _dated_in(first: str, last: str) -> ColumnElement[bool]:
    """The condition on the business date of a transfer that would be sealed into one of these months."""
    closed = closed_months()
    months = sorted(month for month in {*clock.months_between(first, last), *closed}
                    if first <= open_month(month, closed) <= last)
    dated: ColumnElement[bool] = false()
    for begin, end in _runs(months):
        dated |= TRANSFERS.c.business_date.between(clock.first_day(begin), clock.last_day(end))
    return dated


def _runs(months: Iterable[str]) -> Iterator[tuple[str, str]]:
    """The first and the last of months that follow each other without a gap."""
    run: list[str] = []
    for month in months:
        if run and clock.months_before(month, 1) != run[-1]:
            yield run[0], run[-1]
            run = []
        run.append(month)
    if run:
        yield run[0], run[-1]


# ---- lines ----------------------------------------------------------------------------------------------------------


def lines(wanted: Wanted) -> Iterator[Line]:
    """Every line by village, month and order, in constant memory. Keep the snapshot open until the last one."""
    db.need_one_moment()
    return _grouped(merge(_sealed(wanted), _unsealed(wanted), key=_key))


def first_lines(wanted: Wanted, most: int = MOST) -> tuple[list[Line], bool]:
    """The first lines in the same order, at most so many, and whether there are more."""
    db.need_one_moment()
    sealed = list(_sealed(wanted, most + 1))
    cut = len(sealed) > most
    found = list(_grouped(merge(sealed, _unsealed(wanted), key=_key)))
    # the last order line read may have further transfers that were not
    whole = [line for line in found if _key(line.row) < _key(sealed[-1])] if cut else found
    return whole[:most], cut or len(whole) > most


def _sealed(wanted: Wanted, most: int | None = None) -> Iterator[Mapping[str, Any]]:
    """Sealed rows as the index on village and month gives them, sorted within each month by order and line."""
    query = (select(*_row_columns()).where(wanted.sealed())
             .order_by(TRANSFERS.c.village_id, TRANSFERS.c.period, _plain("order_ref"), _plain("line_ref"),
                       TRANSFERS.c.id).limit(most))
    found = db.session().execute(query, execution_options={"yield_per": AT_ONCE})
    with found:
        yield from ({**row, "counted_in": row["period"]} for row in found.mappings())


def _unsealed(wanted: Wanted) -> list[Mapping[str, Any]]:
    """The few rows that no block holds yet, in the same order."""
    closed = closed_months()
    found = [{**row, "counted_in": open_month(clock.period_of(row["business_date"]), closed)}
             for row in db.session().execute(select(*_row_columns()).where(wanted.unsealed())).mappings()]
    return sorted(found, key=lambda row: (*_key(row), row["id"]))


def _row_columns() -> list[Any]:
    return [TRANSFERS.c[name] for name in ROW]


def _plain(name: str) -> Any:
    """A column of codes in the order of its characters, whatever language the database sorts by."""
    return _in_characters(func.coalesce(TRANSFERS.c[name], ""))


def _in_characters(column: Any) -> Any:
    return collate(cast(column, Text), "C") if db.dialect() == "postgresql" else column


def _key(row: Mapping[str, Any]) -> tuple[int, str, str, str]:
    return row["village_id"], row["counted_in"], row["order_ref"] or "", row["line_ref"] or ""


def _grouped(rows: Iterable[Mapping[str, Any]]) -> Iterator[Line]:
    """Transfers of one order line, village, event, unit and day together: an order line may come out of many lots."""
    for _at, some in groupby(rows, key=_key):
        found: dict[tuple[Any, ...], Line] = {}
        for row in some:
            fed = figures_of(row)
            line = found.setdefault(
                (row["event"], row["backward"], row["unit_id"], row["business_date"]),
                Line(row["id"], row["counted_in"], row["business_date"], row, 0, 0, set()))
            line.amount_fen += fed.get("accepted_fen", 0) - fed.get("returned_fen", 0)
            line.grams += fed.get("accepted_grams", 0) - fed.get("returned_grams", 0)
            line.lots |= {row["lot_id"]} - {None}
        yield from sorted(found.values(), key=lambda line: line.number)


# ---- sums -----------------------------------------------------------------------------------------------------------


def sums(wanted: Wanted) -> tuple[int, int]:
    """Fen and grams of all lines: from the roll-up where it holds them, else from the rows themselves."""
    if wanted.unit_id is None and wanted.supplier_id is None and not wanted.no_kind:
        found: Collection[Mapping[str, Any]] = figures.facet_figures(
            wanted.first, wanted.last, ("method",), wanted.where, wanted.facets)
    else:
        found = by_columns(wanted, ())
    return (sum(row["accepted_fen"] - row["returned_fen"] for row in found),
            sum(row["accepted_grams"] - row["returned_grams"] for row in found))


def by_columns(wanted: Wanted, names: Collection[str]) -> list[dict[str, Any]]:
    """Accepted and returned fen and grams by columns of the ledger, added up by the database."""
    db.need_one_moment()
    rows = rows_within(wanted, (*names, "event"))
    keys = [rows.c[name] for name in (*names, "event")]
    query = select(*keys, *(db.sum_of(rows.c[name]).label(name) for name in ("amount_fen", "grams"))).group_by(*keys)
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in db.session().execute(query).mappings():
        key = tuple(row[name] for name in names)
        one = found.setdefault(key, dict(zip(names, key, strict=True)) | {
            f"{event}_{unit}": 0 for event in EVENTS for unit in ("fen", "grams")})
        one[f"{row['event']}_fen"] += row["amount_fen"]
        one[f"{row['event']}_grams"] += row["grams"]
    return list(found.values())


# ---- orders ---------------------------------------------------------------------------------------------------------


def orders_by_way(wanted: Wanted) -> dict[tuple[str, str], int]:
    """How many orders with goods accepted there are, by kind of unit and method, '' where an order has none.

    Of a whole area they are counted as they were sealed; narrowed otherwise they are looked through.
    """
    db.need_one_moment()
    if figures.whole_area(wanted.where) is None or not _by_way_alone(wanted):
        orders = _orders(wanted, WAY).subquery()
        query = select(*(orders.c[name] for name in WAY), func.count()).group_by(*(orders.c[name] for name in WAY))
        return {(row[0] or "", row[1] or ""): row[2] for row in db.session().execute(query)}
    counts = thing_counts.orders_by_way(wanted.first, wanted.last, wanted.where)
    return {way: count for way, count in counts.items() if _goes(way, wanted)}


def villages_by_way(wanted: Wanted) -> dict[tuple[str, str], set[int]]:
    """Villages with goods accepted, by kind of unit and method, '' where an order has none."""
    if _by_way_alone(wanted):
        villages = thing_counts.villages_by_way(wanted.first, wanted.last, wanted.where)
        return {way: reached for way, reached in villages.items() if _goes(way, wanted)}
    found: dict[tuple[str, str], set[int]] = {}
    for row in figures.facet_figures(wanted.first, wanted.last, ("village_id", *WAY), wanted.where, wanted.facets):
        if row["accepted_fen"] > 0 and _goes((row["unit_type"], row["method"]), wanted):
            found.setdefault((row["unit_type"], row["method"]), set()).add(row["village_id"])
    return found


def _by_way_alone(wanted: Wanted) -> bool:
    """Whether no more is asked of goods than the kind of unit and the method."""
    return not wanted.facets.names() - {*WAY} and wanted.unit_id is None and wanted.supplier_id is None


def _goes(way: tuple[str, str], wanted: Wanted) -> bool:
    return (wanted.facets.unit_type in (None, way[0]) and wanted.facets.method in (None, way[1])
            and not (wanted.no_kind and way[0]))


def orders_of(supplier_id: int, first: str, last: str) -> int:
    """How many orders with goods accepted a co-operative has."""
    supplier = select(Organisation.id).where(Organisation.id == supplier_id)
    return thing_counts.orders_by_supplier(first, last, supplier).get(supplier_id, 0)


def orders_behind(wanted: Wanted, most: int = MOST, accepted: bool = True) -> tuple[list[Any], bool]:
    """The first orders by number with their unit, co-operative, days and fen, and whether there are more.

    `accepted`: only those with goods accepted in these months; else also those from which goods only came back.
    """
    db.need_one_moment()
    if not (accepted and _by_way_alone(wanted)):
        found = _listed(wanted, most + 1, accepted)
        return found[:most], len(found) > most
    some = thing_counts.first_orders(wanted.first, wanted.last, wanted.where, orders_by_way(wanted), most + 1)
    found = [row for part in db.chunks(some) for row in _listed(replace(wanted, orders=part))]
    return found[:most], len(found) > most or len(some) > most


def _listed(wanted: Wanted, most: int | None = None, accepted: bool = True) -> list[Any]:
    orders = _orders(wanted, ("unit_id", "supplier_id"), accepted).subquery()
    return list(db.session().execute(
        select(orders).order_by(_in_characters(orders.c.order_ref), orders.c.unit_id).limit(most)))


def _orders(wanted: Wanted, names: Collection[str], accepted: bool = True) -> Select[Any]:
    """Each order once for each value of the columns; one booked over to another unit counts there alone."""
    rows = rows_within(wanted, (*names, "order_ref", "event", "business_date"))
    keys = [rows.c[name] for name in (*names, "order_ref")]
    taken, back = (db.sum_of(case((rows.c.event == event, rows.c.amount_fen), else_=0)) for event in EVENTS)
    return (
        select(*keys, func.min(rows.c.business_date).label("first_day"),
               func.max(rows.c.business_date).label("last_day"), taken.label("accepted_fen"),
               back.label("returned_fen"))
        .where(rows.c.order_ref.is_not(None)).group_by(*keys).having(taken > 0 if accepted else true())
    )


def rows_within(wanted: Wanted, names: Collection[str]) -> Any:
    """Sealed and unsealed rows below each other, each found by its own index; amounts signed."""
    columns = [*(TRANSFERS.c[name] for name in names),
               *(signed(TRANSFERS.c[name]).label(name) for name in ("amount_fen", "grams"))]
    return union_all(*(select(*columns).where(some) for some in (wanted.sealed(), wanted.unsealed()))).subquery()
