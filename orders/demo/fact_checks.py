"""What must hold between the fact files: each check names every row that breaks its rule."""

import re
from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator

from orders.demo.fact_rows import Category, Facts, Good, Person, Unit, half_up

SEASONS = {"spring": (3, 4, 5), "summer": (6, 7, 8), "autumn": (9, 10, 11), "winter": (12, 1, 2)}
UNIT_TYPES = ("agency", "school", "hospital", "enterprise")
COOP_TYPES = ("cooperative", "family_farm")
OFFICE_KINDS = ("village", "township", "agriculture", "revitalisation", "finance", "city", "platform")
RECEIVING_SCHEMES = ("two_receivers", "reduced")
FUND_SOURCES = ("canteen", "union", "staff")
SUPPLIES = ("stocked", "daily")
WEIGHT_UNITS = {"斤": 500, "公斤": 1000}
UNIT_ROLES = ("requester", "approver", "receiver", "finance", "leader", "contractor", "manager")
COOP_ROLES = ("manager", "clerk", "accountant")
OFFICE_ROLES = ("village_officer", "township_officer", "official", "auditor",
                "operator_system", "operator_security", "operator_audit")
PICTURES = (
    "pomelo", "taro", "ginger", "rice", "shiitake", "wood-ear", "tea", "soybean", "chilli", "radish", "cabbage",
    "leafy-greens", "hairy-gourd", "orange", "tangerine", "goose", "chicken", "duck", "pork", "egg", "camellia-oil",
    "cucumber", "tomato",
    "potato", "sweet-potato", "pumpkin", "peanut", "honey")
FARM_GATE_PERCENT = (45, 75)  # of the price per kg: what is left pays packing, transport, loss and the co-operative
PHONE = re.compile(r"1390000\d{4}")
LOGIN = re.compile(r"[a-z0-9]+\.[a-z0-9-]+")
Problems = Iterator[str]


def problems(facts: Facts) -> list[str]:
    """Every rule that a row breaks, as sentences; none when the world is sound."""
    return [problem for check in CHECKS for problem in check(facts)]


def categories(facts: Facts) -> Problems:
    parents = {category.parent for category in facts.categories.values()}
    used = {good.category for good in facts.goods.values()}
    for category in facts.categories.values():
        yield from category_alone(facts, category)
        if category.code not in parents and category.code not in used:
            yield f"category {category.code}: nothing is sold in it"


def category_alone(facts: Facts, category: Category) -> Problems:
    if category.parent and category.parent not in facts.categories:
        yield f"category {category.code}: no parent {category.parent}"
    elif category.parent and facts.categories[category.parent].parent:
        yield f"category {category.code}: deeper than two levels"
    if category.perishability_days < 1:
        yield f"category {category.code}: keeps no day"


def goods(facts: Facts) -> Problems:
    leaves = facts.categories.keys() - {category.parent for category in facts.categories.values()}
    for good in facts.goods.values():
        coop = facts.coops.get(good.coop_key)
        if good.category not in leaves:
            yield f"good {good.key}: {good.category} is no leaf category"
        if coop is None or coop.county_code != good.county_code:
            yield f"good {good.key}: no co-operative {good.coop_key} in county {good.county_code}"
        if good.supply not in SUPPLIES:
            yield f"good {good.key}: unknown supply {good.supply}"
        if good.picture and good.picture not in PICTURES:
            yield f"good {good.key}: unknown picture {good.picture}"
        yield from measures(good)
        yield from prices(good)


def measures(good: Good) -> Problems:
    if good.by_weight != (good.unit in WEIGHT_UNITS):
        yield f"good {good.key}: {good.unit} and by_weight disagree"
    if good.grams_per_unit != WEIGHT_UNITS.get(good.unit, good.grams_per_unit) or good.grams_per_unit < 1:
        yield f"good {good.key}: a {good.unit} does not weigh {good.grams_per_unit} g"
    if good.step_milli < 1 or good.minimum_milli < good.step_milli or good.minimum_milli % good.step_milli:
        yield f"good {good.key}: minimum {good.minimum_milli} is not in steps of {good.step_milli}"
    if not good.by_weight and good.step_milli % 1000:
        yield f"good {good.key}: half a {good.unit} cannot be sold"


def prices(good: Good) -> Problems:
    low, high = FARM_GATE_PERCENT
    if good.price_fen < 1 or good.grams_per_unit < 1:
        yield f"good {good.key}: costs nothing or weighs nothing"
    elif not low * good.price_fen_per_kg <= 100 * good.farm_gate_fen_per_kg <= high * good.price_fen_per_kg:
        yield (f"good {good.key}: farm gate {good.farm_gate_fen_per_kg} is not {low} to {high} %"
               f" of {good.price_fen_per_kg} fen a kg")


def processed(facts: Facts) -> Problems:
    for good in facts.goods.values():
        if bool(good.processed_from) != bool(good.yield_percent):
            yield f"good {good.key}: an input and a yield come together"
        elif good.processed_from:
            yield from made_of(good, facts.goods.get(good.processed_from))


def made_of(good: Good, raw: Good | None) -> Problems:
    """The growers get per kg of the product what they got for the input that went into it."""
    if raw is None or raw.processed_from or raw.coop_key != good.coop_key:
        yield f"good {good.key}: {good.processed_from} is no raw good of the same co-operative"
    elif good.farm_gate_fen_per_kg != half_up(raw.farm_gate_fen_per_kg * 100, good.yield_percent):
        yield f"good {good.key}: farm gate does not follow from {raw.key} at {good.yield_percent} %"


