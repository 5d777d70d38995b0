"""Asking for a package, and what becomes of the request: one maker at a time, its owner alone gets the file.

The row is the queue: a maker that has been silent for long is dead, and the next one begins the package anew.
"""

import secrets
from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, select, update

from market import clock, db, journal, notices
from market.access import Visitor
from market.errors import NotFound
from market.figures import Where
from orders.evidence.making import Made
from orders.evidence.models import RUNNING, EvidencePackage, SampleDraw
from orders.reports.readers import Place, reader_of

ASKED, READY, FETCHED = "evidence.asked", "evidence.ready", "evidence.fetched"
VERB = "evidence.read"
KEPT = timedelta(days=7)
SILENT = timedelta(minutes=3)  # a maker tells of every fifty orders
MOST_TRIES = 3
# whose packages may hold scans that show names of households, each of the own area
NAMED = frozenset({"auditor", "official", "township_officer"})
PACKAGES = db.table(EvidencePackage)


class Overtaken(Exception):
    """Somebody else makes this package now."""


def may_see_names(by: Visitor) -> bool:
    """Auditors and the officials of the area; the platform's own people never."""
    return bool(by.roles & NAMED)


def named_by(by: Visitor, with_names: bool) -> Where | None:
    """The villages whose scans with names a package for this person may hold; None: no such scan at all."""
    return reader_of(by, VERB).where if with_names and may_see_names(by) else None


def ask_for_village(place: Place, year: int, with_names: bool, by: Visitor) -> int:
    """Ask for a village's year, in the caller's transaction; returns the package's id, a running one's where there is.
    """
    return _ask(f"village:{place.id}:{year}", by, {
        "village_id": place.id, "draw_id": None, "year": year, "title": place.path}, with_names)


def ask_for_draw(draw: SampleDraw, with_names: bool, by: Visitor) -> int:
    """Ask for the orders of a draw."""
    return _ask(f"draw:{draw.id}", by, {
        "village_id": None, "draw_id": draw.id, "year": draw.year, "title": draw.area}, with_names)


def _ask(subject: str, by: Visitor, about: dict[str, Any], with_names: bool) -> int:
    with_names = with_names and may_see_names(by)
    subject = f"{by.organisation_id}:{subject}{':names' if with_names else ''}"
    row = {"organisation_id": by.organisation_id, "asked_by": by.id, "asked_at": clock.now(), "subject": subject,
           "with_names": with_names, "state": "queued", "done": 0, "whole": 0, "tries": 0, **about}
    session = db.session()
    while (made := session.execute(db.insert_new(EvidencePackage).returning(PACKAGES.c.id), [row]).scalar()) is None:
        running = session.scalar(select(PACKAGES.c.id).where(  # the same is being made already
            PACKAGES.c.asked_by == by.id, PACKAGES.c.subject == subject, PACKAGES.c.state.in_(RUNNING)))
        if running is not None:
            return int(running)
    journal.record(ASKED, "evidence_package", made, by, about=about["title"], year=about["year"], full_view=with_names)
    return int(made)


def package(package_id: int, by: Visitor) -> EvidencePackage:
    """One that this person asked for, acting for the same organisation. Raises NotFound."""
    row = db.session().scalar(select(EvidencePackage).where(EvidencePackage.id == package_id, owned_by(by)))
    if row is None:
        raise NotFound()
    return row


def owned_by(by: Visitor) -> ColumnElement[bool]:
    """The condition that a package is this person's."""
    return (EvidencePackage.asked_by == by.id) & (EvidencePackage.organisation_id == by.organisation_id)


def fetch(package_id: int, by: Visitor) -> EvidencePackage:
    """The finished package, and a note that its owner took it: with names it is a full view. Raises NotFound."""
    row = package(package_id, by)
    if row.state != "done" or row.expires_at is None or row.expires_at <= clock.now() or (
            row.with_names and not may_see_names(by)):
        raise NotFound()
    journal.record(FETCHED, "evidence_package", row.id, by, manifest=row.manifest_sha256, full_view=row.with_names)
    return row


# ---- making ---------------------------------------------------------------------------------------------------------


def due() -> ColumnElement[bool]:
    """What waits to be made: asked for, or begun by a maker that is silent."""
    return (PACKAGES.c.state == "queued") | (
        (PACKAGES.c.state == "making") & (PACKAGES.c.told_at < clock.now() - SILENT))


def take() -> EvidencePackage | None:
    """The oldest package that waits, for a new maker; None where nothing does. In the caller's transaction."""
    session = db.session()
    found = session.scalar(
        select(PACKAGES.c.id).where(due()).order_by(PACKAGES.c.id).limit(1).with_for_update(skip_locked=True))
    if found is None:
        return None
    session.execute(update(EvidencePackage).where(EvidencePackage.id == found).values(
        state="making", maker=secrets.token_hex(16), told_at=clock.now(), done=0, tries=EvidencePackage.tries + 1))
    return session.get_one(EvidencePackage, found, populate_existing=True)


def tell(row: EvidencePackage, done: int, whole: int) -> None:
    """How far its maker is. Raises Overtaken where another one has it."""
    _change(row, done=done, whole=whole, told_at=clock.now())


def finish(row: EvidencePackage, made: Made, file_name: str) -> None:
    """The file lies there; the owner's organisation hears of it with the manifest's hash. Raises Overtaken."""
    now = clock.now()
    _change(row, state="done", done=made.orders, whole=made.orders, finished_at=now, expires_at=now + KEPT,
            file_name=file_name, size_bytes=made.size_bytes, zip_sha256=made.zip_sha256,
            manifest_sha256=made.manifest_sha256, figures=_figures(made))
    journal.record(READY, "evidence_package", row.id, None, manifest=made.manifest_sha256, zip=made.zip_sha256,
                   head=str(made.head), orders=made.orders, missing=made.missing)
    notices.tell(row.organisation_id, READY, row.id,
                 {"title": row.title, "year": row.year, "manifest": made.manifest_sha256})


def fail(row: EvidencePackage, why: str) -> None:
    """It cannot be made. Raises Overtaken."""
    _change(row, state="failed", finished_at=clock.now(), figures={"why": why[:500]})
    journal.record("evidence.failed", "evidence_package", row.id, None, why=why[:500])


def expire() -> Sequence[str]:
    """Packages past their day are no longer offered; returns the names of their files."""
    old = db.session().execute(
        select(PACKAGES.c.id, PACKAGES.c.file_name).where(
            PACKAGES.c.state == "done", PACKAGES.c.expires_at <= clock.now())).all()
    db.session().execute(update(EvidencePackage).where(EvidencePackage.id.in_([row.id for row in old]))
                         .values(state="expired", file_name=None))
    return [row.file_name for row in old]


def files_offered() -> set[str]:
    """The files that finished packages name."""
    return set(db.session().scalars(select(PACKAGES.c.file_name).where(PACKAGES.c.state == "done")))


def _change(row: EvidencePackage, **values: Any) -> None:
    changed = db.session().scalar(
        update(PACKAGES).where(PACKAGES.c.id == row.id, PACKAGES.c.maker == row.maker, PACKAGES.c.state == "making")
        .values(**values).returning(PACKAGES.c.id))
    if changed is None:
        raise Overtaken()


def _figures(made: Made) -> dict[str, Any]:
    return {**asdict(made), "head": str(made.head)}
