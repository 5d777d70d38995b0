"""The provider as a whole: its books, its bells and what it does."""

from pathlib import Path

from orders.practice.accounts import Accounts
from orders.practice.bells import Bells
from orders.practice.books import Books
from orders.practice.modes import Modes
from orders.practice.refunds import Refunds
from orders.practice.sessions import Sessions


class Provider:
    """Made once per process; used by many threads."""

    def __init__(self, secret: str, path: Path | None = None, webhooks: str = "") -> None:
        self.books = Books(path)
        self.bells = Bells(self.books, secret, webhooks)
        self.modes = Modes()
        self.accounts = Accounts(self.books, self.bells)
        self.sessions = Sessions(self.books, self.bells)
        self.refunds = Refunds(self.books, self.bells)

    def clear(self) -> None:
        """As on the first day: for the next test."""
        self.books.clear()
        self.modes.clear()
        self.bells.addresses.clear()
        self.bells.habits.clear()
        self.refunds.pending_next.clear()
        self.bells.address = ""
        self.books.moment = None
