"""One answer per submit token: a form sent twice, or an API call repeated with its Idempotency-Key, is done once."""

import hashlib
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String, UniqueConstraint, select, update
from sqlalchemy.orm import Mapped, mapped_column

from market import clock, db
from market.db import Base
from market.errors import N_, Conflict


class Submission(Base):
    """A token a person has used, and what was answered."""

    __tablename__ = "submission"
    __table_args__ = (UniqueConstraint("user_id", "token"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    token: Mapped[str] = mapped_column(String(80))
    fingerprint: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime]
    answer: Mapped[dict[str, Any] | None] = mapped_column(JSON)


class TokenReused(Conflict):
    """The same token came with other content."""

    code = "token_reused"
    text = N_("This form was already sent with other content. Please open the page again.")


def kept_token(sent: str, organisation_id: int | None) -> str:
    """A token as it is kept, at most 80 characters: what somebody sends for one organisation says nothing of another.

    >>> kept_token("monday", 7) == kept_token("monday", 8)
    False
    """
    return f"{organisation_id or 0}:{hashlib.sha256(sent.encode()).hexdigest()}"


def begin(user_id: int, token: str, fingerprint: str) -> dict[str, Any] | None:
    """Take the token in this transaction; returns the first answer when it was taken before.

    A rival with the same token waits here until the first has committed. Raises TokenReused for other content.
    """
    session = db.session()
    row = {"user_id": user_id, "token": token, "fingerprint": fingerprint, "at": clock.now()}
    taken = session.execute(db.insert_new(Submission).returning(Submission.id), row).first()
    if taken is not None:
        return None
    earlier = session.execute(
        select(Submission.fingerprint, Submission.answer)
        .where(Submission.user_id == user_id, Submission.token == token)
    ).one()
    if earlier.fingerprint != fingerprint:
        raise TokenReused()
    return dict(earlier.answer or {})


def finish(user_id: int, token: str, answer: dict[str, Any]) -> None:
    """Keep what was answered, in the same transaction as the deed."""
    db.session().execute(
        update(Submission).where(Submission.user_id == user_id, Submission.token == token).values(answer=answer)
    )
