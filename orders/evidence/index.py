"""index.xlsx: what is missing first; then orders, households by code, the villages' figures, and how to verify."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import xlsxwriter
from flask_babel import force_locale

from market import clock, sheets, words
from market.i18n import gettext as _
from market.village_months import FIGURES
from orders.evidence.incomes import Incomes
from orders.evidence.pieces import MISSING, ORDER, Missing
from orders.evidence.subjects import Subject

# of the second sheet; verify.py compares these with the transfers
SUMS = ("accepted_fen", "returned_fen", "allowance_fen", "received_fen", "refunded_fen", "farm_gate_fen",
        "collective_fen")
HEADS: Mapping[str, str] = {
    "accepted_fen": "验收 Accepted", "accepted_grams": "验收公斤 Accepted kg", "certified_fen": "其中认证 Certified",
    "returned_fen": "退货 Sent back", "returned_grams": "退货公斤 Sent back kg", "allowance_fen": "减价 Reduced",
    "received_fen": "实收 Received", "refunded_fen": "退款 Refunded", "farm_gate_fen": "收购款 Farm gate",
    "wage_fen": "务工 Wages", "land_fen": "土地 Land rent", "dividend_fen": "分红 Dividends",
    "collective_fen": "村集体 Collective", "households_paid_fen": "已到户 Paid to households",
    "collective_paid_fen": "已付村集体 Paid to collective"}
HOW = (
    ("怎样核对（不需要安装任何东西，只要电脑上有 Python 3.8 以上）",
     "How to verify (nothing to install but Python 3.8 or newer)"),
    ("1. 打开文件夹，在其中运行：python verify.py。输出“全部一致”即文件未被改动、分录与区块链头相符、"
     "各村各月数字与订单合计可由分录重新算出，分文不差。",
     "1. In the folder run: python verify.py. 'Everything agrees' means: no file was changed, the transfers "
     "belong to the chain up to its head, and all figures follow from the transfers to the fen."),
    ("2. 要防止整包被替换，请把平台页面或通知上公布的清单哈希一并给出：python verify.py --expect 哈希。"
     "最好使用从平台另行下载的 verify.py。",
     "2. Against a package replaced as a whole, give the manifest's hash as the site or the notice shows it: "
     "python verify.py --expect HASH. Best use a verify.py downloaded from the site itself."),
    ("3. 链头（区块号与哈希）印在每一份公布的报表上，也可与之比对。",
     "3. The chain's head (number and hash) is printed on every published report; compare it."),
    ("4. ledger/transfers.jsonl 一行一笔：canonical 的 SHA-256 即 digest；区块哈希 = SHA-256(“1 区块号 前一哈希 "
     "封存时间”换行后逐行“摘要 月份”)。他村的分录只给摘要。",
     "4. ledger/transfers.jsonl holds one transfer a line: digest is the SHA-256 of canonical; a block's hash is "
     "SHA-256 of '1 number previous-hash sealed-at' and, line by line, 'digest month'. Of other villages' "
     "transfers only digests are given."),
    ("5. 户以建档代码或社员编号称呼；含姓名的签收单、名单只放入有权查看者的证据包，其余只列哈希。",
     "5. Households are called by register code or member number; slips that show names are only in packages of "
     "readers who may see them, else their hash is listed."),
)
ALGORITHM = ("抽样方法：全部订单号排序后，逐一计算 SHA-256(“种子 链头哈希 订单号”)，按结果从小到大取前若干个。",
             "How it was drawn: every order number is ranked by SHA-256 of 'seed head-hash number'; the first ones "
             "are taken.")
TOTAL = "合计 Total"


@dataclass
class Index:
    """Rows gathered while the package is made; `write` makes the workbook."""

    subject: Subject
    orders: list[tuple[Any, ...]] = field(default_factory=list)
    missing: list[Missing] = field(default_factory=list)

    def add(self, order: Any, sums: Mapping[str, int], missing: Sequence[Missing], folder: str) -> None:
        """A row of the second sheet; what is missing of the order for the first."""
        self.missing += missing
        self.orders.append((
            order.number, order.business_date.isoformat(), f"{order.unit_name} → {order.supplier_name}",
            *(sums.get(name, 0) for name in SUMS), order.state, len(missing), folder))

    def write(self, path: Path, incomes: Incomes, figures: Mapping[tuple[int, str], Mapping[str, int]],
              places: Mapping[int, str]) -> None:
        """Write it row by row to a file. Text cells are text whatever they hold."""
        book = xlsxwriter.Workbook(str(path), {"constant_memory": True, "strings_to_formulas": False,
                                               "strings_to_urls": False, "strings_to_numbers": False})
        book.set_properties({"created": clock.shanghai(clock.today())})
        writer = _Writer(book)
        self._first(writer)
        self._orders(writer)
        self._households(writer, incomes, places)
        self._figures(writer, figures, places)
        self._how(writer)
        book.close()

    def _first(self, writer: "_Writer") -> None:
        writer.sheet("缺少的文件 Missing", (28, 26, 44, 60))
        draw = self.subject.draw
        writer.title(f"证据包 Evidence package：{self.subject.title}，{self.subject.year}")
        writer.row((f"链头 Chain head {self.subject.head}",))
        if draw is not None:
            writer.row((f"第 {draw.nth} 次抽取 draw no. {draw.nth}；种子 seed {draw.seed}；总体 population "
                        f"{draw.population}；抽取 drawn {draw.wanted}",))
        writer.row((f"订单 orders {len(self.orders)}；缺少 missing {len(self.missing)}",))
        writer.row(())
        writer.heads(("订单号 Order", "缺少什么", "Missing", "哪一份 Which"))
        for one in sorted(self.missing, key=lambda one: (ORDER[one.kind], one.number, one.what)):
            text = MISSING[one.kind]
            writer.row((one.number or "（村 village）", _in_chinese(text), text, one.what))
        if not self.missing:
            writer.row(("没有缺少的文件。 Nothing is missing.",))

    def _orders(self, writer: "_Writer") -> None:
        writer.sheet("订单 Orders", (22, 12, 50, *(15 for _ in SUMS), 18, 10, 30))
        writer.title("订单，金额为本包范围内分录之和（元） Orders, sums of the transfers in this package (yuan)")
        writer.heads(("订单号 Order #", "日期 Day", "单位 → 合作社 Unit → co-operative",
                      *(HEADS[name] for name in SUMS), "状态 State", "缺少 Missing", "文件夹 Folder"))
        for row in self.orders:
            state = _in_chinese(words.ORDER_STATES[row[10]])
            writer.row((*row[:3], *map(Yuan, row[3:10]), f"{state} {words.ORDER_STATES[row[10]]}", *row[11:]))
        writer.row((TOTAL, "", "", *(Yuan(sum(row[at] for row in self.orders)) for at in range(3, 10)), "",
                    sum(row[11] for row in self.orders), ""), bold=True)

    @staticmethod
    def _households(writer: "_Writer", incomes: Incomes, places: Mapping[int, str]) -> None:
        writer.sheet("农户收入 Households", (26, 26, 24, 18, 18, 18, 18))
        writer.title("农户收入，以代码称呼（元） Income of households, by code (yuan)")
        writer.heads(("户 Household #", "村 Village", "收入类别 Kind", "收入 Income", "其中收回 Taken back",
                      "已到户 Paid out", "未到户 Not yet paid"))
        total = [0, 0, 0]
        rows = sorted(incomes.by_kind.items(), key=lambda pair: (incomes.code(pair[0][1]), pair[0][0], pair[0][2]))
        for (village, household, kind), part in rows:
            net = part.earned_fen - part.taken_fen
            total = [total[0] + net, total[1] + part.taken_fen, total[2] + part.paid_fen]
            label = words.INCOME_KINDS[kind]
            writer.row((incomes.code(household), places.get(village, ""), f"{_in_chinese(label)} {label}",
                        Yuan(net), Yuan(part.taken_fen), Yuan(part.paid_fen), Yuan(net - part.paid_fen)))
        writer.row((TOTAL, "", "", *map(Yuan, total), Yuan(total[0] - total[2])), bold=True)

    @staticmethod
    def _figures(writer: "_Writer", figures: Mapping[tuple[int, str], Mapping[str, int]],
                 places: Mapping[int, str]) -> None:
        writer.sheet("各村数字 Villages", (26, 12, *(17 for _ in FIGURES)))
        writer.title("各村各月数字（元、公斤） Figures by village and month (yuan, kg)")
        writer.heads(("村 Village", "月份 Month", *(HEADS[name] for name in FIGURES)))
        for (village, period), of in sorted(figures.items(), key=lambda pair: (places.get(pair[0][0], ""), pair[0])):
            writer.row((places.get(village, str(village)), period, *(_measured(name, of[name]) for name in FIGURES)))
        writer.row((TOTAL, "", *(_measured(name, sum(of[name] for of in figures.values())) for name in FIGURES)),
                   bold=True)

    def _how(self, writer: "_Writer") -> None:
        writer.sheet("怎样核对 How to verify", (110, 110))
        for pair in (*HOW, *((ALGORITHM,) if self.subject.draw is not None else ())):
            writer.row(pair, wrapped=True)


class Yuan(int):
    """A cell of fen, shown in yuan."""


class Kilograms(int):
    """A cell of grams, shown in kilograms."""


def _in_chinese(text: str) -> str:
    with force_locale("zh"):
        return str(_(text))


def _measured(name: str, value: int) -> int:
    return Kilograms(value) if name.endswith("_grams") else Yuan(value)


class _Writer:
    """Sheets one after another, rows one below another."""

    def __init__(self, book: Any) -> None:
        self.book, self.at = book, 0
        self.current: Any = None
        self.formats = {
            (kind, bold): book.add_format({"num_format": pattern, "bold": bold, "top": 6 if bold else 0})
            for kind, pattern in ((Yuan, "#,##0.00"), (Kilograms, "#,##0.000"), (int, "#,##0"), (str, "@"))
            for bold in (False, True)}
        self.wrap = book.add_format({"text_wrap": True, "valign": "top"})
        self.head = book.add_format({"bold": True, "bottom": 2, "text_wrap": True, "valign": "vcenter"})
        self.big = book.add_format({"bold": True, "font_size": 14})

    def sheet(self, name: str, widths: Sequence[int]) -> None:
        self.current, self.at = self.book.add_worksheet(name), 0
        for column, width in enumerate(widths):
            self.current.set_column(column, column, width)

    def title(self, text: str) -> None:
        self.current.write_string(self.at, 0, text, self.big)
        self.at += 1

    def heads(self, texts: Sequence[str]) -> None:
        for column, text in enumerate(texts):
            self.current.write_string(self.at, column, text, self.head)
        self.at += 1
        self.current.freeze_panes(self.at, 1)

    def row(self, cells: Sequence[Any], bold: bool = False, wrapped: bool = False) -> None:
        for column, cell in enumerate(cells):
            shape = self.wrap if wrapped else self.formats[type(cell), bold]
            if isinstance(cell, str):
                self.current.write_string(self.at, column, cell, shape)
            else:
                kind = {Yuan: "fen", Kilograms: "grams"}.get(type(cell), "count")
                self.current.write_number(self.at, column, float(sheets.plain(kind, int(cell))), shape)
        self.at += 1
