"""Whose goods were eaten: a line's accepted weight and amount, split over the lots packed and the villages in them.

Pure rules. A shortage falls on the last-drawn lot unless the receiver says otherwise; a surplus is the last lot's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from market import money


@dataclass(frozen=True)
class PackedShare:
    """One village's part of a lot: `weight` is its grams in the whole lot, `accepted_grams` what was eaten before."""

    share_id: int
    village_id: int
    weight: int
    input_grams: int
    farm_gate_fen_per_kg: int
    accepted_grams: int


@dataclass(frozen=True)
class PackedLot:
    """A lot packed for a line, in the order drawn."""

    shipment_line_id: int
    lot_id: int
    packed_grams: int
    shares: Sequence[PackedShare]


@dataclass(frozen=True)
class Part:
    """What one village earned with one lot in one line: grams and fen."""

    shipment_line_id: int
    lot_id: int
    share_id: int
    village_id: int
    grams: int
    amount_fen: int
    farm_gate_fen: int


def split(lots: Sequence[PackedLot], accepted_grams: int, amount_fen: int,
          eaten_before: Mapping[int, int] | None = None) -> list[Part]:
    """Parts whose grams sum to `accepted_grams` and whose amounts sum to `amount_fen`; parts of no weight are left out.

    `eaten_before` overrides a share's accepted grams, where earlier lines of the same acceptance drew on it.

    >>> village = lambda share, weight: PackedShare(share, share, weight, weight, 120, 0)
    >>> lot = PackedLot(1, 1, 10_000, [village(1, 30_000), village(2, 10_000)])
    >>> [(p.village_id, p.grams, p.amount_fen, p.farm_gate_fen) for p in split([lot], 9_500, 1900)]
    [(1, 7125, 1425, 855), (2, 2375, 475, 285)]
    """
    if accepted_grams == 0:
        return []
    weights = [
        (lot, share, grams)
        for lot, lot_grams in zip(lots, _draw([lot.packed_grams for lot in lots], accepted_grams), strict=True)
        if lot_grams
        for share, grams in zip(lot.shares, money.allocate(lot_grams, [s.weight for s in lot.shares]), strict=True)
        if grams
    ]
    amounts = money.allocate(amount_fen, [grams for _lot, _share, grams in weights])
    so_far = dict(eaten_before or {})
    parts = []
    for (lot, share, grams), amount in zip(weights, amounts, strict=True):
        before = so_far.get(share.share_id, share.accepted_grams)
        so_far[share.share_id] = before + grams
        parts.append(Part(lot.shipment_line_id, lot.lot_id, share.share_id, share.village_id, grams, amount,
                          earned(share, before + grams) - earned(share, before)))
    return parts


def _draw(packed: Sequence[int], accepted: int) -> list[int]:
    """Accepted grams by lot, first lots first; what is missing or too much is the last one's.

    >>> _draw([5000, 5000], 9500), _draw([5000, 5000], 10200), _draw([5000, 5000], 4000)
    ([5000, 4500], [5000, 5200], [4000, 0])
    """
    drawn = []
    for grams in packed[:-1]:
        drawn.append(min(grams, accepted))
        accepted -= drawn[-1]
    return [*drawn, accepted]


def earned(share: PackedShare, accepted_grams: int) -> int:
    """Farm-gate income (fen) of a share once so many of its grams are eaten.

    Taking differences of this running figure pays a fully eaten lot to the fen, however small the lines were.
    """
    return money.line_total(share.farm_gate_fen_per_kg, accepted_grams * share.input_grams // share.weight)
