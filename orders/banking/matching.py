"""What a movement pays for: by the numbers in its text, by a unit's claim, oldest order first. Nothing is written."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import or_, select

from market import db
from market.access import Visitor
from orders.banking import codes, finding, open_sums
from orders.banking.open_sums import OpenOrder
from orders.banking.table import Movement
from orders.models import BankRow, ClaimPart, Order, PaymentClaim
from orders.papers.models import Statement, StatementLine

SAME_DAYS = 7  # a transfer arrives within so many days of the day that its payer named
CHUNK = 400  # values of one IN


@dataclass(frozen=True)
class Verdict:
    """The state of a row, and what it is laid on: a claim that is there, or {order id: fen} for a new one."""

    state: str
    claim_id: int | None = None
    unit_id: int = 0
    amounts: Mapping[int, int] = field(default_factory=dict)
    statement_id: int | None = None


@dataclass(frozen=True)
class Claimed:
    """A claim of a unit that no row of a bank statement belongs to yet."""

    id: int
    unit_id: int
    payer_name: str
    amount_fen: int
    paid_on: date
    state: str
    orders: frozenset[int]
    parts: Mapping[int, int]  # {order id: fen}


@dataclass(frozen=True)
class Earlier:
    """A movement that was laid on orders before; of another upload where its day is told."""

    orders: frozenset[int]
    paid_on: date | None = None
    serial: str = ""


@dataclass(frozen=True)
class Named:
    """What a text names: orders, the oldest first, and the last statement of trade among them."""

    orders: Sequence[OpenOrder]
    statement_id: int | None

    @property
    def ids(self) -> frozenset[int]:
        return frozenset(order.id for order in self.orders)


class Ground:
    """The co-operative's own numbers, orders (locked) and claims that some movements may be about.

    A fixed number of statements for each few hundred movements; decide() moves its sums on, so the next movement
    finds what the one before has left.
    """

    def __init__(self, movements: Sequence[Movement], by: Visitor) -> None:
        self.by = by
        prefixes = sorted(codes.days(movement.remark for movement in movements))
        self._statements = _statements(prefixes, by)
        numbers = _orders(prefixes, by)
        of_statements = _orders_of_statements(list(self._statements.values()))
        _lock_claims(movements, by)  # before the orders, as whoever answers one
        self._known = codes.Known([*numbers, *self._statements])
        named = set(numbers.values()) | {one for some in of_statements.values() for one in some}
        self.locked = finding.locked(named)
        self._open = open_sums.of(named)
        self._numbers, self._of_statements = numbers, of_statements
        self._claims = _claims(movements, by)
        self._of_amount: dict[int, list[Claimed]] = {}
        for claim in self._claims.values():
            self._of_amount.setdefault(claim.amount_fen, []).append(claim)
        self._earlier = _earlier(movements, by)

    def decide(self, movement: Movement) -> Verdict:
        """The state of one movement and what it is laid on."""
        named = self._named(movement)
        claim = self._claim_of(movement, named)
        if claim is not None:
            return self._linked(claim, movement)
        if not named.orders or len({order.unit_id for order in named.orders}) > 1:
            return Verdict("unknown")
        if not all(order.payable for order in named.orders):
            return Verdict("closed")
        left = sum(max(0, order.open_fen) for order in named.orders)
        key = (name(movement.payer_name), movement.amount_fen)
        if any(named.ids & one.orders and (not left or _is_same(one, movement)) for one in self._earlier.get(key, ())):
            return Verdict("duplicate")
        amounts = lay(movement.amount_fen, named.orders)
        self._earlier.setdefault(key, []).append(Earlier(frozenset(amounts)))
        for order_id, fen in amounts.items():
            self._open[order_id].open_fen -= fen
        return Verdict(state_of(movement.amount_fen, left), unit_id=named.orders[0].unit_id, amounts=amounts,
                       statement_id=named.statement_id)

    def _named(self, movement: Movement) -> Named:
        order_ids: set[int] = set()
        statement_id = None
        for number in self._known.find(movement.remark):
            if number in self._statements:
                statement_id = self._statements[number]
                order_ids |= {one for one in self._of_statements.get(statement_id, ())
                              if self._open[one].payable and self._open[one].open_fen > 0} or set(
                                  self._of_statements.get(statement_id, [])[-1:])
            else:
                order_ids.add(self._numbers[number])
        orders = sorted((self._open[one] for one in order_ids), key=lambda order: (order.due, order.id))
        return Named(orders, statement_id)

    def _claim_of(self, movement: Movement, named: Named) -> Claimed | None:
        """A unit's claim over the same orders and amount, else the only one of this payer and amount."""
        same = [claim for claim in self._of_amount.get(movement.amount_fen, ()) if claim.id in self._claims
                and (claim.state == "claimed" or abs((claim.paid_on - movement.paid_on).days) <= SAME_DAYS)]
        exact = [claim for claim in same if claim.orders and (
            claim.orders == named.ids or (named.statement_id and claim.orders <= self._all_of(named)))]
        if exact:
            return min(exact, key=lambda claim: (abs((claim.paid_on - movement.paid_on).days), claim.id))
        by_name = [claim for claim in same if name(claim.payer_name) == name(movement.payer_name)
                   and movement.payer_name and (claim.orders & named.ids if named.ids else _is_near(claim, movement))]
        return by_name[0] if len(by_name) == 1 else None

    def _all_of(self, named: Named) -> frozenset[int]:
        return named.ids | frozenset(self._of_statements.get(named.statement_id or 0, ()))

    def _linked(self, claim: Claimed, movement: Movement) -> Verdict:
        del self._claims[claim.id]
        key = (name(movement.payer_name), movement.amount_fen)
        self._earlier.setdefault(key, []).append(Earlier(claim.orders))
        if claim.state == "claimed":  # a received one has lowered what is open already
            for order_id, fen in claim.parts.items():
                if order_id in self._open:
                    self._open[order_id].open_fen -= fen
        return Verdict("matched", claim.id)


