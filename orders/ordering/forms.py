"""A draft's form: strictly for a deed, leniently for showing it again as it was typed."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from flask import request

from market import money
from market.errors import InvalidInput
from market.web import parse, unflatten
from orders.ordering import parsing
from orders.ordering.drafts import Delivery, Part, Want
from orders.ordering.schemas import DraftSchema
from orders.states import FUND_SOURCES, WINDOWS

LONGEST_RENAME = 60


def draft(by_unit: int | None) -> tuple[list[Part], dict[str, Any]]:
    """The parts of the form sent, and its other values. Raises InvalidInput."""
    values = parse(DraftSchema)
    deliveries = [Delivery(**{**part, "budget_unit_id": part["budget_unit_id"] or by_unit})
                  for part in values["parts"]]
    misplaced = [number for number, line in enumerate(values["lines"]) if line["part"] >= len(deliveries)]
    if misplaced:
        raise InvalidInput({f"lines-{misplaced[0]}-part": ["This is not understood."]})
    wants: list[list[Want]] = [[] for _ in deliveries]
    for line in values["lines"]:
        wants[line["part"]].append(Want(line["product_id"], line["quantity_milli"],
                                        word=line["word"] if line["remember"] else ""))
    return [Part(*pair) for pair in zip(deliveries, map(_each_once, wants), strict=True)], values


def _each_once(wants: list[Want]) -> list[Want]:
    """Two words of a text may mean the same good: the sum counts, at the first one's line."""
    sums: dict[int, int] = {}
    for want in wants:
        sums[want.product_id] = sums.get(want.product_id, 0) + (want.milli or 0)
    said: set[int] = set()
    once: list[Want] = []
    for want in wants:
        milli = None if want.product_id in said else sums[want.product_id] or None
        said.add(want.product_id)
        once.append(Want(want.product_id, milli, word=want.word))
    return once


def told(usual: Delivery) -> list[Part]:
    """The form sent as it was typed, whatever it holds."""
    form = unflatten(request.form.to_dict())
    parts = [_delivery(part, usual) for part in _rows(form, "parts")] or [usual]
    wants: list[list[Want]] = [[] for _ in parts]
    for line in _rows(form, "lines"):
        product_id, part = number(line.get("product_id")), number(line.get("part")) or 0
        if product_id and part < len(parts):
            wants[part].append(_want(product_id, line))
    return [Part(*pair) for pair in zip(parts, wants, strict=True)]


def text() -> str | None:
    """The text that stands in the form, if it is one that has a text."""
    return request.form["text"][:parsing.LONGEST_TEXT] if "text" in request.form else None


def renames() -> dict[str, str]:
    """What to look for instead of a word, by word."""
    return {str(row.get("word", "")): str(row.get("name", ""))[:LONGEST_RENAME]
            for row in _rows(unflatten(request.form.to_dict()), "renames")}


def _rows(form: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    rows = form.get(name)
    return rows if isinstance(rows, list) else []


def _want(product_id: int, line: Mapping[str, Any]) -> Want:
    typed = str(line.get(f"q{product_id}", line.get("quantity_milli", "")))
    return Want(product_id, _milli(typed), number(line.get("was_fen")), number(line.get("was_milli")), typed,
                str(line.get("word", "")), str(line.get("renamed", "")))


def _delivery(part: Mapping[str, Any], usual: Delivery) -> Delivery:
    try:
        day = date.fromisoformat(str(part.get("delivery_day", "")))
    except ValueError:
        day = usual.delivery_day
    window, fund = str(part.get("delivery_window")), str(part.get("fund_source"))
    return Delivery(number(part.get("delivery_point_id")), day, window if window in WINDOWS else usual.delivery_window,
                    fund if fund in FUND_SOURCES else usual.fund_source,
                    number(part.get("budget_unit_id")) or usual.budget_unit_id)


def number(value: Any) -> int | None:
    """A plain whole number of at most twelve digits."""
    said = str(value or "")
    return int(said) if said.isascii() and said.isdigit() and len(said) < 13 else None


def _milli(typed: str) -> int | None:
    try:
        milli = money.parse_milli(typed.strip(" "))
    except ValueError:
        return None
    return milli if 0 < milli <= money.MAX_MILLI else None
