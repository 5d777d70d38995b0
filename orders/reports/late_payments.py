"""Late payments (逾期未付): units of the area that owe for goods after the last day of payment, as it stands today."""

from sqlalchemy import select

from market import clock, db
from market.errors import N_, NotFound
from market.i18n import gettext as _
from market.parties import Organisation
from orders.models import Order
from orders.overdue import lists, office, rules, words
from orders.overdue.lists import Sum
from orders.reports import unit_rows
from orders.reports.frame import Asked, Column, Content, Opens, Report, Row, total_of
from orders.reports.readers import Area, Reader

COLUMNS = (
    Column("unit", N_("Unit"), "text"), Column("unit_type", N_("Kind"), "text"), Column("place", N_("Place"), "text"),
    Column("parent", N_("Supervising unit"), "text"), Column("orders", N_("Orders"), "count", sums=True, opens=True),
    Column("open_fen", N_("Open"), "fen", sums=True, opens=True),
    *(Column(band, rules.BANDS[band][0], "fen", sums=True) for band in rules.LATE_BANDS),
    Column("due_on", N_("To be paid by"), "code"), Column("overdue_days", N_("Days overdue"), "count"),
    Column("interest_fen", N_("Interest, estimated"), "fen", sums=True),
)


def read(asked: Asked, area: Area, reader: Reader) -> Content:
    """One row for each unit with open orders whose last day lies up to the end of the last month asked for. Not for
    the public."""
    if not reader.sees_all:
        raise NotFound()
    until = min(unit_rows.year_of(asked)[1], clock.days_after(clock.today(), -1))
    dues = lists.dues(lists.is_late(clock.today()), lists.unit_lies_in(area.where), Order.pay_by <= until)
    found = lists.sums(dues, lambda order: order.unit_id)
    parents = _parents()
    rows = [_row(unit_id, one, parents.get(unit_id)) for unit_id, one in found.items()]
    return Content(COLUMNS, rows, total_of(COLUMNS, rows), [
        _("Open on the day on which this was made, of what was to be paid by %(day)s.", day=until.isoformat()),
        _(words.COUNTED), _(words.ESTIMATE)])


def _row(unit_id: int, one: Sum, parent: str | None) -> Row:
    return Row({
        "unit": one.first.unit_full_name, "unit_type": office.kind_of(one.first.unit_type), "place": one.first.place,
        "parent": parent, "orders": one.orders, "open_fen": one.open_fen, **one.by_band,
        "due_on": one.oldest.isoformat() if one.oldest else None, "overdue_days": one.days,
        "interest_fen": one.interest_fen,
    }, place=str(unit_id), order=f"{unit_id:012d}")


def _parents() -> dict[int, str]:
    """The supervising unit's name by unit."""
    above = db.table(Organisation).alias()
    return {row.id: row.name for row in db.session().execute(
        select(Organisation.id, above.c.name).join(above, above.c.id == Organisation.parent_id))}


REPORT = Report("late-payments", N_("Late payments"),
                N_("Units that owe for goods after the last day of payment, with the interest estimated."), read,
                verb="report.read", by_village=False, group="purchases",
                opens=Opens("office_overdue.unit", lambda row, _key, _asked: {"unit_id": row.place}))
