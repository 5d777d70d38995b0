"""Classes and the register by table; two who confirm the same change at once; names that stay hidden."""

from collections.abc import Iterator

import pytest
from sqlalchemy import func, select

from market import clock, db
from market.errors import Conflict, InvalidInput, NotFound
from market.households import Household, HouseholdClass
from market.journal import JournalEntry
from market.places import Division
from orders.households import classes, sheet
from orders.households.classes import ChangeWaits, Said
from orders.households.models import HouseholdClassChange
from tests.tables import checked, csv_of, imported
from tests.world import NOON, World

DESK = "/office/household-tables"


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    with clock.at(NOON):
        yield


def code(world: World, key: str) -> str:
    return db.session().scalars(select(Division.code).where(Division.id == world.villages[key])).one()


def told(world: World, register_code: str, year: int) -> str | None:
    db.session().rollback()
    return db.session().scalar(select(HouseholdClass.household_class).where(
        HouseholdClass.household_id == world.household_id(register_code), HouseholdClass.year == year))


def row(register_code: str, household_class: str, year: str = "2027") -> dict[str, str]:
    return {"register_code": register_code, "year": year, "household_class": household_class, "source": "2027 年名单"}


def test_classes_come_by_table_and_changes_wait(world: World) -> None:
    official = world.logged_in("official.hua")
    rows = [row("DEMO-JY-0001", "已稳定脱贫"), row("DEMO-JY-0002", "边缘易致贫户"),
            row("DEMO-JY-0003", "stable", "2026")]
    one = imported(official, "household_classes", csv_of(rows, sheet.CLASSES), DESK)
    assert (one.state, one.new_rows, one.changed_rows, one.unchanged_rows) == ("done", 1, 1, 1)
    assert told(world, "DEMO-JY-0001", 2027) == "stable" and told(world, "DEMO-JY-0002", 2027) is None
    waiting = db.session().scalars(select(HouseholdClassChange).where(HouseholdClassChange.state == "waiting")).one()
    assert (waiting.before, waiting.after) == ("consolidate", "marginal")
    again = checked(official, "household_classes", csv_of([row("DEMO-JY-0002", "已稳定脱贫")], sheet.CLASSES), DESK)
    assert again.state == "faulty"
    far = checked(official, "household_classes", csv_of([row("DEMO-XT-0001", "已稳定脱贫")], sheet.CLASSES), DESK)
    assert far.state == "faulty"
    with db.transaction():
        classes.confirm([waiting.id], world.person("official.jin"))
    assert told(world, "DEMO-JY-0002", 2027) == "marginal"


def test_the_register_comes_by_table_with_names_that_stay_hidden(world: World) -> None:
    official, home = world.logged_in("official.hua"), code(world, "pomelo_home")
    new = {"register_code": "DEMO-JY-0100", "village": home, "head_name": "何金桂", "people": "3"}
    hidden = {"register_code": "DEMO-JY-0001", "village": home, "head_name": "J＊", "people": "6"}
    one = imported(official, "households", csv_of([new, hidden], sheet.REGISTER), DESK)
    assert (one.state, one.new_rows, one.changed_rows) == ("done", 1, 1)
    db.session().rollback()
    found = dict(db.session().execute(select(Household.head_name, Household.people).where(
        Household.register_code.in_(("DEMO-JY-0001", "DEMO-JY-0100")))).all())
    assert found == {"何金桂": 3, "JY户1": 6}
    exported = official.get(f"{DESK}/exports/households.csv").data.decode("utf-8-sig")
    assert "DEMO-JY-0100" in exported and "何金桂" not in exported and "JY户" not in exported
    assert "DEMO-XT-0001" not in exported  # another county
    for wrong in ({"register_code": "DEMO-XT-0001"}, {"register_code": "DEMO-JY-0200", "head_name": "何＊"},
                  {"register_code": "DEMO-JY-0200", "village": code(world, "greens_home")}):
        assert checked(official, "households", csv_of([new | wrong], sheet.REGISTER), DESK).state == "faulty", wrong
    assert db.session().scalar(select(func.count()).select_from(JournalEntry).where(
        JournalEntry.action == "household.entered")) == 1


def test_a_change_is_decided_once(world: World) -> None:
    household = world.household_id("DEMO-XT-0001")
    jin, hua = world.person("official.jin"), world.person("official.hua")
    said = Said(household, 2027, "unstable", "名单")
    with pytest.raises(NotFound), db.transaction():
        classes.say(said, hua)
    with pytest.raises(InvalidInput), db.transaction():
        classes.say(Said(household, 2027, "rich", "名单"), jin)
    with db.transaction():
        assert classes.say(said, jin) == "waiting"
    with pytest.raises(ChangeWaits), db.transaction():
        classes.say(said, jin)
    change = db.session().scalars(select(HouseholdClassChange.id)).one()
    for act in (lambda: classes.confirm([change], hua), lambda: classes.refuse(change, "不对", hua)):
        with pytest.raises(NotFound), db.transaction():
            act()
    with pytest.raises(InvalidInput), db.transaction():
        classes.confirm([change], jin)
    with db.transaction() as session:  # as if another person of the city had said it
        session.get_one(HouseholdClassChange, change).proposed_by = hua.id
    with db.transaction():
        classes.refuse(change, "依据不足", jin)
    with pytest.raises(Conflict), db.transaction():
        classes.confirm([change], jin)
    assert told(world, "DEMO-XT-0001", 2027) is None
