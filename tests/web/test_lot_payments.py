"""Paid at weigh-in: marked by the clerk with a slip, seen by the officer who confirms the lot, kept afterwards."""

from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import select
from werkzeug.test import TestResponse

from catalog import lot_payments, lots
from catalog.lot_models import LotPayment
from catalog.models import LotContribution
from market import clock, db
from market.errors import InvalidInput, NotFound
from tests.trade import Trade
from tests.web.forms import send
from tests.world import GREENS, NOON, TODAY, World


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    with clock.at(NOON):
        yield


def slip() -> tuple[BytesIO, str]:
    file = BytesIO()
    Image.new("RGB", (40, 40), "white").save(file, "JPEG")
    return BytesIO(file.getvalue()), "签收单.jpg"


def page_of(lot: int) -> str:
    return f"/village/lots/{lot}/payments"


def contributions(lot: int) -> list[int]:
    return list(db.session().scalars(
        select(LotContribution.id).where(LotContribution.lot_id == lot).order_by(LotContribution.id)))


def ticked(client: FlaskClient, lot: int, *rows: tuple[int, str, str], **more: Any) -> TestResponse:
    """Rows: contribution, '1' for paid, the amount."""
    form: dict[str, Any] = {"paid_on": TODAY.isoformat(), "way": "cash", "proof": slip()}
    for number, (contribution, paid, amount) in enumerate(rows):
        name = f"lines-{number}"
        form |= {f"{name}-contribution_id": str(contribution), f"{name}-paid": paid, f"{name}-amount_fen": amount}
    return send(client, page_of(lot), **{**form, **more})


def payments() -> list[tuple[int, int, str]]:
    db.session().rollback()
    return [tuple(row) for row in db.session().execute(
        select(LotPayment.contribution_id, LotPayment.amount_fen, LotPayment.way).order_by(LotPayment.id))]


def test_a_clerk_marks_what_was_paid_and_the_officer_confirms_it_with_the_lot(world: World, trade: Trade) -> None:
    lot = trade.lot(trade.product("白菜"), 21, farm_gate_fen=121, confirmed=False)  # ¥25.41 of two households
    first, second = contributions(lot)
    clerk, officer = world.logged_in("clerk.zhang"), world.logged_in("village.cao")
    page = clerk.get(page_of(lot)).text
    assert 'value="12.71"' in page and 'value="12.70"' in page  # price by weight, together to the fen
    assert ticked(clerk, lot, (first, "1", "12.00"), (second, "", "12.70")).status_code == 303
    assert payments() == [(first, 1_200, "cash")]
    seen = officer.get(f"/office/lots/{lot}").text
    assert "现场已付" in seen and "12.00" in seen and "XT＊" not in seen and "XT户1" not in seen
    number = db.session().scalars(select(LotPayment.id)).one()
    assert officer.get(f"/office/lots/{lot}/payments/{number}/slip").content_type == "image/webp"
    assert clerk.get(f"/village/lots/{lot}/payments/{number}/slip").status_code == 200
    assert world.logged_in("clerk.lv").get(f"/village/lots/{lot}/payments/{number}/slip").status_code == 404
    assert world.logged_in("village.kong").get(f"/office/lots/{lot}/payments/{number}/slip").status_code == 404
    assert send(officer, f"/office/lots/{lot}/confirmation", page=f"/office/lots/{lot}").status_code == 303
    shown = clerk.get(f"/village/lots/{lot}").text
    assert "12.00" in shown and "现金" in shown
    assert send(clerk, f"{page_of(lot)}/{number}/removal", page="/village/members/new").status_code == 409
    assert ticked(clerk, lot, (second, "1", "1.00")).status_code == 409
    assert payments() == [(first, 1_200, "cash")]


def test_nobody_is_marked_for_more_than_the_goods_earn(world: World, trade: Trade) -> None:
    lot = trade.lot(trade.product("白菜"), 20, confirmed=False)
    first, second = contributions(lot)
    clerk = world.logged_in("clerk.zhang")
    answer = ticked(clerk, lot, (first, "", "99"), (second, "1", "12.01"))
    assert answer.status_code == 422 and "最多" in answer.text and 'value="12.01"' in answer.text
    for wrong in ({"way": "barter"}, {"paid_on": (TODAY + timedelta(days=1)).isoformat()}, {"proof": (BytesIO(), "")},
                  {"proof": (BytesIO(b"no picture"), "x.jpg")}, {"paid_on": (TODAY - timedelta(days=1)).isoformat()}):
        assert ticked(clerk, lot, (first, "1", "1.00"), **wrong).status_code == 422
    for amount in ("0", "-1", "１", "1e3", ""):
        assert ticked(clerk, lot, (first, "1", amount)).status_code == 422
    assert ticked(clerk, lot, (first, "1", "1"), (first, "1", "1")).status_code == 422
    assert ticked(clerk, lot).status_code == 422
    assert payments() == []


def test_a_mark_is_taken_away_while_the_lot_waits(world: World, trade: Trade) -> None:
    lot = trade.lot(trade.product("白菜"), 20, confirmed=False)
    first, second = contributions(lot)
    clerk = world.logged_in("clerk.zhang")
    assert ticked(clerk, lot, (first, "1", "12.00"), (second, "1", "12.00"), way="wechat").status_code == 303
    assert ticked(clerk, lot, (first, "1", "1.00")).status_code == 409
    number = db.session().scalars(select(LotPayment.id).order_by(LotPayment.id)).first()
    assert send(clerk, f"{page_of(lot)}/{number}/removal", page="/village/members/new").status_code == 303
    assert payments() == [(second, 1_200, "wechat")]
    assert clerk.get(f"/village/lots/{lot}").status_code == clerk.get(f"/village/weigh-in/{lot}").status_code == 200


def test_only_named_members_of_ones_own_lot_are_marked(world: World, trade: Trade) -> None:
    cabbage = trade.product("白菜")
    lot = trade.lot(cabbage, 20, grams=[10_000, 10_000], households=[
        trade.members(GREENS, world.villages["greens_home"])[0], None], confirmed=False)
    mine, base = contributions(lot)
    handing = lot_payments.Handing(TODAY, "cash", trade.proof())
    clerk = world.person("clerk.zhang")
    for marks, refusal, by in (([lot_payments.Mark(base, 1)], InvalidInput, clerk), ([], InvalidInput, clerk),
                               ([lot_payments.Mark(mine, 1)], NotFound, world.person("clerk.lv"))):
        with pytest.raises(refusal), db.transaction():
            lot_payments.mark(lot, marks, handing, by)
    with db.transaction():
        lots.confirm(lot, trade.confirmer_of(lot))
    with pytest.raises(lots.AlreadyConfirmed), db.transaction():
        lot_payments.mark(lot, [lot_payments.Mark(mine, 1)], handing, clerk)
    assert payments() == []
