"""Who is meant in a row: a member by number, name or pinyin, a registered household by its code, a village by its."""

from collections.abc import Mapping, Sequence

from sqlalchemy import select

from catalog import weigh_in
from catalog.weigh_in import SeveralMembers
from market import db
from market.access import Visitor
from market.errors import N_, MarketError
from market.households import Household
from market.places import Division

NOBODY = N_("No member has this number, name or pinyin, and no registered household has this code.")
NO_VILLAGE = N_("Please choose one of the list.")
Meant = int | str | MarketError  # an id, or why there is none


def households(typed: Sequence[str], by: Visitor) -> list[Meant]:
    """For each text the household's id, or why nobody is meant; two statements."""
    known = weigh_in.members(by.organisation_id)
    codes = {text.strip().upper() for text in typed}
    registered = {row.register_code.upper(): row.id for row in db.session().execute(
        select(Household.id, Household.register_code).where(Household.register_code.in_(codes)))}
    return [_one(text, known, registered) for text in typed]


def _one(text: str, known: Sequence[weigh_in.Member], registered: Mapping[str, int]) -> Meant:
    if text.strip().upper() in registered:
        return registered[text.strip().upper()]
    meant = weigh_in.fitting(text, known)
    if len(meant) == 1:
        return meant[0].household_id
    if meant:
        return SeveralMembers(members="、".join(member.label for member in meant[:weigh_in.MOST_NAMED]))
    return NOBODY


def villages(codes: Sequence[str]) -> list[Meant]:
    """For each code the id of the village of today, or why there is none; one statement."""
    found = {row.code: row.id for row in db.session().execute(
        select(Division.id, Division.code).where(Division.code.in_(codes), Division.level == "village",
                                                 Division.valid_to.is_(None)))}
    return [found.get(code, NO_VILLAGE) for code in codes]


def home_of(household_id: int) -> int:
    """The village in which a household lives today."""
    return db.session().scalars(select(Household.village_id).where(Household.id == household_id)).one()
