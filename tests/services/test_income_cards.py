"""Income cards: every household's rows add up to its village in the ledger; late rows, minus rows, estimates."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from flask import Flask
from sqlalchemy import select

from catalog import lots
from catalog.lot_parts import Contribution
from catalog.models import Category
from market import clock, db, sealing
from market.errors import NotFound
from market.households import Household
from market.ledger import LedgerTransfer
from orders.delivering import returns
from orders.delivering.acceptance import Taken
from orders.households import cards, costs, lines, lists, years
from orders.income import checks, households, presence
from orders.reports import household_income, village_income
from orders.reports.frame import Asked, fill
from orders.reports.readers import WHOLE
from tests.services.test_household_shares import eaten, paid_when_brought
from tests.trade import Trade
from tests.world import GREENS, NOON, TODAY, World

YEAR = 2027  # of which October 2026 is the first month


@pytest.fixture(autouse=True)
def noon(app: Flask) -> Iterator[None]:
    app.extensions.update(sijin_checks=checks.CHECKS, sijin_presence=presence.things_of)
    with clock.at(NOON):
        yield


def a_year(world: World, trade: Trade) -> dict[str, int]:
    """Two lots of cabbage, one paid when brought, a return, wages, dried cabbage, a payout; the goods' ids."""
    home, coop = world.villages["greens_home"], world.organisation_id(GREENS)
    first, second, third = trade.members(GREENS, home)[:3]
    cabbage = trade.product("白菜", price_fen=233, minimum_milli=1, step_milli=1)
    one = trade.lot(cabbage, farm_gate_fen=121, grams=[3_333, 6_667, 10_001], households=[first, second, third],
                    confirmed=False)
    paid_when_brought(trade, one, {first: 300})
    with db.transaction():
        lots.confirm(one, trade.confirmer_of(one))
    for grams in (3_331, 5_334, 1_117):
        order = trade.orders(trade.place({cabbage: grams}))[0].id
        trade.ship(order)
        trade.accept(order)
    trade.lot(cabbage, 40, farm_gate_fen=130)
    dried = trade.product("白菜干", price_fen=4_000)
    raw = trade.lot(cabbage, farm_gate_fen=99, grams=[20_000, 10_000], households=[second, None])
    made = trade.processed(dried, 3_000, {raw: 30_000})
    order = trade.orders(trade.place({dried: 2_000}))[0].id
    trade.ship(order, {trade.lines(order)[0].id: [(made, 2_000)]})
    trade.accept(order)
    order = eaten(trade, cabbage, 9_000)
    trade.wage(GREENS, world.household_id("DEMO-XT-0003"), 8_000)
    trade.pay_out(coop, home, "farm_gate", 150)
    with db.transaction():
        returns.take_back(order, {trade.lines(order)[0].id: 4_000}, "发黄", world.person("store.wang"),
                          world.person("chair.shi"))
    return {"cabbage": cabbage, "dried": dried}


def card(world: World, household: int, year: int = YEAR, by: str = "official.jin") -> cards.Card:
    with db.snapshot():
        return cards.of_area(household, year, world.person(by))


def of_ledger(village: int) -> dict[str, int]:
    """Income of households of a village by kind, straight from the transfers."""
    sums: defaultdict[str, int] = defaultdict(int)
    for row in db.session().execute(select(LedgerTransfer.event, LedgerTransfer.income_kind, LedgerTransfer.amount_fen)
                                    .where(LedgerTransfer.village_id == village)):
        if row.income_kind not in (None, "collective"):
            sums[row.income_kind if row.event != "paid_out" else "paid"] += (
                -row.amount_fen if row.event == "withdrawn" else row.amount_fen)
    return dict(sums)


def test_cards_add_up_to_the_village_in_the_ledger(world: World, trade: Trade) -> None:
    a_year(world, trade)
    home = world.villages["greens_home"]
    ledger = of_ledger(home)
    found = [card(world, household) for household in db.session().scalars(
        select(Household.id).where(Household.village_id == home)).all()]
    for kind in ("farm_gate", "wage"):
        assert sum(one.sums.by_kind[kind] for one in found) == ledger[kind], kind
    assert sum(one.sums.paid_fen for one in found) == ledger["paid"]
    assert all(one.sums.gross_fen == sum(line.amount_fen for line in one.lines) for one in found)
    assert all(one.sums.paid_fen == sum(line.amount_fen for line in one.payouts) for one in found)
    assert all(one.sums.unpaid_fen == one.sums.gross_fen - one.sums.paid_fen for one in found)
    assert any(line.amount_fen < 0 and line.grams is not None and line.grams < 0 for one in found for line in one.lines)
    for line in (line for one in found for line in one.lines if line.goods):
        assert line.grams is not None and line.goods is not None
        assert abs(line.grams * line.goods.fen_per_kg - 1_000 * line.amount_fen) < 2_000, line  # within two fen
    with db.snapshot():
        rows = lists.of_place(home, YEAR)
    assert {row.facts.id: (row.sums.gross_fen, row.sums.grams, row.sums.paid_fen) for row in rows if row.facts} == {
        one.household.id: (one.sums.gross_fen, one.sums.grams, one.sums.paid_fen) for one in found}


