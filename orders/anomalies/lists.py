"""Cases as pages list them: by kind, state and day due, for an area or a co-operative; one case with all about it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, select
from sqlalchemy.orm import aliased

from market import clock, db, journal, paging
from market.errors import N_, NotFound
from market.figures import Where
from market.files import StoredFile
from market.parties import Organisation
from market.users import User
from orders.anomalies.cases import in_area, of_supplier
from orders.anomalies.models import UNDECIDED, AnomalyAnswer, AnomalyCase, AnomalyCaseOrder, OrderHold
from orders.models import Order

STATE_LABELS: Mapping[str, str] = {
    "open": N_("not yet looked into"), "answered": N_("Answered"), "cleared": N_("Looked into: in order"),
    "upheld": N_("Upheld, passed on to supervision"),
}
FILTERS: Mapping[str, str] = {
    "undecided": N_("Undecided"), "overdue": N_("Decision overdue"), "proposed": N_("Waits for a second person"),
    "cleared": N_("In order"), "upheld": N_("Upheld"),
}
TIMELINE: Mapping[str, str] = {
    "anomaly.opened": N_("Found"), "anomaly.answered": N_("The co-operative answered"),
    "anomaly.proposed": N_("Looked into"), "anomaly.refused": N_("The second person did not agree"),
    "anomaly.cleared": N_("Cleared"), "anomaly.upheld": N_("Upheld"),
}
_CASES = db.table(AnomalyCase)
_SHOWN = [_CASES.c[name] for name in ("id", "kind", "object", "value", "facts", "day", "grave", "found_at", "due_on",
                                      "state", "proposal", "decided_at")]


@dataclass(frozen=True)
class Listed:
    """A page of cases, how many are behind each filter, and of which kinds these are."""

    page: paging.Page
    counts: Mapping[str, int]
    kinds: Mapping[str, int]


def _conditions(today: date) -> dict[str, ColumnElement[bool]]:
    undecided = AnomalyCase.state.in_(UNDECIDED)
    return {"undecided": undecided, "overdue": undecided & (AnomalyCase.due_on < today),
            "proposed": undecided & AnomalyCase.proposal.is_not(None), "cleared": AnomalyCase.state == "cleared",
            "upheld": AnomalyCase.state == "upheld"}


def listed(where: Where, shown: str, kind: str, page: int) -> Listed:
    """The area's cases behind a filter, the grave and the longest waiting first. Four statements."""
    conditions = _conditions(clock.today())
    mine = in_area(where)
    counts = db.session().execute(select(*(db.sum_of(case((condition, 1), else_=0)).label(name)
                                           for name, condition in conditions.items())).where(mine)).one()
    wanted = and_(mine, conditions[shown])
    kinds = {row.kind: row.cases for row in db.session().execute(
        select(AnomalyCase.kind, func.count().label("cases")).where(wanted).group_by(AnomalyCase.kind)
        .order_by(AnomalyCase.kind))}
    query = select(*_SHOWN).where(wanted, *([AnomalyCase.kind == kind] if kind else [])).order_by(
        AnomalyCase.grave.desc(), AnomalyCase.due_on, AnomalyCase.id.desc())
    total = kinds.get(kind, 0) if kind else sum(kinds.values())
    return Listed(paging.read(query, total, page), dict(counts._mapping), kinds)


def of_cooperative(supplier_id: int, page: int) -> paging.Page:
    """Grave cases that touch a co-operative's orders, those that wait for its answer first."""
    query = (select(*_SHOWN).where(AnomalyCase.grave, of_supplier(supplier_id))
             .order_by(case((AnomalyCase.state == "open", 0), (AnomalyCase.state == "answered", 1), else_=2),
                       AnomalyCase.due_on, AnomalyCase.id.desc()))
    total = db.session().scalar(select(func.count()).select_from(AnomalyCase).where(
        AnomalyCase.grave, of_supplier(supplier_id))) or 0
    return paging.read(query, total, page)


@dataclass(frozen=True)
class Told:
    """One case with all about it: its orders, answers, and what happened, oldest first."""

    case: Any
    orders: Sequence[Any]
    answers: Sequence[Any]
    timeline: Sequence[Mapping[str, Any]]

    @property
    def age(self) -> int:
        """Days since it was found, or until it was decided."""
        until = clock.business_date(self.case.decided_at) if self.case.decided_at else clock.today()
        return (until - clock.business_date(self.case.found_at)).days

    @property
    def held_fen(self) -> int:
        """Accepted less sent back of its orders that are held."""
        return sum(row.accepted_fen - row.returned_fen for row in self.orders if row.is_held)


def one(case_id: int, where: Where) -> Told:
    """A case of an area. Raises NotFound."""
    return _told(case_id, in_area(where), None)


def one_of_cooperative(case_id: int, supplier_id: int) -> Told:
    """A grave case that touches a co-operative, with its own orders and answers alone. Raises NotFound."""
    return _told(case_id, AnomalyCase.grave & of_supplier(supplier_id), supplier_id)


def _told(case_id: int, mine: Any, supplier_id: int | None) -> Told:
    proposer, decider = aliased(User), aliased(User)
    found = db.session().execute(
        select(_CASES, proposer.name.label("proposer"), decider.name.label("decider"))
        .outerjoin(proposer, proposer.id == _CASES.c.proposed_by)
        .outerjoin(decider, decider.id == _CASES.c.decided_by).where(_CASES.c.id == case_id, mine)).first()
    if found is None:
        raise NotFound()
    unit = aliased(Organisation)
    own = [Order.supplier_id == supplier_id] if supplier_id else []
    orders = db.session().execute(
        select(Order.id, Order.number, Order.business_date, Order.supplier_name, unit.short_name.label("unit"),
               Order.placed_fen, Order.accepted_fen, Order.returned_fen, Order.received_fen, Order.refunded_fen,
               (OrderHold.case_id.is_not(None) & OrderHold.released_at.is_(None)).label("is_held"))
        .join(AnomalyCaseOrder, AnomalyCaseOrder.order_id == Order.id).join(unit, unit.id == Order.unit_id)
        .outerjoin(OrderHold, (OrderHold.case_id == AnomalyCaseOrder.case_id)
                   & (OrderHold.order_number == Order.number))
        .where(AnomalyCaseOrder.case_id == case_id, *own).order_by(Order.id)).all()
    answers = db.session().execute(
        select(AnomalyAnswer.words, AnomalyAnswer.answered_at, Organisation.short_name,
               StoredFile.name.label("file_name"), StoredFile.original_name)
        .join(Organisation, Organisation.id == AnomalyAnswer.supplier_id)
        .outerjoin(StoredFile, StoredFile.id == AnomalyAnswer.file_id)
        .where(AnomalyAnswer.case_id == case_id,
               *([AnomalyAnswer.supplier_id == supplier_id] if supplier_id else []))
        .order_by(AnomalyAnswer.id)).all()
    return Told(found, orders, answers, journal.timeline("anomaly", case_id))


def waiting(where: Where) -> tuple[int, int]:
    """How many cases of an area are undecided, and how many of these overdue."""
    conditions = _conditions(clock.today())
    row = db.session().execute(select(*(db.sum_of(case((conditions[name], 1), else_=0)).label(name)
                                        for name in ("undecided", "overdue"))).where(in_area(where))).one()
    return row.undecided, row.overdue


def waiting_for(supplier_id: int) -> int:
    """How many grave cases a co-operative has not answered yet."""
    return db.session().scalar(select(func.count()).select_from(AnomalyCase).where(
        AnomalyCase.grave, AnomalyCase.state == "open", of_supplier(supplier_id))) or 0
