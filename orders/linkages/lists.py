"""Linkages, declarations, corrections and proposed shares as pages show them: Core rows, a fixed number of statements.

A co-operative sees its own and its members by name; an officer the area's, for the page to mask.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, case, func, select, true

from catalog.models import Lot
from market import clock, db, paging, places
from market.access import Visitor
from market.errors import NotFound
from market.files import StoredFile
from market.households import CoopMember, Household
from market.linkages import TIES, Linkage
from market.parties import Organisation
from market.places import Division
from orders.models import CollectiveAgreement, CollectiveProposal, IncomeCorrection, IncomeDeclaration

Columns = Row[*tuple[Any, ...]]
OWN_NAME = case((CoopMember.id.is_not(None), Household.head_name)).label("head_name")  # of members only


def state_of() -> ColumnElement[str]:
    """A Linkage's state of today, one of words.STATES."""
    return case(
        (Linkage.form == "delivery", "delivery"), (Linkage.refused_at.is_not(None), "refused"),
        (Linkage.until <= clock.today(), "ended"), (Linkage.confirmed_at.is_(None), "waits"), else_="holds")


def _ties(*columns: Any) -> Select[Any]:
    return (
        select(TIES, state_of().label("state"), Division.path, Household.register_code, *columns)
        .select_from(Linkage).join(Division, Division.id == Linkage.village_id)
        .outerjoin(Household, Household.id == Linkage.household_id))


def _found(query: Select[Any], where: ColumnElement[bool], state: str, page: int) -> paging.Page:
    """One page and how many there are of each state; two statements."""
    counts = _counts(select(state_of().label("state")).select_from(Linkage)
                     .join(Division, Division.id == Linkage.village_id).where(where))
    chosen = state_of() == state if state else true()
    total = counts.get(state, 0) if state else sum(counts.values())
    return paging.read(query.where(where, chosen).order_by(Linkage.id.desc()), total, page, counts=counts)


def _counts(states: Select[Any]) -> dict[str, int]:
    """How many rows there are of each state; grouped outside, where PostgreSQL sees one and the same expression."""
    found = states.subquery()
    return {row.state: row.rows for row in db.session().execute(
        select(found.c.state, func.count().label("rows")).group_by(found.c.state))}


def of_supplier(by: Visitor, state: str, village_id: int | None, page: int) -> paging.Page:
    """This co-operative's linkages, newest first."""
    where: ColumnElement[bool] = Linkage.supplier_id == by.organisation_id
    if village_id is not None:
        where &= Linkage.village_id == village_id
    query = _ties(CoopMember.member_no, OWN_NAME).outerjoin(
        CoopMember, (CoopMember.household_id == Linkage.household_id) & (CoopMember.supplier_id == Linkage.supplier_id))
    return _found(query, where, state, page)


def in_area(by: Visitor, state: str, page: int) -> paging.Page:
    """The linkages of an officer's area, newest first; names are for the page to mask."""
    query = _ties(Household.head_name, Organisation.short_name.label("supplier")).join(
        Organisation, Organisation.id == Linkage.supplier_id)
    return _found(query, places.lies_in(by.division_id), state, page)


def waiting_ties(by: Visitor) -> int:
    """How many linkages wait for an officer; one statement."""
    return db.session().scalar(
        select(func.count()).select_from(Linkage).join(Division, Division.id == Linkage.village_id)
        .where(state_of() == "waits", places.lies_in(by.division_id))) or 0


def villages(by: Visitor) -> Sequence[Columns]:
    """Villages that the co-operative is tied to or has members in: id, code, name, path; one statement."""
    tied = select(Linkage.village_id).where(Linkage.supplier_id == by.organisation_id)
    of_members = (select(Household.village_id).join(CoopMember, CoopMember.household_id == Household.id)
                  .where(CoopMember.supplier_id == by.organisation_id))
    return db.session().execute(
        select(Division.id, Division.code, Division.name, Division.path, Division.valid_to)
        .where(Division.id.in_(tied.union(of_members))).order_by(Division.code, Division.id)).all()


