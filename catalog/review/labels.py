"""The words of the listing review and the price monitor, each with the tone of its chip."""

from collections.abc import Mapping

from market.errors import N_

DECISION_LABELS: Mapping[str, tuple[str, str]] = {
    "waiting": (N_("Waits for the county"), "waiting"), "published": (N_("On the shelf at once"), "good"),
    "approved": (N_("Approved"), "good"), "returned": (N_("Sent back by the county"), "wrong"),
    "withdrawn": (N_("Withdrawn"), "quiet"),
}
STANDINGS: Mapping[str, tuple[str, str]] = {
    "above": (N_("Above the band"), "wrong"), "below": (N_("Below the band"), "waiting"),
    "within": (N_("In the band"), "good"), "none": (N_("Nothing to compare with"), "quiet"),
}
OUTLIER_LABELS: Mapping[str, tuple[str, str]] = {
    "open": (N_("Needs a reason"), "wrong"), "second": (N_("Needs a second person"), "waiting"),
    "agreed": (N_("Explained and agreed"), "good"), "sent_back": (N_("Sent back by the county"), "quiet"),
}
ALL_DECISIONS: Mapping[str, tuple[str, str]] = {**DECISION_LABELS, **OUTLIER_LABELS}
