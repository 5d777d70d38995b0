"""What is open and when it is to be paid, by order: columns, one statement each, whoever looks at it.

Everything counts here from single orders, so that every sum is that of the rows below it.
"""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Row, Select, and_, false, literal, or_, select

from market import clock, db
from market.figures import EVERYWHERE, Where
from market.parties import Organisation
from market.places import Division
from orders.buying.lists import open_fen
from orders.delivering.overdue import acceptance_due, came_on, delivered, is_fresh, overdue
from orders.models import Order
from orders.overdue import rules

Columns = Row[*tuple[Any, ...]]
Key = TypeVar("Key", bound=Hashable)
OPEN = ("unpaid", "part", "claimed")
GONE_OUT = ("shipped", "accepted")  # the goods are there, or on their way: money for them can be late


@dataclass(frozen=True)
class Due:
    """An order that is to be paid, as seen on a day."""

    order: Columns
    today: date

    @property
    def days(self) -> int:
        """Days late; below zero while there is time. What is paid first and not yet sent is never late: it lapses."""
        days = rules.late_days(self.order.pay_by, self.today)
        return days if self.order.state in GONE_OUT else min(days, 0)

    @property
    def is_late(self) -> bool:
        return self.days > 0

    @property
    def band(self) -> str:
        return rules.band_of(self.days)

    @property
    def open_fen(self) -> int:
        return int(self.order.open_fen)

    @property
    def interest_fen(self) -> int:
        """An estimate."""
        return rules.interest_fen(self.open_fen, self.days)


@dataclass
class Sum:
    """What some orders come to; `first` is one of them, for the names. Amounts in fen, by band."""

    first: Columns
    by_band: dict[str, int] = field(default_factory=lambda: dict.fromkeys(rules.BANDS, 0))
    orders: int = 0
    late_orders: int = 0
    interest_fen: int = 0
    days: int = 0  # late, of the oldest
    oldest: date | None = None  # last day of payment, of the oldest late one

    @property
    def open_fen(self) -> int:
        return sum(self.by_band.values())

    @property
    def late_fen(self) -> int:
        return sum(self.by_band[band] for band in rules.LATE_BANDS)

    def add(self, due: Due) -> None:
        """Count one more order."""
        self.by_band[due.band] += due.open_fen
        self.orders += 1
        self.interest_fen += due.interest_fen
        if due.is_late:
            self.late_orders += 1
            self.days = max(self.days, due.days)
            self.oldest = min(self.oldest or due.order.pay_by, due.order.pay_by)


def sums(dues: Iterable[Due], key_of: Callable[[Columns], Key]) -> dict[Key, Sum]:
    """What orders come to by unit, co-operative or whatever the key is, in the order in which they first come."""
    found: dict[Key, Sum] = {}
    for due in dues:
        found.setdefault(key_of(due.order), Sum(due.order)).add(due)
    return found


def total(dues: Sequence[Due]) -> Sum | None:
    """All together; None of nothing."""
    return sums(dues, lambda _order: 0).get(0)


# ---- what is to be paid ---------------------------------------------------------------------------------------------


def is_due() -> ColumnElement[bool]:
    """That an order is open and has a last day of payment."""
    return and_(Order.payment.in_(OPEN), Order.pay_by.is_not(None), Order.state.in_(("placed", *GONE_OUT)))


def is_late(today: date) -> ColumnElement[bool]:
    """That money for goods is late; of what is paid first and not yet sent, nothing is."""
    return and_(Order.payment.in_(OPEN), Order.pay_by < today, Order.state.in_(GONE_OUT))


def dues(*conditions: ColumnElement[bool]) -> list[Due]:
    """Orders to be paid under some conditions, the oldest day first; one statement."""
    today = clock.today()
    rows = db.session().execute(
        _orders().where(is_due(), *conditions, open_fen() > 0).order_by(Order.pay_by, Order.id)).all()
    return [Due(row, today) for row in rows]


def _orders() -> Select[Any]:
    """Orders with their unit and where it is."""
    columns: tuple[Any, ...] = (
        Order.id, Order.number, Order.unit_id, Organisation.short_name.label("unit_name"),
        Organisation.name.label("unit_full_name"), Organisation.unit_type, Organisation.division_id,
        Division.name.label("place"), Order.supplier_id, Order.supplier_name, Order.state, Order.payment,
        Order.payment_terms, Order.fund_source, Order.delivery_day, Order.pay_by, open_fen().label("open_fen"))
    return (select(*columns).join(Organisation, Organisation.id == Order.unit_id)
            .outerjoin(Division, Division.id == Organisation.division_id))


# ---- what came and was not accepted ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class NotAccepted:
    """An order that is delivered and that nobody has accepted or refused."""

    order: Columns
    today: date

    @property
    def due_on(self) -> date:
        """When it should have been looked at."""
        return acceptance_due(self.order.came_on, bool(self.order.fresh))

    @property
    def days(self) -> int:
        """Days since acceptance was due; up to 0 while there is time."""
        return (self.today - self.due_on).days

    @property
    def clock_runs(self) -> bool:
        """Whether the time for payment runs without an acceptance."""
        return self.days > 0


def not_accepted(*conditions: ColumnElement[bool], late_only: bool = False) -> list[NotAccepted]:
    """Orders delivered and not accepted under some conditions, the longest waiting first; one statement."""
    today = clock.today()
    rows = db.session().execute(
        _orders().add_columns(came_on().label("came_on"), is_fresh().label("fresh"))
        .where(overdue(today) if late_only else delivered(today), *conditions)).all()
    return sorted((NotAccepted(row, today) for row in rows), key=lambda one: (one.due_on, one.order.id))


# ---- an office's area -----------------------------------------------------------------------------------------------


def unit_lies_in(where: Where) -> ColumnElement[bool]:
    """That the unit (Organisation) lies in an area; whoever sees all sees units without a place as well."""
    if where == EVERYWHERE:
        return literal(True)
    places = select(Division.id)
    if where.county_id is not None:
        places = places.where(or_(Division.county_id == where.county_id, Division.id == where.county_id))
    if where.township_id is not None:
        places = places.where(or_(Division.township_id == where.township_id, Division.id == where.township_id))
    if where.village_ids is not None:
        places = places.where(Division.id.in_(where.village_ids) if where.village_ids else false())
    return Organisation.division_id.in_(places)
