"""A text as it stands in a chat or a spreadsheet, cut into goods and quantities: cases, and what holds for any text."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orders.ordering import amounts, numerals, parsing
from orders.ordering.amounts import Sold

UNCLEAR = "?"
NOTHING = None
# text: [(word, thousandths, unit)]; UNCLEAR where a number may be read in two ways
CASES = {
    # as it stands in a chat
    "土豆50斤 白菜30": [("土豆", 50_000, "斤"), ("白菜", 30_000, "")],
    "土豆50斤白菜30斤鸡蛋2箱": [("土豆", 50_000, "斤"), ("白菜", 30_000, "斤"), ("鸡蛋", 2_000, "箱")],
    "白菜30萝卜20": [("白菜", 30_000, ""), ("萝卜", 20_000, "")],
    "白菜 30斤、萝卜20": [("白菜", 30_000, "斤"), ("萝卜", 20_000, "")],
    "土豆 50 斤": [("土豆", 50_000, "斤")],
    "土豆：50斤；白菜：30公斤": [("土豆", 50_000, "斤"), ("白菜", 30_000, "公斤")],
    "土豆x50，白菜*30斤": [("土豆", 50_000, ""), ("白菜", 30_000, "斤")],
    "土豆\n50斤": [("土豆", NOTHING, ""), ("", 50_000, "斤")],
    "土豆50斤\r\n白菜30斤": [("土豆", 50_000, "斤"), ("白菜", 30_000, "斤")],
    "土豆50斤/白菜30斤": [("土豆", 50_000, "斤"), ("白菜", 30_000, "斤")],
    "土豆,50斤,白菜,30斤": [("土豆", 50_000, "斤"), ("白菜", 30_000, "斤")],
    "土豆，50，斤": [("土豆", 50_000, "斤")],
    "土豆、白菜各30斤": [("土豆", 30_000, "斤"), ("白菜", 30_000, "斤")],
    # the quantity first
    "50斤土豆，30斤白菜": [("土豆", 50_000, "斤"), ("白菜", 30_000, "斤")],
    "五十斤土豆、两箱鸡蛋": [("土豆", 50_000, "斤"), ("鸡蛋", 2_000, "箱")],
    "白菜、50斤土豆": [("白菜", NOTHING, ""), ("土豆", 50_000, "斤")],
    # numbers
    "土豆２．５公斤": [("土豆", 2_500, "公斤")],
    "土豆２０斤　白菜３０": [("土豆", 20_000, "斤"), ("白菜", 30_000, "")],
    "八角半斤": [("八角", 500, "斤")],
    "生姜两斤半": [("生姜", 2_500, "斤")],
    "生姜三斤二两": [("生姜", 3_200, "斤")],
    "四季豆一百二十斤": [("四季豆", 120_000, "斤")],
    "大米一百二斤": [("大米", 120_000, "斤")],
    "土豆0.5斤": [("土豆", 500, "斤")],
    "土豆1,000斤": [("土豆", UNCLEAR, "")],
    "土豆50-60斤": [("土豆", UNCLEAR, "")],
    "鸡蛋3~5箱": [("鸡蛋", UNCLEAR, "")],
    "大米1/2袋": [("大米", UNCLEAR, "")],
    "土豆1.2345斤": [("土豆", UNCLEAR, "")],
    "土豆007斤": [("土豆", UNCLEAR, "")],
    # names with digits, numerals and brackets in them
    "五花肉20斤": [("五花肉", 20_000, "斤")],
    "三文鱼2条": [("三文鱼", 2_000, "条")],
    "千张5斤": [("千张", 5_000, "斤")],
    "两头乌20斤": [("两头乌", 20_000, "斤")],
    "三只松鼠2盒": [("三只松鼠", 2_000, "盒")],
    "大米5斤装10袋": [("大米5斤装", 10_000, "袋")],
    "2斤装大米 5袋": [("2斤装大米", 5_000, "袋")],
    "大米10斤/袋 5袋": [("大米10斤/袋", 5_000, "袋")],
    "食用油5kg*4 2箱": [("食用油5kg*4", 2_000, "箱")],
    "食用油5L 2桶": [("食用油5L", 2_000, "桶")],
    "5号粉3袋": [("5号粉", 3_000, "袋")],
    "腐竹7-8级3包": [("腐竹7-8级", 3_000, "包")],
    "A4纸2包": [("A4纸", 2_000, "包")],
    "鸡蛋（30枚）2盒": [("鸡蛋（30枚）", 2_000, "盒")],
    "大米(10斤)5袋": [("大米(10斤)", 5_000, "袋")],
    "鸡蛋(2箱": [("鸡蛋(", 2_000, "箱")],
    # Latin letters
    "tudou50斤 bc30": [("tudou", 50_000, "斤"), ("bc", 30_000, "")],
    "tu dou 50斤": [("tu dou", 50_000, "斤")],
    "Chinese cabbage 30 kg, potatoes 20KG": [("Chinese cabbage", 30_000, "kg"), ("potatoes", 20_000, "kg")],
    "ginger 2": [("ginger", 2_000, "")],
    "P12 50斤": [("P12", 50_000, "斤")],
    "土豆5斤 #12 50斤": [("土豆", 5_000, "斤"), ("#12", 50_000, "斤")],
    # spreadsheets
    "土豆\t50\t斤": [("土豆", 50_000, "斤")],
    "1\t土豆\t50\t斤\t2.00\n2\t白菜\t30\t斤\t1.50": [("土豆", 50_000, "斤"), ("白菜", 30_000, "斤")],
    "品名\t数量\t单位\n土豆\t50\t公斤": [("土豆", 50_000, "公斤")],
    "50\t土豆": [("土豆", 50_000, "")],
    "02000000000077\t50": [("02000000000077", 50_000, "")],
    "土豆50斤\t": [("土豆", 50_000, "斤")],
    "土豆\t": [("土豆", NOTHING, "")],
    # what is not understood stays
    "土豆 白菜 鸡蛋": [("土豆", NOTHING, ""), ("白菜", NOTHING, ""), ("鸡蛋", NOTHING, "")],
    "50斤": [("", 50_000, "斤")],
    "土豆50斤2.5元": [("土豆", 50_000, "斤"), ("2.5元", NOTHING, "")],
    "土豆几斤": [("土豆几斤", NOTHING, "")],
    "，。；": [],
    "": [],
}


@pytest.mark.parametrize("text", CASES)
def test_a_text_is_cut_into_goods_and_quantities(text: str) -> None:
    pieces = parsing.parse(text)
    assert "".join(piece.text for piece in pieces) == text
    assert [(piece.word, UNCLEAR if piece.is_unclear else piece.milli, piece.unit)
            for piece in parsing.items(pieces)] == CASES[text]


BITS = st.sampled_from(["土豆", "白菜", "五花肉", "50", "３０", "半", "两", "百", "斤", "公斤", "箱", "kg", "装",
                        "/", "*", "各", "（", "）", "(", ",", "、", "。", "\t", "\n", "\r", " ", "\u3000", "x", "g",
                        "A", "-", ".", "1,000"])


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(max_size=80), st.lists(BITS, max_size=30).map("".join)))
def test_no_text_breaks_it_and_no_character_is_lost(text: str) -> None:
    pieces = parsing.parse(text)
    assert "".join(piece.text for piece in pieces) == text
    assert all(piece.text and (piece.milli is None or piece.milli >= 0) for piece in pieces)


@pytest.mark.timeout(20)
def test_a_long_text_is_cut_quickly() -> None:
    for text in ("土豆50斤" * 4_000, "5" * 20_000, "（" * 20_000, "半" * 20_000, "1,000" * 4_000, " " * 20_000,
                 "\t" * 20_000, "5-" * 10_000, "1." * 10_000, f"x{'要' * 19_998}x"):
        pieces = parsing.parse(text)
        assert "".join(piece.text for piece in pieces) == text
        assert all(piece.readings for piece in parsing.items(pieces) if piece.word)


def test_words_have_more_readings() -> None:
    assert parsing.items(parsing.parse("我要土豆50斤"))[0].readings == ("我要土豆", "土豆")
    assert parsing.items(parsing.parse("来凤姜5斤"))[0].readings[0] == "来凤姜"


@pytest.mark.parametrize(("text", "milli"), [
    ("十", 10_000), ("十二", 12_000), ("二十", 20_000), ("两百", 200_000), ("一千零五", 1_005_000),
    ("一万二", 12_000_000), ("三百五十六", 356_000), ("零", 0), ("二三", None), ("百", None), ("十十", None),
    ("半斤", None), ("", None), ("1.", None), ("٣", None), ("1" * 13, None), ("万", None), ("一百千", None)])
def test_numbers_are_read_as_people_say_them(text: str, milli: int | None) -> None:
    assert numerals.thousandths(text) == milli


POMELO = Sold("香柚", "箱", "box", 10_000, 1_000, 1_000)
CABBAGE = Sold("白菜", "斤", "jin", 500, 5_000, 1_000)


@pytest.mark.parametrize(("said", "word", "good", "milli"), [
    (50_000, "斤", CABBAGE, 50_000), (50_000, "", CABBAGE, 50_000), (25_000, "公斤", CABBAGE, 50_000),
    (25_000, "kg", CABBAGE, 50_000), (100_000, "斤", POMELO, 5_000), (2_000, "箱", POMELO, 2_000),
    (2_000, "box", POMELO, 2_000), (50_000, "两", CABBAGE, 5_000)])
def test_quantities_become_those_of_the_good_exactly(said: int, word: str, good: Sold, milli: int) -> None:
    assert amounts.milli_of(said, word, good) == milli


@pytest.mark.parametrize(("said", "word", "good", "nearest"), [
    (30_000, "斤", POMELO, 1_000), (50_000, "斤", POMELO, 2_000), (5_300, "", CABBAGE, 5_000),
    (2_000, "斤", CABBAGE, 5_000),
    (1_000, "克", CABBAGE, 5_000)])
def test_what_falls_between_two_steps_is_refused_with_the_nearest(said, word, good, nearest) -> None:
    with pytest.raises(amounts.NotExpressible) as refused:
        amounts.milli_of(said, word, good)
    assert refused.value.nearest_milli == nearest


def test_boxes_are_no_jin() -> None:
    with pytest.raises(amounts.OtherUnit):
        amounts.milli_of(3_000, "箱", CABBAGE)
