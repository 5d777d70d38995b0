"""The words of linkages and declared income."""

from collections.abc import Mapping
from datetime import date

from market import clock
from market.errors import N_

KINDS: Mapping[str, str] = {
    "shareholding": N_("Shareholding co-operation"), "direct_support": N_("Direct support"),
    "commissioned_support": N_("Commissioned support"),
}
FORMS: Mapping[str, str] = {
    "guaranteed_purchase": N_("Guaranteed purchase"), "seed_supply": N_("Seed and supplies"),
    "guidance": N_("Technical guidance"), "employment": N_("Employment"), "processing": N_("Work in processing"),
    "land_rights": N_("Land rights"), "collective_share": N_("Share of the collective"), "other": N_("Other agreement"),
    "delivery": N_("By delivery, nothing agreed in writing"),
}
# state: its words and its tone
STATES: Mapping[str, tuple[str, str]] = {
    "waits": (N_("Waits for the village"), "waiting"), "holds": (N_("Holds"), "good"), "ended": (N_("Ended"), "quiet"),
    "refused": (N_("Refused by the village"), "wrong"), "delivery": (N_("By delivery only"), "info"),
}
DECLARED: Mapping[str, tuple[str, str]] = {
    "waits": (N_("Waits for confirmation"), "waiting"), "confirmed": (N_("Confirmed"), "good"),
    "refused": (N_("Refused by the village"), "wrong"), "withdrawn": (N_("Withdrawn"), "quiet"),
}
PROPOSED: Mapping[str, tuple[str, str]] = {
    "waits": (N_("Waits for the village"), "waiting"), "confirmed": (N_("Confirmed"), "good"),
    "refused": (N_("Refused by the village"), "wrong"), "withdrawn": (N_("Withdrawn"), "quiet"),
}


def last_day(until: date) -> date:
    """The day before the first one on which a thing no longer holds."""
    return clock.days_after(until, -1)
