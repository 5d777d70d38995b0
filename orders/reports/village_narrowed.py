"""The village report narrowed to some trade, or at another stage: what can be told of it, and nothing else.

Goods carry the kind of unit, method, fund source, category and certificate; wages, rents and dividends, people and
checks do not, so their columns are not there.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from market import figures
from market.figures import ALL
from market.i18n import gettext as _
from orders.reports import village_placed
from orders.reports.declared import Asked, Column, Content, Row, total_of
from orders.reports.readers import Area, Reader

PLACES = ("county", "township", "village", "code", "designated")
TOLD = ("accepted_grams", "purchase_fen", "certified_fen", "returned_fen", "received_fen", "unpaid_fen",
        "farm_gate_fen", "collective_fen")


def columns_of(columns: Sequence[Column], asked: Asked) -> list[Column]:
    """Those of the report's columns that can be told of what is asked for."""
    if asked.stage == "placed":
        return [*(column for column in columns if column.key in PLACES), *village_placed.COLUMNS]
    told = ("received_fen",) if asked.stage == "received" else TOLD
    return [column for column in columns if column.key in PLACES or column.key in told]


def sums_of(asked: Asked, area: Area) -> dict[int, Mapping[str, int]]:
    """Figures by village, in fen and grams."""
    if asked.stage == "placed":
        return village_placed.sums(asked, area)
    if asked.facets == ALL:
        return {row["village_id"]: row for row in figures.village_figures(asked.first, asked.last, area.where)}
    rows = figures.facet_figures(asked.first, asked.last, ("village_id",), area.where, asked.facets)
    return {row["village_id"]: row for row in rows}


def content(asked: Asked, columns: Sequence[Column], sums: Mapping[int, Mapping[str, int]], places: Mapping[int, Any],
            designated: set[int]) -> Content:
    """The rows of villages; officials alone are shown any of this."""
    rows = []
    for village, place in places.items():
        values = {"county": place.county, "township": place.township, "village": place.name, "code": place.code,
                  "designated": _("yes") if village in designated else ""}
        values |= {column.key: column.value_of(sums.get(village, {})) for column in columns if column.formula}
        rows.append(Row(values, place=place.code if place.is_open else str(place.id),
                        order=f"{place.code} {place.id}"))
    return Content(columns, rows, total_of(columns, rows), notes(asked))


def notes(asked: Asked) -> list[str]:
    """What these figures leave out, and why."""
    if asked.stage == "placed":
        return village_placed.notes()
    said = []
    if asked.facets != ALL:
        said.append(_("Wages, rents and dividends, households, people, counts of orders and goods, the farmers' share "
                      "and checks are not of one kind of trade: they are not part of figures that are narrowed."))
    if asked.stage == "received":
        said.append(_("Received: what co-operatives got for goods of the village, less what they paid back, each in "
                      "its own month."))
    return said


def is_wanted(asked: Asked, reader: Reader) -> bool:
    """Whether the report is asked for in a way that only some figures can be told in."""
    return reader.sees_all and (asked.facets != ALL or bool(asked.stage))