def _is_near(claim: Claimed, movement: Movement) -> bool:
    """Units buy for the same sum every month: without a number in the text, last month's money is not this month's."""
    return abs((claim.paid_on - movement.paid_on).days) <= SAME_DAYS


def lay(amount_fen: int, orders: Sequence[OpenOrder]) -> dict[int, int]:
    """An amount over orders, the first filled first; what is over lies on the last.

    >>> a, b = (OpenOrder(n, "", 1, "accepted", date(2026, 1, n), fen) for n, fen in ((1, 1000), (2, 1300)))
    >>> lay(1500, [a, b]), lay(2400, [a, b]), lay(900, [a, b])
    ({1: 1000, 2: 500}, {1: 1000, 2: 1400}, {1: 900})
    """
    amounts: dict[int, int] = {}
    left = amount_fen
    for order in orders:
        part = min(left, max(0, order.open_fen))
        if part:
            amounts[order.id] = part
        left -= part
    if left:
        amounts[orders[-1].id] = amounts.get(orders[-1].id, 0) + left
    return amounts


def state_of(amount_fen: int, open_fen: int) -> str:
    """How an amount compares with what was open.

    >>> state_of(2300, 2300), state_of(2250, 2300), state_of(2350, 2300)
    ('matched', 'part', 'over')
    """
    return "matched" if amount_fen == open_fen else "part" if amount_fen < open_fen else "over"


def name(text: str) -> str:
    """Names as they are compared: brackets and spaces are written in many ways."""
    return "".join(codes.plain(text).translate(str.maketrans("（）", "()")).split())


def _statements(prefixes: Sequence[str], by: Visitor) -> dict[str, int]:
    return {row.number: row.id for some in db.chunks([p for p in prefixes if p[0] == "D"], CHUNK)
            for row in db.session().execute(select(Statement.number, Statement.id).where(
                Statement.supplier_id == by.organisation_id,
                or_(*(Statement.number.startswith(prefix + "-") for prefix in some))))}


def _orders(prefixes: Sequence[str], by: Visitor) -> dict[str, int]:
    return {row.number: row.id for some in db.chunks([p for p in prefixes if p[0] == "S"], CHUNK)
            for row in db.session().execute(select(Order.number, Order.id).where(
                Order.supplier_id == by.organisation_id,
                or_(*(Order.number.startswith(prefix + "-") for prefix in some))))}


