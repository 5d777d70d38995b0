"""A web worker is killed (SIGKILL) at every fault point of checkout, acceptance and receipt, over the wire.

Afterwards the deed is whole or absent, the books balance, and the same request with the same key ends in one.
"""

import http.client
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from market import audit, clock, db
from market.db import Base
from orders.models import Acceptance, Order, PaymentClaim, Purchase, ReceiptShare
from tests import servers
from tests.faults.falling import HEADER
from tests.servers import Server
from tests.trade import Trade
from tests.world import PASSWORD, World

pytestmark = pytest.mark.slow

CHECKOUT = ("purchase_written", "purchase_placed", "before_commit", "after_commit")
ACCEPTANCE = ("acceptance_written", "acceptance_posted", "before_commit", "after_commit")
RECEIPT = ("receipt_laid", "claim_received", "before_commit", "after_commit")
COMMITTED = {"after_commit"}  # the deed is done, only its answer is lost


@dataclass(frozen=True)
class Deed:
    """Something a person does through the API, and what of it is kept."""

    login: str
    path: str
    content: Any
    rows: type[Base]


class Faller:
    """Does a deed with a worker that falls, looks, and does it again."""

    def __init__(self, server: Server, world: World) -> None:
        self.server, self.headers = server, {
            login: world.api_headers(login) for login in ("cook.chen", "store.wang", "chair.shi")}

    def do(self, deed: Deed, point: str) -> Any:
        """The deed's answer, after a first try that was cut off at the point."""
        before, key = counted(deed.rows), {"Idempotency-Key": (point + deed.path).replace("/", "-")}
        with pytest.raises((http.client.HTTPException, ConnectionError)):
            self.ask(deed, {**key, HEADER: point})
        assert counted(deed.rows) == before + (1 if point in COMMITTED else 0), f"{point}: neither whole nor absent"
        assert audit.check() == [], point
        answer = self.ask(deed, key)
        assert answer.status == 201, f"{point}: {answer.body}"
        assert counted(deed.rows) == before + 1, f"{point}: not one"
        assert audit.check() == [], point
        return answer.json

    def ask(self, deed: Deed, more: dict[str, str]) -> servers.Answer:
        return self.server.ask("POST", "/api/v1" + deed.path, deed.content, {**self.headers[deed.login], **more})


def counted(table: type[Base]) -> int:
    """How many there are now; of claims, those that became money."""
    query = select(func.count()).select_from(table)
    if table is PaymentClaim:
        query = query.where(PaymentClaim.state == "received")
    with db.snapshot() as session:
        return session.scalar(query) or 0


def test_whole_or_absent_at_every_point(world: World, trade: Trade, database_url: str, data_dir: Path) -> None:
    cabbage = trade.product("白菜", price_fen=230, minimum_milli=1_000)
    lot = trade.lot(cabbage, kg=1_000)
    wish = {"delivery_point_id": world.delivery_point_id(), "delivery_window": "morning", "fund_source": "canteen",
            "delivery_day": (clock.today() + timedelta(days=1)).isoformat(),
            "lines": [{"product_id": cabbage, "ordered_milli": 10_000}]}
    with servers.running(database_url, data_dir, "tests.faults.falling:create()", 1, FAULTS="falling") as server:
        faller = Faller(server, world)
        for point in CHECKOUT:
            faller.do(Deed("cook.chen", "/purchases", wish, Purchase), point)
        assert trade.stock_of(lot) == (1_000_000, len(CHECKOUT) * 10_000)
        orders = all_orders()
        for point, order in zip(ACCEPTANCE, orders, strict=True):
            trade.ship(order.id)
            content = taken_in(trade, order.id)
            faller.do(Deed("store.wang", f"/orders/{order.id}/acceptance", content, Acceptance), point)
        for point, order in zip(RECEIPT, orders, strict=True):
            claim_id = trade.pay(order.id, 2_300, confirmed=False)
            faller.do(Deed("chair.shi", f"/payment-claims/{claim_id}/receipt", {}, PaymentClaim), point)
    db.session().expire_all()
    assert [(order.accepted_fen, order.received_fen, order.payment) for order in all_orders()] == [
        (2_300, 2_300, "paid")] * len(orders)
    assert counted(ReceiptShare) == len(orders)
    assert trade.stock_of(lot) == (1_000_000 - len(orders) * 10_000, 0)


def all_orders() -> list[Order]:
    db.session().rollback()
    return list(db.session().scalars(select(Order).order_by(Order.id)))


def taken_in(trade: Trade, order_id: int) -> dict[str, Any]:
    """Everything as ordered, by both receivers."""
    return {"lines": [{"line_id": line.id, "accepted_grams": 10_000} for line in trade.lines(order_id)],
            "documents_seen": True, "second_receiver": {"login": "aunt.zhao", "password": PASSWORD}}
