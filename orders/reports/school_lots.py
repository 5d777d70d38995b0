"""Lots behind what schools bought: which part of them registered households brought, and how a lot is called."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import case, select

from catalog.models import Lot, LotContribution, LotShare, Product
from market import db, money
from market.errors import N_
from market.households import Household
from market.parties import Organisation
from market.places import Division
from orders.reports.frame import Column

COLUMNS = (
    Column("lot", N_("Lot"), "code"), Column("goods", N_("Goods"), "text"),
    Column("supplier", N_("Co-operative"), "text"), Column("village", N_("Village of origin"), "text"),
)
Key = tuple[int, int]  # lot and village


@dataclass(frozen=True)
class Lots:
    """By lot and village: (registered households', others') part by weight and by farm-gate money; households' people.
    """

    by_weight: Mapping[Key, tuple[int, int]]
    by_income: Mapping[Key, tuple[int, int]]
    households: Mapping[Key, Mapping[int, int]]


def read(lot_ids: Collection[int]) -> Lots:
    """The parts of some lots; two statements for every few thousand of them."""
    weight: defaultdict[Key, list[int]] = defaultdict(lambda: [0, 0])
    income: defaultdict[Key, list[int]] = defaultdict(lambda: [0, 0])
    households: defaultdict[Key, dict[int, int]] = defaultdict(dict)
    for some in db.chunks(sorted(lot_ids)):
        for share in db.session().execute(_shares(some)):
            key, brought = (share.lot_id, share.village_id), (share.registered, share.brought - share.registered)
            _spread(weight[key], share.grams, brought)
            _spread(income[key], share.input_grams * share.farm_gate_fen_per_kg, brought)
        for row in db.session().execute(_growers(some)):
            households[row.lot_id, row.village_id][row.id] = row.people
    return Lots({key: (of[0], of[1]) for key, of in weight.items()},
                {key: (of[0], of[1]) for key, of in income.items()}, households)


def _spread(into: list[int], amount: int, weights: tuple[int, int]) -> None:
    """An amount over registered and other growers; of an own base, or where nobody is named, all of it is others'."""
    for at, part in enumerate(money.allocate(amount, weights) if any(weights) else (0, amount)):
        into[at] += part


def _shares(lot_ids: Collection[int]) -> Any:
    """Shares with the grams that households brought to the harvest behind each, registered ones apart."""
    registered = case((Household.register_code.is_not(None), LotContribution.grams), else_=0)
    return (
        select(LotShare.id, LotShare.lot_id, LotShare.village_id, LotShare.grams, LotShare.input_grams,
               LotShare.farm_gate_fen_per_kg, db.sum_of(LotContribution.grams).label("brought"),
               db.sum_of(registered).label("registered"))
        .outerjoin(LotContribution, _behind())
        .outerjoin(Household, Household.id == LotContribution.household_id)
        .where(LotShare.lot_id.in_(lot_ids))
        .group_by(LotShare.id, LotShare.lot_id, LotShare.village_id, LotShare.grams, LotShare.input_grams,
                  LotShare.farm_gate_fen_per_kg).order_by(LotShare.id))


def _growers(lot_ids: Collection[int]) -> Any:
    return (
        select(LotShare.lot_id, LotShare.village_id, Household.id, Household.people).distinct()
        .join(LotContribution, _behind()).join(Household, Household.id == LotContribution.household_id)
        .where(LotShare.lot_id.in_(lot_ids), Household.register_code.is_not(None)))


def _behind() -> Any:
    """What households brought to the harvest behind a share; an own base has none."""
    return ((LotContribution.lot_id == LotShare.origin_lot_id) & (LotContribution.village_id == LotShare.village_id)
            & LotShare.own_base.is_(False)
            & (LotContribution.household_id.is_not(None) | LotContribution.unsplit))


def described(keys: Collection[Key]) -> dict[Key, dict[str, str | None]]:
    """How lots and villages are called, in the order of their keys."""
    run = db.session().execute
    lots = {row.id: row for some in db.chunks(sorted({lot for lot, _village in keys})) for row in run(
        select(Lot.id, Lot.code, Product.name, Organisation.name.label("supplier"))
        .join(Product, Product.id == Lot.product_id).join(Organisation, Organisation.id == Lot.supplier_id)
        .where(Lot.id.in_(some)))}
    villages = {row.id: row.path for some in db.chunks(sorted({village for _lot, village in keys})) for row in run(
        select(Division.id, Division.path).where(Division.id.in_(some)))}
    return {(lot, village): {
        "lot": lots[lot].code if lot in lots else None, "goods": lots[lot].name if lot in lots else None,
        "supplier": lots[lot].supplier if lot in lots else None, "village": villages.get(village)}
        for lot, village in sorted(keys)}
