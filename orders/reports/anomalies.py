"""What stands out in purchases: signs, not proofs. Each with its object, its value, the rule, and what became of it.

Nothing here stops anybody: what can be known is refused when it is done, what cannot be known is shown afterwards.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import combinations
from typing import Any

from sqlalchemy import Select, select, true

from catalog.models import Product
from catalog.review.models import PriceOutlier
from market import clock, db, money
from market.errors import N_, NotFound
from market.figures import Where
from market.i18n import gettext as _
from market.parties import Organisation
from market.users import User
from orders.approving import handling, tenders
from orders.approving.models import ApprovalDecision, ApprovalRule, ApprovalStep
from orders.approving.rules import ROLLING_DAYS
from orders.models import Acceptance, ClaimPart, Order, OrderLine, PaymentClaim, Purchase, Refund
from orders.reports.frame import Asked, Column, Content, Report, Row, total_of
from orders.reports.readers import Area, Reader

HASTY_SECONDS = 30
FEWEST_ORDERS = 5
ROUND_TRIP_DAYS = 30
KINDS: Mapping[str, tuple[str, str]] = {
    "splitting": (N_("Just under a limit"), N_(
        "Two purchases or more of one category from one co-operative within 7 days, each under a limit of the unit, "
        "together above it.")),
    "two_logins": (N_("Two logins of one person?"), N_(
        "Two people who acted in one purchase have the same name, or mail addresses that differ by dots, capitals or "
        "what follows a plus.")),
    "hasty": (N_("Approved without a look?"), N_("Approved within 30 seconds of being asked for.")),
    "one_supplier": (N_("Mostly one co-operative"), N_(
        "Of five accepted orders of a month or more, over three fifths of the amount went to one co-operative.")),
    "price": (N_("Price far above like goods"), N_(
        "More than 1.5 times the median of like goods, not yet explained.")),
    "round_trip": (N_("Paid and given back"), N_(
        "At least half of what was paid for an order was refunded within 30 days.")),
    "tender": (N_("Above a tender limit"), N_("The year's purchases of one category lie above the tender limit.")),
}
COLUMNS = (
    Column("kind", N_("Kind"), "text"), Column("object", N_("What it is about"), "text"),
    Column("value", N_("Figure found"), "text"), Column("day", N_("Day"), "text"),
    Column("rule", N_("By which rule"), "text"),
    Column("handler", N_("Looked into by"), "text"), Column("result", N_("What became of it"), "text"),
)


@dataclass(frozen=True)
class Found:
    """Something that stands out. `key` names it for good; `result` and the rest once an official has looked."""

    kind: str
    key: str
    object: str
    value: str
    day: date
    result: str = ""
    note: str = ""
    handler: str = ""

    @property
    def label(self) -> str:
        return KINDS[self.kind][0]

    @property
    def rule(self) -> str:
        return KINDS[self.kind][1]


def found(first: str, last: str, where: Where) -> list[Found]:
    """All that stands out in units of an area in the months from first to last, both included, the newest first."""
    begin = date.fromisoformat(first + "-01")
    end = date.fromisoformat(clock.months_before(last, -1) + "-01")
    rows = [one for look in LOOKS for one in look(begin, end, where)]
    known = handling.handled(list(KINDS))
    told = [replace(one, result=seen.result, note=seen.note, handler=seen.who)
            if (seen := known.get((one.kind, one.key))) else one for one in rows]
    return sorted(told, key=lambda one: (one.result != "", -one.day.toordinal(), one.kind, one.key))


def read(asked: Asked, area: Area, reader: Reader) -> Content:
    """One row for each. Not for the public."""
    if not reader.sees_all:
        raise NotFound()
    rows = [Row({"kind": _(one.label), "object": one.object, "value": one.value, "day": one.day.isoformat(),
                 "rule": _(one.rule), "handler": one.handler,
                 "result": _(handling.RESULT_LABELS[one.result]) if one.result else _("not yet looked into")},
                order=f"{number:06d}") for number, one in enumerate(found(asked.first, asked.last, area.where))]
    return Content(COLUMNS, rows, total_of(COLUMNS, rows), [_("Signs, not proofs: each needs somebody to look.")])


def _orders(where: Where, *columns: Any, cancelled_too: bool = False) -> Select[Any]:
    """Orders of units of the area."""
    return (select(Order.id, Order.number, Order.unit_id, Order.supplier_id, Order.supplier_name, Order.business_date,
                   Organisation.short_name.label("unit_name"), *columns)
            .join(Organisation, Organisation.id == Order.unit_id)
            .where(where.holds(Organisation.division_id), true() if cancelled_too else Order.state != "cancelled"))


# ---- the looks ------------------------------------------------------------------------------------------------------


def splitting(begin: date, end: date, where: Where) -> Iterator[Found]:
    """Windows of seven days that end with a purchase of the months asked for."""
    limits = _limits()
    lines: dict[tuple[int, int, str], list[Any]] = defaultdict(list)
    for row in db.session().execute(
            _orders(where, OrderLine.category, OrderLine.amount_fen, Order.purchase_id)
            .join(OrderLine, OrderLine.order_id == Order.id)
            .where(Order.business_date > begin - timedelta(days=ROLLING_DAYS), Order.business_date < end,
                   Order.unit_id.in_(limits)).order_by(Order.business_date, Order.id)):
        lines[row.unit_id, row.supplier_id, row.category].append(row)
    for (unit, supplier, category), rows in lines.items():
        by_purchase: dict[int, tuple[date, int]] = {}
        for row in rows:
            day, fen = by_purchase.get(row.purchase_id, (row.business_date, 0))
            by_purchase[row.purchase_id] = (day, fen + row.amount_fen)
        for limit in limits[unit]:
            window = _window_over(list(by_purchase.values()), limit, begin)
            if window:
                yield Found(
                    "splitting", f"{unit}/{supplier}/{category}/{limit}/{window[-1][0].isoformat()}",
                    f"{rows[0].unit_name} · {rows[0].supplier_name}",
                    _("%(count)s purchases, together ¥%(yuan)s, limit ¥%(limit)s", count=len(window),
                      yuan=money.yuan(sum(fen for _day, fen in window)), limit=money.yuan(limit)), window[-1][0])


def _window_over(purchases: list[tuple[date, int]], limit: int, begin: date) -> list[tuple[date, int]]:
    """The first window whose purchases lie each at or under the limit and together above it."""
    under = [(day, fen) for day, fen in purchases if fen <= limit]
    for last, _fen in under:
        window = [one for one in under if last - timedelta(days=ROLLING_DAYS) < one[0] <= last]
        if last >= begin and len(window) > 1 and sum(fen for _day, fen in window) > limit:
            return window
    return []


def _limits() -> dict[int, list[int]]:
    """The amounts (fen) from which a yes is needed, by unit, as they are now."""
    limits: dict[int, set[int]] = defaultdict(set)
    for row in db.session().execute(select(ApprovalRule.unit_id, ApprovalRule.from_fen)):
        limits[row.unit_id].add(row.from_fen)
    plain = select(Organisation.id, Organisation.approval_limit_fen).where(Organisation.approval_limit_fen.is_not(None))
    for unit, limit in db.session().execute(plain):
        if unit not in limits:
            limits[unit].add(limit or 0)
    return {unit: sorted(amount for amount in some if amount) for unit, some in limits.items()}


def two_logins(begin: date, end: date, where: Where) -> Iterator[Found]:
    """People of one purchase: who ordered, raised, approved, received, paid."""
    people: dict[int, set[int]] = defaultdict(set)
    facts: dict[int, Any] = {}
    base = _orders(where, Order.purchase_id, Purchase.number.label("purchase_number"), Purchase.ordered_by).join(
        Purchase, Purchase.id == Order.purchase_id).where(Order.business_date >= begin, Order.business_date < end)
    for row in db.session().execute(base):
        facts[row.purchase_id] = row
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
                            f"{known[one].name} ({known[one].login}) · {known[other].name} ({known[other].login})",
                            row.business_date)


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
    for row in db.session().execute(
            select(ApprovalDecision.id, ApprovalDecision.at, ApprovalStep.asked_at, Purchase.number,
                   Purchase.business_date, User.name, Organisation.short_name)
            .join(ApprovalStep, ApprovalStep.id == ApprovalDecision.step_id)
            .join(Purchase, Purchase.id == ApprovalDecision.purchase_id)
            .join(Organisation, Organisation.id == Purchase.unit_id).join(User, User.id == ApprovalDecision.decided_by)
            .where(where.holds(Organisation.division_id), ApprovalDecision.decision == "approve",
                   ApprovalDecision.way == "here", ApprovalDecision.at != Purchase.placed_at,
                   Purchase.business_date >= begin, Purchase.business_date < end)):
        seconds = int((row.at - row.asked_at).total_seconds())
        if seconds < HASTY_SECONDS:
            yield Found("hasty", str(row.id), f"{row.short_name} · {row.number}",
                        _("%(who)s after %(seconds)s seconds", who=row.name, seconds=seconds), row.business_date)


def one_supplier(begin: date, end: date, where: Where) -> Iterator[Found]:
    """Shares of a unit's month, in what was accepted."""
    units: dict[tuple[int, str], list[Any]] = defaultdict(list)
    for row in db.session().execute(_orders(where, (Order.accepted_fen - Order.returned_fen).label("fen"))
                                    .where(Order.business_date >= begin, Order.business_date < end,
                                           Order.state == "accepted")):
        units[row.unit_id, clock.period_of(row.business_date)].append(row)
    for (unit, month), rows in units.items():
        total = sum(row.fen for row in rows)
        sums: dict[int, int] = defaultdict(int)
        for row in rows:
            sums[row.supplier_id] += row.fen
        supplier, most = max(sums.items(), key=lambda pair: pair[1])
        if len(rows) >= FEWEST_ORDERS and most * 5 > total * 3:
            name = next(row.supplier_name for row in rows if row.supplier_id == supplier)
            share = most * 1000 // total
            yield Found("one_supplier", f"{unit}/{month}", f"{rows[0].unit_name} · {name}",
                        _("%(share)s percent of ¥%(yuan)s", share=f"{share // 10}.{share % 10}",
                          yuan=money.yuan(total)),
                        max(row.business_date for row in rows))