def _orders_of_statements(statement_ids: Collection[int]) -> dict[int, list[int]]:
    """The orders that were accepted in each statement's month."""
    found: dict[int, list[int]] = {}
    for row in db.session().execute(
            select(StatementLine.statement_id, StatementLine.order_id).distinct().where(
                StatementLine.statement_id.in_(statement_ids), StatementLine.event == "accepted",
                StatementLine.order_id.is_not(None)).order_by(StatementLine.statement_id, StatementLine.order_id)):
        found.setdefault(row.statement_id, []).append(row.order_id)
    return found


def _lock_claims(movements: Sequence[Movement], by: Visitor) -> None:
    """Another upload, or a person, may be about to take or answer one of them."""
    for some in db.chunks(sorted({movement.amount_fen for movement in movements}), CHUNK):
        db.session().execute(select(PaymentClaim.id).where(
            PaymentClaim.supplier_id == by.organisation_id, PaymentClaim.state.in_(("claimed", "received")),
            PaymentClaim.amount_fen.in_(some)).order_by(PaymentClaim.id).with_for_update()).all()


def _claims(movements: Sequence[Movement], by: Visitor) -> dict[int, Claimed]:
    """Claims of these amounts without a row of a bank statement; one that came since these were locked is locked too,
    or left out where somebody answers it just now.
    """
    found: dict[int, Claimed] = {}
    for some in db.chunks(sorted({movement.amount_fen for movement in movements}), CHUNK):
        rows = db.session().execute(
            select(PaymentClaim.id, PaymentClaim.unit_id, PaymentClaim.payer_name, PaymentClaim.amount_fen,
                   PaymentClaim.paid_on, PaymentClaim.state, ClaimPart.order_id, ClaimPart.amount_fen)
            .join(ClaimPart, ClaimPart.claim_id == PaymentClaim.id)
            .outerjoin(BankRow, BankRow.claim_id == PaymentClaim.id)
            .where(PaymentClaim.supplier_id == by.organisation_id, PaymentClaim.state.in_(("claimed", "received")),
                   PaymentClaim.amount_fen.in_(some), BankRow.id.is_(None)).order_by(PaymentClaim.id)
            .with_for_update(of=PaymentClaim, skip_locked=True)).all()
        parts: dict[int, dict[int, int]] = {}
        for row in rows:
            parts.setdefault(row.id, {})[row.order_id] = row[7]
            found[row.id] = Claimed(*row[:6], frozenset(parts[row.id]), parts[row.id])
    return found


def _is_same(one: Earlier, movement: Movement) -> bool:
    """Whether a movement of another upload may be this one in another format of the bank: of the same day, and not
    told apart by the bank's own numbers.
    """
    return one.paid_on == movement.paid_on and not (
        one.serial and movement.serial and one.serial != movement.serial)


def _earlier(movements: Sequence[Movement], by: Visitor) -> dict[tuple[str, int], list[Earlier]]:
    """Which orders rows of these amounts were laid on before, by payer and amount."""
    found: dict[int, tuple[tuple[str, int], Earlier]] = {}
    for some in db.chunks(sorted({movement.amount_fen for movement in movements}), CHUNK):
        for row in db.session().execute(
                select(BankRow.id, BankRow.payer_name, BankRow.amount_fen, BankRow.paid_on, BankRow.serial,
                       ClaimPart.order_id)
                .join(PaymentClaim, PaymentClaim.id == BankRow.claim_id)
                .join(ClaimPart, ClaimPart.claim_id == BankRow.claim_id)
                .where(BankRow.supplier_id == by.organisation_id, BankRow.amount_fen.in_(some),
                       PaymentClaim.state != "refused")):
            key, before = found.get(row.id, ((name(row.payer_name), row.amount_fen), Earlier(frozenset())))
            found[row.id] = (key, Earlier(before.orders | {row.order_id}, row.paid_on, row.serial))
    earlier: dict[tuple[str, int], list[Earlier]] = {}
    for key, one in found.values():
        earlier.setdefault(key, []).append(one)
    return earlier
