"""Refunds over HTTP: found on the first page, asked for by one person, confirmed by another, read by the unit."""

import io
from collections.abc import Iterator

import pytest
from PIL import Image
from sqlalchemy import select

from market import clock, db, outbox
from market.notices import Notice
from orders.models import GoodsReturn, Order, Refund
from tests.counting import count_statements
from tests.services.test_refunds import delivered, state
from tests.trade import Trade
from tests.web.forms import send
from tests.world import NOON, TODAY


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    with clock.at(NOON):
        yield


@pytest.fixture
def over(trade: Trade) -> int:
    """Cabbage for ¥20.00, accepted; ¥23.50 came in."""
    order = delivered(trade)
    trade.pay(order, 2_350)
    return order


def slip() -> tuple[io.BytesIO, str]:
    out = io.BytesIO()
    Image.new("RGB", (40, 30), "white").save(out, "JPEG")
    out.seek(0)
    return out, "回单.jpg"


def rows() -> list[Refund]:
    return list(db.session().scalars(select(Refund).order_by(Refund.id).execution_options(populate_existing=True)))


def form(**changes: str) -> dict[str, str]:
    return {"what": "whole", "amount_fen": "", "card_payment_id": "", "reason": "多付了"} | changes


def test_what_was_paid_too_much_is_asked_for_and_confirmed_by_another(trade: Trade, over: int) -> None:
    clerk, chair, cashier = (trade.world.logged_in(who) for who in ("clerk.zhang", "chair.shi", "cashier.sun"))
    assert "有 1 个订单多付了款" in chair.get("/village").text
    assert "3.50" in clerk.get("/village/refunds").text
    sent = send(clerk, f"/village/orders/{over}/refund/whole", "/village/refunds", submit_token="once")
    assert sent.status_code == 303
    refund = rows()[0]
    assert (refund.amount_fen, refund.state, refund.way) == (350, "asked", "bank")
    assert "有 1 笔退款等待第二人确认" in chair.get("/village").text
    assert "等待第二人确认" not in clerk.get("/village").text
    assert "有 1 个订单多付了款" not in chair.get("/village").text
    page = f"/village/refunds/{refund.id}"
    assert "须另一人确认" in clerk.get(page).text
    own = send(clerk, f"{page}/transfer", page, paid_on=TODAY.isoformat())
    assert (own.status_code, rows()[0].state) == (409, "asked")
    done = send(chair, f"{page}/transfer", page, paid_on=TODAY.isoformat(), voucher=slip())
    assert (done.status_code, rows()[0].state, state(over).refunded_fen) == (303, "done", 350)
    assert refund.number in chair.get("/village/refunds?tab=done").text
    assert refund.number in cashier.get("/payments/refunds").text
    assert "已退款" in cashier.get(f"/orders/{over}").text
    for client, address in ((chair, f"{page}/voucher"), (cashier, f"/payments/refunds/{refund.id}/voucher")):
        assert client.get(address).mimetype == "image/webp"
    outbox.drain(trade.world.app.extensions["sijin_handlers"])
    assert "refund.done" in db.session().scalars(select(Notice.kind)).all()


def test_the_same_press_twice_asks_once(trade: Trade, over: int) -> None:
    clerk = trade.world.logged_in("clerk.zhang")
    for _ in range(2):
        sent = send(clerk, f"/village/orders/{over}/refund", **form(what="amount", amount_fen="1.00"),
                    submit_token="once")
        assert sent.status_code == 303
    assert [row.amount_fen for row in rows()] == [100]


@pytest.mark.parametrize(("changes", "status"), [
    ({"what": "amount", "amount_fen": "3.51"}, 409), ({"what": "amount"}, 422),
    ({"what": "amount", "amount_fen": "-1"}, 422), ({"what": "amount", "amount_fen": "1,00"}, 422),
    ({"reason": ""}, 422), ({"what": "nothing"}, 422),
    ({"what": "amount", "amount_fen": "1", "card_payment_id": "7"}, 409), ({"what": "lines"}, 422),
    ({"what": "lines", "lines-0-line_id": "999", "lines-0-milli": "1"}, 404),
])
def test_what_is_not_right_changes_nothing(trade: Trade, over: int, changes: dict[str, str], status: int) -> None:
    clerk = trade.world.logged_in("clerk.zhang")
    assert send(clerk, f"/village/orders/{over}/refund", **form(**changes)).status_code == status
    assert rows() == []
    assert state(over).payment == "over"


