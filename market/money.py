"""Money in integer fen, quantities in integer thousandths of a sales unit, weights in integer grams.

The only place that rounds, and the only one that divides by 100 or 1000.
"""

import re
from collections.abc import Sequence

MAX_FEN = 10_000_000_000  # ¥100 million: no single amount typed here is larger
MAX_MILLI = 10_000_000_000  # ten million sales units
MAX_GRAMS = 10_000_000_000  # ten thousand tonnes

_DECIMAL = re.compile(r"(0|[1-9][0-9]{0,9})(?:\.([0-9]{1,3}))?", re.ASCII)


def line_total(price_fen: int, quantity_milli: int) -> int:
    """Price of a quantity, in fen; half a fen rounds up.

    >>> line_total(1250, 2500)      # ¥12.50 a kilo, 2.5 kilos
    3125
    >>> line_total(333, 1500)       # 499.5 fen
    500
    """
    return (price_fen * quantity_milli + 500) // 1000


def price_of_500g(price_fen: int, grams_per_unit: int) -> int:
    """What 500 g (one 斤) cost where a sales unit of so many grams costs so much; half a fen rounds up.

    >>> price_of_500g(5800, 5000)   # a box of 5 kg at ¥58.00
    580
    """
    return (price_fen * 1000 + grams_per_unit) // (grams_per_unit * 2)


def price_of_kg(price_fen: int, grams_per_unit: int) -> int:
    """What a kilo costs where a sales unit of so many grams costs so much; half a fen rounds up.

    >>> price_of_kg(398, 500)       # ¥3.98 a 斤
    796
    """
    return (price_fen * 2000 + grams_per_unit) // (grams_per_unit * 2)


def price_of_unit(fen_per_kg: int, grams_per_unit: int) -> int:
    """What a sales unit of so many grams costs where a kilo costs so much; half a fen rounds up.

    >>> price_of_unit(796, 500)
    398
    """
    return (fen_per_kg * grams_per_unit + 500) // 1000


def grams_of(quantity_milli: int, grams_per_unit: int) -> int:
    """Weight of a quantity of sales units, in grams.

    >>> grams_of(2500, 500)         # two and a half 斤
    1250
    """
    return (quantity_milli * grams_per_unit + 500) // 1000


def milli_of(grams: int, grams_per_unit: int) -> int:
    """Quantity in thousandths of the sales unit that a weight makes up.

    >>> milli_of(9_500, 1000)       # 9.5 kg sold by the kilo
    9500
    """
    return (grams * 1000 + grams_per_unit // 2) // grams_per_unit


def allocate(total: int, weights: Sequence[int]) -> list[int]:
    """Split a whole over weights so that the parts always sum to the whole (largest remainder).

    Ties go to the earlier part. No part exceeds its exact share by one or more.

    >>> allocate(100, [1, 1, 1])
    [34, 33, 33]
    >>> allocate(0, [5, 3])
    [0, 0]
    """
    whole = sum(weights)
    if total < 0 or whole <= 0 or min(weights) < 0:
        raise ValueError("allocate takes a total >= 0 and weights >= 0 that are not all zero")
    parts = [total * weight // whole for weight in weights]
    left = total - sum(parts)
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(total * weights[i] % whole), i))
    for index in by_remainder[:left]:
        parts[index] += 1
    return parts


def part_of(amount_fen: int, basis_points: int) -> int:
    """A share in hundredths of a percent, in fen; half a fen rounds up.

    >>> part_of(10_001, 300)        # 3 % of ¥100.01
    300
    """
    return (amount_fen * basis_points + 5000) // 10_000


def parse_fen(text: str) -> int:
    """Fen of an amount typed in yuan with at most two decimals; ValueError when it is anything else.

    >>> parse_fen("12.5")
    1250
    """
    value = _thousandths(text)
    if value % 10:
        raise ValueError("more than two decimals")
    return value // 10


def parse_jin(text: str) -> int:
    """Grams of a weight typed in 斤 (500 g) with at most two decimals; ValueError when it is anything else.

    >>> parse_jin("12.5"), parse_jin("0.01")
    (6250, 5)
    """
    return parse_fen(text) * 5


def parse_jin_price(text: str) -> int:
    """Fen per kg of a price typed in yuan per 斤; ValueError when it is not a whole number of them.

    >>> parse_jin_price("0.60"), parse_jin_price("0.625")
    (120, 125)
    """
    value = _thousandths(text)
    if value % 5:
        raise ValueError("less than a fen per kg")
    return value // 5


def jin_price(fen_per_kg: int) -> str:
    """Yuan per 斤 of a price per kg, two decimals and a third where it is needed, as a form field wants it.

    >>> jin_price(120), jin_price(125)
    ('0.60', '0.625')
    """
    whole, rest = divmod(fen_per_kg * 5, 1000)
    return f"{whole}.{rest // 10:02d}" + (str(rest % 10) if rest % 10 else "")


def parse_milli(text: str) -> int:
    """Thousandths of a quantity typed with at most three decimals; ValueError when it is anything else.

    >>> parse_milli("0.5")
    500
    """
    return _thousandths(text)


