"""What the states and acts of units are called."""

from collections.abc import Mapping

from market.errors import N_

STANDS: Mapping[str, tuple[str, str]] = {  # words and tone
    "active": (N_("Admitted"), "good"), "applying": (N_("Waits for admission"), "waiting"),
    "suspended": (N_("Suspended"), "wrong"), "left": (N_("Left"), "quiet"),
}
APPLICATION: Mapping[str, tuple[str, str]] = {
    "waiting": (N_("Waits for admission"), "waiting"), "returned": (N_("Returned for correction"), "wrong"),
    "admitted": (N_("Admitted"), "good"),
}
HANDOVER: Mapping[str, tuple[str, str]] = {
    "planned": (N_("Planned"), "waiting"), "done": (N_("Done"), "good"), "cancelled": (N_("Called off"), "quiet"),
}
ACTS: Mapping[str, str] = {
    "unit.applied": N_("Asked to be admitted"), "unit.applied_again": N_("Asked again"),
    "unit.admitted": N_("Admitted"), "unit.returned": N_("Returned for correction"),
    "unit.facts_set": N_("Changed the facts"), "unit.made": N_("Created the sub-unit"),
    "handover.planned": N_("Planned the hand-over"), "handover.done": N_("The hand-over took effect"),
    "handover.cancelled": N_("Called it off"),
    "unit.named": N_("Agreed to be named on village pages"), "unit.unnamed": N_("Took the name off village pages"),
}
MANAGER_ACCOUNT, TRADING_ACCOUNT = N_("Manager account"), N_("Trading account")
