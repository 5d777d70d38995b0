"""Reference prices: entered by officials for their county or city, with source and day; the newest of each counts."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import and_, func, or_, select

from catalog.models import Category
from catalog.review.models import ReferencePrice
from catalog.review.rules import Reference
from market import clock, db, journal, paging
from market.access import Visitor
from market.errors import N_, InvalidInput, NotAllowed
from market.paging import Columns
from market.places import Division, lies_in
from market.users import User

HOLDS_DAYS = 35  # markets are noted weekly; what is older than five weeks is no longer a reference
OFFICES = frozenset({"agriculture", "revitalisation", "city"})  # who looks at listings and notes prices


def need_office(by: Visitor) -> None:
    """Raises NotAllowed for officials whose office neither looks at listings nor notes prices."""
    if by.office_kind not in OFFICES or by.division_id is None:
        raise NotAllowed()


def enter(values: Mapping[str, Any], by: Visitor) -> ReferencePrice:
    """A price per kilo on a day in the official's county or city. Raises InvalidInput for a day to come."""
    need_office(by)
    if values["day"] > clock.today():
        raise InvalidInput({"day": [N_("This day has not come yet.")]})
    category = db.session().scalar(select(Category.id).where(Category.code == values["category"]))
    if category is None:
        raise InvalidInput({"category": [N_("Please choose one of the list.")]})
    row = ReferencePrice(
        division_id=by.division_id, category_id=category, word=values["word"], fen_per_kg=values["fen_per_kg"],
        source=values["source"], day=values["day"], entered_by=by.id, entered_at=clock.now())
    db.session().add(row)
    db.session().flush()
    journal.record("reference.entered", "reference", row.id, by, word=row.word, fen_per_kg=row.fen_per_kg,
                   source=row.source, day=row.day)
    return row


def current(county_ids: Collection[int] | None = None, day: date | None = None) -> list[Reference]:
    """The newest reference of each place, shelf and word that still holds today, or held on a day, for some counties
    and the cities over them (None: everywhere), in one statement."""
    day = day or clock.today()
    reference, place = db.table(ReferencePrice), db.table(Division)
    ranked = (
        select(reference, func.row_number().over(
            partition_by=(reference.c.division_id, reference.c.category_id, reference.c.word),
            order_by=(reference.c.day.desc(), reference.c.id.desc())).label("rank"))
        .where(reference.c.day >= clock.days_after(day, -HOLDS_DAYS), reference.c.day <= day)
    )
    if county_ids is not None:
        cities = select(place.c.parent_id).where(place.c.id.in_(county_ids))
        ranked = ranked.where(or_(reference.c.division_id.in_(county_ids), reference.c.division_id.in_(cities)))
    newest = ranked.subquery()
    rows = db.session().execute(
        select(newest, place.c.level).join(place, place.c.id == newest.c.division_id).where(newest.c.rank == 1))
    return [Reference(row.division_id, row.level == "county", row.category_id, row.word, row.fen_per_kg, row.source,
                      row.day) for row in rows]


def entered(by: Visitor, category: str | None, word: str, page: int) -> paging.Page:
    """What was entered for the places of an official's area and the city over it, newest first, in two statements."""
    reference, place, shelf, user = (db.table(ReferencePrice), db.table(Division), db.table(Category), db.table(User))
    above = select(Division.parent_id).where(Division.id == by.division_id)
    conditions = [or_(lies_in(by.division_id), Division.id == by.division_id, Division.id.in_(above))]
    if category:
        conditions.append(shelf.c.code == category)
    if word:
        conditions.append(reference.c.word.contains(word, autoescape=True))
    joined = (reference.join(place, place.c.id == reference.c.division_id)
              .join(shelf, shelf.c.id == reference.c.category_id)
              .outerjoin(user, user.c.id == reference.c.entered_by))
    total = db.session().scalar(select(func.count()).select_from(joined).where(and_(*conditions))) or 0
    query = (
        select(reference, place.c.name.label("place"), place.c.level, shelf.c.name_zh, shelf.c.name_en,
               shelf.c.code.label("category"), user.c.name.label("entered_by_name"))
        .select_from(joined).where(and_(*conditions)).order_by(reference.c.day.desc(), reference.c.id.desc()))
    return paging.read(query, total, page)


def is_still_valid(day: date) -> bool:
    """Whether a price of this day still counts as a reference."""
    return day >= clock.days_after(clock.today(), -HOLDS_DAYS)


def for_supplier(supplier_division_id: int | None) -> Sequence[Columns]:
    """What counts today in a co-operative's county and city, for its clerk to look at, in one statement."""
    reference, place, shelf = db.table(ReferencePrice), db.table(Division), db.table(Category)
    county = select(place.c.county_id).where(place.c.id == supplier_division_id).scalar_subquery()
    city = select(place.c.parent_id).where(place.c.id == county).scalar_subquery()
    ranked = (
        select(reference.c.id, func.row_number().over(
            partition_by=(reference.c.division_id, reference.c.category_id, reference.c.word),
            order_by=(reference.c.day.desc(), reference.c.id.desc())).label("rank"))
        .where(reference.c.day >= clock.days_after(clock.today(), -HOLDS_DAYS), reference.c.day <= clock.today(),
               or_(reference.c.division_id == county, reference.c.division_id == city)).subquery())
    return db.session().execute(
        select(reference.c.word, reference.c.fen_per_kg, reference.c.source, reference.c.day, shelf.c.name_zh,
               shelf.c.name_en)
        .select_from(reference).join(ranked, ranked.c.id == reference.c.id)
        .join(shelf, shelf.c.id == reference.c.category_id)
        .where(ranked.c.rank == 1).order_by(shelf.c.sort, reference.c.word)).all()
