"""Looks at who acted and how fast: two logins of one person, approvals and acceptances without a look."""

import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import combinations
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import aliased

from market import clock, db
from market.errors import N_
from market.figures import Where
from market.parties import Organisation
from market.users import User
from orders.anomalies.found import Found, orders_of, told
from orders.approving.models import ApprovalDecision, ApprovalStep
from orders.models import Acceptance, ClaimPart, Order, PaymentClaim, Purchase, Shipment

HASTY_SECONDS = 30
ON_THE_WAY = timedelta(minutes=5)
VANS_AT_ONCE = 4


def two_logins(begin: date, end: date, where: Where) -> Iterator[Found]:
    """People of one purchase: who ordered, raised, approved, received, paid."""
    people: dict[int, set[int]] = defaultdict(set)
    facts: dict[int, Any] = {}
    orders: dict[int, list[int]] = defaultdict(list)
    base = orders_of(where, Order.purchase_id, Purchase.number.label("purchase_number"), Purchase.ordered_by).join(
        Purchase, Purchase.id == Order.purchase_id).where(Order.business_date >= begin, Order.business_date < end)
    for row in db.session().execute(base):
        facts[row.purchase_id] = row
        orders[row.purchase_id].append(row.id)
        people[row.purchase_id].add(row.ordered_by)
    for query in (
            select(Order.purchase_id, Acceptance.first_receiver, Acceptance.second_receiver)
            .join(Order, Order.id == Acceptance.order_id)
            .where(Order.business_date >= begin, Order.business_date < end),
            select(ApprovalDecision.purchase_id, ApprovalDecision.decided_by, ApprovalStep.asked_by)
            .join(ApprovalStep, ApprovalStep.id == ApprovalDecision.step_id)
            .join(Purchase, Purchase.id == ApprovalDecision.purchase_id)
            .where(Purchase.business_date >= begin, Purchase.business_date < end),
            select(Order.purchase_id, PaymentClaim.claimed_by, PaymentClaim.claimed_by.label("again"))
            .join(ClaimPart, ClaimPart.order_id == Order.id).join(PaymentClaim, PaymentClaim.id == ClaimPart.claim_id)
            .where(Order.business_date >= begin, Order.business_date < end)):
        for purchase, one, other in db.session().execute(query):
            if purchase in facts:
                people[purchase] |= {one, other}
    known = {row.id: row for row in db.session().execute(select(User.id, User.name, User.email, User.login))}
    for purchase, acting in people.items():
        for one, other in combinations(sorted(acting), 2):
            if _alike(known[one], known[other]):
                row = facts[purchase]
                yield Found("two_logins", f"{purchase}/{one}/{other}", f"{row.unit_name} · {row.purchase_number}",
                            "%(one)s · %(other)s", {"one": f"{known[one].name} ({known[one].login})",
                                                    "other": f"{known[other].name} ({known[other].login})"},
                            row.business_date, row.unit_id, None, tuple(orders[purchase]),
                            [("purchase", row.purchase_number, None, row.business_date)])


def _alike(one: Any, other: Any) -> bool:
    mails = {plain_mail(person.email) for person in (one, other) if person.email}
    return one.name == other.name or (bool(one.email) and bool(other.email) and len(mails) == 1)


def plain_mail(address: str) -> str:
    """A mail address without what many providers leave out of account.

    >>> plain_mail("Li.Min+canteen@Example.cn")
    'limin@example.cn'
    """
    name, _at, host = address.lower().partition("@")
    return re.sub(r"\+.*", "", name).replace(".", "") + "@" + host


def hasty(begin: date, end: date, where: Where) -> Iterator[Found]:
    """Decisions that left no time to read; on paper, and to a plan, they were made before."""
    orders: dict[int, list[int]] = defaultdict(list)
    found = []
    for row in db.session().execute(
            select(ApprovalDecision.id, ApprovalDecision.at, ApprovalDecision.purchase_id, ApprovalStep.asked_at,
                   Purchase.number, Purchase.business_date, Purchase.unit_id, Purchase.total_fen, User.name,
                   Organisation.short_name)
            .join(ApprovalStep, ApprovalStep.id == ApprovalDecision.step_id)
            .join(Purchase, Purchase.id == ApprovalDecision.purchase_id)
            .join(Organisation, Organisation.id == Purchase.unit_id).join(User, User.id == ApprovalDecision.decided_by)
            .where(where.holds(Organisation.division_id), ApprovalDecision.decision == "approve",
                   ApprovalDecision.way == "here", ApprovalDecision.at != Purchase.placed_at,
                   Purchase.business_date >= begin, Purchase.business_date < end)):
        if (row.at - row.asked_at).total_seconds() < HASTY_SECONDS:
            found.append(row)
    for order in db.session().execute(select(Order.purchase_id, Order.id).where(
            Order.purchase_id.in_([row.purchase_id for row in found]))):
        orders[order.purchase_id].append(order.id)
    for row in found:
        yield Found("hasty", str(row.id), f"{row.short_name} · {row.number}",
                    N_("%(who)s after %(seconds)s seconds"),
                    {"who": row.name, "seconds": int((row.at - row.asked_at).total_seconds())}, row.business_date,
                    row.unit_id, None, tuple(orders[row.purchase_id]),
                    [("purchase", row.number, row.total_fen, row.business_date)])


def hasty_acceptance(begin: date, end: date, where: Where) -> Iterator[Found]:
    """Goods that were taken before they can have arrived; one person at many vans at once.

    A van is accepted on one screen in one moment, whatever number of orders it brings: vans are counted, not orders.
    """
    receiver = aliased(User)
    minutes: dict[tuple[int, str], list[Any]] = defaultdict(list)
    quick: dict[int, list[Any]] = defaultdict(list)
    for row in db.session().execute(
            orders_of(where, Acceptance.accepted_at, Acceptance.first_receiver, Shipment.shipped_at, Shipment.run_id,
                      Acceptance.business_date.label("accepted_on"), receiver.name.label("who"))
            .join(Acceptance, Acceptance.order_id == Order.id).join(Shipment, Shipment.order_id == Order.id)
            .join(receiver, receiver.id == Acceptance.first_receiver)
            .where(Acceptance.business_date >= begin, Acceptance.business_date < end).order_by(Order.id)):
        minutes[row.first_receiver, row.accepted_at.strftime("%Y-%m-%d %H:%M")].append(row)
        if row.accepted_at - row.shipped_at < ON_THE_WAY:
            quick[row.run_id].append(row)
    for run, rows in quick.items():
        row = rows[0]
        yield Found("hasty_acceptance", f"run/{run}", f"{row.unit_name} · {row.number}",
                    N_("%(who)s took the goods %(seconds)s seconds after they left"),
                    {"who": row.who, "seconds": max(0, int((row.accepted_at - row.shipped_at).total_seconds()))},
                    row.accepted_on, row.unit_id, row.supplier_id if len(rows) == 1 else None,
                    tuple(one.id for one in rows), told(rows))
    for (person, minute), rows in minutes.items():
        vans = {row.run_id for row in rows}
        if len(vans) >= VANS_AT_ONCE:
            yield Found("hasty_acceptance", f"minute/{person}/{minute}", f"{rows[0].unit_name} · {rows[0].who}",
                        N_("goods of %(vans)s vans within one minute, at %(time)s"),
                        {"vans": len(vans), "time": rows[0].accepted_at.astimezone(clock.SHANGHAI).strftime(
                            "%Y-%m-%d %H:%M")},
                        rows[0].accepted_on, rows[0].unit_id, None, tuple(row.id for row in rows), told(rows))
