"""The only clock: UTC moments, and the day in Asia/Shanghai that business is dated by."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")

_set_to: ContextVar[datetime | None] = ContextVar("clock_set_to", default=None)


def now() -> datetime:
    """This moment, in UTC."""
    return _set_to.get() or datetime.now(UTC)


def today() -> date:
    """The business date of this moment."""
    return business_date(now())


def business_date(moment: datetime) -> date:
    """The day in Asia/Shanghai on which a moment falls.

    >>> business_date(datetime(2026, 10, 31, 16, 0, tzinfo=UTC)).isoformat()
    '2026-11-01'
    """
    return moment.astimezone(SHANGHAI).date()


def shanghai(day: date, hour: int = 0, minute: int = 0) -> datetime:
    """A moment of a Shanghai day, in UTC."""
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=SHANGHAI).astimezone(UTC)


def period_of(day: date) -> str:
    """The month a day belongs to, as '2026-10'."""
    return f"{day.year:04d}-{day.month:02d}"


def months_between(first: str, last: str) -> list[str]:
    """Every month from first to last, both included.

    >>> months_between('2026-11', '2027-01')
    ['2026-11', '2026-12', '2027-01']
    """
    year, month = map(int, first.split("-"))
    months = []
    while (name := f"{year:04d}-{month:02d}") <= last:
        months.append(name)
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
    return months


def months_before(month: str, count: int) -> str:
    """The month so many months earlier.

    >>> months_before("2026-10", 11), months_before("2026-01", 1)
    ('2025-11', '2025-12')
    """
    year, number = map(int, month.split("-"))
    total = year * 12 + number - 1 - count
    return f"{total // 12:04d}-{total % 12 + 1:02d}"


@contextmanager
def at(moment: datetime) -> Iterator[None]:
    """Set the clock, for the demo world and for tests."""
    token = _set_to.set(moment.astimezone(UTC))
    try:
        yield
    finally:
        _set_to.reset(token)


def days_after(day: date, days: int) -> date:
    """A day some days later (or earlier)."""
    return day + timedelta(days=days)


def first_day(month: str) -> date:
    """The first day of a month '2026-10'."""
    return date.fromisoformat(month + "-01")


def last_day(month: str) -> date:
    """The last day of a month.

    >>> last_day("2026-02").isoformat()
    '2026-02-28'
    """
    return first_day(months_before(month, -1)) - timedelta(days=1)
