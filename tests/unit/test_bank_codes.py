"""Numbers are found in whatever people make of them, and nothing else is taken for one."""

import string
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders import numbers
from orders.banking import codes
from orders.banking.codes import Known

A, B, D = "S261103-7KQ2M9X", "S261104-TVB58ZS", "D261101-QQ3W4RT"
KNOWN = Known([A, B, D])
LOOKS = {"S": "SsＳѕЅ5", "D": "DdＤ", "0": "0０OoОо", "1": "1１lIі", "2": "2２Zz", "5": "5Ss", "8": "8B８",
         "B": "BbВＢ",
         "K": "KkКκ", "M": "MmМ", "X": "XxХхＸ", "T": "TtТ", "Q": "QqＱ", "7": "7７", "9": "9９", "Z": "ZzＺ"}
HYPHENS = ["-", "–", "—", "－", "‐", "−", "", " - ", "—— ", "_", " ", "\n", "一"]


@pytest.mark.parametrize("text", [
    "S261103-7KQ2M9X", "货款S261103-7KQ2M9X请查收", "s261103-7kq2m9x", "Ｓ２６１１０３－７ＫＱ２Ｍ９Ｘ",
    "S261103 — 7KQ2M9X",
    "S2611О3-7KQ2M9X", "S2611O3-7KQ2M9X", "S26ll03-7KQ2M9X", "S261103\n7KQ2\nM9X", "S 2 6 1 1 0 3 7 K Q 2 M 9 X",
    "S2611037KQ2M9X", "5261103-7KQ2M9X", "订单号:261103-7KQ2M9X", "S261103.7KQ2M9X。", "S261103-7KQZM9X",
    "S261103-\u200b7KQ2M9X", "S261103一7KQ2M9X", "620000123S261103-7KQ2M9X00", "付S26I103-7КQ2М9Х",
])
def test_a_number_is_found_in_spite_of(text):
    assert KNOWN.find(text) == [A]


@pytest.mark.parametrize("text", [
    "", "货款", "S261103", "7KQ2M9X", "S261103-7KQ2M9", "S261103-7KQ2M9Y", "S261102-7KQ2M9X", "D261103-7KQ2M9X",
    "2026110320261103202611032026", "S269903-7KQ2M9X", "S261103-7KQ2M中9X", "0" * 3000,
])
def test_nothing_else_is_one(text):
    assert KNOWN.find(text) == []


def test_several_numbers_in_their_order_each_once():
    assert KNOWN.find(f"付{B}、{A}和{B}，对账单{D}") == [B, A, D]
    assert KNOWN.find(A + B) == [A, B]
    assert KNOWN.find((A + B).replace("-", "").lower()) == [A, B]


def test_what_may_be_two_numbers_is_none_but_one_that_is_written_out_is_that_one():
    twins = Known(["S261103-5KQ2M9X", "S261103-SKQ2M9X"])
    assert twins.find("S261103-5KQ2M9X") == ["S261103-5KQ2M9X"]
    assert twins.find("S261103-$KQ2M9X") == []
    assert twins.find("S261103-SKQ2M9X") == ["S261103-SKQ2M9X"]


@pytest.mark.parametrize("text", ["S261103-7KQ2M9", "S261103-7KQ2MM9X", "S261103-7KQ3M9X", "S261108-7KQ2M9X",
                                  "付261103—7K2M9X"])
def test_one_wrong_character_is_suggested_and_never_found(text):
    assert KNOWN.near(text) == [A]
    assert KNOWN.find(text) == []


def test_what_is_found_is_not_suggested():
    assert KNOWN.near(A) == []
    assert KNOWN.near("S261103-7KXXM9X") == []


def test_the_way_to_look_numbers_up():
    assert "S261103" in codes.days(["货款Ｓ2611О3—7kq2m9x"])
    assert codes.days(["电费", ""]) == set()


tails = st.text(numbers.ALPHABET, min_size=7, max_size=7)
days = st.dates(date(2020, 1, 1), date(2039, 12, 31))
written = st.builds(lambda letter, day, tail: f"{letter}{day:%y%m%d}-{tail}", st.sampled_from("SD"), days, tails)
chinese = st.text("货款付请查收伙食费十月，。（）", max_size=8)


@st.composite
def mangled(draw, number):
    """A number as a person or a form may leave it: look-alikes, spaces, line breaks, any hyphen or none."""
    shown = ""
    for at, character in enumerate(number.replace("-", "")):
        if at == 7:
            shown += draw(st.sampled_from(HYPHENS))
        looks = LOOKS.get(character, character + character.lower())
        shown += draw(st.sampled_from(looks if at < 7 else [c for c in looks if codes.plain(c) == character]))
        shown += draw(st.sampled_from(["", "", "", "", " ", "\n", "\u3000"]))
    return draw(chinese) + shown + draw(chinese)


@given(st.data(), st.lists(written, min_size=1, max_size=5, unique=True))
def test_any_number_is_found_and_only_it(data, given_numbers):
    number = data.draw(st.sampled_from(given_numbers))
    assert Known(given_numbers).find(data.draw(mangled(number))) == [number]


@given(st.data(), st.lists(written, min_size=2, max_size=4, unique=True))
def test_two_numbers_of_one_text_are_both_found(data, given_numbers):
    first, second = given_numbers[:2]
    text = data.draw(mangled(first)) + "，" + data.draw(mangled(second))
    assert Known(given_numbers).find(text) == [first, second]


@given(st.text(max_size=60), st.lists(written, max_size=3))
def test_any_text_is_borne(text, given_numbers):
    found = Known(given_numbers).find(text)
    assert set(found) <= set(given_numbers)
    assert set(Known(given_numbers).near(text)) <= set(given_numbers)
    assert all(day[0] in "SD" and day[1:].isdigit() for day in codes.days([text]))


@given(written, st.integers(0, 13), st.sampled_from(string.ascii_uppercase + string.digits))
def test_a_number_with_one_character_changed_is_near_or_the_same(number, at, character):
    body = number.replace("-", "")
    changed = body[:at] + character + body[at + 1:]
    known = Known([number])
    assert known.find(changed) == [number] or known.near(changed) == [number]
