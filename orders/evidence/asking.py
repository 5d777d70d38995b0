"""Asking for a package, and what becomes of the request (market/long_work.py): its owner alone gets the file."""

from dataclasses import asdict
from typing import Any

from sqlalchemy import ColumnElement

from market import clock, journal, long_work, notices
from market.access import Visitor
from market.errors import NotFound
from market.figures import Where
from orders.evidence.making import Made
from orders.evidence.models import EvidencePackage, SampleDraw
from orders.reports.readers import Place, reader_of

ASKED, READY, FETCHED = "evidence.asked", "evidence.ready", "evidence.fetched"
VERB = "evidence.read"
# whose packages may hold scans that show names of households, each of the own area
NAMED = frozenset({"auditor", "official", "township_officer"})


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
    made, is_new = long_work.ask(EvidencePackage, subject, by, {"with_names": with_names, **about})
    if is_new:
        journal.record(ASKED, "evidence_package", made, by, about=about["title"], year=about["year"],
                       full_view=with_names)
    return made


def package(package_id: int, by: Visitor) -> EvidencePackage:
    """One that this person asked for, acting for the same organisation. Raises NotFound."""
    return long_work.owned(EvidencePackage, package_id, by)


def owned_by(by: Visitor) -> ColumnElement[bool]:
    """The condition that a package is this person's."""
    return long_work.owned_by(EvidencePackage, by)


def fetch(package_id: int, by: Visitor) -> EvidencePackage:
    """The finished package, and a note that its owner took it: with names it is a full view. Raises NotFound."""
    row = package(package_id, by)
    long_work.need_offered(row)
    if row.with_names and not may_see_names(by):
        raise NotFound()
    journal.record(FETCHED, "evidence_package", row.id, by, manifest=row.manifest_sha256, full_view=row.with_names)
    return row


def finish(row: EvidencePackage, made: Made, file_name: str) -> None:
    """The file lies there; the owner's organisation hears of it with the manifest's hash. Raises Overtaken."""
    long_work.change(row, done=made.orders, whole=made.orders, zip_sha256=made.zip_sha256,
                     manifest_sha256=made.manifest_sha256, figures=_figures(made),
                     **long_work.finished(file_name, made.size_bytes))
    journal.record(READY, "evidence_package", row.id, None, manifest=made.manifest_sha256, zip=made.zip_sha256,
                   head=str(made.head), orders=made.orders, missing=made.missing)
    notices.tell(row.organisation_id, READY, row.id,
                 {"title": row.title, "year": row.year, "manifest": made.manifest_sha256})


def fail(row: EvidencePackage, why: str) -> None:
    """It cannot be made. Raises Overtaken."""
    long_work.change(row, state="failed", finished_at=clock.now(), figures={"why": why[:500]})
    journal.record("evidence.failed", "evidence_package", row.id, None, why=why[:500])


def _figures(made: Made) -> dict[str, Any]:
    return {**asdict(made), "head": str(made.head)}
