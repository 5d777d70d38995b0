"""到户: money a co-operative hands on to households and collectives, with proof, never more than is unpaid."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import select

from market import clock, db, journal, ledger, money, places
from market.access import Visitor
from market.errors import N_, Conflict, InvalidInput, NotFound, SecondPersonNeeded
from market.households import Household
from orders import numbers
from orders.income import dues, posting
from orders.income.declarations import in_area
from orders.models import Payout, PayoutLine


class MoreThanUnpaid(Conflict):
    """The village is owed less."""

    code = "more_than_unpaid"
    text = N_("Only ¥%(left)s is unpaid in this village.")


def pay(village_id: int, income_kind: str, lines: Sequence[tuple[int | None, int]], paid_on: date, proof_id: int,
        by: Visitor, confirmed_by: Visitor) -> Payout:
    """Book a payout: (household id, or None for the collective, fen) per line, confirmed by a person of the village.

    Raises MoreThanUnpaid, SecondPersonNeeded, NotFound, InvalidInput.
    """
    if by.organisation_id is None or not lines or any(fen <= 0 for _household, fen in lines) or paid_on > clock.today():
        raise InvalidInput({"lines": [N_("Say who was paid how much.")]})
    if confirmed_by.id == by.id or not in_area(village_id, confirmed_by):
        raise SecondPersonNeeded()
    _check_receivers(village_id, income_kind, lines)
    dues.lock(by.organisation_id)
    left = dues.unpaid_fen(by.organisation_id, village_id, income_kind)
    if sum(fen for _household, fen in lines) > left:
        raise MoreThanUnpaid(left=money.yuan(left))
    payout = Payout(
        number=numbers.new("F", clock.today()), supplier_id=by.organisation_id, village_id=village_id,
        income_kind=income_kind, paid_on=paid_on, proof_id=proof_id, made_by=by.id, confirmed_by=confirmed_by.id,
        business_date=clock.today())
    session = db.session()
    session.add(payout)
    session.flush()
    rows = [PayoutLine(payout_id=payout.id, household_id=household, amount_fen=fen) for household, fen in lines]
    session.add_all(rows)
    session.flush()
    ledger.post([transfer for row in rows for transfer in posting.paid_out(payout, row)])
    journal.record("payout.made", "payout", payout.id, by, village=village_id, income_kind=income_kind,
                   amount_fen=sum(fen for _household, fen in lines), second=confirmed_by.id)
    return payout


def _check_receivers(village_id: int, income_kind: str, lines: Sequence[tuple[int | None, int]]) -> None:
    """The collective is one receiver; households must be of the village, or of what it has become since."""
    households = {household for household, _fen in lines}
    if income_kind == "collective":
        if households != {None}:
            raise InvalidInput({"lines": [N_("The collective is paid as one.")]})
        return
    known = set(db.session().scalars(
        select(Household.id).where(Household.id.in_(households - {None}),
                                   Household.village_id.in_({village_id, places.today_of(village_id)}))))
    if None in households or known != households:
        raise NotFound()