# ---- declared income ------------------------------------------------------------------------------------------------


def declared_state() -> ColumnElement[str]:
    """A declaration's state, one of words.DECLARED."""
    return case(
        (IncomeDeclaration.withdrawn_at.is_not(None), "withdrawn"),
        (IncomeDeclaration.refused_at.is_not(None), "refused"),
        (IncomeDeclaration.confirmed_at.is_(None), "waits"), else_="confirmed")


def _declared(*columns: Any) -> Select[Any]:
    """Declarations with what was taken back (`back_fen`), what of them waits to be (`asked_*`), and their tie."""
    back = (select(db.sum_of(IncomeCorrection.amount_fen))
            .where(IncomeCorrection.declaration_id == IncomeDeclaration.id, IncomeCorrection.confirmed_at.is_not(None))
            .correlate(IncomeDeclaration).scalar_subquery())
    return (
        select(db.table(IncomeDeclaration), declared_state().label("state"), Division.path, Household.register_code,
               Linkage.form, Linkage.kind.label("tie_kind"), func.coalesce(back, 0).label("back_fen"),
               IncomeCorrection.id.label("correction_id"), IncomeCorrection.amount_fen.label("asked_fen"),
               IncomeCorrection.reason.label("asked_reason"), *columns)
        .select_from(IncomeDeclaration).join(Division, Division.id == IncomeDeclaration.village_id)
        .outerjoin(Household, Household.id == IncomeDeclaration.household_id)
        .outerjoin(Linkage, Linkage.id == IncomeDeclaration.linkage_id)
        .outerjoin(IncomeCorrection, (IncomeCorrection.declaration_id == IncomeDeclaration.id)
                   & IncomeCorrection.confirmed_at.is_(None) & IncomeCorrection.refused_at.is_(None)))


def declared_of(by: Visitor, state: str, page: int) -> paging.Page:
    """This co-operative's declarations, newest first, counted by state; two statements."""
    mine = IncomeDeclaration.supplier_id == by.organisation_id
    counts = _counts(select(declared_state().label("state")).where(mine))
    chosen = declared_state() == state if state else true()
    query = _declared(CoopMember.member_no, OWN_NAME).outerjoin(
        CoopMember, (CoopMember.household_id == IncomeDeclaration.household_id)
        & (CoopMember.supplier_id == IncomeDeclaration.supplier_id))
    return paging.read(query.where(mine, chosen).order_by(IncomeDeclaration.id.desc()),
                       counts.get(state, 0) if state else sum(counts.values()), page, counts=counts)


def declared_waiting(by: Visitor, page: int) -> paging.Page:
    """Declarations and minus entries that wait in an officer's area, lists of one proof together; two statements."""
    waits = places.lies_in(by.division_id) & ((declared_state() == "waits") | IncomeCorrection.id.is_not(None))
    query = (
        _declared(Household.head_name, Organisation.short_name.label("supplier"), Lot.code.label("lot"))
        .join(Organisation, Organisation.id == IncomeDeclaration.supplier_id)
        .outerjoin(Lot, Lot.id == IncomeDeclaration.lot_id).where(waits))
    total = db.session().scalar(select(func.count()).select_from(query.subquery())) or 0
    return paging.read(query.order_by(
        IncomeDeclaration.proof_id, declared_state(), IncomeDeclaration.id), total, page)


def count_declared_waiting(by: Visitor) -> int:
    """The number of the same; one statement."""
    return db.session().scalar(
        select(func.count()).select_from(IncomeDeclaration)
        .join(Division, Division.id == IncomeDeclaration.village_id)
        .outerjoin(IncomeCorrection, (IncomeCorrection.declaration_id == IncomeDeclaration.id)
                   & IncomeCorrection.confirmed_at.is_(None) & IncomeCorrection.refused_at.is_(None))
        .where(places.lies_in(by.division_id),
               (declared_state() == "waits") | IncomeCorrection.id.is_not(None))) or 0


