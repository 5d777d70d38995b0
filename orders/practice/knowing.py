"""What the practice provider is told at its start: names of accounts, and payments of an invented past."""

from typing import Any

from orders.practice.books import PLATFORM
from orders.practice.provider import Provider
from orders.practice.sessions import INTENT, charge_of


def know(provider: Provider, told: dict[str, Any]) -> None:
    """Take in what is not known yet; no bell rings for it.

    {"accounts": [{id, name}], "payments": [{account, intent, charge, fen, way, at, payment, order}]}
    """
    with provider.books.deed():
        for one in told.get("accounts", []):
            account = provider.accounts.get(one["id"])
            provider.books.keep(account | {"business_profile": {"name": one["name"]}})
        for one in told.get("payments", []):
            if not provider.books.rows("SELECT 1 FROM thing WHERE id = ? AND account <> ?", one["intent"], PLATFORM):
                _remember(provider, one)


def _remember(provider: Provider, one: dict[str, Any]) -> None:
    marks = {"payment": str(one["payment"]), "order": one["order"]}
    intent = {
        "id": one["intent"], "object": INTENT, "amount": one["fen"], "amount_received": one["fen"],
        "capture_method": "automatic", "created": one["at"], "currency": "cny", "description": one["order"],
        "last_payment_error": None, "latest_charge": one["charge"], "livemode": False, "metadata": marks,
        "status": "succeeded"}
    provider.books.add(one["account"], intent)
    provider.books.add(one["account"], charge_of(intent, one["way"], one["at"], paid=True) | {"id": one["charge"]})
