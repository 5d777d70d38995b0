"""Looks at money: what was paid and came back, money that goes round in a circle of payers and payees."""

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select

from market import clock, db, money
from market.errors import N_
from market.figures import Where
from market.households import Household
from market.parties import Organisation
from orders.anomalies.found import MOST_EVIDENCE, Found, of_unit_or_supplier, orders_of
from orders.models import BankRow, ClaimPart, Order, PaymentClaim, Payout, PayoutLine, ReceiptShare, Refund
from orders.paying.payer_models import DeclaredPayer

ROUND_TRIP_DAYS = 30
CIRCLE_DAYS = 90
MOST_STEPS = 4
MOST_CIRCLES = 500  # looked at from one payment: what is more tangled stands out anyway
OF_THE_UNIT = ("treasury", "superior")  # declared payers that are the unit's own money
Node = tuple[str, Any]


def round_trips(begin: date, end: date, where: Where) -> Iterator[Found]:
    """Money that went to the co-operative and came back without goods coming back; a return is no sale anyway."""
    refunds: dict[int, list[Any]] = defaultdict(list)
    for row in db.session().execute(
            orders_of(where, Order.received_fen, Refund.number.label("refund"), Refund.amount_fen,
                      Refund.business_date.label("back_on"), cancelled_too=True)
            .join(Refund, Refund.order_id == Order.id)
            .where(Refund.state == "done", Refund.return_id.is_(None),
                   Refund.business_date >= begin - timedelta(days=ROUND_TRIP_DAYS), Refund.business_date < end)
            .order_by(Refund.business_date, Refund.id)):
        refunds[row.id].append(row)
    refunds = {order: rows for order, rows in refunds.items() if rows[-1].back_on >= begin}
    paid: dict[int, list[date]] = defaultdict(list)
    for some in db.chunks(sorted(refunds)):
        for share in db.session().execute(
                select(ReceiptShare.order_id, ReceiptShare.business_date).distinct()
                .where(ReceiptShare.order_id.in_(some), ReceiptShare.claim_part_id.is_not(None)
                       | ReceiptShare.card_payment_id.is_not(None))):
            paid[share.order_id].append(share.business_date)
    for order, rows in refunds.items():
        soon = [row for row in rows if any(
            timedelta(0) <= row.back_on - day <= timedelta(days=ROUND_TRIP_DAYS) for day in paid[order])]
        back, received = sum(row.amount_fen for row in soon), rows[0].received_fen
        if soon and back * 2 >= received:
            last = soon[-1]
            yield Found("round_trip", str(order), f"{last.unit_name} · {last.supplier_name} · {last.number}",
                        N_("¥%(back)s of ¥%(paid)s"), {"back": money.yuan(back), "paid": money.yuan(received)},
                        last.back_on, last.unit_id, last.supplier_id, (order,),
                        [("order", last.number, received, min(paid[order])),
                         *(("refund", row.refund, row.amount_fen, row.back_on) for row in soon)])


# ---- circles --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Step:
    """Money from one node to another; `unusual`: somebody else than the unit paid."""

    source: Node
    target: Node
    fen: int
    day: date
    kind: str
    number: str
    thing_id: int
    unusual: bool = False


