"""The chairman confirms a whole list of announced transfers by one tap: all of them or none."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from market import db, faults
from market.access import Visitor
from market.errors import N_, Conflict, InvalidInput, MarketError, NotFound, SecondPersonNeeded
from orders.models import ClaimPart, Order, PaymentClaim
from orders.paying import claims

MOST = 200  # claims in one list


@dataclass(frozen=True)
class Seen:
    """What stood beside the button when it was pressed: how many transfers, and what they come to in fen."""

    claims: int
    fen: int


class ListChanged(Conflict):
    """What was ticked is not what was read: answered meanwhile, or another sum."""

    code = "list_changed"
    text = N_("The list is not as you saw it: nothing was booked. Please look again.")


def confirm_all(claim_ids: Collection[int], seen: Seen, by: Visitor) -> Sequence[PaymentClaim]:
    """Confirm that the money of every one of these claims has arrived.

    Claims, then their orders are locked, each in id order, as a single confirmation does, so that two people with the
    same list take turns. Raises NotFound, ListChanged, InvalidInput at 'claims[]' or at 'claim-<id>' of what the same
    person has announced.
    """
    ids = sorted(set(claim_ids))
    if not 0 < len(ids) <= MOST:
        raise InvalidInput({"claims[]": [N_("Tick at least one transfer, at most 200 at once.")]})
    rows = _locked(ids, by)
    if len(rows) != len(ids):
        raise NotFound()
    own: dict[str, list[str | MarketError]] = {
        f"claim-{row.id}": [SecondPersonNeeded()] for row in rows if row.claimed_by == by.id}
    if own:
        raise InvalidInput(own)
    if any(row.state != "claimed" for row in rows) or seen != Seen(len(rows), sum(row.amount_fen for row in rows)):
        raise ListChanged()
    _lock_orders(ids)
    done: list[PaymentClaim] = []
    for claim_id in ids:
        if done:
            faults.point("claims_confirmed_half")
        done.append(claims.confirm(claim_id, by))
    return done


def _locked(ids: Sequence[int], by: Visitor) -> Sequence[PaymentClaim]:
    return db.session().scalars(
        select(PaymentClaim).where(PaymentClaim.id.in_(ids), PaymentClaim.supplier_id == by.organisation_id)
        .order_by(PaymentClaim.id).with_for_update()).all()


def _lock_orders(claim_ids: Sequence[int]) -> None:
    db.session().execute(
        select(Order.id).where(Order.id.in_(select(ClaimPart.order_id).where(ClaimPart.claim_id.in_(claim_ids))))
        .order_by(Order.id).with_for_update())
