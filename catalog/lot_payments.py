"""Paid at weigh-in: what a household held in its hands when it brought its goods, before the village confirms the lot.

Who confirms the lot confirms these payments with it; afterwards they stay as they are.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import delete, select

from catalog.lot_models import PAYMENT_WAYS, LotPayment
from catalog.lots import AlreadyConfirmed, touches_area
from catalog.models import Lot, LotContribution
from market import clock, db, journal, money
from market.access import Visitor
from market.errors import N_, Conflict, InvalidInput, MarketError, NotFound
from market.files import StoredFile


class MoreThanEarned(Conflict):
    """What a canteen never pays for was not earned by these goods."""

    code = "more_than_earned"
    text = N_("These goods earn ¥%(most)s at most.")


class AlreadyMarked(Conflict):
    """Take the mark away first."""

    code = "lot_payment_marked"
    text = N_("One of these is marked as paid already.")


@dataclass(frozen=True)
class Mark:
    """What was paid (fen) for one contribution of a lot."""

    contribution_id: int
    amount_fen: int


@dataclass(frozen=True)
class Handing:
    """When, how, and the photo of the signed slip; one photo may show several households."""

    paid_on: date
    way: str
    proof_id: int


def mark(lot_id: int, marks: Sequence[Mark], handing: Handing, by: Visitor) -> None:
    """Write down who was paid how much for goods of a lot that still waits for its village.

    Raises NotFound, AlreadyConfirmed, AlreadyMarked, InvalidInput: at lines-<n>-amount_fen for more than the goods can
    earn (MoreThanEarned), for the own base and for growers without names.
    """
    lot = _waiting(lot_id, by)
    if lot.expected_on is not None or lot.kind != "harvest":
        raise InvalidInput({"lines": [N_("Only members who brought goods are paid at weigh-in.")]})
    if handing.way not in PAYMENT_WAYS:
        raise InvalidInput({"way": [N_("Please choose one of the list.")]})
    if not lot.harvested_on <= handing.paid_on <= clock.today():
        raise InvalidInput({"paid_on": [N_("A day between the harvest and today.")]})
    _check(earnings(lot), marks)
    if db.session().scalar(select(LotPayment.id).where(
            LotPayment.contribution_id.in_([one.contribution_id for one in marks])).limit(1)) is not None:
        raise AlreadyMarked()
    db.insert_rows(LotPayment, [
        {"contribution_id": one.contribution_id, "amount_fen": one.amount_fen, "paid_on": handing.paid_on,
         "way": handing.way, "proof_id": handing.proof_id, "marked_by": by.id, "marked_at": clock.now()}
        for one in marks])
    journal.record("lot.payment_marked", "lot", lot.id, by, households=len(marks), way=handing.way,
                   amount_fen=sum(one.amount_fen for one in marks))


def unmark(lot_id: int, payment_id: int, by: Visitor) -> None:
    """It was not paid, or something else was. Raises NotFound, AlreadyConfirmed."""
    lot = _waiting(lot_id, by)
    found = db.session().execute(select(LotPayment.id, LotPayment.amount_fen).where(
        LotPayment.id == payment_id, LotPayment.contribution_id.in_(
            select(LotContribution.id).where(LotContribution.lot_id == lot.id)))).first()
    if found is None:
        raise NotFound()
    db.session().execute(delete(LotPayment).where(LotPayment.id == payment_id))
    journal.record("lot.payment_unmarked", "lot", lot.id, by, amount_fen=found.amount_fen)


def earnings(lot: Any) -> dict[int, int]:
    """What each named household's contribution earns, in fen, if canteens take all of the lot; by contribution.

    The village's growers earn price by weight; each has its part of it by weight, as income is split later.
    """
    given = db.session().execute(
        select(LotContribution.id, LotContribution.village_id, LotContribution.household_id, LotContribution.grams)
        .where(LotContribution.lot_id == lot.id, LotContribution.household_id.is_not(None) | LotContribution.unsplit)
        .order_by(LotContribution.village_id, LotContribution.household_id, LotContribution.id)).all()
    villages: defaultdict[int, list[Any]] = defaultdict(list)
    for row in given:
        villages[row.village_id].append(row)
    earned: dict[int, int] = {}
    for rows in villages.values():
        whole = money.line_total(lot.farm_gate_fen_per_kg, sum(row.grams for row in rows))
        parts = money.allocate(whole, [row.grams for row in rows])
        earned |= {row.id: fen for row, fen in zip(rows, parts, strict=True) if row.household_id is not None}
    return earned


def proof(lot_id: int, payment_id: int, by: Visitor) -> StoredFile:
    """The slip's photo, for the co-operative and for officers of the lot's villages. Raises NotFound."""
    seen = touches_area(by) if by.organisation_kind == "office" else Lot.supplier_id == by.organisation_id
    found = db.session().scalar(
        select(StoredFile).join(LotPayment, LotPayment.proof_id == StoredFile.id)
        .join(LotContribution, LotContribution.id == LotPayment.contribution_id)
        .join(Lot, Lot.id == LotContribution.lot_id)
        .where(LotPayment.id == payment_id, Lot.id == lot_id, seen))
    if found is None:
        raise NotFound()
    return found


def _waiting(lot_id: int, by: Visitor) -> Lot:
    """The lot, locked so that a confirmation waits. Raises NotFound, AlreadyConfirmed."""
    lot = db.session().scalar(
        select(Lot).where(Lot.id == lot_id, Lot.supplier_id == by.organisation_id).with_for_update())
    if lot is None:
        raise NotFound()
    if lot.confirmed_at is not None:
        raise AlreadyConfirmed()
    return lot


def _check(earned: dict[int, int], marks: Collection[Mark]) -> None:
    if not marks or len({one.contribution_id for one in marks}) != len(marks):
        raise InvalidInput({"lines": [N_("Tick at least one household.")]})
    wrong: dict[str, list[str | MarketError]] = {}
    for number, one in enumerate(marks):
        if one.contribution_id not in earned:
            raise InvalidInput({"lines": [N_("Only members who brought goods are paid at weigh-in.")]})
        if not 0 < one.amount_fen <= earned[one.contribution_id]:
            wrong[f"lines-{number}-amount_fen"] = [MoreThanEarned(most=money.yuan(earned[one.contribution_id]))]
    if wrong:
        raise InvalidInput(wrong)
