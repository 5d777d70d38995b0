"""Late payment as a pure rule: days, bands, the interest estimated, and when who is reminded.

保障中小企业款项支付条例 (State Council order 802, in force since 1 June 2025): agencies and public institutions pay
within 30 days, at most 60; where no rate was agreed late payment costs 0.05 % a day. Our figure is an estimate, never
a claim.
"""

from collections.abc import Mapping
from datetime import date

from market import money
from market.errors import N_

LATE_POINTS = 5  # 0.05 % a day, in hundredths of a percent
SOON_DAYS = 7
BANDS: Mapping[str, tuple[str, int]] = {  # what it is called, and from how many days late on; soon has still to come
    "later": (N_("Later"), -1_000_000),
    "soon": (N_("Within 7 days"), -SOON_DAYS),
    "today": (N_("Today"), 0),
    "late_1": (N_("1–30 days late"), 1),
    "late_31": (N_("31–60 days late"), 31),
    "late_61": (N_("Over 60 days late"), 61),
}
LATE_BANDS = tuple(name for name, (_label, first) in BANDS.items() if first > 0)

# who hears when: a unit of its payments, both sides and offices of goods that nobody has accepted
UNIT_STAGES = (-7, 0, 1, 7, 15, 30)  # days late
OFFICE_FROM = 30  # days late: the finance office over the unit hears once a week of all of them
NOT_ACCEPTED_EVERY = 3  # days, from the day after acceptance was due: receivers and managers of the unit
NOT_ACCEPTED_OFFICE_FROM = 8  # days after acceptance was due: the county's revitalisation office, once


def late_days(pay_by: date, today: date) -> int:
    """Days since the last day of payment; below zero while it is still to come.

    >>> late_days(date(2026, 10, 1), date(2026, 10, 4)), late_days(date(2026, 10, 1), date(2026, 9, 30))
    (3, -1)
    """
    return (today - pay_by).days


def interest_fen(open_fen: int, days: int) -> int:
    """What an open amount would cost that is so many days late, in fen; half a fen rounds up. An estimate.

    >>> interest_fen(100_000, 10), interest_fen(100_000, -3)
    (500, 0)
    """
    return money.part_of(max(0, open_fen), LATE_POINTS * max(0, days))


def band_of(days: int) -> str:
    """The band of BANDS in which so many days late lie.

    >>> band_of(-8), band_of(-7), band_of(0), band_of(30), band_of(31), band_of(61)
    ('later', 'soon', 'today', 'late_1', 'late_31', 'late_61')
    """
    return [name for name, (_label, first) in BANDS.items() if days >= first][-1]


def unit_stage(days: int) -> int | None:
    """The reminder that is due to a unit after so many days: what was missed meanwhile is not made up for.

    >>> unit_stage(-8), unit_stage(-7), unit_stage(0), unit_stage(6), unit_stage(400)
    (None, -7, 0, 1, 30)
    """
    return max((stage for stage in UNIT_STAGES if stage <= days), default=None)


def not_accepted_stage(days: int) -> int | None:
    """The reminder due so many days after acceptance was: on the next day and every third day from there.

    >>> not_accepted_stage(0), not_accepted_stage(1), not_accepted_stage(3), not_accepted_stage(4)
    (None, 1, 1, 4)
    """
    return days - (days - 1) % NOT_ACCEPTED_EVERY if days >= 1 else None
