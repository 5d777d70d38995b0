"""The demo world's collective incomes and risk signals: invented amounts, declared and confirmed as people do it."""

from datetime import date

from sqlalchemy import select

from market import clock, db
from market.places import Division
from orders.collective import declaring
from orders.collective.declaring import Said
from orders.demo.year import Book
from orders.risk import finding, handling, lists

# by village in turn: yuan of the year before last year's end and of this year, invented; None: not confirmed yet
AMOUNTS = ((31_000, 38_000), (74_000, 96_000), (215_000, 230_000), (52_000, 47_000), (18_000, None))


def keep(book: Book) -> None:
    """Some villages declare two years, their townships confirm most; the night has looked, an officer handles one."""
    with clock.at(clock.shanghai(book.last, 15)):
        _declare(book)
        finding.follow(book.last)
        _handle(book)


def _declare(book: Book) -> None:
    year = book.last.year
    villages = [(key, login) for (key, role), logins in book.settled.people.items() if role == "village_officer"
                for login in logins]
    for (key, login), amounts in zip(villages, AMOUNTS, strict=False):
        by, proof = book.settled.visitor(login), next(iter(book.proofs.values()))
        code = db.session().scalar(select(Division.code).where(Division.id == by.division_id)) or ""
        if by.division_id is None or code not in book.settled.officers:
            continue
        for at, amount in enumerate(amounts):
            with db.transaction():
                row = declaring.declare(by.division_id, Said(
                    year - 1 + at, "contract", (amount or 25_000) * 100, "演示数据", proof), by).id
            if amount is not None:
                with db.transaction():
                    declaring.confirm(row, book.settled.visitor(book.settled.officers[code]))
        with db.transaction():
            declaring.record_decision(by.division_id, year, f"演示村决〔{year}〕{len(key)}号",
                                      min(book.last, date(year, 12, 31)), by)


def _handle(book: Book) -> None:
    """The first open signal of some township."""
    for login in dict.fromkeys(book.settled.officers.values()):
        by = book.settled.visitor(login)
        found = lists.cases(by, lists.Asked(), 1).rows
        if found:
            with db.transaction():
                handling.assign(found[0].id, by.id, clock.days_after(book.last, 14), "上门核实，联系合作社", by)
            return
