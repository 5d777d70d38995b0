"""The files of a month, alike to the byte for the same version, and the schemas that they keep to."""

import json
from typing import Any

from flask_babel import force_locale

from market import sheets
from market.errors import N_
from market.i18n import LOCALES
from market.i18n import gettext as _
from orders.opendata.sets import TEXT, DataSet, Told
from orders.reports.frame import STAGES, TIME_ZONE, Column

LICENCE = N_("Everybody may copy, use and pass on these data, also for gain and free of charge, who names the source "
             "and the month and does not call changed figures ours.")
STATUSES = ("final", "provisional")
UNITS = {"fen": "fen", "grams": "g", "percent": "0.01 %", "count": "1"}
DRAFT = "https://json-schema.org/draft/2020-12/schema"


def status_of(closing: int) -> str:
    """A closed month is final; one that is only over still takes late entries."""
    return "final" if closing else "provisional"


def as_json(data_set: DataSet, month: str, version: int, closing: int, told: Told, demo: bool) -> bytes:
    """The month as one JSON object that keeps to `json_schema`."""
    said = {
        "data_set": data_set.name, "title": in_both(data_set.title), "month": month, "time_zone": TIME_ZONE,
        "version": version, "status": status_of(closing), "closing": closing or None, "demo": demo,
        "licence": in_both(LICENCE), "schema": f"/open-data/{data_set.name}/schema.json",
        "rows": [row | ({"instead": instead} if instead else {})
                 for row, instead in zip(told.rows, told.instead, strict=True)],
        "totals": told.totals, "notes": list(told.notes),
    }
    return (json.dumps(said, ensure_ascii=False, indent=1) + "\n").encode()


def as_csv(data_set: DataSet, told: Told) -> bytes:
    """The rows under the columns' names, UTF-8 with BOM; empty where the JSON has null."""
    return sheets.write_csv(sheets.Table(
        [sheets.Heading(column.key, "text" if column.kind in TEXT else "count") for column in data_set.columns],
        [[row[column.key] for column in data_set.columns] for row in told.rows]))


def in_both(text: str) -> dict[str, str]:
    """A msgid in both languages."""
    found = {}
    for language in LOCALES:
        with force_locale(language):
            found[language] = str(_(text))
    return found


# ---- schemas --------------------------------------------------------------------------------------------------------


def json_schema(data_set: DataSet) -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of a month's JSON."""
    columns = {column.key: _property(column) for column in data_set.columns}
    text, both = {"type": "string"}, {"type": "object", "required": list(LOCALES),
                                      "additionalProperties": {"type": "string"}}
    instead = {"type": "object", "description": "Why a figure is not shown, by column, in Chinese",
               "additionalProperties": text, "propertyNames": {"enum": list(columns)}}
    numbers = {c.key: _property(c) for c in data_set.columns if c.kind not in TEXT}
    properties = {
        "data_set": {"const": data_set.name}, "title": both,
        "month": {"type": "string", "pattern": "^20[0-9]{2}-(0[1-9]|1[0-2])$"}, "time_zone": {"const": TIME_ZONE},
        "version": {"type": "integer", "minimum": 1}, "status": {"enum": list(STATUSES)},
        "closing": {"type": ["integer", "null"], "minimum": 1}, "demo": {"type": "boolean"}, "licence": both,
        "schema": text,
        "rows": {"type": "array", "items": {
            "type": "object", "required": list(columns), "properties": {**columns, "instead": instead},
            "additionalProperties": False}},
        "totals": {"type": "object", "properties": numbers, "additionalProperties": False},
        "notes": {"type": "array", "items": text},
    }
    return {"$schema": DRAFT, "title": data_set.name, "type": "object", "required": list(properties),
            "properties": properties, "additionalProperties": False}


def table_schema(data_set: DataSet) -> dict[str, Any]:
    """Table Schema (as Frictionless Data writes it) of a month's CSV."""
    return {
        "fields": [{"name": c.key, "type": "string" if c.kind in TEXT else "integer", **_described(c)}
                   for c in data_set.columns],
        "primaryKey": list(data_set.keys), "missingValues": [""], "encoding": "utf-8-sig",
        "dialect": {"delimiter": ",", "lineTerminator": "\r\n", "quoteChar": '"', "doubleQuote": True,
                    "description": "Text that a spreadsheet would take for a formula begins with an apostrophe."},
    }


def _property(column: Column) -> dict[str, Any]:
    of = "string" if column.kind in TEXT else "integer"
    return {"type": [of, "null"], **_described(column)}


def _described(column: Column) -> dict[str, Any]:
    titles = in_both(column.heading)
    stage = in_both(STAGES[column.stage])["en"] if column.stage else ""
    return {"title": titles["zh"], "description": titles["en"] + (f" ({stage})" if stage else ""),
            **({"unit": UNITS[column.kind]} if column.kind in UNITS else {})}
