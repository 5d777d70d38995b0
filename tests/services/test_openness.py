"""What the public may see: the farmers' share and when, costs as declared, who bought, villages of before."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import pytest
from flask import Flask
from sqlalchemy import func, select

from market import clock, db, linkages, sealing, villages
from market.errors import InvalidInput
from market.journal import JournalEntry
from orders.income import payouts, presence
from orders.openness import costs, naming, shares, village
from orders.openness.models import NamedUnit, SupplierCost
from orders.reports import village_income
from orders.reports.frame import Asked, fill
from orders.reports.readers import PUBLIC
from tests.trade import Trade
from tests.world import GREENS, NOON, SCHOOL, World

DECEMBER = datetime(2026, 12, 12, 4, 0, tzinfo=UTC)
SAID = {"category": "vegetables", "valid_from": "2026-09", "packing_points": 500, "transport_points": 800,
        "loss_points": 300, "share_points": 6000}


@pytest.fixture(autouse=True)
def things_are_counted(app: Flask) -> Iterator[None]:
    app.extensions["sijin_presence"] = presence.things_of
    with clock.at(NOON):
        yield


def at(month: int, day: int = 12) -> datetime:
    return datetime(2026, month, day, 4, 0, tzinfo=UTC)


def sold(trade: Trade, product: int, kilos: int = 1) -> int:
    order = trade.orders(trade.place({product: kilos * 1_000}))[0]
    trade.ship(order.id)
    trade.accept(order.id)
    return order.id


def paid(trade: Trade, world: World, households: Sequence[int], fen: int) -> None:
    proof = trade.proof()
    with db.transaction():
        payouts.pay(world.villages["greens_home"], "farm_gate", [(one, fen) for one in households], clock.today(),
                    proof, world.person("chair.shi"), world.person("village.cao"))


def a_year(trade: Trade, world: World, payees: int, orders: int = 10) -> int:
    """August to October: so many orders of 1 kg for ¥2.00, ¥1.20 of it for six growers; each payee gets ¥0.80."""
    members = trade.members(GREENS, world.villages["greens_home"])
    cabbage = trade.product("白菜", price_fen=200)
    trade.lot(cabbage, 100, households=list(members[:6]))
    for number in range(orders):
        with clock.at(at(8 + number % 3, 12 + number // 3)):
            sold(trade, cabbage)
    with clock.at(at(10, 25)):
        paid(trade, world, members[:payees], 80)
    sealing.seal_all()
    return cabbage


def told(world: World) -> shares.Told:
    key = (world.organisation_id(GREENS), "vegetables")
    with db.snapshot():
        return shares.told([key])[key]


def test_the_share_is_told_from_paid_out_money_of_months_that_are_over(world: World, trade: Trade) -> None:
    a_year(trade, world, payees=6)
    assert (told(world).basis, told(world).points) == (shares.UNKNOWN, None)  # October is not over: nine orders less
    with clock.at(at(11)):
        assert (told(world).basis, told(world).points) == (shares.KNOWN, 2400)  # 4.80 of 20.00
    with clock.at(datetime(2027, 9, 12, 4, 0, tzinfo=UTC)):
        assert told(world).basis == shares.UNKNOWN  # two of the three months have left the window


def test_one_month_in_which_few_were_paid_keeps_the_share_from_everybody(world: World, trade: Trade) -> None:
    a_year(trade, world, payees=4)
    with db.transaction():
        costs.declare(SAID, None, world.person("chair.shi"))
    with clock.at(at(11)):
        assert (told(world).basis, told(world).points) == (shares.FEW, None)
        assert told(world).packing_points == 500


def test_a_share_is_unknown_with_few_orders_and_then_the_declared_one_is_labelled(world: World, trade: Trade) -> None:
    a_year(trade, world, payees=6, orders=9)
    chair = world.person("chair.shi")
    with clock.at(at(11)):
        assert told(world).basis == shares.UNKNOWN and not told(world).has_costs
        with db.transaction():
            first = costs.declare(SAID, None, chair)
        assert (told(world).basis, told(world).points, told(world).loss_points) == (shares.DECLARED, 6000, 300)
        with db.transaction():
            assert costs.declare(SAID | {"share_points": None, "loss_points": 250}, None, chair) == first
        assert (told(world).basis, told(world).points, told(world).loss_points) == (shares.UNKNOWN, None, 250)
    for wrong, field in (({"packing_points": 3_000}, "packing_points"), ({"category": "tea"}, "category"),
                         ({"valid_from": "2026-12"}, "valid_from")):
        with clock.at(at(11)), pytest.raises(InvalidInput) as refused, db.transaction():
            costs.declare(SAID | wrong, None, chair)
        assert list(refused.value.fields) == [field]
    assert db.session().scalar(select(func.count()).select_from(SupplierCost)) == 1
    acts = db.session().scalars(select(JournalEntry).where(JournalEntry.action == "costs.declared")).all()
    assert [act.details["before"] is None for act in acts] == [True, False]
    assert acts[1].details["before"]["loss_points"] == 300


def test_an_unsealed_row_hides_its_cell_until_it_is_counted(world: World, trade: Trade) -> None:
    """Else the page would differ by one household's money between one look and the next."""
    a_year(trade, world, payees=5)
    with clock.at(at(11)):
        assert told(world).basis == shares.KNOWN
    members = trade.members(GREENS, world.villages["greens_home"])
    with clock.at(at(10, 26)):
        paid(trade, world, members[5:6], 80)
    with clock.at(at(11)):
        assert told(world).basis == shares.FEW  # not sealed yet: it may still change
        sealing.seal_all()
        assert told(world).points == 2400


