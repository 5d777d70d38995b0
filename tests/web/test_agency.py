"""The accountant's list, the chairman's list with one button, the co-operative's account and the fee, over HTTP."""

import csv
import io
import re
from collections.abc import Iterator
from datetime import timedelta

import openpyxl
import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from market import clock, db, ledger, money
from market.users import UserSession
from orders.agency import account
from orders.models import FeeRule, Order, PaymentClaim
from orders.paying import claims, fees
from tests.counting import count_statements
from tests.services.test_agency import accepted, in_bank, several, state_of
from tests.trade import Trade
from tests.web.forms import csrf_token, send
from tests.world import GREENS, NOON, POMELO, SCHOOL, TODAY, World

LIST, CONFIRM = "/village/payments", "/village/payment-claims/receipts"
TOMORROW = TODAY + timedelta(days=1)


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    with clock.at(NOON):
        yield


def confirm(client: FlaskClient, ids: list[int], count: int, fen: int, **more: str) -> TestResponse:
    return client.post(CONFIRM, data={"csrf_token": csrf_token(client, LIST), "claims[]": list(map(str, ids)),
                                      "seen_claims": str(count), "seen_fen": str(fen), **more})


def ticked(page: str) -> list[int]:
    return [int(found) for found in re.findall(r'name="claims\[\]" value="(\d+)"[^>]* checked', page)]


def seen(page: str) -> tuple[str, str]:
    found = re.search(r'name="seen_claims" value="(\d+)"><input type="hidden" name="seen_fen" value="(\d+)"', page)
    assert found is not None
    return found[1], found[2]


# ---- the chairman's list -------------------------------------------------------------------------------------------


def test_the_chairman_confirms_what_the_bank_covers_by_one_tap(world: World, trade: Trade) -> None:
    covered, also, bare = several(trade, 3)
    for claim in (covered, also):
        in_bank(world, GREENS, 200, claim)
    chair = world.logged_in("chair.shi")
    page = chair.get(LIST).text
    assert (ticked(page), seen(page)) == ([covered, also], ("2", "400"))
    assert "市财政集中支付中心" in page and "菜款" in page and "¥4.00" in page
    assert db.session().scalars(select(Order.number)).one() in page
    answer = confirm(chair, [covered, also], 2, 400, submit_token="once")
    assert (answer.status_code, answer.location) == (303, LIST)
    assert [state_of(claim) for claim in (covered, also, bare)] == ["received", "received", "claimed"]
    assert "2 笔已入账，共 ¥4.00" in chair.get(LIST).text
    assert confirm(chair, [covered, also], 2, 400, submit_token="once").status_code == 303  # the first answer again
    assert ledger.balance_fen(f"supplier:{world.organisation_id(GREENS)}") == 400 - 600


def test_without_script_another_choice_is_shown_again_with_its_sum_and_then_booked(world: World, trade: Trade) -> None:
    covered, bare = several(trade, 2)
    in_bank(world, GREENS, 200, covered)
    chair = world.logged_in("chair.shi")
    answer = confirm(chair, [covered, bare], 1, 200)  # one more was ticked than the page had counted
    assert answer.status_code == 409
    assert (ticked(answer.text), seen(answer.text)) == ([covered, bare], ("2", "400"))
    assert "您勾选了 2 笔" in answer.text
    assert (state_of(covered), state_of(bare)) == ("claimed", "claimed")
    assert confirm(chair, [covered, bare], 2, 400).status_code == 303
    assert (state_of(covered), state_of(bare)) == ("received", "received")


def test_a_list_that_changed_meanwhile_is_to_be_looked_at_again(world: World, trade: Trade) -> None:
    ids = several(trade, 2)
    with db.transaction():
        claims.refuse(ids[0], "没到", world.person("chair.shi"))
    answer = confirm(world.logged_in("chair.shi"), ids, 2, 400)
    assert answer.status_code == 409
    assert "请重新核对" in answer.text
    assert ticked(answer.text) == [ids[1]]
    assert state_of(ids[1]) == "claimed"


def test_ones_own_announcement_stands_in_the_list_without_a_box_to_tick(world: World, trade: Trade) -> None:
    ids = several(trade, 2)
    with db.transaction() as session:
        session.get_one(PaymentClaim, ids[0]).claimed_by = world.person("chair.shi").id
    chair = world.logged_in("chair.shi")
    page = chair.get(LIST).text
    assert re.search(rf'value="{ids[0]}"[^>]* disabled', page)
    assert "须由他人确认" in page
    answer = confirm(chair, ids, 2, 400)
    assert answer.status_code == 422
    assert f'href="#claim-{ids[0]}"' in answer.text
    assert [state_of(claim) for claim in ids] == ["claimed", "claimed"]


@pytest.mark.parametrize("form", [
    {}, {"claims[]": ["x"]}, {"claims[]": ["1"], "seen_claims": "-1", "seen_fen": "1"},
    {"claims[]": ["1"] * 3, "seen_claims": "１", "seen_fen": "1e3"},
    {"claims": "1", "seen_claims": "1", "seen_fen": "1"},
    {"claims[]": ["9" * 30], "seen_claims": "1", "seen_fen": "1"}])
