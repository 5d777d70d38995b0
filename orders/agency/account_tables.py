"""The co-operative's account as tables for a spreadsheet."""

from collections.abc import Mapping, Sequence
from typing import Any

from market.access import Visitor
from market.errors import N_
from market.i18n import gettext as _
from market.sheets import Heading, Table
from orders.agency import account
from orders.agency.account import Line

FIGURES: Mapping[str, str] = {
    "goods_fen": N_("Goods accepted"), "returned_fen": N_("Came back"), "freight_fen": N_("Freight"),
    "fee_fen": N_("Platform fee"), "received_fen": N_("Received"), "refunded_fen": N_("Given back"),
    "open_fen": N_("Open"),
}
KINDS = ("unit", "month", "statement")


def table(kind: str, by: Visitor, title: str) -> Table:
    """By unit, month or monthly statement, one of KINDS."""
    if kind == "statement":
        return _statements(account.every_statement(by), title)
    lines = account.by_month(by) if kind == "month" else account.by_unit(by)
    first = _("Month") if kind == "month" else _("Unit")
    return Table([Heading(first, "text"), *(Heading(_(label), "fen") for label in FIGURES.values())],
                 [_row(line) for line in lines], totals=[_("Together"), *_figures(account.together(lines))],
                 above=[title])


def _row(line: Line) -> list[Any]:
    return [line.name or _("Platform"), *_figures(line)]


def _figures(line: Line) -> list[int]:
    return [getattr(line, name) for name in FIGURES]


def _statements(rows: Sequence[Any], title: str) -> Table:
    return Table([Heading(_("Statement"), "code"), Heading(_("Month"), "text"), Heading(_("Unit"), "text"),
                  Heading(_("Earned"), "fen"), Heading(_("Received"), "fen"), Heading(_("Owed at its end"), "fen"),
                  Heading(_("Still open"), "fen")],
                 [[row.number, row.month, row.unit_name, row.earned_fen, -row.paid_fen, row.closing_fen, row.open_fen]
                  for row in rows], above=[title])
