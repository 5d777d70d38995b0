"""Whose income it is: the farm-gate money of villages, split over the households that brought the goods.

The ledger says what a village's growers earned with a part of a lot; a household's part of it follows the weight it
brought, as the difference of its share of the running sum before and after, so that a lot pays every household the
same to the fen however many canteens ate of it. Nothing of it is stored: whoever asks works it out again from
transfers, parts and contributions. What was taken back, and what was paid at weigh-in, is on documents by household.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, select, true

from catalog.models import LotContribution, LotShare
from market import clock, db, money
from market.ledger import INCOME_EVENTS
from market.sealing import TRANSFERS, closed_months, open_month
from orders.models import AcceptancePart, PaidAtWeighIn, ReturnPart, ReturnShare

Weights = dict[int | None, int]  # grams by household; None: growers whose names have not followed yet


@dataclass(frozen=True)
class Entry:
    """One household's part of one transfer: income earned, taken back or paid out, in fen (paid to the household: > 0).

    A declaration that said too much is corrected by a transfer back: earned, with less than 0 fen.
    `household_id` None: growers not named yet, or an old return. `part_id` is the acceptance part of farm-gate income.
    `period` is the month it counts in, `is_late` whether that is a later one than its business date's.
    """

    transfer_id: int
    household_id: int | None
    supplier_id: int
    village_id: int
    event: str
    income_kind: str
    amount_fen: int
    business_date: date
    period: str
    category: str | None
    linkage_id: int | None
    order_ref: str | None
    lot_id: int | None
    part_id: int | None
    source: str

    @property
    def is_late(self) -> bool:
        return self.period != clock.period_of(self.business_date)

    @property
    def earned_fen(self) -> int:
        """What it adds to income: negative for income taken back, 0 for a payout."""
        return {"attributed": self.amount_fen, "withdrawn": -self.amount_fen}.get(self.event, 0)

    @property
    def paid_fen(self) -> int:
        return self.amount_fen if self.event == "paid_out" else 0


@dataclass(frozen=True)
class Due:
    """What a household earned by one kind of income, and was paid of it, in fen."""

    earned_fen: int = 0
    paid_fen: int = 0

    @property
    def unpaid_fen(self) -> int:
        return self.earned_fen - self.paid_fen


def entries(*, supplier_id: int | None = None, villages: Collection[int] | None = None,
            household_id: int | None = None) -> list[Entry]:
    """Every household's entries in the order they were posted; collectives have none. A handful of statements.

    The cost follows the transfers of these villages, co-operatives or this household's lots. Ask for at least one.
    """
    where: ColumnElement[bool] = true()
    if supplier_id is not None:
        where &= TRANSFERS.c.supplier_id == supplier_id
    if villages is not None:
        where &= TRANSFERS.c.village_id.in_(villages)
    if household_id is not None:
        where &= (TRANSFERS.c.household_id == household_id) | TRANSFERS.c.lot_id.in_(_lots_of(household_id))
    rows = db.session().execute(
        select(TRANSFERS).where(TRANSFERS.c.event.in_(INCOME_EVENTS), TRANSFERS.c.income_kind != "collective", where)
        .order_by(TRANSFERS.c.id)).mappings().all()
    found = list(_Splitter(rows).entries(rows))
    return found if household_id is None else [one for one in found if one.household_id == household_id]


def dues(supplier_id: int, villages: Collection[int]) -> dict[tuple[int, int | None, str], Due]:
    """By (village, household, kind of income): earned and paid through a co-operative."""
    return summed((entry.village_id, entry.household_id, entry.income_kind, entry)
                  for entry in entries(supplier_id=supplier_id, villages=villages))


def summed(entries: Iterable[tuple[int, int | None, str, Entry]]) -> dict[tuple[int, int | None, str], Due]:
    """Entries added up under their keys."""
    sums: defaultdict[tuple[int, int | None, str], list[int]] = defaultdict(lambda: [0, 0])
    for village, household, kind, entry in entries:
        sums[village, household, kind][0] += entry.earned_fen
        sums[village, household, kind][1] += entry.paid_fen
    return {key: Due(*pair) for key, pair in sums.items()}


def running(parts: Sequence[tuple[int, int]], weights_of: Mapping[int, Weights]) -> list[dict[int | None, int]]:
    """For (lot share, fen) in posting order, the fen of each household; every line sums to its fen.

    >>> running([(1, 100), (1, 100), (1, 100)], {1: {7: 10, 8: 20}})
    [{7: 33, 8: 67}, {7: 34, 8: 66}, {7: 33, 8: 67}]
    """
    so_far: defaultdict[int, int] = defaultdict(int)
    lines = []
    for share, fen in parts:
        weights = weights_of.get(share) or {None: 1}
        before = money.allocate(so_far[share], list(weights.values()))
        so_far[share] += fen
        after = money.allocate(so_far[share], list(weights.values()))
        lines.append({household: new - old for household, old, new in zip(weights, before, after, strict=True)})
    return lines


def weights_of_shares(share_ids: Collection[int]) -> dict[int, Weights]:
    """By lot share: grams that each household brought to the harvest behind it."""
    weights: defaultdict[int, Weights] = defaultdict(dict)
    for some in db.chunks(sorted(share_ids)):
        for share, household, grams in db.session().execute(
                select(LotShare.id, LotContribution.household_id, db.sum_of(LotContribution.grams))
                .join(LotContribution, (LotContribution.lot_id == LotShare.origin_lot_id)
                      & (LotContribution.village_id == LotShare.village_id))
                .where(LotShare.id.in_(some), LotShare.own_base.is_(False),
                       LotContribution.household_id.is_not(None) | LotContribution.unsplit)
                .group_by(LotShare.id, LotContribution.household_id)
                .order_by(LotShare.id, LotContribution.household_id.nulls_last())):  # ties fall alike on both databases
            weights[share][household] = grams
    return dict(weights)


def _lots_of(household_id: int) -> Any:
    """Lots that hold goods of a household, the ones made of its goods among them."""
    return (select(LotShare.lot_id).join(LotContribution, LotContribution.lot_id == LotShare.origin_lot_id)
            .where(LotContribution.household_id == household_id))


def part_of_source(source: str) -> int | None:
    """The acceptance part that a transfer's source names.

    >>> part_of_source("part:17:farm_gate"), part_of_source("declaration:3")
    (17, None)
    """
    name, _colon, rest = source.partition(":")
    return int(rest.partition(":")[0]) if name == "part" else None


class _Splitter:
    """What the splitting of some transfers needs to know, read at once."""

    def __init__(self, rows: Sequence[Any]) -> None:
        self.back = self._returns({int(row["source"].split(":")[1]) for row in rows if row["event"] == "withdrawn"
                                   and row["source"].startswith("return:")})
        parts = {part for row in rows if (part := part_of_source(row["source"])) is not None}
        self.share_of = self._shares(parts | {part for part, _shares in self.back.values()})
        self.weights = weights_of_shares(set(self.share_of.values()))
        self.weighed = self._paid({part_of_source(row["source"]) or 0 for row in rows
                                   if row["source"].endswith(":weigh_in")})

    @staticmethod
    def _returns(return_parts: Collection[int]) -> dict[int, tuple[int, Weights]]:
        """By return part: its acceptance part, and what was taken back from whom."""
        found: dict[int, tuple[int, Weights]] = {}
        for some in db.chunks(sorted(return_parts)):
            for row in db.session().execute(
                    select(ReturnPart.id, ReturnPart.acceptance_part_id, ReturnShare.household_id,
                           ReturnShare.amount_fen)
                    .join(ReturnShare, ReturnShare.return_part_id == ReturnPart.id)
                    .where(ReturnPart.id.in_(some)).order_by(ReturnShare.id)):
                shares = found.setdefault(row.id, (row.acceptance_part_id, {}))[1]
                shares[row.household_id] = shares.get(row.household_id, 0) + row.amount_fen
        return found

    @staticmethod
    def _shares(parts: Collection[int]) -> dict[int, int]:
        found: dict[int, int] = {}
        for some in db.chunks(sorted(parts)):
            found.update((row.id, row.lot_share_id) for row in db.session().execute(
                select(AcceptancePart.id, AcceptancePart.lot_share_id).where(AcceptancePart.id.in_(some))))
        return found

    @staticmethod
    def _paid(parts: Collection[int]) -> dict[int, Weights]:
        found: defaultdict[int, Weights] = defaultdict(dict)
        for some in db.chunks(sorted(parts)):
            for row in db.session().execute(
                    select(PaidAtWeighIn.acceptance_part_id, PaidAtWeighIn.household_id,
                           db.sum_of(PaidAtWeighIn.amount_fen).label("fen"))
                    .where(PaidAtWeighIn.acceptance_part_id.in_(some))
                    .group_by(PaidAtWeighIn.acceptance_part_id, PaidAtWeighIn.household_id)
                    .order_by(PaidAtWeighIn.acceptance_part_id, PaidAtWeighIn.household_id)):
                found[row.acceptance_part_id][row.household_id] = row.fen
        return found

    def entries(self, rows: Sequence[Any]) -> Iterable[Entry]:
        earned = [row for row in rows if row["event"] == "attributed" and row["household_id"] is None]
        lines = running([(self.share_of.get(part_of_source(row["source"]) or 0, 0), row["amount_fen"])
                         for row in earned], self.weights)
        by_row = {row["id"]: line for row, line in zip(earned, lines, strict=True)}
        closed = closed_months()
        for row in rows:
            part_id, split = self._split(row, by_row)
            period = row["period"] or open_month(clock.period_of(row["business_date"]), closed)
            for household, fen in split.items():
                if fen:
                    yield Entry(
                        row["id"], household, row["supplier_id"], row["village_id"], row["event"], row["income_kind"],
                        -fen if row["backward"] else fen, row["business_date"], period, row["category"],
                        row["linkage_id"], row["order_ref"], row["lot_id"], part_id, row["source"])

    def _split(self, row: Any, by_row: Mapping[int, Weights]) -> tuple[int | None, Weights]:
        """The acceptance part behind a transfer, and its fen by household."""
        part_id = part_of_source(row["source"])
        if row["household_id"] is not None:
            return part_id, {row["household_id"]: row["amount_fen"]}
        if row["event"] == "attributed":
            return part_id, by_row[row["id"]]
        if row["event"] == "paid_out":
            return part_id, self.weighed.get(part_id or 0, {None: row["amount_fen"]})
        part_id, shares = self.back.get(int(row["source"].split(":")[1]), (0, {None: row["amount_fen"]}))
        return part_id, self._named(part_id, shares)

    def _named(self, part_id: int, shares: Weights) -> Weights:
        """What was taken back of growers not named then, over the names that have followed since."""
        weights = self.weights.get(self.share_of.get(part_id, 0), {})
        unnamed = shares.get(None, 0)
        if not unnamed or not weights or None in weights:
            return shares
        fresh = {household: grams for household, grams in weights.items() if household not in shares} or weights
        named = dict(zip(fresh, money.allocate(unnamed, list(fresh.values())), strict=True))
        return {household: shares.get(household, 0) + named.get(household, 0)
                for household in dict.fromkeys((*(h for h in shares if h is not None), *named))}
