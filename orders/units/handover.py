"""交接: one person takes over what another did in a unit, from a day on; what was open is named and goes along.

Rooms with things of a person's own (a cart, a plan) hand a `Taker` in as `app.extensions["sijin_takers"]`.
"""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from flask import current_app
from sqlalchemy import Row, delete, func, select, update

from market import clock, db, journal, logins
from market.access import Visitor
from market.errors import N_, Conflict, InvalidInput, MarketError, NotFound
from market.users import User
from orders.models import CartLine, Order, Purchase
from orders.units import people
from orders.units.models import UnitHandover

FARTHEST_DAYS = 366
Thing = tuple[str, int]  # what it is (a msgid) and how many
Taker = Callable[[int, int, int], Sequence[Thing]]  # (unit, from, to): moves what is theirs, says what it was


class HandoverOver(Conflict):
    """It has taken effect or was called off."""

    code = "handover_over"
    text = N_("This hand-over has taken effect already, or it was called off.")


def plan(from_user_id: int, to_user_id: int, from_day: date, reason: str, by: Visitor) -> int:
    """Somebody of the unit takes over from somebody else; today at once, later by the worker. Returns its id.

    Raises InvalidInput for the same person, a past day, roles that do not go together; NotFound for other people.
    """
    unit_id = by.organisation_id or 0
    people.lock(unit_id)
    roles, theirs = people.roles_of(from_user_id, unit_id), people.roles_of(to_user_id, unit_id)
    wrong: dict[str, list[str | MarketError]] = {}
    if from_user_id == to_user_id:
        wrong["to_user_id"] = [N_("Please choose somebody else.")]
    if not clock.today() <= from_day <= clock.days_after(clock.today(), FARTHEST_DAYS):
        wrong["from_day"] = [N_("A day from today on, at most a year ahead.")]
    if not roles:
        wrong["from_user_id"] = [N_("Please choose one of your people.")]
    if not theirs:
        wrong["to_user_id"] = [N_("Please choose one of your people.")]
    if "contractor" in roles:
        wrong["from_user_id"] = [N_("A contractor's person is ended, and the next one added with firm and licence.")]
    if wrong:
        raise InvalidInput(wrong)
    people.check_roles(roles | theirs)
    made = db.session().execute(db.insert_new(UnitHandover).returning(UnitHandover.id), [{
        "unit_id": unit_id, "from_user_id": from_user_id, "to_user_id": to_user_id, "from_day": from_day,
        "reason": reason, "state": "planned", "roles": sorted(roles), "things": [], "created_by": by.id,
        "created_at": clock.now()}]).scalar()
    if made is None:
        raise InvalidInput({"from_user_id": [N_("A hand-over of this person is planned already.")]})
    journal.record("handover.planned", "handover", made, by, from_user=from_user_id, to_user=to_user_id,
                   from_day=from_day)
    if from_day <= clock.today():
        _carry_out(int(made), by)
    return int(made)


def call_off(handover_id: int, by: Visitor) -> None:
    """Raises NotFound, HandoverOver."""
    one = own(handover_id, by)
    if one.state == "cancelled":
        return
    done = db.session().execute(update(UnitHandover).where(
        UnitHandover.id == handover_id, UnitHandover.state == "planned").values(state="cancelled")
        .returning(UnitHandover.id)).first()
    if done is None:
        raise HandoverOver()
    journal.record("handover.cancelled", "handover", handover_id, by)


def own(handover_id: int, by: Visitor) -> Row[Any]:
    """One hand-over of the visitor's unit (all columns, the names). Raises NotFound for another's."""
    found = db.session().execute(shown().where(UnitHandover.id == handover_id,
                                               UnitHandover.unit_id == by.organisation_id)).first()
    if found is None:
        raise NotFound()
    return found


def shown() -> Any:
    """Hand-overs with the names of those concerned."""
    one, giver = db.table(UnitHandover), db.table(User).alias("giver")
    taker, planner = db.table(User).alias("taker"), db.table(User).alias("planner")
    return (
        select(one, giver.c.name.label("from_name"), taker.c.name.label("to_name"),
               planner.c.name.label("planner_name"))
        .select_from(one).join(giver, giver.c.id == one.c.from_user_id)
        .join(taker, taker.c.id == one.c.to_user_id).join(planner, planner.c.id == one.c.created_by))