# ---- shares of collectives ------------------------------------------------------------------------------------------


def proposed_state() -> ColumnElement[str]:
    """A proposal's state, one of words.PROPOSED."""
    return case(
        (CollectiveProposal.withdrawn_at.is_not(None), "withdrawn"),
        (CollectiveProposal.refused_at.is_not(None), "refused"),
        (CollectiveProposal.confirmed_at.is_(None), "waits"), else_="confirmed")


def _proposals() -> Select[Any]:
    return (
        select(db.table(CollectiveProposal), proposed_state().label("state"), Division.path,
               Organisation.short_name.label("supplier"))
        .select_from(CollectiveProposal).join(Division, Division.id == CollectiveProposal.village_id)
        .join(Organisation, Organisation.id == CollectiveProposal.supplier_id))


def proposals_of(by: Visitor, page: int) -> paging.Page:
    """The co-operative's proposals, newest first; two statements."""
    mine = CollectiveProposal.supplier_id == by.organisation_id
    total = db.session().scalar(select(func.count()).select_from(CollectiveProposal).where(mine)) or 0
    return paging.read(_proposals().where(mine).order_by(CollectiveProposal.id.desc()), total, page)


def proposals_in(by: Visitor, page: int) -> paging.Page:
    """The proposals of an officer's area, those that wait first; two statements."""
    here = places.lies_in(by.division_id)
    total = db.session().scalar(
        select(func.count()).select_from(CollectiveProposal)
        .join(Division, Division.id == CollectiveProposal.village_id).where(here)) or 0
    return paging.read(_proposals().where(here).order_by(
        case((proposed_state() == "waits", 0), else_=1), CollectiveProposal.id.desc()), total, page)


def count_proposals_waiting(by: Visitor) -> int:
    """How many wait for an officer; one statement."""
    return db.session().scalar(
        select(func.count()).select_from(CollectiveProposal)
        .join(Division, Division.id == CollectiveProposal.village_id)
        .where(proposed_state() == "waits", places.lies_in(by.division_id))) or 0


def agreements_of(by: Visitor) -> Sequence[Columns]:
    """The shares that the co-operative has agreed, by village and day; one statement."""
    return db.session().execute(
        select(db.table(CollectiveAgreement), Division.path).join(
            Division, Division.id == CollectiveAgreement.village_id)
        .where(CollectiveAgreement.supplier_id == by.organisation_id)
        .order_by(Division.path, CollectiveAgreement.valid_from.desc())).all()


# ---- what proves it -------------------------------------------------------------------------------------------------

PROOFS: Mapping[str, tuple[Any, Any]] = {
    "linkage": (Linkage, Linkage.evidence_id), "declaration": (IncomeDeclaration, IncomeDeclaration.proof_id),
    "proposal": (CollectiveProposal, CollectiveProposal.evidence_id),
}


def own_proof(of: str, thing_id: int, by: Visitor) -> StoredFile:
    """The file behind a co-operative's own linkage, declaration or proposal. Raises NotFound."""
    entity, file_id = PROOFS[of]
    return _one(select(StoredFile).join(entity, file_id == StoredFile.id)
                .where(entity.id == thing_id, entity.supplier_id == by.organisation_id))


def proof_in_area(of: str, thing_id: int, by: Visitor) -> StoredFile:
    """The same of one in an officer's area. Raises NotFound."""
    entity, file_id = PROOFS[of]
    return _one(select(StoredFile).join(entity, file_id == StoredFile.id)
                .join(Division, Division.id == entity.village_id)
                .where(entity.id == thing_id, places.lies_in(by.division_id)))


def _one(query: Select[StoredFile]) -> StoredFile:
    found: StoredFile | None = db.session().scalar(query)
    if found is None:
        raise NotFound()
    return found
