"""Messages that leave the site: one row per recipient and matter, sent once however often the worker comes to it."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, select, update
from sqlalchemy.orm import Mapped, mapped_column

from market import clock, db
from market.db import Base, choice

CHANNELS = ("mail", "sms", "wecom", "dingtalk")
LONGEST_KEY = 120


class Message(Base):
    """What one person or one robot is told about one matter. `sent_at` is set when the other side has taken it."""

    __tablename__ = "message"
    __table_args__ = (Index("ix_message_newest", "organisation_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(LONGEST_KEY), unique=True)
    channel: Mapped[str] = mapped_column(choice("channel", *CHANNELS))
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    robot_id: Mapped[int | None] = mapped_column(ForeignKey("robot.id"))
    text: Mapped[str]
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]


def keep(key: str, channel: str, organisation_id: int, text: str, user_id: int | None = None,
         robot_id: int | None = None) -> int | None:
    """A row for a message still to send; returns its id, None where this recipient has one about the matter already."""
    made = db.session().execute(db.insert_new(Message).returning(Message.id), [{
        "key": key[:LONGEST_KEY], "channel": channel, "organisation_id": organisation_id, "text": text,
        "user_id": user_id, "robot_id": robot_id, "created_at": clock.now()}]).scalar()
    return None if made is None else int(made)


def unsent(message_id: int) -> Any:
    """A message that has still to go (all columns), None where it is gone. Opens a transaction of its own."""
    table = db.table(Message)
    with db.transaction() as session:
        return session.execute(select(table).where(table.c.id == message_id, table.c.sent_at.is_(None))).first()


def gone(message_id: int) -> None:
    """The other side has taken it. Opens a transaction of its own."""
    with db.transaction() as session:
        session.execute(update(Message).where(Message.id == message_id, Message.sent_at.is_(None))
                        .values(sent_at=clock.now()))
