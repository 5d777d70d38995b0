"""A co-operative's own account at the card provider: made there, finished there by its manager, checked from here."""

from typing import Any

from sqlalchemy import Row, select, update

from market import clock, db, journal
from market.access import Visitor
from market.errors import N_, Conflict
from orders.models import ConnectedAccount
from orders.paying import tasks
from orders.paying.gateway import Account, Gateway


class NotConnected(Conflict):
    """There is no account to ask about."""

    code = "not_connected"
    text = N_("Please connect an account first.")


def own(by: Visitor) -> Row[Any] | None:
    """The account of the visitor's co-operative, disconnected or not."""
    return db.session().execute(
        select(db.table(ConnectedAccount)).where(ConnectedAccount.supplier_id == by.organisation_id)).first()


def connect(by: Visitor, gateway: Gateway) -> None:
    """Connect the co-operative: with the account that it had, or a new one. Outside a transaction.

    Raises Declined, OutcomeUnknown, CardsOff.
    """
    had = own(by)
    db.session().rollback()
    same = had is not None and had.live == gateway.live
    account = gateway.account(had.account_id) if same and had is not None else gateway.create_account(
        by.organisation_id or 0, by.organisation_name)
    with db.transaction() as session:
        session.execute(db.insert_or_update(ConnectedAccount, "supplier_id").values(
            supplier_id=by.organisation_id, account_id=account.id, live=gateway.live,
            charges_enabled=account.charges_enabled, connected_by=by.id, connected_at=clock.now(),
            checked_at=clock.now(), disconnected_at=None))
        journal.record("card.connected", "organisation", by.organisation_id or 0, by, account=account.id)


def onboarding_url(by: Visitor, gateway: Gateway) -> str:
    """Where the manager tells the provider who the co-operative is. Raises NotConnected, Declined, OutcomeUnknown."""
    account = _connected(by)
    return gateway.onboarding_url(account.account_id, f"{gateway.site_url}/village/card-account")


def check(by: Visitor, gateway: Gateway) -> bool:
    """Ask the provider whether the account may take money now. Raises NotConnected, Declined, OutcomeUnknown."""
    found = gateway.account(_connected(by).account_id)
    _keep(found)
    return found.charges_enabled


def check_account(account_id: str, gateway: Gateway) -> str:
    """The same after a bell; says what was found."""
    found = gateway.account(account_id)
    _keep(found)
    return "takes money" if found.charges_enabled else "takes no money"


def lost(account_id: str) -> str:
    """The co-operative has cut the connection at the provider: cards are no longer offered, and it is told."""
    with db.transaction() as session:
        supplier_id = session.execute(
            update(ConnectedAccount).where(ConnectedAccount.account_id == account_id)
            .values(charges_enabled=False, checked_at=clock.now()).returning(ConnectedAccount.supplier_id)).scalar()
        if supplier_id is None:
            return "none of ours"
        tasks.find("account_lost", account_id, supplier_id)
        journal.record("card.lost", "organisation", supplier_id, None, account=account_id)
    return "account lost"


def disconnect(by: Visitor) -> None:
    """Cards are no longer offered; what is on its way is still booked. Raises NotConnected."""
    account = db.session().scalar(select(ConnectedAccount).where(
        ConnectedAccount.supplier_id == by.organisation_id, ConnectedAccount.disconnected_at.is_(None))
        .with_for_update())
    if account is None:
        raise NotConnected()
    account.disconnected_at, account.charges_enabled = clock.now(), False
    db.session().flush()
    journal.record("card.disconnected", "organisation", account.supplier_id, by, account=account.account_id)


def _connected(by: Visitor) -> Row[Any]:
    account = own(by)
    db.session().rollback()
    if account is None or account.disconnected_at is not None:
        raise NotConnected()
    return account


def _keep(found: Account) -> None:
    """A disconnected account stays so, whatever the provider says."""
    with db.transaction() as session:
        session.execute(
            update(ConnectedAccount)
            .where(ConnectedAccount.account_id == found.id, ConnectedAccount.disconnected_at.is_(None))
            .values(charges_enabled=found.charges_enabled, checked_at=clock.now()))
