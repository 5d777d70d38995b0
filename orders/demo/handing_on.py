"""What the demo's co-operatives hand on to villages month by month: farm-gate money, wages, rents, the collectives'."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date

from sqlalchemy import select

from market import clock, db
from market.ledger import LedgerTransfer
from market.linkages import Linkage
from orders.demo.year import Book
from orders.income import declarations, households, linkages, payouts

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
                tie(book, key, code, household, kind)
                with db.transaction():
                    row = declarations.declare(declared, book.settled.person(key, "manager"))
                with db.transaction():
                    declarations.confirm(row.id, book.settled.visitor(book.settled.officers[code]))


def tie(book: Book, key: str, code: str, household: int, kind: str) -> None:
    """The agreement that such income comes from, once for each household and kind."""
    form, tie_kind = {"wage": ("employment", "direct_support"), "land": ("land_rights", "shareholding"),
                      "dividend": ("other", "shareholding")}[kind]
    village = book.settled.villages[code]
    known = select(Linkage.id).where(Linkage.household_id == household, Linkage.form == form,
                                     Linkage.supplier_id == book.settled.organisations[key])
    if db.session().scalar(known.limit(1)) is not None:
        return
    since = clock.first_day(clock.months_before(clock.period_of(clock.today()), 1))
    with db.transaction():
        row = linkages.enter(linkages.Tie(village, household, tie_kind, form, since, book.proofs[key]),
                             book.settled.person(key, "manager"))
    with db.transaction():
        linkages.confirm(row.id, book.settled.visitor(book.settled.officers[code]))


def hand_on(book: Book, day: date, until: date) -> None:
    """Pay what was attributed up to a day, in most villages; some wait for the next month."""
    officers = {book.settled.villages[code]: login for code, login in book.settled.officers.items()}
    keys = {number: key for key, number in book.settled.organisations.items()}
    for supplier_id, village_id, kind, lines in _unpaid(until):
        if book.chance.random() < 0.15:
            continue
        key = keys[supplier_id]
        with clock.at(clock.shanghai(day, 17)), db.transaction():
            payouts.pay(village_id, kind, lines, day, book.proofs[key], book.settled.person(key, "manager"),
                        book.settled.visitor(officers[village_id]))


def _unpaid(until: date) -> Iterator[tuple[int, int, str, list[tuple[int | None, int]]]]:
    """What each co-operative owes in each village by kind of income, from transfers dated up to a day: who gets what.

    The collective as one; every household what its own goods, work or land earned.
    """
    sums: defaultdict[tuple[int, int, str], defaultdict[int | None, int]] = defaultdict(lambda: defaultdict(int))
    table = db.table(LedgerTransfer)
    for row in db.session().execute(
            select(table.c.supplier_id, table.c.village_id, table.c.event,
                   db.sum_of(table.c.amount_fen).label("fen"))
            .where(table.c.income_kind == "collective",
                   (table.c.event != "attributed") | (table.c.business_date <= until))
            .group_by(table.c.supplier_id, table.c.village_id, table.c.event)):
        signed = row.fen if row.event == "attributed" else -row.fen
        sums[row.supplier_id, row.village_id, "collective"][None] += signed
    for entry in households.entries():
        if entry.event != "attributed" or entry.business_date <= until:
            of_village = sums[entry.supplier_id, entry.village_id, entry.income_kind]
            of_village[entry.household_id] += entry.earned_fen - entry.paid_fen
    for (supplier_id, village_id, kind), owed in sorted(sums.items()):
        lines = [(household, fen) for household, fen in owed.items() if fen > 0
                 and (household is None) == (kind == "collective")]
        if lines:
            yield supplier_id, village_id, kind, lines