def sources(facts: Facts) -> Problems:
    real = {f"real:{key}" for key in facts.sources}
    for good in facts.goods.values():
        if good.origin_source not in real | {"known", "invented"}:
            yield f"good {good.key}: origin from unknown source {good.origin_source}"
        for source in (good.price_source, good.farm_gate_source):
            if source not in real | {"invented"}:
                yield f"good {good.key}: price from unknown source {source}"


def coops(facts: Facts) -> Problems:
    for coop in facts.coops.values():
        if coop.type not in COOP_TYPES:
            yield f"co-operative {coop.key}: unknown type {coop.type}"
        if not PHONE.fullmatch(coop.phone):
            yield f"co-operative {coop.key}: {coop.phone} could be somebody's phone"
        if not 0 <= coop.collective_basis_points <= 1000:
            yield f"co-operative {coop.key}: collective share over a tenth"
        if not 2 <= len(coop.supplying_village_codes) <= 4:
            yield f"co-operative {coop.key}: needs 2 to 4 villages beside its own"
        if not any(office.kind == "village" and office.division_code == coop.home_village_code
                   for office in facts.offices.values()):
            yield f"co-operative {coop.key}: nobody at the village can confirm its lots"
        for code in coop.village_codes:
            if division_level(facts, code) != "village" or code[:6] != coop.county_code:
                yield f"co-operative {coop.key}: {code} is no village of county {coop.county_code}"


def villages(facts: Facts) -> Problems:
    served = Counter(code for coop in facts.coops.values() for code in coop.village_codes)
    for code in served.keys() ^ facts.villages.keys():
        yield f"village {code}: in only one of coops.csv and villages.csv"
    for code, times in served.items():
        if times > 1:
            yield f"village {code}: belongs to {times} co-operatives"
    for village in facts.villages.values():
        if village.code not in facts.divisions or facts.divisions[village.code].name != village.name:
            yield f"village {village.code}: the divisions do not call it {village.name}"
        if bool(village.designated_from) != bool(village.lifted_year) or village.lifted_year > 2020:
            yield f"village {village.code}: designation must end by 2020"


def units(facts: Facts) -> Problems:
    for unit in facts.units.values():
        if unit.type not in UNIT_TYPES or unit.receiving_scheme not in RECEIVING_SCHEMES:
            yield f"unit {unit.key}: unknown type or receiving scheme"
        if division_level(facts, unit.county_code + "000000") != "county":
            yield f"unit {unit.key}: no county {unit.county_code}"
        if not set(unit.fund_mix) <= set(FUND_SOURCES) or sum(unit.fund_mix.values()) != 100:
            yield f"unit {unit.key}: funds do not make 100 %"
        if unit.people < 1 or unit.weekly_budget_yuan < 1:
            yield f"unit {unit.key}: nobody eats or nothing is spent"
        yield from four_eyes(unit, facts.people_of(unit.key))


def four_eyes(unit: Unit, staff: list[Person]) -> Problems:
    """Requester, approver, receivers and payer are different people, but for a reduced scheme's second receiver."""
    requesters, approvers, receivers, payers = (
        {person.login for person in staff if role in person.roles} for role in UNIT_ROLES[:4])
    if not (requesters and approvers and payers and len(receivers) >= 2):
        yield f"unit {unit.key}: a role is empty"
    if approvers & (requesters | receivers | payers) or payers & (requesters | receivers):
        yield f"unit {unit.key}: approver or payer does a second step"
    if unit.receiving_scheme == "two_receivers" and requesters & receivers:
        yield f"unit {unit.key}: a requester receives"


def offices(facts: Facts) -> Problems:
    for office in facts.offices.values():
        if office.kind not in OFFICE_KINDS or office.division_code not in facts.divisions:
            yield f"office {office.key}: unknown kind {office.kind} or division {office.division_code}"
    for key in facts.coops.keys() | facts.units.keys() | facts.offices.keys():
        if (key in facts.coops) + (key in facts.units) + (key in facts.offices) > 1:
            yield f"organisation {key}: the key is used twice"
        if not facts.people_of(key):
            yield f"organisation {key}: nobody acts for it"


def people(facts: Facts) -> Problems:
    roles_in: list[tuple[Container[str], tuple[str, ...]]] = [
        (facts.units, UNIT_ROLES), (facts.coops, COOP_ROLES), (facts.offices, OFFICE_ROLES)]
    for person in facts.people.values():
        allowed = next((roles for keys, roles in roles_in if person.organisation in keys), ())
        if not LOGIN.fullmatch(person.login):
            yield f"person {person.login}: not a login like cook.chen"
        if not person.roles or not set(person.roles) <= set(allowed):
            yield f"person {person.login}: no {'|'.join(person.roles)} in {person.organisation}"


def menus(facts: Facts) -> Problems:
    for line in facts.menus:
        where = f"menu {line.unit_type} {line.season} {line.goods_key}"
        good = facts.goods.get(line.goods_key)
        if line.unit_type not in UNIT_TYPES or line.season not in SEASONS or good is None:
            yield f"{where}: unknown unit type, season or good"
        elif good.category in facts.categories and not set(SEASONS[line.season]) & set(facts.sale_months(good)):
            yield f"{where}: not on sale in that season"
        if not line.weekdays or not set(line.weekdays) <= set(range(1, 8)) or line.quantity_milli_per_100 < 1:
            yield f"{where}: no weekday or no quantity"
    for line_key, times in Counter((line.unit_type, line.season, line.goods_key) for line in facts.menus).items():
        if times > 1:
            yield f"menu {' '.join(line_key)}: {times} times"


def division_level(facts: Facts, code: str) -> str:
    return facts.divisions[code].level if code in facts.divisions else ""


CHECKS: Iterable[Callable[[Facts], Problems]] = (
    categories, goods, processed, sources, coops, villages, units, offices, people, menus)
