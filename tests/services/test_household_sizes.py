"""A household whose people change counts with as many as it has now, whoever says so."""

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import select

from catalog.importing import member_sheet
from market import audit, clock, db, sealing, thing_counts
from market.households import CoopMember, Household
from market.places import Division
from orders.households import register, sheet
from orders.income import presence
from orders.reports import village_income
from orders.reports.frame import Asked, fill
from orders.reports.readers import WHOLE
from tests.tables import csv_of, imported
from tests.trade import Trade
from tests.world import GREENS, NOON, World

OCTOBER = ("2026-10", "2026-10")


@pytest.fixture(autouse=True)
def things_are_counted(app: Flask) -> Iterator[None]:
    app.extensions.update(sijin_presence=presence.things_of, sijin_checks=())
    with clock.at(NOON):
        yield


def people_of(home: int) -> int:
    """As the report shows them, which agrees with the audit."""
    db.session().rollback()
    assert audit.check() == []
    db.session().rollback()
    filled = fill(village_income.REPORT, Asked(*OCTOBER), WHOLE, demo=False)
    with db.snapshot():
        counted = thing_counts.people_by_village(*OCTOBER)[home]
    assert filled.content.totals.values["people"] == counted
    return counted


def test_people_follow_the_register_and_both_tables(world: World, trade: Trade) -> None:
    home, poor = world.villages["greens_home"], world.household_id("DEMO-XT-0003")
    member = db.session().execute(
        select(CoopMember.member_no, Household.id, Household.head_name, Household.people)
        .join(Household).where(Household.village_id == home, Household.register_code.is_(None))
        .order_by(Household.id)).first()
    size = db.session().scalars(select(Household.people).where(Household.id == poor)).one()
    village = db.session().scalars(select(Division.code).where(Division.id == home)).one()
    db.session().rollback()
    for household in (poor, member.id):
        trade.wage(GREENS, household, 10_000)
    assert people_of(home) == size + member.people
    sealing.seal_all()
    assert people_of(home) == size + member.people
    with db.transaction():
        register.correct(poor, {"village_id": home, "register_code": "DEMO-XT-0003", "head_name": "", "people": 9},
                         world.person("official.jin"))
    assert people_of(home) == 9 + member.people
    row = {"register_code": "DEMO-XT-0003", "village": village, "head_name": "XT＊", "people": "2"}
    assert imported(world.logged_in("official.jin"), "households", csv_of([row], sheet.REGISTER),
                    "/office/household-tables").changed_rows == 1
    assert people_of(home) == 2 + member.people
    row = {"member_no": member.member_no, "head_name": member.head_name, "village": village, "people": "11",
           "register_code": ""}
    assert imported(world.logged_in("clerk.zhang"), "members", csv_of([row], member_sheet.KIND)).changed_rows == 1
    assert people_of(home) == 2 + 11
