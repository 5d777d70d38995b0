"""Goods that travel cold, and how warm they may be at the kitchen door: facts in tables."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import select

from catalog.models import Category
from market import db
from market.errors import N_


@dataclass(frozen=True)
class Limit:
    """The warmest goods may be, in tenths of a degree Celsius. `read`: whether we have read the document ourselves."""

    name: str
    tenths: int
    document: str
    read: bool = False


LIMITS: Mapping[str, Limit] = {
    "chilled": Limit(N_("Chilled goods"), 80, "GB 31605-2020"),
    "frozen": Limit(N_("Frozen goods"), -120, "GB 31605-2020"),
}
# category, or one above it: how the goods travel
COLD: Mapping[str, str] = {"meat": "chilled", "poultry": "chilled", "aquatic": "chilled", "tofu": "chilled",
                           "frozen": "frozen"}
SPARED = frozenset({"cured"})  # keeps without cold, though it stands below meat


def kind_of(category: str, shelf: str | None = None) -> str | None:
    """How goods of a category on a shelf travel; none where they need no cold.

    >>> kind_of("pork", "meat"), kind_of("cured", "meat"), kind_of("leaf", "veg")
    ('chilled', None, None)
    """
    return None if category in SPARED else COLD.get(category) or COLD.get(shelf or "")


def kinds_of(categories: Iterable[str]) -> dict[str, str]:
    """The cold ones among these categories, with how they travel; one statement."""
    shelf = db.table(Category).alias()
    rows = db.session().execute(select(Category.code, shelf.c.code.label("shelf"))
                                .outerjoin(shelf, shelf.c.id == Category.parent_id)
                                .where(Category.code.in_(set(categories))))
    return {row.code: kind for row in rows if (kind := kind_of(row.code, row.shelf))}


def too_warm(kinds: Collection[str], measured: Mapping[str, int | None]) -> list[str]:
    """Which kinds were measured above their limit (tenths of a degree).

    >>> too_warm(["chilled", "frozen"], {"chilled": 80, "frozen": -119})
    ['frozen']
    """
    return [kind for kind in kinds if (degrees := measured.get(kind)) is not None and degrees > LIMITS[kind].tenths]
