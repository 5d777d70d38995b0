"""Payment runs over HTTP: built, approved, paid with proof, the village's yes; no account number anywhere."""

import csv
import io
from collections.abc import Iterator
from typing import Any

import openpyxl
import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import String, cast, select
from werkzeug.test import TestResponse

from market import clock, db, journal
from market.db import Base
from orders.income import checks, presence
from orders.models import Payout
from orders.payouts.models import HouseholdAccount, PayoutRun, PayoutRunLine
from tests.services.test_payout_runs import account, approved, earned, lines, paid, paid_fen
from tests.trade import Trade
from tests.web.forms import csrf_token, send
from tests.world import GREENS, NOON, TODAY, World

RUNS, ACCOUNTS, OFFICE = "/village/payout-runs", "/village/household-accounts", "/office/payout-runs"
CANARY = "622848040256489001"


@pytest.fixture(autouse=True)
def noon(app: Flask) -> Iterator[None]:
    app.extensions.update(sijin_checks=checks.CHECKS, sijin_presence=presence.things_of)
    with clock.at(NOON):
        yield


def receipt() -> tuple[io.BytesIO, str]:
    file = io.BytesIO()
    Image.new("RGB", (40, 40), "white").save(file, "JPEG")
    return io.BytesIO(file.getvalue()), "回单.jpg"


def post(client: FlaskClient, url: str, **fields: Any) -> TestResponse:
    """With a token of a page that always has a form."""
    return client.post(url, data={"csrf_token": csrf_token(client, "/village/members/new"), **fields})


def ticks(run: int, *states: str) -> list[str]:
    return [str(line.id) for line in lines(run) if line.state in states]


def test_a_run_from_the_dues_to_the_villages_yes(world: World, trade: Trade) -> None:
    first, second = earned(trade)
    account(world, first, CANARY)
    home = world.villages["greens_home"]
    clerk, chair, officer = (world.logged_in(one) for one in ("clerk.zhang", "chair.shi", "village.cao"))
    page = clerk.get(f"/village/income/villages/{home}").text
    assert "XT户1" in page and "¥</span>12.00" in page and "村集体" in page and "¥</span>25.20" in page
    page = clerk.get(f"{RUNS}/new").text
    assert 'value="12.00"' in page and f"{home}:{first}:farm_gate" in page
    rows = {"lines-0-receiver": f"{home}:{first}:farm_gate", "lines-0-take": "1", "lines-0-amount_fen": "12.00",
            "lines-1-receiver": f"{home}:{second}:farm_gate", "lines-1-take": "", "lines-1-amount_fen": "12.00",
            "lines-2-receiver": f"{home}::collective", "lines-2-take": "1", "lines-2-amount_fen": "1.21"}
    answer = send(clerk, RUNS, page=f"{RUNS}/new", **rows)
    assert answer.status_code == 422 and 'value="1.21"' in answer.text and "最多 ¥1.20" in answer.text
    assert db.session().scalars(select(PayoutRun.id)).all() == []
    answer = send(clerk, RUNS, page=f"{RUNS}/new", submit_token="one", **(rows | {"lines-2-amount_fen": "1.00"}))
    assert answer.status_code == 303
    run = int(answer.location.rpartition("/")[2])
    here = f"{RUNS}/{run}"
    assert "在等" not in clerk.get("/village").text and "1 个付款批次等第二人批准" in chair.get("/village").text
    assert post(clerk, f"{here}/approval").status_code == 409
    assert post(clerk, f"{here}/payments", paid_on=TODAY.isoformat(), proof=receipt(),
                **{"lines[]": ticks(run, "open")}).status_code == 409
    assert post(chair, f"{here}/approval").status_code == 303
    assert post(clerk, f"{here}/bank-list.csv").status_code == 403
    table = list(csv.reader(io.StringIO(post(chair, f"{here}/bank-list.csv").data.decode("utf-8-sig"))))
    assert table[1][:4] == ["户主", CANARY, "新田农商银行", "12.00"] and table[2][3] == "12.00"
    book = openpyxl.load_workbook(io.BytesIO(post(chair, f"{here}/bank-list.xlsx").data)).active
    assert book is not None and [cell.value for cell in book[3]][:4] == ["户主", CANARY, "新田农商银行", 12]
    acts = [entry["action"] for entry in journal.timeline("payout_run", run)]
    assert acts == ["payout_run.built", "payout_run.approved", "payout_run.exported", "payout_run.exported"]
    assert post(clerk, f"{here}/cancellation").status_code == 409
    assert post(clerk, f"{here}/payments", paid_on=TODAY.isoformat(),
                **{"lines[]": ticks(run, "open")}).status_code == 422  # no proof
    assert post(clerk, f"{here}/payments", paid_on=TODAY.isoformat(), proof=receipt()).status_code == 422  # no line
    assert post(clerk, f"{here}/payments", paid_on=TODAY.isoformat(), proof=receipt(),
                **{"lines[]": ticks(run, "open")}).status_code == 303
    assert "2 笔到户款等村里确认" in officer.get("/office").text
    page = officer.get(f"{OFFICE}/{run}").text
    assert "DEMO-XT-0001 X＊" in page and "XT户1" not in page and "9001" in page
    line = ticks(run, "paid")[0]
    assert officer.get(f"{OFFICE}/lines/{line}/proof").content_type == "image/webp"
    assert clerk.get(f"{RUNS}/lines/{line}/proof").status_code == 200
    assert world.logged_in("chair.he").get(f"{RUNS}/lines/{line}/proof").status_code == 404
    assert world.logged_in("village.kong").get(f"{OFFICE}/{run}").status_code == 404
    assert send(officer, f"{OFFICE}/{run}/dispute", page=f"{OFFICE}/{run}", words="",
                **{"lines[]": ticks(run, "paid")}).status_code == 422
    assert send(officer, f"{OFFICE}/{run}/confirmation", page=f"{OFFICE}/{run}",
                **{"lines[]": ticks(run, "paid")}).status_code == 303
    assert paid_fen(world) == 1_300
    assert "已到户" in clerk.get(here).text and "到户" in clerk.get("/village/income?tab=payouts").text
    payout = db.session().scalars(select(Payout.id)).first()
    assert clerk.get(f"/village/income/payouts/{payout}/proof").status_code == 200
    agent = world.logged_in("books.dong")
    assert f"/agency/payouts/{payout}/proof" in agent.get("/agency/payouts").text
    assert agent.get(f"/agency/payouts/{payout}/proof").status_code == 200
    assert world.logged_in("chair.he").get(f"/agency/payouts/{payout}/proof").status_code == 404


