"""Which steps a person may take with an order now; the pages draw their buttons from this."""

from typing import Any

from market import access
from market.access import Visitor
from orders import states


def possible(order: Any, by: Visitor) -> frozenset[str]:
    """Of 'approve', 'cancel', 'accept', 'claim', 'complain', 'rate', 'move': what this person may do with an
    order's facts as they stand.

    The verbs check again, with locks; this only spares people a button that would refuse them.
    """
    own = order.unit_id == by.organisation_id
    allowed = {
        "approve": order.approval == "waiting" and order.ordered_by != by.id and access.can(by, "purchase.approve"),
        "cancel": "cancelled" in states.NEXT[order.state] and access.can(by, "purchase.cancel"),
        "accept": own and order.state == "shipped" and by.id != order.approved_by
        and access.can(by, "delivery.accept"),
        "claim": own and order.state in {"placed", "shipped", "accepted"} and order.open_fen > 0
        and by.id not in {order.ordered_by, order.approved_by} and access.can(by, "payment.claim"),
        "complain": own and order.state in {"accepted", "rejected"} and access.can(by, "aftersale.open"),
        "rate": own and order.state == "accepted" and access.can(by, "order.rate"),
        "move": own and order.state in {"waiting", "placed", "accepted"} and access.can(by, "credit.ask"),
    }
    return frozenset(step for step, may in allowed.items() if may)
