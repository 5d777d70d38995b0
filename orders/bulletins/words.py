"""What pages, papers and messages say about progress notices."""

from collections.abc import Mapping

from market.errors import N_

KINDS: Mapping[str, str] = {"week": N_("Weekly notice"), "month": N_("Monthly notice")}
STATES: Mapping[str, tuple[str, str]] = {  # label and tone
    "draft": (N_("Draft"), "plain"), "open": (N_("Open to the counties"), "waiting"),
    "published": (N_("Published"), "good"), "withdrawn": (N_("Withdrawn"), "quiet"),
}
GRADES: Mapping[str, str] = {
    "proven": N_("Proven here"), "uploaded": N_("Uploaded with evidence"), "declared": N_("Declared by the county"),
}
OUTCOMES: Mapping[str, tuple[str, str]] = {
    "corrected": (N_("Corrected"), "good"), "kept": (N_("The figure stands"), "plain"),
}
ACTS: Mapping[str, str] = {  # of the journal
    "bulletin.drafted": N_("Drafted"), "bulletin.redrawn": N_("Drawn again"),
    "bulletin.opened": N_("Opened to the counties"), "bulletin.objected": N_("A county objected"),
    "bulletin.answered": N_("Objection answered"), "bulletin.published": N_("Published"),
    "bulletin.withdrawn": N_("Withdrawn"),
}
FEW = N_("fewer than %(number)s")
BY_MONTH = N_("told by month")
ONCE_CLOSED = N_("told once closed")
NOT_SET = N_("not set")
NOT_NAMED = N_("not named")
NOT_DECLARED = N_("not declared")
NOTES = (
    N_("Ranks of counties go by one grade alone: %(grade)s. Equal amounts share a rank."),
    N_("Proven here: accepted less sent back, from the ledger, by the village the goods come from. Orders under check, "
       "and those a check did not clear, are left out: ¥%(yuan)s."),
    N_("Uploaded with evidence: orders of 832 less what went back, as the county's units sent the exports; they may "
       "have been grown elsewhere. Sent by units outside the counties, in no row: ¥%(yuan)s."),
    N_("Declared by the county: its own figure, not checked here. The three grades are never added up."),
    N_("Completion of target: proven here from 1 January up to %(day)s, of the county's target of the year."),
    N_("Income is what villages earned, households and collectives together, each entry with its document; it is not "
       "sales."),
    N_("Change: %(grade)s, against %(before)s."),
    N_("A month is told as the ledger counts it: what came after a month was closed counts in the first open one."),
    N_("A week is told by the days on which goods were accepted or came back."),
)
PUBLIC_MONTH = N_("Income is told for villages with at least %(number)s households behind it and nothing under check.")
PUBLIC_OPEN = N_("Income is told once the month is closed: until then it may change, and the change would tell of "
                 "single households.")
PUBLIC_WEEK = N_("Income is told by month, not by week.")
UNIT_NOTES = (
    N_("Units of %(year)s with a filed quota, up to %(day)s. Ranked by one grade alone: %(grade)s, of the quota."),
    N_("Change: percentage points since %(before)s."),
)
