"""Lots: what was harvested or made, by whom, at which farm-gate price. The root of every yuan's way to a village."""

import secrets
from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, select

from catalog import lot_confirmers, lot_yields, stock
from catalog.capacity import gates
from catalog.lot_models import LotDetail
from catalog.lot_parts import (
    WEIGHS_NOTHING,
    Contribution,
    Ingredient,
    LotDetails,
    Making,
    keep_details,
    keep_making,
    origins,
)
from catalog.lot_splitting import split as split
from catalog.models import Category, Lot, LotContribution, LotInput, LotShare, Product, StockMove
from catalog.papers import refusals as papers
from catalog.tracing import certificates, events
from market import clock, db, journal, linkages, money, places
from market.access import Visitor
from market.errors import N_, Conflict, InvalidInput, NotFound, SecondPersonNeeded
from market.four_eyes import need_outsider
from market.places import Division

MOST_DAYS_AHEAD = 366
_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"


class AlreadyConfirmed(Conflict):
    code = "lot_confirmed"
    text = N_("This lot's farm-gate price has already been confirmed.")


class SampleFailed(Conflict):
    """Unsafe goods are booked for the record only."""

    code = "lot_test_failed"
    text = N_("The sample test of this lot failed: it is kept for the record and cannot be sold.")


def book(product_id: int, harvested_on: date, milli: int | None, farm_gate_fen_per_kg: int,
         contributions: Sequence[Contribution], by: Visitor, best_before: date | None = None,
         details: LotDetails | None = None) -> Lot:
    """Book a harvest into store: its weight is the sum of what was brought (grams), its quantity `milli` sales units.

    Goods sold by weight need no `milli`: it follows from the weight.
    farm_gate_fen_per_kg (fen, 0 to 1,000,000) is what households are owed per kg that a canteen accepts; an own base
    is owed nothing here. Not for sale until a person at the village has confirmed the price. Raises NotFound for a
    product, household or village that is not the co-operative's, InvalidInput where weights and quantity disagree.
    """
    product = _own_product(product_id, by)
    villages = origins(contributions, by)
    grams = sum(c.grams for c in contributions)
    milli = _quantity(product, milli, grams)
    lot = _new_lot(product, "harvest", harvested_on, best_before, milli, grams, farm_gate_fen_per_kg, by)
    keep_details(lot.id, details, by)
    _share_out(lot, contributions, villages)
    events.booked(lot, villages)
    _bring(lot, contributions, villages)
    journal.record("lot.booked", "lot", lot.id, by, milli=milli, grams=grams, farm_gate_fen_per_kg=farm_gate_fen_per_kg)
    return lot


def expect(product_id: int, expected_on: date, milli: int | None, farm_gate_fen_per_kg: int,
           contributions: Sequence[Contribution], by: Visitor, best_before: date | None = None) -> Lot:
    """Say what a harvest within a year will bring; once the village has confirmed it, orders may be promised from it.

    Only for deliveries on that day or later. It is never packed: a real lot takes over (lot_arrivals.arrive).

    Raises NotFound, InvalidInput.
    """
    product = _own_product(product_id, by)
    if product.supply != "stocked":
        raise InvalidInput({"product_id": [N_("Only goods sold from stock are sold ahead of the harvest.")]})
    if not clock.today() < expected_on <= clock.days_after(clock.today(), MOST_DAYS_AHEAD):
        raise InvalidInput({"expected_on": [N_("A day from tomorrow on, within a year.")]})
    villages = origins(contributions, by)
    grams = sum(c.grams for c in contributions)
    milli = _quantity(product, milli, grams)
    lot = _new_lot(product, "harvest", expected_on, best_before, milli, grams, farm_gate_fen_per_kg, by, expected_on)
    _share_out(lot, contributions, villages)
    journal.record("lot.expected", "lot", lot.id, by, milli=milli, grams=grams,
                   farm_gate_fen_per_kg=farm_gate_fen_per_kg)
    return lot


def _share_out(lot: Lot, contributions: Sequence[Contribution], villages: Sequence[int]) -> None:
    """Who brought what, and the shares: each village's, what households brought apart from what an own base grew."""
    db.insert_rows(LotContribution, [
        {"lot_id": lot.id, "village_id": village_id, "household_id": c.household_id, "grams": c.grams,
         "unsplit": c.unsplit}
        for c, village_id in zip(contributions, villages, strict=True)
    ])
    by_share: dict[tuple[int, bool], int] = defaultdict(int)
    for contribution, village_id in zip(contributions, villages, strict=True):
        by_share[village_id, contribution.own_base] += contribution.grams
    db.insert_rows(LotShare, [
        {"lot_id": lot.id, "origin_lot_id": lot.id, "village_id": village_id, "own_base": own_base, "grams": share,
         "input_grams": share, "farm_gate_fen_per_kg": 0 if own_base else lot.farm_gate_fen_per_kg,
         "accepted_grams": 0}
        for (village_id, own_base), share in sorted(by_share.items())
    ])


