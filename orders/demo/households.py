"""The demo world's households: invented by a fixed rule, the same on every machine and in every year."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from orders.demo.fact_rows import Coop, Facts, Village

YEARS = range(2020, 2027)
CLASSES_2020 = ("stable", "consolidate", "safety_net", "not_lifted")
CLASS_WEIGHTS = (80, 12, 6, 2)
WATCHED = ("unstable", "marginal", "sudden_hardship")
SURNAMES = "陈李周唐蒋何黄邓刘吕盘赵奉冯欧王张杨罗谢"
GIVEN = ("建国", "春生", "水生", "秀英", "玉兰", "志强", "永红", "金桂", "冬梅", "海燕", "立新", "桂花", "国平", "长青",
         "美云", "德胜", "新民", "家明", "友良", "四清", "月娥", "光明", "继红", "石生", "松林", "茂林", "忠义", "彩霞")


@dataclass(frozen=True)
class DemoHousehold:
    """A member household (1 to 6 people) of the co-operative; `register_code` is empty for an ordinary one."""

    village_code: str
    coop_key: str
    member_no: str
    register_code: str
    head_name: str
    people: int
    class_by_year: dict[int, str]


def households(facts: Facts) -> tuple[DemoHousehold, ...]:
    """6 to 14 households for each supplying village; codes read DEMO-431125-0007, so nobody takes them for real."""
    registered: Counter[str] = Counter()
    return tuple(
        household
        for coop in facts.coops.values()
        for household in members(coop, [facts.villages[code] for code in coop.village_codes], registered)
    )


def members(coop: Coop, villages: list[Village], registered: Counter[str]) -> Iterator[DemoHousehold]:
    """The households of one co-operative, its member numbers running through all its villages."""
    number = 0
    for village in villages:
        chance = Random(f"households of {village.code}")  # seeded by the place, so another village changes nothing here
        for _ in range(chance.randint(6, 14)):
            number += 1
            is_registered = chance.random() < (0.5 if village.designated_from else 0.2)
            registered[coop.county_code] += is_registered
            yield DemoHousehold(
                village_code=village.code,
                coop_key=coop.key,
                member_no=f"{number:03d}",
                register_code=f"DEMO-{coop.county_code}-{registered[coop.county_code]:04d}" if is_registered else "",
                head_name=chance.choice(SURNAMES) + chance.choice(GIVEN),
                people=chance.choices(range(1, 7), weights=(8, 18, 24, 26, 16, 8))[0],
                class_by_year=classes(chance) if is_registered else {},
            )


def classes(chance: Random) -> dict[int, str]:
    """The 2020 class, stable from 2021 on, but for the few who are watched for two years."""
    by_year = dict.fromkeys(YEARS, "stable")
    by_year[2020] = chance.choices(CLASSES_2020, weights=CLASS_WEIGHTS)[0]
    if chance.random() < 0.1:
        since = chance.choice(YEARS[1:-1])
        by_year[since] = by_year[since + 1] = chance.choice(WATCHED)
    return by_year
