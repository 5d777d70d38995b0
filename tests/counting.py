"""How many statements a page costs."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask
from sqlalchemy import event

from market import db, settings


@contextmanager
def count_statements(app: Flask) -> Iterator[list[str]]:
    """The statements sent to the database while this is open, without BEGIN and its like."""
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if not statement.lstrip().upper().startswith(("BEGIN", "PRAGMA")):
            statements.append(statement)

    with app.app_context():
        keep_the_demo_flag()
        engine = db.db.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(engine, "before_cursor_execute", note)


def keep_the_demo_flag() -> None:
    """Begin the minute it is kept anew, so that it cannot end between two pages whose statements are compared."""
    settings._kept.clear()
    settings.demo_flag()
