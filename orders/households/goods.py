"""The goods behind a household's farm-gate income: what was sold, how much of it and at which price.

A part's grams are split over the households by the weight they brought, as the difference of the running sum before
and after, like its money (orders/income/households.py). Of made goods they are the grams of the harvest in them.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import aliased

from catalog.models import Category, Lot, LotShare, Product
from market import db
from orders.income.households import Entry, running, weights_of_shares
from orders.income.posting import left_of
from orders.models import AcceptanceLine, AcceptancePart, OrderLine


@dataclass(frozen=True)
class Goods:
    """What a household sold in one acceptance part: its name, shelf, and price in fen per kg."""

    name: str
    name_en: str
    category: str
    fen_per_kg: int
    lot_code: str


@dataclass(frozen=True)
class Behind:
    """Goods by acceptance part, and grams by (part, household)."""

    goods: Mapping[int, Goods]
    grams: Mapping[tuple[int, int | None], int]


def behind(entries: Collection[Entry]) -> Behind:
    """The goods behind farm-gate entries; a fixed number of statements for each five thousand parts."""
    wanted = {entry.part_id for entry in entries if entry.part_id is not None and entry.income_kind == "farm_gate"}
    goods: dict[int, Goods] = {}
    shares: set[int] = set()
    for row in _parts(wanted):
        named = ((row.product_name, row.product_name_en, row.category) if row.lot_id == row.origin_lot_id else
                 (row.origin_name, row.origin_name_en, row.origin_category))
        goods[row.id] = Goods(*named, row.farm_gate_fen_per_kg, row.code)
        shares.add(row.lot_share_id)
    return Behind(goods, _grams(shares))


def grams_of(entries: Iterable[Entry], found: Behind) -> dict[tuple[int, int | None], int]:
    """Grams by (transfer, household): earned above zero; taken back below, in proportion to its money; else 0."""
    earned: defaultdict[tuple[int | None, int | None], int] = defaultdict(int)
    back: defaultdict[tuple[int | None, int | None], int] = defaultdict(int)
    result: dict[tuple[int, int | None], int] = {}
    for entry in entries:
        key = (entry.part_id, entry.household_id)
        grams = found.grams.get((entry.part_id or 0, entry.household_id), 0)
        if entry.income_kind != "farm_gate" or not grams:
            continue
        if entry.event == "attributed":
            earned[key] += entry.earned_fen
            result[entry.transfer_id, entry.household_id] = grams
        elif entry.event == "withdrawn" and earned[key]:
            before = min(back[key], earned[key])
            back[key] -= entry.earned_fen
            after = min(back[key], earned[key])
            result[entry.transfer_id, entry.household_id] = grams * before // earned[key] - grams * after // earned[key]
    return result


def _parts(parts: Collection[int]) -> Iterable[Any]:
    origin, product, category = aliased(Lot), aliased(Product), aliased(Category)
    for some in db.chunks(sorted(parts)):
        yield from db.session().execute(
            select(AcceptancePart.id, AcceptancePart.lot_id, AcceptancePart.lot_share_id, OrderLine.product_name,
                   OrderLine.product_name_en, OrderLine.category, LotShare.origin_lot_id,
                   LotShare.farm_gate_fen_per_kg, origin.code, product.name.label("origin_name"),
                   product.name_en.label("origin_name_en"), category.code.label("origin_category"))
            .join(AcceptanceLine, AcceptanceLine.id == AcceptancePart.acceptance_line_id)
            .join(OrderLine, OrderLine.id == AcceptanceLine.order_line_id)
            .join(LotShare, LotShare.id == AcceptancePart.lot_share_id)
            .join(origin, origin.id == LotShare.origin_lot_id).join(product, product.id == origin.product_id)
            .join(category, category.id == product.category_id)
            .where(AcceptancePart.id.in_(some)))


def _grams(shares: Collection[int]) -> dict[tuple[int, int | None], int]:
    """By (part, household): all parts of these shares whose income counts, in the order they were eaten."""
    rows: list[tuple[int, int, int]] = []  # part, share, grams
    eaten: defaultdict[int, int] = defaultdict(int)
    for some in db.chunks(sorted(shares)):
        for row in db.session().execute(
                select(AcceptancePart.id, AcceptancePart.lot_share_id, AcceptancePart.grams,
                       AcceptancePart.income_held, AcceptancePart.cleared_on, AcceptancePart.cleared_returned_grams,
                       LotShare.grams.label("made"), LotShare.input_grams)
                .join(LotShare, LotShare.id == AcceptancePart.lot_share_id)
                .where(AcceptancePart.lot_share_id.in_(some)).order_by(AcceptancePart.id)):
            before = eaten[row.lot_share_id]
            eaten[row.lot_share_id] += row.grams
            grams = (eaten[row.lot_share_id] * row.input_grams // row.made) - before * row.input_grams // row.made
            if row.grams and (not row.income_held or row.cleared_on is not None):
                rows.append((row.id, row.lot_share_id,
                             left_of(grams, row.grams, row.cleared_returned_grams or 0)))
    lines = running([(share, grams) for _part, share, grams in rows], weights_of_shares(shares))
    return {(part, household): grams for (part, _share, _all), line in zip(rows, lines, strict=True)
            for household, grams in line.items()}
