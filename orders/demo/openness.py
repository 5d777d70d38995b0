"""Openness in the demo world: some co-operatives say their costs, some units let village pages name them. Invented."""

from sqlalchemy import select

from market import clock, db, logins
from market.access import Visitor
from market.parties import Membership
from market.users import User
from orders.openness import costs, naming

SAID = ((450, 820, 300, None), (380, 650, 520, 6_000), (600, 900, 150, None))  # packing, transport, loss, own share


def open_up() -> None:
    """Every third co-operative keeps silent on its costs; every other unit is named. In a transaction of its own."""
    with db.transaction():
        for number, manager in enumerate(_managers("supplier")):
            codes = [code for code, _names in costs.categories(manager)]
            for category in codes if number % 3 else ():
                points = dict(zip(costs.POINTS, SAID[number % len(SAID)], strict=True))
                costs.declare({"category": category, "valid_from": clock.period_of(clock.today()), **points}, None,
                              manager)
        for manager in _managers("unit")[::2]:
            naming.set_named(True, manager)


def _managers(kind: str) -> list[Visitor]:
    """One manager of each organisation of a kind."""
    rows = db.session().execute(
        select(User.login, Membership.organisation_id).join(Membership, Membership.user_id == User.id)
        .where(Membership.role == "manager").order_by(Membership.organisation_id, User.id))
    found: dict[int, Visitor] = {}
    for row in rows:
        visitor = logins.visitor_of_login(row.login)
        if visitor and visitor.organisation_kind == kind and visitor.organisation_id == row.organisation_id:
            found.setdefault(row.organisation_id, visitor)
    return list(found.values())
