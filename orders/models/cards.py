"""Tables of payment by card and wallet: connected accounts, attempts, what the provider rang about."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from market.db import Base, choice

# asked: stored, the provider's answer not yet known; open: its page may be paid; different: money came that is not ours
CARD_STATES = ("asked", "open", "paid", "expired", "refused", "different")
LIVE_STATES = ("asked", "open")
WAYS = ("card", "alipay", "wechat_pay")


class ConnectedAccount(Base):
    """The co-operative's own account at the card provider. The platform holds nobody's money.

    The row stays when the account is disconnected: what is still on its way there is looked up by it.
    """

    __tablename__ = "connected_account"

    supplier_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), primary_key=True, autoincrement=False)
    account_id: Mapped[str] = mapped_column(String(80), unique=True)
    live: Mapped[bool]
    charges_enabled: Mapped[bool] = mapped_column(default=False)
    connected_by: Mapped[int] = mapped_column(ForeignKey("user.id"))
    connected_at: Mapped[datetime]
    checked_at: Mapped[datetime | None]
    disconnected_at: Mapped[datetime | None]


class CardPayment(Base):
    """One attempt to pay an order on the provider's page; at most one of an order is live.

    The key goes with every try of the same call: order + attempt, kept before the first.
    """

    __tablename__ = "card_payment"
    __table_args__ = (
        UniqueConstraint("order_id", "attempt"),
        CheckConstraint("amount_fen > 0", name="amount"),
        CheckConstraint("(state = 'paid') = (business_date IS NOT NULL)", name="paid"),
        Index("uq_card_payment_live", "order_id", unique=True, sqlite_where=text("state IN ('asked', 'open')"),
              postgresql_where=text("state IN ('asked', 'open')")),
        Index("ix_card_payment_look", "state", "next_look_at"),
        Index("ix_card_payment_supplier", "supplier_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("order.id"))
    unit_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)
    supplier_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    account_id: Mapped[str] = mapped_column(String(80), index=True)
    attempt: Mapped[int]
    key: Mapped[str] = mapped_column(String(80), unique=True)
    amount_fen: Mapped[int]
    live: Mapped[bool]
    state: Mapped[str] = mapped_column(choice("state", *CARD_STATES))
    session_id: Mapped[str | None] = mapped_column(String(120), unique=True)
    session_url: Mapped[str] = mapped_column(default="")
    intent_id: Mapped[str | None] = mapped_column(String(80), unique=True)
    charge_id: Mapped[str | None] = mapped_column(String(80), unique=True)
    way: Mapped[str | None] = mapped_column(choice("way", *WAYS))
    started_by: Mapped[int] = mapped_column(ForeignKey("user.id"))
    started_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    next_look_at: Mapped[datetime]  # when the worker asks again by itself
    looks: Mapped[int] = mapped_column(default=0)
    settled_at: Mapped[datetime | None]
    business_date: Mapped[date | None]
    reason: Mapped[str] = mapped_column(default="")


class ProviderEvent(Base):
    """A bell that the card provider rang: kept as it came, once by its id. What it says is looked up, not believed."""

    __tablename__ = "provider_event"

    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[str] = mapped_column(String(120), unique=True)
    account_id: Mapped[str] = mapped_column(String(80))
    kind: Mapped[str] = mapped_column(String(80))
    object_id: Mapped[str] = mapped_column(String(120), index=True)
    live: Mapped[bool]
    body: Mapped[str]
    received_at: Mapped[datetime]
    handled_at: Mapped[datetime | None]
    outcome: Mapped[str] = mapped_column(default="")
