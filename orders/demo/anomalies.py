"""What stands out in the demo world: whatever its year holds, and one invented tie of a unit and a co-operative."""

from datetime import date

from sqlalchemy import func, select, update

from market import clock, db
from market.figures import EVERYWHERE
from market.parties import Organisation
from orders.anomalies import cases, looks
from orders.models import Order


def stand_out(today: date) -> None:
    """Give the pair that has traded least, and only this month, one phone; then look at the month as every night."""
    month = clock.period_of(today)
    with clock.at(clock.shanghai(today, 18)), db.transaction() as session:
        pair = session.execute(
            select(Order.unit_id, Order.supplier_id).where(Order.state != "cancelled")
            .group_by(Order.unit_id, Order.supplier_id)
            .order_by(func.min(Order.business_date).desc(), func.count(), Order.unit_id, Order.supplier_id)
            .limit(1)).one()
        phone = session.get_one(Organisation, pair.supplier_id).phone or "0746-555-0101"
        session.execute(update(Organisation).where(Organisation.id.in_((pair.unit_id, pair.supplier_id)))
                        .values(phone=phone))
        cases.open_found(looks.found(month, month, EVERYWHERE))