def follow_day() -> None:
    """What is due takes effect, each in a transaction of its own; a hand-over that no longer fits is called off."""
    due = db.session().execute(
        select(UnitHandover.id, UnitHandover.unit_id, User.login)
        .join(User, User.id == UnitHandover.created_by)
        .where(UnitHandover.state == "planned", UnitHandover.from_day <= clock.today())
        .order_by(UnitHandover.id)).all()
    for row in due:
        try:
            with db.transaction():
                people.lock(row.unit_id)
                _carry_out(row.id, logins.visitor_of_login(row.login, row.unit_id))
        except MarketError as refusal:
            with db.transaction() as session:
                session.execute(update(UnitHandover).where(UnitHandover.id == row.id, UnitHandover.state == "planned")
                                .values(state="cancelled"))
                journal.record("handover.cancelled", "handover", row.id, None, reason=str(refusal))


def _carry_out(handover_id: int, by: Visitor | None) -> None:
    """Roles go over, then the first person's acting ends; done once however many workers come to it."""
    session = db.session()
    one = session.execute(
        update(UnitHandover).where(UnitHandover.id == handover_id, UnitHandover.state == "planned")
        .values(state="done", done_at=clock.now())
        .returning(UnitHandover.unit_id, UnitHandover.from_user_id, UnitHandover.to_user_id)).first()
    if one is None:
        return
    unit_id, giver, taker = one
    roles, theirs = people.roles_of(giver, unit_id), people.roles_of(taker, unit_id)
    if not roles or not theirs:
        raise NotFound()
    people.check_roles(roles | theirs)
    things = [*_named(unit_id, giver, roles), _take_cart(unit_id, giver, taker)]
    for other in current_app.extensions.get("sijin_takers", ()):
        things += other(unit_id, giver, taker)
    people.give(taker, unit_id, roles - theirs)
    people.end(giver, "", by, unit_id)
    session.execute(update(UnitHandover).where(UnitHandover.id == handover_id).values(
        roles=sorted(roles), things=[list(thing) for thing in things if thing[1]]))
    journal.record("handover.done", "handover", handover_id, by, roles=sorted(roles),
                   things={name: count for name, count in things if count})


TO_APPROVE, ORDERED = N_("Purchases waiting for approval"), N_("Own orders still on their way")
TO_RECEIVE, TO_PAY = N_("Orders to receive"), N_("Orders to pay")
IN_CART = N_("Goods in the cart")


def _named(unit_id: int, giver: int, roles: set[str]) -> list[Thing]:
    """What waits for the roles that go over; it stays the unit's and now waits for the other person."""
    def orders(*conditions: Any) -> int:
        return db.session().scalar(select(func.count(Order.id)).join(Purchase, Purchase.id == Order.purchase_id)
                                   .where(Order.unit_id == unit_id, *conditions)) or 0

    found = [(ORDERED, orders(Purchase.ordered_by == giver, Order.state.in_(("waiting", "placed", "shipped"))))]
    if roles & {"approver", "leader"}:
        found.append((TO_APPROVE, db.session().scalar(select(func.count(Purchase.id)).where(
            Purchase.unit_id == unit_id, Purchase.approval == "waiting", Purchase.ordered_by != giver)) or 0))
    if "receiver" in roles:
        found.append((TO_RECEIVE, orders(Order.state == "shipped")))
    if "finance" in roles:
        found.append((TO_PAY, orders(Order.state == "accepted", Order.payment.in_(("unpaid", "part")))))
    return found


def _take_cart(unit_id: int, giver: int, taker: int) -> Thing:
    """The one's cart for this unit goes into the other's; where both hold a good, the other's quantity stays."""
    session = db.session()
    rows = session.execute(delete(CartLine).where(CartLine.unit_id == unit_id, CartLine.user_id == giver)
                           .returning(CartLine.product_id, CartLine.milli)).all()
    if rows:
        session.execute(db.insert_new(CartLine), [
            {"unit_id": unit_id, "user_id": taker, "product_id": row.product_id, "milli": row.milli} for row in rows])
    return IN_CART, len(rows)