def test_the_report_agrees_with_the_village_report_to_the_fen(world: World, trade: Trade) -> None:
    a_year(world, trade)
    for months in (("2026-10", "2026-10"), years.months(YEAR)):
        asked = Asked(*months)
        ours = fill(household_income.REPORT, asked, WHOLE, demo=False).content
        theirs = fill(village_income.REPORT, asked, WHOLE, demo=False).content.totals.values
        for kind in ("farm_gate_fen", "wage_fen", "land_fen", "dividend_fen"):
            assert ours.totals.values[kind] == theirs[kind], kind
        assert ours.totals.values["gross_fen"] == sum(theirs[f"{kind}_fen"] for kind in (
            "farm_gate", "wage", "land", "dividend"))
    text = str([row.values for row in ours.rows])
    assert "DEMO-XT-0001" in text and "XT户" not in text  # codes, never names


def test_grams_of_a_lot_eaten_whole_are_what_each_household_brought(world: World, trade: Trade) -> None:
    first, second = trade.members(GREENS, world.villages["greens_home"])[:2]
    cabbage = trade.product("白菜", price_fen=233, minimum_milli=1, step_milli=1)
    trade.lot(cabbage, farm_gate_fen=121, grams=[3_333, 6_668], households=[first, second])
    for grams in (3_331, 3_334, 3_336):
        order = trade.orders(trade.place({cabbage: grams}))[0].id
        trade.ship(order)
        trade.accept(order)
    assert [card(world, one).sums.grams for one in (first, second)] == [3_333, 6_668]


def test_growers_without_a_name_have_a_row_of_their_own_until_it_follows(world: World, trade: Trade) -> None:
    home, clerk = world.villages["greens_home"], world.person("clerk.zhang")
    first = trade.members(GREENS, home)[0]
    cabbage = trade.product("白菜")
    with db.transaction():
        lot = lots.book(cabbage, TODAY, 10_000, 120, [Contribution(10_000, None, home, unsplit=True)], clerk,
                        best_before=clock.days_after(TODAY, 40)).id
    with db.transaction():
        lots.confirm(lot, trade.confirmer_of(lot))
    eaten(trade, cabbage, 5_000)
    with db.snapshot():
        rows = lists.of_place(home, YEAR)
    assert [(row.facts, row.sums.gross_fen) for row in rows if row.sums.gross_fen] == [(None, 600)]
    with db.transaction():
        lots.split(lot, [Contribution(10_000, first)], clerk)
    assert card(world, first).sums.gross_fen == 600


def test_a_late_entry_counts_in_the_open_month_and_says_so(world: World, trade: Trade) -> None:
    first = trade.members(GREENS, world.villages["greens_home"])[0]
    cabbage = trade.product("白菜")
    with clock.at(datetime(2026, 9, 28, 4, 0, tzinfo=UTC)):
        trade.lot(cabbage, 20)
        order = trade.orders(trade.place({cabbage: 10_000}))[0].id
        trade.ship(order)
        with db.transaction():
            sealing.close_month("2026-09")
        trade.accept(order, [Taken(trade.lines(order)[0].id, grams=10_000)])
    assert card(world, first, 2026).lines == []
    (line,) = card(world, first).lines
    assert (line.is_late, line.day.isoformat(), line.period, line.amount_fen) == (True, "2026-09-28", "2026-10", 600)


def test_net_is_an_estimate_and_not_known_without_a_ratio(world: World, trade: Trade) -> None:
    goods = a_year(world, trade)
    third = trade.members(GREENS, world.villages["greens_home"])[2]
    before = card(world, third)
    assert before.estimate.net_fen is None and before.net_per_head_fen is None and before.sums.gross_fen > 8_000
    with db.transaction():
        costs.put("vegetables", 2_500, 2027, "2026 年测算表", world.person("farm.luo"))
    after = card(world, third)
    farm_gate = after.sums.by_kind["farm_gate"]
    assert after.estimate.net_fen == after.sums.gross_fen - (farm_gate * 2_500 + 5_000) // 10_000
    assert after.sums.gross_fen == before.sums.gross_fen and not after.estimate.shipped
    assert card(world, third, 2026).sums.gross_fen == 0 and goods
    with db.transaction() as session:  # a shelf under one with a shipped default
        grain = Category(code="grain", name_zh="粮食", name_en="Grain", sort=2)
        session.add(grain)
        session.flush()
        session.add(Category(code="rice", name_zh="大米", name_en="Rice", parent_id=grain.id, sort=3))
    rice = costs.holding(2027).of("rice")
    assert rice is not None and (rice.points, rice.shipped) == (4_000, True)
    assert costs.holding(2026).of("vegetables") is None


def test_a_monitoring_line_is_a_note_of_its_county_and_year(world: World, trade: Trade) -> None:
    household = world.household_id("DEMO-JY-0001")
    with db.transaction():
        lines.put(2027, 900_000, "市里文件", world.person("official.jin"))
        lines.put(2027, 850_000, "县里文件", world.person("official.hua"))
        lines.put(2026, 800_000, "县里文件", world.person("official.hua"))
    found = card(world, household).monitoring
    assert found is not None and (found.amount_fen, found.level) == (850_000, "county")
    other = card(world, world.household_id("DEMO-XT-0001")).monitoring
    assert other is not None and (other.amount_fen, other.level) == (900_000, "city")
    assert card(world, household, 2025).monitoring is None


def test_a_co_operative_sees_only_what_it_paid_itself(world: World, trade: Trade) -> None:
    a_year(world, trade)
    third = trade.members(GREENS, world.villages["greens_home"])[2]
    with db.snapshot():
        own = cards.of_member(third, YEAR, world.person("clerk.zhang"))
    assert own.sums.gross_fen == card(world, third).sums.gross_fen and own.household.head_name == "XT户3"
    with pytest.raises(NotFound), db.snapshot():
        cards.of_member(third, YEAR, world.person("clerk.lv"))
    assert households.entries(supplier_id=world.person("clerk.lv").organisation_id, household_id=third) == []
