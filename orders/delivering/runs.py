"""The van: sub-orders of several co-operatives to one door, known by six digits or a link on the driver's phone."""

import secrets
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select, update

from market import clock, db
from market.access import Visitor
from market.errors import NotFound
from orders import numbers
from orders.models import DeliveryRun, Order, Shipment


def join(order: Order) -> DeliveryRun:
    """The open run to this order's delivery point, day and window; opened by the first co-operative that packs."""
    session = db.session()
    place = (DeliveryRun.unit_id == order.unit_id, DeliveryRun.delivery_point_id == order.delivery_point_id,
             DeliveryRun.day == order.delivery_day,
             DeliveryRun.delivery_window == order.delivery_window, DeliveryRun.state == "open")
    for _try in range(20):  # a clash of six digits within one unit's open runs is rare; another number is drawn
        run = session.scalar(select(DeliveryRun).where(*place).with_for_update())
        if run is not None:
            return run
        session.execute(db.insert_new(DeliveryRun), [{
            "number": numbers.new("V", clock.today()), "unit_id": order.unit_id,
            "delivery_point_id": order.delivery_point_id, "day": order.delivery_day,
            "delivery_window": order.delivery_window, "code": f"{secrets.randbelow(1_000_000):06d}",
            "token": secrets.token_urlsafe(32), "state": "open", "opened_at": clock.now(),
        }])
    raise RuntimeError("no six digits left for this unit's runs")


def of_code(code: str, by: Visitor) -> Any:
    """The open run with these six digits at the visitor's own unit; raises NotFound."""
    run = db.session().scalar(select(DeliveryRun).where(
        DeliveryRun.code == code, DeliveryRun.unit_id == by.organisation_id, DeliveryRun.state == "open"))
    if run is None:
        raise NotFound()
    return run


def close_when_empty(run_ids: Sequence[int]) -> None:
    """Runs whose every order has been taken or refused are handed over.

    The run's lock comes before the look: whoever packs onto it or takes another of its orders waits, or is seen.
    """
    session = db.session()
    session.execute(select(DeliveryRun.id).where(DeliveryRun.id.in_(run_ids)).order_by(DeliveryRun.id)
                    .with_for_update())
    waiting = (select(Order.id).join(Shipment, Shipment.order_id == Order.id)
               .where(Shipment.run_id == DeliveryRun.id, Order.state == "shipped").exists())
    session.execute(update(DeliveryRun).where(DeliveryRun.id.in_(run_ids), ~waiting).values(state="handed_over")
                    .execution_options(synchronize_session=False))
