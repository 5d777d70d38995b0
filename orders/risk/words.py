"""What signals are called and how they are explained; no household is called poor by any of it."""

from collections.abc import Mapping

from market.errors import N_

NOT_TOTAL = N_("Income through this platform, not total income: a signal to look, not a judgement about a household.")
KINDS: Mapping[str, str] = {
    "fallen": N_("Income fallen"), "stopped": N_("Stopped selling"), "unpaid": N_("Income not paid out"),
    "weak": N_("Collective below 50,000 yuan"),
}
EXPLAINED: Mapping[str, str] = {
    "fallen": N_("Income of the months named, and of the same months of the year before; only months in which trade "
                 "was open in both years."),
    "stopped": N_("Nothing in the months named and since; the amount is that of the same months of the year before."),
    "unpaid": N_("Earned longer ago than the area's rule allows and not paid out."),
    "weak": N_("The village's collective had less than 50,000 yuan of operating income in a year in which its other "
               "income is declared."),
}
STATES: Mapping[str, str] = {
    "open": N_("Still to settle"), "overdue": N_("Past its day"), "closing": N_("To be closed"),
    "closed": N_("Settled and closed"),
}
ACTS: Mapping[str, str] = {
    "risk.opened": N_("Signal found"), "risk.reopened": N_("Came back: open again"), "risk.assigned": N_("Assigned"),
    "risk.closing": N_("Proposed to close"), "risk.closed": N_("Closed by a second person"),
    "risk.sent_back": N_("Not settled: stays open"), "risk.name_shown": N_("Full name was shown"),
}
