"""What an application says, read whole: for its pages, for what is still missing, for what an office vouched for."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from catalog.entry.models import (
    Application,
    ApplicationGood,
    ApplicationGoodVillage,
    ApplicationLinkage,
    ApplicationPaper,
)
from catalog.models import Category
from market import db
from market.errors import N_
from market.files import StoredFile
from market.paging import Columns
from market.places import Division


@dataclass(frozen=True)
class Good:
    """Goods with the villages where they grow."""

    id: int
    name: str
    category: str
    category_zh: str
    category_en: str
    harvest_months: str
    yearly_grams: int
    villages: tuple[tuple[int, str], ...]  # id and name


@dataclass(frozen=True)
class Contents:
    """One application with all that belongs to it."""

    application: Application
    village: Columns | None  # id, code, path, name, township_id, county_id
    goods: Sequence[Good]
    linkages: Sequence[Columns]  # id, kind, households, note, file_id, file, original_name
    papers: Sequence[Columns]  # id, kind, file_id, file, original_name, added_at

    @property
    def households(self) -> int:
        return sum(row.households for row in self.linkages)

    def papers_of(self, *kinds: str) -> list[Columns]:
        return [row for row in self.papers if row.kind in kinds]


def read(application: Application) -> Contents:
    """All parts of an application, in a fixed number of statements."""
    fetch, number = db.session().execute, application.id
    village = fetch(
        select(Division.id, Division.code, Division.path, Division.name, Division.township_id, Division.county_id)
        .where(Division.id == application.village_id)).first()
    linkages = fetch(
        select(ApplicationLinkage.id, ApplicationLinkage.kind, ApplicationLinkage.households, ApplicationLinkage.note,
               ApplicationLinkage.file_id, StoredFile.name.label("file"), StoredFile.original_name)
        .join(StoredFile, StoredFile.id == ApplicationLinkage.file_id)
        .where(ApplicationLinkage.application_id == number).order_by(ApplicationLinkage.id)).all()
    papers = fetch(
        select(ApplicationPaper.id, ApplicationPaper.kind, ApplicationPaper.file_id, ApplicationPaper.added_at,
               StoredFile.name.label("file"), StoredFile.original_name)
        .join(StoredFile, StoredFile.id == ApplicationPaper.file_id)
        .where(ApplicationPaper.application_id == number, ApplicationPaper.removed_at.is_(None))
        .order_by(ApplicationPaper.id)).all()
    return Contents(application, village, _goods(number), linkages, papers)


def _goods(application_id: int) -> list[Good]:
    rows = db.session().execute(
        select(ApplicationGood, Category.code, Category.name_zh, Category.name_en)
        .join(Category, Category.id == ApplicationGood.category_id)
        .where(ApplicationGood.application_id == application_id).order_by(ApplicationGood.id)).all()
    grown: dict[int, list[tuple[int, str]]] = {}
    for row in db.session().execute(
            select(ApplicationGoodVillage.good_id, Division.id, Division.name)
            .join(Division, Division.id == ApplicationGoodVillage.village_id)
            .join(ApplicationGood, ApplicationGood.id == ApplicationGoodVillage.good_id)
            .where(ApplicationGood.application_id == application_id).order_by(Division.code, Division.id)):
        grown.setdefault(row.good_id, []).append((row.id, row.name))
    return [Good(good.id, good.name, code, zh, en, good.harvest_months, good.yearly_grams,
                 tuple(grown.get(good.id, ()))) for good, code, zh, en in rows]


# ---- what is missing ------------------------------------------------------------------------------------------------


def sections(application: Application) -> list[str]:
    """The parts of an application in the order in which they are filled in."""
    own = ["who", "village", "contact", *(["producer"] if application.is_trader else []), "goods"]
    if not application.is_trader:
        own.append("proof")
    return own + (["papers"] if application.is_fast else ["capacity", "linkages", "papers"])


def missing(contents: Contents) -> dict[str, str]:
    """What an office could not examine without, by section. A firm examined elsewhere shows that proof instead."""
    wanted = sections(contents.application)
    return {section: words for section, words in _gaps(contents) if section in wanted}


def _gaps(contents: Contents) -> Iterator[tuple[str, str]]:
    application = contents.application
    if not (application.supplier_type and application.credit_code):
        yield "who", N_("Kind and credit code are missing.")
    if contents.village is None:
        yield "village", N_("The home village is missing.")
    if not (application.legal_person and application.mobile and application.bank_account):
        yield "contact", N_("Legal person, mobile number or bank account is missing.")
    if not (application.producer_name and application.markup_points is not None
            and contents.papers_of("commission_letter")):
        yield "producer", N_("A trading firm names the producer and its mark-up and shows the commission letter.")
    if not contents.goods:
        yield "goods", N_("Name at least one kind of goods.")
    if application.is_fast and not contents.papers_of("proof"):
        yield "proof", N_("The paper that proves it is missing.")
    if not application.capacity:
        yield "capacity", N_("Say what you can deliver.")
    if not contents.linkages:
        yield "linkages", N_("Say in at least one way how households gain, with a paper.")
    if not contents.papers_of("licence"):
        yield "papers", N_("A photo of the business licence is missing.")


# ---- what is vouched for --------------------------------------------------------------------------------------------


def vouched(contents: Contents, step: str) -> str:
    """A hash of what an office vouches for in a step: while it stays the same, its word holds."""
    said = {part: _said(contents)[part] for part in _PARTS[step]}
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


_IDENTITY = ("supplier_type", "name", "credit_code", "village")
_PARTS = {
    "township": (*_IDENTITY, "legal_person", "mobile", "origins"),
    "agriculture": ("supplier_type", "goods", "capacity", "producer", "quality_papers"),
    "revitalisation": ("village", "linkages"),
    "confirmation": (*_IDENTITY, "mobile", "goods", "proof"),
    "platform": (*_IDENTITY, "legal_person", "mobile", "bank", "goods", "capacity", "producer", "linkages", "proof",
                 "papers"),
}


def _said(contents: Contents) -> dict[str, Any]:
    application = contents.application
    papers = [(row.kind, row.file_id) for row in contents.papers]
    return {
        "supplier_type": application.supplier_type, "name": application.name, "credit_code": application.credit_code,
        "village": application.village_id, "legal_person": application.legal_person,
        "mobile": application.mobile,  # admitted, its owner logs in by it
        "bank": [application.bank_name, application.bank_account], "capacity": application.capacity,
        "producer": [application.producer_name, application.markup_points] if application.is_trader else [],
        "proof": [application.proof_kind, application.proof_no, *(p for p in papers if p[0] == "proof")],
        "goods": [[good.name, good.category, good.harvest_months, good.yearly_grams, _ids(good)]
                  for good in contents.goods],
        "origins": sorted({village for good in contents.goods for village in _ids(good)}),
        "linkages": [[row.kind, row.households, row.note, row.file_id] for row in contents.linkages],
        "quality_papers": [paper for paper in papers if paper[0] not in ("proof", "other")],
        "papers": papers,
    }


def _ids(good: Good) -> list[int]:
    return [village for village, _name in good.villages]


def snapshot(contents: Contents) -> dict[str, Any]:
    """What was handed in, for the journal."""
    return _said(contents) | {"short_name": contents.application.short_name}
