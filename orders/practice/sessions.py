"""Checkout sessions: opened, paid at most once, expired; with them payment intents and charges."""

from typing import Any

from orders.practice.bells import Bells
from orders.practice.books import Books, Thing, new_id
from orders.practice.refusing import declined, invalid

SESSION, INTENT, CHARGE = "checkout.session", "payment_intent", "charge"
WAYS = ("card", "alipay", "wechat_pay")
SHORTEST, LONGEST = 30 * 60, 24 * 60 * 60  # seconds that a session may be open
GOOD_CARD, DECLINED_CARD = "4242424242424242", "4000000000000002"


class Closed(Exception):
    """The page is paid or expired; nothing was charged. Holds the session."""

    def __init__(self, session: Thing) -> None:
        super().__init__(session["id"])
        self.session = session


class Sessions:
    """The payment pages of all accounts."""

    def __init__(self, books: Books, bells: Bells) -> None:
        self.books, self.bells = books, bells

    def create(self, account: str, asked: dict[str, Any], base: str) -> Thing:
        """Open a page. Refuses what the provider refuses: too short or long, nothing to pay, no way to pay."""
        now = self.books.now()
        expires = asked.get("expires_at", now + LONGEST)
        if not now + SHORTEST <= expires <= now + LONGEST:
            raise invalid("The `expires_at` timestamp must be between 30 minutes and 24 hours from Checkout Session "
                          "creation.", "", "expires_at")
        if asked.get("mode") != "payment":
            raise invalid("Only mode=payment is practised here.", "parameter_invalid", "mode")
        if "success_url" not in asked:
            raise invalid("Missing required param: success_url.", "parameter_missing", "success_url")
        ways = asked.get("allowed_payment_method_types", list(WAYS))
        if not ways or not set(ways) <= set(WAYS):
            raise invalid("A payment method is not activated.", "payment_method_unactivated",
                          "allowed_payment_method_types")
        amount, currency, lines = _sum(asked.get("line_items", []))
        session_id, intent_data = new_id("cs_test"), asked.get("payment_intent_data", {})
        return self.books.add(account, {
            "id": session_id, "object": SESSION, "allowed_payment_method_types": ways, "amount_subtotal": amount,
            "amount_total": amount, "cancel_url": asked.get("cancel_url"),
            "client_reference_id": asked.get("client_reference_id"), "created": now, "currency": currency,
            "customer": None, "customer_details": None, "expires_at": expires, "livemode": False,
            "metadata": asked.get("metadata", {}), "mode": "payment", "payment_intent": None,
            "payment_method_options": asked.get("payment_method_options", {}), "payment_status": "unpaid",
            "status": "open", "success_url": asked["success_url"], "url": f"{base}/c/pay/{session_id}",
            # what the provider keeps to itself
            "_intent": {"metadata": intent_data.get("metadata", {}), "description": intent_data.get("description")},
            "_lines": lines})

    def get(self, account: str, session_id: str) -> Thing:
        """A page as it stands; one whose time is up is expired, and the bell rings for it."""
        with self.books.deed():
            session = self.books.get(account, SESSION, session_id)
            if session["status"] == "open" and session["expires_at"] <= self.books.now():
                self._close(account, session)
            return session

    def expire(self, account: str, session_id: str) -> Thing:
        """Close a page. Refuses one that is not open."""
        with self.books.deed():
            session = self.get(account, session_id)
            if session["status"] != "open":
                raise invalid(f"Only Checkout Sessions with a status in [\"open\"] can be expired. This Checkout "
                              f"Session has a status of {session['status']}.")
            return self._close(account, session)

    def _close(self, account: str, session: Thing) -> Thing:
        session |= {"status": "expired", "url": None}
        self.books.keep(session)
        self.bells.ring(account, "checkout.session.expired", shown(session))
        return session

    def expire_due(self) -> int:
        """Expire every page whose time is up; returns how many."""
        due = self.books.rows(
            "SELECT id, account FROM thing WHERE kind = ? AND json_extract(body, '$.status') = 'open' "
            "AND json_extract(body, '$.expires_at') <= ?", SESSION, self.books.now())
        for row in due:
            self.get(row["account"], row["id"])
        return len(due)

    # ---- the payer's side -------------------------------------------------------------------------------------------

    def pay(self, session_id: str, way: str, card: str = "", decline: bool = False) -> Thing:
        """Pay a page, once. Raises Closed where it is no longer open; refuses a declined card and an unknown way."""
        account = self.books.owner(session_id)
        with self.books.deed():
            session = self.get(account, session_id)
            if session["status"] == "open":
                if way not in session["allowed_payment_method_types"]:
                    raise invalid("This way of paying is not offered.", "parameter_invalid", "way")
                if decline or (way == "card" and card != GOOD_CARD):
                    self._decline(account, session)
                else:
                    return self._take(account, session, way)
        if session["status"] != "open":
            raise Closed(session)
        raise declined()

    def _intent(self, account: str, session: Thing) -> Thing:
        """The session's payment intent; made when somebody first tries to pay."""
        if session["payment_intent"]:
            return self.books.get(account, INTENT, session["payment_intent"])
        intent = self.books.add(account, {
            "id": new_id("pi"), "object": INTENT, "amount": session["amount_total"], "amount_received": 0,
            "capture_method": "automatic", "created": self.books.now(), "currency": session["currency"],
            "description": session["_intent"]["description"], "last_payment_error": None, "latest_charge": None,
            "livemode": False, "metadata": session["_intent"]["metadata"], "status": "requires_payment_method"})
        session["payment_intent"] = intent["id"]
        self.books.keep(session)
        return intent

    def _decline(self, account: str, session: Thing) -> None:
        intent = self._intent(account, session)
        charge = self.books.add(account, charge_of(intent, "card", self.books.now(), paid=False))
        intent |= {"latest_charge": charge["id"], "last_payment_error": declined().body["error"]}
        self.books.keep(intent)
        self.bells.ring(account, "charge.failed", charge)
        self.bells.ring(account, "payment_intent.payment_failed", intent)

    def _take(self, account: str, session: Thing, way: str) -> Thing:
        intent = self._intent(account, session)
        charge = self.books.add(account, charge_of(intent, way, self.books.now(), paid=True))
        intent |= {"latest_charge": charge["id"], "status": "succeeded", "amount_received": intent["amount"],
                   "last_payment_error": None}
        session |= {"status": "complete", "payment_status": "paid", "url": None}
        self.books.keep(intent)
        self.books.keep(session)
        self.bells.ring(account, "charge.succeeded", charge)
        self.bells.ring(account, "payment_intent.succeeded", intent)
        self.bells.ring(account, "checkout.session.completed", shown(session))
        return session


