"""Of the rooms of money: reading changes nothing, and no deed is done for a page of somebody else's."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from flask import Flask
from sqlalchemy import event

from market import access, db
from tests.web import test_access_matrix as matrix
from tests.web.test_access_matrix import Caller, Things
from tests.web.test_access_matrix import noon as noon
from tests.web.test_access_matrix import sides as sides
from tests.world import World

pytestmark = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
ROOMS = {"paying", "cards", "village_cards", "receipts", "refunds", "payment_settings", "banking", "agency", "accounts",
         "fees", "reconciliation", "overdue", "village_overdue", "office_overdue", "statements"}
PEOPLE = ("cashier.sun", "admin.qian", "chair.shi", "clerk.zhang", "books.dong", "official.jin", "auditor.wei",
          "system.tao")


@contextmanager
def written(app: Flask) -> Iterator[list[str]]:
    """Statements that are no reading."""
    found: list[str] = []

    def heard(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        if not statement.lstrip().upper().startswith(("SELECT", "WITH", "BEGIN", "PRAGMA", "SAVEPOINT", "SET")):
            found.append(statement)

    with app.app_context():
        engine = db.db.engine
    event.listen(engine, "before_cursor_execute", heard)
    try:
        yield found
    finally:
        event.remove(engine, "before_cursor_execute", heard)


def test_reading_a_page_twice_writes_nothing(app: Flask, world: World, sides: tuple[Things, Things]) -> None:
    wrong = []
    read = 0
    for login in PEOPLE:
        caller, visitor = Caller(world, login, app), world.person(login)
        own, foreign = matrix.own_and_foreign(login, sides)
        for rule, method in matrix.routes(app):
            verb = app.view_functions[rule.endpoint].access
            if method != "GET" or rule.endpoint.split(".")[0] not in ROOMS or not access.can(visitor, verb):
                continue
            with written(app) as statements:
                for things in (own, own, foreign or own):
                    caller.ask(rule, "GET", things)
            read += 1
            if statements:
                wrong.append(f"{login} {rule}: {statements}")
    assert "\n".join(wrong) == ""
    assert read > 80


def test_no_deed_without_the_mark_of_a_page_of_ours(app: Flask, world: World, sides: tuple[Things, Things]) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    wrong = []
    for login in PEOPLE:
        caller, visitor = Caller(world, login, app), world.person(login)
        own, _foreign = matrix.own_and_foreign(login, sides)
        for rule, method in matrix.routes(app):
            verb = app.view_functions[rule.endpoint].access
            if method != "POST" or rule.endpoint.split(".")[0] not in ROOMS or not access.can(visitor, verb):
                continue
            with written(app) as statements:
                status = caller.ask(rule, "POST", own).status_code
            if status != 400 or statements:
                wrong.append(f"{login} {rule}: {status} {statements}")
    assert "\n".join(wrong) == ""
