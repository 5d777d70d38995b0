"""Money that comes in: a webhook answered, a bank statement taken in, a night's reconciliation; medians, statements.

Fixed amounts of work, one after the other, in one process on the site's own database.
"""

import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import stripe
import structlog
from flask import Flask

from market import clock, db
from orders.banking import columns, table, taking
from orders.reconciling import night
from tests import bank_tables, databases, stand_in
from tests.counting import count_statements
from tests.reconciled import Bookkeeper, pay_many
from tests.trade import Trade
from tests.world import GREENS, World
from wsgi import create_app

BELLS, TIMES, ROWS = 200, 3, 1_000
Work = Callable[[], object]


def report(backend: str, url: str, folder: Path) -> None:
    """Print a row for each."""
    app = create_app(databases.settings(url, folder))
    with app.app_context():
        world = World(app)
        provider = stand_in.StandIn(stand_in._provider())
        account = provider.account(GREENS)
        print(f"\n{backend}: money, one process")
        structlog.configure(processors=[_say_nothing])
        _row(app, "webhook answered", BELLS, lambda number: _bell(app, account, number))
        _row(app, f"bank statement of {ROWS:,} rows taken in", TIMES, lambda number: _statement(app, world, number))
        paid = pay_many(Trade(world), provider, account, ROWS)
        keeper = Bookkeeper({one.id: one.charge_id for one in paid})
        _row(app, f"reconciliation of {ROWS:,} card payments", TIMES, lambda number: _night(app, keeper, number))
        db.db.session.remove()
        db.db.engine.dispose()


def _say_nothing(*_entry: object) -> NoReturn:
    """A line for every request would hide the rows."""
    raise structlog.DropEvent


def _row(app: Flask, name: str, times: int, prepared: Callable[[int], Work]) -> None:
    took, sent = [], []
    for number in range(times):
        work = prepared(number)
        with count_statements(app) as statements:
            start = time.perf_counter()
            work()
            took.append((time.perf_counter() - start) * 1000)
        sent.append(len(statements))
    print(f"  {name:<42}p50 {statistics.median(took):>9.1f} ms  {statistics.median(sent):.0f} statements", flush=True)


def _bell(app: Flask, account: str, number: int) -> Work:
    body = json.dumps({
        "id": f"evt_{number}", "object": "event", "type": "charge.succeeded", "livemode": False, "account": account,
        "data": {"object": {"id": f"ch_{number}", "object": "charge"}}})
    signature = stripe.WebhookSignature.generate_signature_header(body, databases.CARD_SECRET)
    client = app.test_client()

    def ring() -> None:
        with app.app_context():
            answer = client.post(stand_in.WEBHOOKS, data=body, headers={"Stripe-Signature": signature})
        assert answer.status_code == 200

    return ring


def _statement(app: Flask, world: World, number: int) -> Work:
    """From the bytes of the file to rows with their state; none is known from the time before."""
    content = bank_tables.csv_of(*(bank_tables.line(f"{row + 1}.00", "菜款", serial=f"{number}-{row}",
                                                    day=clock.today().isoformat()) for row in range(ROWS)))
    chair = world.person("chair.shi")
    db.session().rollback()

    def take() -> None:
        opened = table.open_table(content)
        chosen = columns.guess(opened.headings)
        read = table.read(opened, chosen)
        with db.transaction():
            mapping = taking.remember(opened.signature, chosen, "演示农商行", chair)
            kept = taking.keep(content, f"{number}.csv", chair, app.extensions["sijin"].files_dir)
            taking.take(kept, read, mapping, chair)

    return take


def _night(app: Flask, keeper: Bookkeeper, number: int) -> Work:
    with db.transaction():
        run_id = night.begin("card", f"bench {number}")
    assert run_id is not None
    return lambda: night.run(run_id, app.extensions["sijin_gateway"], keeper.hands, app.extensions["sijin"].files_dir)
