"""Terms in working days: public holidays and make-up days as the State Council announces them."""

from datetime import date

import chinese_calendar

from market import clock


def is_working_day(day: date) -> bool:
    """Whether offices work: public holidays and make-up days where they are announced, else Monday to Friday.

    >>> is_working_day(date(2026, 10, 1)), is_working_day(date(2026, 10, 10)), is_working_day(date(2031, 1, 5))
    (False, True, False)
    """
    try:
        return bool(chinese_calendar.is_workday(day))
    except NotImplementedError:  # the State Council has not announced that year's holidays yet
        return day.weekday() < 5


def working_days_after(day: date, days: int) -> date:
    """The last day of a term of so many working days that begins on the day after.

    >>> working_days_after(date(2026, 9, 30), 3).isoformat()  # the national day's holidays lie between
    '2026-10-10'
    """
    while days > 0:
        day = clock.days_after(day, 1)
        days -= is_working_day(day)
    return day
