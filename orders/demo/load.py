"""The demo world: invented people, prices and incomes on real places, told as 演示数据 wherever it is shown."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from random import Random

from sqlalchemy import select

from market import clock, db, files, places, settings
from market.errors import N_, Conflict
from market.outbox import OutboxMessage
from market.parties import Organisation
from orders.demo import (
    aftersale,
    agency,
    anomalies,
    approving,
    banking,
    capacity,
    certificates,
    collective,
    drawing,
    elsewhere,
    facts,
    forms,
    handing_on,
    income_cards,
    linkages,
    lot_life,
    openness,
    ordering,
    overdue,
    papers_of_trade,
    payouts,
    practising,
    prices,
    quota,
    recalls,
    refunds,
    returns_to_members,
    settlers,
    shelves,
    standing,
    tables,
    terms,
    terms_of_payment,
    units,
    year,
)
from orders.demo.fact_rows import Facts
from orders.demo.settlers import Settlement

SEED = 774  # Yongzhou's poor villages of 2020
DEMO_KEY = "demo"
ORDERS = 600


class NotEmpty(Conflict):
    """The demo world goes into an empty site only."""

    code = "not_empty"
    text = N_("This site already holds organisations; the demo world goes into an empty one only.")


def load(orders: int, today: date, files_folder: Path, tell: Callable[[str, int, int], None]) -> None:
    """Settle, stock and trade for the twelve months before `today`: about `orders` orders, the same for the same day.

    tell(stage, done, of) is called as it goes. Raises NotEmpty.
    """
    if is_settled():
        raise NotEmpty()
    known = facts.load()
    first = _year_before(today)
    chance = Random(SEED)
    tell("people", 0, 1)
    with clock.at(clock.shanghai(first, 8)), db.transaction():
        places.import_divisions(facts.DIVISIONS)
        settled = settlers.settle(known)
        settings.put(DEMO_KEY, True)
    with clock.at(clock.shanghai(first, 8)), db.transaction():
        scans = certificates.of_suppliers(known, settled, today, files_folder)
        products = shelves.stock_shelves(known, settled, first)
        certificates.of_goods(known, settled, products, scans)
        proofs = _proofs(known, settled, files_folder)
    book = year.Book(known, settled, products, proofs, scans, chance, today)
    _months(book, first, orders, tell)
    _today(book, today, files_folder)
    _forget_messages()


def _today(book: year.Book, today: date, files_folder: Path) -> None:
    """What is open, waits or goes on as people walk in."""
    known, settled, products = book.facts, book.settled, book.products
    year.stock_up(book, today)
    year.leave_open(book)
    overdue.leave_late(book)
    capacity.return_surplus(book, today)  # before the last notebook, whose names are still to follow
    returns_to_members.decide(book, today)
    aftersale.speak(book)
    returns_to_members.settle_a_case(book)
    refunds.give_back(book)
    lot_life.live(book, files_folder)
    linkages.leave_waiting(book)
    payouts.pay_at_weigh_in(book, files_folder)
    elsewhere.buy(book, files_folder)
    recalls.recall_one(book)
    ordering.keep_lists(book)
    units.keep_in_order(book)
    papers_of_trade.write(book)
    prices.note_and_review(known, settled, products, today)
    tables.send(settled, next(iter(known.coops)), files_folder)
    with db.transaction():
        certificates.leave_open(settled, products)
    standing.order_ahead(book, today)
    quota.file_some(settled, today)
    capacity.approve_some(book, today)  # last: what is approved follows what was booked and sold
    approving.approve_in_steps(book, today)
    practising.connect(book)
    agency.keep_books(book)
    payouts.pay_some(book)
    terms.state(book)  # last: the year was traded on without terms
    banking.send(book, files_folder)
    terms_of_payment.agree(book)
    collective.keep(book)
    openness.open_up()
    income_cards.keep(book)
    anomalies.stand_out(today)
    forms.keep_one(settled, today, files_folder)


def is_settled() -> bool:
    """Whether anybody is here yet."""
    return db.session().scalar(select(Organisation.id).limit(1)) is not None


def _year_before(today: date) -> date:
    return (today.replace(day=1) - timedelta(days=360)).replace(day=1)


def _months(book: year.Book, first: date, orders: int, tell: Callable[[str, int, int], None]) -> None:
    """Trade month by month; at each month's end wages are declared, on the 12th of the next the villages are paid."""
    starts = [first]
    while (following := (starts[-1] + timedelta(days=32)).replace(day=1)) <= book.last:
        starts.append(following)
    for number, start in enumerate(starts, 1):
        end = min((start + timedelta(days=32)).replace(day=1) - timedelta(days=1), book.last)
        year.trade(book, start, end, orders * number // len(starts), lambda made: tell("orders", made, orders))
        if end < book.last:
            handing_on.declare_month(book, end)
        payday = end + timedelta(days=12)
        if payday < book.last:
            handing_on.hand_on(book, payday, end)


def _proofs(known: Facts, settled: Settlement, folder: Path) -> dict[str, int]:
    """One drawn voucher per co-operative, marked as invented, where real ones would be photographed."""
    return {
        key: files.keep(files.prepare(drawing.voucher(coop.short_name)), f"{coop.short_name}-演示凭证.png", "parties",
                        settled.person(key, "manager"), folder).id
        for key, coop in known.coops.items()
    }


def _forget_messages() -> None:
    """Nobody waits for notices about an invented past."""
    with db.transaction() as session:
        session.execute(db.table(OutboxMessage).update().values(done_at=clock.now()))
