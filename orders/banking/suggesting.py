"""What a movement that nobody could place is likely to be: a fixed number of statements for a page of rows."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

from sqlalchemy import Row, select

from market import db
from market.access import Visitor
from market.errors import N_
from market.parties import Organisation
from orders.banking import codes, matching, open_sums
from orders.models import BankRow, Order, PaymentClaim

MOST_ORDERS = 2_000  # the newest open ones that are compared
MOST = 6  # suggestions of a row
MOST_OF_A_UNIT = 60  # open orders of a unit of which two may add up

Columns = Row[*tuple[Any, ...]]
WHY: Mapping[str, str] = {
    "claim": N_("announced by the unit"), "named": N_("named in the text"),
    "code": N_("the number differs in one character"), "unit": N_("the payer has the unit's name"),
    "payer": N_("this payer has paid for the unit before"), "amount": N_("exactly this amount is open"),
}


@dataclass(frozen=True)
class Suggestion:
    """Why; which claim, or which orders with which amounts ({order id: fen}); what a person reads."""

    why: str
    unit_name: str
    numbers: tuple[str, ...]
    claim_id: int | None = None
    amounts: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True)
class OpenOne:
    """An order with what is open of it, in fen."""

    id: int
    number: str
    unit_id: int
    unit_name: str
    open_fen: int


class Nearby:
    """The co-operative's open orders and claims, by what a row may have in common with them."""

    def __init__(self, rows: Sequence[Any], by: Visitor) -> None:
        self.orders = open_orders(by)
        self.by_unit: dict[int, list[OpenOne]] = defaultdict(list)
        self.by_amount: dict[int, list[OpenOne]] = defaultdict(list)
        self.by_number = {order.number: order for order in self.orders}
        for order in self.orders:
            self.by_unit[order.unit_id].append(order)
            self.by_amount[order.open_fen].append(order)
        self.known = codes.Known(self.by_number)
        self.units = _units_by_name(self.orders)
        self.claims = _claims({row.amount_fen for row in rows}, by)
        self.payers = _payers({row.payer_name for row in rows if row.payer_name}, by)

    def of(self, row: Any) -> list[Suggestion]:
        """The likeliest first, each once."""
        found: dict[tuple[int | None, frozenset[int]], Suggestion] = {}
        for one in self._all(row):
            found.setdefault((one.claim_id, frozenset(one.amounts)), one)
        return list(found.values())[:MOST]

    def _all(self, row: Any) -> Iterable[Suggestion]:
        for claim in self.claims.get(row.amount_fen, ()):
            yield Suggestion("claim", claim.unit_name, (claim.number,), claim_id=claim.id)
        for why, numbers in (("named", self.known.find(row.remark)), ("code", self.known.near(row.remark))):
            for order in (self.by_number[number] for number in numbers):
                yield Suggestion(why, order.unit_name, (order.number,), amounts={order.id: row.amount_fen})
        unit_id = self.units.get(matching.name(row.payer_name))
        earlier = self.payers.get(row.payer_name, ())
        for why, likely in (("unit", [unit_id] if unit_id else []), ("payer", earlier)):
            for one in likely:
                yield from self._of_unit(why, self.by_unit.get(one, []), row.amount_fen)
        for order in self.by_amount.get(row.amount_fen, []):
            yield Suggestion("amount", order.unit_name, (order.number,), amounts={order.id: row.amount_fen})

    def _of_unit(self, why: str, orders: Sequence[OpenOne], amount_fen: int) -> Iterable[Suggestion]:
        """An order of exactly this amount, else two that add up to it, else the oldest one."""
        exact = [(order,) for order in orders if order.open_fen == amount_fen]
        pairs = [pair for pair in combinations(orders[:MOST_OF_A_UNIT], 2)
                 if sum(order.open_fen for order in pair) == amount_fen]
        for some in exact or pairs:
            yield Suggestion(why, some[0].unit_name, tuple(order.number for order in some),
                             amounts={order.id: order.open_fen for order in some})
        if orders and not exact and not pairs:
            oldest = orders[0]
            yield Suggestion(why, oldest.unit_name, (oldest.number,), amounts={oldest.id: amount_fen})


def open_orders(by: Visitor, unit_id: int | None = None) -> list[OpenOne]:
    """Orders that may be paid for and are open, of all units or one, the oldest first; the newest MOST_ORDERS."""
    open_ones = open_sums.columns().add_columns(Organisation.short_name).join(
        Organisation, Organisation.id == Order.unit_id).where(
            Order.supplier_id == by.organisation_id, Order.state.in_(open_sums.PAYABLE),
            Order.payment.in_(("unpaid", "part", "claimed"))).order_by(Order.id.desc()).limit(MOST_ORDERS)
    if unit_id is not None:
        open_ones = open_ones.where(Order.unit_id == unit_id)
    rows = [row for row in db.session().execute(open_ones) if row.left_fen > 0]
    rows.sort(key=lambda row: (row.due, row.id))
    return [OpenOne(row.id, row.number, row.unit_id, row.short_name, row.left_fen) for row in rows]


def _units_by_name(orders: Sequence[OpenOne]) -> dict[str, int]:
    found: dict[str, int] = {}
    for row in db.session().execute(select(Organisation.id, Organisation.name, Organisation.short_name).where(
            Organisation.id.in_(sorted({order.unit_id for order in orders})))):
        found.update({matching.name(row.name): row.id, matching.name(row.short_name): row.id})
    return found


def _claims(amounts: set[int], by: Visitor) -> dict[int, list[Columns]]:
    """Open claims of these amounts that no row belongs to."""
    found: dict[int, list[Columns]] = defaultdict(list)
    for row in db.session().execute(
            select(PaymentClaim.id, PaymentClaim.number, PaymentClaim.amount_fen,
                   Organisation.short_name.label("unit_name"))
            .join(Organisation, Organisation.id == PaymentClaim.unit_id)
            .outerjoin(BankRow, BankRow.claim_id == PaymentClaim.id)
            .where(PaymentClaim.supplier_id == by.organisation_id, PaymentClaim.state == "claimed",
                   PaymentClaim.amount_fen.in_(sorted(amounts)), BankRow.id.is_(None)).order_by(PaymentClaim.id)):
        found[row.amount_fen].append(row)
    return found


def _payers(names: set[str], by: Visitor) -> dict[str, list[int]]:
    """For which units a payer of this name has paid before."""
    found: dict[str, list[int]] = defaultdict(list)
    for row in db.session().execute(
            select(PaymentClaim.payer_name, PaymentClaim.unit_id).distinct().where(
                PaymentClaim.supplier_id == by.organisation_id, PaymentClaim.state != "refused",
                PaymentClaim.payer_name.in_(sorted(names))).order_by(PaymentClaim.payer_name, PaymentClaim.unit_id)):
        found[row.payer_name].append(row.unit_id)
    return found
