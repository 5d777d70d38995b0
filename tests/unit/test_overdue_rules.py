"""Late payment as a pure rule: days, bands, interest rounded once, and when somebody is reminded."""

import doctest
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.delivering import overdue
from orders.overdue import rules

DAY = date(2026, 10, 12)


def test_the_examples_hold() -> None:
    for module in (rules, overdue):
        found = doctest.testmod(module)
        assert (found.attempted > 0, found.failed) == (True, 0)


@given(fen=st.integers(0, 10**10), days=st.integers(-400, 4000))
def test_interest_is_the_nearest_fen_and_never_below_zero(fen: int, days: int) -> None:
    found = rules.interest_fen(fen, days)
    if days <= 0:
        assert found == 0
    else:
        assert abs(found * 10_000 - fen * rules.LATE_POINTS * days) <= 5_000


@given(fen=st.integers(0, 10**8), days=st.integers(0, 1000))
def test_interest_only_grows(fen: int, days: int) -> None:
    assert rules.interest_fen(fen, days) <= rules.interest_fen(fen, days + 1) <= rules.interest_fen(fen + 100, days + 1)


@given(days=st.integers(-100_000, 100_000))
def test_every_day_lies_in_one_band_and_late_ones_in_a_late_band(days: int) -> None:
    assert (rules.band_of(days) in rules.LATE_BANDS) == (days > 0)
    assert (rules.band_of(days) == "later") == (days < -rules.SOON_DAYS)


@pytest.mark.parametrize(("days", "band"), [(-8, "later"), (-7, "soon"), (-1, "soon"), (0, "today"), (1, "late_1"),
                                            (30, "late_1"), (31, "late_31"), (60, "late_31"), (61, "late_61")])
def test_where_bands_begin_and_end(days: int, band: str) -> None:
    assert rules.band_of(rules.late_days(DAY - timedelta(days=days), DAY)) == band


def test_a_unit_hears_six_times_at_most() -> None:
    said = [stage for days in range(-30, 400) if (stage := rules.unit_stage(days)) is not None]
    assert sorted(set(said)) == [-7, 0, 1, 7, 15, 30]
    assert said == sorted(said)


def test_receivers_hear_the_next_day_and_every_third() -> None:
    said = {rules.not_accepted_stage(days) for days in range(-10, 13)} - {None}
    assert said == {1, 4, 7, 10}


def test_acceptance_is_due_on_the_day_for_fresh_goods_and_within_a_week_for_others() -> None:
    assert overdue.acceptance_due(DAY, True) == DAY
    assert overdue.acceptance_due(DAY, False) == DAY + timedelta(days=7)
