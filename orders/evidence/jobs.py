"""What the worker does for evidence: makes the packages asked for, one after another, and forgets old ones.

A job of its own and not a message of the outbox: thousands of orders take minutes, and mails must not wait for them.
"""

import secrets
from collections.abc import Mapping
from pathlib import Path

import structlog
from flask import current_app
from sqlalchemy import select

from market import access, clock, db, faults, logins, sealing
from market.access import Visitor
from market.errors import N_, Conflict, MarketError, NotFound
from market.notices import Kind, Kinds
from market.outbox import Handler
from market.places import Division
from market.users import User
from orders.evidence import asking, making, subjects
from orders.evidence.models import EvidencePackage, SampleDraw
from orders.evidence.subjects import Subject
from orders.reports.readers import find_place, reader_of

KINDS: Kinds = {asking.READY: Kind(
    N_("The evidence package of %(title)s, %(year)s is ready. Hash of its manifest: %(manifest)s"),
    "evidence.show", "package_id")}
HANDLERS: Mapping[str, Handler] = {}
ORPHAN_SECONDS = 3600
log = structlog.get_logger("sijin.evidence")


def folder() -> Path:
    """Where finished packages lie, and those being made."""
    path: Path = current_app.extensions["sijin"].files_dir / "evidence"
    path.mkdir(parents=True, exist_ok=True)
    return path


def make_next() -> bool:
    """Make the oldest package that waits; True where there was one. Killed, it is made anew by whoever comes next."""
    if db.session().scalar(select(EvidencePackage.id).where(asking.due()).limit(1)) is None:
        return False  # a look without a lock: an idle worker opens no write transaction
    with db.transaction():
        row = asking.take()
    if row is None:
        return False
    try:
        _make(row)
    except asking.Overtaken:
        db.session().rollback()
    return True


def _make(row: EvidencePackage) -> None:
    part = folder() / f"{secrets.token_hex(16)}.part"
    try:
        if row.tries > asking.MOST_TRIES:
            raise Conflict()
        sealing.seal_all()
        made = making.make(_subject(row), part, folder().parent, lambda done, whole: _tell(row, done, whole))
        faults.point("evidence_before_offer")
        name = f"{secrets.token_hex(16)}.zip"
        part.replace(folder() / name)
        with db.transaction():
            asking.finish(row, made, name)
    except MarketError as refusal:
        log.warning("evidence package failed", package=row.id, why=str(refusal))
        db.session().rollback()
        with db.transaction():
            asking.fail(row, str(refusal))
    finally:
        part.unlink(missing_ok=True)


def _tell(row: EvidencePackage, done: int, whole: int) -> None:
    with db.transaction():
        asking.tell(row, done, whole)
    faults.point("evidence_told")


def _subject(row: EvidencePackage) -> Subject:
    """What was asked for, by what its owner may still read. Raises NotFound where they no longer may."""
    by = _owner(row)
    named = asking.named_by(by, row.with_names)
    session = db.session()
    if row.draw_id is not None:
        return subjects.of_draw(session.get_one(SampleDraw, row.draw_id), named)
    village = session.execute(
        select(Division.code, Division.valid_to).where(Division.id == row.village_id)).one()
    place = find_place(reader_of(by, asking.VERB), village.code if village.valid_to is None else str(row.village_id),
                       "village")
    return subjects.of_village(place, row.year, named)


def _owner(row: EvidencePackage) -> Visitor:
    login = db.session().scalars(select(User.login).where(User.id == row.asked_by)).one()
    by = logins.visitor_of_login(login, row.organisation_id)
    if by is None or not access.can(by, asking.VERB):
        raise NotFound()
    return by


def follow_hours() -> None:
    """Remove packages past their day, and files of makers that died."""
    with db.transaction():
        names = asking.expire()
    for name in names:
        (folder() / name).unlink(missing_ok=True)
    kept = asking.files_offered()
    now = clock.now().timestamp()
    for path in folder().iterdir():
        if path.name not in kept and now - path.stat().st_mtime > ORPHAN_SECONDS:
            path.unlink(missing_ok=True)
