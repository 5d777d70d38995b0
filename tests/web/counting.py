"""Counting what a page asks of the database."""

from flask.testing import FlaskClient
from sqlalchemy import event

from market import db
from tests.counting import keep_the_demo_flag


def statements(client: FlaskClient, path: str) -> int:
    """How many SELECTs a page needs; it must open. Asked twice: what is kept for seconds is then kept."""
    keep_the_demo_flag()
    client.get(path)
    seen: list[str] = []

    def note(_connection, _cursor, statement, *_rest) -> None:
        seen.append(statement)

    listen = (db.db.engine, "before_cursor_execute", note)
    event.listen(*listen)
    try:
        assert client.get(path).status_code == 200, path
    finally:
        event.remove(*listen)
    return sum(one.lstrip().upper().startswith(("SELECT", "WITH")) for one in seen)
