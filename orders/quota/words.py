"""The words for the reserved share's states and choices."""

from collections.abc import Mapping

from market.errors import N_

STATES: Mapping[str, tuple[str, str]] = {  # words and tone
    "draft": (N_("Draft"), "quiet"), "submitted": (N_("Submitted"), "waiting"),
    "reviewed": (N_("Reviewed by the supervising unit"), "waiting"), "approved": (N_("Approved"), "good"),
    "returned": (N_("Returned for correction"), "wrong"), "closed": (N_("Ended"), "quiet"),
}
CANTEENS: Mapping[str, str] = {
    "own": N_("Own canteen"), "outsourced": N_("Canteen run by a contractor"),
    "shared": N_("Shared canteen that another unit files"), "none": N_("No canteen"),
}
DUTIES: Mapping[str, str] = {"local": N_("Counts for the local rule"), "832": N_("Counts for 832")}
COUNTS: Mapping[str, str] = {
    "local": N_("Orders on this platform"), "832": N_("Orders on 832"), "both": N_("Orders on both"),
}
FUNDS: Mapping[str, str] = {
    "canteen": N_("Canteen"), "contractor": N_("Contractor"), "union": N_("Union"), "staff": N_("Staff"),
}
CHANNELS: Mapping[str, str] = {"local": N_("This platform"), "832": "832"}
FIGURES: Mapping[str, str] = {
    "canteen": N_("Canteen purchase"), "contractor": N_("Contractor's purchase"), "union": N_("Union purchase"),
    "staff": N_("Staff purchase"), "total": N_("Total purchase"), "outside": N_("Orders on 832"),
    "outside_canteen": N_("Orders on 832"), "outside_union": N_("Orders on 832"), "outside_staff": N_("Orders on 832"),
    "local": N_("Counts for the local rule"), "832": N_("Counts for 832"), "open": N_("Ordered, not yet accepted"),
    "unpaid": N_("Accepted, not yet paid"),
}
SUCCESSIONS: Mapping[str, str] = {"merged": N_("Merged into another unit"), "renamed": N_("Renamed or re-founded")}
SUCCESSION_STATES: Mapping[str, tuple[str, str]] = {
    "declared": (N_("Waits for the finance office"), "waiting"), "confirmed": (N_("Confirmed"), "good"),
    "refused": (N_("Not accepted"), "wrong"),
}
ACTS: Mapping[str, str] = {
    "quota_filing.saved": N_("Saved"), "quota_filing.submitted": N_("Submitted"),
    "quota_filing.reviewed": N_("Reviewed by the supervising unit"), "quota_filing.approved": N_("Approved"),
    "quota_filing.returned": N_("Returned for correction"),
}


def masked(phone: str) -> str:
    """A phone number for others: only its ends.

    >>> masked("13900001234"), masked("")
    ('139****1234', '')
    """
    return f"{phone[:3]}****{phone[-4:]}" if len(phone) > 7 else "****" if phone else ""
