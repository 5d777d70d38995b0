"""Cases: what stands out is opened once, told to its co-operative, answered, and decided by officials.

Nothing here stops anybody from trading. A grave case holds its orders out of public figures until two officials, none
of them of the co-operative, have said that they are in order; where they uphold it, the orders stay out for good.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import select, update

from market import clock, db, four_eyes, journal, notices
from market.access import Visitor
from market.errors import N_, Conflict, InvalidInput, NotFound
from market.figures import Where
from market.parties import Organisation
from market.working_days import working_days_after
from orders.anomalies.found import RULE_VERSION, Found
from orders.anomalies.models import UNDECIDED, AnomalyAnswer, AnomalyCase, AnomalyCaseOrder, OrderHold
from orders.models import Order

DAYS_TO_DECIDE = 10
AT_ONCE = 1000
TOLD = "anomaly.opened"


class Decided(Conflict):
    """Somebody has decided this case already."""

    code = "anomaly_decided"
    text = N_("This case has been decided already.")


class SamePerson(Conflict):
    """A grave case needs another person to decide than the one who proposed it."""

    code = "anomaly_second_person"
    text = N_("You proposed this decision yourself: a second person has to confirm it.")


class NothingProposed(Conflict):
    """There is no proposal, or not this one, that a second person could confirm."""

    code = "anomaly_not_proposed"
    text = N_("Nothing like this is proposed: please look at the case again.")


def open_found(found: Sequence[Found]) -> int:
    """Open a case for each thing that has none yet; returns how many are new. Of cases that stand, orders that have
    come since are added and held. The same things found twice change nothing.
    """
    now = clock.now()
    due_on = working_days_after(clock.today(), DAYS_TO_DECIDE)
    made: set[tuple[str, str]] = set()
    for some in db.chunks(found, AT_ONCE):
        rows = [{"kind": one.kind, "key": one.key, "grave": one.is_grave, "object": one.object, "value": one.value,
                 "facts": dict(one.facts), "evidence": _plain(one.evidence), "day": one.day, "unit_id": one.unit_id,
                 "supplier_id": one.supplier_id, "rule_version": RULE_VERSION, "found_at": now, "due_on": due_on,
                 "state": "open", "note": ""} for one in some]
        known = _known(some)
        new = [row for row in rows if (row["kind"], row["key"]) not in known]
        if new:
            made.update((row.kind, row.key) for row in db.session().execute(
                db.insert_new(AnomalyCase).values(new).returning(AnomalyCase.kind, AnomalyCase.key)))
    _touch(found, made)
    return len(made)


def _plain(evidence: Iterable[Any]) -> list[list[Any]]:
    return [[kind, number, fen, day.isoformat() if day else None] for kind, number, fen, day in evidence]


def _known(found: Sequence[Found]) -> dict[tuple[str, str], Any]:
    """Cases by kind and key, locked: who clears one meanwhile waits, and finds every hold that there is."""
    rows = db.session().execute(
        select(AnomalyCase.id, AnomalyCase.kind, AnomalyCase.key, AnomalyCase.grave, AnomalyCase.state)
        .where(AnomalyCase.key.in_({one.key for one in found})).order_by(AnomalyCase.id).with_for_update())
    return {(row.kind, row.key): row for row in rows}


def _touch(found: Sequence[Found], made: set[tuple[str, str]]) -> None:
    """Note which orders the cases touch; hold those of grave ones that stand; tell the co-operatives of new ones."""
    held: list[tuple[int, bool, int]] = []
    fresh: list[tuple[Any, Found]] = []
    for some in db.chunks(found, AT_ONCE):
        cases = _known(some)
        rows = [{"case_id": cases[one.kind, one.key].id, "order_id": order} for one in some for order in one.order_ids
                if cases[one.kind, one.key].state != "cleared"]
        added: set[tuple[int, int]] = set()
        for part in db.chunks(rows, AT_ONCE):
            added.update((row.case_id, row.order_id) for row in db.session().execute(
                db.insert_new(AnomalyCaseOrder).values(part)
                .returning(AnomalyCaseOrder.case_id, AnomalyCaseOrder.order_id)))
        states = {case.id: case for case in cases.values()}
        held += [(case, states[case].state == "upheld", order) for case, order in sorted(added) if states[case].grave]
        fresh += [(cases[one.kind, one.key], one) for one in some if (one.kind, one.key) in made]
    numbers = _orders({order for _case, _for_good, order in held} | {
        order for _case, one in fresh for order in one.order_ids})
    now = clock.now()
    for of_held in db.chunks(held, AT_ONCE):
        db.session().execute(db.insert_new(OrderHold).values([
            {"case_id": case, "order_number": numbers[order].number, "held_at": now, "for_good": for_good,
             "released_at": None} for case, for_good, order in of_held]))
    journal.record_many([("anomaly.opened", "anomaly", case.id, {
        "kind": one.kind, "key": one.key, "rule_version": RULE_VERSION}) for case, one in fresh], None)
    for case, one in fresh:
        if one.is_grave:
            for supplier in sorted({numbers[order].supplier_id for order in one.order_ids}):
                notices.tell(supplier, TOLD, case.id, {"what": one.label})


def _orders(ids: set[int]) -> dict[int, Any]:
    found: dict[int, Any] = {}
    for some in db.chunks(sorted(ids), AT_ONCE):
        found.update((row.id, row) for row in db.session().execute(
            select(Order.id, Order.number, Order.supplier_id).where(Order.id.in_(some))))
    return found


# ---- what follows ---------------------------------------------------------------------------------------------------


def answer(case_id: int, words: str, file_id: int | None, by: Visitor) -> AnomalyCase:
    """The co-operative says what it knows. Raises NotFound, Decided."""
    case = db.session().scalar(
        select(AnomalyCase).where(AnomalyCase.id == case_id, AnomalyCase.grave, of_supplier(by.organisation_id or 0))
        .with_for_update())
    if case is None:
        raise NotFound()
    if case.state not in UNDECIDED:
        raise Decided()
    if not words:
        raise InvalidInput({"words": [N_("Please fill this in.")]})
    db.session().add(AnomalyAnswer(case_id=case.id, supplier_id=by.organisation_id, words=words, file_id=file_id,
                                   answered_by=by.id, answered_at=clock.now()))
    case.state = "answered"
    db.session().flush()
    journal.record("anomaly.answered", "anomaly", case.id, by, words=words, file=file_id)
    return case


def propose(case_id: int, decision: str, note: str, where: Where, by: Visitor) -> AnomalyCase:
    """An official has looked: a warning is decided with it, a grave case waits for a second person.

    Raises NotFound, Decided, OwnCooperative, OwnParty.
    """
    case = _open(case_id, where, by)
    case.proposal, case.note, case.proposed_by, case.proposed_at = decision, note, by.id, clock.now()
    journal.record("anomaly.proposed", "anomaly", case.id, by, decision=decision, note=note)
    if not case.grave:
        _decide(case, decision, by)
    db.session().flush()
    return case


def confirm(case_id: int, decision: str, where: Where, by: Visitor) -> AnomalyCase:
    """A second official agrees with the decision as it was shown to them. Raises NotFound, Decided, NothingProposed,
    SamePerson, OwnCooperative, OwnParty.
    """
    case = _open(case_id, where, by)
    if case.proposal is None or case.proposal != decision:
        raise NothingProposed()
    if case.proposed_by == by.id:
        raise SamePerson()
    _decide(case, case.proposal, by)
    db.session().flush()
    return case


def refuse(case_id: int, note: str, where: Where, by: Visitor) -> AnomalyCase:
    """A second official does not agree: the case is looked at again. Raises as confirm() does."""
    case = _open(case_id, where, by)
    if case.proposal is None:
        raise NothingProposed()
    if case.proposed_by == by.id:
        raise SamePerson()
    journal.record("anomaly.refused", "anomaly", case.id, by, decision=case.proposal, note=note)
    case.proposal = case.proposed_by = case.proposed_at = None
    db.session().flush()
    return case


def _decide(case: AnomalyCase, decision: str, by: Visitor) -> None:
    case.state, case.decided_by, case.decided_at = decision, by.id, clock.now()
    db.session().flush()
    holds = update(OrderHold).where(OrderHold.case_id == case.id, OrderHold.released_at.is_(None))
    values: Mapping[str, Any] = {"released_at": clock.now()} if decision == "cleared" else {"for_good": True}
    db.session().execute(holds.values(**values).execution_options(synchronize_session=False))
    journal.record("anomaly." + decision, "anomaly", case.id, by, note=case.note)
    if case.grave:
        for supplier in suppliers_of(case.id):
            notices.tell(supplier, "anomaly." + decision, case.id, {})


def _open(case_id: int, where: Where, by: Visitor) -> AnomalyCase:
    """An undecided case of the official's area, locked; the official is nobody of its co-operatives or units."""
    case = db.session().scalar(
        select(AnomalyCase).where(AnomalyCase.id == case_id, in_area(where)).with_for_update())
    if case is None:
        raise NotFound()
    if case.state not in UNDECIDED:
        raise Decided()
    for supplier in {*suppliers_of(case.id), *([case.supplier_id] if case.supplier_id else [])}:
        four_eyes.need_outsider(supplier, by)
    four_eyes.need_no_party(_units_of(case), by)
    return case


