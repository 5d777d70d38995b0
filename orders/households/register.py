"""The register of households as officials and village officers keep it: one household entered or corrected."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from market import clock, db, journal, sealing
from market.access import Visitor
from market.errors import N_, InvalidInput, NotFound
from market.figures import Where
from market.households import Household
from market.places import Division
from orders.households.models import NameReveal
from orders.income.areas import in_area

CODE_TAKEN = N_("Another household has this register code.")


def enter(values: Mapping[str, Any], by: Visitor) -> int:
    """A registered household (register_code, village_id, head_name, people) of the office's area; returns its id.

    Raises InvalidInput where the code is taken or the village is no village of today there.
    """
    _check_village(values["village_id"], by)
    found = db.session().scalar(db.insert_new(Household).values(
        village_id=values["village_id"], register_code=values["register_code"], head_name=values["head_name"],
        people=values["people"]).returning(db.table(Household).c.id))
    if found is None:
        raise InvalidInput({"register_code": [CODE_TAKEN]})
    journal.record("household.entered", "household", found, by, village=values["village_id"],
                   people=values["people"], register_code=values["register_code"])
    return int(found)


def correct(household_id: int, values: Mapping[str, Any], by: Visitor) -> None:
    """Mend what the register says of a household; income of before stays where it was.

    An empty name leaves it as it is: the page shows it masked. Raises NotFound, InvalidInput.
    """
    row = db.session().scalar(select(Household).where(Household.id == household_id).with_for_update())
    if row is None or row.register_code is None or not in_area(row.village_id, by):
        raise NotFound()
    if values["village_id"] != row.village_id:
        _check_village(values["village_id"], by)
    before = {"register_code": row.register_code, "village_id": row.village_id, "people": row.people}
    more = values["people"] - row.people
    row.register_code, row.village_id, row.people = (values[name] for name in before)
    renamed = bool(values["head_name"]) and values["head_name"] != row.head_name
    row.head_name = values["head_name"] or row.head_name
    try:
        db.session().flush()
    except IntegrityError:
        raise InvalidInput({"register_code": [CODE_TAKEN]}) from None
    sealing.resize_households({row.id: more})
    journal.record("household.corrected", "household", row.id, by, before=before, renamed=renamed,
                   after={name: values[name] for name in before})


def homes(village_id: int) -> Sequence[Any]:
    """Villages of today of the township in which a household lives: id, name."""
    return _open_villages(Division.township_id == select(Division.township_id).where(
        Division.id == village_id).scalar_subquery())


def villages(where: Where) -> Sequence[Any]:
    """Villages of today of an area, to choose from."""
    return _open_villages(where.holds(Division.id))


def _open_villages(condition: Any) -> Sequence[Any]:
    return db.session().execute(
        select(Division.id, Division.name, Division.path)
        .where(Division.level == "village", Division.valid_to.is_(None), condition).order_by(Division.code)).all()


def _check_village(village_id: int, by: Visitor) -> None:
    is_open = db.session().scalar(select(Division.id).where(
        Division.id == village_id, Division.level == "village", Division.valid_to.is_(None)))
    if is_open is None or not in_area(village_id, by):
        raise InvalidInput({"village_id": [N_("Please choose one of the list.")]})


def reveal(household_id: int, purpose: str, by: Visitor) -> str:
    """The full name of a household of the area: whoever looks leaves a row and a line in the journal. Raises NotFound.
    """
    row = db.session().scalar(select(Household).where(Household.id == household_id))
    if row is None or not in_area(row.village_id, by):
        raise NotFound()
    db.session().add(NameReveal(household_id=row.id, revealed_by=by.id, organisation_id=by.organisation_id,
                                revealed_at=clock.now(), purpose=purpose))
    db.session().flush()
    journal.record("household.revealed", "household", row.id, by, purpose=purpose)
    return row.head_name
