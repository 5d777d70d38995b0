"""How long a purchase inspection record must stay. Pure rules, each with the document it comes from."""

from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from market.errors import N_


@dataclass(frozen=True)
class Rule:
    """A shortest time: so many months after the goods' last day, or after the day they were bought.

    `read` says whether we have read that document ourselves.
    """

    text: str
    months: int
    document: str
    read: bool = False


SCHOOL_RULE = "食品安全法第50条、第53条；学校食品安全与营养健康管理规定（教育部等三部门令第45号）"
RULES: Mapping[str, Rule] = {
    "shelf_life": Rule(N_("six months after the goods' last day"), 6, SCHOOL_RULE),
    "no_shelf_life": Rule(N_("two years, since the goods have no last day"), 24, SCHOOL_RULE),
    "farm_produce": Rule(N_("edible farm produce: six months"), 6, "食品安全法第65条"),
}


def keep_until(bought_on: date, best_before: date | None, *, farm_produce: bool) -> tuple[date, str]:
    """The last day on which a record must still be there, and the key of the rule that reaches farthest.

    >>> keep_until(date(2026, 10, 12), date(2026, 11, 30), farm_produce=True)
    (datetime.date(2027, 5, 30), 'shelf_life')
    >>> keep_until(date(2026, 10, 12), None, farm_produce=False)
    (datetime.date(2028, 10, 12), 'no_shelf_life')
    >>> keep_until(date(2026, 10, 12), date(2026, 10, 1), farm_produce=True)
    (datetime.date(2027, 4, 12), 'farm_produce')
    """
    applying = {"shelf_life": best_before} if best_before else {"no_shelf_life": bought_on}
    if farm_produce:
        applying["farm_produce"] = bought_on
    days = {rule: max(bought_on, months_after(day, RULES[rule].months)) for rule, day in applying.items() if day}
    farthest = max(days, key=lambda rule: days[rule])
    return days[farthest], farthest


def months_after(day: date, months: int) -> date:
    """The same day of a later month, its last day where it is shorter.

    >>> months_after(date(2026, 8, 31), 6)
    datetime.date(2027, 2, 28)
    """
    total = day.year * 12 + day.month - 1 + months
    year, month = total // 12, total % 12 + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))
