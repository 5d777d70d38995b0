"""One invented bank statement of the first co-operative: some of its open orders are paid, two payments wait."""

from datetime import date
from pathlib import Path

from market import clock, db
from orders.banking import columns, examples, table, taking
from orders.banking.suggesting import OpenOne, open_orders
from orders.demo.year import Book

BANK = "演示农商银行（虚构）"
ORDERS = 6  # open orders of which it speaks


def send(book: Book, folder: Path) -> None:
    """The first co-operative's bookkeeper sends it; its manager has still to say yes."""
    key = next(iter(book.facts.coops))
    role = "accountant" if (key, "accountant") in book.settled.people else "clerk"
    by = book.settled.person(key, role)
    with clock.at(clock.shanghai(book.last, 15)):
        orders = open_orders(by)[:ORDERS]
        content = _statement(orders, book.last)
        opened = table.open_table(content)
        chosen = columns.guess(opened.headings)
        read = table.read(opened, chosen)
        with db.transaction():
            kept = taking.keep(content, "演示银行流水.csv", by, folder)
            taking.take(kept, read, taking.remember(opened.signature, chosen, BANK, by), by)


def _statement(orders: list[OpenOne], day: date) -> bytes:
    """Payments with numbers as people write them, one short, one without a number, and interest."""
    texts = ("货款{}", "{} 伙食费", "食堂采购 {}", "付{}货款")
    moves = [(order.open_fen, order.unit_name, text.format(order.number.lower()))
             for order, text in zip(orders[:-2], texts, strict=False)]
    moves += [(max(1, order.open_fen - 50), order.unit_name, order.number.replace("-", " － "))
              for order in orders[-2:-1]]
    moves += [(order.open_fen, order.unit_name, "十月伙食费") for order in orders[-1:]]
    return examples.statement(day, [*moves, (1208, "", "结息")])
