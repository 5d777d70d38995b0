"""The household's year: from October to September, called by the calendar year it ends in."""

from market import clock

FIRST, LAST = 2015, 2099


def months(year: int) -> tuple[str, str]:
    """First and last month of a household's year.

    >>> months(2026)
    ('2025-10', '2026-09')
    """
    return f"{year - 1:04d}-10", f"{year:04d}-09"


def year_of(month: str) -> int:
    """The household's year a month lies in.

    >>> year_of("2025-09"), year_of("2025-10")
    (2025, 2026)
    """
    return int(clock.months_before(month, -3)[:4])


def present() -> int:
    """The year that runs today."""
    return year_of(clock.period_of(clock.today()))


def words(year: int) -> str:
    """As a card says it.

    >>> words(2026)
    '2025-10 – 2026-09'
    """
    return " – ".join(months(year))


def shown(year: int | None) -> int:
    """The year asked for; the present one where none is."""
    return year if year is not None and FIRST <= year <= LAST else present()
