"""One frame for every report: what its columns are, and the rows that page, print, CSV, XLSX and JSON all show alike.

A report is read at one moment. Whatever it is shown as, it says its period and time zone, the stage of each figure,
when it was made, the ledger's head, how many transfers are not yet sealed, and whether the world is invented.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from market import clock, db, heads, sheets
from market.errors import N_, InvalidInput, NotFound
from market.figures import ALL, Facets
from market.i18n import gettext as _
from market.sealing import TRANSFERS
from orders.reports import disclosure
from orders.reports.readers import Area, Reader, area_of

TIME_ZONE = "Asia/Shanghai"
STAGES: Mapping[str, str] = {
    "accepted": N_("as accepted"), "received": N_("as received"), "earned": N_("as earned"),
    "paid_out": N_("as paid out"), "open": N_("accepted less received"),
}
DEMO_MARK = N_("Demo data: people, prices, incomes and village designations are invented")
MOST_MONTHS = 120
FILTERS = ("unit_type", "unit", "method", "fund_source", "category", "certified")


@dataclass(frozen=True)
class Column:
    """One column. `sums`: its total is the sum of its rows. `formula`: which figures of the roll-up it adds (1, -1).

    `opens`: the documents behind a cell can be listed. `income`: hidden from the public behind few households.
    """

    key: str
    heading: str
    kind: str
    stage: str = ""
    sums: bool = False
    formula: Mapping[str, int] = field(default_factory=dict)
    opens: bool = False
    income: bool = False

    def value_of(self, figures: Mapping[str, int]) -> int:
        """This column's figure (fen or grams) out of the roll-up's columns."""
        return sum(sign * figures.get(name, 0) for name, sign in self.formula.items())


@dataclass(frozen=True)
class Asked:
    """What a reader asked for: months, both included; place codes; facets; order of rows.

    `row` is the row of a report whose documents are asked for, as Row.place named it.
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
    """What a report's own reading gives: columns (a heading may depend on the year), rows, totals, notes, months."""

    columns: Sequence[Column]
    rows: list[Row]
    totals: Row
    notes: list[str] = field(default_factory=list)
    months: list[dict[str, Any]] = field(default_factory=list)
    about: str = ""  # whose documents these are, where they are those behind one row


@dataclass(frozen=True)
class Report:
    """A report's declaration. `verb`: who may read it, None for everybody. `filters`: some of FILTERS.

    `rows_of`: all rows one by one, of a report whose `read` gives only some of them; files are made from it.
    """

    name: str
    title: str
    about: str
    read: Callable[[Asked, Area, Reader], Content]
    verb: str | None = None
    by_village: bool = True  # one row for each village; else for each document
    filters: Collection[str] = ()
    rows_of: Callable[[Asked, Area, Reader], Iterator[Row]] | None = None


@dataclass(frozen=True)
class Filled:
    """A report as read at one moment: what every output is made from."""

    report: Report
    asked: Asked
    area: str
    content: Content
    made_at: datetime
    head: str
    unsealed: int
    demo: bool

    @property
    def title(self) -> str:
        return str(_(self.report.title))

    @property
    def period(self) -> str:
        return period_words(self.asked.first, self.asked.last)

    @property
    def file_name(self) -> str:
        """Without its ending: village-income-2026-10, or with both months of a longer time."""
        months = dict.fromkeys((self.asked.first, self.asked.last))
        return "-".join((self.report.name, "_".join(months), *(("demo",) if self.demo else ())))

    @property
    def made(self) -> str:
        return self.made_at.astimezone(clock.SHANGHAI).strftime("%Y-%m-%d %H:%M")

    @property
    def notes(self) -> list[str]:
        """What every output says beside its figures."""
        head = self.head or _("nothing sealed yet")
        return [
            _("Period: %(period)s, time zone %(zone)s", period=self.period, zone=TIME_ZONE),
            *([_("Place: %(place)s", place=self.area)] if self.area else []),
            _("Made at %(time)s (%(zone)s)", time=self.made, zone=TIME_ZONE),
            _("Ledger head: %(head)s", head=head),
            _("Transfers not yet sealed, included here: %(count)s", count=self.unsealed),
            *self.content.notes,
        ]


