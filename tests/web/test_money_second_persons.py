"""Who may not do the second step, and ids of others inside forms and bodies about money."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update

from market import clock, db
from market.parties import Organisation
from orders.models import BankRow, MoneyTask, PaymentClaim, Refund
from orders.paying import refunds, tasks
from orders.reconciling import night
from orders.reconciling.models import ReconciledPart
from tests import hostile_sheets
from tests.bank_tables import DESK, csv_of, line, upload
from tests.bank_tables import send as send_file
from tests.services.test_agency import accepted, several, state_of
from tests.stand_in import StandIn
from tests.trade import Trade
from tests.web.forms import csrf_token, send
from tests.web.test_money_walls import act_for, join
from tests.world import GREENS, NOON, POMELO, World

LIST, CONFIRM, API = "/village/payments", "/village/payment-claims/receipts", "/api/v1/payment-receipts"
ACCOUNT = "6222021234567890123"


@pytest.fixture(autouse=True)
def noon(stand_in: StandIn) -> Iterator[None]:
    with clock.at(NOON):
        yield


def test_a_payer_who_is_also_the_co_operative_s_manager_does_not_confirm(
        world: World, trade: Trade, client: FlaskClient) -> None:
    claim, other = several(trade, 2)
    join(world, "cashier.sun", GREENS, "manager")
    sun = world.logged_in("cashier.sun")
    act_for(sun, world, GREENS)
    page = f"/village/payment-claims/{claim}"
    assert send(sun, f"{page}/receipt", page).status_code == 409
    assert send(sun, f"{page}/refusal", page, reason="没到").status_code == 409
    form = {"claims[]": [str(claim), str(other)], "seen_claims": "2", "seen_fen": "400"}
    assert sun.post(CONFIRM, data={"csrf_token": csrf_token(sun, LIST), **form}).status_code == 422
    assert [state_of(one) for one in (claim, other)] == ["claimed", "claimed"]


@pytest.mark.parametrize("login", ["clerk.zhang", "books.dong", "cashier.sun", "cook.wu", "official.jin", "auditor.wei",
                                   "system.tao", "chair.he", "clerk.lv"])
def test_only_the_co_operative_s_manager_says_that_money_came(
        world: World, trade: Trade, client: FlaskClient, login: str) -> None:
    claims = several(trade, 2)
    body = {"claim_ids": claims, "seen_claims": 2, "seen_fen": 400}
    answer = client.post(API, json=body, headers={**world.api_headers(login), "Idempotency-Key": "k"})
    assert answer.status_code == (404 if login == "chair.he" else 403)
    assert [state_of(one) for one in claims] == ["claimed", "claimed"]


@pytest.mark.parametrize("ids", [
    [], None, "1", 1, {}, [True], ["1", "x"], [1.5], [0], [-1], [10 ** 30], [[1]], [None], [2 ** 63],
    list(range(1, 202)), [1] * 100_000, [999_999_999], ["１"], ["1_0"]])
def test_lists_that_nobody_ticks_confirm_nothing(
        world: World, trade: Trade, client: FlaskClient, ids: Any) -> None:
    claim = several(trade, 1)[0]
    body = {"claim_ids": ids, "seen_claims": 2, "seen_fen": 400}
    answer = client.post(API, json=body, headers={**world.api_headers("chair.shi"), "Idempotency-Key": "k"})
    assert answer.status_code in (404, 409, 422), answer.text
    assert state_of(claim) == "claimed"


def test_claims_of_two_co_operatives_in_one_list_confirm_neither(
        world: World, trade: Trade, client: FlaskClient) -> None:
    own = several(trade, 1)[0]
    foreign = trade.pay(accepted(trade, POMELO).id, 200, confirmed=False)
    chair = world.logged_in("chair.shi")
    form = {"claims[]": [str(own), str(foreign)], "seen_claims": "2", "seen_fen": "400"}
    assert chair.post(CONFIRM, data={"csrf_token": csrf_token(chair, LIST), **form}).status_code == 404
    body = {"claim_ids": [own, foreign], "seen_claims": 2, "seen_fen": 400}
    assert client.post(API, json=body, headers=world.api_headers("chair.shi")).status_code == 404
    assert [state_of(one) for one in (own, foreign)] == ["claimed", "claimed"]


# ---- refunds --------------------------------------------------------------------------------------------------------


@pytest.fixture
def over(trade: Trade) -> int:
    """An order of ¥20.00 for which ¥30.00 came."""
    order = accepted(trade)
    trade.pay(order.id, 3_000)
    return order.id


def test_ids_of_others_inside_the_refund_form_are_unknown(world: World, trade: Trade, over: int) -> None:
    foreign = accepted(trade, POMELO).id
    line_id = trade.lines(foreign)[0].id
    clerk = world.logged_in("clerk.zhang")
    page = f"/village/orders/{over}/refund"
    for fields in ({"what": "lines", "lines-0-line_id": str(line_id), "lines-0-milli": "1"},
                   {"what": "lines", "lines-0-line_id": "999999999", "lines-0-milli": "1"},
                   {"what": "amount", "amount_fen": "1.00", "card_payment_id": "999999999"},
                   {"what": "amount", "amount_fen": "10.01"}, {"what": "amount", "amount_fen": "1e3"},
                   {"what": "amount", "amount_fen": "-1"}, {"what": "amount", "amount_fen": "0"},
                   {"what": "lines", "lines-0-line_id": "x", "lines-0-milli": "1"}, {"what": "lines", "lines": "x"},
                   {"what": "all"}):
        answer = send(clerk, page, reason="多付", **fields)
        assert answer.status_code in (404, 409, 422), fields
    assert db.session().scalars(select(Refund.id)).all() == []


def test_two_who_are_no_managers_give_nothing_back_and_nobody_alone(world: World, over: int) -> None:
    join(world, "clerk.zhang", POMELO, "manager")  # a manager elsewhere counts for nothing here
    with db.transaction():
        refund = refunds.ask(over, 500, "多付", world.person("clerk.zhang")).id
    page = f"/village/refunds/{refund}"
    dong = world.logged_in("books.dong")
    act_for(dong, world, GREENS)
    day = NOON.date().isoformat()
    for client in (dong, world.logged_in("clerk.zhang")):
        assert send(client, f"{page}/transfer", page, paid_on=day).status_code == 409
    for login in ("chair.he", "cashier.sun", "official.jin", "auditor.wei", "system.tao"):
        client = world.logged_in(login)
        for path, fields in (("transfer", {"paid_on": day}), ("sending", {}), ("refusal", {"reason": "不"})):
            answer = client.post(f"{page}/{path}", data={"csrf_token": csrf_token(client, "/account"), **fields})
            assert answer.status_code == (404 if login == "chair.he" else 403)
    assert db.session().scalars(select(Refund.state)).one() == "asked"
    chair = world.logged_in("chair.shi")
    for wrong in ("2999-01-01", "0001-01-01x", "昨天", "", "2026-13-01"):
        assert send(chair, f"{page}/transfer", page, paid_on=wrong).status_code == 422
    assert send(chair, f"{page}/transfer", page, paid_on=day).status_code == 303


# ---- bank statements ------------------------------------------------------------------------------------------------


def test_a_row_is_laid_on_no_order_of_another_co_operative_nor_of_two_units(world: World, trade: Trade) -> None:
    own, foreign = accepted(trade).id, accepted(trade, POMELO).id
    chair = world.logged_in("chair.shi")
    upload(chair, csv_of(line("4.00", "伙食", payer="谁")))
    row = db.session().scalars(select(BankRow.id)).one()
    address = f"{DESK}/rows/{row}"
    foreign_claim = trade.pay(foreign, 400, confirmed=False)
    before = len(db.session().scalars(select(PaymentClaim.id)).all())
    for fields in ({f"order-{own}": "2.00", f"order-{foreign}": "2.00"}, {f"order-{foreign}": "4.00"}):
        assert send(chair, f"{address}/assignment", address, **fields).status_code == 404
    for fields in ({f"order-{own}": "5.00"}, {f"order-{own}": "4.001"}, {"order-x": "4.00"}, {"order-": "4.00"},
                   {"order-" + "9" * 30: "4.00"}, {f"order-{own}": "-4"},
                   {f"order-{own}": "4.00", f"order-0{own}": "1"}):
        assert send(chair, f"{address}/assignment", address, **fields).status_code == 422, fields
    assert send(chair, f"{address}/claim", address, claim_id=str(foreign_claim)).status_code == 404
    for wrong in ("", "x", "0", "-1", "9" * 40):
        assert send(chair, f"{address}/claim", address, claim_id=wrong).status_code == 422
    assert len(db.session().scalars(select(PaymentClaim.id)).all()) == before
    he = world.logged_in("chair.he")
    assert he.get(address).status_code == 404
    for path in ("assignment", "claim", "aside", "return"):
        fields = {f"order-{foreign}": "4.00", "claim_id": "1", "reason": "x"}
        assert send(he, f"{address}/{path}", DESK, **fields).status_code == 404
    for unit in (own, "0", "x", "9" * 40, "-1"):
        assert chair.get(f"{address}?unit={unit}").status_code in (200, 404)


@pytest.mark.parametrize("name", ["formulas.xlsx", "lying-dimension.xlsx", "traversal.xlsx", "nested-zips.xlsx"])
def test_odd_tables_show_a_short_page_and_take_nothing(world: World, name: str) -> None:
    chair = world.logged_in("chair.shi")
    answer = send_file(chair, hostile_sheets.HARMLESS[name](), name)
    assert answer.status_code in (303, 422)
    if answer.status_code == 303:
        page = chair.get(answer.location)
        assert page.status_code == 200
        assert len(page.data) < 300_000
        form = {"csrf_token": csrf_token(chair, answer.location), "day": "商品", "income": "单价"}
        assert chair.post(answer.location, data=form).status_code == 422
    assert db.session().scalars(select(BankRow.id)).all() == []


def test_officials_and_auditors_see_no_bank_account_of_anybody(world: World, trade: Trade) -> None:
    with db.transaction() as session:
        session.execute(update(Organisation).values(bank_name="演示银行", bank_account=ACCOUNT))
    order = accepted(trade)
    upload(world.logged_in("chair.shi"), csv_of(line("20.00", order.number, account=ACCOUNT)))
    pages = ("/office/overdue", "/office/overdue.csv", "/office/overdue/not-accepted", "/reconciliation",
             "/reconciliation/tasks", f"/office/overdue/{order.unit_id}", "/office/fees", "/")
    for login in ("official.jin", "official.hua", "auditor.wei", "system.tao", "township.yan", "audit.qi"):
        client = world.logged_in(login)
        for page in pages:
            answer = client.get(page)
            assert answer.status_code in (200, 302, 303, 403, 404)
            assert ACCOUNT not in answer.text, (login, page)


def test_a_county_s_auditors_see_its_own_co_operatives_differences_only(world: World) -> None:
    with db.transaction():
        found = {key: tasks.find("dispute", f"dp_{key}", world.organisation_id(key)) for key in (GREENS, POMELO)}
        run = night.begin("bank", "one night", None)
    with db.transaction() as session:
        for key in (GREENS, POMELO):
            session.add(ReconciledPart(run_id=run, supplier_id=world.organisation_id(key), account_id="", since=NOON,
                                       until=NOON, compared=1, differences=0, healed=0, theirs_fen=0, ours_fen=0))
    join(world, "official.hua", "jiangyong", "auditor")
    hua = world.logged_in("official.hua")
    ids = {row.supplier_id: row.id for row in db.session().execute(select(MoneyTask.id, MoneyTask.supplier_id))}
    assert len(ids) == 2 and found
    for key, status in ((POMELO, 200), (GREENS, 404)):
        assert hua.get(f"/reconciliation/tasks/{ids[world.organisation_id(key)]}").status_code == status
    assert "dp_greens" not in hua.get("/reconciliation/tasks").text
    page = hua.get(f"/reconciliation/runs/{run}").text
    assert "香柚" in page and "蔬菜合作社" not in page
    assert hua.get(f"/reconciliation/runs/{run}/list.csv").status_code == 404
    for login in ("auditor.wei", "system.tao"):
        assert "蔬菜合作社" in world.logged_in(login).get(f"/reconciliation/runs/{run}").text
