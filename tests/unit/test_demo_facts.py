"""The demo world's facts hold together, and a row that does not is refused by name."""

import re
import shutil
from collections import Counter
from pathlib import Path

import pytest

from market.households import CLASSES
from market.parties import OFFICE_KINDS, ROLES, SUPPLIER_TYPES, UNIT_TYPES
from orders.demo import fact_checks
from orders.demo.fact_rows import Facts
from orders.demo.facts import FACTS, FactsError, load
from orders.demo.households import DemoHousehold, households

COUNTIES = {"431102", "431103", "431122", "431123", "431124", "431125", "431126", "431127", "431128", "431129",
            "431181"}


@pytest.fixture(scope="module")
def facts() -> Facts:
    return load()


@pytest.fixture(scope="module")
def families(facts: Facts) -> tuple[DemoHousehold, ...]:
    return households(facts)


def test_the_world_is_wide_enough(facts: Facts) -> None:
    assert len(facts.goods) >= 72
    assert len(facts.coops) >= 14
    assert len({good.county_code for good in facts.goods.values()} & COUNTIES) == 11
    assert min(len(facts.goods_of(coop)) for coop in facts.coops) >= 3
    assert len([category for category in facts.categories.values() if not category.parent]) >= 10
    assert len([category for category in facts.categories.values() if category.parent]) >= 25
    assert len([good for good in facts.goods.values() if good.processed_from]) >= 4


def test_every_kind_of_unit_has_six_and_four_seasons_of_menus(facts: Facts) -> None:
    kinds = Counter(unit.type for unit in facts.units.values())
    assert set(kinds) == set(fact_checks.UNIT_TYPES)
    assert min(kinds.values()) >= 6
    for kind in kinds:
        for season in fact_checks.SEASONS:
            assert len(list(facts.menu(kind, season))) >= 15, (kind, season)


def test_the_dearest_weekly_menu_fits_every_canteens_budget(facts: Facts) -> None:
    for unit in facts.units.values():
        for season in fact_checks.SEASONS:
            cost_fen_per_100 = sum(
                facts.goods[line.goods_key].price_fen * line.quantity_milli_per_100 * len(line.weekdays) / 1000
                for line in facts.menu(unit.type, season))
            assert cost_fen_per_100 * unit.people / 100 <= unit.weekly_budget_yuan * 100, (unit.key, season)


def test_the_real_prices_are_those_of_their_sources(facts: Facts) -> None:
    real = {(good.key, source) for good in facts.goods.values()
            for source in (good.price_source, good.farm_gate_source) if source != "invented"}
    assert real == {("pomelo", "real:pomelo17"), ("bitter-tea-top", "real:tea"), ("jie-gourd-export", "real:xt24")}
    assert facts.goods["pomelo"].farm_gate_fen_per_kg == 2 * 260  # 2.6 yuan a jin
    assert facts.goods["bitter-tea-top"].price_fen_per_kg == 110_000
    assert facts.goods["jie-gourd-export"].price_fen_per_kg == 2_000


def test_growers_get_less_than_the_price_and_processing_passes_their_part_on(facts: Facts) -> None:
    assert all(0 < good.farm_gate_fen_per_kg < good.price_fen_per_kg for good in facts.goods.values())
    assert facts.goods["camellia-seed"].farm_gate_fen_per_kg == 1680
    assert facts.goods["camellia-oil"].farm_gate_fen_per_kg == 6000  # 28 % of the seed's weight becomes oil


def test_stored_goods_sell_after_harvest_and_daily_goods_only_in_it(facts: Facts) -> None:
    assert facts.sale_months(facts.goods["pomelo"]) == (1, 2, 10, 11, 12)
    assert facts.sale_months(facts.goods["eggplant"]) == (5, 6, 7, 8, 9, 10)


def test_the_showcase_school_has_its_six_people(facts: Facts) -> None:
    school = next(unit for unit in facts.units.values() if unit.type == "school")
    assert school.name == "永州演示第一小学"
    cooks = [(p.login, p.name) for p in facts.people_of(school.key) if "requester" in p.roles]
    assert cooks == [("cook.chen", "陈师傅")]
    assert Counter(role for p in facts.people_of(school.key) for role in p.roles) == {
        "requester": 1, "approver": 1, "receiver": 2, "finance": 1, "manager": 1}