def prices(begin: date, end: date, where: Where) -> Iterator[Found]:
    """What the price monitor found and nobody has explained."""
    for row in db.session().execute(
            select(PriceOutlier.id, PriceOutlier.period, PriceOutlier.fen_per_kg, PriceOutlier.median_fen_per_kg,
                   PriceOutlier.found_at, Product.name, Organisation.short_name)
            .join(Product, Product.id == PriceOutlier.product_id)
            .join(Organisation, Organisation.id == Product.supplier_id)
            .where(where.holds(Product.village_id), PriceOutlier.period >= clock.period_of(begin),
                   PriceOutlier.period < clock.period_of(end), PriceOutlier.approved_at.is_(None),
                   PriceOutlier.sent_back_at.is_(None))):
        yield Found("price", str(row.id), f"{row.short_name} · {row.name}",
                    _("¥%(price)s a kilo, median ¥%(median)s", price=money.yuan(row.fen_per_kg),
                      median=money.yuan(row.median_fen_per_kg)), clock.business_date(row.found_at))


def round_trips(begin: date, end: date, where: Where) -> Iterator[Found]:
    """Money that went to the co-operative and came back."""
    back: dict[int, int] = defaultdict(int)
    facts: dict[int, Any] = {}
    paid = (select(ClaimPart.order_id, db.sum_of(ClaimPart.amount_fen).label("fen"),
                   PaymentClaim.business_date.label("day"))
            .join(PaymentClaim, PaymentClaim.id == ClaimPart.claim_id).where(PaymentClaim.state == "received")
            .group_by(ClaimPart.order_id, PaymentClaim.business_date).subquery())
    for row in db.session().execute(
            _orders(where, Order.received_fen, Refund.id.label("refund"), Refund.amount_fen,
                    Refund.business_date.label("back_on"), paid.c.day, cancelled_too=True)
            .join(Refund, Refund.order_id == Order.id).join(paid, paid.c.order_id == Order.id)
            .where(Refund.state == "done", Refund.business_date >= begin, Refund.business_date < end)
            .order_by(Refund.id, paid.c.day)):
        if timedelta(0) <= row.back_on - row.day <= timedelta(days=ROUND_TRIP_DAYS) and (
                row.id not in facts or facts[row.id].refund != row.refund):
            facts[row.id] = row
            back[row.id] += row.amount_fen
    for order, row in facts.items():
        if back[order] * 2 >= row.received_fen:
            yield Found("round_trip", str(order), f"{row.unit_name} · {row.supplier_name} · {row.number}",
                        _("¥%(back)s of ¥%(paid)s", back=money.yuan(back[order]), paid=money.yuan(row.received_fen)),
                        row.back_on)


def tender(begin: date, end: date, where: Where) -> Iterator[Found]:
    """Units whose year lies above a limit, looked at on the last day of the months asked for."""
    day = min(end - timedelta(days=1), clock.today())
    if day < begin:
        return
    for above in tenders.above(day, where):
        yield Found("tender", f"{above.unit_id}/{day.year}/{above.category}",
                    f"{above.unit_name} · {above.name}",
                    _("¥%(yuan)s, limit ¥%(limit)s (%(document)s)", yuan=money.yuan(above.total_fen),
                      limit=money.yuan(above.limit_fen), document=above.document), day)


LOOKS: tuple[Callable[[date, date, Where], Iterator[Found]], ...] = (
    splitting, two_logins, hasty, one_supplier, prices, round_trips, tender)

REPORT = Report("anomalies", N_("Anomalies in purchases"),
                N_("Signs of split orders, shared logins, hasty approvals, one-sided buying, refunds in a circle."),
                read, verb="report.read", by_village=False)
