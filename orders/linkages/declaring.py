"""Rows of a list of declared income: who is meant, which linkage each rests on, and keeping the whole list."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select

from market import clock, db, linkages, sheet_input
from market.access import Visitor
from market.errors import InvalidInput, MarketError
from market.households import CoopMember, Household
from market.i18n import gettext as _
from market.linkages import TIES
from orders.income import declarations
from orders.income.declarations import Declared
from orders.linkages import receivers
from orders.linkages.receivers import Meant
from orders.linkages.schemas import SheetRowSchema

MOST_ROWS, FIRST_ROWS, MORE_ROWS, MOST_SHEET_ROWS, MOST_TOLD = 60, 4, 4, 500, 8
HEADINGS: Mapping[str, Sequence[str]] = {
    "member": ("社员", "户编号", "Member"), "amount_fen": ("金额（元）", "金额", "Amount (yuan)", "Amount")}


def declare(kind: str, month: str, rows: Mapping[int, Mapping[str, Any]], proof_id: int, by: Visitor,
            field: str = "lines-%s-member") -> int:
    """Declare rows (member, amount_fen, linkage_id, again) by their numbers; returns how many.

    Raises InvalidInput at each row that cannot be.
    """
    meant = dict(zip(rows, of_rows(kind, [row["member"] for row in rows.values()], by), strict=True))
    problems: dict[str, list[str | MarketError]] = {
        field % number: [one] for number, one in meant.items() if not isinstance(one, int)}
    if problems:
        raise InvalidInput(problems)
    receivers_of = {number: one for number, one in meant.items() if isinstance(one, int)}
    return len(declarations.declare_list({
        number: Declared(
            None if kind == "collective" else one, kind, month, rows[number]["amount_fen"], proof_id,
            village_id=one if kind == "collective" else None, linkage_id=rows[number].get("linkage_id"),
            again=rows[number].get("again", False))
        for number, one in receivers_of.items()}, by, field))


def of_rows(kind: str, typed: Sequence[str], by: Visitor) -> list[Meant]:
    """Ids of households, or of villages for their collectives, or why there is none."""
    return receivers.villages(typed) if kind == "collective" else receivers.households(typed, by)


def ties_of_rows(kind: str, month: str, typed: Sequence[str], by: Visitor) -> dict[int, list[Any]]:
    """By row's number: the linkages that its income can rest on, the best first; rows that name nobody have none."""
    named = {number: text for number, text in enumerate(typed) if text}
    meant = zip(named, of_rows(kind, list(named.values()), by), strict=True)
    return {number: linkages.under_income(by.organisation_id or 0, one if kind == "collective" else 0,
                                          None if kind == "collective" else one, kind, month)
            for number, one in meant if isinstance(one, int)}


def usual(kind: str, by: Visitor) -> list[str]:
    """Members with a linkage such income rests on, as they stand in a form; one statement."""
    today = clock.today()
    rows = db.session().execute(
        select(CoopMember.member_no, Household.head_name).distinct()
        .join(Household, Household.id == CoopMember.household_id)
        .join(TIES, (TIES.c.household_id == Household.id) & (TIES.c.supplier_id == CoopMember.supplier_id))
        .where(CoopMember.supplier_id == by.organisation_id, linkages.holds_on(today, today),
               TIES.c.form.in_(linkages.FORMS_OF_INCOME[kind]))
        .order_by(CoopMember.member_no).limit(MOST_ROWS - MORE_ROWS))
    return [f"{row.member_no} {row.head_name}" for row in rows]


def rows_of_sheet(content: bytes) -> dict[int, Mapping[str, Any]]:
    """Rows of a table by their numbers. Raises InvalidInput at the file."""
    try:
        read = sheet_input.read(content, SheetRowSchema(), HEADINGS, MOST_SHEET_ROWS)
    except sheet_input.SheetRefused as refusal:
        raise InvalidInput({"sheet": [refusal]}) from refusal
    if read.errors:
        raise InvalidInput({"sheet": told({wrong.number: list(wrong.messages) for wrong in read.errors})})
    return dict(read.loaded)


def told(wrong: Mapping[int, Sequence[str]]) -> list[str | MarketError]:
    """What is wrong in which row of a table; the first ones."""
    return [_("Row %(number)s", number=number) + _(": ") + " ".join(_(text) for text in messages)
            for number, messages in list(wrong.items())[:MOST_TOLD]]
