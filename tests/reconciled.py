"""Card payments by the hundred for tests of reconciliation: paid at the stand-in, booked here, a few of them not."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from market import clock, db, ledger
from orders.income import posting
from orders.models import CardPayment, Order, ReceiptShare
from orders.paying import receipts
from orders.paying.gateway import Gateway
from orders.practice.books import new_id
from orders.reconciling.night import Hands
from tests.stand_in import StandIn
from tests.trade import Trade

YESTERDAY = timedelta(days=1)


@dataclass(frozen=True)
class Paid:
    """One payment and its charge at the stand-in."""

    id: int
    order_id: int
    charge_id: str
    fen: int


def pay_many(trade: Trade, stand_in: StandIn, account: str, count: int, dropped: int = 0) -> list[Paid]:
    """So many orders paid by card a day ago, one payment each; the last `dropped` of them nobody has told us of."""
    cabbage = trade.product("白菜", price_fen=200)
    trade.lot(cabbage, 100)
    pattern = trade.orders(trade.place({cabbage: 10_000}))[0]
    at, booked = clock.now() - YESTERDAY, count - dropped
    amounts = [1_000 + number for number in range(count)]
    numbers = [f"{pattern.number}-{number}" for number in range(count)]
    somebody = trade.world.person("cashier.sun").id
    with db.transaction():
        copied = {name: value for name, value in db.columns_of(pattern).items() if name != "id"}
        orders = db.insert_returning_ids(Order, [
            {**copied, "number": numbers[n], "received_fen": amounts[n] if n < booked else 0} for n in range(count)])
        intents = [new_id("pi") for _ in range(count)]
        charges = [new_id("ch") for _ in range(count)]
        payments = db.insert_returning_ids(CardPayment, [
            {"order_id": order, "unit_id": pattern.unit_id, "supplier_id": pattern.supplier_id, "account_id": account,
             "attempt": 1, "key": f"{numbers[n]}-1", "amount_fen": amounts[n], "live": False,
             "state": "paid" if n < booked else "open", "session_id": f"cs_{n}", "session_url": "",
             "intent_id": intents[n] if n < booked else None, "charge_id": charges[n] if n < booked else None,
             "way": "alipay" if n < booked else None, "started_by": somebody, "started_at": at, "expires_at": at,
             "next_look_at": at + timedelta(days=9), "looks": 0, "settled_at": at if n < booked else None,
             "business_date": clock.business_date(at) if n < booked else None, "reason": ""}
            for n, order in enumerate(orders)])
        shares = db.insert_returning_ids(ReceiptShare, [
            {"order_id": orders[n], "card_payment_id": payments[n], "claim_part_id": None, "acceptance_part_id": None,
             "amount_fen": amounts[n], "business_date": clock.business_date(at)} for n in range(booked)])
        facts = posting.facts_of(pattern, None)
        ledger.post([one for n, share in enumerate(shares) for one in posting.received(
            {**facts, "order_ref": numbers[n]}, share, amounts[n], clock.business_date(at))])
    _charge(stand_in, account, [(intents[n], charges[n], amounts[n], payments[n], numbers[n]) for n in range(count)],
            int(at.timestamp()))
    return [Paid(payments[n], orders[n], charges[n], amounts[n]) for n in range(count)]


def _charge(stand_in: StandIn, account: str, rows: list[tuple[str, str, int, int, str]], at: int) -> None:
    """Straight into the provider's books, without a page and a payer."""
    keep = stand_in.provider.books
    with keep.deed():
        for intent, charge, fen, payment, number in rows:
            marks = {"payment": str(payment), "order": number}
            keep.add(account, {
                "id": intent, "object": "payment_intent", "amount": fen, "amount_received": fen, "created": at,
                "capture_method": "automatic", "currency": "cny", "description": number, "last_payment_error": None,
                "latest_charge": charge, "livemode": False, "metadata": marks, "status": "succeeded"})
            keep.add(account, {
                "id": charge, "object": "charge", "amount": fen, "amount_captured": fen, "amount_refunded": 0,
                "captured": True, "created": at, "currency": "cny", "description": number, "disputed": False,
                "failure_code": None, "livemode": False, "metadata": marks, "paid": True, "payment_intent": intent,
                "payment_method_details": {"type": "alipay", "alipay": {}}, "refunded": False, "status": "succeeded"})


class Bookkeeper:
    """Books as the product's one booking function does, and remembers what it was asked to look at."""

    def __init__(self, charges: dict[int, str]) -> None:
        self.charges, self.booked, self.followed = charges, [], []  # type: ignore[var-annotated]
        self.hands = Hands(book=self.book, follow=self.follow)

    def book(self, payment_id: int, _gateway: Gateway) -> None:
        self.booked.append(payment_id)
        with db.transaction() as session:
            row = session.scalars(select(CardPayment).where(CardPayment.id == payment_id).with_for_update()).one()
            if row.state == "paid":
                return
            order = session.scalars(select(Order).where(Order.id == row.order_id).with_for_update()).one()
            row.state, row.charge_id, row.settled_at = "paid", self.charges[payment_id], clock.now()
            row.business_date = clock.today()
            session.flush()
            receipts.lay(order, receipts.Brought(card_payment_id=row.id), row.amount_fen, clock.today())

    def follow(self, refund_id: int, gateway: Gateway) -> Any:
        self.followed.append(refund_id)
