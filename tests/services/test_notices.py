"""What the other side hears: once for each deed, however often the handler runs."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, url_for
from sqlalchemy import func, select, text, update

from catalog import jobs as catalog_jobs
from market import clock, db, notices, outbox, worker
from market.notices import Notice
from market.outbox import OutboxMessage
from market.parties import Organisation
from orders import jobs
from orders.buying import approval
from tests.trade import Trade
from tests.world import GREENS, NOON, POMELO, SCHOOL, World

COOP = "石家合作社"


def told(world: World, key: str) -> list[str]:
    return [row.kind for row in notices.newest(world.organisation_id(key))]


def test_each_side_hears_of_what_the_other_did(world: World) -> None:
    with clock.at(NOON):
        trade = Trade(world)
        cabbage = trade.product("白菜")
        trade.lot(cabbage)
        placed = trade.place({cabbage: 10_000})
        order = trade.orders(placed)[0]
        trade.ship(order.id)
        trade.accept(order.id)
        trade.pay(order.id, 2_000, confirmed=False)
        outbox.drain(jobs.HANDLERS)
        assert told(world, GREENS) == ["payment.claimed", "order.placed"]
        assert told(world, SCHOOL) == ["order.shipped"]
        assert told(world, POMELO) == []
        assert notices.newest(world.organisation_id(GREENS))[1].details == {
            "unit": "永州演示第一小学", "number": order.number, "yuan": "20.00", "day": "2026-10-13"}


def test_a_message_handled_twice_tells_once(world: World) -> None:
    with clock.at(NOON):
        trade = Trade(world)
        cabbage = trade.product("白菜")
        trade.lot(cabbage)
        placed = trade.place({cabbage: 10_000})
        for _ in range(2):  # the second time stands for a worker that died after the deed
            jobs.purchase_placed({"purchase_id": placed.id})
        assert told(world, GREENS) == ["order.placed"]


def test_the_cooperative_hears_of_a_large_purchase_when_it_is_approved(world: World) -> None:
    with clock.at(NOON):
        trade = Trade(world)
        cabbage = trade.product("白菜")
        trade.lot(cabbage)
        with db.transaction() as session:
            session.execute(update(Organisation).where(Organisation.id == world.organisation_id(SCHOOL))
                            .values(approval_limit_fen=100))
        placed = trade.place({cabbage: 10_000})
        outbox.drain(jobs.HANDLERS)
        assert (told(world, SCHOOL), told(world, GREENS)) == (["purchase.waiting"], [])
        with db.transaction():
            approval.approve(placed.id, None, world.person("head.li"))
        outbox.drain(jobs.HANDLERS)
        assert told(world, GREENS) == ["order.placed"]


def test_news_is_read_in_the_readers_language_and_ticked_off(world: World) -> None:
    with clock.at(NOON), db.transaction():
        notices.tell(world.organisation_id(SCHOOL), "order.shipped", 1, {"supplier": COOP, "number": "S2611-0001"})
        notices.tell(world.organisation_id(GREENS), "order.shipped", 1, {"supplier": COOP, "number": "S2611-0002"})
    cook = world.logged_in("cook.chen")
    assert "石家合作社 has shipped order S2611-0001." in cook.get("/notices?lang=en").text
    page = cook.get("/notices?lang=zh").text
    assert "石家合作社已发出订单 S2611-0001。" in page
    assert "S2611-0002" not in page
    shown = notices.newest(world.organisation_id(SCHOOL))[0].id
    with db.transaction():
        notices.tell(world.organisation_id(SCHOOL), "order.shipped", 2, {"supplier": COOP, "number": "S2611-0003"})
    assert cook.post("/notices/read", data={"up_to": shown, **token(page)}).status_code == 303
    assert notices.unread(world.organisation_id(SCHOOL)) == 1  # the third came after the page was opened
    assert notices.unread(world.organisation_id(GREENS)) == 1


def test_every_kind_of_news_leads_to_its_page(app: Flask) -> None:
    with app.test_request_context():
        for name, kind in jobs.KINDS.items():
            arguments: dict[str, Any] = {kind.argument: 7}
            assert "/7" in url_for(kind.endpoint, **arguments), name


def token(page: str) -> dict[str, str]:
    return {"csrf_token": page.split('name="csrf_token" value="', 1)[1].partition('"')[0]}


def test_one_turn_of_the_worker_does_every_job_and_makes_the_host_ready(app: Flask, world: World) -> None:
    with clock.at(NOON):
        trade = Trade(world)
        cabbage = trade.product("白菜")
        trade.lot(cabbage)
        order = trade.orders(trade.place({cabbage: 10_000}))[0]
        trade.ship(order.id)
        trade.accept(order.id)
    with clock.at(NOON + timedelta(hours=1)):
        assert not_ready(app) == {"outbox", "ledger", "search"}
        worker.run_once(app)
        assert not_ready(app) == set()
    waiting = select(func.count()).select_from(OutboxMessage).where(OutboxMessage.done_at.is_(None))
    assert db.session().scalar(waiting) == 0
    assert db.session().scalar(select(func.count()).select_from(Notice)) == 2


def test_a_host_is_not_ready_on_an_older_database(app: Flask, world: World) -> None:
    worker.run_once(app)
    with db.transaction() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    assert not_ready(app) == {"migrations"}


def not_ready(app: Flask) -> set[str]:
    answer = app.test_client().get("/readyz")
    assert answer.status_code == (503 if answer.get_json()["problems"] else 200)
    return set(answer.get_json()["problems"])


def test_a_failing_job_does_not_keep_the_others(app: Flask, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with clock.at(NOON), db.transaction():
        outbox.enqueue("order.shipped", {"order_id": 404_404})  # no such order: its handler raises
    monkeypatch.setattr(app, "extensions", {**app.extensions, "sijin_jobs": (
        worker.Job("broken", lambda: 1 // 0, seconds=1), *app.extensions["sijin_jobs"])})
    worker.run_once(app)
    assert (Path(app.extensions["sijin"].search_dir) / catalog_jobs.LEVEL).exists()
    row = db.session().execute(select(OutboxMessage.attempts, OutboxMessage.last_error, OutboxMessage.done_at)).one()
    assert (row.attempts, row.done_at) == (1, None)
    assert "NoResultFound" in row.last_error


def test_the_figures_count_requests_and_what_waits_and_name_nobody(app: Flask, world: World) -> None:
    with clock.at(NOON), db.transaction():
        outbox.enqueue("order.shipped", {"order_id": 1})
    browser = app.test_client()
    browser.get("/healthz")
    figures = browser.get("/metrics").text
    assert 'sijin_requests_total{endpoint="site.healthz",method="GET",status="200"}' in figures
    assert "sijin_outbox_waiting 1.0" in figures
    assert "sijin_ledger_unsealed 0.0" in figures
    labels = set(re.findall(r'(\w+)="', figures))
    assert labels <= {"endpoint", "method", "status", "le"}
