"""A transaction begins with what the database holds, whatever the same person has read or written before it."""

from concurrent.futures import ThreadPoolExecutor

from flask import Flask
from sqlalchemy import select

from market import audit, db
from orders.models import Order
from orders.paying import claims
from tests.trade import Trade


def test_what_was_read_before_is_read_again(app: Flask, trade: Trade) -> None:
    """¥5.00 and ¥7.00 are claimed; while the first is confirmed, somebody else confirms the second."""
    order = trade.cabbage()
    first, second = (trade.pay(order.id, fen, confirmed=False) for fen in (500, 700))
    held = db.session().get_one(Order, order.id)  # kept alive, as a variable of a request keeps it
    with db.transaction():
        assert db.session().get_one(Order, order.id).received_fen == 0
    with ThreadPoolExecutor(1) as another:
        another.submit(_confirm, app, trade, second).result()
    _confirm_here(trade, first)
    db.session().rollback()
    assert db.session().get_one(Order, order.id, populate_existing=True).received_fen == 1_200
    assert held.received_fen == 1_200
    assert audit.check() == []


def _confirm(app: Flask, trade: Trade, claim_id: int) -> None:
    with app.app_context():
        _confirm_here(trade, claim_id)


def _confirm_here(trade: Trade, claim_id: int) -> None:
    with db.transaction():
        claims.confirm(claim_id, trade.world.person("chair.shi"))


def test_who_waits_for_a_lock_sees_what_is_there_then(app: Flask, trade: Trade) -> None:
    """Read first, locked later: what was booked in between is not written over."""
    order = trade.cabbage()
    claim = trade.pay(order.id, 700, confirmed=False)
    db.session().rollback()
    seen = db.session().get_one(Order, order.id)
    assert seen.received_fen == 0
    with ThreadPoolExecutor(1) as another:
        another.submit(_confirm, app, trade, claim).result()
    if db.dialect() == "sqlite":
        db.session().rollback()  # there the read would be of one moment; nobody writes meanwhile
    locked = db.session().scalars(select(Order).where(Order.id == order.id).with_for_update()).one()
    assert (locked is seen, locked.received_fen) == (True, 700)
