"""One frame for every report: a report is read once, and page, print, PDF, CSV, XLSX and JSON all show its rows alike.

A report is read at one moment. Whatever it is shown as, it says its period and time zone, what it is narrowed to, the
stage of each figure, when it was made, the ledger's head, how many transfers are not yet sealed, and whether the world
is invented.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import func, select

from market import clock, db, heads, sheets
from market.errors import N_, InvalidInput
from market.i18n import gettext as _
from market.sealing import TRANSFERS
from orders.reports import comparing, disclosure, narrowing
from orders.reports.declared import COMPARISONS as COMPARISONS
from orders.reports.declared import FACETS as FACETS
from orders.reports.declared import FILTERS as FILTERS
from orders.reports.declared import GROUPS as GROUPS
from orders.reports.declared import STAGES as STAGES
from orders.reports.declared import TIME_ZONE as TIME_ZONE
from orders.reports.declared import Asked as Asked
from orders.reports.declared import Column as Column
from orders.reports.declared import Content as Content
from orders.reports.declared import Filled as Filled
from orders.reports.declared import Opens as Opens
from orders.reports.declared import Report as Report
from orders.reports.declared import Row as Row
from orders.reports.declared import column_of as column_of
from orders.reports.declared import period_words as period_words
from orders.reports.declared import total_of as total_of
from orders.reports.readers import Reader, area_of

DEMO_MARK = N_("Demo data: people, prices, incomes and village designations are invented")
MOST_MONTHS = 120


def fill(report: Report, asked: Asked, reader: Reader, demo: bool) -> Filled:
    """Read a report at one moment. Raises NotFound for places not the reader's, InvalidInput for months and filters,
    NotYetOver for months.
    """
    asked = as_meant(report, asked)
    check(report, asked, reader)
    area = area_of(reader, asked.county, asked.township, asked.village)
    with db.snapshot():
        narrowed = narrowing.words_of(asked)
        content = report.read(asked, area, reader)
        own = content.columns
        if asked.compare:
            content = comparing.compared(report, asked, area, reader, content)
        head = heads.newest()
        unsealed = db.session().scalar(
            select(func.count()).select_from(TRANSFERS).where(TRANSFERS.c.block_no.is_(None))) or 0
    if not content.paged:
        content.rows = in_order(content, asked)
    content.columns = chosen(report, content.columns, asked)
    return Filled(report, asked, area.path, content, clock.now(), str(head) if head else "", unsealed, demo, narrowed,
                  own)


def as_meant(report: Report, asked: Asked) -> Asked:
    """The first stage of a report is the one shown without a word."""
    return replace(asked, stage="") if report.stages and asked.stage == report.stages[0] else asked


def check(report: Report, asked: Asked, reader: Reader) -> None:
    """What a report would refuse before it reads anything. Raises InvalidInput and NotYetOver."""
    asked = as_meant(report, asked)
    check_months(asked, reader)
    narrowing.check(report, asked, reader)


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


def chosen(report: Report, columns: Sequence[Column], asked: Asked) -> Sequence[Column]:
    """The columns asked for, as declared, and the one that names a row. Columns that are not there for this reader, or
    not with these filters, stay away; raises InvalidInput where none is left.
    """
    if not asked.columns:
        return columns
    wanted = {*asked.columns}
    if not any(column.key in wanted for column in columns):
        raise InvalidInput({"columns": [N_("There is no such column here.")]})
    lead = lead_of(report, columns)
    return [column for column in columns if {column.key, column.of} & wanted or column.key == lead]


def lead_of(report: Report, columns: Sequence[Column]) -> str:
    """The key of the column that names a row."""
    keys = [column.key for column in columns]
    return "village" if report.by_village and "village" in keys else keys[0]


def in_order(content: Content, asked: Asked) -> list[Row]:
    """Rows as asked; what is not known or not shown comes last either way, so that an order betrays nothing."""
    rows = sorted(content.rows, key=lambda row: row.order)
    column = next((c for c in content.columns if c.key == asked.sort), None)
    if column is None:
        return rows
    known = [row for row in rows if row.values.get(column.key) is not None]
    unknown = [row for row in rows if row.values.get(column.key) is None]
    return sorted(known, key=lambda row: row.values[column.key], reverse=asked.descending) + unknown


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
        instead = {column.key: row.instead[column.key] for column in columns if column.key in row.instead}
        return {column.key: row.values.get(column.key) for column in columns} | (
            {"instead": instead} if instead else {})

    return {
        "report": filled.report.name, "title": filled.title,
        "period": {"from": filled.asked.first, "to": filled.asked.last}, "time_zone": TIME_ZONE,
        "place": filled.area or None, "filters": filled.asked.narrowed(), "stage": filled.asked.stage or None,
        "compare": list(filled.asked.compare), "made_at": filled.made_at.isoformat(timespec="seconds"),
        "ledger_head": filled.head or None, "unsealed_transfers": filled.unsealed, "demo": filled.demo,
        **({"demo_mark": _(DEMO_MARK)} if filled.demo else {}),
        "columns": [
            {"key": c.key, "heading": heading_words(c), "kind": c.kind, "stage": c.stage or None, "sums": c.sums}
            for c in columns],
        "rows": [plain(row) for row in filled.content.rows],
        "totals": {c.key: filled.content.totals.values.get(c.key) for c in columns if c.is_number},
        "notes": filled.notes,
    }
