"""Hostile people at the doors of money: forged bells, forms of another tab, other organisations, harmful tables."""

import csv
import gzip
import html
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from stripe import WebhookSignature

from market import clock, db
from market.journal import JournalEntry
from market.outbox import OutboxMessage
from market.parties import Membership
from market.users import UserSession
from orders.models import BankRow, CardPayment, PaymentSetting, ProviderEvent
from orders.paying.gateway import BadWebhook, Gateway
from tests import databases
from tests.bank_tables import DESK, csv_of, line, upload
from tests.bank_tables import send as send_file
from tests.services.test_agency import several
from tests.stand_in import WEBHOOKS, StandIn
from tests.trade import Trade
from tests.web.forms import csrf_token, send
from tests.world import GREENS, NOON, POMELO, World

NOW = int(NOON.timestamp())


@pytest.fixture(autouse=True)
def noon(stand_in: StandIn) -> Iterator[None]:
    with clock.at(NOON):
        yield


def counted(*tables: type[db.Base]) -> list[int]:
    db.session().rollback()
    return [db.session().scalar(select(func.count()).select_from(table)) or 0 for table in tables]


def join(world: World, login: str, organisation: str, role: str) -> None:
    """A person gets a further duty."""
    with db.transaction() as session:
        session.add(Membership(user_id=world.person(login).id, organisation_id=world.organisation_id(organisation),
                               role=role))


# ---- bells ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def account(world: World, stand_in: StandIn) -> str:
    return stand_in.account(GREENS)


def event(account_id: str, /, **changes: Any) -> dict[str, Any]:
    return {"id": "evt_1", "object": "event", "type": "charge.succeeded", "account": account_id, "livemode": False,
            "data": {"object": {"id": "ch_1", "object": "charge", "metadata": {}}}, **changes}


def ring(client: FlaskClient, body: bytes, signature: str, **more: Any) -> Any:
    answer = client.post(WEBHOOKS, data=body, headers={"Stripe-Signature": signature, **more},
                         content_type="application/json")
    assert answer.data == b""
    assert "Set-Cookie" not in answer.headers
    return answer.status_code


@pytest.mark.parametrize("signature", [
    "t=1,v1=é", "v1=é", "é", "t=é,v1=0", "t=１,v1=0", "t=1,v1=", "t=,v1=", "t,v1", "=,=", ",", "t=1", "t=1,v0=0",
    f"t={NOW},v1=ÿ", "t=" + "9" * 5_000 + ",v1=0", "t=-1,v1=0", f"t={NOW},v1=0;DROP TABLE", "t=1e400,v1=0",
    f"t={NOW}," + ",".join("v1=0" for _ in range(10_000)), "t=nan,v1=0"])
def test_a_signature_of_any_characters_is_refused_and_never_a_fault(
        client: FlaskClient, account: str, signature: str) -> None:
    before = counted(ProviderEvent, OutboxMessage, JournalEntry, UserSession)
    assert ring(client, json.dumps(event(account)).encode(), signature) == 400
    assert counted(ProviderEvent, OutboxMessage, JournalEntry, UserSession) == before


def test_what_is_signed_and_still_no_event_of_ours_changes_nothing(
        client: FlaskClient, account: str, stand_in: StandIn) -> None:
    thing = {"id": "ch_1"}
    deep = "[" * 50_000 + "]" * 50_000
    bodies: list[str | bytes] = [json.dumps(event(account, **changes)) for changes in (
        {"account": [account]}, {"account": {"id": account}}, {"account": account + " "}, {"account": account.upper()},
        {"account": account + "\0"}, {"data": None}, {"data": []}, {"data": {"object": None}},
        {"data": {"object": []}}, {"data": {"object": "ch_1"}}, {"data": {"object": {"id": None}}},
        {"data": {"object": {"id": ["ch_1"]}}}, {"data": {"object": thing | {"id": "ch_\u0000"}}},
        {"data": {"object": thing | {"id": "ch_\ud800"}}}, {"data": {"object": thing | {"id": "😀"}}},
        {"id": None}, {"id": "evt_\r\nSet-Cookie: a=b"}, {"id": "evt_é"}, {"id": "e" * 81}, {"id": "evt_\u202e"},
        {"type": None}, {"type": "x" * 81}, {"type": {}}, {"livemode": None}, {"livemode": 0}, {"livemode": True})]
    whole = json.dumps(event(account))
    bodies += [whole[:-1] + f', "more": {deep}}}', "\ufeff" + whole, whole + whole, whole[:-1], whole.encode("utf-16"),
               whole.replace('"metadata": {}', '"metadata": "\0"'), "NaN", "1" * 6_000,
               whole[:-1] + ', "n": ' + "1" * 6_000 + "}"]
    before = counted(ProviderEvent, OutboxMessage, JournalEntry, UserSession)
    for body in bodies:
        raw = body if isinstance(body, bytes) else body.encode("utf-8", "surrogatepass")
        text = raw.decode("utf-8", "replace")
        sent = stand_in.signed(text)
        assert ring(client, raw, sent.signature) == 400, text[:200]
    assert counted(ProviderEvent, OutboxMessage, JournalEntry, UserSession) == before


