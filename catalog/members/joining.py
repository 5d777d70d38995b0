"""A new member by hand: the rules are those of a table with one row (catalog/importing/member_sheet.py)."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from catalog.importing import member_sheet
from catalog.importing.kinds import Fault
from market import db
from market.access import Visitor
from market.errors import N_, Conflict, InvalidInput, MarketError
from market.households import CoopMember, Household
from market.parties import Organisation
from market.sheet_input import Rows

ROW = 1


class NotLikeThat(Conflict):
    """What the table would have said of this row."""

    code = "member_refused"

    def __init__(self, fault: Fault) -> None:
        self.text = fault.text
        super().__init__(**fault.details)


def join(values: Mapping[str, Any], by: Visitor) -> int:
    """Take a household in; returns its id. Raises InvalidInput at the field, nothing is written then."""
    session = db.session()
    session.execute(select(Organisation.id).where(Organisation.id == by.organisation_id).with_for_update())
    plan = member_sheet.match(Rows({ROW: values}, [], 1, 0, frozenset(values)), by)
    problems: dict[str, list[str | MarketError]] = {}
    for fault in plan.faults:
        problems.setdefault(fault.field, []).append(NotLikeThat(fault))
    if not problems and not plan.new:
        problems["member_no"] = [N_("A member already has this number.")]
    if problems:
        raise InvalidInput(problems)
    member_sheet.write(plan, by)
    return session.scalars(
        select(Household.id).join(CoopMember, CoopMember.household_id == Household.id)
        .where(CoopMember.supplier_id == by.organisation_id, CoopMember.member_no == values["member_no"])).one()
