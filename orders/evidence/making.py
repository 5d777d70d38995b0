"""Making a package: a ZIP written to disk order by order, in bounded memory, checked by its own verifier at the end."""

import hashlib
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask_babel import force_locale
from sqlalchemy import select

from market import clock, db, typeset
from market.errors import N_, Conflict
from market.heads import Head
from market.page_words import installation_is_demo
from market.places import Division
from orders.evidence import dossiers, drawing, facts, ledger_part, subjects, verify, village_file
from orders.evidence.archive import Archive, sha256_of
from orders.evidence.incomes import Incomes
from orders.evidence.index import Index
from orders.evidence.ledger_part import Ledger
from orders.evidence.models import SampleDraw
from orders.evidence.pieces import MISSING, Dossier, Missing, Scan
from orders.evidence.subjects import Subject

BATCH = 50  # orders whose documents are in memory at a time
FORMAT = 1
VERIFIER = Path(verify.__file__)
Tell = Callable[[int, int], None]  # orders done, of so many


class NotWhole(Conflict):
    """The package does not agree with itself: the ledger and its figures must be looked at first."""

    code = "evidence_not_whole"
    text = N_("The package does not agree with itself: %(what)s")


@dataclass(frozen=True)
class Made:
    """What has been made."""

    manifest_sha256: str
    zip_sha256: str
    size_bytes: int
    head: Head
    orders: int
    transfers: int
    scans: int
    missing: int


@dataclass(frozen=True)
class _Desk:
    """What is at hand while a package is made."""

    subject: Subject
    archive: Archive
    folder: Path  # of the uploads
    ledger: Ledger
    incomes: Incomes
    named: set[int]
    index: Index


def make(subject: Subject, target: Path, uploads: Path, tell: Tell) -> Made:
    """Write the package of a subject to a file. Raises NotWhole where it does not agree with itself.

    Reads in snapshots of their own, order batch by order batch: everything up to the subject's head never changes.
    """
    archive = Archive(target)
    try:
        return _make(subject, archive, target, uploads, tell)
    except BaseException:
        archive.abandon()
        raise


def _make(subject: Subject, archive: Archive, target: Path, uploads: Path, tell: Tell) -> Made:
    ledger = Ledger(subject)
    with db.snapshot():
        archive.add_lines("ledger/transfers.jsonl", ledger.lines())
        archive.add_lines("ledger/blocks.jsonl", ledger.block_lines())
        numbers = subjects.order_numbers(subject)
        incomes = Incomes(ledger)
        reported = ledger_part.reported(subject)
        places = _places(ledger)
        named = subjects.named_villages(subject, sorted(ledger.villages))
    desk = _Desk(subject, archive, uploads, ledger, incomes, named, Index(subject))
    scans = 0
    for dossier, order in _dossiers(desk, numbers, tell):
        scans += _put(desk, dossier, order)
    figures = ledger.by_month if reported is None else reported
    archive.add("figures.json", ledger_part.figures_json(subject, figures))
    with tempfile.TemporaryDirectory() as folder:
        book = Path(folder) / "index.xlsx"
        desk.index.write(book, incomes, figures, places)
        archive.add("index.xlsx", book.read_bytes())
    if subject.draw is not None:
        archive.add("sample/population.txt", _population(subject.draw))
    archive.add("verify.py", VERIFIER.read_bytes())
    manifest = archive.close(_about(subject))
    _check(target)
    return Made(manifest, sha256_of(target), target.stat().st_size, subject.head, len(numbers), ledger.count, scans,
                len(desk.index.missing))


def _dossiers(desk: _Desk, numbers: Sequence[str], tell: Tell) -> Iterator[tuple[Dossier, Any]]:
    """Every order's dossier with its order, then the village's own file; batch by batch."""
    for start in range(0, len(numbers), BATCH):
        tell(start, len(numbers))
        with db.snapshot():
            found = facts.read(numbers[start:start + BATCH], desk.subject)
        for order in found.orders:
            yield dossiers.dossier(order, found, desk.incomes, desk.subject, desk.named), order
    tell(len(numbers), len(numbers))
    if desk.subject.village_id is not None:
        with db.snapshot():
            own = village_file.dossier(desk.subject, desk.ledger, desk.incomes, desk.named)
        yield own, None


def _put(desk: _Desk, dossier: Dossier, order: Any) -> int:
    """A dossier's scans and PDF into the archive, its row into the index; returns how many scans."""
    copied = 0
    for section, scan in dossier.scans():
        if not scan.withheld:
            problem = _copy(desk, scan)
            copied += problem is None
            if problem is not None:
                section.missing.append(Missing(problem, dossier.number if order is not None else "",
                                               scan.name.rpartition("/")[2]))
    missing = dossier.missing
    desk.archive.add(f"{dossier.folder}/一单一档.pdf" if order is not None else f"{dossier.folder}/村档案.pdf",
                     _pdf(desk.subject, dossier, order is not None))
    if order is not None:
        desk.index.add(order, desk.ledger.by_order.get(order.number, {}), missing, dossier.folder)
    else:
        desk.index.missing += missing
    return copied


def _copy(desk: _Desk, scan: Scan) -> str | None:
    """Copy a scan; returns what is wrong where it is not in the store, or not what was uploaded."""
    path = desk.folder / scan.file.name
    if not path.is_file():
        return "file_gone"
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != scan.file.sha256:
        return "file_changed"
    desk.archive.add(scan.name, content)
    return None


def _pdf(subject: Subject, dossier: Dossier, of_order: bool) -> bytes:
    with force_locale("zh"):
        return typeset.pdf(
            "dossier.typ", of_order=of_order, title="一单一档" if of_order else "村档案", number=dossier.number,
            place=subject.title, year=subject.year, head_number=subject.head.number, head_hash=subject.head.hash,
            sections=dossier.sections, missing=len(dossier.missing), kinds=MISSING, day=dossiers.day_text,
            hash=lambda text: " ".join(text[at:at + 16] for at in range(0, 64, 16)))


def _about(subject: Subject) -> dict[str, Any]:
    """What the manifest says beside the files."""
    draw = subject.draw
    return {
        "format": FORMAT, "about": subject.title, "year": subject.year, "village_id": subject.village_id,
        "made_on": clock.today().isoformat(), "demo": installation_is_demo(),
        "head": {"number": subject.head.number, "hash": subject.head.hash},
        "draw": None if draw is None else {
            "nth": draw.nth, "seed": draw.seed, "head_number": draw.head_number, "head_hash": draw.head_hash,
            "population": draw.population, "wanted": draw.wanted, "numbers": list(draw.numbers)},
    }


def _population(draw: SampleDraw) -> bytes:
    """What was drawn from, read from the ledger again. Raises NotWhole where it is not what it was."""
    numbers = drawing.population_of(draw)
    if drawing.digest_of(numbers) != draw.population_sha256:
        raise NotWhole(what="sample/population.txt")
    return "".join(f"{number}\n" for number in numbers).encode()


def _places(ledger: Ledger) -> dict[int, str]:
    return {row.id: row.name for row in db.session().execute(
        select(Division.id, Division.name).where(Division.id.in_(ledger.villages)))}


def _check(target: Path) -> None:
    """What its readers will do first."""
    package = verify.Package(target)
    try:
        verify.check_all(package, None)
    finally:
        package.close()
    if package.wrong:
        raise NotWhole(what="; ".join(f"{name}: {what}" for name, what in package.wrong[:3]))
