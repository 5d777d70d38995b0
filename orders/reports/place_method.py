"""Report 4, 四进 × method: what agencies, schools, hospitals and enterprises bought, by the way it was sold.

Amounts and weights come from the roll-up by facets; villages are counted where something was accepted for them. An
order counts once, where it was last accepted, so that counts add up.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from market import clock, figures, money
from market.errors import N_, NotFound
from market.i18n import gettext as _
from market.words import METHODS, UNIT_TYPES
from orders.reports import bought
from orders.reports.bought import NO_KIND, Wanted
from orders.reports.frame import Asked, Column, Content, Report, Row
from orders.reports.readers import Area, Reader

ALWAYS = ("agency", "school", "hospital", "enterprise")  # the four places; other kinds only where something was bought
ALL_METHODS = "all"
MEASURES: Mapping[str, tuple[str, str, bool]] = {  # heading, kind, whether rows add up
    "orders": (N_("Orders"), "count", True), "grams": (N_("Weight"), "grams", True),
    "fen": (N_("Purchase amount"), "fen", True), "villages": (N_("Villages reached"), "count", False),
    "certified": (N_("Certified"), "percent", False), "change": (N_("Change on the period before"), "percent", False),
}
OPENS = ("orders", "grams", "fen", "villages")
OTHER = N_("Other, or none")


@dataclass
class Cell:
    """What one kind of unit bought by one method, or a row or column of cells together."""

    orders: int = 0
    grams: int = 0
    fen: int = 0
    certified_fen: int = 0
    before_fen: int = 0
    villages: set[int] = field(default_factory=set)

    def add(self, other: "Cell") -> None:
        self.orders += other.orders
        self.grams += other.grams
        self.fen += other.fen
        self.certified_fen += other.certified_fen
        self.before_fen += other.before_fen
        self.villages |= other.villages

    def values(self, method: str) -> dict[str, Any]:
        """Under the keys of a method's columns; shares of nothing are not known."""
        return {
            key_of(method, "orders"): self.orders, key_of(method, "grams"): self.grams,
            key_of(method, "fen"): self.fen, key_of(method, "villages"): len(self.villages),
            key_of(method, "certified"): money.basis_points(self.certified_fen, self.fen) if self.fen > 0 else None,
            key_of(method, "change"): (money.basis_points(self.fen - self.before_fen, self.before_fen)
                                       if self.before_fen > 0 else None),
        }


Cells = Mapping[tuple[str, str], Cell]  # by kind of unit and method


def key_of(method: str, measure: str) -> str:
    """A column's key: 'fair-orders'."""
    return f"{method}-{measure}"


def parts_of(key: str) -> tuple[str, str]:
    """Method and measure of a column that opens. Raises NotFound."""
    method, _dash, measure = key.rpartition("-")
    if measure not in OPENS or method not in (*METHODS, ALL_METHODS):
        raise NotFound()
    return method, measure


def read(asked: Asked, area: Area, reader: Reader) -> Content:
    """One row for each kind of unit. Not for the public."""
    if not reader.sees_all:
        raise NotFound()
    cells = _cells(asked, area)
    methods = [*METHODS, *sorted({method for _kind, method in cells} - set(METHODS))]
    rows = [_row(kind, cells, methods) for kind in kinds(cells)]
    totals = _joined(cells, methods, lambda _kind: True)
    before = _before(asked)
    return Content(columns_of(methods), rows, Row(totals), [
        _("Purchase amount: accepted less sent back. Weight likewise. Villages reached: those with goods accepted in "
          "these months; one that several reach counts once in a total."),
        _("Change: on the months %(first)s to %(last)s, as many as were asked for.", first=before[0], last=before[1]),
        _("Orders: with goods accepted in these months; each counts once, under the kind of unit and the method with "
          "which goods of it were last accepted there."),
    ])


def columns_of(methods: Iterable[str]) -> list[Column]:
    """For each method and for all of them, what MEASURES says; headings in the reader's language."""
    columns = [Column("kind", N_("Kind of unit"), "text")]
    for method in (ALL_METHODS, *methods):
        name = method_words(method)
        columns += [
            Column(key_of(method, measure), _("%(method)s: %(figure)s", method=name, figure=_(heading)), kind,
                   "accepted", sums=sums,
                   opens=measure in OPENS and method in (*METHODS, ALL_METHODS))
            for measure, (heading, kind, sums) in MEASURES.items()]
    return columns


