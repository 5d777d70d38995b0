"""The demo world's household room: a ratio, a class that waits for its second person, a name that was looked at.

No monitoring line: none is shipped, an invented one would be taken for real.
"""

from sqlalchemy import select

from market import clock, db
from market.access import Visitor
from market.households import Household
from market.places import Division
from orders.demo.year import Book
from orders.households import classes, costs, register, years
from orders.households.classes import Said
from orders.income.areas import in_area

SOURCE = "演示测算（虚构）"


def keep(book: Book) -> None:
    """What the offices of the first co-operative's county have entered lately."""
    settled = book.settled
    county = next(iter(book.facts.coops.values())).county_code
    office = next(key for key, one in book.facts.offices.items()
                  if one.kind == "revitalisation" and one.division_code.startswith(county))
    official, agriculture = settled.person(office, "official"), settled.person("city-agriculture", "official")
    with clock.at(clock.shanghai(book.last, 15)), db.transaction():
        costs.put("veg", 3_500, years.present() - 1, SOURCE, agriculture)
        for number, household in enumerate(_registered(official)[:3]):
            if number < 2:
                classes.say(Said(household, book.last.year, ("unstable", "consolidate")[number], SOURCE), official)
            else:
                register.reveal(household, "入户核对、签字", official)


def _registered(official: Visitor) -> list[int]:
    """Registered households of the official's area, by code."""
    rows = db.session().execute(
        select(Household.id, Household.village_id).join(Division, Division.id == Household.village_id)
        .where(Household.register_code.is_not(None), Division.county_id == official.division_id)
        .order_by(Household.register_code).limit(3)).all()
    return [row.id for row in rows if in_area(row.village_id, official)]
