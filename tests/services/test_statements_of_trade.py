"""Monthly statements, frame contracts and invoices of a school and a vegetable co-operative."""

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from sqlalchemy import func, select

from market import clock, db, ledger
from market.errors import Conflict, InvalidInput, NotFound
from orders import jobs
from orders.delivering import returns
from orders.models import Order
from orders.papers import frame_lists, frames, invoice_files, invoice_lists, invoices, statement_lists, statements
from orders.papers.frames import ContractHolds, Draft
from orders.papers.invoices import NothingToInvoice, NoTitle, Sent
from orders.papers.models import FrameCallOff, FrameContract, Invoice, InvoiceRequest, Statement
from orders.papers.statements import AlreadyIssued, NothingToState
from tests.papers_of_trade import MONTH, NOVEMBER, NUMBER, OTHER, RED, TITLE, Papers
from tests.trade import Trade
from tests.world import NOON, SCHOOL, World

XML = ("<EInvoice><TaxSupervisionInfo><InvoiceNumber>{number}</InvoiceNumber><IssueTime>2026-10-12</IssueTime>"
       "</TaxSupervisionInfo><EInvoiceData><BasicInformation><TotalTax-includedAmount>20.00</TotalTax-includedAmount>"
       "</BasicInformation></EInvoiceData></EInvoice>")


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    with clock.at(NOON):
        yield


@pytest.fixture
def papers(world: World) -> Papers:
    return Papers(Trade(world))


def count(table: type[db.Base]) -> int:
    return db.session().scalar(select(func.count()).select_from(table)) or 0


# ---- statements -----------------------------------------------------------------------------------------------------


def test_a_statement_is_the_ledger_of_the_month_to_the_fen(papers, world):
    """Two deliveries, a return, a payment ahead and one for part: lines add up to what the balance moved."""
    first, second = papers.accepted(), papers.accepted(15_000, price_fen=333, name="萝卜")
    papers.trade.pay(first.id, 3_000)  # ten yuan more than it cost
    papers.trade.pay(second.id, 1_111)
    line = papers.trade.lines(second.id)[0]
    with db.transaction():
        returns.take_back(second.id, {line.id: 2_500}, "wilted", world.person("store.wang"), papers.chair)
    statement = papers.statement()
    lines = statement_lists.lines(statement.id)
    owed = ledger.balance_fen(f"unit:{world.organisation_id(SCHOOL)}")
    orders = db.session().scalars(select(Order)).all()
    assert sum(line.amount_fen for line in lines) == owed == sum(
        o.accepted_fen - o.returned_fen - o.received_fen + o.refunded_fen for o in orders)
    assert (statement.opening_fen, statement.closing_fen) == (0, owed)
    sums = statement_lists.sums(lines)
    assert (sums.accepted_fen, sums.returned_fen, sums.paid_fen) == (2_000 + 4_995, 833, 4_111)


def test_what_comes_later_stands_on_the_next_statement(papers, world):
    order = papers.accepted()
    october = papers.statement()
    before = statement_lists.lines(october.id)
    line = papers.trade.lines(order.id)[0]
    with clock.at(NOVEMBER):
        with db.transaction():
            returns.take_back(order.id, {line.id: 1_000}, "wilted", world.person("store.wang"), papers.chair)
        papers.trade.pay(order.id, 1_000)
    with clock.at(NOVEMBER + timedelta(days=30)), db.transaction():
        november = statements.issue(world.organisation_id(SCHOOL), "2026-11", papers.chair)
    assert statement_lists.lines(october.id) == before
    assert (november.opening_fen, november.closing_fen) == (october.closing_fen, 800)
    assert [(x.event, x.amount_fen) for x in statement_lists.lines(november.id)] == [
        ("received", -1_000), ("returned", -200)]


