"""The ledger: one debit, one credit, once per source."""

import pytest
from sqlalchemy.exc import IntegrityError

from market import db, ledger
from market.ledger import Transfer
from tests.world import TODAY, World


def test_a_posted_transfer_stands_on_both_accounts(world: World) -> None:
    with db.transaction():
        ledger.post([Transfer("accepted", "line 1", "unit:1", "supplier:3", 1900, TODAY, grams=9500)])
    assert ledger.balance_fen("unit:1") == 1900
    assert ledger.balance_fen("supplier:3") == -1900


def test_the_same_source_is_posted_once(world: World) -> None:
    first = Transfer("accepted", "line 1", "unit:1", "supplier:3", 1900, TODAY)
    with db.transaction():
        ledger.post([first])
    with pytest.raises(IntegrityError), db.transaction():
        ledger.post([first])
    assert ledger.balance_fen("unit:1") == 1900


def test_an_undeclared_movement_is_refused(world: World) -> None:
    with pytest.raises(ledger.UnknownMovement), db.transaction():
        ledger.post([Transfer("accepted", "x", "households:1", "supplier:3", 1, TODAY)])
    assert ledger.balance_fen("supplier:3") == 0
