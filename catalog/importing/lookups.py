"""What the rows of every kind of table are compared with: shelves, villages, units; a statement each."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import select

from catalog import origins
from catalog.importing.kinds import Offer, accepted
from catalog.models import Category
from market import db
from market.access import Visitor
from market.places import Division
from market.schemas import as_written


def normal(value: Any) -> Any:
    """Text as the schema makes it, so that what was stored otherwise is not taken for changed."""
    if not isinstance(value, str):
        return value
    return as_written(value.replace("\r\n", "\n")).strip()


def locked(query: Any) -> Any:
    """The rows stay as they are until the transaction ends; outside one they are only looked at."""
    return query.with_for_update() if db.session().info.get(db.WRITE) else query


def category_offer() -> Offer:
    """Shelves by code, Chinese or English name."""
    rows = db.session().execute(select(Category.code, Category.name_zh, Category.name_en, Category.parent_id)
                                .order_by(Category.sort, Category.code)).all()
    words = accepted((said, row.code) for row in rows for said in (row.code, row.name_zh, row.name_en))
    return Offer([(say(row.code, row.name_zh, words), f"{row.name_zh} {row.name_en}".strip()) for row in rows], words)


def say(code: str, name: str, words: Mapping[str, str]) -> str:
    """The name where it says the code and nothing else, otherwise the code."""
    return name if words.get(name.lower()) == code else code


def village_offer(by: Visitor) -> Offer:
    """Villages of the co-operative's township and of its members, by code, name or whole path."""
    villages = origins.villages_of_supplier(by.organisation_id or 0)
    words = accepted((said, code) for code, path in villages.items() for said in (code, path, path.rsplit(" ", 1)[-1]))
    return Offer(list(villages.items()), words)


def village_ids(codes: Iterable[str]) -> dict[str, int]:
    """Villages of today by code."""
    return {row.code: row.id for row in db.session().execute(
        select(Division.code, Division.id).where(Division.code.in_(set(codes)), Division.level == "village",
                                                 Division.valid_to.is_(None)))}
