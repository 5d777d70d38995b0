"""What is found about goods by itself, case by case."""

from datetime import date
from typing import Any

import pytest

from catalog.review import rules
from catalog.review.rules import Goods, Like, Reference

MARKET = Reference(1, True, 1, "白菜", 400, "农贸市场周报", date(2026, 10, 12))
OIL = Reference(1, True, 1, "", 800, "农贸市场周报", date(2026, 10, 12))
CABBAGE: dict[str, Any] = {"name": "白菜", "shelf": "veg", "unit": "斤", "grams_per_unit": 500, "price_fen": 200,
                           "reference": MARKET}


def found(**changes: Any) -> list[str]:
    return [one.code for one in rules.findings(Goods(**{**CABBAGE, **changes}))]


CASES: list[tuple[dict[str, Any], list[str]]] = [
    ({}, []),
    ({"price_fen": 260}, []),  # 5.20 a kilo is 1.3 times the reference
    ({"price_fen": 261}, ["above_reference", "no_voucher"]),
    ({"price_fen": 261, "has_voucher": True}, ["above_reference"]),
    ({"price_fen": 100}, []),
    ({"price_fen": 99}, ["below_reference"]),
    ({"shelf": "oil", "unit": "瓶", "price_fen": 480, "reference": OIL}, []),  # 1.2 times on other shelves
    ({"shelf": "oil", "unit": "瓶", "price_fen": 481, "reference": OIL}, ["above_reference", "no_voucher"]),
    ({"reference": None}, ["no_reference", "no_voucher"]),
    ({"reference": None, "has_voucher": True}, ["no_reference"]),
    ({"unit": "把"}, ["odd_unit"]),
    ({"unit": "枚", "grams_per_unit": 50, "price_fen": 20}, ["unit_of_other_shelf"]),
    ({"unit": "箱", "grams_per_unit": 60_000, "price_fen": 24_000}, ["unit_weight"]),
    ({"unit": "箱", "grams_per_unit": 10_000, "price_fen": 200},
     ["kilo_price", "below_reference"]),  # the price of a 斤 on a box of twenty
    ({"same_goods": [Like("白菜（箱装）", "箱")]}, ["same_goods"]),
    ({"same_picture": [Like("菜心", "斤", "别家")]}, ["same_picture"]),
    ({"own_village": False}, ["origin"]),
    ({"was_returned": True}, ["returned_before"]),
    # goods that are approved already
    ({"approved_fen_per_kg": 900, "price_fen": 450}, []),  # far above the reference, but not dearer than approved
    ({"approved_fen_per_kg": 400, "price_fen": 300}, ["above_reference", "no_voucher"]),
    ({"approved_fen_per_kg": 400, "price_fen": 210, "reference": None}, ["price_raised", "no_voucher"]),
    ({"approved_fen_per_kg": 400, "price_fen": 150, "reference": None}, []),
]


@pytest.mark.parametrize(("changes", "codes"), CASES)
def test_what_is_found(changes: dict[str, Any], codes: list[str]) -> None:
    assert found(**changes) == codes


def test_a_finding_says_what_it_saw() -> None:
    one = rules.findings(Goods(**{**CABBAGE, "price_fen": 300}))[0]
    assert rules.FINDINGS[one.code].text % one.details == "50.0% above the reference price of ¥4.00 per kg"


@pytest.mark.parametrize(("text", "word"), [
    ("救救果农，蜜桔滞销", ("pity", "救救")), ("滞 销 蜜 桔", ("pity", "滞销")),
    ("Please, he is DESPERATE.", ("pity", "desperate")),
    ("滯銷蜜桔", ("pity", "滯銷")), ("可憐果農", ("pity", "可憐")), ("賣不出去", ("pity", "賣不出去")),
    ("滞1销", ("pity", "滞销")), ("滞x销", ("pity", "滞销")), ("特Ａ供蜜桔", ("special", "特供")),
    ("机关特供蜜桔", ("special", "特供")), ("機關專供", ("special", "專供")),
    ("by special supply only", ("special", "special supply")),
    ("脆甜多汁，可放三个月", None), ("Pity-free is one word; tearsheet too", ("pity", "pity")), ("Unsoldered", None),
])
def test_refused_words_are_named(text: str, word: tuple[str, str] | None) -> None:
    assert rules.refused_words({"description": text}) == ({"description": word} if word else {})


def reference(division: int, category: int, word: str, fen: int, county: bool = True) -> Reference:
    return Reference(division, county, category, word, fen, "周报", date(2026, 10, 12))


def test_the_reference_that_fits_best() -> None:
    county, city, leaf, veg = 7, 1, 20, 10
    known = [reference(city, leaf, "白菜", 1, county=False), reference(county, veg, "", 2),
             reference(county, leaf, "", 3), reference(county, leaf, "白菜", 4), reference(8, leaf, "白菜", 5),
             reference(county, leaf, "小白菜", 6), reference(county, 99, "白菜", 7)]
    def best(some: list[Reference], names: str) -> int | None:
        one = rules.best_reference(some, county, city, (leaf, veg), names)
        return one.fen_per_kg if one else None
    assert best(known, "高山白菜") == 4
    assert best(known, "小白菜") == 6
    assert best(known, "菜心") == 3
    assert best(known[:2], "菜心") == 2
    assert best(known[:1], "白菜") == 1
    assert best(known[:1], "菜心") is None


@pytest.mark.parametrize(("one", "other", "same"), [
    ("江永香柚", "江永香柚（礼箱装）", True), ("江永香柚", "江永香柚5斤装", True),
    ("香芋", "香柚", False), ("5斤装", "5斤装", True),
])
def test_packing_does_not_make_other_goods(one: str, other: str, same: bool) -> None:
    assert (rules.plain_name(one) == rules.plain_name(other)) is same
