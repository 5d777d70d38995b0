"""What a case is about, where it stands and what may follow; the terms in working days."""

from collections.abc import Mapping

from market.errors import N_

KINDS = ("return", "replacement", "complaint")
# open: the co-operative answers · refused: the unit lets it rest or calls the county · proposed: the county has spoken
NEXT: Mapping[str, frozenset[str]] = {
    "open": frozenset({"agreed", "refused", "withdrawn", "mediation"}),
    "refused": frozenset({"withdrawn", "mediation"}),
    "mediation": frozenset({"proposed", "withdrawn", "agreed"}),
    "proposed": frozenset({"agreed", "withdrawn", "failed"}),
    "agreed": frozenset(),
    "withdrawn": frozenset(),
    "failed": frozenset(),
}
STATES = tuple(NEXT)
LIVE = tuple(state for state in STATES if NEXT[state])

ANSWER_DAYS = 3  # working days the co-operative has; ours, no rule sets it
MEDIATION_DAYS = 7  # working days the county has; ours, no rule sets it
OPEN_DAYS = 30  # after acceptance a case may be opened
RATE_DAYS = 60  # after acceptance an order may be rated

KIND_LABELS: Mapping[str, str] = {
    "return": N_("Return goods"), "replacement": N_("Replace goods"), "complaint": N_("Complaint"),
}
STATE_LABELS: Mapping[str, str] = {
    "open": N_("Answer awaited"), "refused": N_("Not agreed"), "mediation": N_("The county mediates"),
    "proposed": N_("The county has proposed"), "agreed": N_("Settled"), "withdrawn": N_("Withdrawn"),
    "failed": N_("Closed without agreement"),
}
TONES: Mapping[str, str] = {
    "open": "waiting", "refused": "wrong", "mediation": "info", "proposed": "info", "agreed": "good",
    "withdrawn": "quiet", "failed": "quiet",
}
CREDIT_LABELS: Mapping[str, str] = {
    "asked": N_("Waits for a second person"), "approved": N_("Approved"), "declined": N_("Declined"),
}
