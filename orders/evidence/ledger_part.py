"""The ledger's part of a package: canonical lines, blocks from the first to the head, and what the lines add up to.

Of a block that holds a transfer of the subject every row's line is given, foreign rows as their digest and month alone:
so the block's hash can be recomputed, and a digest over an id, moments and a dozen facts tells nothing of them.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

from sqlalchemy import select

from market import db
from market.ledger import LedgerBlock, canonical, canonical_value
from market.sealing import TRANSFERS, line_of
from market.village_months import FIGURES, VillageMonth, add_to, figures_of
from orders.evidence.subjects import Row, Subject, each_transfer

MONTHS = db.table(VillageMonth)
BLOCKS_AT_ONCE = 200


class Ledger:
    """What the transfers of a subject add up to, gathered while their lines are written."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.count = 0
        self.ids: set[int] = set()
        self.blocks: set[int] = set()
        self.villages: set[int] = set()
        self.by_order: dict[str, dict[str, int]] = {}
        self.by_month: dict[tuple[int, str], dict[str, int]] = {}

    def lines(self) -> Iterator[str]:
        """ledger/transfers.jsonl: each with its digest, block and month."""
        for row in each_transfer(self.subject):
            self._count(row)
            yield json.dumps({"block": row["block_no"], "period": row["period"], "digest": row["digest"],
                              "canonical": canonical(row)}, ensure_ascii=False)

    def _count(self, row: Row) -> None:
        self.count += 1
        self.ids.add(row["id"])
        self.blocks.add(row["block_no"])
        figures = figures_of(row)
        if row["order_ref"] is not None:
            add_to(self.by_order, row["order_ref"], figures)
        if row["village_id"] is not None:
            self.villages.add(row["village_id"])
            add_to(self.by_month, (row["village_id"], row["period"]), figures)

    def block_lines(self) -> Iterator[str]:
        """ledger/blocks.jsonl: every block up to the head, with rows where it holds transfers of the subject."""
        for first in range(1, self.subject.head.number + 1, BLOCKS_AT_ONCE):
            last = min(first + BLOCKS_AT_ONCE - 1, self.subject.head.number)
            heads = db.session().execute(
                select(db.table(LedgerBlock)).where(LedgerBlock.number.between(first, last))
                .order_by(LedgerBlock.number)).all()
            ours = {number for number in self.blocks if first <= number <= last}
            rows = _rows_of(ours)
            for block in heads:
                said: dict[str, Any] = {
                    "number": block.number, "previous_hash": block.previous_hash, "hash": block.hash,
                    "sealed_at": canonical_value(block.sealed_at), "count": block.transfer_count}
                if block.number in ours:
                    said["rows"] = next(rows)
                yield json.dumps(said)


def _rows_of(blocks: Iterable[int]) -> Iterator[list[str]]:
    """The lines of each of these blocks in turn; one block at a time is in memory."""
    wanted = sorted(blocks)
    if not wanted:
        return
    rows = db.session().execute(
        select(TRANSFERS.c.block_no, TRANSFERS.c.digest, TRANSFERS.c.period).where(TRANSFERS.c.block_no.in_(wanted))
        .order_by(TRANSFERS.c.block_no, TRANSFERS.c.id).execution_options(yield_per=5000))
    for _number, of_block in groupby(rows, key=lambda row: row.block_no):
        yield [line_of(row.digest, row.period) for row in of_block]


def reported(subject: Subject) -> dict[tuple[int, str], dict[str, int]] | None:
    """The report's own figures of a village by month, as the sealer added them up; None for a sample."""
    if subject.village_id is None:
        return None
    rows = db.session().execute(
        select(MONTHS).where(MONTHS.c.village_id == subject.village_id, MONTHS.c.period.between(*subject.months))
        .order_by(MONTHS.c.period)).mappings()
    return {(row["village_id"], row["period"]): {name: row[name] for name in FIGURES} for row in rows}


def figures_json(subject: Subject, sums: dict[tuple[int, str], dict[str, int]]) -> bytes:
    """figures.json: fen and grams by village and month, and the sum of all."""
    total: defaultdict[str, int] = defaultdict(int)
    for figures in sums.values():
        for name, value in figures.items():
            total[name] += value
    return json.dumps({
        "about": subject.title, "year": subject.year, "unit": "fen, grams",
        "rows": [{"village_id": village, "period": period, "figures": sums[village, period]}
                 for village, period in sorted(sums)],
        "total": dict(total)}, ensure_ascii=False, indent=1).encode() + b"\n"
