"""Orders taken back after their month is over are dated minus lines; a month that is over keeps its figures."""

from datetime import UTC, datetime
from typing import Any

from market import clock, db
from orders.buying import approval
from orders.reports import taken_back
from orders.reports.frame import Asked, Report, fill
from orders.reports.readers import WHOLE
from tests.trade import Trade
from tests.world import NOON, World

IN_NOVEMBER = datetime(2026, 11, 9, 4, 0, tzinfo=UTC)


def rows(report: Report, first: str, last: str) -> list[dict[str, Any]]:
    return [row.values for row in fill(report, Asked(first, last), WHOLE, False).content.rows]


def month(name: str) -> dict[str, Any]:
    return rows(taken_back.MONTHS_REPORT, name, name)[0]


def cancel(world: World, order_id: int) -> None:
    with db.transaction():
        approval.cancel(order_id, "不要了", world.person("cook.chen"))


def test_what_is_cancelled_after_the_month_is_a_minus_line_of_its_own_day(world: World, trade: Trade) -> None:
    with clock.at(NOON):
        cabbage = trade.product("白菜", minimum_milli=1_000)
        trade.lot(cabbage)
        day = clock.days_after(clock.today(), 30)
        paper, same, kept, back = (trade.orders(trade.place({cabbage: milli}, day=day))[0]
                                   for milli in (10_000, 5_000, 2_000, 3_000))
        cancel(world, same.id)
    before = month("2026-10")
    assert before == {"month": "2026-10", "placed": 4000, "changed": 0, "same": -1000, "earlier": 0, "net": 3000}
    with clock.at(IN_NOVEMBER):
        cancel(world, paper.id)
        trade.ship(back.id)
        line = trade.lines(back.id)[0]
        trade.accept(back.id, [trade.in_full(line)])
        cancel(world, kept.id)
    assert month("2026-10") == before
    assert rows(taken_back.LINES_REPORT, "2026-10", "2026-10") == []
    lines = rows(taken_back.LINES_REPORT, "2026-11", "2026-11")
    assert [(one["order"], one["placed_in"], one["taken_back"], one["amount"], one["days"]) for one in lines] == [
        (paper.number, "2026-10", "2026-11-09", -2000, 28), (kept.number, "2026-10", "2026-11-09", -400, 28)]
    assert month("2026-11")["earlier"] == -2400
