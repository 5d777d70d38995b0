"""What stands out as a report: one row each, with what has become of it."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from market import db
from market.errors import N_, NotFound
from market.i18n import gettext as _
from market.users import User
from orders.anomalies import looks
from orders.anomalies.found import Found, value_words
from orders.anomalies.lists import STATE_LABELS
from orders.anomalies.models import AnomalyCase
from orders.reports.frame import Asked, Column, Content, Report, Row, total_of
from orders.reports.readers import Area, Reader

COLUMNS = (
    Column("kind", N_("Kind"), "text"), Column("object", N_("What it is about"), "text"),
    Column("value", N_("Figure found"), "text"), Column("day", N_("Day"), "text"),
    Column("rule", N_("By which rule"), "text"),
    Column("handler", N_("Looked into by"), "text"), Column("result", N_("What became of it"), "text"),
)


def read(asked: Asked, area: Area, reader: Reader) -> Content:
    """One row for each. Not for the public."""
    if not reader.sees_all:
        raise NotFound()
    found = looks.found(asked.first, asked.last, area.where)
    cases = _cases(found)
    rows = [_row(one, cases.get((one.kind, one.key))) for one in found]
    rows.sort(key=lambda row: row.order)
    return Content(COLUMNS, rows, total_of(COLUMNS, rows), [_("Signs, not proofs: each needs somebody to look.")])


def _row(one: Found, case: Any) -> Row:
    return Row({"kind": _(one.label), "object": one.object, "value": value_words(one.value, one.facts),
                "day": one.day.isoformat(), "rule": _(one.rule), "handler": (case.who or "") if case else "",
                "result": _(STATE_LABELS[case.state]) if case else _("not yet looked into")},
               order=f"{case is not None and case.state in ('cleared', 'upheld')} {9999999 - one.day.toordinal()} "
                     f"{one.kind} {one.key}")


def _cases(found: Sequence[Found]) -> dict[tuple[str, str], Any]:
    """Cases of these findings with who decided them, or looks into them, in few statements."""
    keys = sorted({one.key for one in found})
    proposer, decider = aliased(User), aliased(User)
    cases: dict[tuple[str, str], Any] = {}
    for some in db.chunks(keys):
        cases.update(((row.kind, row.key), row) for row in db.session().execute(
            select(AnomalyCase.kind, AnomalyCase.key, AnomalyCase.state,
                   func.coalesce(decider.name, proposer.name).label("who"))
            .outerjoin(proposer, proposer.id == AnomalyCase.proposed_by)
            .outerjoin(decider, decider.id == AnomalyCase.decided_by)
            .where(AnomalyCase.key.in_(some))))
    return cases


REPORT = Report("anomalies", N_("Anomalies in purchases"),
                N_("Signs of split orders, ties between buyer and seller, money in circles, sales above capacity, "
                   "hasty acceptance, crowded month ends, one-sided buying."),
                read, verb="report.read", by_village=False)
