"""The money pages of the village desk, on a phone and at a desk, in both languages: they fit, and can be read.

They are those of the rooms of money in the url map, each tab of theirs, with something in every one.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from flask import Flask

from tests import busy_money
from tests.stand_in import StandIn
from tests.story import walking
from tests.story.conftest import PageAt
from tests.story.told import Told
from tests.world import World

# pages look alike on both databases
pytestmark = [pytest.mark.slow, pytest.mark.parametrize("backend", ["sqlite"], indirect=True)]
SCREENS = [(390, "zh"), (1280, "en")]
ROOMS = {"accounts", "agency", "banking", "fees", "payment_settings", "receipts", "reconciliation", "refunds",
         "village_cards", "village_overdue"}
# the chair first, who may most; the agency's accountant; the platform, that compares
PEOPLE = ("chair.shi", "books.dong", "system.tao")
NEEDED = {"receipts.index", "receipts.show", "receipts.statement", "accounts.show", "accounts.unit", "banking.index",
          "banking.file_columns", "banking.row_shown", "banking.upload_shown", "banking.uploads", "refunds.index",
          "refunds.new", "refunds.show", "village_overdue.due", "payment_settings.paid_first", "village_cards.payments",
          "village_cards.account", "agency.index", "reconciliation.index", "reconciliation.run", "reconciliation.task",
          "reconciliation.tasks"}
TABS = (("receipts.index", "/village/payments?state=received"), ("receipts.index", "/village/payments?state=refused"),
        *(("banking.index", f"/village/bank?state={state}")
          for state in ("all", "matched", "part", "over", "duplicate", "closed", "ignored")),
        *(("refunds.index", f"/village/refunds?tab={tab}") for tab in ("asked", "sending", "done", "refused")),
        ("accounts.show", "/village/account?by=statement"),
        *(("reconciliation.tasks", f"/reconciliation/tasks?state={state}") for state in ("settled", "healed")))


@pytest.fixture
def things(app: Flask, world: World, stand_in: StandIn) -> Mapping[str, Any]:
    return busy_money.things(app, world, stand_in)


def pages(app: Flask, world: World, things: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Each page by the first who may see it, every tab, and what others see differently."""
    yield from (one for one in walking.pages(app, world, PEOPLE, things) if one[0].partition(".")[0] in ROOMS)
    yield from ((endpoint, "chair.shi", path) for endpoint, path in TABS)
    yield "receipts.index", "clerk.zhang", "/village/payments"
    yield "refunds.index", "clerk.zhang", "/village/refunds?tab=asked"
    yield "agency.index", "books.dong", "/agency"
    yield "reconciliation.index", "system.tao", "/reconciliation"
    yield "office_overdue.index", "official.jin", "/office/overdue"


@pytest.mark.parametrize(("width", "lang"), SCREENS)
def test_every_page_of_money_fits_and_can_be_read(app: Flask, page_at: PageAt, world: World,
                                                  things: Mapping[str, Any], width: int, lang: str) -> None:
    seen, wrong = walking.look_at(Told(page_at, width, lang), pages(app, world, things), "money")
    assert NEEDED - seen == set()
    assert "\n".join(wrong) == ""