def test_a_form_that_nobody_types_is_refused(world: World, trade: Trade, form: dict[str, object]) -> None:
    claim = several(trade, 1)[0]
    chair = world.logged_in("chair.shi")
    assert chair.post(CONFIRM, data={"csrf_token": csrf_token(chair, LIST), **form}).status_code == 422
    assert state_of(claim) == "claimed"


def test_clerk_and_accountant_read_the_list_and_confirm_nothing(world: World, trade: Trade) -> None:
    claim = several(trade, 1)[0]
    dong = world.logged_in("books.dong")
    send(dong, "/agency/visits", "/agency", organisation_id=world.organisation_id(GREENS), door="claims")
    for client in (world.logged_in("clerk.zhang"), dong):
        page = client.get(LIST).text
        assert "2.00" in page and 'name="claims[]"' not in page
        token = csrf_token(client, "/account")
        sent = {"csrf_token": token, "claims[]": str(claim), "seen_claims": "1", "seen_fen": "200"}
        assert client.post(CONFIRM, data=sent).status_code == 403
        assert client.post(f"/village/payment-claims/{claim}/receipt", data={"csrf_token": token}).status_code == 403
    assert state_of(claim) == "claimed"


def test_somebody_elses_transfers_are_unknown(world: World, trade: Trade) -> None:
    own, foreign = several(trade, 1)[0], trade.pay(accepted(trade, POMELO).id, 200, confirmed=False)
    chair = world.logged_in("chair.shi")
    assert confirm(chair, [own, foreign], 2, 400).status_code == 404
    assert confirm(chair, [own, 999_999], 2, 400).status_code == 404
    assert (state_of(own), state_of(foreign)) == ("claimed", "claimed")


def test_the_list_costs_the_same_for_any_number_of_transfers(world: World, trade: Trade) -> None:
    costs, chair = [], world.logged_in("chair.shi")
    for count in (3, 9):
        several(trade, count)
        chair.get(LIST)
        with count_statements(world.app) as sent:
            chair.get(LIST)
        costs.append(len(sent))
    assert costs[0] == costs[1]


# ---- the accountant's list -----------------------------------------------------------------------------------------


def test_dong_goes_from_his_list_into_a_co_operatives_page(world: World, trade: Trade) -> None:
    several(trade, 1)
    dong = world.logged_in("books.dong")
    page = dong.get("/agency").text
    assert "新田县演示蔬菜合作社" in page and "江永县演示香柚合作社" in page and "2.00" in page
    answer = send(dong, "/agency/visits", "/agency", organisation_id=world.organisation_id(GREENS), door="claims")
    assert (answer.status_code, answer.location) == (303, LIST)
    row = db.session().scalars(select(UserSession).order_by(UserSession.id.desc())).first()
    assert row is not None and row.organisation_id == world.organisation_id(GREENS)
    for door in ("bank", "owed", "overdue", "dues", "payouts", "declared", "refunds", "cards", "tasks", "statements",
                 "home"):
        answer = send(dong, "/agency/visits", "/agency", organisation_id=world.organisation_id(POMELO), door=door)
        assert answer.status_code == 303
        assert dong.get(answer.location).status_code == 200, door


def test_dong_does_not_get_into_a_co_operative_that_is_not_his(world: World) -> None:
    dong = world.logged_in("books.dong")
    for organisation in (world.organisation_id("newcomers"), world.organisation_id(SCHOOL), 999_999):
        answer = send(dong, "/agency/visits", "/agency", organisation_id=organisation, door="claims")
        assert answer.status_code == 404
    for form in ({}, {"organisation_id": "1", "door": "elsewhere"}, {"organisation_id": "x", "door": "claims"}):
        assert send(dong, "/agency/visits", "/agency", **form).status_code == 422
    assert "江永县演示香柚合作社" in dong.get("/agency").text


def test_the_list_is_an_accountants_first_page_and_in_no_clerks_menu(world: World) -> None:
    dong = world.logged_in("books.dong")
    assert dong.get("/login").location == "/agency"
    assert 'href="/agency"' in dong.get("/village").text
    assert 'href="/agency"' not in world.logged_in("clerk.zhang").get("/village").text
    assert "您没有代账的合作社" in world.logged_in("clerk.zhang").get("/agency").text
    assert world.logged_in("official.jin").get("/agency").status_code == 403


def test_pages_open_to_an_accountant_lead_to_no_closed_one(world: World, trade: Trade) -> None:
    order = accepted(trade, POMELO)
    trade.lot(trade.product("香柚", POMELO), confirmed=False)
    dong = world.logged_in("books.dong")
    for page in ("/agency", "/village", LIST, "/village/account", "/village/orders", f"/village/orders/{order.id}",
                 "/village/income"):
        answer = dong.get(page)
        assert answer.status_code == 200, page
        links = set(re.findall(r'href="(/(?:village|documents|agency)[^"#]*)"', answer.text))
        closed = [link for link in sorted(links) if dong.get(link.replace("&amp;", "&")).status_code != 200]
        assert closed == [], page


