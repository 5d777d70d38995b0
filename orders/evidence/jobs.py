"""What the worker does for evidence: makes the packages asked for, one after another, and forgets old ones.

A job of its own and not a message of the outbox: thousands of orders take minutes, and mails must not wait for them.
"""

import secrets
from collections.abc import Mapping
from pathlib import Path

import structlog
from sqlalchemy import select

from market import access, db, faults, logins, long_work, sealing
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
log = structlog.get_logger("sijin.evidence")


def folder() -> Path:
    """Where finished packages lie, and those being made."""
    return long_work.folder("evidence")


def make_next() -> bool:
    """Make the oldest package that waits; True where there was one."""
    return long_work.make_next(EvidencePackage, _make)


def _make(row: EvidencePackage) -> None:
    part = folder() / f"{secrets.token_hex(16)}.part"
    try:
        if row.tries > long_work.MOST_TRIES:
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
        long_work.change(row, done=done, whole=whole)
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
    long_work.forget(EvidencePackage, folder())
