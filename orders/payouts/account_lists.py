"""Members with their bank accounts, numbers by their last four digits only."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, func, select
from sqlalchemy.orm import aliased

from market import db, paging
from market.access import Visitor
from market.errors import NotFound
from market.households import CoopMember, Household
from market.places import Division
from market.users import User
from orders.payouts.lists import last_four
from orders.payouts.models import HouseholdAccount

Columns = Row[*tuple[Any, ...]]
TABS = ("waiting", "current", "without")


def members(by: Visitor, tab: str, page: int) -> paging.Page:
    """Members whose account waits, holds, or is missing, by member number; with counts by tab; three statements."""
    waiting, current = aliased(HouseholdAccount), aliased(HouseholdAccount)

    def of(account: Any, state: str) -> Any:
        return ((account.household_id == CoopMember.household_id) & (account.supplier_id == CoopMember.supplier_id)
                & (account.state == state))

    conditions = {"waiting": waiting.id.is_not(None), "current": current.id.is_not(None),
                  "without": current.id.is_(None) & waiting.id.is_(None)}

    def joined(query: Any) -> Any:
        return (query.select_from(CoopMember).outerjoin(waiting, of(waiting, "waiting"))
                .outerjoin(current, of(current, "current")).where(CoopMember.supplier_id == by.organisation_id))

    counts = dict(db.session().execute(joined(select(
        *(func.count().filter(conditions[one]).label(one) for one in TABS)))).mappings().one())
    shown = waiting if tab == "waiting" else current
    query = joined(select(
        CoopMember.household_id, CoopMember.member_no, Household.head_name, Division.name.label("village"),
        shown.holder, shown.bank, func.substr(shown.number, func.length(shown.number) - 3).label("last_four"),
        waiting.id.label("waiting_id"))).join(Household, Household.id == CoopMember.household_id).join(
            Division, Division.id == Household.village_id)
    return paging.read(query.where(conditions[tab]).order_by(CoopMember.member_no), counts[tab], page, counts=counts)


def member(household_id: int, by: Visitor) -> Columns:
    """Raises NotFound for anybody but a member."""
    found = db.session().execute(
        select(Household.id, Household.head_name, CoopMember.member_no, Division.path)
        .join(CoopMember, CoopMember.household_id == Household.id).join(Division, Division.id == Household.village_id)
        .where(CoopMember.supplier_id == by.organisation_id, Household.id == household_id)).first()
    if found is None:
        raise NotFound()
    return found


def history(household_id: int, by: Visitor) -> Sequence[Columns]:
    """Every account a member ever had here, the newest first."""
    entered, decided, row = aliased(User), aliased(User), HouseholdAccount
    return db.session().execute(
        select(row.id, row.holder, row.bank, last_four().label("last_four"), row.state, row.entered_by, row.entered_at,
               row.decided_at, entered.name.label("entered"), decided.name.label("decided"))
        .join(entered, entered.id == row.entered_by).outerjoin(decided, decided.id == row.decided_by)
        .where(row.supplier_id == by.organisation_id, row.household_id == household_id).order_by(row.id.desc())).all()
