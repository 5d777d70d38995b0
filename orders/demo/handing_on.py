"""What the demo's co-operatives hand on to villages month by month: farm-gate money, wages, rents, the collectives'."""

from collections.abc import Iterator
from datetime import date
from random import Random

from sqlalchemy import select

from market import clock, db
from market.ledger import LedgerTransfer
from orders.demo.settlers import Settlement
from orders.demo.year import Book
from orders.income import declarations, payouts

PER_MONTH = {"wage": (0.2, 20_000, 90_000), "land": (0.08, 10_000, 40_000), "dividend": (0.04, 10_000, 30_000)}


def declare_month(book: Book, month_end: date) -> None:
    """Wages, land rents and dividends of some households of every co-operative; confirmed near the village."""
    for key, coop in book.facts.coops.items():
        for kind, (likely, low, high) in PER_MONTH.items():
            code = book.chance.choice(coop.village_codes)
            if book.chance.random() >= likely:
                continue
            household = book.chance.choice(book.settled.households[key, code])
            declared = declarations.Declared(household, kind, clock.period_of(month_end),
                                             book.chance.randrange(low, high, 100), book.proofs[key])
            with clock.at(clock.shanghai(month_end, 16)):
                with db.transaction():
                    row = declarations.declare(declared, book.settled.person(key, "manager"))
                with db.transaction():
                    declarations.confirm(row.id, book.settled.visitor(book.settled.officers[code]))


def hand_on(book: Book, day: date, until: date) -> None:
    """Pay what was attributed up to a day, in most villages; some wait for the next month."""
    officers = {book.settled.villages[code]: login for code, login in book.settled.officers.items()}
    keys = {number: key for key, number in book.settled.organisations.items()}
    for supplier_id, village_id, kind, fen in _unpaid(until):
        if book.chance.random() < 0.15:
            continue
        key = keys[supplier_id]
        lines = _lines(book.settled, key, village_id, kind, fen, book.chance)
        with clock.at(clock.shanghai(day, 17)), db.transaction():
            payouts.pay(village_id, kind, lines, day, book.proofs[key], book.settled.person(key, "manager"),
                        book.settled.visitor(officers[village_id]))


def _unpaid(until: date) -> Iterator[tuple[int, int, str, int]]:
    """What each co-operative owes each village by kind of income, from transfers dated up to a day."""
    table = db.table(LedgerTransfer)
    sums: dict[tuple[int, int, str], int] = {}
    for row in db.session().execute(
        select(table.c.supplier_id, table.c.village_id, table.c.income_kind, table.c.event, table.c.backward,
               db.sum_of(table.c.amount_fen).label("fen"))
        .where(table.c.income_kind.is_not(None),
               (table.c.event != "attributed") | (table.c.business_date <= until))
        .group_by(table.c.supplier_id, table.c.village_id, table.c.income_kind, table.c.event, table.c.backward)
    ):
        sign = 1 if (row.event == "attributed") != row.backward else -1
        key = (row.supplier_id, row.village_id, row.income_kind)
        sums[key] = sums.get(key, 0) + sign * row.fen
    for (supplier_id, village_id, kind), fen in sorted(sums.items()):
        if fen > 0:
            yield supplier_id, village_id, kind, fen


def _lines(settled: Settlement, key: str, village_id: int, kind: str, fen: int,
           chance: Random) -> list[tuple[int | None, int]]:
    """The collective as one; households in a few round parts, the last one taking what is left."""
    if kind == "collective":
        return [(None, fen)]
    code = next(code for code, number in settled.villages.items() if number == village_id)
    households = settled.households[key, code]
    some = chance.sample(households, min(len(households), 4))
    part = fen // len(some)
    if not part:
        return [(some[0], fen)]
    return [*((household, part) for household in some[1:]), (some[0], fen - part * (len(some) - 1))]