def fill(report: Report, asked: Asked, reader: Reader, demo: bool) -> Filled:
    """Read a report at one moment. Raises NotFound for places not the reader's, InvalidInput and
    NotYetOver for months.
    """
    check_months(asked, reader)
    area = area_of(reader, asked.county, asked.township, asked.village)
    with db.snapshot():
        content = report.read(asked, area, reader)
        head = heads.newest()
        unsealed = db.session().scalar(
            select(func.count()).select_from(TRANSFERS).where(TRANSFERS.c.block_no.is_(None))) or 0
    content.rows = in_order(content, asked)
    return Filled(report, asked, area.path, content, clock.now(), str(head) if head else "", unsealed, demo)


def check_months(asked: Asked, reader: Reader) -> None:
    """From before to, not too long; for the public one month at a time, and only one that is over."""
    if asked.last < asked.first:
        raise InvalidInput({"to": [N_("The last month lies before the first.")]})
    if not reader.sees_all and asked.first != asked.last:
        raise InvalidInput({"to": [N_("The public report shows one month at a time.")]})
    if not reader.sees_all:
        disclosure.check_over(asked.last)
    if len(clock.months_between(asked.first, asked.last)) > MOST_MONTHS:
        raise InvalidInput({"to": [N_("At most ten years at a time.")]})


def in_order(content: Content, asked: Asked) -> list[Row]:
    """Rows as asked; what is not known or not shown comes last either way, so that an order betrays nothing."""
    rows = sorted(content.rows, key=lambda row: row.order)
    column = next((c for c in content.columns if c.key == asked.sort), None)
    if column is None:
        return rows
    known = [row for row in rows if row.values.get(column.key) is not None]
    unknown = [row for row in rows if row.values.get(column.key) is None]
    return sorted(known, key=lambda row: row.values[column.key], reverse=asked.descending) + unknown


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


# ---- outputs --------------------------------------------------------------------------------------------------------


def heading_words(column: Column) -> str:
    """A heading outside a page: with its stage and its unit."""
    told = [_(STAGES[column.stage])] if column.stage else []
    told += [_(sheets.UNITS[column.kind])] if column.kind in sheets.UNITS else []
    return str(_(column.heading) + (_(" (%(told)s)", told=_(", ").join(told)) if told else ""))


def as_table(filled: Filled) -> sheets.Table:
    """The rows as CSV and XLSX write them."""
    columns = filled.content.columns
    totals = filled.content.totals
    return sheets.Table(
        [sheets.Heading(heading_words(column), column.kind) for column in columns],
        [[row.shown(column.key) for column in columns] for row in filled.content.rows],
        [_("Total") if at == 0 else totals.shown(column.key) for at, column in enumerate(columns)],
        above=[filled.title, filled.notes[0], *([_(DEMO_MARK)] if filled.demo else [])], below=filled.notes[1:],
    )


def as_json(filled: Filled) -> dict[str, Any]:
    """Amounts as integer fen, weights as integer grams, shares in hundredths of a percent; null where not shown."""
    columns = filled.content.columns

    def plain(row: Row) -> dict[str, Any]:
        return {column.key: row.values.get(column.key) for column in columns}

    return {
        "report": filled.report.name, "title": filled.title,
        "period": {"from": filled.asked.first, "to": filled.asked.last}, "time_zone": TIME_ZONE,
        "place": filled.area or None, "made_at": filled.made_at.isoformat(timespec="seconds"),
        "ledger_head": filled.head or None, "unsealed_transfers": filled.unsealed, "demo": filled.demo,
        **({"demo_mark": _(DEMO_MARK)} if filled.demo else {}),
        "columns": [
            {"key": c.key, "heading": heading_words(c), "kind": c.kind, "stage": c.stage or None, "sums": c.sums}
            for c in columns],
        "rows": [plain(row) | ({"instead": row.instead} if row.instead else {}) for row in filled.content.rows],
        "totals": {c.key: filled.content.totals.values.get(c.key) for c in columns if c.kind not in ("text", "code")},
        "notes": filled.notes,
    }
