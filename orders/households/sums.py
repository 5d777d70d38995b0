"""Entries of households added up over some months: the same figures on a card, in a list and in the report."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from orders.households import costs, goods
from orders.households.costs import Estimate, Ratios
from orders.income.households import Entry

KINDS = ("farm_gate", "wage", "land", "dividend")


@dataclass
class Sums:
    """What was earned by kind and by category of goods sold, paid out, and left at the end of the months, in fen."""

    by_kind: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    by_category: defaultdict[str | None, int] = field(default_factory=lambda: defaultdict(int))
    grams: int = 0
    paid_fen: int = 0
    unpaid_fen: int = 0  # of everything earned up to the last month, earlier years included
    entries: int = 0
    suppliers: set[int] = field(default_factory=set)
    linkages: set[int] = field(default_factory=set)
    names: dict[str, None] = field(default_factory=dict)  # of goods, in the order they were sold
    newest: str = ""  # the last day with an entry

    @property
    def gross_fen(self) -> int:
        return sum(self.by_kind.values())

    def estimate(self, ratios: Ratios) -> Estimate:
        return costs.estimate(self.by_category, self.gross_fen - self.by_kind["farm_gate"], ratios)


def summed(entries: Sequence[Entry], first: str, last: str, key: Callable[[Entry], Any]) -> dict[Any, Sums]:
    """By `key`, what counts in the months from first to last, both included."""
    within = [entry for entry in entries if first <= entry.period <= last]
    found = goods.behind(within)
    grams = goods.grams_of(entries, found)
    sums: defaultdict[Any, Sums] = defaultdict(Sums)
    for entry in entries:
        if entry.period <= last:
            sums[key(entry)].unpaid_fen += entry.earned_fen - entry.paid_fen
    for entry in within:
        _add(sums[key(entry)], entry, found, grams.get((entry.transfer_id, entry.household_id), 0))
    return dict(sums)


def _add(sums: Sums, entry: Entry, found: goods.Behind, grams: int) -> None:
    sums.paid_fen += entry.paid_fen
    if entry.event == "paid_out":
        return
    sold = found.goods.get(entry.part_id or 0)
    sums.by_kind[entry.income_kind] += entry.earned_fen
    sums.grams += grams
    sums.entries += 1
    sums.suppliers.add(entry.supplier_id)
    sums.newest = max(sums.newest, entry.business_date.isoformat())
    if entry.income_kind == "farm_gate":
        sums.by_category[sold.category if sold else entry.category] += entry.earned_fen
    if entry.linkage_id is not None:
        sums.linkages.add(entry.linkage_id)
    if sold is not None:
        sums.names[sold.name] = None


def together(all_of: Iterable[Sums]) -> Sums:
    """Sums added up."""
    total = Sums()
    for one in all_of:
        for kind, fen in one.by_kind.items():
            total.by_kind[kind] += fen
        for category, fen in one.by_category.items():
            total.by_category[category] += fen
        for name in ("grams", "paid_fen", "unpaid_fen", "entries"):
            setattr(total, name, getattr(total, name) + getattr(one, name))
    return total