def method_words(method: str) -> str:
    """A method, or all of them, in the reader's language."""
    return str(_(METHODS.get(method, N_("All methods") if method == ALL_METHODS else OTHER)))


def kind_words(kind: str) -> str:
    """A kind of unit in the reader's language."""
    return str(_(UNIT_TYPES.get(kind, OTHER)))


def kinds(cells: Mapping[tuple[str, str], Any]) -> list[str]:
    """The four places, and whatever other kinds of unit there are cells of."""
    found = {kind for kind, _method in cells}
    return [*(kind for kind in UNIT_TYPES if kind in ALWAYS or kind in found), *sorted(found - set(UNIT_TYPES))]


def _row(kind: str, cells: Cells, methods: Sequence[str]) -> Row:
    order = [*UNIT_TYPES].index(kind) if kind in UNIT_TYPES else len(UNIT_TYPES)
    values = _joined(cells, methods, lambda one: one == kind)
    return Row({"kind": kind_words(kind), **values}, place=kind, order=f"{order:02d} {kind}")


def _joined(cells: Cells, methods: Sequence[str], is_wanted: Any) -> dict[str, Any]:
    """Cells of some kinds together, by method and for all methods."""
    by_method: defaultdict[str, Cell] = defaultdict(Cell)
    for (kind, method), cell in cells.items():
        if is_wanted(kind):
            by_method[method].add(cell)
            by_method[ALL_METHODS].add(cell)
    return {key: value for method in (*methods, ALL_METHODS) for key, value in by_method[method].values(method).items()}


# ---- figures --------------------------------------------------------------------------------------------------------


def _before(asked: Asked) -> tuple[str, str]:
    """As many months just before those asked for."""
    count = len(clock.months_between(asked.first, asked.last))
    return clock.months_before(asked.first, count), clock.months_before(asked.first, 1)


def _cells(asked: Asked, area: Area) -> dict[tuple[str, str], Cell]:
    """Cells in which something was bought, now or in the period before."""
    by = ("unit_type", "method")
    cells: defaultdict[tuple[str, str], Cell] = defaultdict(Cell)
    for row in figures.facet_figures(asked.first, asked.last, by, area.where, asked.facets):
        if row["accepted_fen"] or row["returned_fen"]:
            cells[place(row)].add(Cell(
                grams=row["accepted_grams"] - row["returned_grams"], fen=row["accepted_fen"] - row["returned_fen"],
                certified_fen=row["certified_fen"]))
    for row in figures.facet_figures(*_before(asked), by, area.where, asked.facets):
        if row["accepted_fen"] or row["returned_fen"]:
            cells[place(row)].before_fen += row["accepted_fen"] - row["returned_fen"]
    wanted = Wanted(asked.first, asked.last, area.where, asked.facets)
    for (kind, method), count in bought.orders_by_way(wanted).items():
        cells[kind or NO_KIND, method or NO_KIND].orders += count
    for (kind, method), villages in bought.villages_by_way(wanted).items():
        cells[kind or NO_KIND, method or NO_KIND].villages |= villages
    return dict(cells)


def place(row: Mapping[str, Any]) -> tuple[str, str]:
    """Kind of unit and method of a row of the roll-up."""
    return row["unit_type"] or NO_KIND, row["method"] or NO_KIND


def villages_reached(wanted: Wanted, kinds: Collection[str]) -> set[int]:
    """Villages with goods accepted, of some kinds of units (NO_KIND for none)."""
    return {village for (kind, _method), villages in bought.villages_by_way(wanted).items()
            if (kind or NO_KIND) in kinds for village in villages}


REPORT = Report("by-place-and-method", N_("Places and methods"),
                N_("What agencies, schools, hospitals and enterprises bought, by the way it was sold."), read,
                verb="report.read", by_village=False,
                filters=("unit_type", "method", "fund_source", "category", "certified"),
                compares=("ytd", "yoy"), group="purchases")
