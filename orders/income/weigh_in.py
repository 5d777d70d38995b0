"""Paid at weigh-in: goods for which a household held its money before anybody ate them."""

from collections import defaultdict
from collections.abc import Collection, Sequence

from sqlalchemy import select, update

from catalog.lot_models import LotPayment
from catalog.models import LotContribution, LotShare
from market import db
from orders.income import households
from orders.income.posting import left_of
from orders.models import AcceptancePart, PaidAtWeighIn


def count(posted: Sequence[tuple[int, int, int]]) -> dict[int, int]:
    """What of income that is being posted was paid at weigh-in, in fen by acceptance part; kept by household.

    posted: (acceptance part, lot share, farm-gate fen) in posting order. A household's money counts for what its goods
    earn first, and never for more than they earn.
    """
    left = _payments({share for _part, share, _fen in posted})
    if not left:
        return {}
    shares = sorted(left)
    weights = households.weights_of_shares(shares)
    mine = [line for line in posted if line[1] in left]
    before = [(share, fen) for share, fen in _posted_before(shares, {part for part, _share, _fen in mine})]
    split = households.running([*before, *((share, fen) for _part, share, fen in mine)], weights)[len(before):]
    rows = []
    for (part, share, _fen), of_part in zip(mine, split, strict=True):
        for payment in left[share]:
            fen = min(payment[2], max(0, of_part.get(payment[1], 0)))
            if fen:
                payment[2] -= fen
                of_part[payment[1]] -= fen
                rows.append({"acceptance_part_id": part, "lot_payment_id": payment[0], "household_id": payment[1],
                             "amount_fen": fen})
    db.insert_rows(PaidAtWeighIn, rows)
    paid: defaultdict[int, int] = defaultdict(int)
    for row in rows:
        paid[row["acceptance_part_id"]] += row["amount_fen"]
    for part, fen in sorted(paid.items()):
        db.session().execute(update(AcceptancePart).where(AcceptancePart.id == part).values(weigh_paid_fen=fen))
    return dict(paid)


def _payments(share_ids: Collection[int]) -> dict[int, list[list[int]]]:
    """By lot share: [payment, household, fen not counted yet] of the harvest behind it, locked in id order.

    The same list stands under every share of one harvest: what one uses up the others do not have.
    """
    rows = db.session().execute(
        select(LotPayment.id, LotPayment.amount_fen, LotContribution.household_id, LotContribution.lot_id,
               LotContribution.village_id)
        .join(LotContribution, LotContribution.id == LotPayment.contribution_id)
        .join(LotShare, (LotShare.origin_lot_id == LotContribution.lot_id)
              & (LotShare.village_id == LotContribution.village_id))
        .where(LotShare.id.in_(share_ids), LotShare.own_base.is_(False))
        .order_by(LotPayment.id).with_for_update(of=db.table(LotPayment))).all()
    if not rows:
        return {}
    payments = {row.id: row for row in rows}
    counted: dict[int, int] = {row.lot_payment_id: row.fen for row in db.session().execute(
        select(PaidAtWeighIn.lot_payment_id, db.sum_of(PaidAtWeighIn.amount_fen).label("fen"))
        .where(PaidAtWeighIn.lot_payment_id.in_(payments)).group_by(PaidAtWeighIn.lot_payment_id))}
    harvests: defaultdict[tuple[int, int], list[list[int]]] = defaultdict(list)
    for row in payments.values():
        harvests[row.lot_id, row.village_id].append(
            [row.id, row.household_id, row.amount_fen - counted.get(row.id, 0)])
    shares = db.session().execute(
        select(LotShare.id, LotShare.origin_lot_id, LotShare.village_id)
        .where(LotShare.id.in_(share_ids), LotShare.own_base.is_(False)))
    return {row.id: harvests[row.origin_lot_id, row.village_id] for row in shares
            if (row.origin_lot_id, row.village_id) in harvests}


def _posted_before(share_ids: Sequence[int], without: Collection[int]) -> list[tuple[int, int]]:
    """What was posted for these shares by now, one line for each share."""
    part = db.table(AcceptancePart)
    sums: defaultdict[int, int] = defaultdict(int)
    for row in db.session().execute(
            select(part.c.lot_share_id, part.c.farm_gate_fen, part.c.grams, part.c.cleared_returned_grams)
            .where(part.c.lot_share_id.in_(share_ids), part.c.id.not_in(without),
                   part.c.income_held.is_(False) | part.c.cleared_on.is_not(None))):
        sums[row.lot_share_id] += left_of(row.farm_gate_fen, row.grams, row.cleared_returned_grams or 0)
    return sorted(sums.items())
