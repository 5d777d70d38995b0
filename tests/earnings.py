"""Wages of households, as the ledger holds them, on days of several years: what risk signals are found in."""

from datetime import date

from market import db, ledger
from market.ledger import Transfer
from tests.world import GREENS, World


class Earnings:
    """Wages of households, as the ledger holds them, on chosen days of several years."""

    def __init__(self, world: World, supplier: str = GREENS, village: str = "greens_home") -> None:
        self.supplier, self.village = world.organisation_id(supplier), world.villages[village]
        self.made = 0

    def earn(self, household: int, day: date, fen: int, paid: bool = True) -> None:
        with db.transaction():
            self.earn_all([(household, day, fen)], paid)

    def earn_all(self, rows: list[tuple[int, date, int]], paid: bool = True) -> None:
        ways = {"attributed": (f"due:{self.supplier}", f"households:{self.village}")}
        if paid:
            ways["paid_out"] = (f"households:{self.village}", f"due:{self.supplier}")
        ledger.post([
            Transfer(event, f"test:{self.supplier}:{self.made + number}", debit, credit, fen, day,
                     village_id=self.village, supplier_id=self.supplier, income_kind="wage", household_id=household)
            for event, (debit, credit) in ways.items() for number, (household, day, fen) in enumerate(rows)])
        self.made += len(rows)
