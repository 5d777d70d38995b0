"""What the desks' first pages say of late payment and waiting goods: one statement for each side."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, func, select, true

from market import clock, db
from market.access import Visitor
from market.figures import Where
from market.parties import Organisation
from orders import families
from orders.buying.lists import open_fen
from orders.delivering.overdue import came_on, delivered, overdue
from orders.models import Order
from orders.overdue import lists, rules


@dataclass(frozen=True)
class Counts:
    """Orders late with their sum in fen; orders delivered and not accepted, those past their day, since when."""

    late: int
    late_fen: int
    delivered: int
    not_accepted: int
    since: date | None


def of_trade(by: Visitor) -> Counts:
    """Of a unit (money with the units it supervises, goods at its own door), or of a co-operative; one statement."""
    if by.organisation_kind == "supplier":
        money_of: ColumnElement[bool] = Order.supplier_id == by.organisation_id
        goods_of = money_of
    else:
        money_of = Order.unit_id.in_(families.within(by.organisation_id))
        goods_of = Order.unit_id == by.organisation_id
    today = clock.today()
    late = (select(func.count().label("late"), db.sum_of(open_fen()).label("late_fen")).select_from(Order)
            .where(money_of, lists.is_late(today), open_fen() > 0).subquery())
    goods = _delivered(goods_of, today)
    return Counts(*db.session().execute(
        select(late.c.late, late.c.late_fen, goods.c.delivered, goods.c.not_accepted, goods.c.since)
        .select_from(late.join(goods, true()))).one())


def _delivered(condition: ColumnElement[bool], today: date) -> Any:
    return (select(func.count().label("delivered"), func.count().filter(overdue(today)).label("not_accepted"),
                   func.min(came_on()).label("since"))
            .select_from(Order).where(condition, delivered(today)).subquery())


def of_area(where: Where) -> tuple[int, int]:
    """Units of an area that have been late for 30 days and longer, and orders not accepted there; one statement."""
    today = clock.today()
    old = clock.days_after(today, 1 - rules.OFFICE_FROM)
    lies_in = lists.unit_lies_in(where)
    late = (select(func.count(Order.unit_id.distinct()).label("units")).select_from(Order)
            .join(Organisation, Organisation.id == Order.unit_id)
            .where(lies_in, lists.is_late(old), open_fen() > 0).subquery())
    goods = (select(func.count().label("orders")).select_from(Order)
             .join(Organisation, Organisation.id == Order.unit_id).where(lies_in, overdue(today)).subquery())
    row = db.session().execute(select(late.c.units, goods.c.orders).select_from(late.join(goods, true()))).one()
    return row.units, row.orders


def late_in(where: Where) -> tuple[int, int]:
    """Orders of an area's units that are late with their payment, and the fen still open on them; one statement."""
    row = db.session().execute(
        select(func.count().label("orders"), db.sum_of(open_fen()).label("fen")).select_from(Order)
        .join(Organisation, Organisation.id == Order.unit_id)
        .where(lists.unit_lies_in(where), lists.is_late(clock.today()), open_fen() > 0)).one()
    return row.orders, row.fen
