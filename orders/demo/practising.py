"""How the demo takes cards without Stripe: the practice provider as one more process beside web and worker.

Two co-operatives of the invented world have an account there, and there only.
"""

import socket
import sys
from pathlib import Path

from market import clock, config, db
from market.serving import Helper
from orders.demo.year import Book
from orders.models.cards import ConnectedAccount

BOOKS, SECRET = "practice.db", "practice_webhook_secret"  # in DATA_DIR, so that a restart knows what was paid
KEY = "sk_test_practice"
CONNECTED, ACCOUNT = 2, "acct_practice_{number}"  # the practice provider knows every account of this form
EVERYWHERE = {"", "0.0.0.0", "::"}  # noqa: S104 - compared with, not listened on


def helpers(chosen: config.Config, host: str, port: int) -> tuple[Helper, ...]:
    """The provider beside a web server on host and port; none in production, nor where Stripe or no cards are set."""
    if chosen.production or chosen.stripe_key or not chosen.card_payments:
        return ()
    own = chosen.practice_port or _port_beside(port)
    secret = config.kept_secret(chosen.data_dir, SECRET)
    site = f"http://{'127.0.0.1' if host in EVERYWHERE else host}:{port}"
    command = (sys.executable, "-m", "orders.practice.cli", "--port", str(own),
               "--books", str(Path(chosen.data_dir) / BOOKS), "--webhooks", f"{site}/webhooks/stripe")
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


def connect(book: Book) -> None:
    """The first co-operatives take cards."""
    with db.transaction() as session:
        for number, key in enumerate(list(book.facts.coops)[:CONNECTED], 1):
            session.add(ConnectedAccount(
                supplier_id=book.settled.organisations[key], account_id=ACCOUNT.format(number=number), live=False,
                charges_enabled=True, connected_by=book.settled.person(key, "manager").id,
                connected_at=clock.now(), checked_at=clock.now()))
