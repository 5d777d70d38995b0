"""Short news for an organisation: the other side has done something. Written by outbox handlers, read on the desks.

The row says what happened to which thing and to whom; the sentence and the way to the thing are in KINDS, handed in by
`wsgi.py` (`app.extensions["sijin_notices"]`), so that a renamed page never leaves old news pointing nowhere.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, UniqueConstraint, delete, func, select, update
from sqlalchemy.orm import Mapped, mapped_column

from market import clock, db, outbox
from market.db import Base

TOLD = "notice.told"  # the outbox message from which mails and chats follow: market/messages.py


class Notice(Base):
    """One piece of news. The unique key makes a handler that runs twice tell once."""

    __tablename__ = "notice"
    __table_args__ = (
        UniqueConstraint("organisation_id", "kind", "thing_id"),
        Index("ix_notice_newest", "organisation_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    kind: Mapped[str] = mapped_column(String(48))
    thing_id: Mapped[int]
    details: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[datetime]
    read_at: Mapped[datetime | None]


@dataclass(frozen=True)
class Kind:
    """What a kind of news says (a msgid with the details' names) and the page that shows the thing.

    `words` are the details that are msgids themselves, such as the name of a kind of paper.
    """

    text: str
    endpoint: str
    argument: str
    words: tuple[str, ...] = ()
    mailed: bool = False  # the room writes a mail of its own about it


Kinds = Mapping[str, Kind]


def tell(organisation_id: int, kind: str, thing_id: int, details: Mapping[str, Any], occasion: str = "") -> None:
    """Tell an organisation, once for each kind and thing; its people and chats hear of it by the worker.

    What may happen to a thing again says which time it is (`occasion`): the newer news takes the older's place.
    """
    row = {"organisation_id": organisation_id, "kind": kind, "thing_id": thing_id, "created_at": clock.now(),
           "details": {**details, "occasion": occasion} if occasion else dict(details)}
    if occasion:
        db.session().execute(delete(Notice).where(
            Notice.organisation_id == organisation_id, Notice.kind == kind, Notice.thing_id == thing_id,
            Notice.details["occasion"].as_string().is_distinct_from(occasion))
            .execution_options(synchronize_session=False))
    made = db.session().execute(db.insert_new(Notice).returning(Notice.id), [row]).scalar()
    if made is not None:
        outbox.enqueue(TOLD, {"notice_id": made})


def newest(organisation_id: int, limit: int = 50) -> Sequence[Any]:
    """The latest news of an organisation, the newest first."""
    table = db.table(Notice)
    query = select(table).where(table.c.organisation_id == organisation_id).order_by(table.c.id.desc()).limit(limit)
    return db.session().execute(query).all()


def unread(organisation_id: int) -> int:
    """How much news nobody of the organisation has ticked off."""
    query = select(func.count()).where(Notice.organisation_id == organisation_id, Notice.read_at.is_(None))
    return db.session().scalar(query) or 0


def tick_off(organisation_id: int, up_to: int) -> None:
    """Everything up to a notice's id is read; later news, not yet seen, stays unread."""
    db.session().execute(
        update(Notice)
        .where(Notice.organisation_id == organisation_id, Notice.id <= up_to, Notice.read_at.is_(None))
        .values(read_at=clock.now()))
