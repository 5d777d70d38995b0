"""The audit of payment runs: what a village confirmed is what was booked, line by line, and nothing else."""

from collections.abc import Iterator

from sqlalchemy import exists, func, or_, select

from market import db
from market.errors import N_
from market.problem import Problem
from orders.models import Payout, PayoutLine
from orders.payouts.models import PayoutRun, PayoutRunLine


def problems() -> Iterator[Problem]:
    """Constant statements, whatever there is."""
    yield from _different()
    yield from _without_line()


def _different() -> Iterator[Problem]:
    """A confirmed line agrees with the payout that it was booked by: who, where, what for, how much, when, proof."""
    line = PayoutRunLine
    query = (
        select(PayoutRun.number, Payout.number, line.amount_fen, PayoutLine.amount_fen)
        .select_from(line).join(PayoutRun, PayoutRun.id == line.run_id)
        .join(PayoutLine, PayoutLine.id == line.payout_line_id).join(Payout, Payout.id == PayoutLine.payout_id)
        .where(or_(
            line.amount_fen != PayoutLine.amount_fen, line.village_id != Payout.village_id,
            line.income_kind != Payout.income_kind, PayoutRun.supplier_id != Payout.supplier_id,
            func.coalesce(line.household_id, 0) != func.coalesce(PayoutLine.household_id, 0),
            line.paid_on != Payout.paid_on, line.proof_id != Payout.proof_id)).order_by(line.id))
    for run, payout, said, booked in db.session().execute(query):
        yield Problem(N_("A line of payment run %(run)s says %(said)s fen; payout %(payout)s booked %(booked)s, or for "
                         "somebody or something else."), run=run, said=said, payout=payout, booked=booked)


def _without_line() -> Iterator[Problem]:
    """A payout booked by a run has no line that the run does not have."""
    of_line = exists().where(PayoutRunLine.payout_line_id == PayoutLine.id)
    sister = db.table(PayoutLine).alias()
    from_run = exists().where(sister.c.payout_id == Payout.id, PayoutRunLine.payout_line_id == sister.c.id)
    for number, fen in db.session().execute(
            select(Payout.number, PayoutLine.amount_fen).join(PayoutLine, PayoutLine.payout_id == Payout.id)
            .where(from_run, ~of_line).order_by(PayoutLine.id)):
        yield Problem(N_("Payout %(payout)s has %(fen)s fen that no line of its payment run speaks of."),
                      payout=number, fen=fen)


CHECKS = (problems,)
