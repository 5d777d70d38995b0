"""Papers of the showcase school in the invented year: a frame contract, last month's statements, an invoice."""

from datetime import date

from sqlalchemy import func, select

from market import clock, db
from market.parties import Organisation
from orders.demo.year import Book
from orders.models import Acceptance, Order
from orders.papers import frames, invoices, statement_lists, statements
from orders.papers.frames import Draft
from orders.papers.invoices import Sent
from orders.papers.models import Statement

MOST = 3  # co-operatives that have sent their statement
NUMBER = "26430000000000{:06d}"  # twenty digits, of a series that is nobody's


def write(book: Book) -> None:
    """Statements of the last month that is over: one is agreed and invoiced, one asked for, others wait."""
    school = next(iter(book.facts.units))
    unit_id = book.settled.organisations[school]
    cashier, manager = book.settled.person(school, "finance"), book.settled.person(school, "manager")
    month = _last_month(book, unit_id)
    if month is None:
        return
    with clock.at(clock.shanghai(book.last, 10)):
        _keep_title(unit_id, book, school)
        for number, key in enumerate(_co_operatives(book, unit_id, month)):
            chair = book.settled.person(key, "manager")
            with db.transaction():
                made = statements.issue(unit_id, month, chair)
            if number == 0:
                _sign_frame(book, key, school)
                with db.transaction():
                    statements.confirm(made.id, cashier)
                _invoice(made, book.proofs[key], book, school, key)
            elif number == 1:
                with db.transaction():
                    invoices.ask_for_statement(made.id, "请在备注栏写明对账单号（演示）", None, manager)


def _last_month(book: Book, unit_id: int) -> str | None:
    """The newest month that is over in which the school accepted something."""
    newest = db.session().scalar(
        select(func.max(Acceptance.business_date)).join(Order, Order.id == Acceptance.order_id)
        .where(Order.unit_id == unit_id, Order.state == "accepted",
               Acceptance.business_date < book.last.replace(day=1)))
    return clock.period_of(newest) if newest else None


def _keep_title(unit_id: int, book: Book, school: str) -> None:
    name, code = db.session().execute(
        select(Organisation.name, Organisation.credit_code).where(Organisation.id == unit_id)).one()
    with db.transaction():
        invoices.keep_title({
            "name": name, "tax_number": code, "address": "演示路1号（虚构）", "phone": "0746-0000000",
            "bank_name": "演示农商银行", "bank_account": "8200 0000 演示"}, book.settled.person(school, "finance"))


def _co_operatives(book: Book, unit_id: int, month: str) -> list[str]:
    """Those the school accepted most from in a month, the most first."""
    first, last = statement_lists.month_days(month)
    found = db.session().execute(
        select(Order.supplier_id, func.count().label("orders")).join(Acceptance, Acceptance.order_id == Order.id)
        .where(Order.unit_id == unit_id, Order.state == "accepted", Acceptance.business_date.between(first, last))
        .group_by(Order.supplier_id).order_by(func.count().desc(), Order.supplier_id).limit(MOST)).all()
    keys = {number: key for key, number in book.settled.organisations.items()}
    return [keys[row.supplier_id] for row in found]


def _sign_frame(book: Book, key: str, school: str) -> None:
    """A contract for the year of the last day; what was ordered since January is called off under it."""
    year = book.last.year
    draft = Draft(book.settled.organisations[key], year, date(year, 1, 1), date(year, 12, 31), 30,
                  "按乙方每周报价执行，下单时以订单价格书面确定，且不高于所在县区当日公布的参考价（演示）。")
    manager = book.settled.person(school, "manager")
    with db.transaction():
        contract = frames.draft(draft, manager)
    for person in (manager, book.settled.person(key, "manager")):
        with db.transaction():
            frames.sign(contract.id, book.proofs[key], person)


def _invoice(statement: Statement, proof: int, book: Book, school: str, key: str) -> None:
    with db.transaction():
        asked = invoices.ask_for_statement(statement.id, "", None, book.settled.person(school, "finance"))
    with db.transaction():
        invoices.send(asked.id, Sent(NUMBER.format(asked.id), asked.amount_fen, clock.today(), asked.exempt), proof,
                      book.settled.person(key, "manager"))