def test_a_month_is_stated_once_when_it_is_over(papers, world):
    papers.accepted()
    unit = world.organisation_id(SCHOOL)
    with pytest.raises(InvalidInput), db.transaction():
        statements.issue(unit, MONTH, papers.chair)
    with pytest.raises(NothingToState):
        papers.statement("2026-09")
    papers.statement()
    with pytest.raises(AlreadyIssued):
        papers.statement()
    with pytest.raises(NotFound), clock.at(NOVEMBER), db.transaction():
        statements.issue(papers.greens, MONTH, papers.chair)
    assert count(Statement) == 1


def test_the_unit_confirms_or_objects_and_nobody_else(papers, world):
    papers.accepted()
    statement = papers.statement()
    for login in ("cashier.feng", "chair.shi"):
        with pytest.raises(NotFound), db.transaction():
            statements.confirm(statement.id, world.person(login))
    with db.transaction():
        statements.object_to(statement.id, "少记一次退货", papers.cashier)
    with pytest.raises(Conflict), db.transaction():
        statements.object_to(statement.id, "又一次", papers.cashier)
    with db.transaction():
        row = statements.confirm(statement.id, papers.cashier)
    assert (row.state, row.reason) == ("confirmed", "")
    with pytest.raises(Conflict), db.transaction():
        statements.confirm(statement.id, papers.cashier)


# ---- frame contracts ------------------------------------------------------------------------------------------------


def drafted(papers: Papers, *, year: int = 2026, last: date | None = None) -> FrameContract:
    with db.transaction():
        return frames.draft(Draft(papers.greens, year, date(year, 1, 1), last or date(year, 12, 31), 30, "按周报价"),
                            papers.world.person("admin.qian"))


def signed(papers: Papers, contract: FrameContract, *logins: str) -> None:
    for login in logins:
        proof = papers.trade.proof()
        with db.transaction():
            frames.sign(contract.id, proof, papers.world.person(login))


def test_orders_placed_in_its_time_are_call_offs_of_a_signed_contract(papers):
    contract = drafted(papers)
    earlier = papers.accepted()
    signed(papers, contract, "admin.qian")
    assert count(FrameCallOff) == 0
    signed(papers, contract, "chair.shi")
    assert [o.id for o in frame_lists.call_offs(contract.id)] == [earlier.id]
    later = papers.accepted(name="萝卜")
    for _twice in range(2):
        jobs.purchase_placed({"purchase_id": later.purchase_id})
    assert [o.id for o in frame_lists.call_offs(contract.id)] == [earlier.id, later.id]


def test_orders_after_its_last_day_or_its_end_are_not_called_off(papers):
    contract = drafted(papers, last=date(2026, 9, 30))
    signed(papers, contract, "admin.qian", "chair.shi")
    order = papers.accepted()
    jobs.purchase_placed({"purchase_id": order.purchase_id})
    assert count(FrameCallOff) == 0
    with db.transaction():
        frames.end(contract.id, "换供应商", papers.chair)
    with pytest.raises(Conflict), db.transaction():
        frames.end(contract.id, "换供应商", papers.chair)
    assert drafted(papers).id != contract.id


def test_two_have_one_contract_a_year_and_strangers_none(papers, world):
    contract = drafted(papers)
    with pytest.raises(ContractHolds):
        drafted(papers)
    with pytest.raises(InvalidInput):
        drafted(papers, last=date(2027, 1, 1))
    with pytest.raises(NotFound), db.transaction():
        frames.sign(contract.id, 1, world.person("chair.he"))
    assert count(FrameContract) == 1


# ---- invoices -------------------------------------------------------------------------------------------------------


def test_an_invoice_is_asked_for_sent_and_agrees(papers):
    request = papers.request(papers.accepted().id)
    assert (request.amount_fen, request.exempt, request.tax_number) == (2_000, True, TITLE["tax_number"])
    invoice = papers.send(request.id, 2_000)
    assert (invoice.state, invoice.replace_by) == ("matched", date(2026, 10, 21))
    assert db.session().get_one(InvoiceRequest, request.id).state == "invoiced"


