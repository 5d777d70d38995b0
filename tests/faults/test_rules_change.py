"""Who approves what changes while somebody orders: the purchase meets the old rules or the new, never none."""

import time
from concurrent.futures import ThreadPoolExecutor

from market import db
from orders.approving import rules
from orders.approving.rules import Rule
from tests.trade import Trade
from tests.world import World


def test_a_purchase_that_waited_for_the_change_meets_the_new_rules(world: World) -> None:
    trade = Trade(world)
    cabbage = trade.product("白菜")
    trade.lot(cabbage)
    with db.transaction():
        rules.replace([Rule("any", 0, "approver")], world.person("admin.qian"))

    def order() -> str:
        with world.app.app_context():
            return trade.place({cabbage: 1_000}).approval

    with ThreadPoolExecutor(1) as other:
        with db.transaction():
            rules.replace([Rule("any", 0, "leader")], world.person("admin.qian"))
            waits = other.submit(order)
            time.sleep(1)  # long enough to come to the rules, which are locked
            assert not waits.done()
        assert waits.result(timeout=30) == "waiting"