# ---- the account ---------------------------------------------------------------------------------------------------


def test_the_account_is_shown_printed_and_sent_as_a_file(world: World, trade: Trade) -> None:
    order = accepted(trade)
    trade.pay(order.id, 700)
    chair = world.logged_in("chair.shi")
    for kind in ("unit", "month", "statement"):
        assert chair.get(f"/village/account?by={kind}").status_code == 200
    page = chair.get("/village/account").text
    assert "13.00" in page and f"/village/account/units/{order.unit_id}" in page
    rows = list(csv.reader(io.StringIO(chair.get("/village/account/table.csv?by=unit").data.decode("utf-8-sig"))))
    assert rows[1][0] == "永州演示第一小学"
    assert rows[1][-1] == money.plain_yuan(account.together(account.by_unit(world.person("chair.shi"))).open_fen)
    sheet = openpyxl.load_workbook(io.BytesIO(chair.get("/village/account/table.xlsx?by=month").data)).active
    assert sheet is not None
    assert any("2026-10" in map(str, row) for row in sheet.iter_rows(values_only=True))
    assert chair.get("/village/account/table.csv?by=statement").status_code == 200
    assert [chair.get(f"/village/account{path}").status_code for path in (
        "?by=weather", "/table.pdf", "/table.csv?by=weather", "/units/999999")] == [404] * 4


def test_a_figure_leads_to_orders_and_ledger_rows(world: World, trade: Trade) -> None:
    order = accepted(trade)
    trade.pay(order.id, 700)
    chair = world.logged_in("chair.shi")
    unit = chair.get(f"/village/account/units/{order.unit_id}").text
    assert order.number in unit and "13.00" in unit
    entries = chair.get(f"/village/payments/statement?unit={order.unit_id}").text
    assert entries.count(order.number) == 2 and "20.00" in entries
    assert chair.get("/village/payments/statement?month=2026-10").text.count(order.number) == 2
    assert order.number not in chair.get("/village/payments/statement?month=2026-09").text
    assert order.number not in chair.get(f"/village/payments/statement?unit={world.organisation_id('hospital')}").text
    assert world.logged_in("chair.he").get(f"/village/account/units/{order.unit_id}").status_code == 404


# ---- the fee -------------------------------------------------------------------------------------------------------


def rule(client: FlaskClient, **changes: str) -> TestResponse:
    said = {"supplier_id": "", "percent": "1.5", "valid_from": TOMORROW.isoformat(), "reason": "市里定"}
    return send(client, "/office/fees", **said | changes)


def test_tao_sets_a_fee_and_the_co_operative_sees_it_on_order_and_account(world: World, trade: Trade) -> None:
    tao, greens = world.logged_in("system.tao"), world.organisation_id(GREENS)
    assert "没有规则" in tao.get("/office/fees").text
    assert rule(tao).status_code == 303
    assert rule(tao, supplier_id=str(greens), percent="3").status_code == 303
    page = tao.get("/office/fees").text
    assert "1.50%" in page and "3.00%" in page and "新田县演示蔬菜合作社" in page
    with clock.at(NOON + timedelta(days=1)):
        order = accepted(trade)
        chair = world.logged_in("chair.shi")
        assert "¥0.60" in re.sub(r"<[^>]+>", "", chair.get(f"/village/orders/{order.id}").text)
        assert "0.60" in chair.get("/village/account").text
    assert fees.fee_fen(db.session().get_one(Order, order.id)) == 60


@pytest.mark.parametrize(("field", "value", "where"), [
    ("percent", "10.01", "percent"), ("percent", "-1", "percent"), ("percent", "x", "percent"),
    ("valid_from", TODAY.isoformat(), "valid_from"), ("valid_from", "soon", "valid_from"), ("reason", " ", "reason"),
    ("supplier_id", "one", "supplier_id")])
def test_a_refused_rule_says_why_at_its_field(world: World, field: str, value: str, where: str) -> None:
    answer = rule(world.logged_in("system.tao"), **{field: value})
    assert answer.status_code == 422
    assert f'id="{where}-error"' in answer.text
    assert db.session().scalars(select(FeeRule)).all() == []


def test_only_the_system_operator_rules_on_fees(world: World) -> None:
    for login in ("official.jin", "security.jiang", "audit.qi", "chair.shi", "books.dong"):
        client = world.logged_in(login)
        assert client.get("/office/fees").status_code == 403
        sent = {"csrf_token": csrf_token(client, "/account"), "percent": "1", "valid_from": TOMORROW.isoformat(),
                "reason": "x"}
        assert client.post("/office/fees", data=sent).status_code == 403
    assert rule(world.logged_in("system.tao"), supplier_id=str(world.organisation_id(SCHOOL))).status_code == 404
    assert db.session().scalars(select(FeeRule)).all() == []
