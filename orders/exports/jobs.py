"""What the worker does for reports as files: makes those asked for, one after another, and forgets old ones."""

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import structlog
from flask_babel import force_locale
from sqlalchemy import select

from market import access, db, faults, logins, long_work, page_words, sealing
from market.access import Visitor
from market.errors import N_, Conflict, InvalidInput, MarketError, NotFound
from market.i18n import gettext as _
from market.notices import Kind, Kinds
from market.outbox import Handler
from market.users import User
from orders.exports import asking, making
from orders.exports.models import ExportFile
from orders.reports.readers import reader_of

KINDS: Kinds = {asking.READY: Kind(N_("%(title)s, %(period)s: the file is ready."), "exports.show", "export_id",
                                   words=("title",))}
HANDLERS: Mapping[str, Handler] = {}
log = structlog.get_logger("sijin.exports")


class OftenBegun(Conflict):
    """Its makers died one after another."""

    code = "export_often_begun"
    text = N_("It was begun several times and never came to an end.")


def folder() -> Path:
    """Where finished files lie, and those being made."""
    return long_work.folder("exports")


def make_next() -> bool:
    """Make the oldest file that waits; True where there was one."""
    return long_work.make_next(ExportFile, _make)


def follow_hours() -> None:
    """Remove files past their day, and what makers that died left behind."""
    long_work.forget(ExportFile, folder())


def _make(row: ExportFile) -> None:
    for left in folder().glob(f"{row.id}.*.part"):  # of a maker that died
        long_work.remove(left)
    work, read = folder() / f"{row.id}.{row.maker}.part", folder() / f"{row.id}.read"
    work.mkdir()
    with force_locale(row.language):
        try:
            if row.tries > long_work.MOST_TRIES:
                raise OftenBegun()
            if not read.exists():
                _read(row, work, read)
            _offer(row, making.write(read, row.kind, work, _teller(row)), making.name_of(read))
        except MarketError as refusal:
            why = _words_of(refusal)
            log.warning("export failed", export=row.id, why=why)
            db.session().rollback()
            with db.transaction():
                asking.fail(row, why)
        except long_work.Overtaken:
            _tidy_after(row, read)
            raise
        else:
            long_work.remove(read)
        finally:
            long_work.remove(work)


def _read(row: ExportFile, work: Path, read: Path) -> None:
    """The rows, under their own name once they are whole. A maker thought dead may have been first: then its stay."""
    by = _owner(row)
    report = asking.need_reader(row, by)
    sealing.seal_all()
    making.read(row, report, asking.asked_of(row), reader_of(by), work / "read", page_words.installation_is_demo(),
                _teller(row))
    try:
        (work / "read").rename(read)
    except OSError:
        if not read.exists():
            raise


def _offer(row: ExportFile, made: making.Made, name: str) -> None:
    file_name = f"{secrets.token_hex(16)}.{row.kind}"
    made.path.replace(folder() / file_name)
    faults.point("export_before_offer")
    try:
        with db.transaction():
            long_work.change(row, name=f"{name}.{row.kind}")
            asking.finish(row, file_name, made.size_bytes, made.sha256, made.rows)
    except long_work.Overtaken:
        long_work.remove(folder() / file_name)
        raise


def _teller(row: ExportFile) -> making.Tell:
    def tell(**values: Any) -> None:
        with long_work.beside():
            long_work.change(row, **values)

    return tell


def _tidy_after(row: ExportFile, read: Path) -> None:
    """Where its owner does not want it any more, nothing of it stays."""
    db.session().rollback()
    state = db.session().scalar(select(asking.FILES.c.state).where(asking.FILES.c.id == row.id))
    if state == "cancelled":
        long_work.remove(read)


def _owner(row: ExportFile) -> Visitor:
    login = db.session().scalars(select(User.login).where(User.id == row.asked_by)).one()
    by = logins.visitor_of_login(login, row.organisation_id)
    if by is None or by.organisation_id != row.organisation_id or not access.can(by, "report.file"):
        raise NotFound()
    return by


def _words_of(refusal: MarketError) -> str:
    if isinstance(refusal, InvalidInput):
        return "; ".join(message for found in refusal.field_messages(_).values() for message in found)
    return refusal.message(_)
