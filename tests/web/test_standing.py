"""Standing orders over HTTP: drawn up, changed, approved, paused, and their history."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from market import clock, db
from orders.models import Purchase
from orders.standing.models import StandingPlan, StandingRun
from tests.counting import count_statements
from tests.standing_plans import a_plan, content_of, plan, runs_of, set_limit, set_price, work
from tests.trade import Trade
from tests.web.forms import send
from tests.world import NOON, TODAY, World

AT_FOUR = NOON + timedelta(hours=4)
TUESDAY = TODAY + timedelta(days=1)


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    with clock.at(NOON):
        yield


@pytest.fixture
def cabbage(trade: Trade) -> int:
    product = trade.product("白菜", price_fen=200)
    trade.lot(product, 1_000)
    return product


def form(world: World, lines: list[dict[str, str]], **changes: str) -> dict[str, str]:
    """The edit form as a browser sends it."""
    sent = {f"lines-{n}-{name}": value for n, line in enumerate(lines) for name, value in line.items()}
    return sent | {"name": "一周的菜", "delivery_point_id": str(world.delivery_point_id()), "delivery_window": "dawn",
                   "fund_source": "canteen", "days_ahead": "1", "cut_off_hour": "16",
                   "first_day": TUESDAY.isoformat(), "last_day": "2027-01-31", "skip_holidays": "1",
                   "year_limit_fen": ""} | changes


def test_drawn_up_from_a_past_purchase_changed_and_started(world, trade, cabbage):
    bought = trade.place({cabbage: 10_000})
    client = world.logged_in("cook.chen")
    begun = send(client, "/standing-orders", "/standing-orders/new", name="白菜", purchase_id=bought.id)
    assert begun.status_code == 303
    plan_id = db.session().scalars(select(StandingPlan.id)).one()
    assert begun.location == f"/standing-orders/{plan_id}/edit"
    assert content_of(plan_id).lines[0].quantities == (10_000,) * 5 + (0, 0)
    assert content_of(plan_id).lines[0].ceiling_fen == 220
    page = client.get(begun.location).text
    assert 'name="lines-0-mon" value="10"' in page and 'value="2.20"' in page
    saved = send(client, f"/standing-orders/{plan_id}", begun.location, **form(world, [
        {"product_id": str(cabbage), "ceiling_fen": "2.50", "mon": "5", "sat": "7.5", "tue": ""}]))
    assert saved.location == f"/standing-orders/{plan_id}"
    assert content_of(plan_id).lines[0].quantities == (5_000, 0, 0, 0, 0, 7_500, 0)
    assert send(client, f"/standing-orders/{plan_id}/start", saved.location).status_code == 303
    shown = client.get("/standing-orders").text
    assert "一周的菜" in shown and "2026-10-19" in shown and "10.00" in shown  # Monday: 5 kg at ¥2.00
    assert "2026-10-18 16:00" in shown


def test_a_weekly_list_may_send_its_goods(world, trade, cabbage):
    client = world.logged_in("cook.chen")
    radish = trade.product("萝卜")
    send(client, "/standing-orders", "/standing-orders/new", name="", **{
        "lines-0-product_id": str(cabbage), "lines-0-quantity_milli": "5", "lines-1-product_id": str(radish),
        "lines-1-quantity_milli": "2.5", "lines-2-product_id": "999999", "lines-2-quantity_milli": "1"})
    plan_id = db.session().scalars(select(StandingPlan.id)).one()
    assert [line.product_id for line in content_of(plan_id).lines] == [cabbage, radish]


def test_what_is_wrong_stands_at_its_field_and_nothing_is_saved(world, cabbage):
    plan_id = a_plan(world, {cabbage: 10_000})
    client, before = world.logged_in("cook.chen"), content_of(plan_id)
    for lines, changes, name in (
            ([{"product_id": str(cabbage), "ceiling_fen": "1", "mon": "0.3"}], {}, "白菜"),
            ([{"product_id": str(cabbage), "ceiling_fen": "x", "mon": "1"}], {}, 'id="lines-0-ceiling_fen"'),
            ([{"product_id": str(cabbage), "ceiling_fen": "1", "mon": "-1"}], {}, 'id="lines-0-mon"'),
            ([{"product_id": str(cabbage), "ceiling_fen": "1", "mon": "1"}], {"last_day": "2026-10-01"}, "last_day"),
            ([{"product_id": str(cabbage), "ceiling_fen": "1", "mon": "1"}], {"cut_off_hour": "24"}, "cut_off_hour"),
            ([], {}, "notice-wrong")):
        refused = send(client, f"/standing-orders/{plan_id}", f"/standing-orders/{plan_id}/edit",
                       **form(world, lines, **changes))
        assert refused.status_code in (404, 409, 422), refused.status_code
        assert name in refused.text
    assert content_of(plan_id) == before


def test_goods_are_found_and_added_one_by_one(world, trade, cabbage):
    plan_id = a_plan(world, {cabbage: 10_000}, start=False)
    radish = trade.product("萝卜", price_fen=100)
    client = world.logged_in("cook.chen")
    page = client.get(f"/standing-orders/{plan_id}/edit?q=萝").text
    assert "萝卜" in page and 'value="1.10"' in page
    added = send(client, f"/standing-orders/{plan_id}/goods", f"/standing-orders/{plan_id}/edit", product_id=radish,
                 quantity_milli="3", ceiling_fen="1.10")
    assert added.status_code == 303
    assert content_of(plan_id).lines[1].quantities == (3_000,) * 5 + (0, 0)
    twice = send(client, f"/standing-orders/{plan_id}/goods", f"/standing-orders/{plan_id}/edit", product_id=radish,
                 quantity_milli="3", ceiling_fen="1.10")
    assert twice.status_code == 422


def test_the_head_approves_once_and_the_cook_never(world, cabbage):
    set_limit(world, 1_000)
    plan_id = a_plan(world, {cabbage: 10_000})
    address, cook, head = f"/standing-orders/{plan_id}", world.logged_in("cook.chen"), world.logged_in("head.li")
    assert f"{address}/approval" not in cook.get(address).text
    page = head.get(address).text
    shown = re.findall(r'name="content_hash" value="(\w+)"', page)[0]
    assert "25.00" in page
    assert cook.post(f"{address}/approval").status_code in (400, 403)
    assert send(head, f"{address}/approval", address, decision="approve", content_hash="0" * 64).status_code == 409
    assert plan(plan_id).state == "waiting"
    assert send(head, f"{address}/approval", address, decision="approve", content_hash=shown).status_code == 303
    with clock.at(AT_FOUR):
        work()
    assert db.session().scalars(select(Purchase.approved_by)).one() == world.person("head.li").id
    assert "李校长" in cook.get(address).text


def test_pause_resume_skip_undo_and_end_by_form(world, cabbage):
    plan_id = a_plan(world, {cabbage: 10_000})
    client, address = world.logged_in("cook.chen"), f"/standing-orders/{plan_id}"

    def press(what: str, **fields: str) -> int:
        return send(client, f"{address}/{what}", address, **fields).status_code

    assert press("skips", day=TUESDAY.isoformat()) == 303
    assert plan(plan_id).next_day == TUESDAY + timedelta(days=1)
    assert f"{address}/skips/undoing" in client.get(address).text
    assert press("skips/undoing", day=TUESDAY.isoformat()) == 303
    assert plan(plan_id).next_day == TUESDAY
    assert press("skips", day="2026-10-17") == 409  # a Saturday
    assert press("pause") == 303
    assert press("pause") == 409
    assert press("resumption") == 303
    assert press("end") == 303
    assert plan(plan_id).state == "ended"
    assert press("resumption") == 409


def test_a_price_that_asks_is_answered_on_the_page(world, trade, cabbage):
    radish = trade.product("萝卜", price_fen=100)
    trade.lot(radish, 1_000)
    plan_id = a_plan(world, {cabbage: 10_000, radish: 1_000})
    set_price(cabbage, 300)
    with clock.at(AT_FOUR):
        work()
        client, address = world.logged_in("cook.chen"), f"/standing-orders/{plan_id}"
        page = client.get(address).text
        assert 'value="raise"' in page and 'value="once"' in page and 'value="drop"' in page
        run_id = db.session().scalars(select(StandingRun.id)).one()
        news = client.get("/notices").text
        assert f"/standing-orders/runs/{run_id}" in news
        assert "3.00" in client.get(f"/standing-orders/runs/{run_id}").text
        assert send(client, f"{address}/prices", address, product_id=cabbage, answer="raise",
                    price_fen="3.00").status_code == 303
        assert 'value="raise"' not in client.get(address).text
    assert content_of(plan_id).lines[0].ceiling_fen == 300


def test_other_units_find_nothing_and_other_roles_only_look(world, cabbage):
    plan_id = a_plan(world, {cabbage: 10_000})
    with clock.at(AT_FOUR):
        work()
    run_id = db.session().scalars(select(StandingRun.id)).one()
    for address in (f"/standing-orders/{plan_id}", f"/standing-orders/{plan_id}/edit",
                    f"/standing-orders/runs/{run_id}"):
        assert world.logged_in("cook.wu").get(address).status_code == 404
    store = world.logged_in("store.wang")
    page = store.get(f"/standing-orders/{plan_id}").text
    assert "/pause" not in page and "/edit" not in page
    assert runs_of(plan_id) == [(TUESDAY.isoformat(), "placed")]


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_page_reads_in_both_languages(world, trade, cabbage, lang):
    plan_id = a_plan(world, {cabbage: 10_000})
    set_price(cabbage, 300)
    with clock.at(AT_FOUR):
        work()
        run_id = db.session().scalars(select(StandingRun.id)).one()
        client = world.logged_in("cook.chen")
        for address in ("", "/new", f"/{plan_id}", f"/{plan_id}/edit", f"/runs/{run_id}"):
            assert client.get(f"/standing-orders{address}?lang={lang}").status_code == 200


def test_the_list_costs_the_same_for_ten_plans_as_for_one(app, world, cabbage):
    client, costs = world.logged_in("cook.chen"), []
    for count in (1, 9):
        for _plan in range(count):
            a_plan(world, {cabbage: 10_000})
        client.get("/standing-orders")
        with count_statements(app) as statements:
            assert client.get("/standing-orders").status_code == 200
        costs.append(len(statements))
    assert costs[0] == costs[1]
    assert db.session().scalar(select(func.count()).select_from(StandingPlan)) == 10