def payment_circles(begin: date, end: date, where: Where) -> Iterator[Found]:
    """Circles of at most 4 steps that close in the months asked for. Looked for from payments by somebody else."""
    names = {row.id: row for row in db.session().execute(
        select(Organisation.id, Organisation.kind, Organisation.name, Organisation.short_name,
               Organisation.bank_account).where(Organisation.kind != "office"))}
    steps = list(_steps(begin - timedelta(days=CIRCLE_DAYS), end, where, names))
    leaving: dict[Node, list[Step]] = defaultdict(list)
    for step in steps:
        leaving[step.source].append(step)
    reached = {step.target for step in steps}  # most who pay for others never get any money: no way leads back
    circles: dict[tuple[str, str], dict[Step, None]] = defaultdict(dict)
    for step in steps:
        if step.unusual and step.source in reached and leaving.get(step.target):
            for circle in _closing([step], leaving):
                last = max(one.day for one in circle)
                if last >= begin:
                    circles[clock.period_of(last), _mark(circle)].update(dict.fromkeys(circle))
    orders = _orders_of([step for circle in circles.values() for step in circle])
    for (month, mark), found in circles.items():
        circle = sorted(found, key=lambda one: (one.day, one.kind, one.thing_id))
        units = {one.target[1] for one in circle if one.kind == "refund"}
        suppliers = {node[1] for one in circle for node in (one.source, one.target) if node[0] == "supplier"}
        touched = sorted({order for one in circle for order in orders.get((one.kind, one.thing_id), ())})
        yield Found("payment_circle", f"{month}/{mark}", " → ".join(_names(circle, names)),
                    N_("%(steps)s payments between ¥%(least)s and ¥%(most)s from %(first)s to %(last)s"),
                    {"steps": len(circle), "least": money.yuan(min(one.fen for one in circle)),
                     "most": money.yuan(max(one.fen for one in circle)), "first": circle[0].day.isoformat(),
                     "last": circle[-1].day.isoformat()},
                    circle[-1].day, min(units, default=None), min(suppliers) if len(suppliers) == 1 else None,
                    touched, [(one.kind, one.number, one.fen, one.day) for one in circle][:MOST_EVIDENCE])


def _steps(begin: date, end: date, where: Where, names: Mapping[int, Any]) -> Iterator[Step]:
    """Every confirmed payment, refund and payout of these days that touches the area."""
    unit, supplier = db.table(Organisation).alias("unit"), db.table(Organisation).alias("supplier")
    near = of_unit_or_supplier(where, unit.c.division_id, supplier.c.division_id)
    payers = _Payers(names)
    outside: set[str] = set()
    for row in db.session().execute(
            select(PaymentClaim.id, PaymentClaim.number, PaymentClaim.unit_id, PaymentClaim.supplier_id,
                   PaymentClaim.payer_name, PaymentClaim.amount_fen, PaymentClaim.business_date,
                   BankRow.payer_account)
            .join(unit, unit.c.id == PaymentClaim.unit_id).join(supplier, supplier.c.id == PaymentClaim.supplier_id)
            .outerjoin(BankRow, BankRow.claim_id == PaymentClaim.id)
            .where(near, PaymentClaim.state == "received", PaymentClaim.business_date >= begin,
                   PaymentClaim.business_date < end).order_by(PaymentClaim.id)):
        payer = payers.of(row)
        if payer[0] == "person":
            outside.add(payer[1])
        yield Step(payer, ("supplier", row.supplier_id), row.amount_fen, row.business_date, "claim", row.number,
                   row.id, payer != ("unit", row.unit_id))
    for back in db.session().execute(
            select(Refund.id, Refund.number, Refund.amount_fen, Refund.business_date, Order.unit_id, Order.supplier_id)
            .join(Order, Order.id == Refund.order_id).join(unit, unit.c.id == Order.unit_id)
            .join(supplier, supplier.c.id == Order.supplier_id)
            .where(near, Refund.state == "done", Refund.business_date >= begin, Refund.business_date < end)
            .order_by(Refund.id)):
        yield Step(("supplier", back.supplier_id), ("unit", back.unit_id), back.amount_fen, back.business_date,
                   "refund", back.number, back.id)
    for out in db.session().execute(
            select(PayoutLine.id, Payout.number, PayoutLine.amount_fen, Payout.business_date, Payout.supplier_id,
                   Household.head_name)
            .join(Payout, Payout.id == PayoutLine.payout_id).join(supplier, supplier.c.id == Payout.supplier_id)
            .join(Household, Household.id == PayoutLine.household_id)
            .where(where.holds(supplier.c.division_id), Payout.business_date >= begin, Payout.business_date < end,
                   Household.head_name.in_(outside)).order_by(PayoutLine.id)):
        yield Step(("supplier", out.supplier_id), ("person", out.head_name), out.amount_fen, out.business_date,
                   "payout", out.number, out.id)