def _thousandths(text: str) -> int:
    match = _DECIMAL.fullmatch(text)
    if match is None:
        raise ValueError("plain digits with at most three decimals")
    whole, decimals = match.groups()
    return int(whole) * 1000 + int((decimals or "").ljust(3, "0"))


def yuan(fen: int) -> str:
    """Yuan with two decimals and thousands commas.

    >>> yuan(-123456)
    '-1,234.56'
    """
    sign = "-" if fen < 0 else ""
    return f"{sign}{abs(fen) // 100:,}.{abs(fen) % 100:02d}"


def plain_yuan(fen: int) -> str:
    """Yuan with two decimals and no commas, as a spreadsheet or a form field wants it.

    >>> plain_yuan(123456)
    '1234.56'
    """
    return yuan(fen).replace(",", "")


def wan(fen: int) -> int:
    """An amount in ten thousand yuan (万元), in hundredths of it; half a hundredth rounds up.

    >>> wan(123_456_789), wan(5_000), wan(4_999)
    (12346, 1, 0)
    """
    return (fen + 5_000) // 10_000


def tonnes(grams: int) -> int:
    """A weight in thousandths of a tonne; half a kilo rounds up.

    >>> tonnes(1_234_500), tonnes(499)
    (1235, 0)
    """
    return (grams + 500) // 1_000


def decimal_text(thousandths: int) -> str:
    """A quantity (milli) or a weight in kg (grams) without needless zeros.

    >>> decimal_text(2500), decimal_text(1_000_000)
    ('2.5', '1,000')
    """
    sign = "-" if thousandths < 0 else ""
    whole, rest = divmod(abs(thousandths), 1000)
    return f"{sign}{whole:,}" + (f".{rest:03d}".rstrip("0") if rest else "")


def jin(grams: int) -> str:
    """A weight in 斤 (500 g), without needless zeros.

    >>> jin(6250), jin(5)
    ('12.5', '0.01')
    """
    return decimal_text(grams * 2)


def plain_decimal(thousandths: int) -> str:
    """As decimal_text, without commas."""
    return decimal_text(thousandths).replace(",", "")


def basis_points(part: int, whole: int) -> int:
    """A part of a whole in hundredths of a percent, rounded half up; 0 for nothing of nothing.

    >>> basis_points(1, 3)
    3333
    """
    return (part * 10_000 * 2 + whole) // (whole * 2) if whole else 0


def in_whole_percent(points: int | None) -> int | None:
    """Hundredths of a percent rounded to whole percents, half up: how exactly the public reads a share.

    >>> in_whole_percent(833), in_whole_percent(850), in_whole_percent(None)
    (800, 900, None)
    """
    return None if points is None else (points + 50) // 100 * 100


def average(total_fen: int, count: int) -> int:
    """An amount per head, in fen; half a fen rounds up.

    >>> average(1000, 3), average(5, 2)
    (333, 3)
    """
    return (total_fen * 2 + count) // (count * 2)


def percent(points: int) -> str:
    """Hundredths of a percent as a percentage with one decimal, half up.

    >>> percent(6545)
    '65.5%'
    """
    sign = "-" if points < 0 else ""
    tenths = (abs(points) + 5) // 10
    return f"{sign}{tenths // 10}.{tenths % 10}%"


_FIGURES = "零壹贰叁肆伍陆柒捌玖"
_PLACES = ("", "拾", "佰", "仟")
_GROUPS = ("", "万", "亿", "万亿")


def capital(fen: int) -> str:
    """An amount in the figures of cheques (大写金额).

    支付结算办法 (银发〔1997〕393号), annex 1: 人民币 stands right before the amount; zeros between figures are one 零;
    零 stands before 分 without 角; after 元 and 角 comes 整, after 分 nothing. Where the rule leaves 零 free (no single
    元 but 角), it is written.

    >>> capital(140_950), capital(600_714), capital(1)
    ('人民币壹仟肆佰零玖元伍角整', '人民币陆仟零柒元壹角肆分', '人民币壹分')
    """
    yuan_part, cents = divmod(abs(fen), 100)
    jiao, single = divmod(cents, 10)
    words = _whole_capital(yuan_part) + "元" if yuan_part or not cents else ""
    if yuan_part and cents and (not jiao or yuan_part % 10 == 0):
        words += "零"
    words += f"{_FIGURES[jiao]}角" if jiao else ""
    words += f"{_FIGURES[single]}分" if single else "整"
    return "人民币" + ("负" if fen < 0 else "") + words


def _whole_capital(number: int) -> str:
    """A whole number by groups of four; a gap of zeros before lower figures is one 零."""
    words, gap = "", False
    for at in range(len(_GROUPS) - 1, -1, -1):
        group = number // 10_000**at % 10_000
        if not group:
            gap = bool(words)
            continue
        words += ("零" if words and (gap or group < 1_000) else "") + _group_capital(group) + _GROUPS[at]
        gap = False
    return words or _FIGURES[0]


def _group_capital(group: int) -> str:
    words, gap = "", False
    for place in (3, 2, 1, 0):
        figure = group // 10**place % 10
        if figure:
            words += ("零" if gap else "") + _FIGURES[figure] + _PLACES[place]
        gap = bool(words) and not figure
    return words
