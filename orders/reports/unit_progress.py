"""Unit progress (采购进度): each unit's purchases of a year beside its reserved share and the time gone."""

from typing import Any

from market import money
from market.errors import N_
from market.i18n import gettext as _
from market.words import UNIT_TYPES
from orders.quota import figures, words
from orders.quota.models import FILED
from orders.reports import unit_rows
from orders.reports.frame import Asked, Column, Content, Opens, Report, Row, total_of
from orders.reports.readers import Area, Reader


def _fen(key: str, heading: str, stage: str = "accepted") -> Column:
    return Column(key, heading, "fen", stage, sums=True, opens=key not in ("base", "quota", "gap"))


COLUMNS = (
    Column("unit", N_("Unit"), "text"), Column("unit_type", N_("Kind"), "text"), Column("place", N_("Place"), "text"),
    Column("parent", N_("Supervising unit"), "text"), Column("canteen_status", N_("Canteen"), "text"),
    _fen("base", N_("Filed base"), ""), Column("ratio", N_("Share reserved"), "percent"),
    _fen("quota", N_("Quota"), ""), _fen("canteen", N_("Canteen purchase")),
    _fen("contractor", N_("Contractor's purchase")), _fen("union", N_("Union purchase")),
    _fen("staff", N_("Staff purchase")), _fen("local", N_("Counts for the local rule")),
    Column("completion", N_("Completion"), "percent"), Column("time_progress", N_("Time elapsed"), "percent"),
    _fen("gap", N_("Still missing"), ""), _fen("outside", N_("Counts for 832"), ""),
    Column("orders", N_("Orders"), "count", sums=True), _fen("open", N_("Ordered, not yet accepted"), ""),
    _fen("unpaid", N_("Still unpaid"), ""), Column("overdue_days", N_("Days overdue"), "count"),
    Column("remark", N_("Remark"), "text"),
)


def read(asked: Asked, area: Area, reader: Reader) -> Content:
    """One row for each unit that has filed or bought; each order counts for one unit only. Not for the public."""
    units = unit_rows.units(area, reader)
    year, until = unit_rows.year_of(asked)
    found = figures.progress([unit.id for unit in units], year, until)
    rows = [_row(unit, found[unit.id]) for unit in units
            if asked.every or _shown(found[unit.id]) or found[unit.id].sums.orders
            or found[unit.id].sums.outside_orders]
    totals = total_of(COLUMNS, rows)
    totals.values["completion"] = (money.basis_points(totals.values["local"], totals.values["quota"])
                                   if totals.values["quota"] else None)
    day = min(until, figures.last_day(year))
    return Content(COLUMNS, rows, totals, [
        _("Purchases from 1 January %(year)s up to %(day)s, accepted less sent back.", year=year, day=day.isoformat()),
        _("Orders of a shared canteen count for its representative, those of a merged unit for its successor from that "
          "day on: each once."),
        _("Days overdue: beyond 30 days after acceptance, of the oldest unpaid order."),
    ])


def _shown(found: figures.Progress) -> Any:
    """The unit's filing; a draft is its own business."""
    return found.filing if found.filing and found.filing.state != "draft" else None


def _row(unit: Any, found: figures.Progress) -> Row:
    filing = _shown(found)
    filed = filing if filing and filing.state in FILED else None  # as the quota: not what was sent back or closed
    return Row({
        "unit": unit.name, "unit_type": _(UNIT_TYPES[unit.unit_type]) if unit.unit_type else None,
        "place": unit.place, "parent": unit.parent,
        "canteen_status": _(words.CANTEENS[filing.canteen]) if filing else None,
        "base": filed.canteen_base_fen if filed else None, "ratio": filed.canteen_points if filed else None,
        "quota": found.local.quota_fen, **found.sums.of, "local": found.local.amount_fen,
        "completion": found.local.points, "time_progress": found.time_points, "gap": found.local.gap_fen,
        "outside": found.outside.amount_fen, "orders": len(found.sums.orders), "open": found.sums.open_fen,
        "unpaid": found.sums.unpaid_fen, "overdue_days": found.overdue_days,
        "remark": filing.remark if filing else None,
    }, place=str(unit.id), order=f"{unit.id:012d}")


def _orders_of(row: Row, key: str, asked: Asked) -> dict[str, str]:
    return {"unit_id": row.place, "year": asked.last[:4], "month": asked.last,
            "figure": "832" if key == "outside" else key}


REPORT = Report("unit-progress", N_("Progress of units"),
                N_("What each unit bought of its reserved share, beside the time gone."), read, verb="report.read",
                by_village=False, compares=("yoy",), opens=Opens("quota_office.lines", _orders_of), group="purchases",
                every=N_("Also units that have not filed"))
