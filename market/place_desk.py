"""What an official sees of the villages of their area: a list, one village's history, its households by class."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Select, and_, func, or_, select

from market import clock, db, paging, places
from market.access import Visitor
from market.errors import NotFound
from market.households import Household, HouseholdClass
from market.places import Division, VillageDesignation

Columns = Row[*tuple[Any, ...]]


def villages(by: Visitor, query: str, closed: bool, page: int) -> paging.Page:
    """Villages of today (or closed ones) of an official's area whose name, township or code holds the query."""
    conditions = [Division.level == "village", places.lies_in(by.division_id),
                  Division.valid_to.is_not(None) if closed else Division.valid_to.is_(None)]
    if query:
        conditions.append(or_(Division.path.icontains(query, autoescape=True),
                              Division.code.startswith(query, autoescape=True)))
    total = db.session().scalar(select(func.count()).select_from(Division).where(*conditions)) or 0
    return paging.read(_villages().where(*conditions).order_by(Division.code, Division.id), total, page)


def _villages() -> Select[Any]:
    """Villages with this year's designation and the number of their households."""
    households = (select(func.count()).select_from(Household).where(Household.village_id == Division.id)
                  .correlate(Division).scalar_subquery())
    return (
        select(db.table(Division), VillageDesignation.designated, households.label("households"))
        .outerjoin(VillageDesignation, and_(VillageDesignation.village_id == Division.id,
                                            VillageDesignation.year == clock.today().year))
    )


@dataclass(frozen=True)
class VillageStory:
    """One village with what it came from and became, its designations and how many households of each class."""

    village: Columns
    before: Sequence[Columns]  # id, name, valid_from, valid_to, reason
    successor: Columns | None
    designations: Sequence[Columns]  # year, designated, source; the newest first
    classes: Sequence[Columns]  # household_class, households; of `year`
    year: int


def story(village_id: int, year: int, by: Visitor) -> VillageStory:
    """A village of the official's area, closed ones too. Raises NotFound for any other."""
    read = db.session().execute
    village = read(_villages().where(Division.id == village_id, Division.level == "village",
                                     places.lies_in(by.division_id))).first()
    if village is None:
        raise NotFound()
    brief = select(Division.id, Division.name, Division.path, Division.valid_from, Division.valid_to, Division.reason)
    before = read(brief.where(Division.successor_id == village_id).order_by(Division.id)).all()
    successor = read(brief.where(Division.id == village.successor_id)).first()
    designations = read(
        select(VillageDesignation.year, VillageDesignation.designated, VillageDesignation.source)
        .where(VillageDesignation.village_id == village_id).order_by(VillageDesignation.year.desc())).all()
    classes = read(
        select(HouseholdClass.household_class, func.count().label("households"))
        .select_from(Household)
        .outerjoin(HouseholdClass, and_(HouseholdClass.household_id == Household.id, HouseholdClass.year == year))
        .where(Household.village_id == village_id)
        .group_by(HouseholdClass.household_class).order_by(HouseholdClass.household_class)).all()
    return VillageStory(village, before, successor, designations, classes, year)


def households(village_id: int, year: int, household_class: str | None, page: int) -> paging.Page:
    """Households of a village with their class in a year. The caller has checked that the village may be seen."""
    conditions = [Household.village_id == village_id]
    if household_class is not None:
        conditions.append(HouseholdClass.household_class == household_class)
    of_year = and_(HouseholdClass.household_id == Household.id, HouseholdClass.year == year)
    total = db.session().scalar(
        select(func.count()).select_from(Household).outerjoin(HouseholdClass, of_year).where(*conditions)) or 0
    return paging.read(
        select(Household.id, Household.register_code, Household.head_name, Household.people,
               HouseholdClass.household_class)
        .outerjoin(HouseholdClass, of_year).where(*conditions).order_by(Household.register_code, Household.id),
        total, page)


def townships(by: Visitor) -> Sequence[Columns]:
    """Townships of the official's area, to choose from."""
    return db.session().execute(
        select(Division.id, Division.path, Division.code)
        .where(Division.level == "township", Division.valid_to.is_(None), places.lies_in(by.division_id))
        .order_by(Division.code)).all()


def neighbours(village: Columns) -> Sequence[Columns]:
    """Other villages of today of the same township, to merge with."""
    return db.session().execute(
        select(Division.id, Division.name)
        .where(Division.township_id == village.township_id, Division.level == "village", Division.valid_to.is_(None),
               Division.id != village.id).order_by(Division.code)).all()
