"""How the demo takes cards without Stripe: the practice provider as one more process beside web and worker.

Two co-operatives of the invented world have an account there, and there only.
"""

import json
import socket
import sys
from typing import Any

from sqlalchemy import select

from market import clock, config, db, journal
from market.parties import Organisation
from market.serving import Helper
from orders.demo.year import Book
from orders.models import CardPayment, Order
from orders.models.cards import WAYS, ConnectedAccount
from orders.paying import receipts

# in DATA_DIR, so that a restart knows what was paid
BOOKS, KNOWN, SECRET = "practice.db", "practice_known.json", "practice_webhook_secret"
KEY = "sk_test_practice"
ACCOUNTS = "acct_practice_"  # the practice provider knows every account of this beginning
CONNECTED, PAID = 2, 4  # co-operatives that take cards; orders that were paid by card
EVERYWHERE = {"", "0.0.0.0", "::"}  # noqa: S104 - compared with, not listened on


def helpers(chosen: config.Config, host: str, port: int) -> tuple[Helper, ...]:
    """The provider beside a web server on host and port; none in production, nor where Stripe or no cards are set."""
    if chosen.production or chosen.stripe_key or not chosen.card_payments:
        return ()
    own = chosen.practice_port or _port_beside(port)
    secret = config.kept_secret(chosen.data_dir, SECRET)
    site = f"http://{'127.0.0.1' if host in EVERYWHERE else host}:{port}"
    (chosen.data_dir / KNOWN).write_text(json.dumps(_known(), ensure_ascii=False), encoding="utf-8")
    command = (sys.executable, "-m", "orders.practice.cli", "--port", str(own),
               "--books", str(chosen.data_dir / BOOKS), "--known", str(chosen.data_dir / KNOWN),
               "--webhooks", f"{site}/webhooks/stripe")
    return (Helper("practice provider", command, {
        "STRIPE_SECRET_KEY": KEY, "STRIPE_WEBHOOK_SECRET": secret, "STRIPE_API": f"http://127.0.0.1:{own}"}),)


def _port_beside(port: int) -> int:
    """The next one, so that addresses of payment pages outlive a restart; a free one where that is taken."""
    for wanted in (port + 1, 0):
        with socket.socket() as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                tried.bind(("127.0.0.1", wanted))
            except (OSError, OverflowError):
                continue
            return int(tried.getsockname()[1])
    raise OSError("no port is free")


def _known() -> dict[str, Any]:
    """Whose the accounts are, and what the invented past paid into them."""
    session = db.session()
    accounts = session.execute(
        select(ConnectedAccount.account_id, Organisation.name)
        .join(Organisation, Organisation.id == ConnectedAccount.supplier_id)
        .where(ConnectedAccount.account_id.startswith(ACCOUNTS, autoescape=True)))
    payments = session.execute(
        select(db.table(CardPayment), Order.number).join(Order, Order.id == CardPayment.order_id)
        .where(CardPayment.state == "paid", CardPayment.session_id.is_(None)))
    return {
        "accounts": [{"id": row.account_id, "name": row.name} for row in accounts],
        "payments": [{"account": row.account_id, "intent": row.intent_id, "charge": row.charge_id,
                      "fen": row.amount_fen, "way": row.way, "at": int(row.settled_at.timestamp()),
                      "payment": row.id, "order": row.number} for row in payments]}


def connect(book: Book) -> None:
    """The first co-operatives take cards, and some orders were paid so on the day before the last."""
    _connect(book)
    with clock.at(clock.shanghai(clock.days_after(book.last, -1), 15)), db.transaction() as session:
        unpaid = session.scalars(
            select(Order).join(ConnectedAccount, ConnectedAccount.supplier_id == Order.supplier_id)
            .where(Order.state == "accepted", Order.payment == "unpaid", Order.accepted_fen > Order.returned_fen)
            .order_by(Order.id).limit(PAID))
        for number, order in enumerate(unpaid):
            _pay(order, WAYS[number % len(WAYS)], book)


def _pay(order: Order, way: str, book: Book) -> None:
    """As if the payment page had been used; the practice provider hears of it at its start."""
    session, now = db.session(), clock.now()
    unit = next(key for key, found in book.settled.organisations.items() if found == order.unit_id)
    payer = book.settled.person(unit, "finance")
    account = session.get_one(ConnectedAccount, order.supplier_id)
    mark = f"practice_{order.number.replace('-', '_')}"
    payment = CardPayment(
        order_id=order.id, unit_id=order.unit_id, supplier_id=order.supplier_id, account_id=account.account_id,
        attempt=1, key=f"order-{order.number}-1", live=False, state="paid",
        amount_fen=order.accepted_fen - order.returned_fen + order.freight_due_fen,
        intent_id=f"pi_{mark}", charge_id=f"ch_{mark}", way=way, started_by=payer.id, started_at=now, expires_at=now,
        next_look_at=now, settled_at=now, business_date=clock.today())
    session.add(payment)
    session.flush()
    receipts.lay(order, receipts.Brought(card_payment_id=payment.id), payment.amount_fen, clock.today())
    receipts.update_payment(order)
    journal.record("payment.card_received", "order", order.id, None, key=payment.key, amount_fen=payment.amount_fen)


def _connect(book: Book) -> None:
    with db.transaction() as session:
        for number, key in enumerate(list(book.facts.coops)[:CONNECTED], 1):
            session.add(ConnectedAccount(
                supplier_id=book.settled.organisations[key], account_id=f"{ACCOUNTS}{number}", live=False,
                charges_enabled=True, connected_by=book.settled.person(key, "manager").id,
                connected_at=clock.now(), checked_at=clock.now()))
