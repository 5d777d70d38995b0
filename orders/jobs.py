"""What the worker does for orders: each message of the outbox becomes news for the other side.

A handler opens its own transaction and may run twice; the notice's unique key makes it tell once.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from catalog.models import LotShare
from catalog.tracing.models import Recall, RecallLot
from market import db, money, notices, offices
from market.errors import N_
from market.notices import Kind, Kinds
from market.outbox import Handler
from market.parties import Organisation
from orders.delivering import recall
from orders.models import Order, PaymentClaim, Purchase
from orders.papers import frames

KINDS: Kinds = {
    "purchase.waiting": Kind(N_("Purchase %(number)s over ¥%(yuan)s waits for approval."),
                             "buying.purchase", "purchase_id"),
    "order.placed": Kind(N_("%(unit)s ordered for ¥%(yuan)s: order %(number)s, delivery on %(day)s."),
                         "packing.show", "order_id"),
    "order.shipped": Kind(N_("%(supplier)s has shipped order %(number)s."), "buying.order", "order_id"),
    recall.NEWS: Kind(N_("Lot %(lot)s of %(supplier)s has been recalled: %(goods)s. Please do not use these goods."),
                      "recalls.show", "recall_id"),
    "payment.claimed": Kind(N_("%(unit)s says that it transferred ¥%(yuan)s: claim %(number)s. Please look for it."),
                            "receipts.show", "claim_id"),
}


def purchase_placed(payload: Mapping[str, Any]) -> None:
    """Placed: the co-operatives hear of their orders, or the unit hears that somebody must approve."""
    with db.transaction() as session:
        frames.call_off(payload["purchase_id"])
        purchase = session.execute(
            select(Purchase.id, Purchase.number, Purchase.unit_id, Purchase.total_fen, Purchase.approval,
                   Organisation.name)
            .join(Organisation, Organisation.id == Purchase.unit_id).where(Purchase.id == payload["purchase_id"])
        ).one()
        if purchase.approval == "waiting":
            notices.tell(purchase.unit_id, "purchase.waiting", purchase.id,
                         {"number": purchase.number, "yuan": money.yuan(purchase.total_fen)})
        orders = session.execute(
            select(Order.id, Order.number, Order.supplier_id, Order.placed_fen, Order.delivery_day)
            .where(Order.purchase_id == purchase.id, Order.state.not_in(("waiting", "cancelled"))).order_by(Order.id))
        for order in orders.all():
            notices.tell(order.supplier_id, "order.placed", order.id, {
                "unit": purchase.name, "number": order.number, "yuan": money.yuan(order.placed_fen),
                "day": order.delivery_day.isoformat()})


def order_shipped(payload: Mapping[str, Any]) -> None:
    """Shipped: the unit hears that goods are on their way."""
    with db.transaction() as session:
        order = session.execute(select(Order.id, Order.number, Order.unit_id, Order.supplier_name)
                                .where(Order.id == payload["order_id"])).one()
        notices.tell(order.unit_id, "order.shipped", order.id,
                     {"supplier": order.supplier_name, "number": order.number})


def payment_claimed(payload: Mapping[str, Any]) -> None:
    """Claimed: the co-operative hears that it should look at its bank account."""
    with db.transaction() as session:
        claim = session.execute(
            select(PaymentClaim.id, PaymentClaim.number, PaymentClaim.supplier_id, PaymentClaim.amount_fen,
                   Organisation.name)
            .join(Organisation, Organisation.id == PaymentClaim.unit_id)
            .where(PaymentClaim.id == payload["claim_id"])).one()
        notices.tell(claim.supplier_id, "payment.claimed", claim.id,
                     {"unit": claim.name, "number": claim.number, "yuan": money.yuan(claim.amount_fen)})


def lot_recalled(payload: Mapping[str, Any]) -> None:
    """Recalled: every unit that received the goods hears of it, the co-operative, and the agriculture offices over its
    home and over the villages where the goods grew."""
    with db.transaction() as session:
        places = session.scalars(
            select(Organisation.division_id).join(Recall, Recall.supplier_id == Organisation.id)
            .where(Recall.id == payload["recall_id"], Organisation.division_id.is_not(None))
            .union(select(LotShare.village_id).join(RecallLot, RecallLot.lot_id == LotShare.lot_id)
                   .where(RecallLot.recall_id == payload["recall_id"]))).all()
        recall.tell(payload["recall_id"], [one for place in places if place
                                          for one in offices.over(place, "agriculture")])


HANDLERS: Mapping[str, Handler] = {
    "purchase.placed": purchase_placed,
    "purchase.approved": purchase_placed,
    "order.shipped": order_shipped,
    "payment.claimed": payment_claimed,
    recall.NEWS: lot_recalled,
}
