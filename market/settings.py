"""Facts about this installation, kept in the database: whether it holds the demo world, and the like."""

import time
from typing import Any

from sqlalchemy import JSON, String, delete, insert, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Mapped, mapped_column

from market import db
from market.db import Base

KEEP_SECONDS = 60


class Setting(Base):
    """One named fact."""

    __tablename__ = "setting"

    key: Mapped[str] = mapped_column(String(40), primary_key=True)
    value: Mapped[Any] = mapped_column(JSON)


def get(key: str, default: Any = None) -> Any:
    """A fact, or the default where nobody has set it."""
    found = db.session().execute(select(Setting.value).where(Setting.key == key)).first()
    return found.value if found else default


def put(key: str, value: Any) -> None:
    """Set a fact in the caller's transaction."""
    session = db.session()
    session.execute(delete(Setting).where(Setting.key == key))
    session.execute(insert(Setting), [{"key": key, "value": value}])


_kept: dict[str, tuple[float, bool]] = {}


def demo_flag() -> bool:
    """Whether this installation holds the demo world; asked on every page, so an answer is kept for a minute.

    Where the database does not answer, the last answer stands: an error page must not fail over it.
    """
    at, known = _kept.get("demo", (-60.0, False))
    if time.monotonic() - at > KEEP_SECONDS:
        try:
            known = bool(get("demo", False))
        except SQLAlchemyError:
            db.session().rollback()
        _kept["demo"] = (time.monotonic(), known)
    return known
