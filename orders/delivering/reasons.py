"""Why goods are refused, reduced or sent back: the words of the list; what is kept is the key."""

from collections.abc import Mapping

from market.errors import N_

REASONS: Mapping[str, str] = {
    "spoiled": N_("Spoiled or mouldy"), "wilted": N_("Wilted"), "damaged": N_("Bruised or broken"),
    "immature": N_("Unripe or wrong size"), "wrong_goods": N_("Not what was ordered"),
    "no_certificate": N_("Papers missing"), "too_warm": N_("Cold chain broken"), "past_date": N_("Past its date"),
    "late": N_("Too late"), "recalled": N_("Recalled"),
    "not_sent": N_("Not sent"), "other": N_("Another reason, see the note"),
}
