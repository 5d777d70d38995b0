"""Who did what to which thing, when, and what it was before and after. Append-only."""

import dataclasses
from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, select
from sqlalchemy.orm import Mapped, mapped_column

from market import clock, db
from market.access import Visitor
from market.db import Base


class JournalEntry(Base):
    """One act. Kept at least 180 days by law (3 years by default); nothing in the product deletes it."""

    __tablename__ = "journal_entry"
    __table_args__ = (Index("ix_journal_entry_thing", "thing_kind", "thing_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    actor_name: Mapped[str]
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"))
    action: Mapped[str] = mapped_column(String(48))
    thing_kind: Mapped[str] = mapped_column(String(32))
    thing_id: Mapped[str] = mapped_column(String(32))
    details: Mapped[dict[str, Any]] = mapped_column(JSON)


def record(action: str, kind: str, thing_id: int | str, by: Visitor | None, **details: Any) -> None:
    """Write an act beside what it did, in the same transaction: `record("order.accepted", "order", 9, by)`.

    `by` is None for what the system does itself. Details are plain facts such as before=, after=, reason=.
    """
    record_many([(action, kind, thing_id, details)], by)


def record_many(acts: list[tuple[str, str, int | str, dict[str, Any]]], by: Visitor | None) -> None:
    """Several acts of one person in one statement."""
    now = clock.now()
    db.insert_rows(JournalEntry, [
        {
            "at": now,
            "actor_id": by.id if by else None,
            "actor_name": by.name if by else "system",
            "organisation_id": by.organisation_id if by else None,
            "action": action,
            "thing_kind": kind,
            "thing_id": str(thing_id),
            "details": _plain(details),
        }
        for action, kind, thing_id, details in acts
    ])


def timeline(kind: str, thing_id: int | str) -> list[dict[str, Any]]:
    """What happened to a thing, oldest first."""
    table = JournalEntry.__table__
    query = select(table).where(table.c.thing_kind == kind, table.c.thing_id == str(thing_id)).order_by(table.c.id)
    return [dict(row) for row in db.session().execute(query).mappings()]


def _plain(value: Any) -> Any:
    """Only what JSON holds: dates become text, records become dictionaries."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _plain(dataclasses.asdict(value))
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(item) for item in value]
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    return value
