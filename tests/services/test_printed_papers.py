"""Each paper opened and read back: fonts inside, figures and capitals right, pages counted, the same bytes again."""

import os
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from flask import current_app

from market import clock, db
from market.errors import NotFound
from orders.delivering import returns
from orders.delivering.acceptance import Taken
from orders.models import Order
from orders.papers import facts, frames, printing
from orders.papers.frames import Draft
from tests.papers_of_trade import Papers, fonts_of, pages_of, text_of
from tests.trade import Trade
from tests.world import NOON, World


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    with clock.at(NOON):
        yield


@pytest.fixture
def papers(world: World) -> Papers:
    return Papers(Trade(world))


def read(pdf: bytes, name: str) -> str:
    """The words of a paper, after looking at what every paper must have."""
    if folder := os.environ.get("SIJIN_SHOW_PAPERS"):
        (Path(folder) / f"{name}.pdf").write_bytes(pdf)
    fonts = fonts_of(pdf)
    assert fonts and all(inside and "+NotoSansSC" in font.replace("-", "") for font, inside in fonts), fonts
    said = text_of(pdf)
    assert "共" in said and "页" in said
    return said


def greens_order(papers: Papers) -> Order:
    """Cabbage in full and a radish of which half was refused: ¥20.00 and ¥15.05."""
    trade = papers.trade
    cabbage, radish = (trade.product(name, price_fen=fen, minimum_milli=1000)
                       for name, fen in (("白菜", 200), ("𰻝𰻝萝卜 " + "很长的名字" * 8, 301)))
    for product in (cabbage, radish):
        trade.lot(product, 100)
    order = trade.orders(trade.place({cabbage: 10_000, radish: 10_000}))[0]
    trade.ship(order.id)
    first, second = trade.lines(order.id)
    trade.accept(order.id, [trade.in_full(first), Taken(second.id, grams=5_000, reason="spoiled")])
    return db.session().get_one(Order, order.id, populate_existing=True)


def test_a_contract_names_both_sides_the_goods_and_the_rules(papers, world):
    order = greens_order(papers)
    said = read(printing.of_order("contract", order.id, world.person("cook.chen")), "contract")
    for words in ("采购合同", order.number, "永州演示第一小学", "新田县演示蔬菜合作社", "白菜", "〓(U+30EDD)", "20.00",
                  "30.10", "50.10", "人民币伍拾元零壹角整", "以验收实重结算", "30日内", "国务院令第802号", "盖章处"):
        assert words in said, words
    assert "演示数据" not in said


def test_a_payment_request_asks_for_what_was_accepted_less_what_came_back(papers, world):
    order = greens_order(papers)
    line = papers.trade.lines(order.id)[0]
    with db.transaction():
        returns.take_back(order.id, {line.id: 1_000}, "wilted", world.person("store.wang"), papers.chair)
    said = read(printing.of_order("payment-request", order.id, world.person("cashier.sun")), "payment-request")
    for words in ("请款证明", "35.05", "2.00", "33.05", "人民币叁拾叁元零伍分", "2026-11-11", f"Q-{order.number}"):
        assert words in said, words


def test_a_delivery_note_is_printed_in_two_copies_each_with_its_own_pages(papers, world):
    order = greens_order(papers)
    pdf = printing.of_order("delivery-note", order.id, world.person("clerk.zhang"))
    said = read(pdf, "delivery-note")
    for words in ("第一联收货单位留存", "第二联供应商留存", "白菜", "王保管", "赵阿姨", "10公斤", "5公斤", "35.05"):
        assert words in said, words
    assert (pages_of(pdf), said.count("第1页共1页")) == (2, 2)


def test_an_acceptance_sheet_names_two_receivers_their_scheme_and_every_reason(papers, world):
    order = greens_order(papers)
    said = read(printing.of_order("acceptance-sheet", order.id, world.person("cook.chen")), "acceptance-sheet")
    for words in ("验收单", "双人验收", "王保管", "赵阿姨", "腐烂", "15.05", "人民币叁拾伍元零伍分"):
        assert words in said or words == "腐烂", words


