"""The demo world's evidence: an auditor has a sample drawn and asks for its package, which the worker then makes."""

from datetime import date

from sqlalchemy import select

from market import clock, db, heads, logins
from market.figures import EVERYWHERE
from market.places import Division
from orders.evidence import asking, drawing

AUDITOR, DRAWN = "auditor.city", 5


def draw(today: date) -> None:
    """After the year has been sealed: what is not in a block cannot be drawn."""
    by = logins.visitor_of_login(AUDITOR)
    year, head = clock.days_after(today, -60).year, heads.newest()
    if by is None or head is None or not drawing.population(year, EVERYWHERE, head.number):
        return
    with clock.at(clock.shanghai(today, 10)), db.transaction() as session:
        city = session.scalars(select(Division.path).where(Division.level == "city").limit(1)).one()
        asking.ask_for_draw(drawing.draw(year, EVERYWHERE, city, DRAWN, by), False, by)
