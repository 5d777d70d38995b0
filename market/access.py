"""Who may do what: one declared rule per verb, and one per route.

A rule names roles. Tenant walls are not here: every query of a desk starts from the visitor's organisation, so that a
foreign id answers exactly like an unknown one. `@requires` and `@public` mark the routes; a route with neither fails
a test.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

Route = TypeVar("Route", bound=Callable[..., Any])


@dataclass(frozen=True)
class Visitor:
    """The person at the door, for one request: who, acting for which organisation, in which roles."""

    id: int
    name: str
    login: str
    organisation_id: int | None
    organisation_kind: str | None
    organisation_name: str
    office_kind: str | None
    unit_type: str | None
    division_id: int | None
    division_code: str | None
    roles: frozenset[str] = field(default_factory=frozenset)
    session_id: int | None = None
    is_authenticated = True
    is_active = True
    is_anonymous = False

    def get_id(self) -> str:
        """What Flask-Login keeps."""
        return str(self.id)


@dataclass(frozen=True)
class Anonymous:
    """Nobody yet."""

    id: None = None
    name: str = ""
    organisation_id: None = None
    organisation_kind: None = None
    roles: frozenset[str] = frozenset()
    is_authenticated = False
    is_active = False
    is_anonymous = True

    def get_id(self) -> None:
        return None


UNIT, SUPPLIER, OFFICE = "unit", "supplier", "office"
OPERATORS = {"operator_system", "operator_security", "operator_audit"}
OFFICIALS = {"official", "township_officer"}
READERS = OFFICIALS | {"auditor", "operator_audit"}
UNIT_PEOPLE = frozenset({"requester", "approver", "leader", "receiver", "finance", "contractor", "manager"})
ORDERERS = frozenset({"requester", "contractor", "manager"})

# verb: (kind of organisation, or several, roles); kind None and roles None mean any logged-in person
RULES: Mapping[str, tuple[str | frozenset[str] | None, frozenset[str] | None]] = {
    "account.own": (None, None),
    "told.manage": (None, frozenset({"manager", *OFFICIALS, "operator_system"})),
    # the buyer's desk
    "unit.read": (UNIT, UNIT_PEOPLE),
    "unit.manage": (UNIT, frozenset({"manager"})),
    "purchase.prepare": (UNIT, ORDERERS),
    "purchase.place": (UNIT, ORDERERS),
    "purchase.approve": (UNIT, frozenset({"approver", "leader"})),
    "purchase.read": (UNIT, UNIT_PEOPLE),
    "purchase.cancel": (UNIT, ORDERERS),
    "purchase.amend": (UNIT, ORDERERS),
    "purchase.file": (UNIT, UNIT_PEOPLE - {"contractor"}),  # an approval signed on paper, by a second person
    "unit.rules": (UNIT, frozenset({"manager"})),
    "delivery.accept": (UNIT, frozenset({"receiver"})),
    "inspection.read": (UNIT, UNIT_PEOPLE),
    "inspection.record": (UNIT, frozenset({"receiver"})),
    "inspection.purge": (UNIT, frozenset({"manager"})),
    "payment.claim": (UNIT, frozenset({"finance"})),
    "payment.card": (UNIT, frozenset({"finance"})),
    "payment.extend": (UNIT, frozenset({"finance", "manager"})),
    "aftersale.open": (UNIT, frozenset({"requester", "receiver", "manager"})),
    "order.rate": (UNIT, frozenset({"requester", "receiver", "manager"})),
    "credit.ask": (UNIT, frozenset({"requester", "finance", "manager"})),
    "credit.decide": (UNIT, frozenset({"approver", "leader", "manager"})),
    "quota.read": (UNIT, UNIT_PEOPLE),
    "quota.file": (UNIT, frozenset({"manager", "finance"})),
    "quota.review": (UNIT, frozenset({"manager"})),  # of the supervising unit: orders/quota/filing.py
    # the village desk
    "goods.manage": (SUPPLIER, frozenset({"manager", "clerk"})),
    "member.manage": (SUPPLIER, frozenset({"manager", "clerk"})),
    "surplus.keep": (SUPPLIER, frozenset({"manager", "clerk"})),
    "sheet.import": (SUPPLIER, frozenset({"manager", "clerk"})),
    "lot.recall": (SUPPLIER, frozenset({"manager"})),
    "paper.keep": (SUPPLIER, frozenset({"manager", "clerk"})),
    "lot.book": (SUPPLIER, frozenset({"manager", "clerk"})),
    "capacity.declare": (SUPPLIER, frozenset({"manager", "clerk"})),
    "linkage.keep": (SUPPLIER, frozenset({"manager", "clerk"})),
    "income.declare": (SUPPLIER, frozenset({"manager", "clerk", "accountant"})),
    "collective.propose": (SUPPLIER, frozenset({"manager"})),
    "order.ship": (SUPPLIER, frozenset({"manager", "clerk"})),
    "terms.state": (SUPPLIER, frozenset({"manager", "clerk"})),
    "freight.lower": (SUPPLIER, frozenset({"manager"})),
    "phone.type": (SUPPLIER, frozenset({"manager", "clerk"})),
    "payment.receive": (SUPPLIER, frozenset({"manager"})),
    "aftersale.answer": (SUPPLIER, frozenset({"manager"})),
    "payment.match": (SUPPLIER, frozenset({"manager", "clerk", "accountant"})),  # bank statements, what they pay for
    "refund.ask": (SUPPLIER, frozenset({"manager", "clerk", "accountant"})),
    "refund.confirm": (SUPPLIER, frozenset({"manager", "clerk", "accountant"})),  # one of the two a manager
    "payment.settings": (None, frozenset({"manager"})),
    "payout.prepare": (SUPPLIER, frozenset({"manager", "clerk", "accountant"})),  # two of them: orders/payouts/runs.py
    "account.reveal": (SUPPLIER, frozenset({"manager", "accountant"})),  # whole account numbers, each look journalled
    "card.connect": (SUPPLIER, frozenset({"manager"})),
    "supplier.money": (SUPPLIER, frozenset({"manager", "clerk", "accountant"})),
    "supplier.read": (SUPPLIER, frozenset({"manager", "clerk", "accountant"})),
    "cost.declare": (SUPPLIER, frozenset({"manager", "clerk"})),
    # coming in as a supplier
    "application.prepare": (SUPPLIER, frozenset({"applicant"})),
    "application.read": (SUPPLIER, frozenset({"applicant", "manager"})),
    # both sides of a trade, each its own rows
    "lot.read": (None, frozenset({"manager", "clerk", "village_officer", *OFFICIALS})),
    "capacity.read": (None, frozenset(READERS | {"manager", "clerk"})),
    "order.read": (None, UNIT_PEOPLE | {"manager", "clerk", "accountant"}),
    # papers of trade: contracts, notes, statements, invoices
    "trade_paper.read": (None, UNIT_PEOPLE | {"manager", "clerk", "accountant", "auditor", "operator_audit"}),
    "frame.keep": (None, frozenset({"manager"})),
    "statement.issue": (SUPPLIER, frozenset({"manager", "clerk", "accountant"})),
    "statement.answer": (UNIT, frozenset({"finance", "manager"})),
    "invoice.ask": (UNIT, frozenset({"finance", "manager"})),
    "invoice.send": (SUPPLIER, frozenset({"manager", "clerk", "accountant"})),
    "recall.read": (None, UNIT_PEOPLE | {"manager", "clerk", "village_officer", *READERS}),
    "aftersale.read": (None, UNIT_PEOPLE | {"manager", "clerk", *READERS}),
    # the officials' desk
    "lot.recall_any": (OFFICE, frozenset({"official"})),
    "lot.confirm": (OFFICE, frozenset({"village_officer", *OFFICIALS})),  # who which: catalog/lot_confirmers.py
    "village.confirm": (OFFICE, frozenset({"village_officer", "township_officer"})),
    "linkage.read": (OFFICE, frozenset(READERS | {"village_officer"})),
    "paper.read": (OFFICE, frozenset(OFFICIALS | {"auditor"})),
    "paper.check": (OFFICE, frozenset({"official"})),
    "capacity.watch": (OFFICE, frozenset(READERS)),
    "capacity.decide": (OFFICE, frozenset({"official"})),  # of the agriculture office: catalog/capacity/asking.py
    "login.reset": (OFFICE, frozenset({"township_officer"})),
    "login.reset_second_factor": (OFFICE, frozenset({"operator_security"})),
    "entry.read": (OFFICE, frozenset(OFFICIALS | {"auditor", "operator_system", "operator_audit"})),
    "entry.decide": (OFFICE, frozenset(OFFICIALS | {"operator_system"})),
    "unit.admit": (OFFICE, frozenset({"official"})),  # which office: orders/units/admission.py
    "supplier.suspend": (OFFICE, frozenset({"official", "operator_system"})),
    "place.manage": (OFFICE, frozenset({"official"})),
    "listing.review": (OFFICE, frozenset({"official"})),
    "price.refer": (OFFICE, frozenset({"official"})),
    "price.watch": (OFFICE, frozenset(READERS)),
    "aftersale.mediate": (OFFICE, frozenset({"official"})),
    "tender.read": (OFFICE, frozenset(READERS)),
    "tender.keep": (OFFICE, frozenset({"official"})),  # of finance offices and the city: orders/approving/tenders.py
    "anomaly.read": (OFFICE, frozenset(READERS)),
    "anomaly.handle": (OFFICE, frozenset({"official"})),
    "anomaly.answer": (SUPPLIER, frozenset({"manager", "clerk"})),
    "report.read": (OFFICE, frozenset(READERS)),
    "surplus.read": (frozenset({SUPPLIER, OFFICE}), frozenset({"manager", "clerk", "accountant", *READERS})),
    "form.read": (OFFICE, frozenset(READERS)),  # the office's own forms of the province: orders/forms
    "form.keep": (OFFICE, frozenset(OFFICIALS)),
    "report.file": (None, None),  # whatever report the person may read
    "quota.watch": (OFFICE, frozenset(READERS)),
    "quota.decide": (OFFICE, frozenset({"official"})),  # which office what: orders/quota/rules.py, filing.py
    "office.home": (OFFICE, frozenset(READERS | {"village_officer"})),
    "period.read": (OFFICE, frozenset(READERS)),
    "period.close": (OFFICE, frozenset({"official"})),  # of the city's office: orders/periods/closing.py
    "bulletin.read": (OFFICE, frozenset(READERS)),
    "bulletin.keep": (OFFICE, frozenset({"official"})),  # of the city's office: orders/bulletins/drafting.py
    "bulletin.object": (OFFICE, frozenset({"official"})),  # of a county's offices: orders/bulletins/objecting.py
    "overdue.read": (OFFICE, frozenset(READERS)),
    "evidence.read": (OFFICE, frozenset(READERS)),  # who sees names: orders/evidence/asking.py
    "evidence.draw": (OFFICE, frozenset(READERS)),
    "collective.read": (OFFICE, frozenset(OFFICIALS | {"auditor", "village_officer"})),
    "collective.declare": (OFFICE, frozenset({"village_officer"})),
    "collective.confirm": (OFFICE, frozenset({"township_officer"})),
    "area_rule.read": (OFFICE, frozenset(READERS)),
    "area_rule.set": (OFFICE, frozenset({"official"})),  # of a county or the city: orders/collective/dated.py
    "risk.read": (OFFICE, frozenset(OFFICIALS | {"auditor", "village_officer"})),
    "risk.handle": (OFFICE, frozenset(OFFICIALS | {"village_officer"})),
    # households and their cards, of the office's area: orders/households
    "household.read": (OFFICE, frozenset({"village_officer", "auditor", *OFFICIALS})),
    "household.reveal": (OFFICE, frozenset({"village_officer", "auditor", *OFFICIALS})),  # each look is kept
    "household.reveals": (OFFICE, frozenset(READERS | {"village_officer", "operator_security"})),
    "household.keep": (OFFICE, frozenset({"village_officer", *OFFICIALS})),
    "household.classify": (OFFICE, frozenset(OFFICIALS)),
    "cost_ratio.read": (OFFICE, frozenset(READERS | {"village_officer"})),
    "cost_ratio.keep": (OFFICE, frozenset({"official"})),  # of agriculture and city offices: orders/households/costs.py
    "monitoring_line.keep": (OFFICE, frozenset({"official"})),
    # the operator
    "reconciliation.read": (frozenset({SUPPLIER, OFFICE}), frozenset({"manager", "accountant", "auditor", *OPERATORS})),
    "reconciliation.settle": (frozenset({SUPPLIER, OFFICE}), frozenset({"manager", "operator_system"})),
    "reconciliation.run": (OFFICE, frozenset({"operator_system"})),
    "fee.rule": (OFFICE, frozenset({"operator_system"})),
    "system.watch": (OFFICE, frozenset(OPERATORS)),
}


def can(visitor: Visitor | Anonymous, verb: str) -> bool:
    """Whether the visitor's role, in the organisation they act for, covers the verb. Unknown verbs are refused."""
    kind, roles = RULES[verb]
    if not visitor.is_authenticated:
        return False
    if kind is not None and visitor.organisation_kind not in ({kind} if isinstance(kind, str) else kind):
        return False
    return roles is None or bool(visitor.roles & roles)


def requires(verb: str) -> Callable[[Route], Route]:
    """Declare what a route requires; the web frame asks `can()` before the view runs."""
    if verb not in RULES:
        raise KeyError(f"no rule for {verb!r}")

    def mark(view: Route) -> Route:
        view.access = verb  # type: ignore[attr-defined]
        return view

    return mark


def public(view: Route) -> Route:
    """Declare that anybody may call a route."""
    view.access = None  # type: ignore[attr-defined]
    return view
