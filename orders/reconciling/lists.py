"""Runs and tasks by columns: a co-operative sees its own, auditors those of their area, the platform all."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, func, select, true

from market import clock, db, paging, places
from market.access import Visitor
from market.errors import NotFound
from market.files import StoredFile
from market.parties import Organisation
from market.places import Division
from market.users import User
from orders.models import MoneyTask, Order, PaymentClaim, Reconciliation, Refund
from orders.reconciling.models import ReconciledPart

PLATFORM = "platform"  # its office belongs to no place
AGE = "sijin_reconciliation_age_seconds"
Columns = Row[*tuple[Any, ...]]


def is_own(by: Visitor) -> bool:
    """Whether this reader sees the own co-operative only."""
    return by.organisation_kind != "office"


def runs(by: Visitor, page: int) -> paging.Page:
    """Nights, newest first: a co-operative sees its own part of each as a run; two statements."""
    if is_own(by):
        query = _parts().where(ReconciledPart.supplier_id == by.organisation_id)
        order: Any = ReconciledPart.id.desc()
    else:
        query = select(db.table(Reconciliation))
        order = Reconciliation.id.desc()
    total = db.session().scalar(select(func.count()).select_from(query.subquery())) or 0
    return paging.read(query.order_by(order), total, page)


def run(run_id: int, by: Visitor) -> tuple[Columns, Sequence[Columns]]:
    """A run and its parts that the reader may see. Raises NotFound."""
    found = db.session().execute(select(db.table(Reconciliation)).where(Reconciliation.id == run_id)).first()
    parts = db.session().execute(
        _parts().where(ReconciledPart.run_id == run_id, _mine(ReconciledPart.supplier_id, by))
        .order_by(Organisation.name, ReconciledPart.id)).all()
    if found is None or (is_own(by) and not parts):
        raise NotFound()
    return found, parts


def _parts() -> Select[Any]:
    table = db.table(ReconciledPart)
    return (
        select(table, Reconciliation.scope, Reconciliation.day, Reconciliation.started_at, Reconciliation.finished_at,
               Organisation.name.label("supplier_name"), StoredFile.sha256)
        .join(Reconciliation, Reconciliation.id == ReconciledPart.run_id)
        .join(Organisation, Organisation.id == ReconciledPart.supplier_id)
        .outerjoin(StoredFile, StoredFile.id == ReconciledPart.evidence_id))


def list_of_part(part_id: int, by: Visitor) -> StoredFile:
    """The kept list of a part. Raises NotFound for another co-operative's, and where there is none."""
    found = db.session().scalar(
        select(StoredFile).join(ReconciledPart, ReconciledPart.evidence_id == StoredFile.id)
        .where(ReconciledPart.id == part_id, _mine(ReconciledPart.supplier_id, by)))
    if found is None:
        raise NotFound()
    return found


def list_of_run(run_id: int, by: Visitor) -> StoredFile:
    """The table that vouches for a whole run, for who may see every co-operative on it. Raises NotFound."""
    strangers = select(ReconciledPart.id).where(
        ReconciledPart.run_id == run_id, ~_mine(ReconciledPart.supplier_id, by)).exists()
    found = None if is_own(by) else db.session().scalar(
        select(StoredFile).join(Reconciliation, Reconciliation.evidence_id == StoredFile.id)
        .where(Reconciliation.id == run_id, ~strangers))
    if found is None:
        raise NotFound()
    return found


def tasks(by: Visitor, state: str, kind: str, page: int) -> tuple[paging.Page, Mapping[str, int]]:
    """Tasks in a state (and of a kind), newest first, counts by state; and counts by kind. Three statements."""
    mine = _mine(MoneyTask.supplier_id, by)
    states: dict[str, int] = {}
    kinds: dict[str, int] = {}
    for row in db.session().execute(
            select(MoneyTask.state, MoneyTask.kind, func.count().label("tasks")).where(mine)
            .group_by(MoneyTask.state, MoneyTask.kind).order_by(MoneyTask.kind)):
        states[row.state] = states.get(row.state, 0) + row.tasks
        if row.state == state:
            kinds[row.kind] = row.tasks
    query = _tasks().where(mine, MoneyTask.state == state)
    if kind:
        query = query.where(MoneyTask.kind == kind)
    total = kinds.get(kind, 0) if kind else states.get(state, 0)
    return paging.read(query.order_by(MoneyTask.id.desc()), total, page, counts=states), kinds


def task(task_id: int, by: Visitor) -> Columns:
    """One task. Raises NotFound for another co-operative's."""
    found = db.session().execute(
        _tasks().where(MoneyTask.id == task_id, _mine(MoneyTask.supplier_id, by))).first()
    if found is None:
        raise NotFound()
    return found


def _tasks() -> Select[Any]:
    return (
        select(db.table(MoneyTask), Organisation.name.label("supplier_name"), Order.number.label("order_number"),
               PaymentClaim.number.label("claim_number"), Refund.number.label("refund_number"),
               User.name.label("settler"))
        .join(Organisation, Organisation.id == MoneyTask.supplier_id)
        .outerjoin(Order, Order.id == MoneyTask.order_id)
        .outerjoin(PaymentClaim, PaymentClaim.id == MoneyTask.claim_id)
        .outerjoin(Refund, Refund.id == MoneyTask.refund_id)
        .outerjoin(User, User.id == MoneyTask.settled_by))


def open_tasks(by: Visitor) -> int:
    """How many wait for this reader."""
    return db.session().scalar(select(func.count()).select_from(MoneyTask).where(
        MoneyTask.state == "open", _mine(MoneyTask.supplier_id, by))) or 0


def newest(by: Visitor) -> Mapping[str, Columns]:
    """By scope: the last run that ended well (for a co-operative, its part of it)."""
    table, where = db.table(Reconciliation), Reconciliation.finished_at.is_not(None) & (Reconciliation.error == "")
    if is_own(by):
        where &= Reconciliation.id.in_(select(ReconciledPart.run_id).where(
            ReconciledPart.supplier_id == by.organisation_id, ReconciledPart.error == ""))
    last = select(func.max(Reconciliation.id)).where(where).group_by(Reconciliation.scope)
    return {row.scope: row for row in db.session().execute(select(table).where(table.c.id.in_(last)))}


def age_seconds() -> float | None:
    """How long ago the last good comparison with the card provider ended; None where there was none."""
    ended = db.session().scalar(select(func.max(Reconciliation.finished_at)).where(
        Reconciliation.scope == "card", Reconciliation.error == ""))
    return (clock.now() - ended).total_seconds() if ended else None


def _mine(column: Any, by: Visitor) -> ColumnElement[bool]:
    if by.office_kind == PLATFORM:
        return true()
    theirs: ColumnElement[bool] = column == by.organisation_id if is_own(by) else column.in_(
        select(Organisation.id).join(Division, Division.id == Organisation.division_id)
        .where(places.lies_in(by.division_id)))
    return theirs
