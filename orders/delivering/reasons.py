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

BY_ITSELF = frozenset({"not_sent", "recalled"})  # nothing to see and nothing to photograph


def rejected_milli(packed_milli: int, accepted_milli: int, reason: str) -> int:
    """How much of what came was refused (thousandths of the unit): what is missing with a reason; else it is short.

    >>> rejected_milli(3000, 2000, "damaged"), rejected_milli(3000, 2000, ""), rejected_milli(3000, 0, "late")
    (1000, 0, 3000)
    """
    return max(0, packed_milli - accepted_milli) if is_refusal(accepted_milli, reason) else 0


def is_refusal(accepted_milli: int, reason: str) -> bool:
    """Whether what is missing of a line was refused: none of it was taken, or a reason of the list says why."""
    return accepted_milli == 0 or (reason in REASONS and reason != "not_sent")


def needs_photo(packed_milli: int, accepted_milli: int, ordered_milli: int, reason: str, *, reduced: bool) -> bool:
    """Whether a line needs a photo: refused in part or whole, reduced, or over the order and not as on the note.

    >>> needs_photo(3000, 2000, 3000, "", reduced=False), needs_photo(3000, 2000, 3000, "damaged", reduced=False)
    (False, True)
    >>> needs_photo(3050, 3050, 3000, "", reduced=False), needs_photo(3000, 3050, 3000, "", reduced=False)
    (False, True)
    """
    if not packed_milli or (reason in BY_ITSELF and accepted_milli == 0):
        return False
    is_over = accepted_milli > ordered_milli and accepted_milli != packed_milli
    return reduced or is_over or rejected_milli(packed_milli, accepted_milli, reason) > 0
