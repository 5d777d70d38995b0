"""What a unit says of an accepted order: stars for the goods and the delivery, once, after acceptance only."""

from sqlalchemy import select

from market import clock, db, journal
from market.access import Visitor
from market.errors import N_, Conflict, InvalidInput, NotFound
from orders import states as order_states
from orders.aftersale import states
from orders.aftersale.cases import TooLate
from orders.models import Acceptance, Order, Rating

STARS = (5, 4, 3, 2, 1)


class AlreadyRated(Conflict):
    """One order is rated once."""

    code = "already_rated"
    text = N_("This order has been rated already.")


def rate(order_id: int, goods_stars: int, delivery_stars: int, words: str, by: Visitor) -> None:
    """Rate an order of the visitor's unit. Raises NotFound, WrongState, TooLate, AlreadyRated, InvalidInput."""
    order = db.session().scalar(select(Order).where(Order.id == order_id, Order.unit_id == by.organisation_id))
    if order is None:
        raise NotFound()
    if order.state != "accepted":
        raise order_states.WrongState(state=order.state)
    for name, stars in (("goods_stars", goods_stars), ("delivery_stars", delivery_stars)):
        if stars not in STARS:
            raise InvalidInput({name: [N_("Please choose one of the list.")]})
    taken_on = db.session().scalar(select(Acceptance.business_date).where(Acceptance.order_id == order.id))
    if taken_on is None or clock.today() > clock.days_after(taken_on, states.RATE_DAYS):
        raise TooLate(days=states.RATE_DAYS)
    row = {"order_id": order.id, "supplier_id": order.supplier_id, "goods_stars": goods_stars,
           "delivery_stars": delivery_stars, "words": words, "rated_by": by.id, "rated_at": clock.now()}
    if db.session().execute(db.insert_new(Rating).returning(db.table(Rating).c.id), row).scalar() is None:
        raise AlreadyRated()
    journal.record("order.rated", "order", order.id, by, goods_stars=goods_stars, delivery_stars=delivery_stars)
