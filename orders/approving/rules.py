"""Which yeses a purchase needs: by amount and fund source, and splitting it over days or people does not help.

The amount compared is the purchase's own total or, if that is more, what the unit has ordered of one category from one
co-operative in seven days, this purchase and older orders raised in these days included. The unit's rules are locked
meanwhile, so that two people who order at the same moment see each other.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, delete, select

from market import clock, db, journal
from market.access import Visitor
from market.errors import N_, InvalidInput
from market.parties import Organisation
from orders.approving.models import ApprovalRule, ApprovalStep, OrderAmendment
from orders.models import Order, OrderLine

ROLLING_DAYS = 7
MOST_RULES = 12


@dataclass(frozen=True)
class Step:
    """A yes that is needed, and why: `compared_fen` lies above `from_fen`."""

    step_no: int
    role: str
    from_fen: int
    compared_fen: int


@dataclass(frozen=True)
class Rule:
    """Above `from_fen` (from 'canteen', 'union', 'staff' or 'any' money) somebody of this role must say yes."""

    fund_source: str
    from_fen: int
    role: str


def needed(unit: Any, fund_source: str, lines: Sequence[Mapping[str, Any]], total_fen: int,
           purchase_id: int = 0) -> tuple[Step, ...]:
    """The steps of a purchase of `unit` (id, approval_limit_fen), in order; one statement more where nothing is set,
    two where the unit has rules, three where it has the old limit alone. `purchase_id`: one that is placed already.
    """
    rules = db.session().execute(_RULES, {"unit": unit.id}).all()
    if not rules and db.dialect() == "postgresql":  # while this waited for the rules, a rival may have replaced them
        rules = db.session().execute(_RULES, {"unit": unit.id}).all()
    steps = _for_fund(rules, fund_source, unit.approval_limit_fen)
    if not steps:
        return ()
    if not rules:
        db.session().execute(_LOCK_UNIT, {"unit": unit.id})
    compared = max([total_fen, *sums(unit.id, lines, purchase_id).values()])
    return tuple(Step(number, role, from_fen, compared) for number, role, from_fen in steps if compared > from_fen)


def _for_fund(rules: Sequence[Any], fund_source: str, limit_fen: int | None) -> list[tuple[int, str, int]]:
    """What may be asked of a purchase out of this money, (number, role, above which fen): its own rules, else those of
    any money, else the unit's one limit."""
    own = [rule for rule in rules if rule.fund_source == fund_source]
    steps = [(rule.step_no, rule.role, rule.from_fen)
             for rule in own or [rule for rule in rules if rule.fund_source == "any"]]
    return steps or ([(1, "approver", limit_fen)] if limit_fen is not None else [])


_rule, _unit = db.table(ApprovalRule).c, db.table(Organisation).c
_order, _line = db.table(Order).c, db.table(OrderLine).c
_RULES = (select(_rule.fund_source, _rule.from_fen, _rule.step_no, _rule.role).where(_rule.unit_id == bindparam("unit"))
          .order_by(_rule.step_no, _rule.id).with_for_update())
# for the unit's other rows may go on pointing to it
_LOCK_UNIT = select(_unit.id).where(_unit.id == bindparam("unit")).with_for_update(key_share=True)
_change = db.table(OrderAmendment).c
_RAISED = (select(_change.id).where(_change.order_id == _order.id, _change.kind == "raised",
                                    _change.amended_at >= bindparam("since_moment"))
           .correlate(db.table(Order)).exists())
_SUMS = (
    select(_order.supplier_id, _line.category, db.sum_of(_line.amount_fen).label("fen"))
    .join_from(db.table(Order), db.table(OrderLine), _line.order_id == _order.id)
    .where(_order.unit_id == bindparam("unit"), _order.state != "cancelled",
           (_order.business_date > bindparam("since")) | _RAISED,
           _order.supplier_id.in_(bindparam("suppliers", expanding=True)), _order.purchase_id != bindparam("purchase"))
    .group_by(_order.supplier_id, _line.category)
)


def sums(unit_id: int, lines: Sequence[Mapping[str, Any]], purchase_id: int = 0) -> dict[tuple[int, str], int]:
    """What seven days bring of each co-operative and category of these lines, themselves included, in fen."""
    totals: dict[tuple[int, str], int] = defaultdict(int)
    for line in lines:
        totals[line["supplier_id"], line["category"]] += line["amount_fen"]
    since = clock.days_after(clock.today(), -ROLLING_DAYS)
    for row in db.session().execute(_SUMS, {
            "unit": unit_id, "since": since, "since_moment": clock.shanghai(clock.days_after(since, 1)),
            "purchase": purchase_id, "suppliers": sorted({line["supplier_id"] for line in lines})}):
        if (row.supplier_id, row.category) in totals:
            totals[row.supplier_id, row.category] += row.fen
    return totals


def ask(purchase_id: int, steps: Sequence[Step], by: Visitor, round_no: int = 1) -> None:
    """Keep the steps that a purchase waits for; a later change of the rules does not reach them."""
    now = clock.now()
    db.insert_rows(ApprovalStep, [
        {"purchase_id": purchase_id, "round_no": round_no, "step_no": step.step_no, "role": step.role,
         "from_fen": step.from_fen, "compared_fen": step.compared_fen, "asked_by": by.id, "asked_at": now}
        for step in steps])


def of_unit(unit_id: int | None) -> Sequence[Any]:
    """A unit's rules in the order of their steps."""
    return db.session().execute(
        select(_rule.fund_source, _rule.from_fen, _rule.step_no, _rule.role).where(_rule.unit_id == unit_id)
        .order_by(_rule.fund_source, _rule.step_no)).all()


def roles_for(unit_id: int, fund_source: str, amount_fen: int) -> tuple[str, ...]:
    """Whose yes an amount alone needs, in order: for what is approved beforehand, as the plan of a standing order."""
    steps = _for_fund(of_unit(unit_id), fund_source, plain_limit(unit_id))
    return tuple(role for _number, role, from_fen in steps if amount_fen > from_fen)


def plain_limit(unit_id: int | None) -> int | None:
    """The one limit of a unit that has set no steps."""
    return db.session().scalar(select(Organisation.approval_limit_fen).where(Organisation.id == unit_id))


def replace(rules: Sequence[Rule], by: Visitor) -> None:
    """The manager says anew who approves what; it counts for purchases from now on. Raises InvalidInput."""
    if len(rules) > MOST_RULES:
        raise InvalidInput({"rules": [N_("This is too long.")]})
    if len({(rule.fund_source, rule.from_fen, rule.role) for rule in rules}) != len(rules):
        raise InvalidInput({"rules": [N_("A step is listed twice.")]})
    before = [dict(row._mapping) for row in of_unit(by.organisation_id)]
    session = db.session()
    session.execute(delete(ApprovalRule).where(ApprovalRule.unit_id == by.organisation_id))
    by_source: dict[str, list[Rule]] = defaultdict(list)
    for rule in sorted(rules, key=lambda rule: (rule.from_fen, rule.role == "leader")):
        by_source[rule.fund_source].append(rule)
    now = clock.now()
    db.insert_rows(ApprovalRule, [
        {"unit_id": by.organisation_id, "fund_source": source, "from_fen": rule.from_fen, "step_no": number,
         "role": rule.role, "set_by": by.id, "set_at": now}
        for source, some in by_source.items() for number, rule in enumerate(some, 1)])
    journal.record("unit.approval_rules", "organisation", by.organisation_id or 0, by, before=before,
                   after=[dict(row._mapping) for row in of_unit(by.organisation_id)])
