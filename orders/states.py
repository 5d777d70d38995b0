"""What a state is and what may follow it: one table, from which the buttons and the tests are drawn."""

from collections.abc import Callable, Mapping

from market import words
from market.errors import N_, Conflict, in_english

FUND_SOURCES = ("canteen", "union", "staff")
METHODS = ("direct_online", "assisted", "fair", "pledge_purchase")
WINDOWS = ("dawn", "morning", "noon", "afternoon")
SOURCES = ("cart", "standing", "phone")  # how a purchase came about
APPROVAL = ("not_needed", "waiting", "approved", "declined")
PAYMENT_TERMS = ("goods_first", "pay_first")  # 先货后款, 先款后货
PAYMENT = ("unpaid", "claimed", "part", "paid", "over")

# an order's state and what may follow
NEXT: Mapping[str, frozenset[str]] = {
    "waiting": frozenset({"placed", "cancelled"}),  # for a second person's approval
    "placed": frozenset({"shipped", "cancelled", "waiting"}),  # what grows waits again
    "shipped": frozenset({"accepted", "rejected"}),
    "accepted": frozenset(),
    "rejected": frozenset(),
    "cancelled": frozenset(),
}
# the one way back: money came for an order that had ended because none came in time (orders/paying/card_late.py)
PAID_LATE = ("cancelled", "placed")
STATES = tuple(NEXT)


class WrongState(Conflict):
    """The order has moved on, or is not yet there."""

    code = "wrong_state"
    text = N_("This order is %(state)s; the step is not possible now.")

    def message(self, translate: Callable[..., str] = in_english) -> str:
        return translate(self.text, state=translate(words.ORDER_STATES[self.details["state"]]))


def check_next(state: str, new: str) -> None:
    """Raise WrongState unless `new` may follow `state`."""
    if new not in NEXT[state]:
        raise WrongState(state=state)


def payment_of(accepted_fen: int, returned_fen: int, received_fen: int, refunded_fen: int, placed_fen: int,
               *, is_accepted: bool, is_claimed: bool, is_cancelled: bool = False, freight_fen: int = 0) -> str:
    """The payment state that follows from the sums (fen): before acceptance the ordered amount is what is owed.

    `freight_fen` is what is owed of the freight: nothing where all was rejected.
    """
    owed = 0 if is_cancelled else (accepted_fen - returned_fen if is_accepted else placed_fen) + freight_fen
    paid = received_fen - refunded_fen
    if paid > owed:
        return "over"
    if paid == owed and (paid > 0 or is_accepted or is_cancelled):
        return "paid"
    if is_claimed:
        return "claimed"
    return "part" if paid > 0 else "unpaid"


def tab_of(state: str, payment: str) -> str:
    """The familiar tab an order lies under: 待审批 待发货 待收货 待付款 已完成 已取消."""
    if state in {"waiting", "placed", "shipped", "cancelled"}:
        return {"waiting": "to_approve", "placed": "to_ship", "shipped": "to_receive", "cancelled": "closed"}[state]
    if state == "rejected":
        return "closed"
    return {"unpaid": "to_pay", "part": "to_pay", "claimed": "to_confirm", "paid": "done", "over": "to_refund"}[payment]


def conditions_of(tab: str) -> tuple[frozenset[str], frozenset[str]]:
    """The states and payment states whose orders lie under a tab.

    >>> [sorted(part) for part in conditions_of("to_pay")]
    [['accepted'], ['part', 'unpaid']]
    """
    pairs = [(state, payment) for state in STATES for payment in PAYMENT if tab_of(state, payment) == tab]
    return frozenset(state for state, _ in pairs), frozenset(payment for _, payment in pairs)
