"""What pages, reports and notices say about months."""

from collections.abc import Mapping
from datetime import date

from market import clock
from market.errors import N_
from market.i18n import gettext as _

# state of a month: its label and tone
STATES: Mapping[str, tuple[str, str]] = {
    "running": (N_("Still running"), "quiet"), "open": (N_("Over, open"), "plain"),
    "close_proposed": (N_("Close proposed"), "waiting"), "closed": (N_("Closed"), "good"),
    "reopen_proposed": (N_("Reopening proposed"), "waiting"), "reopened": (N_("Reopened"), "wrong"),
}
ACTS: Mapping[str, str] = {  # of the journal
    "period.close_proposed": N_("Close proposed"), "period.closed": N_("Closed, figures filed"),
    "period.reopen_proposed": N_("Reopening proposed"), "period.reopened": N_("Reopened"),
    "period.proposal_withdrawn": N_("Proposal withdrawn"),
}
FIGURES: Mapping[str, str] = {
    "accepted_fen": N_("Accepted"), "accepted_grams": N_("Accepted weight"),
    "certified_fen": N_("Certified goods, accepted less returned"), "returned_fen": N_("Sent back"),
    "returned_grams": N_("Weight sent back"), "allowance_fen": N_("Price reduced afterwards"),
    "received_fen": N_("Received"), "refunded_fen": N_("Refunded"), "farm_gate_fen": N_("Farm-gate income"),
    "wage_fen": N_("Wages"), "land_fen": N_("Land rent"), "dividend_fen": N_("Dividends"),
    "collective_fen": N_("Collective income"), "households_paid_fen": N_("Paid out to households"),
    "collective_paid_fen": N_("Paid out to the collective"), "orders": N_("Orders"), "products": N_("Goods"),
    "households": N_("Households"), "suppliers": N_("Co-operatives"),
}


def late_mark(day: date, counted_in: str) -> str | None:
    """What stands beside an entry that came after its month was closed; None where it counts in its own."""
    month = clock.period_of(day)
    if month == counted_in:
        return None
    return str(_("entered late: belongs to %(month)s, counted in %(counted)s", month=month, counted=counted_in))
