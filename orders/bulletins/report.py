"""County notice (table 5) as a live report: any months, the same reading as the notices, down to the villages."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import select

from market import db, figures
from market.errors import N_
from market.figures import EVERYWHERE, Where
from market.places import Division
from market.words import designation_label
from orders.anomalies import holds
from orders.bulletins import content, reading, spans
from orders.bulletins.content import COUNTY_COLUMNS, SUMMED, Told
from orders.reports.frame import Asked, Column, Content, Report, Row, column_of, total_of
from orders.reports.readers import Area, Reader, find_place
from orders.reports.village_income import BOUGHT, TOTAL_INCOME, total

STAGES: Mapping[str, str] = {"proven": "accepted", "income": "earned", "households": "earned"}
FORMULAS: Mapping[str, Mapping[str, int]] = {"proven": BOUGHT, "income": TOTAL_INCOME}  # add up over villages
COLUMNS = tuple(
    Column(key, heading or N_("Village lifted from poverty"), kind, STAGES.get(key, ""), key in SUMMED,
           FORMULAS.get(key, {}), key in FORMULAS, key in ("income", "households"))
    for key, heading, kind in COUNTY_COLUMNS)
VILLAGE_COLUMNS = (Column("village", N_("Village"), "text"), Column("code", N_("Village code"), "code"))


def read(asked: Asked, area: Area, reader: Reader) -> Content:
    """One row for each county of the area, ranked among all by what is proven here."""
    span, where = spans.months(asked.first, asked.last), area.where
    of_counties = where.township_id is None and where.village_ids is None
    found, elsewhere = reading.counties(span, EVERYWHERE if of_counties else where)
    told = content.rows(found, "proven", span)
    if of_counties and where.county_id is not None:
        code = next((one.code for one in found if one.id == where.county_id), "")
        told = [row for row in told if row["place"] == code]
    rows = [_row(row, reader, of_counties) for row in told]
    notes = content.notes(found, elsewhere, "proven", span)
    columns = tuple(replace(column, heading=designation_label(span.year)) if column.key == "designated" else column
                    for column in COLUMNS)
    return Content(columns, rows, total_of(columns, rows), [content.said(note) for note in notes])


def _row(told: Told, reader: Reader, ranked: bool) -> Row:
    values, instead = dict(told["values"]), dict(told["instead"])
    if not reader.sees_all:
        values |= told["public"]
        instead |= told["public_instead"]
    if not ranked:
        values["rank"] = values["rank_before"] = None
    place = values["rank"]
    return Row(values, {key: content.said(sentence) for key, sentence in instead.items()}, place=told["place"],
               order=f"{place if place is not None else 9999:04d} {told['place']}")


def lines_of(figure: str) -> Report:
    """The villages behind a county's figure; their sum is the figure. Raises NotFound for what does not add up."""
    column = column_of([column for column in COLUMNS if column.opens], figure)

    def read_lines(asked: Asked, area: Area, reader: Reader) -> Content:
        place = find_place(reader, asked.row, "county")
        rows = _villages(asked, replace(area.where, county_id=place.id), column)
        columns = (*VILLAGE_COLUMNS, Column(column.key, column.heading, column.kind, column.stage, sums=True))
        return Content(columns, rows, total_of(columns, rows), about=place.path)

    return Report("county-notice-lines", column.heading, N_("The villages behind a figure."), read_lines, "report.read",
                  by_village=False)


def _villages(asked: Asked, where: Where, column: Column) -> list[Row]:
    held = holds.held_figures(asked.first, asked.last, where)
    found = holds.without(figures.village_figures(asked.first, asked.last, where),
                          holds.by_village(held, asked.first, asked.last))
    sums = {row["village_id"]: value for row in found if (value := total(row, column.formula))}
    return [Row({"village": place.path, "code": place.code, column.key: sums[place.id]},
                place=str(place.id), order=f"{place.code} {place.id}") for place in _places(sums)]


def _places(village_ids: Iterable[int]) -> list[Any]:
    return [row for some in db.chunks(sorted(village_ids)) for row in db.session().execute(
        select(Division.id, Division.code, Division.path).where(Division.id.in_(some)))]


REPORT = Report("county-notice", N_("County notice"),
                N_("Counties by what is proven here, with the other two grades beside it."), read,
                "report.read", by_village=False, group="purchases")
