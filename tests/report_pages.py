"""Reading a report back from what it is shown as: page, print, CSV, XLSX; and a world in which reports have rows."""

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

import openpyxl

from market import clock, db, money
from market.parties import Organisation
from market.places import Division
from orders.buying import approval
from orders.delivering import returns
from tests.trade import Trade
from tests.world import GREENS, HOSPITAL, NOON, POMELO, SCHOOL

LONG_NUMBER = "914311251234567890"  # 18 digits: a spreadsheet would make 914311251234568000 of a number
FORMULAS = {"village": "=1+1村", "greens": "+合作社", "hospital": "@医院", "goods": "-白菜"}


def trade_of_two_years(trade: Trade) -> None:
    """Purchases of two counties in October of two years, paid in part, some sent back; names that look like formulas.
    """
    world = trade.world
    with db.transaction() as session:
        session.get_one(Division, world.villages["greens_home"]).name = FORMULAS["village"]
    for moment in (NOON - timedelta(days=363), NOON):
        with clock.at(moment):
            cabbage = trade.product(FORMULAS["goods"], price_fen=233)
            taro = trade.product("香芋", POMELO, price_fen=481, certified=True)
            trade.lot(cabbage, 50, households=list(trade.members(GREENS, world.villages["greens_home"])[:3]))
            trade.lot(taro, 50, households=list(trade.members(POMELO, world.villages["pomelo_home"])[:6]))
            for order in trade.orders(trade.place({cabbage: 9_500, taro: 7_500})):
                trade.ship(order.id)
                trade.accept(order.id)
                trade.pay(order.id, 1_000)
            with db.transaction():
                returns.take_back(order.id, {trade.lines(order.id)[0].id: 2_000}, "发黄", world.person("store.wang"),
                                  trade.chair_of(order.supplier_id))
            cancelled = trade.orders(trade.place({cabbage: 3_000}))[0]
            with db.transaction():
                approval.cancel(cancelled.id, "不要了", world.person("cook.chen"))
    with db.transaction() as session:
        for key, name in ((SCHOOL, LONG_NUMBER), (GREENS, FORMULAS["greens"]), (HOSPITAL, FORMULAS["hospital"])):
            session.get_one(Organisation, world.organisation_id(key)).name = name


class Tables(HTMLParser):
    """The rows of every table of a page: texts of cells, head and foot among them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tables: list[list[list[str]]] = []
        self._cell: list[str] | None = None
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if tag == "table":
            self.tables.append([])
        elif tag == "tr" and self.tables:
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self._cell = []

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th") and self._cell is not None:
            self.tables[-1][-1].append(" ".join("".join(self._cell).split()))
            self._cell = None

    def handle_data(self, data: str) -> None:
        if self._cell is not None:
            self._cell.append(data)


def of_page(page: str) -> list[list[str]]:
    """The report's rows and, last, its totals; none where the page says that there is nothing."""
    tables = Tables(page).tables
    return tables[0][1:] if tables else []


def of_csv(data: bytes) -> list[list[str]]:
    """Head, rows and totals of a CSV; what explains them is left out."""
    rows = []
    for row in csv.reader(io.StringIO(data.decode("utf-8-sig"))):
        if not row:
            break
        rows.append(row)
    return rows


def of_xlsx(data: bytes, headings: Sequence[str]) -> list[list[Any]]:
    """The cells of rows and totals below the head."""
    sheet = openpyxl.load_workbook(io.BytesIO(data)).active
    rows = list(sheet.iter_rows(max_col=len(headings)))
    head = next(at for at, row in enumerate(rows) if [cell.value for cell in row] == list(headings))
    below = rows[head + 1:]
    end = next((at for at, row in enumerate(below) if all(cell.value is None for cell in row)), len(below))
    return below[:end]


def as_page(kind: str, value: Any) -> str:
    """A value as a page shows it."""
    if kind == "fen":
        return ("−" if value < 0 else "") + "¥" + money.yuan(abs(value))
    if kind == "grams":
        return money.decimal_text(value) + " 公斤"
    if kind == "percent":
        return money.percent(value)
    return f"{value:,}" if kind == "count" else " ".join(str(value).split())


def as_cell(kind: str, value: Any) -> float:
    """A value as a spreadsheet counts."""
    return float(value) / {"fen": 100, "grams": 1000, "percent": 10_000}.get(kind, 1)


def shown(row: Mapping[str, Any], key: str) -> Any:
    """A value of a row of the JSON, else the words in its place."""
    value = row.get(key)
    return row.get("instead", {}).get(key) if value is None else value
