"""Delivery terms in the invented world: some co-operatives say where they deliver, the others come everywhere."""

from typing import Any

from sqlalchemy import select

from catalog.terms import stating
from market import clock, db
from market.places import Division
from orders.demo.year import Book

# the whole city, by the order in which the co-operatives are known; amounts in fen
CITY: tuple[dict[str, Any], ...] = (
    {"weekdays": "1,2,3,4,5,6", "windows": "dawn,morning,noon", "cut_off_hour": 16, "minimum_fen": 10_000,
     "freight_fen": 2_000, "free_from_fen": 50_000},
    {"weekdays": "2,4,6", "windows": "morning,noon,afternoon", "cut_off_hour": 12, "minimum_fen": 0,
     "freight_fen": 1_500, "free_from_fen": None},
    {"weekdays": "1,2,3,4,5", "windows": "dawn,morning", "cut_off_hour": 18, "minimum_fen": 5_000, "freight_fen": 0,
     "free_from_fen": None},
)


def state(book: Book) -> None:
    """Last of all, so that the invented year was traded on without terms; one co-operative is closed at new year."""
    city = db.session().scalars(select(Division.code).where(Division.level == "city").order_by(Division.code)).first()
    keys = list(book.facts.coops)[:len(CITY)]
    with db.transaction():
        for key, said in zip(keys, CITY, strict=False):
            if city is not None:
                stating.add(city, {"cut_off_days": 1, **said}, book.settled.person(key, "manager"))
        if len(keys) == len(CITY):
            first = clock.days_after(clock.today(), 40)
            stating.pause(first, clock.days_after(first, 14), "过年停送（演示）",
                          book.settled.person(keys[-1], "manager"))
