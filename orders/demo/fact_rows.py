"""The rows of the demo world's fact files: one dataclass per file, its fields the columns of the file."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NewType

Words = tuple[str, ...]  # 'a|b|c' in a file
Numbers = tuple[int, ...]  # '1,3,5' in a file
Months = NewType("Months", str)  # 'all' or '10,11,12', kept as it stands
Shares = dict[str, int]  # 'canteen:85|union:15' in a file

ALL_MONTHS = tuple(range(1, 13))


@dataclass(frozen=True)
class Division:
    """A province, city, county, township or village by its 12-digit code."""

    code: str
    level: str
    parent_code: str
    name: str


@dataclass(frozen=True)
class Source:
    """A public page from which a real fact was taken."""

    key: str
    address: str
    says: str


@dataclass(frozen=True)
class Category:
    """A kind of goods; `perishability_days` is how long it keeps in a canteen's or co-operative's store."""

    code: str
    name_zh: str
    name_en: str
    parent: str
    perishability_days: int
    sort: int


@dataclass(frozen=True)
class Good:
    """A product; prices are fen per sales unit, the farm-gate price fen per kg of this product."""

    key: str
    name_zh: str
    name_en: str
    aliases: Words
    category: str
    county_code: str
    coop_key: str
    supply: str
    unit: str
    unit_en: str
    grams_per_unit: int
    by_weight: bool
    minimum_milli: int
    step_milli: int
    harvest_months: Months
    price_fen: int
    farm_gate_fen_per_kg: int
    origin_source: str
    price_source: str
    farm_gate_source: str
    picture: str
    certified: bool
    description_zh: str
    description_en: str
    processed_from: str
    yield_percent: int

    @property
    def months(self) -> Numbers:
        """The months (1 to 12) in which it is harvested or made."""
        if self.harvest_months == "all":
            return ALL_MONTHS
        return tuple(int(month) for month in self.harvest_months.split(","))

    @property
    def price_fen_per_kg(self) -> int:
        """The price of 1,000 g in fen, half a fen rounded up."""
        return half_up(self.price_fen * 1000, self.grams_per_unit)


@dataclass(frozen=True)
class Coop:
    """A co-operative or family farm; `collective_basis_points` of accepted sales go to the village collective."""

    key: str
    name: str
    short_name: str
    type: str
    county_code: str
    home_village_code: str
    supplying_village_codes: Words
    collective_basis_points: int
    phone: str

    @property
    def village_codes(self) -> Words:
        """Every village that brings goods, the home village first."""
        return (self.home_village_code, *self.supplying_village_codes)


@dataclass(frozen=True)
class Village:
    """A supplying village; the years of its designation are invented, 0 where it was never designated."""

    code: str
    name: str
    designated_from: int
    lifted_year: int


@dataclass(frozen=True)
class Unit:
    """A buying unit; `people` eat in its canteen, `fund_mix` is its spending in percent by fund source."""

    key: str
    name: str
    type: str
    county_code: str
    people: int
    delivery_point: str
    weekly_budget_yuan: int
    fund_mix: Shares
    receiving_scheme: str


@dataclass(frozen=True)
class Office:
    """An office of a village, township, county or the city, or the platform's operator."""

    key: str
    name: str
    kind: str
    division_code: str


@dataclass(frozen=True)
class Person:
    """A login; `organisation` is the key of a unit, co-operative or office."""

    login: str
    name: str
    organisation: str
    roles: Words


@dataclass(frozen=True)
class MenuLine:
    """What 100 people eat: thousandths of the sales unit on each of the weekdays (1 is Monday)."""

    unit_type: str
    season: str
    goods_key: str
    weekdays: Numbers
    quantity_milli_per_100: int


@dataclass(frozen=True)
class Facts:
    """The whole demo world, each file by its key in the order of its rows."""

    divisions: dict[str, Division]
    sources: dict[str, Source]
    categories: dict[str, Category]
    goods: dict[str, Good]
    coops: dict[str, Coop]
    villages: dict[str, Village]
    units: dict[str, Unit]
    offices: dict[str, Office]
    people: dict[str, Person]
    menus: tuple[MenuLine, ...]

    def goods_of(self, coop_key: str) -> list[Good]:
        """What a co-operative sells."""
        return [good for good in self.goods.values() if good.coop_key == coop_key]

    def people_of(self, organisation: str) -> list[Person]:
        """Who acts for an organisation."""
        return [person for person in self.people.values() if person.organisation == organisation]

    def sale_months(self, good: Good) -> Numbers:
        """The months in which it can be bought: daily goods while they grow, stocked goods as long as they keep."""
        if good.supply == "daily":
            return good.months
        kept = self.categories[good.category].perishability_days // 30
        on_sale = {(month + later - 1) % 12 + 1 for month in good.months for later in range(kept + 1)}
        return tuple(sorted(on_sale))

    def menu(self, unit_type: str, season: str) -> Iterator[MenuLine]:
        """The week's lines of a kind of unit in a season (spring, summer, autumn, winter)."""
        return (line for line in self.menus if (line.unit_type, line.season) == (unit_type, season))


def half_up(numerator: int, denominator: int) -> int:
    """A quotient of whole numbers, halves rounded up."""
    return (2 * numerator + denominator) // (2 * denominator)