def test_what_failed_and_what_the_village_objects_to(world: World, trade: Trade) -> None:
    earned(trade)
    run = approved(world)
    here = f"{RUNS}/{run}"
    clerk, officer = world.logged_in("clerk.zhang"), world.logged_in("village.cao")
    failed, *others = ticks(run, "open")
    assert post(clerk, f"{here}/failures", **{"lines[]": [failed]}).status_code == 422
    assert post(clerk, f"{here}/failures", failure="returned", note="退汇", **{"lines[]": [failed]}).status_code == 303
    assert "1 笔到户款未到账" in clerk.get("/village").text
    paid(world, trade, run)
    assert send(officer, f"{OFFICE}/{run}/dispute", page=f"{OFFICE}/{run}", words="没收到",
                **{"lines[]": others[:1]}).status_code == 303
    page = clerk.get(here).text
    assert "没收到" in page and "退汇" in page and "村里有异议" in page
    assert post(clerk, f"{here}/reopening", **{"lines[]": [failed]}).status_code == 303
    assert post(clerk, f"{here}/reopening", **{"lines[]": others[:1]}).status_code == 409
    assert {line.state for line in lines(run)} == {"open", "disputed", "paid"}


def test_a_number_is_masked_and_each_look_at_it_is_written_down(world: World, trade: Trade) -> None:
    member = trade.members(GREENS, world.villages["greens_home"])[0]
    clerk, chair = world.logged_in("clerk.zhang"), world.logged_in("chair.shi")
    here = f"{ACCOUNTS}/{member}"
    for wrong in ("123", "abc45678", "", "1" * 33):
        assert send(clerk, here, holder="户主", bank="农商行", number=wrong).status_code == 422
    assert send(clerk, here, holder="户主", bank="农商行", number="6228 4804 0256 4890 01").status_code == 303
    number = db.session().scalars(select(HouseholdAccount.id)).one()
    entry = f"{ACCOUNTS}/entries/{number}"
    assert post(clerk, f"{entry}/confirmation").status_code == 409
    assert "1 个农户账户等第二人确认" in chair.get("/village").text
    assert post(chair, f"{entry}/confirmation").status_code == 303
    for page in (clerk.get(here).text, clerk.get(ACCOUNTS).text, chair.get(here).text):
        assert "•••• 9001" in page and CANARY not in page
    assert post(clerk, f"{entry}/reveal").status_code == 403
    assert post(world.logged_in("chair.he"), f"{entry}/reveal").status_code == 404
    assert chair.get(f"{entry}/reveal").status_code == 405
    assert CANARY in post(chair, f"{entry}/reveal").text
    assert [entry["actor_name"] for entry in journal.timeline("household_account", number)
            if entry["action"] == "household_account.revealed"] == ["石社长"]


