"""What a report is: its declaration, what a reader asks of it, its rows, and the report as read at one moment."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from market import clock
from market.errors import N_, NotFound
from market.figures import ALL, Facets
from market.i18n import gettext as _
from orders.reports.readers import Area, Reader

TIME_ZONE = "Asia/Shanghai"
STAGES: Mapping[str, str] = {
    "placed": N_("as placed"), "accepted": N_("as accepted"), "received": N_("as received"),
    "earned": N_("as earned"), "paid_out": N_("as paid out"), "open": N_("accepted less received"),
}
FACETS = ("unit_type", "method", "fund_source", "category", "certified")
FILTERS = ("unit_type", "unit", "method", "fund_source", "category", "certified")
COMPARISONS: Mapping[str, str] = {"ytd": N_("Year to date"), "yoy": N_("Change on last year")}
GROUPS: Mapping[str, str] = {
    "income": N_("Villages and income"), "purchases": N_("Purchases and units"),
    "goods": N_("Goods and co-operatives"), "checks": N_("Checks"),
}


@dataclass(frozen=True)
class Column:
    """One column. `sums`: its total is the sum of its rows. `formula`: which figures of the roll-up it adds (1, -1).

    `opens`: the documents behind a cell can be listed. `income`: hidden from the public behind few households.
    `of`: the column that this one compares, where the frame has added it.
    """

    key: str
    heading: str
    kind: str
    stage: str = ""
    sums: bool = False
    formula: Mapping[str, int] = field(default_factory=dict)
    opens: bool = False
    income: bool = False
    of: str = ""

    @property
    def is_number(self) -> bool:
        return self.kind not in ("text", "code")

    def value_of(self, figures: Mapping[str, int]) -> int:
        """This column's figure (fen or grams) out of the roll-up's columns."""
        return sum(sign * figures.get(name, 0) for name, sign in self.formula.items())


@dataclass(frozen=True)
class Asked:
    """What a reader asked for: months, both included; place codes; facets; order of rows.

    `row` is the row of a report whose documents are asked for, as Row.place named it. `stage` is one of the report's,
    '' for its first. `columns` are keys, none for all. `most` rows after the key `after` are wanted of documents that
    are read page by page, 0 for all of them.
    """

    first: str
    last: str
    county: str | None = None
    township: str | None = None
    village: str | None = None
    every: bool = False
    sort: str = ""
    descending: bool = False
    facets: Facets = ALL
    unit: str | None = None
    row: str = ""
    stage: str = ""
    compare: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    after: str = ""
    most: int = 0

    def narrowed(self) -> dict[str, Any]:
        """The filters that are set, by their names in FILTERS."""
        values = {**{name: getattr(self.facets, name) for name in FACETS}, "unit": self.unit or None}
        return {name: values[name] for name in FILTERS if values[name] is not None}


@dataclass
class Row:
    """Values by column key; `instead` says in words why one is not there; `place` is what to ask for its documents."""

    values: dict[str, Any]
    instead: dict[str, str] = field(default_factory=dict)
    place: str = ""
    order: str = ""

    def shown(self, key: str) -> Any:
        """The value, else the words in its place, else None."""
        value = self.values.get(key)
        return self.instead.get(key) if value is None else value


@dataclass
class Content:
    """What a report's own reading gives: columns (a heading may depend on the year), rows, totals, notes, months.

    `paged`: the rows are one page in the order of a key, and `following` is the key after which the next begins.
    """

    columns: Sequence[Column]
    rows: list[Row]
    totals: Row
    notes: list[str] = field(default_factory=list)
    months: list[dict[str, Any]] = field(default_factory=list)
    about: str = ""  # whose documents these are, where they are those behind one row
    title: str = ""  # in the words of the year reported, where they change; else the report's own
    paged: bool = False
    following: str = ""


@dataclass(frozen=True)
class Opens:
    """The page of the documents behind a cell: its endpoint, and what stands in its address."""

    endpoint: str
    parts: Callable[[Row, str, Asked], Mapping[str, Any]]


@dataclass(frozen=True)
class Report:
    """A report's declaration. `verb`: who may read it, None for everybody.

    `filters`: some of FILTERS. `stages`: between which of STAGES a reader may switch, the first unless told otherwise.
    `compares`: some of COMPARISONS; rows are then joined by Row.place. `opens`: where its cells lead, unless
    routes.LINES knows. `rows_of`: all rows in the order of a page, one after another, where a page holds only the
    first of them. `group`: one of GROUPS.
    """

    name: str
    title: str
    about: str
    read: Callable[[Asked, Area, Reader], Content]
    verb: str | None = None
    by_village: bool = True  # one row for each village; else for each document
    filters: Collection[str] = ()
    rows_of: Callable[[Asked, Area, Reader], Iterator[Row]] | None = None
    stages: Sequence[str] = ()
    compares: Collection[str] = ()
    opens: Opens | None = None
    group: str = "checks"
    every: str = ""  # what is shown besides when everything is asked for; '' where nothing is


@dataclass(frozen=True)
class Filled:
    """A report as read at one moment: what every output is made from. `choosable`: the columns one may choose from."""

    report: Report
    asked: Asked
    area: str
    content: Content
    made_at: datetime
    head: str
    unsealed: int
    demo: bool
    narrowed: Mapping[str, str] = field(default_factory=dict)  # filters that are set, in words
    choosable: Sequence[Column] = ()

    @property
    def title(self) -> str:
        return self.content.title or str(_(self.report.title))

    @property
    def period(self) -> str:
        return period_words(self.asked.first, self.asked.last)

    @property
    def file_name(self) -> str:
        """Without its ending: village-income-2026-10, with both months of a longer time, and all that narrows it."""
        asked = self.asked
        months = dict.fromkeys((asked.first, asked.last))
        told = [asked.village or asked.township or asked.county or ""]
        told += [_in_a_name(name, value) for name, value in asked.narrowed().items()]
        told += [asked.stage, *asked.compare, "demo" if self.demo else ""]
        return "-".join((self.report.name, "_".join(months), *filter(None, told)))

    @property
    def made(self) -> str:
        return self.made_at.astimezone(clock.SHANGHAI).strftime("%Y-%m-%d %H:%M")

    @property
    def notes(self) -> list[str]:
        """What every output says beside its figures."""
        head = self.head or _("nothing sealed yet")
        stage = STAGES.get(self.asked.stage)
        return [
            _("Period: %(period)s, time zone %(zone)s", period=self.period, zone=TIME_ZONE),
            *([_("Place: %(place)s", place=self.area)] if self.area else []),
            *([_("Narrowed to: %(filters)s", filters=_(", ").join(self.narrowed.values()))] if self.narrowed else []),
            *([_("Stage of the amounts: %(stage)s", stage=_(stage))] if stage else []),
            _("Made at %(time)s (%(zone)s)", time=self.made, zone=TIME_ZONE),
            _("Ledger head: %(head)s", head=head),
            _("Transfers not yet sealed, included here: %(count)s", count=self.unsealed),
            *self.content.notes, *self._about_totals(),
        ]

    def _about_totals(self) -> list[str]:
        """Which totals are no sums."""
        others = [_(column.heading) for column in self.content.columns if column.is_number and not column.sums
                  and self.content.totals.values.get(column.key) is not None]
        return [_("Totals are the sums of the rows, but for these, which are worked out over all of them together: "
                  "%(columns)s.", columns=_(", ").join(others))] if others else []


def _in_a_name(name: str, value: Any) -> str:
    if name == "certified":
        return "certified" if value else "not-certified"
    return f"unit-{value}" if name == "unit" else str(value)


def narrowed_alike(documents: Report, report: Report) -> Report:
    """The report of the documents behind a figure, narrowed by whatever the figure's own report may be."""
    return replace(documents, filters=report.filters, stages=report.stages)


def total_of(columns: Sequence[Column], rows: Sequence[Row]) -> Row:
    """The sum of the values shown, for the columns that add up."""
    sums = {c.key: sum(row.values[c.key] for row in rows if row.values.get(c.key) is not None)
            for c in columns if c.sums}
    return Row(dict(sums))


def column_of(columns: Sequence[Column], key: str) -> Column:
    """A column by its key. Raises NotFound."""
    for column in columns:
        if column.key == key:
            return column
    raise NotFound()


def period_words(first: str, last: str) -> str:
    """'2026-10', or '2026-10 to 2026-12'."""
    return first if first == last else str(_("%(first)s to %(last)s", first=first, last=last))
