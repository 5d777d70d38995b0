"""Whether and when a supplier reaches a door, and what the way costs: pure, over one supplier's terms."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from market import clock, money, words
from market.errors import N_, MarketError, in_english

LOOK_AHEAD_DAYS = 400  # who reaches nobody in so many days never does
WINDOWS = tuple(words.WINDOWS)


@dataclass(frozen=True)
class Terms:
    """What a supplier promises at one door. As it stands here: everywhere, any day from tomorrow on, at no cost.

    `weekdays` from 1 (Monday) to 7; an order closes at `cut_off_hour` (24: midnight) Shanghai time, `cut_off_days`
    before the delivery; amounts in fen count the goods of one delivery; `breaks` are first and last days, both closed.
    """

    weekdays: frozenset[int] = frozenset(range(1, 8))
    windows: frozenset[str] = frozenset(WINDOWS)
    cut_off_hour: int = 24
    cut_off_days: int = 1
    minimum_fen: int = 0
    freight_fen: int = 0
    free_from_fen: int | None = None
    breaks: tuple[tuple[date, date], ...] = ()
    id: int | None = None  # of the row in delivery_terms; none where nothing is stated
    area: str = ""


EVERYWHERE = Terms()


class NotReached(MarketError):
    """The door lies in none of the supplier's areas, or the supplier has closed."""

    status = 422
    code = "not_reached"
    text = N_("This co-operative does not deliver to this delivery point.")


class NotInThisWindow(MarketError):
    """The supplier comes at other times of the day."""

    status = 422
    code = "not_in_this_window"
    text = N_("This co-operative delivers here only: %(windows)s.")

    def message(self, translate: Callable[..., str] = in_english) -> str:
        names = ", ".join(translate(words.WINDOWS[name]) for name in self.details["windows"])
        return translate(self.text, windows=names)


class NotOnThisDay(MarketError):
    """The supplier does not drive on that weekday, or is closed."""

    status = 422
    code = "not_on_this_day"
    text = N_("No delivery here on %(day)s; the earliest day is %(earliest)s.")


class AfterCutOff(MarketError):
    """The supplier no longer takes orders for that day."""

    status = 409
    code = "after_cut_off"
    text = N_("Orders for %(day)s closed on %(closed)s; the earliest day is %(earliest)s.")


class BelowMinimum(MarketError):
    """Less than the supplier drives for."""

    status = 422
    code = "below_minimum"
    text = N_("A delivery here begins at ¥%(minimum)s: ¥%(missing)s is missing.")


def closes_at(terms: Terms, day: date) -> datetime:
    """The moment (UTC) from which on no order for a delivery day is taken.

    >>> closes_at(Terms(cut_off_hour=16), date(2026, 11, 25)).isoformat()
    '2026-11-24T08:00:00+00:00'
    """
    return clock.shanghai(clock.days_after(day, -terms.cut_off_days)) + timedelta(hours=terms.cut_off_hour)


def drives(terms: Terms, day: date) -> bool:
    """Whether the supplier is on the road that day, however late it is."""
    return day.isoweekday() in terms.weekdays and not any(first <= day <= last for first, last in terms.breaks)


def reaches(terms: Terms | None, now: datetime, day: date, window: str) -> bool:
    """Whether an order sent now is delivered on a day in a window."""
    return (terms is not None and window in terms.windows and drives(terms, day) and now < closes_at(terms, day))


def earliest(terms: Terms | None, now: datetime, after: date) -> date | None:
    """The first day later than `after` for which an order sent now is delivered; none: never.

    >>> earliest(Terms(weekdays=frozenset({1, 4})), clock.shanghai(date(2026, 11, 24), 9), date(2026, 11, 24))
    datetime.date(2026, 11, 26)
    """
    if terms is None:
        return None
    days = (clock.days_after(after, days) for days in range(1, LOOK_AHEAD_DAYS + 1))
    return next((day for day in days if drives(terms, day) and now < closes_at(terms, day)), None)


def freight_fen(terms: Terms, goods_fen: int) -> int:
    """What one delivery of goods costs on top.

    >>> [freight_fen(Terms(freight_fen=1500, free_from_fen=30000), fen) for fen in (29999, 30000)]
    [1500, 0]
    """
    is_free = terms.free_from_fen is not None and goods_fen >= terms.free_from_fen
    return 0 if is_free else terms.freight_fen


def refusals(terms: Terms | None, now: datetime, day: date, window: str, goods_fen: int) -> list[MarketError]:
    """What speaks against a delivery of goods on a day in a window, ordered now."""
    if terms is None:
        return [NotReached()]
    found: list[MarketError] = []
    if window not in terms.windows:
        found.append(NotInThisWindow(windows=[name for name in WINDOWS if name in terms.windows]))
    if not drives(terms, day) or now >= closes_at(terms, day):
        found.append(_on_day(terms, now, day))
    if goods_fen < terms.minimum_fen:
        found.append(BelowMinimum(minimum=money.yuan(terms.minimum_fen),
                                  missing=money.yuan(terms.minimum_fen - goods_fen)))
    return found


def _on_day(terms: Terms, now: datetime, day: date) -> MarketError:
    following = earliest(terms, now, max(day, clock.business_date(now)))
    if following is None:
        return NotReached()
    if not drives(terms, day):
        return NotOnThisDay(day=day.isoformat(), earliest=following.isoformat())
    closed = closes_at(terms, day).astimezone(clock.SHANGHAI)
    return AfterCutOff(day=day.isoformat(), closed=f"{closed:%Y-%m-%d %H:%M}", earliest=following.isoformat())