def _bring(lot: Lot, contributions: Sequence[Contribution], villages: Sequence[int]) -> None:
    """Count the harvest at its villages' capacity for the season; raises AboveVillageCapacity."""
    grams: dict[int, int] = defaultdict(int)
    for contribution, village_id in zip(contributions, villages, strict=True):
        grams[village_id] += contribution.grams
    gates.bring(lot.product_id, lot.harvested_on, grams)


def process(product_id: int, made_on: date, milli: int | None, grams: int, ingredients: Sequence[Ingredient],
            by: Visitor, best_before: date | None = None, making: Making | None = None) -> Lot:
    """Make a lot out of others: `grams` of the new goods; every village's share follows the input weights.

    Inputs leave their stock now. A yield outside the category's range needs a reason. Raises NotInLot where one holds
    less, NotFound for a lot of somebody else, InvalidInput.
    """
    product = _own_product(product_id, by)
    inputs = _own_lots([i.lot_id for i in ingredients], by)
    if any(lot.confirmed_at is None for lot in inputs.values()):
        raise InvalidInput({"ingredients": [N_("An input lot still waits for the village's confirmation.")]})
    used = {i.lot_id: money.grams_of(i.milli, _grams_per_unit(inputs[i.lot_id].product_id)) for i in ingredients}
    if 0 in used.values():
        raise InvalidInput({"ingredients": [WEIGHS_NOTHING]})
    milli = _quantity(product, milli, grams)
    _check_yield(product, grams, sum(used.values()), making or Making())
    lot = _new_lot(product, "processed", made_on, best_before, milli, grams, 0, by)
    stock.take("processed", [(None, i.lot_id, i.milli) for i in ingredients])
    db.insert_rows(LotInput, [
        {"lot_id": lot.id, "input_lot_id": i.lot_id, "milli": i.milli, "grams": used[i.lot_id]} for i in ingredients
    ])
    keep_making(lot.id, sum(used.values()), making or Making())
    _inherit_shares(lot.id, grams, used)
    events.made(lot, [(i.lot_id, i.milli, used[i.lot_id]) for i in ingredients])
    journal.record("lot.processed", "lot", lot.id, by, milli=milli, grams=grams,
                   inputs=[[i.lot_id, i.milli] for i in ingredients])
    return lot


def _check_yield(product: Product, grams: int, input_grams: int, making: Making) -> None:
    category = db.session().scalars(select(Category.code).where(Category.id == product.category_id)).one()
    unusual = lot_yields.check(category, grams, input_grams)
    if unusual is not None and not making.yield_reason:
        raise InvalidInput({"yield_reason": [unusual]})


def _inherit_shares(lot_id: int, grams: int, used: dict[int, int]) -> None:
    """Shares of the inputs, each in proportion to the weight used of it; grams of the new lot by the same weights."""
    session = db.session()
    shares = db.table(LotShare)
    rows = session.execute(select(shares).where(shares.c.lot_id.in_(used)).order_by(shares.c.id)).all()
    by_lot: dict[int, list[Any]] = defaultdict(list)
    for row in rows:
        by_lot[row.lot_id].append(row)
    merged: dict[tuple[int, int, bool, int], int] = defaultdict(int)
    for input_lot, input_grams in sorted(used.items()):
        weights = [row.grams for row in by_lot[input_lot]]
        for row, part in zip(by_lot[input_lot], money.allocate(input_grams, weights), strict=True):
            harvested = part * row.input_grams // row.grams  # an input that was itself processed
            key = (row.origin_lot_id, row.village_id, row.own_base, row.farm_gate_fen_per_kg)
            merged[key] += harvested
    keys = [key for key, weight in sorted(merged.items()) if weight]
    if not keys:  # a trace of something that was itself mostly added
        raise InvalidInput({"ingredients": [WEIGHS_NOTHING]})
    parts = money.allocate(grams, [merged[key] for key in keys])
    db.insert_rows(LotShare, [
        {"lot_id": lot_id, "origin_lot_id": origin, "village_id": village, "own_base": own_base, "grams": part,
         "input_grams": merged[origin, village, own_base, price], "farm_gate_fen_per_kg": price, "accepted_grams": 0}
        for (origin, village, own_base, price), part in zip(keys, parts, strict=True) if part
    ])