def test_every_co_operative_has_a_manager_a_clerk_and_a_village_officer(facts: Facts) -> None:
    for coop in facts.coops.values():
        assert {role for person in facts.people_of(coop.key) for role in person.roles} - {"accountant"} == {
            "manager", "clerk"}
        village, = (office for office in facts.offices.values()
                    if office.kind == "village" and office.division_code == coop.home_village_code)
        assert [person.roles for person in facts.people_of(village.key)] == [("village_officer",)]


def test_the_words_are_those_of_the_market() -> None:
    assert set(fact_checks.UNIT_TYPES) <= set(UNIT_TYPES)
    assert set(fact_checks.COOP_TYPES) <= set(SUPPLIER_TYPES)
    assert set(fact_checks.OFFICE_KINDS) <= set(OFFICE_KINDS)
    for kind, roles in (("unit", fact_checks.UNIT_ROLES), ("supplier", fact_checks.COOP_ROLES),
                        ("office", fact_checks.OFFICE_ROLES)):
        assert set(roles) <= set(ROLES[kind])


def test_households_are_clearly_invented_and_the_same_every_time(
        facts: Facts, families: tuple[DemoHousehold, ...]) -> None:
    assert families == households(facts)
    per_village = Counter(family.village_code for family in families)
    assert per_village.keys() == facts.villages.keys()
    assert all(6 <= count <= 14 for count in per_village.values())
    assert all(1 <= family.people <= 6 for family in families)
    registered = [family for family in families if family.register_code]
    assert all(re.fullmatch(rf"DEMO-{family.village_code[:6]}-\d{{4}}", family.register_code) for family in registered)
    assert len({family.register_code for family in registered}) == len(registered)
    assert len({(family.coop_key, family.member_no) for family in families}) == len(families)
    assert {name for family in families for name in family.class_by_year.values()} == set(CLASSES)
    assert not any(family.class_by_year for family in families if not family.register_code)


@pytest.mark.parametrize(("file", "old", "new", "complaint"), [
    ("goods.csv", ",jy-pomelo,stocked", ",nobody,stocked", "no co-operative nobody"),
    ("goods.csv", ",citrus,431125,", ",fruit,431125,", "fruit is no leaf category"),
    ("goods.csv", '"10,11,12",398', '"10,11,13",398', "months '10,11,13' are outside 1 to 12"),
    ("goods.csv", ",398,520,", ",398,620,", "farm gate 620 is not 45 to 75 %"),
    ("goods.csv", ",52800,6000,", ",52800,6001,", "farm gate does not follow from camellia-seed"),
    ("goods.csv", "real:pomelo17", "real:hearsay", "price from unknown source real:hearsay"),
    ("goods.csv", ",斤,jin,500,1,10000", ",斤,jin,600,1,10000", "a 斤 does not weigh 600 g"),
    ("coops.csv", "431125105208", "431129110202", "is no village of county 431125"),
    ("coops.csv", "13900001001", "13807460001", "could be somebody's phone"),
    ("villages.csv", "槐木村委会", "槐花村委会", "the divisions do not call it 槐花村委会"),
    ("villages.csv", "431125105210", "431125105999", "in only one of"),
    ("units.csv", "canteen:85|union:10|staff:5", "canteen:85|union:10|staff:6", "funds do not make 100 %"),
    ("people.csv", "李校长,school-1,approver", "李校长,school-1,approver|receiver",
     "approver or payer does a second step"),
    ("people.csv", "陈师傅,school-1,requester", "陈师傅,school-1,cook", "no cook in school-1"),
    ("menus.csv", "school,winter,radish", "school,summer,radish", "menu school summer radish: not on sale"),
    ("categories.csv", "pod,豆荚类,Pods,veg,4", "pod,豆荚类,Pods,veg,four", "categories.csv line"),
    ("people.csv", "cook.chen,陈师傅,", "cook.chen,,", "people.csv line 2: no name"),
    ("people.csv", "cook.chen,陈师傅,", "cook.chen,陈师傅,食堂,", "people.csv line 2: more cells than columns"),
    ("sources.csv", "key,address,says", "key,address,said", "header is"),
    ("people.csv", "head.li,", "cook.chen,", "login cook.chen twice"),
])
def test_a_row_that_breaks_a_rule_is_refused_by_name(
        tmp_path: Path, file: str, old: str, new: str, complaint: str) -> None:
    folder = tmp_path / "facts"
    shutil.copytree(FACTS, folder)
    text = (folder / file).read_text(encoding="utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(FactsError, match=re.escape(complaint)):
        load(folder)
