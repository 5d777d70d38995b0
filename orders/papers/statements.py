"""对账单: the co-operative issues one per unit and month that is over; the unit confirms it or objects."""

from sqlalchemy import select

from market import clock, db, journal, outbox
from market.access import Visitor
from market.errors import N_, Conflict, InvalidInput, NotFound
from market.parties import Organisation
from orders import numbers
from orders.papers import statement_lists
from orders.papers.models import Statement, StatementLine

ISSUED, ANSWERED = "statement.issued", "statement.answered"


class NothingToState(Conflict):
    """Nothing happened between the two, and nothing is open."""

    code = "nothing_to_state"
    text = N_("Nothing was delivered, returned or paid in this month.")


class AlreadyIssued(Conflict):
    """A month is stated once; what comes later stands on the next statement."""

    code = "already_issued"
    text = N_("The statement of %(month)s has been issued already. What came later stands on the next one.")


def issue(unit_id: int, month: str, by: Visitor) -> Statement:
    """Freeze what the ledger holds of a month that is over. Raises NotFound, InvalidInput, NothingToState,
    AlreadyIssued.
    """
    if month >= clock.period_of(clock.today()):
        raise InvalidInput({"month": [N_("A statement is issued once its month is over.")]})
    unit = db.session().scalar(select(Organisation.id).where(Organisation.id == unit_id, Organisation.kind == "unit"))
    if unit is None or by.organisation_id is None:
        raise NotFound()
    first, last = statement_lists.month_days(month)
    lines = statement_lists.between(unit_id, by.organisation_id, first, last)
    opening = statement_lists.owed_before(unit_id, by.organisation_id, first)
    if not lines and not opening:
        raise NothingToState()
    made = _insert(unit_id, month, opening, opening + sum(line.amount_fen for line in lines), by)
    db.insert_rows(StatementLine, [
        {"statement_id": made.id, "event": line.event, "business_date": line.business_date, "order_id": line.order_id,
         "amount_fen": line.amount_fen} for line in lines])
    journal.record(ISSUED, "statement", made.id, by, number=made.number, month=month, amount_fen=made.closing_fen)
    outbox.enqueue(ISSUED, {"statement_id": made.id})
    return made


def _insert(unit_id: int, month: str, opening_fen: int, closing_fen: int, by: Visitor) -> Statement:
    """The unique key decides where two people issue the same month."""
    made = db.session().scalar(db.insert_new(Statement).values(
        number=numbers.new("D", clock.today()), unit_id=unit_id, supplier_id=by.organisation_id, month=month,
        opening_fen=opening_fen, closing_fen=closing_fen, state="issued", issued_by=by.id, issued_at=clock.now(),
        reason="").returning(db.table(Statement).c.id))
    if made is None:
        raise AlreadyIssued(month=month)
    return db.session().get_one(Statement, made)


def confirm(statement_id: int, by: Visitor) -> Statement:
    """The unit has compared and agrees; also after an objection that was settled. Raises NotFound, Conflict."""
    row = _own(statement_id, by)
    if row.state == "confirmed":
        raise Conflict()
    return _answer(row, "confirmed", "", by)


def object_to(statement_id: int, reason: str, by: Visitor) -> Statement:
    """The unit does not agree; what is put right stands on a later statement. Raises NotFound, Conflict."""
    row = _own(statement_id, by)
    if row.state != "issued":
        raise Conflict()
    return _answer(row, "objected", reason, by)


def _own(statement_id: int, by: Visitor) -> Statement:
    row = db.session().scalar(
        select(Statement).where(Statement.id == statement_id, Statement.unit_id == by.organisation_id)
        .with_for_update())
    if row is None:
        raise NotFound()
    return row


def _answer(row: Statement, state: str, reason: str, by: Visitor) -> Statement:
    row.state, row.reason, row.answered_by, row.answered_at = state, reason, by.id, clock.now()
    db.session().flush()
    journal.record(f"statement.{state}", "statement", row.id, by, number=row.number, reason=reason)
    outbox.enqueue(ANSWERED, {"statement_id": row.id})
    return row
