"""Money back, never more than was captured; disputes; and what happens in the provider's dashboard without the shop."""

from typing import Any

from orders.practice.bells import Bells
from orders.practice.books import Books, Thing, new_id
from orders.practice.refusing import Refused, invalid
from orders.practice.sessions import CHARGE, INTENT

REFUND, DISPUTE = "refund", "dispute"


class Refunds:
    """Refunds and disputes of all accounts."""

    def __init__(self, books: Books, bells: Bells) -> None:
        self.books, self.bells = books, bells
        self.pending_next: dict[str, int] = {}  # account: how many of its next refunds take their time

    def create(self, account: str, asked: dict[str, Any]) -> Thing:
        """Give back, all that is left unless an amount is named. Refuses more than is left."""
        with self.books.deed():
            charge = self._charge_of(account, asked)
            left = charge["amount_captured"] - charge["amount_refunded"]
            amount = asked.get("amount", left)
            if left <= 0:
                raise Refused(400, "invalid_request_error", f"Charge {charge['id']} has already been refunded.",
                              "charge_already_refunded")
            if charge["disputed"]:
                raise Refused(400, "invalid_request_error", f"Charge {charge['id']} has been charged back.",
                              "charge_disputed")
            if amount <= 0:
                raise invalid("Invalid positive integer", "parameter_invalid_integer", "amount")
            if amount > left:
                raise invalid(f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})",
                              "amount_too_large", "amount")
            return self._give(account, charge, amount, asked)

    def _charge_of(self, account: str, asked: dict[str, Any]) -> Thing:
        if "charge" in asked:
            return self.books.get(account, CHARGE, asked["charge"])
        if "payment_intent" not in asked:
            raise invalid("One of the following params should be provided for this request: payment_intent or charge.",
                          "parameter_missing", "payment_intent")
        intent = self.books.get(account, INTENT, asked["payment_intent"])
        if intent["status"] != "succeeded":
            raise invalid(f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund.",
                          "payment_intent_unexpected_state", "payment_intent")
        return self.books.get(account, CHARGE, intent["latest_charge"])

    def _give(self, account: str, charge: Thing, amount: int, asked: dict[str, Any]) -> Thing:
        charge["amount_refunded"] += amount
        charge["refunded"] = charge["amount_refunded"] == charge["amount_captured"]
        self.books.keep(charge)
        slow = self.pending_next.get(account, 0) > 0
        self.pending_next[account] = self.pending_next.get(account, 0) - slow
        refund = self.books.add(account, {
            "id": new_id("re"), "object": REFUND, "amount": amount, "charge": charge["id"],
            "created": self.books.now(), "currency": charge["currency"], "metadata": asked.get("metadata") or {},
            "payment_intent": charge["payment_intent"], "reason": asked.get("reason"), "receipt_number": None,
            "status": "pending" if slow else "succeeded"})
        self.bells.ring(account, "charge.refunded", charge)
        self.bells.ring(account, "refund.created", refund)
        return refund

    def finish(self, refund_id: str, state: str) -> Thing:
        """A pending refund has succeeded, failed or been canceled; what did not arrive counts as never given."""
        account = self.books.owner(refund_id)
        with self.books.deed():
            refund = self.books.keep(self.books.get(account, REFUND, refund_id) | {"status": state})
            if state in {"failed", "canceled"}:
                charge = self.books.get(account, CHARGE, refund["charge"])
                charge["amount_refunded"] -= refund["amount"]
                self.books.keep(charge | {"refunded": False})
            self.bells.ring(account, "refund.failed" if state == "failed" else "refund.updated", refund)
            return refund

    # ---- what happens without the shop ------------------------------------------------------------------------------

    def dispute(self, charge_id: str, amount: int | None = None) -> Thing:
        """The payer's bank asks for the money back."""
        account = self.books.owner(charge_id)
        with self.books.deed():
            charge = self.books.get(account, CHARGE, charge_id)
            charge["disputed"] = True
            self.books.keep(charge)
            dispute = self.books.add(account, {
                "id": new_id("du"), "object": DISPUTE, "amount": amount or charge["amount_captured"],
                "charge": charge_id, "created": self.books.now(), "currency": charge["currency"], "livemode": False,
                "metadata": {}, "payment_intent": charge["payment_intent"], "reason": "fraudulent",
                "status": "needs_response"})
            self.bells.ring(account, "charge.dispute.created", dispute)
            return dispute

    def foreign_charge(self, account: str, amount: int, way: str = "alipay") -> Thing:
        """A payment that no order of the shop knows of."""
        with self.books.deed():
            now = self.books.now()
            intent = {"id": new_id("pi"), "object": INTENT, "amount": amount, "amount_received": amount,
                      "capture_method": "automatic", "created": now, "currency": "cny", "description": None,
                      "last_payment_error": None, "latest_charge": None, "livemode": False, "metadata": {},
                      "status": "succeeded"}
            charge = {"id": new_id("ch"), "object": CHARGE, "amount": amount, "amount_captured": amount,
                      "amount_refunded": 0, "captured": True, "created": now, "currency": "cny", "description": None,
                      "disputed": False, "failure_code": None, "livemode": False, "metadata": {}, "paid": True,
                      "payment_intent": intent["id"], "payment_method_details": {"type": way, way: {}},
                      "refunded": False, "status": "succeeded"}
            self.books.add(account, intent | {"latest_charge": charge["id"]})
            self.bells.ring(account, "charge.succeeded", self.books.add(account, charge))
            return charge

    def change(self, charge_id: str, **facts: Any) -> Thing:
        """A charge is suddenly another than it was: for tests of the comparison. No bell rings."""
        account = self.books.owner(charge_id)
        with self.books.deed():
            return self.books.keep(self.books.get(account, CHARGE, charge_id) | facts)