def test_bells_in_an_unusual_envelope(client: FlaskClient, account: str, stand_in: StandIn) -> None:
    sent = stand_in.signed(json.dumps(event(account)))
    packed = gzip.compress(sent.body)
    assert ring(client, packed, sent.signature, **{"Content-Encoding": "gzip"}) == 400
    assert ring(client, b"", sent.signature) == 400
    assert counted(ProviderEvent) == [0]
    late = sent.signature.replace(f"t={NOW}", f"t={NOW + 1}")
    assert ring(client, sent.body, f"{late},{sent.signature}") == 400  # the first stamp is the one that was signed
    stale = WebhookSignature.generate_signature_header(sent.body.decode(), stand_in.secret, NOW - 9_999)
    assert ring(client, sent.body, f"{stale},t={NOW}") == 400
    assert ring(client, sent.body, f"{stale},{sent.signature}") == 400
    assert counted(ProviderEvent) == [0]
    good = sent.signature.partition("v1=")[2]
    for signature in (f"t={NOW},v1=0,v1={good},v0=1", f"t={NOW}=7,v1={good}", f"t={NOW},v1=é,v1={good}"):
        assert ring(client, sent.body, signature) in (200, 400)
    assert ring(client, sent.body, sent.signature) == 200
    assert counted(ProviderEvent) == [1]


def test_no_session_is_made_for_who_rings_and_none_is_needed(
        world: World, client: FlaskClient, account: str, stand_in: StandIn) -> None:
    sent = stand_in.signed(json.dumps(event(account)))
    assert ring(client, sent.body, sent.signature, Cookie="sijin=nonsense", Origin="https://evil.example") == 200
    for method in ("get", "put", "delete", "patch"):
        assert getattr(client, method)(WEBHOOKS).status_code == 405


def test_while_the_secret_is_replaced_both_hold_and_afterwards_the_old_one_no_more(
        tmp_path: Path, account: str, stand_in: StandIn) -> None:
    def hears(secrets: str, signed_with: str) -> bool:
        sent = stand_in.signed(json.dumps(event(account)), secret=signed_with)
        try:
            Gateway(databases.settings("sqlite://", tmp_path, STRIPE_WEBHOOK_SECRET=secrets)).heard(
                sent.body, sent.signature)
        except BadWebhook:
            return False
        return True

    assert hears("whsec_new,whsec_old", "whsec_old") and hears("whsec_new, whsec_old", "whsec_new")
    assert not hears("whsec_new", "whsec_old")
    assert not hears("", "whsec_old") and not hears(" , ,", " ")


def test_a_bell_without_a_length_is_read_no_further_than_any_other(
        client: FlaskClient, account: str, stand_in: StandIn) -> None:
    for more, status in ((0, 200), (300_000, 400)):
        sent = stand_in.signed(json.dumps(event(account, more="x" * more)))
        answer = client.post(WEBHOOKS, input_stream=io.BytesIO(sent.body), headers={
            "Stripe-Signature": sent.signature, "Transfer-Encoding": "chunked"},
            environ_overrides={"wsgi.input_terminated": True})
        assert answer.status_code == status
    assert counted(ProviderEvent) == [1]


# ---- what the provider says is not what everybody reads -------------------------------------------------------------


def test_of_the_provider_s_refusals_nobody_reads_keys_and_accounts(
        world: World, trade: Trade, stand_in: StandIn, account: str) -> None:
    cabbage = trade.product("白菜")
    trade.lot(cabbage)
    order_id = trade.orders(trade.place({cabbage: 10_000}))[0].id
    stand_in.provider.books.clear()  # the account is no longer there: '…does not have access to account acct_…'
    cashier = world.logged_in("cashier.sun")
    page = f"/orders/{order_id}/card-payments"
    answer = send(cashier, page, submit_token="once")
    shown = cashier.get(answer.location).text
    assert account not in shown and "does not have access" not in shown
    kept = db.session().scalars(select(CardPayment.reason)).one()
    assert kept and account not in kept


# ---- two tabs, two organisations ------------------------------------------------------------------------------------


@pytest.fixture
def both(world: World) -> FlaskClient:
    """Shi, who is manager of both co-operatives, acting for the vegetable one."""
    join(world, "chair.shi", POMELO, "manager")
    return world.logged_in("chair.shi")


def act_for(client: FlaskClient, world: World, key: str) -> None:
    answer = send(client, "/account/organisation", "/account", organisation_id=str(world.organisation_id(key)))
    assert answer.status_code == 303


