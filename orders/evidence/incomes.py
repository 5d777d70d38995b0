"""Households behind a package's transfers: by order, and over the year by kind; known by code, never by name."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from orders.evidence import facts
from orders.evidence.ledger_part import Ledger
from orders.income import households

NOT_NAMED = "尚未补填姓名"


@dataclass
class Part:
    """In fen: earned, taken back with goods that came back, paid out."""

    earned_fen: int = 0
    taken_fen: int = 0
    paid_fen: int = 0


class Incomes:
    """Every household's part of the transfers in the package."""

    def __init__(self, ledger: Ledger) -> None:
        self._orders: defaultdict[str, defaultdict[tuple[int, int | None], Part]] = defaultdict(
            lambda: defaultdict(Part))
        self.by_kind: defaultdict[tuple[int, int | None, str], Part] = defaultdict(Part)
        if ledger.villages:
            self._gather(ledger)
        self._codes = facts.codes({household for _village, household, _kind in self.by_kind if household is not None})

    def _gather(self, ledger: Ledger) -> None:
        for entry in households.entries(villages=ledger.villages):
            if entry.transfer_id not in ledger.ids:
                continue
            parts = [self.by_kind[entry.village_id, entry.household_id, entry.income_kind]]
            if entry.order_ref is not None and entry.income_kind == "farm_gate":
                parts.append(self._orders[entry.order_ref][entry.village_id, entry.household_id])
            for part in parts:
                part.earned_fen += entry.amount_fen if entry.event == "attributed" else 0
                part.taken_fen += entry.amount_fen if entry.event == "withdrawn" else 0
                part.paid_fen += entry.paid_fen

    def of_order(self, number: str) -> Mapping[tuple[int, int | None], Part]:
        return self._orders.get(number, {})

    def code(self, household_id: int | None) -> str:
        """What a household is called in the package."""
        return NOT_NAMED if household_id is None else self._codes.get(household_id, f"H{household_id}")
