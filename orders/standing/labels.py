"""The words of standing orders: states, outcomes, weekdays, acts."""

from collections.abc import Mapping

from market.errors import N_

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")  # names of form fields, Monday first
WEEKDAY_LABELS: Mapping[str, str] = {
    "mon": N_("Mon"), "tue": N_("Tue"), "wed": N_("Wed"), "thu": N_("Thu"), "fri": N_("Fri"), "sat": N_("Sat"),
    "sun": N_("Sun"),
}
STATES: Mapping[str, str] = {
    "draft": N_("Draft"), "waiting": N_("To approve"), "active": N_("Running"), "paused": N_("Paused"),
    "ended": N_("Ended"),
}
OUTCOMES: Mapping[str, str] = {
    "placed": N_("Ordered"), "nothing": N_("Nothing ordered"), "skipped": N_("Left out"), "failed": N_("Not possible"),
    "missed": N_("Not in time"),
}
LINE_OUTCOMES: Mapping[str, str] = {
    "ordered": N_("Ordered"), "paused": N_("Above the ceiling"), "short": N_("Not to be had"),
}
ACTS: Mapping[str, str] = {
    "standing.drafted": N_("Drawn up"), "standing.changed": N_("Changed"), "standing.started": N_("Started"),
    "standing.approved": N_("Approved"), "standing.declined": N_("Declined"), "standing.paused": N_("Paused"),
    "standing.active": N_("Resumed"), "standing.ended": N_("Ended"), "standing.taken_over": N_("Taken over"),
    "standing.handed_over": N_("Handed over"),
    "standing.day_skipped": N_("Day left out"), "standing.day_back": N_("Day taken back"),
    "standing.ceiling_raised": N_("Ceiling raised"), "standing.price_taken_once": N_("Price taken once"),
    "standing.good_dropped": N_("Good dropped"),
}
