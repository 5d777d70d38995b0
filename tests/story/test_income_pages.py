"""The pages of income, of the village desk and of the officials', on a phone and at a desk, in both languages.

They fit, and can be read. They are those of the rooms of income in the url map, with something in every one.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

import pytest
from flask import Flask

from market import clock, sealing
from tests.stand_in import StandIn
from tests.story import walking
from tests.story.conftest import PageAt
from tests.story.told import Told
from tests.trade import Trade
from tests.web.test_access_matrix import month_closed, traded
from tests.world import GREENS, NOON, SCHOOL, World

# pages look alike on both databases
pytestmark = [pytest.mark.slow, pytest.mark.parametrize("backend", ["sqlite"], indirect=True)]
SCREENS = [(390, "zh"), (1280, "en")]
ROOMS = {"linkages", "shares", "declaring", "confirming", "office_linkages", "payout_runs", "household_accounts",
         "office_payouts", "lot_payments", "income", "member_cards", "households", "household_classes",
         "household_imports", "household_figures", "collective", "risk", "periods", "evidence", "anomalies",
         "village_anomalies", "openness"}
FILES = {"evidence", "share_evidence", "proof", "slip", "examine_slip"}  # uploads, not pages of ours
# the chair first, who may most; the village's officer, who confirms; the city's office, that decides
PEOPLE = ("chair.shi", "village.cao", "official.jin")
NEEDED = {"linkages.index", "linkages.new", "shares.index", "declaring.index", "declaring.new", "confirming.index",
          "office_linkages.index", "office_linkages.shares", "payout_runs.index", "payout_runs.new", "payout_runs.show",
          "household_accounts.index", "household_accounts.show", "office_payouts.index", "office_payouts.show",
          "lot_payments.show", "income.index", "income.village", "member_cards.show", "households.index",
          "households.show", "households.looks", "household_classes.index", "household_imports.index",
          "household_imports.show", "household_figures.index", "collective.index", "collective.show",
          "collective.share", "collective.area_rules", "risk.index", "risk.show", "periods.index", "periods.show",
          "periods.late", "evidence.index", "evidence.show", "evidence.samples", "evidence.sample", "anomalies.index",
          "anomalies.show", "village_anomalies.index", "village_anomalies.show", "openness.index", "reports.show",
          "shop.village"}
REPORTS = ("helped-households", "household-income", "collective-income", "risk-signals", "placed-and-taken-back",
           "placed-by-month", "income-unpaid", "village-income")


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    with clock.at(NOON):
        yield


@pytest.fixture
def things(world: World, stand_in: StandIn) -> Mapping[str, Any]:
    """A school's trade with a co-operative, in every room of income."""
    found = traded(Trade(world), SCHOOL, GREENS, "cook.chen", "cashier.sun", "clerk.zhang", "official.jin")
    month_closed(world)
    sealing.seal_all()
    return asdict(found) | {"number": 202609, "import_id": found.household_import_id}


def pages(app: Flask, world: World, things: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Each page by the first who may see it, and what others see differently."""
    yield from (one for one in walking.pages(app, world, PEOPLE, things) if one[0].partition(".")[0] in ROOMS
                and one[0].partition(".")[2] not in FILES)
    yield "households.index", "official.jin", f"/office/households?place={things['village_code']}"
    yield "household_accounts.index", "chair.shi", "/village/household-accounts?tab=waiting"
    yield "office_linkages.index", "official.jin", "/office/linkages?state=all"
    yield "shop.village", "official.jin", f"/villages/{things['village_code']}"
    yield from (("reports.show", "official.jin", f"/reports/{name}?from=2026-10&to=2026-10") for name in REPORTS)


@pytest.mark.parametrize(("width", "lang"), SCREENS)
def test_every_page_of_income_fits_and_can_be_read(app: Flask, page_at: PageAt, world: World,
                                                   things: Mapping[str, Any], width: int, lang: str) -> None:
    seen, wrong = walking.look_at(Told(page_at, width, lang), pages(app, world, things), "income")
    assert NEEDED - seen == set()
    assert "\n".join(wrong) == ""