class _Payers:
    """Who really paid: by the account the bank wrote, else by the name."""

    def __init__(self, names: Mapping[int, Any]) -> None:
        self.accounts = {plain(row.bank_account): (row.kind, row.id) for row in names.values() if row.bank_account}
        self.names = {plain(name): (row.kind, row.id) for row in names.values() for name in (
            row.short_name, row.name)}
        self.own = {(row.unit_id, plain(row.name)) for row in db.session().execute(
            select(DeclaredPayer.unit_id, DeclaredPayer.name).where(DeclaredPayer.kind.in_(OF_THE_UNIT)))}
        self.units = {row.id: {plain(row.name), plain(row.short_name)} for row in names.values()
                      if row.kind == "unit"}

    def of(self, row: Any) -> Node:
        name = plain(row.payer_name)
        by_account = self.accounts.get(plain(row.payer_account or "")) if row.payer_account else None
        if by_account:
            return by_account
        if name in self.units.get(row.unit_id, ()) or (row.unit_id, name) in self.own:
            return ("unit", row.unit_id)
        return self.names.get(name, ("person", row.payer_name.strip()))


def plain(text: str) -> str:
    """A name or number without spaces, capitals and marks between.

    >>> plain("6222 0212-0000")
    '622202120000'
    """
    return "".join(letter for letter in text.lower() if letter.isalnum())


def _closing(way: list[Step], leaving: Mapping[Node, Sequence[Step]], seen: list[int] | None = None
             ) -> Iterator[list[Step]]:
    """Ways that go on from here and come back to where the first step began, through no node twice."""
    seen = [0] if seen is None else seen
    passed = {step.target for step in way}
    for step in leaving.get(way[-1].target, ()):
        seen[0] += 1
        if seen[0] > MOST_CIRCLES * MOST_STEPS or not _alike([*way, step]):
            continue
        if step.target == way[0].source:
            yield [*way, step]
        elif len(way) + 1 < MOST_STEPS and step.target not in passed:
            yield from _closing([*way, step], leaving, seen)


def _alike(way: Sequence[Step]) -> bool:
    """Within 90 days and of amounts that differ by less than half."""
    days, amounts = [step.day for step in way], [step.fen for step in way]
    return max(days) - min(days) <= timedelta(days=CIRCLE_DAYS) and min(amounts) * 2 > max(amounts)


def _mark(circle: Sequence[Step]) -> str:
    """A short name for who is in a circle, which tells no names itself."""
    nodes = sorted(f"{kind}:{name}" for kind, name in {step.source for step in circle})
    return hashlib.sha256("|".join(nodes).encode()).hexdigest()[:16]


def _names(circle: Sequence[Step], names: Mapping[int, Any]) -> list[str]:
    """Who is in it, organisations by name and others by their first letter alone."""
    nodes = dict.fromkeys(node for step in circle for node in (step.source, step.target))
    return [f"{name[:1]}**" if kind == "person" else names[name].short_name for kind, name in nodes]


def _orders_of(steps: Sequence[Step]) -> dict[tuple[str, int], list[int]]:
    """The orders that claims paid and refunds gave money back for."""
    found: dict[tuple[str, int], list[int]] = defaultdict(list)
    for kind, column, query in (
            ("claim", ClaimPart.claim_id, select(ClaimPart.claim_id.label("thing"), ClaimPart.order_id)),
            ("refund", Refund.id, select(Refund.id.label("thing"), Refund.order_id))):
        for row in db.session().execute(query.where(column.in_({s.thing_id for s in steps if s.kind == kind}))):
            found[kind, row.thing].append(row.order_id)
    return found
