"""The price monitor as a report: prices, references and decisions as they stood at the end of the months asked for."""

from datetime import UTC, date, datetime
from typing import Any

from catalog import products
from catalog.models import Product
from market import clock, db
from orders.reports import price_monitor
from orders.reports.frame import Asked, fill
from orders.reports.readers import WHOLE, Reader, area_of
from tests import goods
from tests.world import NOON, World

DECEMBER = datetime(2026, 12, 3, 4, 0, tzinfo=UTC)


def told(month: str, reader: Reader = WHOLE) -> dict[str, dict[str, Any]]:
    filled = fill(price_monitor.REPORT, Asked(month, month), reader, demo=False)
    return {row.values["goods"]: row.values for row in filled.content.rows}


def test_a_price_is_compared_with_the_reference_of_its_own_time(world: World) -> None:
    with clock.at(NOON):
        goods.shelves()
        goods.reference(world, 400, "白菜")
        cabbage = goods.list_goods(world, price_fen=300)
        goods.list_goods(world, name="菜心")
    with clock.at(DECEMBER):
        goods.reference(world, 700, "白菜")
        with db.transaction():
            products.set_price(db.session().get_one(Product, cabbage), 350, None)
        october, december = told("2026-10")["白菜"], told("2026-12")["白菜"]
        assert told("2026-09") == {}
        assert told("2026-11")["白菜"]["reference_fen"] is None  # the one of October is older than five weeks
        greens = told("2026-12")["菜心"]
        jiangyong = Reader(True, area_of(WHOLE, "431125000000", None, None).where)
        assert told("2026-12", jiangyong) == {}
    assert (october["price_fen"], october["fen_per_kg"], october["reference_fen"]) == (300, 600, 400)
    assert (october["difference"], october["day"]) == (5_000, date(2026, 10, 12).isoformat())
    assert (december["price_fen"], december["reference_fen"], december["difference"]) == (350, 700, 0)
    assert december["standing"] != october["standing"] and greens["difference"] is None
