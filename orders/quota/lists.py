"""What the pages of the reserved share show: columns, a fixed number of statements."""

from typing import Any

from sqlalchemy import func, select, true
from sqlalchemy.orm import aliased

from market import db, paging, places
from market.access import Visitor
from market.errors import NotFound
from market.parties import Organisation
from market.places import Division
from market.users import User
from orders.buying.lists import unit_ids
from orders.quota.models import QuotaFiling, QuotaRevision, QuotaSuccession, QuotaUpload

FILING = db.table(QuotaFiling)
TABS = ("waiting", "returned", "approved", "all")


def filing_of(unit_id: int | None, year: int, *, drafts: bool = True) -> Any:
    """A unit's filing of a year with the representative's name; None where there is none yet, or one of no concern."""
    representative = aliased(Organisation)
    return db.session().execute(
        select(FILING, representative.name.label("representative"))
        .outerjoin(representative, representative.id == FILING.c.representative_id)
        .where(FILING.c.unit_id == unit_id, FILING.c.year == year, true() if drafts else FILING.c.state != "draft")
    ).first()


def filing(filing_id: int) -> Any:
    """A filing with its unit's and its people's names. Raises NotFound. Who may see it is the caller's to ask."""
    representative, submitter = aliased(Organisation), aliased(User)
    found = db.session().execute(
        select(FILING, Organisation.name.label("unit"), Organisation.parent_id, Organisation.division_id,
               representative.name.label("representative"), submitter.name.label("submitted_by_name"))
        .join(Organisation, Organisation.id == FILING.c.unit_id)
        .outerjoin(representative, representative.id == FILING.c.representative_id)
        .outerjoin(submitter, submitter.id == FILING.c.submitted_by).where(FILING.c.id == filing_id)).first()
    if found is None:
        raise NotFound()
    return found


def revisions(filing_id: int) -> Any:
    """Every submission, the newest first."""
    return db.session().execute(
        select(QuotaRevision.number, QuotaRevision.content, QuotaRevision.submitted_at, User.name)
        .outerjoin(User, User.id == QuotaRevision.submitted_by)
        .where(QuotaRevision.filing_id == filing_id).order_by(QuotaRevision.number.desc())).all()


def named_by(unit_id: int | None, year: int) -> Any:
    """Units that name this one as the representative of a shared canteen."""
    return db.session().execute(
        select(Organisation.id, Organisation.name, QuotaFiling.state)
        .join(QuotaFiling, QuotaFiling.unit_id == Organisation.id)
        .where(QuotaFiling.representative_id == unit_id, QuotaFiling.year == year)
        .order_by(Organisation.id)).all()


def own_unit(unit_id: int | None, by: Visitor) -> int:
    """A unit that a buyer may look at: their own or one it supervises. Raises NotFound."""
    found = unit_id or by.organisation_id or 0
    if found not in unit_ids(by):
        raise NotFound()
    return found


def in_area(by: Visitor) -> Any:
    """The condition that a unit lies in an office's area; auditors and the city see all."""
    if by.roles & {"auditor", "operator_audit"}:
        return Organisation.kind == "unit"
    return (Organisation.kind == "unit") & Organisation.division_id.in_(
        select(Division.id).where(places.lies_in(by.division_id)))


def area_unit(unit_id: int | None, by: Visitor) -> int:
    """A unit of the office's area. Raises NotFound."""
    found = db.session().scalar(select(Organisation.id).where(Organisation.id == unit_id, in_area(by)))
    if found is None:
        raise NotFound()
    return found


def filings(by: Visitor, year: int, tab: str, page: int) -> paging.Page:
    """Filings of the office's area, drafts left out."""
    where = (FILING.c.year == year, FILING.c.state != "draft", in_area(by))
    base = select(FILING.c.state, func.count()).join(Organisation, Organisation.id == FILING.c.unit_id)
    counts: dict[str, int] = {row[0]: row[1] for row in db.session().execute(
        base.where(*where).group_by(FILING.c.state))}
    states = {"waiting": ("submitted", "reviewed"), "returned": ("returned",), "approved": ("approved",)}.get(
        tab, tuple(counts))
    query = (
        select(FILING, Organisation.name.label("unit"), Organisation.unit_type, Organisation.parent_id)
        .join(Organisation, Organisation.id == FILING.c.unit_id)
        .where(*where, FILING.c.state.in_(states)).order_by(FILING.c.submitted_at.desc(), FILING.c.id))
    return paging.read(query, sum(counts.get(state, 0) for state in states), page, counts=counts)


def successions(by: Visitor) -> Any:
    """Mergers and renamings of units of the office's area that wait for its word."""
    successor = aliased(Organisation)
    return db.session().execute(
        select(db.table(QuotaSuccession), Organisation.name.label("unit"), successor.name.label("successor"))
        .join(Organisation, Organisation.id == QuotaSuccession.unit_id)
        .join(successor, successor.id == QuotaSuccession.successor_id)
        .where(QuotaSuccession.state == "declared", in_area(by)).order_by(QuotaSuccession.id).limit(50)).all()


def uploads(unit_id: int | None, page: int) -> paging.Page:
    """Tables of 832 that the unit has sent, the newest first."""
    total = db.session().scalar(select(func.count()).select_from(QuotaUpload)
                                .where(QuotaUpload.unit_id == unit_id)) or 0
    query = (select(db.table(QuotaUpload), User.name).outerjoin(User, User.id == QuotaUpload.sent_by)
             .where(QuotaUpload.unit_id == unit_id).order_by(QuotaUpload.id.desc()))
    return paging.read(query, total, page)


def to_review(by: Visitor) -> int:
    """Filings of supervised units that wait for the visitor's unit."""
    return db.session().scalar(
        select(func.count()).select_from(QuotaFiling).join(Organisation, Organisation.id == QuotaFiling.unit_id)
        .where(Organisation.parent_id == by.organisation_id, QuotaFiling.state == "submitted")) or 0


def to_decide(by: Visitor) -> int:
    """Filings of the area that are ready for the finance office."""
    return db.session().scalar(
        select(func.count()).select_from(QuotaFiling).join(Organisation, Organisation.id == QuotaFiling.unit_id)
        .where(in_area(by), (QuotaFiling.state == "reviewed")
               | ((QuotaFiling.state == "submitted") & Organisation.parent_id.is_(None)))) or 0


def returned(by: Visitor) -> int:
    """The visitor's own filings that came back."""
    return db.session().scalar(
        select(func.count()).select_from(QuotaFiling)
        .where(QuotaFiling.unit_id == by.organisation_id, QuotaFiling.state == "returned")) or 0