def test_account_numbers_stand_nowhere_else(world: World, trade: Trade) -> None:
    first, _second = earned(trade)
    account(world, first, CANARY)
    run = approved(world)
    here, chair, officer = f"{RUNS}/{run}", world.logged_in("chair.shi"), world.logged_in("village.cao")
    post(chair, f"{here}/bank-list.csv", submit_token="a token")
    paid(world, trade, run)
    for page in (here, RUNS, ACCOUNTS, f"{ACCOUNTS}/{first}", "/village", "/village/income"):
        assert CANARY not in chair.get(page).text
    assert CANARY not in officer.get(f"{OFFICE}/{run}").text
    for mapper in Base.registry.mappers:
        for column in mapper.local_table.c:
            if column.table.name == "household_account" and column.key == "number":
                continue
            held = db.session().execute(select(column).where(cast(column, String).contains(CANARY))).first()
            assert held is None, f"{column.table.name}.{column.key}"


def test_offices_read_what_is_earned_paid_and_unpaid(world: World, trade: Trade) -> None:
    first, _second = earned(trade)
    trade.pay_out(world.organisation_id(GREENS), world.villages["greens_home"], "farm_gate", 1_300)
    city, clerk = world.logged_in("official.jin"), world.logged_in("clerk.zhang")
    page = city.get("/office").text
    assert "25.20" in page and "13.00" in page and "12.20" in page
    later = clock.shanghai(clock.days_after(TODAY, 61), 12)
    address = "/reports/income-unpaid.csv?from=2026-10&to=2026-10"
    assert "DEMO-XT" not in city.get(address).data.decode("utf-8-sig")  # not old enough
    with clock.at(later):
        rows = list(csv.reader(io.StringIO(world.logged_in("official.jin").get(address).data.decode("utf-8-sig"))))
        assert [row[2:] for row in rows[1:4]] == [
            ["DEMO-XT-0002", "11.00", "11.00", "11.00", "0.00", "0.00", "2026-10-12"],
            ["村集体", "1.20", "1.20", "1.20", "0.00", "0.00", "2026-10-12"],
            ["", "12.20", "12.20", "12.20", "0.00", "0.00", ""]]
        assert world.logged_in("official.hua").get(address).data.decode("utf-8-sig").count("DEMO") == 0
        assert clerk.get(address).status_code == 404
        shown = world.logged_in("official.jin").get("/reports/income-unpaid?from=2026-10&to=2026-10").text
        assert "XT户" not in shown and "DEMO-XT-0002" in shown
    assert first


def test_another_cooperative_finds_nothing(world: World, trade: Trade) -> None:
    earned(trade)
    run = approved(world)
    stranger = world.logged_in("chair.he")
    for path in ("", "/bank-list.csv", "/approval", "/cancellation", "/payments", "/failures", "/reopening"):
        answer = post(stranger, f"{RUNS}/{run}{path}", **{"lines[]": ticks(run, "open")}) if path else stranger.get(
            f"{RUNS}/{run}")
        assert answer.status_code == 404, path
    assert stranger.get(f"/village/income/villages/{world.villages['greens_home']}").status_code == 404
    assert {line.state for line in lines(run)} == {"open"}
    assert db.session().scalars(select(PayoutRunLine.proof_id).distinct()).all() == [None]
