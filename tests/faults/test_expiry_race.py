"""Unpaid orders expire while their cashier claims, their chair confirms and a card payment is booked: one comes first.

An order that is over has no claim that anybody waits for and no money that arrived before; one with money stands.
"""

from pathlib import Path

import pytest
from sqlalchemy import exists, func, select

from market import clock, db
from orders.models import CardPayment, ClaimPart, Order, PaymentClaim
from tests.faults.test_standing import compete
from tests.trade import Trade
from tests.world import NOON, World

pytestmark = pytest.mark.slow
WORKER = "tests.faults.expiry_worker"
BARE, CLAIMED, BY_CARD = 24, 6, 6


@pytest.fixture
def orders(world: World) -> dict[str, list[int]]:
    """Orders that are paid first, a month ago: some with nothing, some with a claim, some with a card page."""
    with clock.at(NOON):
        trade = Trade(world)
        cabbage = trade.product("白菜", price_fen=230, minimum_milli=1000)
        trade.lot(cabbage, 100)
        placed = [trade.orders(trade.place({cabbage: 1000}, payment_terms="pay_first"))[0].id
                  for _ in range(BARE + CLAIMED + BY_CARD)]
        groups = {"bare": placed[:BARE], "claimed": placed[BARE:BARE + CLAIMED], "card": placed[BARE + CLAIMED:]}
        for order_id in groups["claimed"]:
            trade.pay(order_id, 230, confirmed=False)
        for order_id in groups["card"]:
            card_page(order_id, world)
    db.session().rollback()
    return groups


def card_page(order_id: int, world: World) -> None:
    order = db.session().get_one(Order, order_id)
    unit, supplier = order.unit_id, order.supplier_id
    with db.transaction() as session:
        session.add(CardPayment(
            order_id=order_id, unit_id=unit, supplier_id=supplier, account_id="acct_demo", attempt=1,
            key=f"order-{order_id}-1", amount_fen=230, live=False, state="open", expires_at=clock.now(),
            started_by=world.person("cashier.sun").id, started_at=clock.now(), next_look_at=clock.now()))


def states(ids: list[int]) -> set[str]:
    with db.snapshot() as session:
        return set(session.scalars(select(Order.state).where(Order.id.in_(ids))))


def over_with_a_claim() -> int:
    """Orders that are cancelled although their unit was told that its claim is noted."""
    with db.snapshot() as session:
        return session.scalar(select(func.count()).select_from(Order).where(
            Order.state == "cancelled", exists().where(
                ClaimPart.order_id == Order.id, PaymentClaim.id == ClaimPart.claim_id,
                PaymentClaim.state == "claimed"))) or 0


def test_what_is_claimed_confirmed_or_booked_stands_and_nothing_is_both(
        orders: dict[str, list[int]], database_url: str, data_dir: Path) -> None:
    ended = compete(database_url, data_dir, ["expire"], ["expire"], ["claim"], ["confirm"], ["book"],
                    module=WORKER)
    assert set(ended) == {0}
    assert over_with_a_claim() == 0
    assert states(orders["claimed"]) == states(orders["card"]) == {"placed"}
    with db.snapshot() as session:
        paid = session.execute(select(Order.payment, Order.received_fen).where(
            Order.id.in_(orders["card"] + orders["claimed"])).distinct()).all()
        claimed = set(session.scalars(select(ClaimPart.order_id).where(ClaimPart.order_id.in_(orders["bare"]))))
        over = set(session.scalars(select(Order.id).where(
            Order.id.in_(orders["bare"]), Order.state == "cancelled")))
    assert paid == [("paid", 230)]
    assert claimed | over == set(orders["bare"])
    assert claimed & over == set()


def test_without_the_look_under_the_lock_orders_are_over_that_are_paid(
        orders: dict[str, list[int]], database_url: str, data_dir: Path) -> None:
    compete(database_url, data_dir, ["unlocked"], ["claim"], module=WORKER, FAULTS="unlocked")
    assert over_with_a_claim() > 0