def test_by_line_and_quantity_after_a_return(trade: Trade) -> None:
    order = delivered(trade)
    trade.pay(order, 2_000)
    line = trade.lines(order)[0].id
    cook, chair, clerk = (trade.world.logged_in(who) for who in ("cook.chen", "chair.shi", "clerk.zhang"))
    send(cook, f"/orders/{order}/cases", f"/orders/{order}/cases/new", kind="return", reason="wilted",
         **{"lines-0-line_id": str(line), "lines-0-quantity_milli": "5"})
    case = "/cases/1"
    assert "重新入库" in chair.get(case).text
    assert send(chair, f"{case}/answer", case, decision="agree", restock="1").status_code == 303
    assert db.session().scalars(select(GoodsReturn.restocked)).all() == [True]
    page = f"/village/orders/{order}/refund"
    assert "10.00" in clerk.get(page).text
    too_much = send(clerk, page, **form(what="lines"), **{"lines-0-line_id": str(line), "lines-0-milli": "5.5"})
    assert too_much.status_code == 422
    assert "最多 5 公斤" in too_much.text
    assert send(clerk, page, **form(what="lines"), **{
        "lines-0-line_id": str(line), "lines-0-milli": "2.5"}).status_code == 303
    assert [row.amount_fen for row in rows()] == [500]
    assert "白菜" in chair.get(f"/village/refunds/{rows()[0].id}").text


def test_what_is_refused_says_why(trade: Trade, over: int) -> None:
    clerk, chair = trade.world.logged_in("clerk.zhang"), trade.world.logged_in("chair.shi")
    send(clerk, f"/village/orders/{over}/refund", **form())
    page = f"/village/refunds/{rows()[0].id}"
    assert send(chair, f"{page}/refusal", page, reason="").status_code == 422
    assert rows()[0].state == "asked"
    assert send(chair, f"{page}/refusal", page, reason="抵下月货款").status_code == 303
    assert "抵下月货款" in chair.get(page).text
    assert send(chair, f"{page}/refusal", "/village/refunds/1", reason="抵下月货款").status_code in {303, 409}
    assert (rows()[0].state, state(over).refunded_fen) == ("refused", 0)


def test_others_see_nothing(trade: Trade, over: int) -> None:
    send(trade.world.logged_in("clerk.zhang"), f"/village/orders/{over}/refund", **form())
    refund = rows()[0]
    stranger, hospital = trade.world.logged_in("chair.he"), trade.world.logged_in("cashier.feng")
    for address in (f"/village/refunds/{refund.id}", f"/village/orders/{over}/refund",
                    f"/village/refunds/{refund.id}/voucher"):
        assert stranger.get(address).status_code == 404
    assert refund.number not in stranger.get("/village/refunds?tab=asked").text
    assert hospital.get(f"/payments/refunds/{refund.id}/voucher").status_code == 404
    assert refund.number not in hospital.get("/payments/refunds").text
    taken = send(stranger, f"/village/refunds/{refund.id}/transfer", "/village/refunds", paid_on=TODAY.isoformat())
    assert (taken.status_code, rows()[0].state) == (404, "asked")


def test_a_list_asks_as_often_for_many_as_for_few(trade: Trade, over: int) -> None:
    clerk, cashier = trade.world.logged_in("clerk.zhang"), trade.world.logged_in("cashier.sun")
    pages = [(clerk, f"/village/refunds?tab={tab}") for tab in ("owed", "asked", "done")]
    pages.append((cashier, "/payments/refunds"))

    def counted() -> list[int]:
        found = []
        for client, address in pages:
            with count_statements(trade.world.app) as statements:
                assert client.get(address).status_code == 200
            found.append(len(statements))
        return found

    counted()
    trade.refund(over, 10)
    few = counted()
    for _ in range(4):
        order = delivered(trade)
        trade.pay(order, 2_100)
        trade.refund(order, 10)
    assert counted() == few
    assert len(rows()) == 5
    assert db.session().scalars(select(Order.payment).where(Order.id == over)).one() == "over"
