"""A confirmed declaration that said too much: a dated minus entry, asked for by the co-operative, confirmed at the
village, never more than is still unpaid. The declaration itself stays as it is.
"""

from sqlalchemy import select

from market import clock, db, journal, ledger, money
from market.access import Visitor
from market.errors import N_, Conflict, InvalidInput, NotFound, SecondPersonNeeded
from market.four_eyes import need_outsider
from market.ledger import LedgerTransfer
from orders.income import dues, households, posting
from orders.income.areas import in_area
from orders.models import IncomeCorrection, IncomeDeclaration
from orders.payouts import on_way


class MoreThanLeft(Conflict):
    """What has reached the receiver cannot be taken back on paper."""

    code = "more_than_left"
    text = N_("At most ¥%(left)s can be taken back: so much is declared and not yet paid out.")


def ask(declaration_id: int, amount_fen: int, reason: str, by: Visitor) -> IncomeCorrection:
    """The co-operative says that a confirmed declaration of its own was too high by so much.

    Raises NotFound, Conflict, MoreThanLeft, InvalidInput.
    """
    if amount_fen <= 0 or not reason:
        raise InvalidInput({"amount_fen": [N_("This number is outside what is possible here.")]})
    session = db.session()
    row = session.scalar(select(IncomeDeclaration).where(
        IncomeDeclaration.id == declaration_id, IncomeDeclaration.supplier_id == by.organisation_id).with_for_update())
    if row is None:
        raise NotFound()
    if row.confirmed_at is None:
        raise Conflict()
    _need_left(row, amount_fen)
    new_id = session.scalar(
        db.insert_new(IncomeCorrection).values(
            declaration_id=row.id, amount_fen=amount_fen, reason=reason, asked_by=by.id, asked_at=clock.now(),
            refusal="")
        .returning(db.table(IncomeCorrection).c.id))
    if new_id is None:  # another one of it waits
        raise Conflict()
    journal.record("income.correction_asked", "income_declaration", row.id, by, amount_fen=amount_fen, reason=reason)
    return session.get_one(IncomeCorrection, new_id)


def confirm(correction_id: int, by: Visitor) -> None:
    """The village confirms it; from today so much less is income.

    Raises NotFound, SecondPersonNeeded, OwnCooperative, Conflict, MoreThanLeft.
    """
    row, declared = _waiting(correction_id, by)
    dues.lock(declared.supplier_id)  # payouts of the same co-operative wait, or have been seen
    _need_left(declared, row.amount_fen)
    row.confirmed_by, row.confirmed_at, row.business_date = by.id, clock.now(), clock.today()
    db.session().flush()
    if row.amount_fen == declared.amount_fen:
        whole = select(LedgerTransfer.id).where(LedgerTransfer.event == "attributed",
                                                LedgerTransfer.source == f"declaration:{declared.id}")
        ledger.reverse(db.session().scalars(whole).one(), f"correction:{row.id}", row.business_date)
    else:
        ledger.post(posting.corrected(row, declared))
    journal.record("income.corrected", "income_declaration", declared.id, by, amount_fen=row.amount_fen)


def refuse(correction_id: int, why: str, by: Visitor) -> None:
    """The village says that the declaration was right. Raises as confirm() does."""
    row, declared = _waiting(correction_id, by)
    row.refused_by, row.refused_at, row.refusal = by.id, clock.now(), why
    db.session().flush()
    journal.record("income.correction_refused", "income_declaration", declared.id, by, why=why)


def left_fen(declared: IncomeDeclaration) -> int:
    """How much of a declaration can be taken back, in fen: what is left of it, at most what is still unpaid and was not
    sent by a payment run.
    """
    back = db.session().scalar(select(db.sum_of(IncomeCorrection.amount_fen)).where(
        IncomeCorrection.declaration_id == declared.id, IncomeCorrection.confirmed_at.is_not(None))) or 0
    if declared.household_id is None:
        unpaid = dues.unpaid_fen(declared.supplier_id, declared.village_id, declared.kind)
    else:
        owed = households.dues(declared.supplier_id, [declared.village_id])
        unpaid = owed.get((declared.village_id, declared.household_id, declared.kind), households.Due()).unpaid_fen
    sent = on_way.sums(supplier_id=declared.supplier_id, villages=[declared.village_id], sent_only=True).get(
        (declared.supplier_id, declared.village_id, declared.household_id, declared.kind), 0)
    return max(0, min(declared.amount_fen - back, unpaid - sent))


def _need_left(declared: IncomeDeclaration, amount_fen: int) -> None:
    left = left_fen(declared)
    if amount_fen > left:
        raise MoreThanLeft(left=money.yuan(left))


def _waiting(correction_id: int, by: Visitor) -> tuple[IncomeCorrection, IncomeDeclaration]:
    session = db.session()
    row = session.scalar(select(IncomeCorrection).where(IncomeCorrection.id == correction_id).with_for_update())
    declared = session.get(IncomeDeclaration, row.declaration_id) if row is not None else None
    if row is None or declared is None or not in_area(declared.village_id, by):
        raise NotFound()
    if row.asked_by == by.id:
        raise SecondPersonNeeded()
    need_outsider(declared.supplier_id, by)
    if row.confirmed_at is not None or row.refused_at is not None:
        raise Conflict()
    return row, declared