def test_a_form_of_one_organisation_is_not_taken_for_another(world: World, both: FlaskClient) -> None:
    page = both.get("/payment-settings").text
    assert f'name="acting_for" value="{world.organisation_id(GREENS)}"' in page
    act_for(both, world, POMELO)
    token = csrf_token(both, "/payment-settings")
    stale = {"csrf_token": token, "acting_for": str(world.organisation_id(GREENS)), "submit_token": "a"}
    before = counted(PaymentSetting, JournalEntry)
    answer = both.post("/payment-settings", data={**stale, "chosen": "yes"})
    assert answer.status_code == 409
    assert "没有作任何改动" in answer.text
    assert both.post("/village/bank/again", data=stale).status_code == 409
    assert both.post("/village/card-account", data=stale).status_code == 409
    assert counted(PaymentSetting, JournalEntry) == before
    fresh = {**stale, "acting_for": str(world.organisation_id(POMELO))}
    assert both.post("/payment-settings", data={**fresh, "chosen": "yes"}).status_code == 303
    for nonsense in ("x", "-1", "9" * 40, "１"):
        assert both.post("/payment-settings", data={**stale, "acting_for": nonsense, "chosen": "no"}).status_code == 409
    act_for(both, world, GREENS)  # who one acts for is said by the form itself


def test_the_accountant_goes_only_into_books_that_are_kept(world: World) -> None:
    dong = world.logged_in("books.dong")
    join(world, "books.dong", "school", "manager")
    page = dong.get("/agency").text
    assert 'name="acting_for"' not in page.split("books-", 1)[1].split("</form>")[0]
    before = counted(JournalEntry)
    for wanted in ("school", "hospital", "newcomers", "city"):
        there = str(world.organisation_id(wanted))
        answer = send(dong, "/agency/visits", "/agency", organisation_id=there, door="bank")
        assert answer.status_code == 404, wanted
    for wrong in ("0", "-1", "x", "1e3", "9" * 30, "１"):
        assert send(dong, "/agency/visits", "/agency", organisation_id=wrong, door="bank").status_code == 422
    greens = str(world.organisation_id(GREENS))
    for door in ("", "x", "https://evil.example", "receipts.index"):
        assert send(dong, "/agency/visits", "/agency", organisation_id=greens, door=door).status_code == 422
    assert counted(JournalEntry) == before
    assert send(dong, "/agency/visits", "/agency", organisation_id=greens, door="bank").location == "/village/bank"
    assert counted(JournalEntry) == [before[0] + 1]


# ---- bank rows ------------------------------------------------------------------------------------------------------


def test_a_claim_that_was_taken_back_is_no_home_for_money(world: World, trade: Trade) -> None:
    claim = several(trade, 1)[0]
    cashier = world.logged_in("cashier.sun")
    page = f"/payments/claims/{claim}"
    assert send(cashier, f"{page}/withdrawal", page).status_code == 303
    chair = world.logged_in("chair.shi")
    upload(chair, csv_of(line("2.00", "伙食", payer="谁")))
    row = db.session().scalars(select(BankRow.id)).one()
    address = f"{DESK}/rows/{row}"
    assert send(chair, f"{address}/claim", address, claim_id=str(claim)).status_code == 409
    assert db.session().scalars(select(BankRow.claim_id)).one() is None


HARM = ("=1+1", "@SUM(A1)", "+1", "-1", "\t=1", "=HYPERLINK(\"http://evil\")", "<script>alert(1)</script>",
        "\u202e钱\u202c", "甲" * 5_000, "{{7*7}}", "%(x)s", "a\u0000b")


@pytest.mark.parametrize("text", HARM)
def test_hostile_payers_are_shown_as_text_and_sent_as_text(world: World, text: str) -> None:
    chair = world.logged_in("chair.shi")
    content = csv_of(line("2.00", text, payer=text, account=text, serial=text))
    answer = upload_any(chair, content)
    if answer is None:
        assert counted(BankRow) == [0]
        return
    row = db.session().scalars(select(BankRow.id)).one()
    for page in (DESK, f"{DESK}/rows/{row}", f"{DESK}?q=%3Cscript%3Ealert"):
        shown = chair.get(page)
        assert shown.status_code == 200
        assert "<script>alert" not in shown.text and "\u202e" not in shown.text and "\0" not in shown.text
    sheet = chair.get(f"{DESK}/rows.csv?state=all").data.decode("utf-8-sig")
    cells = [cell for row_ in csv.reader(sheet.splitlines()) for cell in row_]
    assert [cell for cell in cells if cell.startswith(tuple("=+-@\t"))] == []
    assert chair.get(f"{DESK}/rows.xlsx?state=all").status_code == 200


def upload_any(client: FlaskClient, content: bytes) -> int | None:
    try:
        return upload(client, content)
    except AssertionError:
        return None


