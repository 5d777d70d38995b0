"""Connected accounts: each belongs to a co-operative; it takes money once its owner has said who it is."""

from typing import Any

from orders.practice.bells import Bells
from orders.practice.books import GIVEN, PLATFORM, Books, Thing, new_id
from orders.practice.refusing import Refused, missing

ACCOUNT = "account"


class Accounts:
    """All connected accounts; their own books are kept under the platform's."""

    def __init__(self, books: Books, bells: Bells) -> None:
        self.books, self.bells = books, bells

    def create(self, asked: dict[str, Any]) -> Thing:
        """A new account, which cannot take money yet."""
        return self.books.add(PLATFORM, self._made(new_id("acct"), asked, enabled=False))

    def _made(self, account_id: str, asked: dict[str, Any], enabled: bool) -> Thing:
        return {
            "id": account_id, "object": ACCOUNT, "business_profile": {"name": None} | asked.get("business_profile", {}),
            "capabilities": {}, "charges_enabled": enabled, "controller": asked.get("controller", {}),
            "country": asked.get("country", "CN"), "created": self.books.now(), "default_currency": "cny",
            "details_submitted": enabled, "email": asked.get("email"), "metadata": asked.get("metadata") or {},
            "payouts_enabled": enabled, "type": "none"}

    def get(self, account_id: str) -> Thing:
        """An account; those of the demo world are there as soon as somebody asks."""
        with self.books.deed():
            if account_id.startswith(GIVEN) and not self.books.rows("SELECT 1 FROM thing WHERE id = ?", account_id):
                name = f"演示合作社 {account_id.removeprefix(GIVEN)}"
                self.books.add(PLATFORM, self._made(account_id, {"business_profile": {"name": name}}, enabled=True))
            return self.books.get(PLATFORM, ACCOUNT, account_id)

    def named(self, account_id: str) -> str:
        """The account that a call is made for. Refuses one that is not connected."""
        if not account_id:
            return PLATFORM
        try:
            return str(self.get(account_id)["id"])
        except Refused as refusal:
            raise Refused(403, "invalid_request_error", "The provided key does not have access to account "
                          f"'{account_id}' (or that account does not exist).", "account_invalid") from refusal

    def connect(self, account_id: str) -> Thing:
        """Its owner has said who it is."""
        with self.books.deed():
            account = self.get(account_id) | {"charges_enabled": True, "details_submitted": True,
                                              "payouts_enabled": True}
            self.books.keep(account)
            self.bells.ring(account_id, "account.updated", account)
            return account

    def link(self, asked: dict[str, Any], base: str) -> Thing:
        """Where the owner says who it is; the way back is kept with the account."""
        with self.books.deed():
            account = self.get(asked["account"])
            if "return_url" not in asked:
                raise missing("return_url", "")
            self.books.keep(account | {"_return_url": asked["return_url"]})
        now = self.books.now()
        return {"object": "account_link", "created": now, "expires_at": now + 300,
                "url": f"{base}/c/connect/{account['id']}"}
