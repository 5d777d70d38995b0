"""Tables that the demo's first co-operative and its county have sent: one waits for a decision, others want mending."""

from collections.abc import Sequence
from pathlib import Path

from catalog.importing import papers, runs
from catalog.importing.kinds import Kind
from catalog.importing.table import KINDS
from market import db, sheets
from market.access import Visitor
from market.sheets import Table
from orders.demo.settlers import Settlement


def send(settled: Settlement, coop_key: str, folder: Path) -> None:
    """Send and check them; nothing is written, that is for the visitor to press."""
    clerk = settled.person(coop_key, "clerk")
    official = settled.person("jiangyong-revitalisation", "official")
    with db.transaction():
        goods = papers.as_table(KINDS["products"], clerk)
        _check(KINDS["products"], _priced(goods, 10), "调价.csv", clerk, folder)
        _check(KINDS["products"], _spoilt(goods), "新产品.csv", clerk, folder)
        designations = papers.as_table(KINDS["designations"], official)
        _check(KINDS["designations"], _elsewhere(designations), "认定名单.csv", official, folder)


def _check(kind: Kind, table: Table, name: str, by: Visitor, folder: Path) -> None:
    """What the worker does, in one go."""
    content = sheets.write_csv(table)
    work = runs.take(runs.begin(kind, content, name, by, folder), ("queued", "checking"))
    if work is None:
        return
    offers = kind.offers(by)
    rows = kind.read(content, offers)
    runs.finish_check(work, rows, kind.match(rows, by), lambda values: kind.as_shown(values, offers))


def _column(table: Table, zh: str) -> int:
    return [heading.text for heading in table.headings].index(zh)


def _with(row: Sequence[object], at: int, value: object) -> list[object]:
    return [value if number == at else cell for number, cell in enumerate(row)]


def _priced(table: Table, more_fen: int) -> Table:
    """The co-operative's goods, a little dearer."""
    at = _column(table, "单价（元）")
    return Table(table.headings, [_with(row, at, int(row[at]) + more_fen) for row in table.rows[:4]])


def _spoilt(table: Table) -> Table:
    """A number that is nobody's, a price in words."""
    number, price = _column(table, "编号"), _column(table, "单价（元）")
    return Table(table.headings, [_with(table.rows[0], number, "999999"), _with(table.rows[-1], price, "三块五")])


def _elsewhere(table: Table) -> Table:
    """A village of another province among one's own."""
    at = _column(table, "村代码")
    return Table(table.headings, [*table.rows[:3], *(_with(row, at, "440103001200") for row in table.rows[:1])])
