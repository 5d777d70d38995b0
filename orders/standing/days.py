"""The days of a plan: on which it delivers, and when each day's order is made. Hours are those of Shanghai."""

from collections.abc import Collection
from datetime import date, datetime
from typing import Protocol

from market import clock
from market.working_days import is_working_day

LOOK_AHEAD_DAYS = 400


class Timed(Protocol):
    """What of a plan's terms decides about its days."""

    @property
    def first_day(self) -> date: ...

    @property
    def last_day(self) -> date: ...

    @property
    def skip_holidays(self) -> bool: ...

    @property
    def days_ahead(self) -> int: ...

    @property
    def cut_off_hour(self) -> int: ...


def is_delivery_day(day: date, weekdays: Collection[int], plan: Timed) -> bool:
    """Whether a plan delivers on a day: its weekday, within its days, a working day where it keeps to these.

    A plan of working days with a quantity for Saturdays delivers on the Saturdays that are made up for a holiday.
    """
    return (day.weekday() in weekdays and plan.first_day <= day <= plan.last_day
            and (not plan.skip_holidays or is_working_day(day)))


def due_at(day: date, plan: Timed) -> datetime:
    """When the order for a day of delivery is made."""
    return clock.shanghai(clock.days_after(day, -plan.days_ahead), plan.cut_off_hour)


def first_day_still_ahead(plan: Timed) -> date:
    """The first day whose moment of ordering has not come yet."""
    day = clock.today()
    while due_at(day, plan) <= clock.now():
        day = clock.days_after(day, 1)
    return day


def following(day: date, weekdays: Collection[int], plan: Timed, taken: Collection[date] = ()) -> date | None:
    """The first day of delivery from a day on, that day included, that is not taken; none within some 400 days."""
    return next(iter(coming(day, weekdays, plan, 1, taken)), None)


def coming(day: date, weekdays: Collection[int], plan: Timed, most: int, taken: Collection[date] = ()) -> list[date]:
    """The next days of delivery from a day on that are not taken."""
    found: list[date] = []
    day = max(day, plan.first_day)
    for _at in range(LOOK_AHEAD_DAYS):
        if day > plan.last_day or len(found) == most:
            break
        if day not in taken and is_delivery_day(day, weekdays, plan):
            found.append(day)
        day = clock.days_after(day, 1)
    return found