def _sum(lines: list[dict[str, Any]]) -> tuple[int, str, list[str]]:
    """Amount, currency and titles of the lines. Refuses an empty page and mixed currencies."""
    prices = [line.get("price_data") for line in lines]
    if not prices or any(not price or "unit_amount" not in price for price in prices):
        raise invalid("Missing required param: line_items[0][price_data][unit_amount].", "parameter_missing",
                      "line_items")
    amount = sum(price["unit_amount"] * line.get("quantity", 1) for price, line in zip(prices, lines, strict=True)
                 if price)
    currencies = {price["currency"] for price in prices if price}
    if amount <= 0 or len(currencies) > 1:
        raise invalid("The amount must be greater than 0, in one currency.", "amount_too_small", "line_items")
    return amount, currencies.pop(), [price.get("product_data", {}).get("name", "") for price in prices if price]


def charge_of(intent: Thing, way: str, now: int, paid: bool) -> Thing:
    """The charge that comes of a try to pay an intent."""
    amount = intent["amount"] if paid else 0
    details: dict[str, Any] = {"type": way, way: {}}
    if way == "card":
        details["card"] = {"brand": "visa", "last4": GOOD_CARD[-4:] if paid else DECLINED_CARD[-4:]}
    return {
        "id": new_id("ch"), "object": CHARGE, "amount": intent["amount"], "amount_captured": amount,
        "amount_refunded": 0, "captured": paid, "created": now, "currency": intent["currency"],
        "description": intent["description"], "disputed": False, "livemode": False, "metadata": intent["metadata"],
        "failure_code": None if paid else "card_declined", "paid": paid, "payment_intent": intent["id"],
        "payment_method_details": details, "refunded": False, "status": "succeeded" if paid else "failed"}


def shown(thing: Thing) -> Thing:
    """A thing without what the provider keeps to itself."""
    return {name: value for name, value in thing.items() if not name.startswith("_")}
