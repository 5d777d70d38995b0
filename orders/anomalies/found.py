"""What a look finds: one row each, the same for report and case, in words that are translated where they are read."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Select, select, true

from market import db
from market.errors import N_
from market.figures import Where
from market.i18n import gettext as _
from market.parties import Organisation
from orders.models import Order

RULE_VERSION = 1  # goes up with every change of a rule or threshold; a case keeps the one it was found by
GRAVE = ("round_trip", "self_dealing", "payment_circle", "over_capacity")
MOST_EVIDENCE = 60  # rows kept with a case
KINDS: Mapping[str, tuple[str, str]] = {
    "round_trip": (N_("Paid and given back"), N_(
        "At least half of what was paid for an order was refunded within 30 days.")),
    "self_dealing": (N_("Unit and co-operative are tied"), N_(
        "A unit and a co-operative that trade, or people who act for them, share a phone, a bank account, an address, "
        "a mail address, a person or a legal person.")),
    "payment_circle": (N_("Money in a circle"), N_(
        "Money went round through at most 4 payers and payees within 90 days and came back, in amounts that differ by "
        "less than half, and at least once somebody else than the unit paid.")),
    "over_capacity": (N_("Sold above the approved capacity"), N_(
        "More was sold of a good in a season than the county approved for it, or accepted from a village than it can "
        "bring, by more than 5 percent.")),
    "splitting": (N_("Just under a limit"), N_(
        "Two purchases or more of one category from one co-operative within 7 days, each under a limit of the unit, "
        "together above it.")),
    "price": (N_("Price far above like goods"), N_(
        "More than 1.5 times the median of like goods, not yet explained.")),
    "hasty_acceptance": (N_("Accepted without a look?"), N_(
        "Accepted within 5 minutes of leaving the co-operative, or goods of 4 vans and more received by one person in "
        "one minute.")),
    "stuffing": (N_("Crowded at the end of a month"), N_(
        "On the last 3 days of a month a unit accepted more than 3 times their usual share of the month, in orders far "
        "more than chance brings.")),
    "two_logins": (N_("Two logins of one person?"), N_(
        "Two people who acted in one purchase have the same name, or mail addresses that differ by dots, capitals or "
        "what follows a plus.")),
    "hasty": (N_("Approved without a look?"), N_("Approved within 30 seconds of being asked for.")),
    "one_supplier": (N_("Mostly one co-operative"), N_(
        "Of eight accepted orders of a month or more, over two thirds of the amount went to one co-operative; of five "
        "to seven, over four fifths.")),
    "tender": (N_("Above a tender limit"), N_("The year's purchases of one category lie above the tender limit.")),
}
TIES: Mapping[str, str] = {
    "phone": N_("the same phone"), "account": N_("the same bank account"), "address": N_("the same address"),
    "person": N_("the same person acts for both"), "mail": N_("the same mail address"),
    "name_phone": N_("a person of the same name and phone"), "code": N_("the same credit code"),
}
EVIDENCE: Mapping[str, str] = {
    "order": N_("Order"), "purchase": N_("Purchase"), "claim": N_("Payment"), "refund": N_("Refund"),
    "payout": N_("Payout"), **TIES,
}
EARLIER = N_("noted before cases were kept")


@dataclass(frozen=True)
class Found:
    """Something that stands out. `key` names it for good, whatever months are asked for.

    `value` is a msgid with its `facts`, of which `what` is a msgid itself. `evidence`: rows of (kind of EVIDENCE,
    number or text, fen or None, day or None).
    """

    kind: str
    key: str
    object: str
    value: str
    facts: Mapping[str, Any]
    day: date
    unit_id: int | None = None
    supplier_id: int | None = None
    order_ids: Sequence[int] = field(default_factory=tuple)
    evidence: Sequence[tuple[str, str, int | None, date | None]] = field(default_factory=tuple)

    @property
    def label(self) -> str:
        return KINDS[self.kind][0]

    @property
    def rule(self) -> str:
        return KINDS[self.kind][1]

    @property
    def is_grave(self) -> bool:
        return self.kind in GRAVE


def orders_of(where: Where, *columns: Any, cancelled_too: bool = False) -> Select[Any]:
    """Orders of units of the area."""
    return (select(Order.id, Order.number, Order.unit_id, Order.supplier_id, Order.supplier_name, Order.business_date,
                   Order.placed_fen, Organisation.short_name.label("unit_name"), *columns)
            .join(Organisation, Organisation.id == Order.unit_id)
            .where(where.holds(Organisation.division_id), true() if cancelled_too else Order.state != "cancelled"))


def of_unit_or_supplier(where: Where, unit: Any, supplier: Any) -> ColumnElement[bool]:
    """Either side of a trade lies in the area; both are columns of division ids."""
    return where.holds(unit) | where.holds(supplier)


def value_words(value: str, facts: Mapping[str, Any]) -> str:
    """The figure found, in the reader's language."""
    return str(_(value, **{**facts, **({"what": _(facts["what"])} if "what" in facts else {})}))


def told(rows: Iterable[Any], kind: str = "order", fen: str = "placed_fen") -> list[Any]:
    """Evidence out of rows that have a number and a business date."""
    return [(kind, row.number, getattr(row, fen), row.business_date) for row in rows][:MOST_EVIDENCE]


def names_of(ids: Iterable[int]) -> dict[int, str]:
    """Short names of organisations, in one statement."""
    wanted = set(ids)
    if not wanted:
        return {}
    return {row.id: row.short_name for row in db.session().execute(
        select(Organisation.id, Organisation.short_name).where(Organisation.id.in_(wanted)))}
