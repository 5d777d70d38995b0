"""Fixtures every test shares: both databases, a fresh copy for each test, and the world of named people."""

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from catalog import routes as shop_routes
from market import db, limits
from tests import databases, servers
from tests import world as worlds
from tests.stand_in import stand_in as stand_in
from tests.trade import Trade
from wsgi import create_app

BACKENDS = ("sqlite", "postgresql")
_stack = ExitStack()
_apps: dict[str, Flask] = {}


class Browser(FlaskClient):
    """A client whose requests each get a context of their own, as on a server.

    Inside the context that a test holds open, Flask would reuse that one, and with it who was logged in before.
    """

    def open(self, *args: Any, **options: Any) -> TestResponse:
        db.db.session.rollback()  # the test's own reading ends, so that it sees afterwards what the request did
        with self.application.app_context():
            return super().open(*args, **options)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--sqlite-only", action="store_true", help="leave PostgreSQL out: a quick look, not the proof")


def pytest_configure(config: pytest.Config) -> None:
    """The first process starts PostgreSQL and builds the templates; the others only copy them."""
    os.environ[databases.STAND_IN] = f"http://127.0.0.1:{servers.free_port()}"  # nobody listens until a test asks
    if not hasattr(config, "workerinput") and not config.option.collectonly:
        os.environ.update(_stack.enter_context(databases.templates(not config.option.sqlite_only)))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.option.sqlite_only:
        on_postgres = [item for item in items if "postgresql" in values_of(item)]
        config.hook.pytest_deselected(items=on_postgres)
        items[:] = [item for item in items if item not in on_postgres]


def values_of(item: pytest.Item) -> list[object]:
    """The values that a parametrized test runs with."""
    spec = getattr(item, "callspec", None)
    return list(spec.params.values()) if spec else []


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        _stack.close()


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def database_url(backend: str, worker_id: str) -> str:
    """A fresh database for this test."""
    app = _apps.get(backend)
    if app is not None:
        with app.app_context():
            db.db.engine.dispose()
    folder = Path(os.environ["SIJIN_TEST_FOLDER"])
    if backend == "sqlite":
        (folder / worker_id).mkdir(exist_ok=True)
        return databases.fresh_sqlite(folder / "template.db", folder / worker_id / "sijin.db")
    return databases.fresh_postgres(os.environ["SIJIN_TEST_POSTGRES"], f"sijin_{worker_id}")


@pytest.fixture
def data_dir(backend: str, worker_id: str) -> Path:
    """An empty data folder for this test."""
    folder = Path(os.environ["SIJIN_TEST_FOLDER"]) / f"data-{worker_id}-{backend}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder


@pytest.fixture
def app(backend: str, database_url: str, data_dir: Path) -> Iterator[Flask]:
    """The whole site on a fresh database. Built once per process and database kind; only the data is new."""
    if backend not in _apps:
        _apps[backend] = create_app(databases.settings(database_url, data_dir))
        _apps[backend].testing = True
        _apps[backend].test_client_class = Browser
    limits.limiter.reset()
    _apps[backend].extensions["sijin_pages"].clear()
    shop_routes.init_app(_apps[backend])  # a reader that knows no index of the test before
    with _apps[backend].app_context():
        yield _apps[backend]
        db.db.session.remove()


@pytest.fixture
def world(app: Flask) -> worlds.World:
    """The named people, their organisations and villages."""
    return worlds.World(app)


@pytest.fixture
def trade(world: worlds.World) -> Trade:
    """Verbs of trade between these people."""
    return Trade(world)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()
