"""Invented payment runs of one co-operative: one the village has mostly confirmed, one that waits for the
village, one for a second person; households' accounts (all invented), and a lot whose growers were paid at weigh-in.
"""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import select

from catalog import lot_payments, lots
from catalog.lot_parts import Contribution
from market import clock, db, files
from orders.demo import drawing
from orders.demo.year import Book
from orders.payouts import accounts, owed, runs
from orders.payouts.models import PayoutRunLine
from orders.payouts.owed import Owed

ACCOUNTS = 6
BANK = "演示农商银行（虚构）"
PER_RUN = 4
WEIGHED_GRAMS = 50_000


def pay_some(book: Book) -> None:
    """Of the co-operative with most households waiting; everybody acts on the last day of the demo's year."""
    with clock.at(clock.shanghai(book.last, 16, 30)):
        by_supplier: defaultdict[int, list[Owed]] = defaultdict(list)
        for one in owed.of():
            if one.free_fen and one.household_id is not None:
                by_supplier[one.supplier_id].append(one)
        if not by_supplier:
            return
        supplier_id = max(by_supplier, key=lambda number: len(by_supplier[number]))
        key = next(name for name, number in book.settled.organisations.items() if number == supplier_id)
        waiting = by_supplier[supplier_id]
        _accounts(book, key, list(dict.fromkeys(one.household_id or 0 for one in waiting))[:ACCOUNTS])
        some = [waiting[start:start + PER_RUN] for start in range(0, 3 * PER_RUN, PER_RUN)]
        for wanted, how_far in zip(some, ("confirmed", "paid", "built"), strict=True):
            if wanted:
                _run(book, key, wanted, how_far)


def _accounts(book: Book, key: str, households: Sequence[int]) -> None:
    """Numbers of no bank; the last one waits for its second person."""
    for number, household in enumerate(households, 1):
        said = accounts.Said("演示户主", BANK, f"6200000000000{number:06d}")
        with db.transaction():
            row = accounts.enter(household, said, book.settled.person(key, "clerk"))
        if number < len(households):
            with db.transaction():
                accounts.confirm(row.id, book.settled.person(key, "manager"))


def _run(book: Book, key: str, wanted: Sequence[Owed], how_far: str) -> None:
    clerk, manager = book.settled.person(key, "clerk"), book.settled.person(key, "manager")
    with db.transaction():
        run = runs.build([runs.Wanted(one.village_id, one.household_id, one.income_kind, one.free_fen)
                          for one in wanted], clerk, note="演示").id
    if how_far == "built":
        return
    with db.transaction():
        runs.approve(run, manager)
    lines = list(db.session().scalars(select(PayoutRunLine).where(PayoutRunLine.run_id == run)
                                      .order_by(PayoutRunLine.id)))
    if any(line.account_id for line in lines):
        with db.transaction():
            runs.export(run, "xlsx", manager)
    ids = {line.id: line.village_id for line in lines}
    if how_far == "confirmed" and len(ids) > 1:
        failed = next(iter(ids))
        ids.pop(failed)
        with db.transaction():
            runs.fail(run, [failed], "wrong_account", "演示：户名不符", clerk)
    with db.transaction():
        runs.mark_paid(run, list(ids), clock.today(), book.proofs[key], clerk)
    if how_far != "confirmed":
        return
    officers = {book.settled.villages[code]: login for code, login in book.settled.officers.items()}
    for village in sorted(set(ids.values())):
        with db.transaction():
            runs.confirm(run, [line for line, home in ids.items() if home == village],
                         book.settled.visitor(officers[village]))


def pay_at_weigh_in(book: Book, folder: Path) -> None:
    """Two growers of the first co-operative bring goods and are paid in cash; the village has still to confirm."""
    with clock.at(clock.shanghai(book.last, 8)):
        _weighed(book, next(iter(book.facts.coops)), folder)


def _weighed(book: Book, key: str, folder: Path) -> None:
    good_key, good = next((name, good) for name, good in book.facts.goods.items()
                          if good.coop_key == key and good.supply == "stocked" and not good.processed_from)
    code = next(one for one in book.facts.coops[key].village_codes if book.settled.households.get((key, one)))
    clerk, units = book.settled.person(key, "clerk"), max(1, WEIGHED_GRAMS // good.grams_per_unit)
    grams = units * good.grams_per_unit  # of each of the two
    growers = book.settled.households[key, code][:2]
    with db.transaction():
        lot = lots.book(book.products[good_key], clock.today(), len(growers) * units * 1000,
                        good.farm_gate_fen_per_kg, [Contribution(grams, one) for one in growers], clerk)
    with db.transaction():
        drawn = files.prepare(drawing.voucher(book.facts.coops[key].short_name))
        slip = files.keep(drawn, "签收单-演示.png", "parties", clerk, folder)
        marks = [lot_payments.Mark(contribution, fen) for contribution, fen in lot_payments.earnings(lot).items()]
        lot_payments.mark(lot.id, marks, lot_payments.Handing(clock.today(), "cash", slip.id), clerk)