def test_units_are_named_while_they_agree(world: World, trade: Trade) -> None:
    home, manager = world.villages["greens_home"], world.person("admin.qian")
    a_year(trade, world, payees=6)
    with clock.at(at(11)):
        figures = village.read([home])
        assert (figures.buyers, figures.unnamed) == ([], 1)
        for _twice in range(2):
            with db.transaction():
                naming.set_named(True, manager)
        figures = village.read([home])
        assert (figures.buyers, figures.unnamed) == (["永州演示第一小学"], 0)
        with db.transaction():
            assert naming.set_named(False, manager)
        assert village.read([home]).buyers == []
    assert naming.is_named(world.organisation_id(SCHOOL)) is False
    assert db.session().scalar(select(func.count()).select_from(NamedUnit)) == 0
    acts = db.session().scalars(select(JournalEntry.action).where(JournalEntry.action.like("unit.%named"))
                                .order_by(JournalEntry.id)).all()
    assert acts == ["unit.named", "unit.unnamed"]


def test_the_page_of_a_village_counts_what_it_was_before(world: World, trade: Trade) -> None:
    home = world.villages["greens_home"]
    a_year(trade, world, payees=6)
    with clock.at(at(11)):
        before = village.read([home])
        assert before.purchase_fen == 2_000 and before.households == 6 and before.accepted_grams == 10_000
        assert dict(before.months)["2026-08"] == 800 and len(before.months) == 12 and before.head
        with db.transaction():
            renamed = villages.rename(home, "新名村", clock.today(), "更名", world.person("official.jin"),
                                      (linkages.follow_village,))
        assert village.read([renamed.id]).purchase_fen == 0
        after = village.read([renamed.id, home])
        assert (after.purchase_fen, after.households, after.lines) == (2_000, 6, before.lines)


def test_the_public_report_tells_the_share_in_whole_percent_and_few_instead(world: World, trade: Trade) -> None:
    a_year(trade, world, payees=4)
    with clock.at(at(11)):
        filled = fill(village_income.REPORT, Asked("2026-10", "2026-10"), PUBLIC, demo=False)
    row = filled.content.rows[0]
    assert row.values["farmers_share"] is None and row.instead["farmers_share"] == "不足 5"
    assert row.values["households"] == 6
