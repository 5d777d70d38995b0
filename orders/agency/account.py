"""A co-operative's account by the ledger: what it has earned, received and is owed, by unit, month and statement.

Every table's sums are the account's balance: they are the account's own rows, grouped.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, String, case, cast, func, select

from market import db, money, paging
from market.access import Visitor
from market.errors import NotFound
from market.ledger import LedgerTransfer
from market.parties import Organisation
from orders.buying import lists
from orders.models import Order
from orders.papers.models import Statement, StatementLine

Columns = Row[*tuple[Any, ...]]
LESS = ("returned", "allowance")


@dataclass(frozen=True)
class Line:
    """What happened with one unit or in one month, each figure in fen and above zero as one speaks of it."""

    key: int | str | None  # a unit's id, a month; None: the platform
    name: str
    goods_fen: int = 0
    returned_fen: int = 0
    freight_fen: int = 0
    fee_fen: int = 0
    received_fen: int = 0
    refunded_fen: int = 0

    @property
    def earned_fen(self) -> int:
        """Accepted less what came back, and the freight."""
        return self.goods_fen - self.returned_fen + self.freight_fen

    @property
    def open_fen(self) -> int:
        """Earned and not yet received; below zero: received ahead or too much, or a fee that is owed."""
        return self.earned_fen - self.fee_fen - self.received_fen + self.refunded_fen


def by_unit(by: Visitor) -> list[Line]:
    """One line for each unit, and one for the platform's fee, who owes most first; two statements."""
    other, lines = _other_side(by), []
    sums = _sums(by, other)
    ids = {name: int(name.partition(":")[2]) for name in sums if name.startswith("unit:")}
    names = {row.id: row.name for row in db.session().execute(
        select(Organisation.id, Organisation.name).where(Organisation.id.in_(ids.values())))}
    for name, events in sums.items():
        key = ids.get(name)
        lines.append(_line(key, names[key] if key else "", events))
    return sorted(lines, key=lambda line: (line.key is None, -line.open_fen, line.name))


def by_month(by: Visitor) -> list[Line]:
    """One line for each month in which anything happened, the newest first; one statement."""
    table = db.table(LedgerTransfer)
    month = func.substr(cast(table.c.business_date, String), 1, 7)
    return [_line(name, name, events) for name, events in sorted(_sums(by, month).items(), reverse=True)]


def together(lines: Iterable[Line]) -> Line:
    """Lines added up."""
    all_of = list(lines)
    figures = ("goods_fen", "returned_fen", "freight_fen", "fee_fen", "received_fen", "refunded_fen")
    return Line(None, "", **{name: sum(getattr(line, name) for line in all_of) for name in figures})


def _other_side(by: Visitor) -> Any:
    table = db.table(LedgerTransfer)
    return case((table.c.debit == _account(by), table.c.credit), else_=table.c.debit)


def _sums(by: Visitor, key: Any) -> dict[Any, dict[str, int]]:
    """What each event brought the co-operative (below zero: cost it) by a key, in fen; one statement."""
    table, account = db.table(LedgerTransfer), _account(by)
    brought = case((table.c.credit == account, table.c.amount_fen), else_=-table.c.amount_fen)
    found: dict[Any, dict[str, int]] = {}
    for row in db.session().execute(
            select(key.label("key"), table.c.event, db.sum_of(brought).label("fen"))
            .where((table.c.debit == account) | (table.c.credit == account)).group_by(key, table.c.event)):
        found.setdefault(row.key, {})[row.event] = row.fen
    return found


def _account(by: Visitor) -> str:
    return f"supplier:{by.organisation_id}"


def _line(key: int | str | None, name: str, events: dict[str, int]) -> Line:
    return Line(key, name, goods_fen=events.get("accepted", 0), returned_fen=-sum(events.get(e, 0) for e in LESS),
                freight_fen=events.get("freight", 0), fee_fen=-events.get("fee", 0),
                received_fen=-events.get("received", 0), refunded_fen=events.get("refunded", 0))


