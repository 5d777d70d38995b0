"""大写金额: awkward amounts as the rule for cheques writes them, and back again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from market import money

# written by hand from 支付结算办法, annex 1, with its own examples; never produced by the code
AWKWARD = {
    "0.01": "人民币壹分", "0.10": "人民币壹角整", "0.99": "人民币玖角玖分", "1.00": "人民币壹元整",
    "1.05": "人民币壹元零伍分", "10.00": "人民币壹拾元整", "10.10": "人民币壹拾元零壹角整",
    "11.11": "人民币壹拾壹元壹角壹分", "100.01": "人民币壹佰元零壹分", "101.00": "人民币壹佰零壹元整",
    "325.04": "人民币叁佰贰拾伍元零肆分", "1000.10": "人民币壹仟元零壹角整", "1001.01": "人民币壹仟零壹元零壹分",
    "1409.50": "人民币壹仟肆佰零玖元伍角整", "1680.32": "人民币壹仟陆佰捌拾元零叁角贰分",
    "6007.14": "人民币陆仟零柒元壹角肆分", "10000.00": "人民币壹万元整", "10010.00": "人民币壹万零壹拾元整",
    "16409.02": "人民币壹万陆仟肆佰零玖元零贰分", "100000.05": "人民币壹拾万元零伍分",
    "107000.53": "人民币壹拾万柒仟元零伍角叁分", "100100.00": "人民币壹拾万零壹佰元整",
    "1000001.10": "人民币壹佰万零壹元壹角整", "1010101.01": "人民币壹佰零壹万零壹佰零壹元零壹分",
    "20000000.00": "人民币贰仟万元整", "50080003.00": "人民币伍仟零捌万零叁元整",
    "100000000.00": "人民币壹亿元整", "100010001.01": "人民币壹亿零壹万零壹元零壹分",
    "100001000.00": "人民币壹亿零壹仟元整", "110000000.00": "人民币壹亿壹仟万元整",
    "1001000000.00": "人民币壹拾亿零壹佰万元整",
    "9999999999.99": "人民币玖拾玖亿玖仟玖佰玖拾玖万玖仟玖佰玖拾玖元玖角玖分",
    "0.00": "人民币零元整",
}
FIGURES = {figure: value for value, figure in enumerate("零壹贰叁肆伍陆柒捌玖")}
PLACES = {"拾": 10, "佰": 100, "仟": 1000}


def read_back(words: str) -> int:
    """Fen of an amount in capitals, as somebody reads a cheque aloud."""
    text = words.removeprefix("人民币").removesuffix("整")
    sign = -1 if text.startswith("负") else 1
    total = group = figure = fen = 0
    for char in text.removeprefix("负"):
        if char in FIGURES:
            figure = FIGURES[char]
        elif char in PLACES:
            group, figure = group + figure * PLACES[char], 0
        elif char == "万":
            total, group, figure = total + (group + figure) * 10_000, 0, 0
        elif char == "亿":
            total, group, figure = (total + group + figure) * 100_000_000, 0, 0
        elif char == "元":
            fen, total, group, figure = (total + group + figure) * 100, 0, 0, 0
        elif char in "角分":
            fen, figure = fen + figure * (10 if char == "角" else 1), 0
    return sign * fen


@pytest.mark.parametrize(("amount", "words"), AWKWARD.items())
def test_an_awkward_amount_is_written_as_the_rule_says(amount: str, words: str) -> None:
    assert money.capital(int(amount.replace(".", ""))) == words


@given(st.integers(-999_999_999_999, 999_999_999_999))
def test_what_is_written_reads_back(fen: int) -> None:
    words = money.capital(fen)
    assert read_back(words) == fen
    assert "零零" not in words and "零元" not in words.removeprefix("人民币零元")
    assert words.endswith(("元整", "角整", "分"))
