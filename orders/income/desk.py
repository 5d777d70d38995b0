"""What a co-operative owes its villages, from the ledger; what it has paid out and declared. Its own rows only."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, func, select, union_all

from catalog.models import Lot, LotContribution, LotShare
from market import db, paging
from market.access import Visitor
from market.errors import NotFound
from market.files import StoredFile
from market.ledger import INCOME_EVENTS, LedgerTransfer
from market.places import Division
from orders.models import AcceptancePart, PaidAtWeighIn, Payout, PayoutLine

Columns = Row[*tuple[Any, ...]]


@dataclass(frozen=True)
class VillageDue:
    """What one village has earned (attributed less withdrawn), what of it was paid out, by one kind, in fen."""

    village_id: int
    path: str
    income_kind: str
    earned_fen: int
    paid_fen: int

    @property
    def unpaid_fen(self) -> int:
        return self.earned_fen - self.paid_fen


def dues(by: Visitor) -> list[VillageDue]:
    """Every village and kind of income of this co-operative, one statement; the account's indexes find the rows."""
    row, village = db.table(LedgerTransfer), db.table(Division)
    account = f"due:{by.organisation_id}"
    sums: dict[tuple[str, int, str], list[int]] = {}
    for found in db.session().execute(
            select(village.c.path, row.c.village_id, row.c.income_kind, row.c.event, row.c.backward,
                   db.sum_of(row.c.amount_fen).label("fen"))
            .join_from(row, village, village.c.id == row.c.village_id)
            .where((row.c.debit == account) | (row.c.credit == account), row.c.event.in_(INCOME_EVENTS))
            .group_by(village.c.path, row.c.village_id, row.c.income_kind, row.c.event, row.c.backward)):
        earned, paid = sums.setdefault((found.path, found.village_id, found.income_kind), [0, 0])
        fen = -found.fen if found.backward else found.fen
        if found.event == "paid_out":
            paid += fen
        else:
            earned += fen if found.event == "attributed" else -fen
        sums[found.path, found.village_id, found.income_kind] = [earned, paid]
    return [VillageDue(village_id, path, kind, earned, paid) for (path, village_id, kind), (earned, paid)
            in sorted(sums.items())]


def households_waiting(by: Visitor, villages: Collection[int]) -> int:
    """How many households of these villages wait for ¥1 or more of farm-gate money; one statement.

    A household's part of what its goods earned follows the weight it brought, less what it was handed.
    """
    part, share, given = db.table(AcceptancePart), db.table(LotShare), db.table(LotContribution)
    mine = select(Lot.id).where(Lot.supplier_id == by.organisation_id)
    earned = (
        select(share.c.origin_lot_id, share.c.village_id,
               db.sum_of(part.c.farm_gate_fen - part.c.withdrawn_farm_gate_fen).label("fen"))
        .join_from(part, share, share.c.id == part.c.lot_share_id)
        .where(part.c.lot_id.in_(mine), part.c.village_id.in_(villages), share.c.own_base.is_(False),
               part.c.income_held.is_(False) | part.c.cleared_on.is_not(None))
        .group_by(share.c.origin_lot_id, share.c.village_id).subquery())
    whole = (
        select(given.c.lot_id, given.c.village_id, db.sum_of(given.c.grams).label("grams"))
        .where(given.c.lot_id.in_(mine), given.c.household_id.is_not(None) | given.c.unsplit)
        .group_by(given.c.lot_id, given.c.village_id).subquery())
    owed = (
        select(given.c.household_id, func.sum(1.0 * earned.c.fen * given.c.grams / whole.c.grams).label("fen"))
        .join_from(given, earned, (earned.c.origin_lot_id == given.c.lot_id)
                   & (earned.c.village_id == given.c.village_id))
        .join(whole, (whole.c.lot_id == given.c.lot_id) & (whole.c.village_id == given.c.village_id))
        .where(given.c.household_id.is_not(None)).group_by(given.c.household_id).subquery())
    ways = union_all(
        select(PayoutLine.household_id, PayoutLine.amount_fen.label("fen"))
        .join(Payout, Payout.id == PayoutLine.payout_id)
        .where(Payout.supplier_id == by.organisation_id, Payout.income_kind == "farm_gate"),
        select(PaidAtWeighIn.household_id, PaidAtWeighIn.amount_fen)
        .join(part, part.c.id == PaidAtWeighIn.acceptance_part_id).where(part.c.lot_id.in_(mine))).subquery()
    handed = (select(ways.c.household_id, db.sum_of(ways.c.fen).label("fen")).group_by(ways.c.household_id).subquery())
    return db.session().scalar(
        select(func.count()).select_from(owed)
        .outerjoin(handed, handed.c.household_id == owed.c.household_id)
        .where(owed.c.fen - func.coalesce(handed.c.fen, 0) >= 100)) or 0


def payouts(by: Visitor, page: int) -> paging.Page:
    """Payouts of this co-operative, newest first; two statements."""
    total = db.session().scalar(
        select(func.count()).select_from(Payout).where(Payout.supplier_id == by.organisation_id)) or 0
    paid = (select(db.sum_of(PayoutLine.amount_fen)).where(PayoutLine.payout_id == Payout.id).correlate(Payout)
            .scalar_subquery())
    receivers = (select(func.count()).select_from(PayoutLine).where(PayoutLine.payout_id == Payout.id)
                 .correlate(Payout).scalar_subquery())
    return paging.read(
        select(db.table(Payout), Division.path, paid.label("amount_fen"), receivers.label("receivers"))
        .join(Division, Division.id == Payout.village_id).where(Payout.supplier_id == by.organisation_id)
        .order_by(Payout.id.desc()), total, page)


def payout_proof(payout_id: int, by: Visitor) -> StoredFile:
    """The receipt or slip of a payout of this co-operative. Raises NotFound."""
    found = db.session().scalar(
        select(StoredFile).join(Payout, Payout.proof_id == StoredFile.id)
        .where(Payout.id == payout_id, Payout.supplier_id == by.organisation_id))
    if found is None:
        raise NotFound()
    return found
