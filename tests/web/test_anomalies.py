"""Cases over the wire: found at night, told to the co-operative, answered with a paper, decided by two officials."""

import io
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from market import clock, db, outbox
from orders.anomalies import jobs
from orders.anomalies.models import AnomalyAnswer, AnomalyCase, OrderHold
from tests.goods import PDF
from tests.trade import Trade
from tests.web.forms import csrf_token
from tests.world import NOON, World

ROUND_TRIP = "付款后又退回"


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    with clock.at(NOON):
        yield


@pytest.fixture
def case(trade: Trade) -> int:
    """Money for ten kilos of cabbage that came back; found by the worker."""
    order = trade.cabbage()
    trade.ship(order.id)
    with clock.at(NOON + timedelta(hours=1)):
        trade.accept(order.id)
        trade.pay(order.id, 4_000)
        trade.refund(order.id, 2_000)
    jobs.follow_day()
    jobs.follow_day()
    return db.session().scalars(select(AnomalyCase.id).where(AnomalyCase.kind == "round_trip")).one()


def send(client: FlaskClient, url: str, **fields: Any) -> TestResponse:
    return client.post(url, data={"csrf_token": csrf_token(client, "/account"), **fields})


def standing() -> int:
    return db.session().scalar(select(func.count()).select_from(OrderHold).where(
        OrderHold.released_at.is_(None))) or 0


def test_a_case_from_finding_to_decision(world: World, case: int) -> None:
    outbox.drain(world.app.extensions["sijin_handlers"])
    chair, city, county = (world.logged_in(name) for name in ("chair.shi", "official.jin", "auditor.wei"))
    assert "核查中" in chair.get("/notices").text
    assert "等您说明" in chair.get("/village").text
    page = chair.get(f"/village/checks/{case}").text
    assert ROUND_TRIP in page and "20.00" in page and "金局长" not in page  # what, not who
    assert world.logged_in("chair.he").get(f"/village/checks/{case}").status_code == 404
    assert world.logged_in("official.hua").get(f"/office/anomalies/{case}").status_code == 404  # another county
    address = f"/village/checks/{case}/answer"
    assert send(chair, address, words="").status_code == 422
    paper = (io.BytesIO(PDF), "说明.pdf")
    assert send(chair, address, words="学校重复付款", file=paper).status_code == 303
    assert db.session().scalar(select(AnomalyAnswer.file_id)) is not None
    listed = city.get("/office/anomalies?kind=round_trip").text
    assert f"/office/anomalies/{case}" in listed and "暂缓计入" in listed
    shown = city.get(f"/office/anomalies/{case}").text
    assert "学校重复付款" in shown and "说明.pdf" in shown and "20.00" in shown
    assert county.get(f"/office/anomalies/{case}").status_code == 200
    assert send(county, f"/office/anomalies/{case}/decision", decision="cleared", note="看过").status_code == 403
    assert send(city, f"/office/anomalies/{case}/decision", decision="cleared", note="").status_code == 422
    assert send(city, f"/office/anomalies/{case}/decision", decision="cleared", note="凭证齐全").status_code == 303
    assert send(city, f"/office/anomalies/{case}/confirmation", decision="cleared").status_code == 409
    assert standing() == 1
    with clock.at(NOON + timedelta(days=20)):
        late = world.logged_in("official.jin")
        assert "超期" in late.get("/office").text and str(case) in late.get("/office/anomalies?show=overdue").text
        assert "20" in late.get("/reports/village-income.csv?from=2026-10&to=2026-10").text
    assert standing() == 1