@pytest.mark.parametrize("amount", [
    "1e999", "NaN", "inf", "1_000", "0x10", "9223372036854775808", "9" * 400, "1.234", "1,00", "--1", "+-1", "1-1",
    "‐5", "½", "Ⅷ", "五", "१२", "1 2", "10 23.00", "1'000", "$5", "5%", "=5", "1.2.3", "5\u0000"])
def test_of_a_file_with_an_amount_that_nobody_can_read_nothing_is_taken(world: World, amount: str) -> None:
    chair = world.logged_in("chair.shi")
    upload(chair, csv_of(line("1.00", "一")))
    answer = send_file(chair, csv_of(line(amount, "二"), line("3.00", "三")))
    assert answer.status_code == 422
    assert 'id="file-error"' in answer.text
    assert counted(BankRow) == [1]


@pytest.mark.parametrize(("amount", "fen"), [
    ("１２", 1200), ("1 234.50", 123450), ("\u202d5\u202c", 500), ("￥ 5.00 元", 500), ("1,234", 123400)])
def test_amounts_as_banks_write_them(world: World, amount: str, fen: int) -> None:
    upload(world.logged_in("chair.shi"), csv_of(line(amount)))
    assert db.session().scalars(select(BankRow.amount_fen)).one() == fen


@pytest.mark.parametrize("amount", ["-5", "−5", "－5", "﹣5", "(5)", "（5）", "5-", "-", "—", "0.00", "-0"])
def test_what_went_out_is_no_money_that_came(world: World, amount: str) -> None:
    upload(world.logged_in("chair.shi"), csv_of(line(amount), line("1.00")))
    assert list(db.session().scalars(select(BankRow.amount_fen))) == [100]


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31", "2026-02-30", "2026-13-01", "2014-12-31", "2026-10-14",
                                 "0", "-1", "46307", "1e5", "20261", "2026-10-12\u0000"])
def test_days_that_cannot_be(world: World, day: str) -> None:
    chair = world.logged_in("chair.shi")
    upload(chair, csv_of(line("1.00", "一")))
    assert send_file(chair, csv_of(line("2.00", "二", day=day))).status_code == 422
    assert counted(BankRow) == [1]


@pytest.mark.parametrize("name", [
    "Ａｍｏｕｎｔ", "金额（元）", "①金额", "对方户名\u200b", "付款人／户名", "㈱", "甲" * 59 + " 乙" * 9, "'户名",
    "户\n名", "ﷺ" * 9, "<i>", "户名 (2)"])
def test_a_heading_can_be_chosen_as_it_was_offered(world: World, name: str) -> None:
    chair = world.logged_in("chair.shi")
    answer = send_file(chair, csv_of(["2026-10-12", "2.00", "谁"], headings=["交易日期", "贷方发生额", name]))
    page = chair.get(answer.location).text
    offered = html.unescape(re.findall(r'<option value="([^"]*)"', page)[3])
    assert offered not in ("", "交易日期", "贷方发生额")
    again = chair.post(answer.location, data={"csrf_token": csrf_token(chair, answer.location), "day": "交易日期",
                                              "income": "贷方发生额", "payer_name": offered, "bank_name": "行"})
    assert again.status_code == 303
    assert db.session().scalars(select(BankRow.payer_name)).one() == "谁"


@pytest.mark.parametrize("headings", [
    ["交易日期"] * 8, [""] * 8, ["交易日期", "贷方发生额", "贷方发生额", "", "", "对方户名", "摘要", ""],
    ["交易日期", "贷方发生额", "对方户名", *(f"列{n}" for n in range(297))], ["=1+1", "交易日期", "贷方发生额"],
    ["交易日期", "贷方发生额", "对方户名", *(f"列{n}" for n in range(20_000))],
    ["交易日期", "贷方发生额", "<i>", "a\u202e"], ["甲" * 9_000, "交易日期", "贷方发生额"]])
def test_odd_headings(world: World, headings: list[str]) -> None:
    chair = world.logged_in("chair.shi")
    answer = send_file(chair, csv_of(["2026-10-12", "2.00", "谁"], headings=headings))
    assert answer.status_code in (303, 422)
    if answer.status_code == 303:
        page = chair.get(answer.location)
        assert page.status_code == 200
        assert len(page.data) < 100_000
        assert "\u202e" not in page.text and "<i>" not in page.text
        again = chair.post(answer.location, data={"csrf_token": csrf_token(chair, answer.location),
                                                  "day": "交易日期", "income": "贷方发生额", "bank_name": "x" * 41})
        assert again.status_code == 422
        for number in ("999999999", "0"):
            other = f"/village/bank/files/{number}/columns"
            assert chair.get(other).status_code == 404
            assert chair.post(other, data={"csrf_token": csrf_token(chair, DESK)}).status_code == 404
