"""On which days a co-operative comes, and until when it takes an order for them."""

from datetime import date, datetime

import pytest

from catalog.terms.reach import (
    AfterCutOff,
    BelowMinimum,
    NotInThisWindow,
    NotOnThisDay,
    NotReached,
    Terms,
    earliest,
    freight_fen,
    reaches,
    refusals,
)
from market import clock

MONDAY = date(2026, 11, 23)
TUESDAY, WEDNESDAY, THURSDAY = (clock.days_after(MONDAY, days) for days in (1, 2, 3))
NATIONAL_DAY = date(2026, 10, 1)
BY_FOUR = Terms(cut_off_hour=16)


def at(day: date, hour: int, minute: int = 0) -> datetime:
    return clock.shanghai(day, hour, minute)


CASES = [
    ("nothing stated: tomorrow", Terms(), at(MONDAY, 23, 59), MONDAY, TUESDAY),
    ("before four the day before", BY_FOUR, at(MONDAY, 15, 59), MONDAY, TUESDAY),
    ("at four it is closed", BY_FOUR, at(MONDAY, 16), MONDAY, WEDNESDAY),
    ("after midnight the next cut-off counts", BY_FOUR, at(TUESDAY, 0), TUESDAY, WEDNESDAY),
    ("two days before, noon", Terms(cut_off_days=2, cut_off_hour=12), at(MONDAY, 11), MONDAY, WEDNESDAY),
    ("two days before, too late", Terms(cut_off_days=2, cut_off_hour=12), at(MONDAY, 12), MONDAY, THURSDAY),
    ("Mondays and Thursdays", Terms(weekdays=frozenset({1, 4})), at(MONDAY, 9), MONDAY, THURSDAY),
    ("only Mondays, ordered on one", Terms(weekdays=frozenset({1})), at(MONDAY, 9), MONDAY, date(2026, 11, 30)),
    ("a Thursday missed by its cut-off", Terms(weekdays=frozenset({4}), cut_off_hour=16), at(WEDNESDAY, 16),
     WEDNESDAY, date(2026, 12, 3)),
    ("later than a day far ahead", BY_FOUR, at(MONDAY, 9), date(2026, 12, 20), date(2026, 12, 21)),
    ("closed, first and last day included", Terms(breaks=((TUESDAY, THURSDAY),)), at(MONDAY, 9), MONDAY,
     date(2026, 11, 27)),
    ("closed for good", Terms(breaks=((MONDAY, date(2030, 1, 1)),)), at(MONDAY, 9), MONDAY, None),
    ("no weekday at all", Terms(weekdays=frozenset()), at(MONDAY, 9), MONDAY, None),
    ("nobody comes here", None, at(MONDAY, 9), MONDAY, None),
    ("no holiday is assumed", BY_FOUR, at(date(2026, 9, 30), 9), date(2026, 9, 30), NATIONAL_DAY),
]


@pytest.mark.parametrize(("terms", "now", "after", "expected"), [case[1:] for case in CASES],
                         ids=[case[0] for case in CASES])
def test_the_first_day(terms: Terms | None, now: datetime, after: date, expected: date | None) -> None:
    assert earliest(terms, now, after) == expected
    if expected and terms:
        assert reaches(terms, now, expected, "morning")


def test_free_of_freight_from_an_amount_on() -> None:
    terms = Terms(freight_fen=1500, free_from_fen=30_000)
    assert [freight_fen(terms, fen) for fen in (1, 29_999, 30_000)] == [1500, 1500, 0]
    assert freight_fen(Terms(freight_fen=1500), 10_000_000) == 1500


def test_every_refusal_names_what_would_do() -> None:
    terms = Terms(weekdays=frozenset({2, 4}), windows=frozenset({"dawn"}), cut_off_hour=16, minimum_fen=5_000)
    now = at(MONDAY, 16)
    late, window, short = refusals(terms, now, TUESDAY, "noon", 4_000)[1], *[
        one for one in refusals(terms, now, TUESDAY, "noon", 4_000) if not isinstance(one, AfterCutOff)]
    assert isinstance(late, AfterCutOff)
    assert late.details["earliest"] == THURSDAY.isoformat()
    assert late.details["closed"] == "2026-11-23 16:00"
    assert isinstance(window, NotInThisWindow)
    assert "6:00" in window.message()
    assert isinstance(short, BelowMinimum)
    assert short.details["missing"] == "10.00"
    wrong_day = refusals(terms, now, WEDNESDAY, "dawn", 5_000)
    assert [type(one) for one in wrong_day] == [NotOnThisDay]
    assert wrong_day[0].details["earliest"] == THURSDAY.isoformat()
    assert [type(one) for one in refusals(None, now, TUESDAY, "dawn", 1)] == [NotReached]
    assert refusals(terms, now, THURSDAY, "dawn", 5_000) == []
