"""The journal's acts in the reader's words, for the timelines of orders and purchases."""

from collections.abc import Callable, Mapping
from typing import Any

from market import money
from market.errors import N_

MONEY: Mapping[str, str] = {  # what both sides of an order read in the same words
    "payment.card_asked": N_("Payment by card begun"), "payment.card_received": N_("Paid by card or wallet"),
    "payment.card_different": N_("Card payment differs from what was asked"),
    "payment.refund_asked": N_("Refund asked for"), "payment.refund_sent": N_("Refund on its way to the card"),
    "payment.refund_refused": N_("Refund not given"), "payment.refund_failed": N_("The card provider refused"),
    "payment.withdrawn": N_("Claim of payment taken back"), "payment.extended": N_("15 more days to pay"),
    "order.expired": N_("Not paid in time: cancelled"), "order.back": N_("Placed again: paid late"),
}
ACTS: Mapping[str, str] = {
    "purchase.placed": N_("Ordered"), "purchase.approved": N_("Approved"), "purchase.declined": N_("Declined"),
    "purchase.step_approved": N_("Approved one step"), "purchase.approved_on_paper": N_("Filed an approval on paper"),
    "purchase.approval_voided": N_("The approval is void: more is ordered"),
    "order.amended": N_("Changed the order"), "order.parted": N_("A part follows later"),
    "order.placed": N_("Ordered"), "order.cancelled": N_("Cancelled"), "order.shipped": N_("Sent on its way"),
    "order.accepted": N_("Accepted"), "order.returned": N_("Goods returned"),
    "payment.claimed": N_("Payment claimed"), "payment.received": N_("Payment received"),
    "after_sale.opened": N_("After-sale case opened"), "after_sale.agreed": N_("After-sale case settled"),
    "after_sale.refused": N_("After-sale: not agreed"), "after_sale.withdrawn": N_("After-sale case taken back"),
    "after_sale.mediation": N_("The county was called"), "after_sale.proposed": N_("The county has proposed"),
    "after_sale.failed": N_("Closed without agreement"), "order.rated": N_("Rated"),
    "credit.asked": N_("Another unit was asked for"), "credit.approved": N_("Counts for another unit"),
    "credit.declined": N_("Change of unit declined"),
    "payment.not_found": N_("Payment not found"), "payment.refunded": N_("Refunded"),
    **MONEY,
}


def note(details: Mapping[str, Any], reasons: Mapping[str, str], translate: Callable[..., str]) -> str:
    """The amount, reason or number that belongs to an act, as one line."""
    reason = details.get("reason", "")
    amount = details.get("amount_fen", details.get("total_fen"))
    parts = [f"¥{money.yuan(amount)}" if amount is not None else "", details.get("claim", ""), details.get("case", ""),
             details.get("run", ""),
             translate(reasons[reason]) if reason in reasons else reason]
    return " · ".join(part for part in parts if part)
