"""Short ways to state delivery terms in the named people's world, through the product's own verbs."""

from typing import Any

from sqlalchemy import select

from catalog.terms import stating
from market import db
from market.parties import DeliveryPoint
from market.places import Division
from tests.world import GREENS, SCHOOL, World

USUAL = {"weekdays": "1,2,3,4,5,6,7", "windows": "dawn,morning,noon,afternoon", "cut_off_hour": 16, "cut_off_days": 1,
         "minimum_fen": 0, "freight_fen": 0, "free_from_fen": None}
CHAIRS = {GREENS: "chair.shi"}


def code_of(division_id: int | None) -> str:
    return db.session().scalars(select(Division.code).where(Division.id == division_id)).one()


def county_of(world: World, village: str = "greens_home") -> Division:
    home = db.session().get_one(Division, world.villages[village])
    return db.session().get_one(Division, home.county_id)


def move_point(world: World, division_id: int, key: str = SCHOOL) -> None:
    """The unit's first door lies there."""
    point_id = world.delivery_point_id(key)
    with db.transaction() as session:
        session.get_one(DeliveryPoint, point_id).division_id = division_id


def state(world: World, supplier: str = GREENS, area: str | None = None, **changes: Any) -> int:
    """Terms of a co-operative for an area (by code; the city where none is named); returns the row's id."""
    code = area or db.session().scalars(select(Division.code).where(Division.level == "city")).first()
    assert code is not None
    by = world.person(CHAIRS.get(supplier, "chair.he"))
    with db.transaction():
        return stating.add(code, USUAL | changes, by)