def _units_of(case: AnomalyCase) -> set[int]:
    """The units that a case is about, or whose orders it touches."""
    touched = db.session().scalars(
        select(Order.unit_id).join(AnomalyCaseOrder, AnomalyCaseOrder.order_id == Order.id)
        .where(AnomalyCaseOrder.case_id == case.id))
    return {*touched, *([case.unit_id] if case.unit_id else [])}


def suppliers_of(case_id: int) -> list[int]:
    """The co-operatives whose orders a case touches."""
    return list(db.session().scalars(
        select(Order.supplier_id).distinct().join(AnomalyCaseOrder, AnomalyCaseOrder.order_id == Order.id)
        .where(AnomalyCaseOrder.case_id == case_id).order_by(Order.supplier_id)))


def of_supplier(supplier_id: int) -> Any:
    """The condition that a case touches a co-operative's orders."""
    return AnomalyCase.id.in_(select(AnomalyCaseOrder.case_id).join(Order, Order.id == AnomalyCaseOrder.order_id)
                              .where(Order.supplier_id == supplier_id))


def in_area(where: Where) -> Any:
    """The condition that a case is about a unit, a co-operative or orders of an area."""
    if where == Where():
        return AnomalyCase.id.is_not(None)
    near = select(Organisation.id).where(where.holds(Organisation.division_id))
    touching = (select(AnomalyCaseOrder.case_id).join(Order, Order.id == AnomalyCaseOrder.order_id)
                .where(Order.unit_id.in_(near) | Order.supplier_id.in_(near)))
    return AnomalyCase.unit_id.in_(near) | AnomalyCase.supplier_id.in_(near) | AnomalyCase.id.in_(touching)