def confirm(lot_id: int, by: Visitor) -> None:
    """A person at the village confirms the farm-gate price; the lot may now be sold and shipped.

    Four eyes: never the person who booked it. Raises NotFound when no village of the lot lies in this person's area,
    VillageOutside when only some do (lot_confirmers), SampleFailed where a sample was not safe, LotPapersMissing where
    meat lacks the papers of its animals.
    """
    session = db.session()
    lot = session.scalar(select(Lot).where(Lot.id == lot_id, touches_area(by)).with_for_update())
    if lot is None:
        raise NotFound()
    lot_confirmers.check(lot_id, by)
    if lot.booked_by == by.id:
        raise SecondPersonNeeded()
    need_outsider(lot.supplier_id, by)
    if lot.confirmed_at is not None:
        raise AlreadyConfirmed()
    if session.scalar(select(LotDetail.test).where(LotDetail.lot_id == lot_id)) == "failed":
        raise SampleFailed()
    papers.check_lots([lot_id])
    lot.confirmed_by, lot.confirmed_at = by.id, clock.now()
    session.flush()
    if lot.expected_on is None:  # what is not here yet leaves no trace and needs no paper
        tie_growers(lot)
        events.confirmed(lot)
        certificates.on_confirmed(lot)
    journal.record("lot.confirmed", "lot", lot_id, by, farm_gate_fen_per_kg=lot.farm_gate_fen_per_kg)


def tie_growers(lot: Lot) -> None:
    """Bought goods tie their villages and growers to the co-operative, where nothing written does."""
    given = db.session().execute(
        select(LotContribution.village_id, LotContribution.household_id).where(
            LotContribution.lot_id == lot.id, LotContribution.household_id.is_not(None) | LotContribution.unsplit))
    pairs = {(row.village_id, household) for row in given for household in (None, row.household_id)}
    linkages.by_delivery(lot.supplier_id, pairs, lot.harvested_on, lot.id, lot.booked_by, lot.confirmed_by)


def touches_area(by: Visitor) -> ColumnElement[bool]:
    """The condition that a Lot has goods of this officer's village, or of one in their township, county or city."""
    villages = select(LotShare.lot_id).join(Division, Division.id == LotShare.village_id).where(
        places.lies_in(by.division_id))
    return Lot.id.in_(villages)


def _own_product(product_id: int, by: Visitor) -> Product:
    product = db.session().scalar(
        select(Product).where(Product.id == product_id, Product.supplier_id == by.organisation_id)
    )
    if product is None:
        raise NotFound()
    return product


def _own_lots(lot_ids: Sequence[int], by: Visitor) -> dict[int, Lot]:
    lots = {lot.id: lot for lot in db.session().scalars(
        select(Lot).where(Lot.id.in_(lot_ids), Lot.supplier_id == by.organisation_id).order_by(Lot.id))}
    if not lot_ids or len(lots) != len(set(lot_ids)) or len(set(lot_ids)) != len(lot_ids):
        raise NotFound()
    return lots


def _grams_per_unit(product_id: int) -> int:
    return db.session().scalars(select(Product.grams_per_unit).where(Product.id == product_id)).one()


def _quantity(product: Product, milli: int | None, grams: int) -> int:
    """By weight the quantity is the weight; counted goods may differ from their usual weight by a tenth."""
    if milli is None and product.by_weight:
        milli = money.milli_of(grams, product.grams_per_unit)
    usual = money.grams_of(milli or 0, product.grams_per_unit)
    allowed = 0 if product.by_weight else usual // 10
    if milli is None or milli <= 0 or abs(usual - grams) > allowed:
        raise InvalidInput({"milli": [N_("Quantity and weight do not belong together.")]})
    return milli


def _new_lot(product: Product, kind: str, made_on: date, best_before: date | None, milli: int, grams: int,
             farm_gate: int, by: Visitor, expected_on: date | None = None) -> Lot:
    if not 0 <= farm_gate <= 1_000_000:
        raise InvalidInput({"farm_gate_fen_per_kg": [N_("This number is outside what is possible here.")]})
    if made_on > clock.today() and expected_on is None:
        raise InvalidInput({"harvested_on": [N_("This day lies in the future.")]})
    if best_before is not None and best_before < made_on:
        raise InvalidInput({"best_before": [N_("Goods cannot end before they begin.")]})
    lot = Lot(
        code=_new_code(made_on), supplier_id=product.supplier_id, product_id=product.id, kind=kind,
        harvested_on=made_on, best_before=best_before or made_on + timedelta(days=30), total_milli=milli,
        total_grams=grams, on_hand_milli=milli, held_milli=0, farm_gate_fen_per_kg=farm_gate, booked_by=by.id,
        booked_at=clock.now(), expected_on=expected_on,
    )
    session = db.session()
    session.add(lot)
    session.flush()
    db.insert_rows(StockMove, [{
        "at": clock.now(), "kind": "booked", "lot_id": lot.id, "availability_id": None,
        "on_hand_change_milli": milli, "held_change_milli": 0, "line_id": None, "note": "",
    }])
    return lot


def _new_code(made_on: date) -> str:
    """What stands on the label and in the trace page's address: the day and seven characters nobody can guess."""
    return f"L{made_on:%y%m%d}-" + "".join(secrets.choice(_ALPHABET) for _ in range(7))
