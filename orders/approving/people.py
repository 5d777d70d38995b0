"""Who has had a hand in a purchase: everybody who asked for it, everybody who said yes to it."""

from collections.abc import Collection

from sqlalchemy import select

from market import db
from orders.approving.models import ApprovalDecision, ApprovalStep, OrderAmendment
from orders.models import Purchase


def deciders(purchase_ids: Collection[int]) -> set[int]:
    """Everybody who decided a step of these purchases in any round, filed or signed one on paper, or approved their
    plan beforehand: none of them receives or pays."""
    session = db.session()
    found = set(session.scalars(select(Purchase.approved_by).where(Purchase.id.in_(purchase_ids))))
    for row in session.execute(select(ApprovalDecision.decided_by, ApprovalDecision.signed_by_user)
                               .where(ApprovalDecision.purchase_id.in_(purchase_ids))):
        found |= {row.decided_by, row.signed_by_user}
    return {person for person in found if person is not None}


def askers(purchase_ids: Collection[int]) -> set[int]:
    """Who ordered these purchases, and who raised them later, with or without a yes: none of them approves or pays."""
    session = db.session()
    return {*session.scalars(select(Purchase.ordered_by).where(Purchase.id.in_(purchase_ids))),
            *session.scalars(select(ApprovalStep.asked_by).where(ApprovalStep.purchase_id.in_(purchase_ids))),
            *session.scalars(select(OrderAmendment.amended_by).where(
                OrderAmendment.purchase_id.in_(purchase_ids), OrderAmendment.kind == "raised"))}
