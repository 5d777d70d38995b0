"""Sales and income by village: a told story to the fen, months that end at midnight in Shanghai, few statements."""

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event

from catalog import lots
from market import clock, db, sealing
from market.errors import InvalidInput, NotFound
from orders.delivering import returns
from orders.delivering.acceptance import Taken
from orders.income import payouts, presence
from orders.reports import village_income, village_lines
from orders.reports.disclosure import NotYetOver
from orders.reports.frame import Asked, Filled, as_json, fill
from orders.reports.readers import PUBLIC, WHOLE, Reader, reader_of
from tests.trade import Trade
from tests.world import GREENS, NOON, POMELO, World

LAST_OF_OCTOBER = datetime(2026, 10, 31, 15, 59, tzinfo=UTC)  # a minute before midnight in Shanghai
FIRST_OF_NOVEMBER = datetime(2026, 10, 31, 16, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def things_are_counted(app: Flask) -> Iterator[None]:
    app.extensions["sijin_presence"] = presence.things_of
    with clock.at(NOON):
        yield


def read(first: str = "2026-10", last: str | None = None, reader: Reader = WHOLE, **more: Any) -> Filled:
    return fill(village_income.REPORT, Asked(first, last or first, **more), reader, demo=False)


def row(filled: Filled, village: str) -> dict[str, Any]:
    return next(r.values for r in filled.content.rows if r.values["village"] == village)


def names(world: World) -> dict[str, str]:
    with db.snapshot():
        places = village_income._places(world.villages.values())
    return {key: places[village].name for key, village in world.villages.items()}


def test_a_month_of_cabbage_told_to_the_fen(world: World, trade: Trade) -> None:
    home, coop = world.villages["greens_home"], world.organisation_id(GREENS)
    trade.agree_collective(GREENS, home, 300)
    cabbage = trade.product("白菜", price_fen=200, certified=True)
    trade.lot(cabbage, 100, farm_gate_fen=120)
    order = trade.orders(trade.place({cabbage: 10_000}))[0]
    trade.ship(order.id)
    line = trade.lines(order.id)[0]
    trade.accept(order.id, [Taken(line.id, grams=9_500)])  # 19.00 yuan; 11.40 at the farm gate, 0.57 to the collective
    trade.wage(GREENS, world.household_id("DEMO-XT-0003"), 8_000)
    trade.pay(order.id, 1_500)
    trade.pay_out(coop, home, "farm_gate", 1_000)
    values = row(read(), names(world)["greens_home"])
    assert {key: values[key] for key in ("products", "orders", "accepted_grams", "purchase_fen", "certified_fen",
                                         "returned_fen", "received_fen", "unpaid_fen")} == {
        "products": 1, "orders": 1, "accepted_grams": 9_500, "purchase_fen": 1_900, "certified_fen": 1_900,
        "returned_fen": 0, "received_fen": 1_500, "unpaid_fen": 400}
    assert [values[f"{kind}_fen"] for kind in ("farm_gate", "wage", "land", "dividend", "collective", "income")] == [
        1_140, 8_000, 0, 0, 57, 9_197]
    assert values["households"] == 3 and values["people"] == 2 + 3 + 4
    assert values["per_household_fen"] == 3_047 and values["per_head_fen"] == 1_016  # 91.40 yuan over 3 and 9
    assert values["income_ratio"] == 48_405 and values["farmers_share"] is None


def test_what_is_sent_back_and_paid_later_counts_in_its_own_month(world: World, trade: Trade) -> None:
    cabbage = trade.product("白菜", price_fen=200, certified=True)
    trade.lot(cabbage, 100, farm_gate_fen=120)
    order = trade.orders(trade.place({cabbage: 10_000}))[0]
    trade.ship(order.id)
    trade.accept(order.id)
    village = names(world)["greens_home"]
    with clock.at(datetime(2026, 11, 3, 4, 0, tzinfo=UTC)), db.transaction():
        returns.take_back(order.id, {trade.lines(order.id)[0].id: 4_000}, "发黄", world.person("store.wang"),
                          world.person("chair.shi"))
    with clock.at(datetime(2026, 12, 3, 4, 0, tzinfo=UTC)):
        trade.pay(order.id, 1_200)
    october, november, december = (row(read(month), village) for month in ("2026-10", "2026-11", "2026-12"))
    assert (october["purchase_fen"], october["farm_gate_fen"], october["unpaid_fen"]) == (2_000, 1_200, 2_000)
    assert (november["purchase_fen"], november["returned_fen"], november["farm_gate_fen"]) == (-800, 800, -480)
    assert (november["certified_fen"], november["accepted_grams"], november["income_ratio"]) == (-800, 0, None)
    assert (december["received_fen"], december["unpaid_fen"]) == (1_200, -1_200)
    whole = row(read("2026-10", "2026-12"), village)
    for key in ("purchase_fen", "received_fen", "unpaid_fen", "farm_gate_fen", "certified_fen", "accepted_grams"):
        assert whole[key] == october[key] + november[key] + december[key], key


def test_a_month_ends_at_midnight_in_shanghai(world: World, trade: Trade) -> None:
    cabbage = trade.product("白菜")
    trade.lot(cabbage, 100)
    orders = [trade.orders(trade.place({cabbage: 10_000}))[0] for _ in range(2)]
    for order, moment in zip(orders, (LAST_OF_OCTOBER, FIRST_OF_NOVEMBER), strict=True):
        with clock.at(moment):
            trade.ship(order.id)
            trade.accept(order.id)
    village = names(world)["greens_home"]
    for sealed in (False, True):
        if sealed:
            sealing.seal_all()
        assert [row(read(month), village)["orders"] for month in ("2026-10", "2026-11")] == [1, 1]
        assert row(read("2026-10", "2026-11"), village)["orders"] == 2


def test_money_paid_ahead_is_received_when_the_goods_are_accepted(world: World, trade: Trade) -> None:
    cabbage = trade.product("白菜")
    trade.lot(cabbage, 100)
    order = trade.orders(trade.place({cabbage: 10_000}))[0]
    trade.pay(order.id, 2_000)
    assert read().content.rows == []
    with clock.at(FIRST_OF_NOVEMBER):
        trade.ship(order.id)
        trade.accept(order.id)
    assert read("2026-10").content.rows == []
    values = row(read("2026-11"), names(world)["greens_home"])
    assert (values["received_fen"], values["unpaid_fen"]) == (2_000, 0)


def test_processed_goods_count_for_the_villages_of_their_inputs_and_an_own_base_has_no_households(
        world: World, trade: Trade) -> None:
    taro = trade.product("香芋", POMELO, price_fen=900)
    mash = trade.product("芋泥", POMELO, price_fen=2_000, unit="瓶", grams_per_unit=500, by_weight=False,
                         minimum_milli=1_000, step_milli=1_000)
    home = trade.lot(taro, 30, farm_gate_fen=400)
    base = trade.lot(taro, 10, farm_gate_fen=400, village="pomelo_next", households=[None], confirmed=False)
    with db.transaction():
        lots.confirm(base, world.person("township.yan"))
    trade.processed(mash, 20_000, {home: 30_000, base: 10_000})
    order = trade.orders(trade.place({mash: 40_000}))[0]
    trade.ship(order.id)
    trade.accept(order.id)
    filled, called = read(), names(world)
    first, second = row(filled, called["pomelo_home"]), row(filled, called["pomelo_next"])
    assert (first["purchase_fen"], first["farm_gate_fen"], first["households"]) == (60_000, 12_000, 2)
    assert (second["purchase_fen"], second["farm_gate_fen"], second["households"]) == (20_000, 0, 0)
    assert second["per_household_fen"] is None
    assert filled.content.totals.values["purchase_fen"] == 80_000
    assert filled.content.totals.values.get("orders") is None
    assert any("1" in note and "去重" in note for note in filled.notes)


def test_the_farmers_share_is_known_after_three_months_of_purchases(world: World, trade: Trade) -> None:
    cabbage = trade.product("白菜", price_fen=200)
    trade.lot(cabbage, 100, farm_gate_fen=120)
    home, coop, village = world.villages["greens_home"], world.organisation_id(GREENS), names(world)["greens_home"]
    for month, known in ((8, None), (9, None), (10, 3_000)):
        with clock.at(datetime(2026, month, 12, 4, 0, tzinfo=UTC)):
            order = trade.orders(trade.place({cabbage: 10_000}))[0]
            trade.ship(order.id)
            trade.accept(order.id)
            trade.pay_out(coop, home, "farm_gate", 600)
            assert row(read(f"2026-{month:02d}"), village)["farmers_share"] == known
    assert row(read("2026-10"), village)["income_ratio"] == 6_000


def test_every_figure_is_the_sum_of_the_documents_behind_it(world: World, trade: Trade) -> None:
    test_what_is_sent_back_and_paid_later_counts_in_its_own_month(world, trade)
    trade.wage(GREENS, world.household_id("DEMO-XT-0001"), 700)
    sealing.seal(limit=3)
    village = str(world.villages["greens_home"])
    values = row(read("2026-10", "2026-12"), names(world)["greens_home"])
    for column in village_income.COLUMNS:
        if column.opens:
            asked = Asked("2026-10", "2026-12", village=village)
            lines = fill(village_lines.report_of(column.key), asked, WHOLE, demo=False)
            assert lines.content.totals.values.get(column.key, 0) == values[column.key], column.key
            texts = {str(v) for r in lines.content.rows for v in r.values.values()}
            assert not any("户" in text for text in texts), "a household's name"
    for key in ("income_ratio", "county", "nothing"):
        with pytest.raises(NotFound):
            village_lines.report_of(key)


def test_villages_without_figures_appear_only_when_asked_for(world: World, trade: Trade) -> None:
    assert read().content.rows == []
    all_of_township = read(every=True, reader=reader_of(world.person("township.yan"))).content.rows
    assert len(all_of_township) > 5 and all(r.values["purchase_fen"] == 0 for r in all_of_township)


def test_months_and_places_out_of_bounds_are_refused(world: World) -> None:
    with pytest.raises(InvalidInput):
        read("2026-11", "2026-10")
    with pytest.raises(InvalidInput):
        read("2016-01", "2026-10")
    with pytest.raises(InvalidInput):
        read("2026-09", "2026-10", PUBLIC)
    for reader, code in ((WHOLE, "999999000000"), (reader_of(world.person("official.hua")), "431128000000")):
        with pytest.raises(NotFound):
            read(county=code, reader=reader)


def test_the_number_of_statements_does_not_follow_the_number_of_orders(world: World, trade: Trade) -> None:
    cabbage = trade.product("白菜")
    taro = trade.product("香芋", POMELO)
    trade.lot(cabbage, 200)
    trade.lot(taro, 200)
    counts = []
    for orders in (1, 9):
        for _ in range(orders):
            for order in trade.orders(trade.place({cabbage: 1_000, taro: 1_000})):
                trade.ship(order.id)
                trade.accept(order.id)
        counts.append([_counted(read), _counted(public)])
    sealing.seal_all()
    sealed = [_counted(read), _counted(public)]
    assert counts[0] == counts[1]
    assert max(*counts[1], *sealed) <= 32


def _counted(work: Any) -> int:
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        seen.append(statement)

    event.listen(db.db.engine, "before_cursor_execute", note)
    try:
        work()
    finally:
        event.remove(db.db.engine, "before_cursor_execute", note)
    return len(seen)


def sold(trade: Trade, product_id: int, kg: int = 10) -> int:
    """An order shipped and accepted in full; returns its id."""
    order = trade.orders(trade.place({product_id: kg * 1_000}))[0]
    trade.ship(order.id)
    trade.accept(order.id)
    return order.id


def public(month: str = "2026-10", **more: Any) -> Filled:
    """What everybody reads of a month on the first day after it."""
    with clock.at(FIRST_OF_NOVEMBER):
        return read(month, reader=PUBLIC, **more)


def test_the_public_learns_no_income_behind_few_households(world: World, trade: Trade) -> None:
    members = trade.members(GREENS, world.villages["greens_home"])
    cabbage, taro = trade.product("白菜"), trade.product("香芋", POMELO)
    trade.lot(cabbage, 50, households=list(members[:4]))
    trade.lot(taro, 50, households=list(trade.members(POMELO, world.villages["pomelo_home"])[:5]))
    sold(trade, cabbage)
    sold(trade, taro)
    filled, called = public(), names(world)
    few, enough = row(filled, called["greens_home"]), row(filled, called["pomelo_home"])
    income = [c.key for c in filled.content.columns if c.income]
    assert all(few[key] is None for key in income) and few["purchase_fen"] == 2_000
    assert enough["household_fen"] == enough["income_fen"] == 1_200 and enough["households"] == 5
    totals = filled.content.totals.values
    assert totals["purchase_fen"] == 4_000
    assert totals["income_fen"] == totals["household_fen"] == 1_200 and totals["households"] == 5
    assert "income_ratio" not in totals
    assert filled.content.months == []
    for descending in (False, True):
        ordered = public(sort="income_fen", descending=descending).content.rows
        assert [r.values["village"] for r in ordered][-1] == called["greens_home"]
    assert read(reader=WHOLE).content.totals.values["income_fen"] == 2_400


def test_one_households_rent_among_many_growers_stays_in_the_one_total(world: World, trade: Trade) -> None:
    cabbage = trade.product("白菜")
    trade.lot(cabbage, 50, households=list(trade.members(GREENS, world.villages["greens_home"])[:6]))
    sold(trade, cabbage)
    trade.wage(GREENS, world.household_id("DEMO-XT-0003"), 77_700, kind="land")
    kinds = {f"{kind}_fen" for kind in ("farm_gate", "wage", "land", "dividend")}
    filled = public()
    assert not kinds & {c.key for c in filled.content.columns} and not kinds & filled.content.totals.values.keys()
    shown = as_json(filled)
    assert "77700" not in str(shown["rows"]) + str(shown["totals"])
    assert [(r["household_fen"], r["collective_fen"], r["income_fen"]) for r in shown["rows"]] == [(78_900, 0, 78_900)]
    officials = read(reader=WHOLE)
    assert kinds < {c.key for c in officials.content.columns}
    assert "household_fen" not in {c.key for c in officials.content.columns}
    assert row(officials, names(world)["greens_home"])["land_fen"] == 77_700


def test_the_public_reads_a_month_once_it_is_over(world: World, trade: Trade) -> None:
    for moment, month, is_over in ((LAST_OF_OCTOBER, "2026-10", False), (LAST_OF_OCTOBER, "2026-11", False),
                                   (LAST_OF_OCTOBER, "2026-09", True), (FIRST_OF_NOVEMBER, "2026-10", True)):
        with clock.at(moment), (nullcontext() if is_over else pytest.raises(NotYetOver)):
            read(month, reader=PUBLIC)
            assert read(month, reader=WHOLE) is not None


def test_growers_whose_goods_all_came_back_do_not_stand_behind_the_rest(world: World, trade: Trade) -> None:
    members = trade.members(GREENS, world.villages["greens_home"])
    cabbage, carrot = trade.product("白菜"), trade.product("萝卜")
    trade.lot(cabbage, 50, households=list(members[:1]))
    trade.lot(carrot, 50, households=list(members[1:5]))
    sold(trade, cabbage)
    order_id = sold(trade, carrot)
    called = names(world)["greens_home"]
    assert row(public(), called)["household_fen"] == 2_400
    line = trade.lines(order_id)[0].id

    def sent_back(milli: int) -> None:
        with db.transaction():
            returns.take_back(order_id, {line: milli}, "发黄", world.person("store.wang"), world.person("chair.shi"))

    sent_back(6_000)  # the four still earned something
    assert row(public(), called)["household_fen"] == 1_680
    sent_back(4_000)
    for _sealed in (False, True):
        values = row(public(), called)
        assert all(values[c.key] is None for c in public().content.columns if c.income)
        assert row(read(reader=WHOLE), called)["households"] == 5
        sealing.seal_all()


def paid(trade: Trade, world: World, households: Sequence[int], fen: int = 100) -> None:
    """One payout of farm-gate income with a line for each household."""
    village, proof = world.villages["greens_home"], trade.proof()
    with db.transaction():
        payouts.pay(village, "farm_gate", [(household, fen) for household in households], clock.today(), proof,
                    world.person("chair.shi"), world.person("village.cao"))


@pytest.mark.parametrize(("payees", "share"), [(5, 800), (4, None)])
def test_the_public_reads_a_farmers_share_only_where_enough_were_paid(
        world: World, trade: Trade, payees: int, share: int | None) -> None:
    members = trade.members(GREENS, world.villages["greens_home"])
    cabbage = trade.product("白菜", price_fen=200)
    trade.lot(cabbage, 100, households=list(members[:6]))
    for month in (8, 9, 10):
        with clock.at(datetime(2026, month, 12, 4, 0, tzinfo=UTC)):
            sold(trade, cabbage)
            if month == 10:
                paid(trade, world, members[:payees], 500 // payees)
    sealing.seal_all()
    village = names(world)["greens_home"]
    assert row(public(), village)["farmers_share"] == share
    assert row(read(reader=WHOLE), village)["farmers_share"] == 833