def test_nothing_is_asked_for_twice_nor_without_a_title(papers, world):
    order = papers.accepted()
    with pytest.raises(NoTitle), db.transaction():
        invoices.ask_for_order(order.id, "", None, papers.cashier)
    request = papers.request(order.id)
    with pytest.raises(NothingToInvoice):
        papers.request(order.id)
    with pytest.raises(NotFound), db.transaction():
        invoices.ask_for_order(order.id, "", None, world.person("cashier.feng"))
    with db.transaction():
        invoices.cancel(request.id, papers.cashier)
    assert papers.request(order.id).amount_fen == 2_000


def test_one_invoice_for_a_whole_statement(papers):
    first, second = papers.accepted(), papers.accepted(name="萝卜")
    papers.request(first.id)
    statement = papers.statement()
    with db.transaction():
        request = invoices.ask_for_statement(statement.id, "", False, papers.cashier)
    assert [(x.id, x.amount_fen) for x in invoice_lists.orders_of([request.id])[request.id]] == [(second.id, 2_000)]
    assert (request.exempt, request.statement_id) == (False, statement.id)
    papers.send(request.id, 2_000)
    assert statement_lists.invoiced_fen(statement.id) == 2_000


def test_an_invoice_that_differs_waits_for_the_unit(papers):
    request = papers.request(papers.accepted().id)
    invoice = papers.send(request.id, 1_990)
    assert (invoice.state, invoices.difference(1_990, 2_000)) == ("differs", "-0.10")
    with db.transaction():
        assert invoices.accept(invoice.id, papers.cashier).state == "accepted"
    with pytest.raises(Conflict), db.transaction():
        invoices.accept(invoice.id, papers.cashier)


def test_a_wrong_invoice_is_replaced_and_stays_on_file(papers):
    request = papers.request(papers.accepted().id)
    wrong = papers.send(request.id, 1_990)
    with db.transaction():
        invoices.refuse(wrong.id, "金额不对", papers.cashier)
    proof = papers.trade.proof()
    with db.transaction():
        right = invoices.replace(wrong.id, Sent(OTHER, 2_000, clock.today(), True), proof, RED, papers.chair)
    assert (right.state, right.replaces_id) == ("matched", wrong.id)
    old = db.session().get_one(Invoice, wrong.id)
    assert (old.state, old.red_number, count(Invoice)) == ("replaced", RED, 2)
    with pytest.raises(Conflict), db.transaction():
        invoices.replace(wrong.id, Sent("1" * 20, 2_000, clock.today(), True), proof, "2" * 20, papers.chair)


@pytest.mark.parametrize("number", [NUMBER, RED])
def test_a_number_is_used_once(papers: Papers, number: str) -> None:
    """Neither an invoice's nor a red one's number comes again."""
    request = papers.request(papers.accepted().id)
    wrong, proof = papers.send(request.id, 1_990), papers.trade.proof()
    with db.transaction():
        invoices.replace(wrong.id, Sent(OTHER, 2_000, clock.today(), True), proof, RED, papers.chair)
    another = papers.request(papers.accepted(name="萝卜").id)
    with pytest.raises(InvalidInput) as refused:
        papers.send(another.id, 2_000, number)
    assert "number" in refused.value.fields
    assert count(Invoice) == 2


def test_an_xml_says_its_number_amount_and_day():
    read = invoice_files.read(XML.format(number=NUMBER).encode())
    assert (read.number, read.amount_fen, read.issued_on) == (NUMBER, 2_000, date(2026, 10, 12))
    assert read.prepared[2] == ".xml"


@pytest.mark.parametrize("content", [
    b"", b"hello", b"<a>", b"PK\x03\x04 no archive", b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'])
def test_a_file_that_is_no_invoice_is_refused(content: bytes) -> None:
    with pytest.raises(invoice_files.NoInvoiceFile):
        invoice_files.read(content)
