"""The documents behind a cell of report 4: order lines, orders or villages of one kind of unit and one method."""

from dataclasses import replace

from market.errors import N_, NotFound
from market.i18n import gettext as _
from market.words import UNIT_TYPES
from orders.reports import bought, bought_facts, order_lists, purchase_detail
from orders.reports.bought import NO_KIND, Wanted
from orders.reports.frame import Asked, Column, Content, Report, Row, total_of
from orders.reports.place_method import (
    ALL_METHODS,
    MEASURES,
    kind_words,
    method_words,
    parts_of,
    villages_reached,
)
from orders.reports.readers import Area, Reader


def report_of(figure: str) -> Report:
    """The report of what stands behind a cell. Raises NotFound for what is no figure, or a share."""
    method, measure = parts_of(figure)

    def read(asked: Asked, area: Area, _reader: Reader) -> Content:
        wanted = _wanted(asked, area, method)
        if measure == "orders":
            content = order_lists.counted(wanted, sum(bought.orders_by_way(wanted).values()))
        elif measure == "villages":
            content = _villages(wanted, asked.row)
        else:
            content = purchase_detail.ending_with(wanted, "grams" if measure == "grams" else "amount_fen")
        return replace(content, about=_("%(kind)s · %(method)s", kind=kind_words(asked.row),
                                        method=method_words(method)))

    return Report("by-place-and-method-lines", MEASURES[measure][0], N_("The documents behind a figure."), read,
                  "report.read", by_village=False)


def _wanted(asked: Asked, area: Area, method: str) -> Wanted:
    """What the cell holds: the row's kind of unit and the column's method, narrowed as the report was."""
    if asked.row not in (*UNIT_TYPES, NO_KIND):
        raise NotFound()
    facets = asked.facets if asked.row == NO_KIND else replace(asked.facets, unit_type=asked.row)
    return Wanted(asked.first, asked.last, area.where,
                  facets if method == ALL_METHODS else replace(facets, method=method), no_kind=asked.row == NO_KIND)


def _villages(wanted: Wanted, kind: str) -> Content:
    columns = (Column("village", N_("Village"), "text"),
               Column("villages", MEASURES["villages"][0], "count", "accepted", sums=True))
    paths = bought_facts.places(villages_reached(wanted, (kind,)))
    rows = [Row({"village": path, "villages": 1}, place=str(village), order=f"{path} {village}")
            for village, path in paths.items()]
    shown = rows[:bought.MOST]
    return Content(columns, shown, total_of(columns, rows),
                   [purchase_detail.more_words(len(shown))] if len(rows) > len(shown) else [])