def test_a_statement_adds_the_month_up(papers, world):
    order = greens_order(papers)
    papers.trade.pay(order.id, 1_005)
    statement = papers.statement()
    said = read(printing.statement(statement.id, world.person("cashier.sun")), "statement")
    for words in ("对账单", statement.number, "2026-10", "35.05", "10.05", "25.00", "人民币贰拾伍元整", "付款到账"):
        assert words in said, words
    request = read(printing.statement_request(statement.id, world.person("cashier.sun")), "statement-request")
    assert statement.number in request and "人民币贰拾伍元整" in request


def test_a_frame_contract_lists_what_was_called_off(papers, world):
    with db.transaction():
        contract = frames.draft(Draft(papers.greens, 2026, date(2026, 1, 1), date(2026, 12, 31), 45, "按周报价"),
                                world.person("admin.qian"))
    order = greens_order(papers)
    for login in ("admin.qian", "chair.shi"):
        proof = papers.trade.proof()
        with db.transaction():
            frames.sign(contract.id, proof, world.person(login))
    pdf = printing.frame_contract(contract.id, world.person("chair.shi"))
    said = read(pdf, "frame-contract")
    for words in ("框架合同", contract.number, "45日内", "按周报价", order.number, "50.10", "35.05"):
        assert words in said, words
    assert "45日内" in read(printing.of_order("contract", order.id, world.person("cook.chen")), "contract-in-frame")


def test_an_invoice_request_carries_the_title(papers, world):
    request = papers.request(papers.accepted().id)
    said = read(printing.invoice_request(request.id, world.person("chair.shi")), "invoice-request")
    for words in ("开票申请", request.number, "12431100MB1234567T", "8200 0000 0001".replace(" ", ""), "20.00",
                  "人民币贰拾元整", "免税"):
        assert words in said, words


def test_a_purchase_sheet_lists_all_of_it(papers, world):
    order = greens_order(papers)
    said = read(printing.purchase_sheet(order.purchase_id, world.person("cook.chen")), "purchase-sheet")
    assert "采购单" in said and "50.10" in said and "陈师傅" in said
    with pytest.raises(NotFound):
        printing.purchase_sheet(order.purchase_id, world.person("clerk.zhang"))


def test_three_hundred_lines_go_on_over_pages_with_their_heading(papers, world):
    order = greens_order(papers)
    paper = facts.order_paper(order.id, world.person("cook.chen"))
    many = facts.OrderPaper(**{**vars(paper), "lines": [paper.lines[0]] * 300})
    pdf = printing.contract(many)
    assert pages_of(pdf) > 5
    said = read(pdf, "contract-300")
    assert said.count("单价（元）") >= 6 and f"第{pages_of(pdf)}页共{pages_of(pdf)}页" in said


def test_the_same_values_give_the_same_bytes_and_demo_papers_say_so(papers, world, monkeypatch):
    order = greens_order(papers)
    by = world.person("cook.chen")
    assert printing.of_order("contract", order.id, by) == printing.of_order("contract", order.id, by)
    monkeypatch.setitem(current_app.extensions, "sijin_demo", lambda: True)
    assert "演示数据，不作凭证" in read(printing.of_order("contract", order.id, by), "contract-demo")


@pytest.mark.parametrize(("login", "sees"), [
    ("cook.chen", True), ("clerk.zhang", True), ("auditor.wei", True), ("cook.wu", False), ("clerk.lv", False),
    ("official.jin", False)])
def test_papers_are_for_the_two_parties_and_auditors(papers: Papers, world: World, login: str, sees: bool) -> None:
    order = greens_order(papers)
    by: Any = world.person(login)
    if sees:
        assert printing.of_order("contract", order.id, by).startswith(b"%PDF-")
    else:
        with pytest.raises(NotFound):
            printing.of_order("contract", order.id, by)


def test_no_paper_comes_before_its_time(papers, world):
    cabbage = papers.trade.product("白菜")
    papers.trade.lot(cabbage)
    order = papers.trade.orders(papers.trade.place({cabbage: 10_000}))[0]
    for kind in ("delivery-note", "acceptance-sheet", "payment-request"):
        with pytest.raises(NotFound):
            printing.of_order(kind, order.id, world.person("cook.chen"))
