"""The words of phone orders."""

from collections.abc import Mapping

from market.errors import N_

STATES: Mapping[str, str] = {
    "open": N_("Waits for the canteen"), "confirmed": N_("Ordered"), "declined": N_("The canteen declined"),
    "withdrawn": N_("Withdrawn"), "expired": N_("Expired"),
}
