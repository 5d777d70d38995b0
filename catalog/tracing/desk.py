"""What pages show of certificates and of a lot's way; nothing of it names a person."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Row, select

from catalog.lot_models import LotDetail
from catalog.models import Lot, Product
from catalog.on_sale import usable
from catalog.tracing.models import Certificate, CertificateSource, CertificateVoid, Recall, RecallLot, TraceEvent
from market import clock, db
from market.errors import NotFound
from market.parties import Organisation
from market.places import Division

MOST_EVENTS = 1000
Columns = Row[*tuple[Any, ...]]
ON_THE_WAY = ("shipped", "accepted", "refused", "returned")


def of_lot(lot_id: int) -> Sequence[Columns]:
    """All certificates of a lot, the newest first, with why one no longer holds; one statement."""
    return db.session().execute(
        select(db.table(Certificate), CertificateVoid.reason.label("void_reason"), CertificateVoid.voided_at)
        .outerjoin(CertificateVoid, CertificateVoid.certificate_id == Certificate.id)
        .where(Certificate.lot_id == lot_id).order_by(Certificate.id.desc())).all()


def newest_in_store(product_id: int) -> Columns | None:
    """The newest certificate that holds among the lots of a product in store; None where there is none."""
    return db.session().execute(
        select(Certificate.number, Certificate.issued_on, Lot.code)
        .join(Lot, Lot.id == Certificate.lot_id)
        .outerjoin(CertificateVoid, CertificateVoid.certificate_id == Certificate.id)
        .where(Lot.product_id == product_id, Lot.on_hand_milli > 0, usable(), CertificateVoid.id.is_(None))
        .order_by(Certificate.id.desc()).limit(1)).first()


@dataclass(frozen=True)
class Paper:
    """A certificate as anybody with its number may read it."""

    facts: Columns
    sources: Sequence[str]  # numbers of the certificates of what went in
    newer: str | None  # the number that took its place

    @property
    def bases(self) -> list[str]:
        return [basis for basis in self.facts.bases.split(",") if basis]

    @property
    def origins(self) -> list[str]:
        return [path for path in self.facts.origin.split("；") if path]


def paper(number: str) -> Paper:
    """A certificate by its number, in three statements. Raises NotFound."""
    session = db.session()
    facts = session.execute(
        select(db.table(Certificate), Lot.code, Lot.product_id, Lot.recalled_at,
               CertificateVoid.voided_at)
        .join(Lot, Lot.id == Certificate.lot_id)
        .outerjoin(CertificateVoid, CertificateVoid.certificate_id == Certificate.id)
        .where(Certificate.number == number)).first()
    if facts is None:
        raise NotFound()
    sources = session.scalars(
        select(Certificate.number).join(CertificateSource, CertificateSource.source_id == Certificate.id)
        .where(CertificateSource.certificate_id == facts.id).order_by(Certificate.number)).all()
    newer = session.scalar(
        select(Certificate.number).where(Certificate.lot_id == facts.lot_id, Certificate.issue > facts.issue)
        .order_by(Certificate.issue.desc()).limit(1))
    return Paper(facts, sources, newer)


@dataclass(frozen=True)
class Step:
    """Goods of a lot that went one way on one day to one kind of canteen: how many deliveries, grams."""

    day: date
    kind: str
    unit_type: str | None
    times: int
    grams: int


def events_of(lot_id: int) -> Sequence[Columns]:
    """A lot's events in the order they happened, places by code and path, canteens by kind; one statement."""
    whither = db.table(Organisation).alias()
    return db.session().execute(
        select(TraceEvent.id, TraceEvent.kind, TraceEvent.milli, TraceEvent.grams, TraceEvent.at, TraceEvent.reference,
               TraceEvent.source, Organisation.kind.label("at_kind"), Organisation.unit_type.label("at_unit_type"),
               Organisation.name.label("at_name"), whither.c.unit_type, Division.code.label("place_code"),
               Division.path.label("place"))
        .join(Organisation, Organisation.id == TraceEvent.organisation_id)
        .outerjoin(whither, whither.c.id == TraceEvent.to_organisation_id)
        .outerjoin(Division, Division.id == TraceEvent.division_id)
        .where(TraceEvent.lot_id == lot_id).order_by(TraceEvent.id).limit(MOST_EVENTS)).all()


def way(events: Sequence[Columns]) -> list[Step]:
    """The way to the canteen, day by day: which kind of canteen, never which."""
    groups: dict[tuple[date, str, str | None], list[int]] = defaultdict(list)
    for event in events:
        if event.kind in ON_THE_WAY:
            unit_type = event.unit_type if event.kind == "shipped" else event.at_unit_type
            groups[clock.business_date(event.at), event.kind, unit_type].append(event.grams)
    return [Step(day, kind, unit_type, len(grams), sum(grams)) for (day, kind, unit_type), grams in groups.items()]


def passed_test(lot_id: int) -> bool:
    """Whether a sample of the lot was tested when it was received, and was safe."""
    return db.session().scalar(select(LotDetail.test).where(LotDetail.lot_id == lot_id)) == "passed"


def recall_of(lot_id: int) -> Columns | None:
    """The recall that stopped a lot, and the lot it began with."""
    return db.session().execute(
        select(Recall.id, Recall.number, Recall.business_date, Lot.code.label("root"), Lot.id.label("root_id"))
        .join(RecallLot, RecallLot.recall_id == Recall.id).join(Lot, Lot.id == Recall.lot_id)
        .where(RecallLot.lot_id == lot_id)).first()


def public_lot(code: str) -> Columns:
    """A confirmed lot by its code. Raises NotFound."""
    found = db.session().execute(
        select(Lot.id, Lot.code, Lot.product_id, Lot.confirmed_at, Product.unit, Product.unit_en, Product.by_weight)
        .join(Product, Product.id == Lot.product_id)
        .where(Lot.code == code, Lot.confirmed_at.is_not(None), Lot.expected_on.is_(None))).first()
    if found is None:
        raise NotFound()
    return found
