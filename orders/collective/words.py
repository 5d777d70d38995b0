"""What kinds, acts and units of collective income are called."""

from collections.abc import Mapping

from market.errors import N_

INCOME_KINDS: Mapping[str, str] = {
    "trading": N_("Trading"), "contract": N_("Contracts and hand-in"), "investment": N_("Return on investment"),
    "other": N_("Other operating income"),
}
EVENTS: Mapping[str, str] = {"attributed": N_("Earned"), "withdrawn": N_("Taken back")}
UNITS: Mapping[str, str] = {"percent": N_("percent"), "months": N_("months"), "days": N_("days")}
ACTS: Mapping[str, str] = {"collective.decision": N_("Decision recorded")}
