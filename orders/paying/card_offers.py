"""Whether an order may be paid by card now, and why not."""

from typing import Any

from sqlalchemy import Row, select

from market import db
from market.errors import N_, Conflict, MarketError
from orders.buying import lists
from orders.models import ConnectedAccount, Order, PaymentSetting
from orders.paying.gateway import CardsOff, Gateway

PAYABLE = frozenset({"placed", "shipped", "accepted"})


class BankOnly(Conflict):
    """The unit has decided so."""

    code = "bank_only"
    text = N_("This unit pays by bank transfer only.")


class NoCardAccount(Conflict):
    """The co-operative has no account of its own at the card provider, or it is not ready."""

    code = "no_card_account"
    text = N_("This co-operative does not take cards. Please pay by bank transfer.")


class NothingOpen(Conflict):
    """Paid already, cancelled, or not yet approved."""

    code = "nothing_open"
    text = N_("Nothing of this order is to be paid now.")


def refusal(order: Any, open_fen: int, gateway: Gateway) -> MarketError | None:
    """What speaks against paying this order by card, whoever asks; three statements at most."""
    if not gateway.is_on:
        return CardsOff()
    if order.state not in PAYABLE or open_fen <= 0:
        return NothingOpen()
    session = db.session()
    if session.scalar(select(PaymentSetting.bank_only).where(PaymentSetting.organisation_id == order.unit_id)):
        return BankOnly()
    return None if account_of(order.supplier_id, gateway) is not None else NoCardAccount()


def account_of(supplier_id: int, gateway: Gateway) -> Row[Any] | None:
    """The co-operative's account, where it takes money in this site's mode."""
    return db.session().execute(select(db.table(ConnectedAccount)).where(
        ConnectedAccount.supplier_id == supplier_id, ConnectedAccount.live == gateway.live,
        ConnectedAccount.charges_enabled, ConnectedAccount.disconnected_at.is_(None))).first()


def open_fen(order_id: int) -> int:
    """What the order still costs, in fen."""
    return int(db.session().execute(select(lists.open_fen()).where(Order.id == order_id)).scalar_one())