@dataclass(frozen=True)
class Standing:
    """How the account's balance is made up, in fen: balance = owed - over - ahead - fee."""

    owed_fen: int  # by units for accepted goods
    over_fen: int  # paid too much for goods that were accepted or are not coming
    ahead_fen: int  # paid for goods that are still to come
    fee_fen: int


def standing(by: Visitor) -> Standing:
    """Who owes whom, by the orders' own sums; one statement."""
    left = lists.owed_fen() - (Order.received_fen - Order.refunded_fen)
    settled = Order.state.in_(("accepted", "rejected", "cancelled"))
    fee = case((Order.state == "accepted", fee_fen()), else_=0)
    row = db.session().execute(
        select(db.sum_of(case((settled & (left > 0), left), else_=0)).label("owed_fen"),
               db.sum_of(case((settled & (left < 0), -left), else_=0)).label("over_fen"),
               db.sum_of(case((settled, 0), else_=Order.received_fen - Order.refunded_fen)).label("ahead_fen"),
               db.sum_of(fee).label("fee_fen"))
        .where(Order.supplier_id == by.organisation_id)).one()
    return Standing(row.owed_fen, row.over_fen, row.ahead_fen, row.fee_fen)


def fee_fen() -> Any:
    """An order's fee as a column: the same rounding as in the ledger."""
    goods_fen: Any = Order.accepted_fen - Order.returned_fen
    points: Any = Order.fee_points
    return money.part_of(goods_fen, points)


def statements(by: Visitor, page: int) -> paging.Page:
    """Monthly statements with what is still open on the orders that stand on each; two statements."""
    mine = Statement.supplier_id == by.organisation_id
    total = db.session().scalar(select(func.count()).select_from(Statement).where(mine)) or 0
    return paging.read(_statements().where(mine).order_by(Statement.month.desc(), Statement.id.desc()), total, page)


def every_statement(by: Visitor) -> Sequence[Columns]:
    """All monthly statements, for a file; one statement."""
    return db.session().execute(
        _statements().where(Statement.supplier_id == by.organisation_id)
        .order_by(Statement.month.desc(), Statement.id.desc())).all()


def _statements() -> Any:
    """What stood on a statement (earned in its month, received in its month) and what of it is open today."""
    line = db.table(StatementLine)

    def of(*events: str) -> Any:
        return (select(db.sum_of(line.c.amount_fen)).where(
            line.c.statement_id == Statement.id, line.c.event.in_(events)).correlate(Statement).scalar_subquery())

    accepted = select(line.c.order_id).where(line.c.statement_id == Statement.id, line.c.event == "accepted")
    still = (select(db.sum_of(case((lists.open_fen() > 0, lists.open_fen()), else_=0)))
             .where(Order.id.in_(accepted.correlate(Statement))).correlate(Statement).scalar_subquery())
    return (
        select(db.table(Statement), Organisation.name.label("unit_name"),
               of("accepted", "freight", *LESS).label("earned_fen"),
               of("received", "refunded").label("paid_fen"), still.label("open_fen"))
        .join(Organisation, Organisation.id == Statement.unit_id))


def unit_orders(unit_id: int, by: Visitor, page: int) -> tuple[Columns, paging.Page]:
    """A unit's name with how many orders it has here, and these, the newest first. Raises NotFound where there are
    none; two statements.
    """
    mine = (Order.supplier_id == by.organisation_id, Order.unit_id == unit_id, Order.state != "waiting")
    unit = db.session().execute(
        select(Organisation.id, Organisation.name, func.count().label("orders"))
        .join(Order, Order.unit_id == Organisation.id).where(*mine)
        .group_by(Organisation.id, Organisation.name)).one_or_none()
    if unit is None:
        raise NotFound()
    earned = Order.accepted_fen - Order.returned_fen + lists.freight_due_fen()
    return unit, paging.read(
        select(Order.id, Order.number, Order.business_date, Order.state, Order.payment, earned.label("earned_fen"),
               (Order.received_fen - Order.refunded_fen).label("received_fen"), fee_fen().label("fee_fen"),
               Order.fee_points)
        .where(*mine).order_by(Order.id.desc()), unit.orders, page)
