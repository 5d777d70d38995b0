"""The filing register (预留份额): what each unit filed for a year and how far it has come; phones masked."""

from sqlalchemy import select

from market import clock, db
from market.errors import N_
from market.i18n import gettext as _
from market.users import User
from orders.quota import words
from orders.reports import unit_rows
from orders.reports.frame import Asked, Column, Content, Report, Row, total_of
from orders.reports.readers import Area, Reader

COLUMNS = (
    Column("unit", N_("Unit"), "text"), Column("canteen", N_("Canteen"), "text"),
    Column("union_demand", N_("The union buys as well"), "text"), Column("base", N_("Filed base"), "fen", sums=True),
    Column("ratio", N_("Share reserved"), "percent"), Column("quota", N_("Quota"), "fen", sums=True),
    Column("contact", N_("Contact"), "text"), Column("phone", N_("Phone"), "code"),
    Column("remark", N_("Remark"), "text"), Column("representative", N_("Representative unit"), "text"),
    Column("contractor", N_("Contractor"), "text"), Column("state", N_("State"), "text"),
    Column("late", N_("Late"), "text"), Column("reviewer", N_("Reviewer"), "text"), Column("day", N_("Day"), "code"),
)


def read(asked: Asked, area: Area, reader: Reader) -> Content:
    """One row for each filing of the year; units that have not filed only where asked for. Not for the public."""
    units = unit_rows.units(area, reader)
    year, _until = unit_rows.year_of(asked)
    filings = unit_rows.filings(year)
    people = {row.decided_by or row.reviewed_by for row in filings.values()}
    names = {row.id: row.name for row in db.session().execute(select(User.id, User.name).where(User.id.in_(people)))}
    rows = []
    for unit in units:
        row = filings.get(unit.id)
        if row is None or row.state == "draft":
            if asked.every:
                rows.append(Row({"unit": unit.name, "state": _("Not filed")}, order=f"{unit.id:012d}"))
            continue
        at = row.decided_at or row.reviewed_at or row.submitted_at
        rows.append(Row({
            "unit": unit.name, "canteen": _(words.CANTEENS[row.canteen]),
            "union_demand": _("Yes") if row.union_demand else _("No"), "base": row.canteen_base_fen,
            "ratio": row.canteen_points, "quota": row.canteen_quota_fen + row.union_quota_fen,
            "contact": row.contact, "phone": words.masked(row.phone), "remark": row.remark,
            "representative": row.representative, "contractor": row.contractor or None,
            "state": _(words.STATES[row.state][0]), "late": _("Late") if row.is_late else None,
            "reviewer": names.get(row.decided_by or row.reviewed_by),
            "day": clock.business_date(at).isoformat() if at else None,
        }, order=f"{unit.id:012d}"))
    return Content(COLUMNS, rows, total_of(COLUMNS, rows),
                   [_("Filings for %(year)s as they stand now; drafts are left out.", year=year)])


REPORT = Report("quota-filings", N_("Register of filings"),
                N_("What each unit filed of its reserved share, and how far the filing has come."), read,
                verb="report.read", by_village=False, group="purchases", every=N_("Also units that have not filed"))
