"""Report 16, price monitor: goods on the shelf with their price, what it is compared with, and what was decided.

As it stood at the end of the last month asked for, today for the running one: the price of that day, the newest
reference of the five weeks before it, and the last decision by then.
"""

from catalog.models import Product
from catalog.review import labels, monitor
from catalog.review.monitor import Watched
from market import clock, db
from market.errors import N_, NotFound
from market.i18n import gettext as _
from orders.reports.bought import MOST
from orders.reports.frame import Asked, Column, Content, Report, Row
from orders.reports.purchase_detail import more_words, spec_words
from orders.reports.readers import Area, Reader

COLUMNS = (
    Column("goods", N_("Goods"), "text"), Column("spec", N_("Specification"), "text"),
    Column("supplier", N_("Co-operative"), "text"), Column("origin", N_("Village of origin"), "text"),
    Column("price_fen", N_("Price"), "fen"), Column("fen_per_kg", N_("Price per kg"), "fen"),
    Column("reference_fen", N_("Reference per kg"), "fen"), Column("source", N_("Source"), "text"),
    Column("day", N_("Day"), "code"), Column("difference", N_("Difference"), "percent"),
    Column("standing", N_("Standing"), "text"), Column("decision", N_("Decision"), "text"),
)


def read(asked: Asked, area: Area, reader: Reader) -> Content:
    """One row for each good of the area on the shelf, the farthest above its reference first. Not for the public."""
    if not reader.sees_all:
        raise NotFound()
    day = min(clock.today(), clock.last_day(asked.last))
    found = monitor.on(day, area.where.holds(db.table(Product).c.village_id))
    found.sort(key=lambda one: (one.difference is None, -(one.difference or 0), one.goods.id))
    rows = [_row(one, number) for number, one in enumerate(found[:MOST])]
    standings = [one.standing for one in found]
    notes = [
        _("Prices and references as of %(day)s; a reference counts for five weeks. A price within the band around it "
          "holds at once, all else waits for the county.", day=day.isoformat()),
        _("Of %(all)s goods: %(above)s above the band, %(below)s below, %(none)s with nothing to compare with.",
          all=len(found), **{name: standings.count(name) for name in ("above", "below", "none")}),
    ]
    return Content(COLUMNS, rows, Row({}), [*([more_words(MOST)] if len(found) > MOST else []), *notes])


def _row(one: Watched, number: int) -> Row:
    reference = one.reference
    return Row({
        "goods": one.goods.name, "spec": spec_words(one.goods.unit, one.goods.grams_per_unit),
        "supplier": one.goods.supplier, "origin": one.goods.path, "price_fen": one.goods.price_fen,
        "fen_per_kg": one.fen_per_kg, "reference_fen": reference.fen_per_kg if reference else None,
        "source": reference.source if reference else None,
        "day": reference.day.isoformat() if reference else None, "difference": one.difference,
        "standing": _(labels.STANDINGS[one.standing][0]),
        "decision": _(labels.ALL_DECISIONS[one.decision][0]) if one.decision else None,
    }, place=str(one.goods.id), order=f"{number:06d}")


REPORT = Report("price-monitor", N_("Price monitor"),
                N_("Goods on the shelf with their price, the reference price, the difference and the decision."), read,
                verb="report.read", by_village=False, group="goods")
