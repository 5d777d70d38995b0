"""Who has had a hand in a purchase: everybody who asked for it, everybody who said yes to it."""

from collections.abc import Collection

from sqlalchemy import String, cast, select

from market import db
from market.journal import JournalEntry
from orders.approving.models import ApprovalDecision, ApprovalStep, OrderAmendment
from orders.models import Acceptance, AfterSale, ClaimPart, Order, PaymentClaim, Purchase
from orders.phone.models import PhoneOrder
from orders.standing.models import KIND, MAKING, StandingRun


def deciders(purchase_ids: Collection[int]) -> set[int]:
    """Everybody who decided a step of these purchases in any round, filed or signed one on paper, or approved their
    plan beforehand: none of them receives or pays. A replacement stands on the yes to what it replaces."""
    purchase_ids = _with_replaced(purchase_ids)
    session = db.session()
    found = set(session.scalars(select(Purchase.approved_by).where(Purchase.id.in_(purchase_ids))))
    for row in session.execute(select(ApprovalDecision.decided_by, ApprovalDecision.signed_by_user)
                               .where(ApprovalDecision.purchase_id.in_(purchase_ids))):
        found |= {row.decided_by, row.signed_by_user}
    return {person for person in found if person is not None}


def _with_replaced(purchase_ids: Collection[int]) -> set[int]:
    """These purchases and, where they replace goods of others, those too."""
    found, looked_at = set(purchase_ids), set[int]()
    while found - looked_at:
        new = found - looked_at
        looked_at |= new
        found |= set(db.session().scalars(
            select(Order.purchase_id).join(AfterSale, AfterSale.order_id == Order.id)
            .where(AfterSale.replacement_id.in_(new))))
    return found


def askers(purchase_ids: Collection[int]) -> set[int]:
    """Who ordered these purchases, made the plan behind them or typed what was said on the phone, and who raised them
    later, with or without a yes: none of them approves or pays."""
    session = db.session()
    return {*session.scalars(select(Purchase.ordered_by).where(Purchase.id.in_(purchase_ids))),
            *session.scalars(select(ApprovalStep.asked_by).where(ApprovalStep.purchase_id.in_(purchase_ids))),
            *session.scalars(select(OrderAmendment.amended_by).where(
                OrderAmendment.purchase_id.in_(purchase_ids), OrderAmendment.kind == "raised")),
            *session.scalars(select(PhoneOrder.typed_by).where(PhoneOrder.purchase_id.in_(purchase_ids))),
            *session.scalars(
                select(JournalEntry.actor_id).join(StandingRun, cast(StandingRun.plan_id, String)
                                                   == JournalEntry.thing_id)
                .where(StandingRun.purchase_id.in_(purchase_ids), JournalEntry.thing_kind == KIND,
                       JournalEntry.action.in_(MAKING), JournalEntry.actor_id.is_not(None)))}


def takers(purchase_ids: Collection[int]) -> set[int]:
    """Who received a part of these purchases or said that one was paid: none of them approves what grew later."""
    session = db.session()
    found = set(session.scalars(
        select(PaymentClaim.claimed_by).join(ClaimPart, ClaimPart.claim_id == PaymentClaim.id)
        .join(Order, Order.id == ClaimPart.order_id)
        .where(Order.purchase_id.in_(purchase_ids), PaymentClaim.state.not_in(("refused", "withdrawn")))))
    for row in session.execute(select(Acceptance.first_receiver, Acceptance.second_receiver)
                               .join(Order, Order.id == Acceptance.order_id)
                               .where(Order.purchase_id.in_(purchase_ids))):
        found |= {row.first_receiver, row.second_receiver}
    return found
