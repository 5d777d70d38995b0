"""Logins: people, the sessions the server can end, bound phones, one-time codes, tokens."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, func, text
from sqlalchemy.orm import Mapped, mapped_column

from market.db import Base


class User(Base):
    """A login. Passwords and PINs are kept as argon2 hashes only."""

    __tablename__ = "user"
    __table_args__ = (
        Index("uq_user_email", func.lower(text("email")), unique=True, sqlite_where=text("email <> ''"),
              postgresql_where=text("email <> ''")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    login: Mapped[str] = mapped_column(String(64), unique=True)
    mobile: Mapped[str | None] = mapped_column(String(11), unique=True)
    name: Mapped[str]
    email: Mapped[str] = mapped_column(String(254), default="")  # reminders go there; empty: nowhere
    password_hash: Mapped[str]
    pin_hash: Mapped[str | None]
    totp_secret: Mapped[str | None]
    totp_last_step: Mapped[int] = mapped_column(default=0)  # a code is good once
    failed_count: Mapped[int] = mapped_column(default=0)
    locked_until: Mapped[datetime | None]
    created_at: Mapped[datetime]


class UserSession(Base):
    """A login on one device; ended on the server, a copied cookie is worth nothing."""

    __tablename__ = "user_session"

    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), index=True)
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"))  # whom the person acts for
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    device: Mapped[str] = mapped_column(default="")


class BoundDevice(Base):
    """A phone on which a person may log in by PIN, for 90 days."""

    __tablename__ = "bound_device"

    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), index=True)
    bound_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    failed_count: Mapped[int] = mapped_column(default=0)  # wrong PINs; the fifth ends the binding
    device: Mapped[str] = mapped_column(default="")


class ResetCode(Base):
    """A printed one-time code by which a township lets a clerk in again."""

    __tablename__ = "reset_code"

    id: Mapped[int] = mapped_column(primary_key=True)
    code_hash: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), index=True)
    issued_by: Mapped[int] = mapped_column(ForeignKey("user.id"))
    issued_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class ApiToken(Base):
    """A Bearer token: one person acting for one organisation."""

    __tablename__ = "api_token"

    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), index=True)
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
