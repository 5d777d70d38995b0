"""The report of risk signals: one row for each case with a signal found in the months asked for. Officials only."""

from typing import Any

from market import clock
from market.errors import N_, NotFound
from market.i18n import gettext as _
from orders.reports.frame import Asked, Column, Content, Opens, Report, Row, total_of
from orders.reports.readers import Area, Reader
from orders.risk import lists, words

COLUMNS = (
    Column("county", N_("County"), "text"), Column("township", N_("Township"), "text"),
    Column("place", N_("Village"), "text"), Column("household", N_("Household"), "code"),
    Column("kind", N_("Signal"), "text", opens=True), Column("months", N_("Months"), "text"),
    Column("now_fen", N_("Amount"), "fen"), Column("before_fen", N_("Compared with"), "fen"),
    Column("found_on", N_("Found on"), "text"), Column("handler", N_("Handled by"), "text"),
    Column("due_on", N_("Due on"), "text"), Column("measures", N_("Measures"), "text"),
    Column("state", N_("State"), "text"), Column("outcome", N_("Outcome"), "text"),
)


def read(asked: Asked, area: Area, reader: Reader) -> Content:
    """Households by code, or the name's first character; never for the public."""
    if not reader.sees_all:
        raise NotFound()
    rows = [_row(one, number) for number, one in enumerate(lists.of_report(area.where, asked.first, asked.last))]
    late = sum(one.values["late"] for one in rows)
    open_ones = sum(one.values["still_open"] for one in rows)
    return Content(COLUMNS, rows, total_of(COLUMNS, rows), [
        _(words.NOT_TOTAL), _("Open: %(open)s, of these overdue: %(late)s.", open=open_ones, late=late)])


def _row(one: Any, number: int) -> Row:
    late = one.state != "closed" and one.due_on < clock.today()
    return Row({
        "county": one.county, "township": one.township, "place": one.village, "household": subject_code(one),
        "kind": _(words.KINDS[one.kind]), "months": f"{one.first_month} – {one.last_month}", "now_fen": one.now_fen,
        "before_fen": one.before_fen if one.kind != "unpaid" else None, "found_on": one.found_on.isoformat(),
        "handler": one.handler or "", "due_on": one.due_on.isoformat(), "measures": one.measures,
        "state": _(words.STATES["overdue" if late else one.state]), "outcome": one.outcome,
        "late": int(late), "still_open": int(one.state != "closed"),
    }, place=str(one.id), order=f"{number:06d}")


def subject_code(one: Any) -> str:
    """A registered household by its code, another by the first character of its name, a village by a dash."""
    return one.register_code or (f"{one.initial}＊" if one.initial else "–")


REPORT = Report("risk-signals", N_("Risk signals from trade"),
                N_("Income fallen, stopped selling, unpaid: who handles it and what came of it."), read,
                verb="report.read", by_village=False,
                opens=Opens("risk.show", lambda row, _key, _asked: {"risk_id": row.place}))
