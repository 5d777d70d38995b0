"""Two people send the same bank statement, and overlapping ones, at the same moment; and a server dies in between."""

import http.client
import uuid
from collections.abc import Sequence
from pathlib import Path

import pytest
from sqlalchemy import func, select

from market import clock, db
from market.parties import Membership
from orders.models import BankRow, BankStatement, Order, PaymentClaim, ReceiptShare
from tests import servers
from tests.bank_tables import DESK, csv_of, line, upload
from tests.faults.test_last_fifty import at_once
from tests.servers import Server
from tests.trade import Trade
from tests.web.forms import csrf_token
from tests.world import GREENS, World

pytestmark = pytest.mark.slow

ROWS = 40


class Person:
    """A browser of somebody of the vegetable co-operative; its session holds on every server with the same secret."""

    def __init__(self, world: World, login: str) -> None:
        client = world.logged_in(login)
        self.token = csrf_token(client, DESK)
        cookie = client.get_cookie(str(world.app.config["SESSION_COOKIE_NAME"]))
        assert cookie is not None
        self.cookie = f"{cookie.key}={cookie.value}"

    def send(self, server: Server, content: bytes) -> int:
        """The status of the upload form's answer; 0 where the server died."""
        mark = uuid.uuid4().hex
        body = (f'--{mark}\r\nContent-Disposition: form-data; name="csrf_token"\r\n\r\n{self.token}\r\n--{mark}\r\n'
                'Content-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n').encode()
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        try:
            connection.request("POST", f"{DESK}/uploads", body + content + f"\r\n--{mark}--\r\n".encode(), {
                "Cookie": self.cookie, "Content-Type": f"multipart/form-data; boundary={mark}"})
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            connection.close()


@pytest.fixture
def order(world: World) -> Order:
    """An order of the school that is open, and the columns of its co-operative's bank known."""
    trade = Trade(world)
    cabbage = trade.product("白菜", price_fen=100_000, minimum_milli=1_000)
    trade.lot(cabbage, 10)
    made = trade.orders(trade.place({cabbage: 1_000}))[0]
    upload(world.logged_in("chair.shi"), csv_of(line("0.01", "结息", payer="", day=clock.today().isoformat())))
    with db.transaction() as session:
        session.add(Membership(user_id=world.person("clerk.zhang").id, role="accountant",
                               organisation_id=world.organisation_id(GREENS)))
    return made


def movements(order: Order, first: int, count: int) -> list[list[str]]:
    return [line(f"{number + 1}.00", order.number, serial=f"{number:04d}", day=clock.today().isoformat())
            for number in range(first, first + count)]


def rush(world: World, url: str, folder: Path, tables: Sequence[bytes], target: str = "wsgi:app", *,
         workers: int = 4, **more: str) -> list[int]:
    """What each table's sender is answered; two people in turn."""
    people = [Person(world, login) for login in ("chair.shi", "clerk.zhang")]
    db.session().rollback()
    with servers.running(url, folder, target, workers, quiet=True, **more) as server:
        return at_once(len(tables), lambda number: people[number % 2].send(server, tables[number]))


def counted(entity: type[db.Base]) -> int:
    return db.session().scalar(select(func.count()).select_from(entity)) or 0


def serials() -> list[str]:
    return sorted(db.session().scalars(select(BankRow.serial).where(BankRow.serial != "")))


def test_the_same_statement_from_two_people_is_one(
        world: World, order: Order, database_url: str, data_dir: Path) -> None:
    content = csv_of(*movements(order, 0, ROWS))
    assert set(rush(world, database_url, data_dir, [content] * 8)) == {303}
    assert (counted(BankStatement), len(serials()), counted(PaymentClaim)) == (2, ROWS, ROWS)


def test_overlapping_statements_count_each_movement_once(
        world: World, order: Order, database_url: str, data_dir: Path) -> None:
    tables = [csv_of(*movements(order, first, ROWS)) for first in (0, 20, 10, 30, 5, 25)]
    assert set(rush(world, database_url, data_dir, tables)) == {303}
    assert serials() == [f"{number:04d}" for number in range(30 + ROWS)]
    assert counted(PaymentClaim) == 30 + ROWS
    assert counted(ReceiptShare) == 0


def test_without_the_key_the_same_rush_counts_twice(
        world: World, order: Order, database_url: str, data_dir: Path) -> None:
    tables = [csv_of(*movements(order, first, ROWS)) for first in (0, 20, 10, 30, 5, 25)]
    rush(world, database_url, data_dir, tables, "tests.faults.unkeyed:create()", FAULTS="unkeyed")
    assert len(serials()) > 30 + ROWS


@pytest.mark.parametrize("point", ["bank_rows_written", "bank_claims_made", "before_commit", "after_commit"])
def test_a_server_that_dies_leaves_all_or_nothing_and_the_next_try_ends_in_one(
        world: World, order: Order, database_url: str, data_dir: Path, point: str) -> None:
    content = csv_of(*movements(order, 0, 5))
    assert rush(world, database_url, data_dir, [content], workers=1, FAULTS=point) == [0]
    assert (len(serials()), counted(PaymentClaim)) == ((5, 5) if point == "after_commit" else (0, 0))
    db.session().rollback()
    assert rush(world, database_url, data_dir, [content]) == [303]
    assert (len(serials()), counted(PaymentClaim), counted(BankStatement)) == (5, 5, 2)
