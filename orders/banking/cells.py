"""Cells of a bank's table: days, amounts, marks as our banks write them; anything else is a ValueError."""

import re
import unicodedata
from datetime import date

from market import money

_DAY = re.compile(r"(20[0-9]{2})(?:[-/.年]([0-9]{1,2})[-/.月]([0-9]{1,2})日?|([0-9]{2})([0-9]{2}))"
                  r"(?:[ T]?[0-9]{1,2}[:：时]?[0-9]{2}.{0,12})?", re.ASCII)
_AMOUNT = re.compile(r"([-+]?) ?([0-9]{1,3}(?:[, ][0-9]{3})+|[0-9]+)(?:\.([0-9]*))? ?(-?)", re.ASCII)
_WORDS_OF_MONEY = re.compile(r"\s*(?:RMB|CNY|人民币|[¥￥元])\s*")
_AS_TEXT = re.compile(r'="([^"]*)"')  # ="6222…" keeps a spreadsheet from making a number of it
_NOTHING = {"", "-", "--", "—", "——", "/"}
_IN = {"贷", "贷方", "C", "CR", "CREDIT", "收", "收入", "收款", "转入", "入账", "进账", "存入", "来账", "+", "IN"}
_OUT = {"借", "借方", "D", "DR", "DEBIT", "支", "支出", "付", "付款", "转出", "出账", "支取", "往账", "-", "OUT"}
_SUMS = re.compile(r"合计|总计|小计|共计|累计|笔数|余额|期初|期末|共\s*[0-9]+\s*笔|第\s*[0-9]+\s*页|打印")


def text(cell: str) -> str:
    """A cell's text on one line, without what nobody sees.

    >>> text("货款\\n S261103 "), text('="6222021234567890123"'), text("'6222")
    ('货款 S261103', '6222021234567890123', '6222')
    """
    shown = _AS_TEXT.fullmatch(cell.strip())
    whole = (shown[1] if shown else cell).lstrip("'")
    seen = "".join(" " if c.isspace() else c for c in whole
                   if c.isspace() or unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Co", "Cn"})
    return " ".join(seen.split())


def day(cell: str) -> date:
    """A day, with or without the time of day; ValueError for anything else.

    >>> [day(cell).isoformat() for cell in ("2026/11/3", "20261103", "2026年11月3日", "20261103 12:33:01")]
    ['2026-11-03', '2026-11-03', '2026-11-03', '2026-11-03']
    """
    found = _DAY.fullmatch(unicodedata.normalize("NFKC", text(cell)))
    if found is None:
        raise ValueError("no day")
    year, month, number = found[1], found[2] or found[4], found[3] or found[5]
    return date(int(year), int(month), int(number))


def fen(cell: str) -> int:
    """An amount in fen, negative where the bank wrote it so; 0 for an empty cell; ValueError for anything else.

    >>> [fen(cell) for cell in ("1,234.50", "￥23.00", "-7.5", "", "--", "(8.00)", "22.500", "¥ 1 234.5")]
    [123450, 2300, -750, 0, 0, -800, 2250, 123450]
    """
    written = _WORDS_OF_MONEY.sub("", unicodedata.normalize("NFKC", text(cell)).replace("−", "-"))
    if written in _NOTHING:
        return 0
    inside = written[1:-1].strip() if written.startswith("(") and written.endswith(")") else ""
    found = _AMOUNT.fullmatch(inside or written)
    if found is None or (found[1] and found[4]):
        raise ValueError("no amount")
    whole = found[2].replace(",", "").replace(" ", "").lstrip("0") or "0"
    amount = money.parse_fen(f"{whole}.{(found[3] or '').rstrip('0') or '0'}")
    if amount > money.MAX_FEN:
        raise ValueError("too large")
    return -amount if inside or "-" in (found[1], found[4]) else amount


def comes_in(cell: str) -> bool:
    """Whether a mark says that money came in (贷) or went out (借); ValueError where it says neither.

    >>> comes_in("贷"), comes_in("D"), comes_in("收入")
    (True, False, True)
    """
    mark = unicodedata.normalize("NFKC", text(cell)).upper()
    if mark in _IN:
        return True
    if mark in _OUT:
        return False
    raise ValueError("no mark")


def is_sum_line(first: str, day_cell: str) -> bool:
    """Whether a line below the headings is no movement: sums, notes, the headings once more.

    What has figures where the day stands and no word of a sum is taken for a movement, readable or not.

    >>> is_sum_line("合计", ""), is_sum_line("", "共 3 笔"), is_sum_line("合计", "20261103"), is_sum_line("", "3.11.26")
    (True, True, False, False)
    """
    written = text(day_cell)
    try:
        day(written)
    except ValueError:
        return not re.search(r"[0-9]", written) or bool(_SUMS.search(text(first)) or _SUMS.search(written))
    return False
