"""合格证: the co-operative's promise for each lot, issued by itself when the village confirms the lot.

Who books a lot in promises; the form says so. A mistake is voided with its reason and a new one issued: rows only grow.
"""

import secrets
from collections.abc import Collection, Iterable, Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select

from catalog.lot_models import LotDetail
from catalog.models import Category, Lot, LotInput, LotShare, Product
from catalog.tracing import events, rules
from catalog.tracing.events import Happening
from catalog.tracing.models import Certificate, CertificateSource, CertificateVoid
from market import clock, db, journal
from market.access import Visitor
from market.errors import N_, Conflict, InvalidInput, NotFound
from market.parties import Organisation
from market.places import Division

ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"


class CertificateHolds(Conflict):
    """A lot has one certificate at a time."""

    code = "certificate_holds"
    text = N_("This lot's certificate still holds. Void it first, with the reason.")


class NoCertificate(Conflict):
    """Goods that the order names do not leave without their certificate."""

    code = "no_certificate"
    text = N_("Lot %(lot)s has no certificate of conformity. Issue it on the lot's page, then pack.")


class LotStopped(Conflict):
    """Nothing is promised of a lot that was recalled, or that the village has not confirmed."""

    code = "lot_stopped"
    text = N_("A certificate is issued for a lot that the village has confirmed and that was not recalled.")


def on_confirmed(lot: Lot) -> None:
    """The first certificate of a lot whose goods need one: whoever booked it in has promised."""
    if lot.id in _needing([lot.id]) and not valid([lot.id]):
        tested = db.session().scalar(select(LotDetail.test).where(LotDetail.lot_id == lot.id)) == "passed"
        _issue(lot, [rules.USUAL_BASIS, *(["self_check"] if tested else [])], lot.booked_by, None)


def issue(lot_id: int, bases: Collection[str], by: Visitor) -> Certificate:
    """Issue a certificate where none holds. Raises NotFound, CertificateHolds, LotStopped, InvalidInput."""
    lot = _own(lot_id, by)
    if not bases or not set(bases) <= set(rules.BASES):
        raise InvalidInput({"bases": [N_("Say on what the promise stands.")]})
    if lot.confirmed_at is None or lot.recalled_at is not None or lot.expected_on is not None:
        raise LotStopped()
    if valid([lot_id]):
        raise CertificateHolds()
    made = _issue(lot, bases, by.id, _newest(lot_id))
    journal.record("certificate.issued", "lot", lot_id, by, number=made.number)
    return made


def void(lot_id: int, reason: str, by: Visitor) -> None:
    """The certificate that holds was wrong. Raises NotFound, also where none holds."""
    _own(lot_id, by)
    holding = valid([lot_id]).get(lot_id)
    if holding is None:
        raise NotFound()
    db.insert_rows(CertificateVoid, [
        {"certificate_id": holding.id, "reason": reason, "voided_by": by.id, "voided_at": clock.now()}])
    journal.record("certificate.voided", "lot", lot_id, by, number=holding.number, reason=reason)


def check_present(lot_ids: Iterable[int]) -> None:
    """Raise NoCertificate for a lot whose goods need a certificate and that has none which holds."""
    needing = _needing(lot_ids)
    missing = set(needing) - set(valid(needing))
    if missing:
        raise NoCertificate(lot=needing[min(missing)])


def valid(lot_ids: Iterable[int]) -> Mapping[int, Any]:
    """The certificate that holds (id, number, issued_on) by lot, for those that have one; one statement."""
    voided = select(CertificateVoid.certificate_id)
    rows = db.session().execute(
        select(Certificate.lot_id, Certificate.id, Certificate.number, Certificate.issued_on)
        .where(Certificate.lot_id.in_(list(lot_ids)), Certificate.id.not_in(voided)))
    return {row.lot_id: row for row in rows}


def number_that_holds(lot_id: Any) -> Any:
    """The number of the certificate that holds for a lot id column, as a part of a larger statement."""
    return (select(Certificate.number)
            .where(Certificate.lot_id == lot_id, Certificate.id.not_in(select(CertificateVoid.certificate_id)))
            .limit(1).scalar_subquery())


def _needing(lot_ids: Iterable[int]) -> dict[int, str]:
    """Codes of the lots whose goods the order names."""
    shelf = db.table(Category).alias()
    rows = db.session().execute(
        select(Lot.id, Lot.code, Category.code.label("category"), shelf.c.code.label("shelf"))
        .join(Product, Product.id == Lot.product_id).join(Category, Category.id == Product.category_id)
        .outerjoin(shelf, shelf.c.id == Category.parent_id).where(Lot.id.in_(list(lot_ids))))
    return {row.id: row.code for row in rows if rules.group_of(row.category, row.shelf)}


def _own(lot_id: int, by: Visitor) -> Lot:
    lot = db.session().scalar(
        select(Lot).where(Lot.id == lot_id, Lot.supplier_id == by.organisation_id).with_for_update())
    if lot is None:
        raise NotFound()
    return lot


def _newest(lot_id: int) -> int | None:
    return db.session().scalar(select(func.max(Certificate.id)).where(Certificate.lot_id == lot_id))


def _issue(lot: Lot, bases: Collection[str], issued_by: int | None, replaces: int | None) -> Certificate:
    """Copy what is promised today. The caller has locked the lot."""
    session = db.session()
    facts = session.execute(
        select(Product.name, Product.name_en, Product.unit, Product.unit_en, Organisation.name.label("promiser"),
               Organisation.phone, Division.path.label("address"))
        .select_from(Product).join(Organisation, Organisation.id == Product.supplier_id)
        .outerjoin(Division, Division.id == Organisation.division_id).where(Product.id == lot.product_id)).one()
    villages = session.scalars(
        select(Division.path).join(LotShare, LotShare.village_id == Division.id).where(LotShare.lot_id == lot.id)
        .distinct().order_by(Division.path))
    now = clock.now()
    today = clock.business_date(now)
    issues = session.scalar(select(func.count()).select_from(Certificate).where(Certificate.lot_id == lot.id)) or 0
    made = Certificate(
        number=f"H{today:%y%m%d}-" + "".join(secrets.choice(ALPHABET) for _ in range(7)), lot_id=lot.id,
        issue=issues + 1, supplier_id=lot.supplier_id, product_name=facts.name, product_name_en=facts.name_en,
        quantity_milli=lot.total_milli, unit=facts.unit, unit_en=facts.unit_en, grams=lot.total_grams,
        origin="；".join(villages), made_on=lot.harvested_on, promiser=facts.promiser, contact=facts.phone,
        address=facts.address or "", bases=rules.kept_bases(bases), issued_by=issued_by, issued_at=now,
        issued_on=today, keep_until=max(today, lot.best_before) + timedelta(days=rules.KEPT_DAYS), replaces_id=replaces)
    session.add(made)
    session.flush()
    _name_sources(made)
    events.tell([Happening("certified", lot.id, lot.total_milli, lot.total_grams, lot.supplier_id,
                           f"certificate:{made.id}", made.number)])
    return made


def _name_sources(made: Certificate) -> None:
    """Goods made out of others refer to the certificates of what went in."""
    inputs = db.session().scalars(select(LotInput.input_lot_id).where(LotInput.lot_id == made.lot_id)).all()
    sources = sorted(row.id for row in valid(inputs).values()) if inputs else []
    db.insert_rows(CertificateSource, [{"certificate_id": made.id, "source_id": source} for source in sources])
