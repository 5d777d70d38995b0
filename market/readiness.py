"""Whether this host should get visitors: the database answers, its tables are up to date, and the worker keeps up."""

import math
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path

from alembic.script import ScriptDirectory
from flask import current_app
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from market import clock, db, outbox
from market.ledger import LedgerTransfer

MIGRATIONS = Path(__file__).parent / "migrations"

Age = Callable[[], float]

# how old, in seconds, the oldest thing still waiting may be
OLDEST = {"outbox": 120, "ledger": 60, "search": 300}


def problems() -> dict[str, str]:
    """What keeps this host from being ready, by name; empty when nothing does."""
    try:
        with db.snapshot():
            return dict(_of_migrations()) or dict(_of_ages())
    except DBAPIError as error:
        return {"database": type(error.orig).__name__}


def unsealed_seconds() -> float:
    """How long the oldest unsealed transfer has waited."""
    oldest: datetime | None = db.session().scalar(
        select(func.min(LedgerTransfer.posted_at)).where(LedgerTransfer.block_no.is_(None)))
    return max(0.0, (clock.now() - oldest).total_seconds()) if oldest else 0.0


def _of_migrations() -> Iterator[tuple[str, str]]:
    try:
        found = db.session().scalar(text("SELECT version_num FROM alembic_version"))
    except DBAPIError:
        db.session().rollback()
        found = None
    if found != newest_migration():
        yield "migrations", f"the database is at {found or 'nothing'}, the program at {newest_migration()}"


def _of_ages() -> Iterator[tuple[str, str]]:
    ages: Mapping[str, Age] = {"outbox": outbox.age_seconds, "ledger": unsealed_seconds,
                               **current_app.extensions["sijin_ages"]}
    for name, age in ages.items():
        seconds = age()
        if seconds > OLDEST[name]:
            waited = f"{seconds:.0f} s" if math.isfinite(seconds) else "never yet"
            yield name, f"behind since: {waited}; allowed: {OLDEST[name]} s"


@cache
def newest_migration() -> str | None:
    """The newest migration that this program has."""
    return ScriptDirectory(str(MIGRATIONS)).get_current_head()
