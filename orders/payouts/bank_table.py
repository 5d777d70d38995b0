"""The list that goes to the bank: whose account, its number as text, how much."""

from collections.abc import Sequence
from typing import Any

from market.i18n import gettext as _
from market.sheets import Heading, Table


def table(run: str, rows: Sequence[Any], co_operative: str) -> Table:
    """One line for each payment, with the sum."""
    headings = [Heading(text, kind) for text, kind in (
        (_("Account holder"), "text"), (_("Account number"), "code"), (_("Bank"), "text"), (_("Amount, yuan"), "fen"),
        (_("Remark"), "text"), (_("Village"), "text"))]
    lines = [[row.holder, row.number, row.bank, row.amount_fen, f"{run} {row.member_no or ''}".strip(), row.village]
             for row in rows]
    totals = [_("Together"), "", "", sum(row.amount_fen for row in rows), "", ""]
    return Table(headings, lines, totals, above=[f"{co_operative} · {_('Bank list')} {run}"])
