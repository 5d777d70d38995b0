"""What a notice holds: columns, rows, notes; drawn once, kept as canonical JSON, shown from there ever after.

Sentences are kept as they stand in the source with their details, so that an old notice reads in both languages and
does not change when the product's columns do.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select

from catalog.origins import FEWEST_HOUSEHOLDS
from market import clock, db, heads, money, sheets
from market.errors import N_
from market.figures import EVERYWHERE
from market.i18n import gettext as _
from market.sealing import TRANSFERS, closed_months
from market.words import UNIT_TYPES, designation_label
from orders.bulletins import reading, units, words
from orders.bulletins.reading import County
from orders.bulletins.spans import Span
from orders.bulletins.units import Unit

COUNTY_COLUMNS = (  # key, heading, kind
    ("rank", N_("Rank"), "count"), ("rank_before", N_("Rank before"), "count"), ("county", N_("County"), "text"),
    ("villages", N_("Villages with sales"), "count"),
    ("designated", "", "count"), ("suppliers", N_("Suppliers"), "count"), ("products", N_("Goods"), "count"),
    ("proven", words.GRADES["proven"], "fen"), ("uploaded", words.GRADES["uploaded"], "fen"),
    ("declared", words.GRADES["declared"], "fen"), ("year", N_("Year so far, proven here"), "fen"),
    ("completion", N_("Completion of target"), "percent"), ("income", N_("Income"), "fen"),
    ("households", N_("Households"), "count"), ("change", N_("Change on last period"), "fen"),
    ("change_points", N_("Change in percent"), "percent"),
)
UNIT_COLUMNS = (
    ("rank", N_("Rank"), "count"), ("unit", N_("Unit"), "text"), ("unit_type", N_("Kind"), "words"),
    ("place", N_("Place"), "text"), ("quota", N_("Quota"), "fen"), ("proven", words.GRADES["proven"], "fen"),
    ("uploaded", words.GRADES["uploaded"], "fen"), ("completion", N_("Completion"), "percent"),
    ("change_points", N_("Change in points"), "percent"),
)
SUMMED = ("villages", "designated", "proven", "uploaded", "declared", "year", "income", "change")
FIGURES = tuple(key for key, _heading, _kind in COUNTY_COLUMNS if key not in ("rank", "rank_before", "county"))
RANKED = ("rank", "rank_before", "county", *words.GRADES, "change", "change_points")  # the table of ranks
PARTS = ("best", "last")  # of the units

Told = dict[str, Any]  # a notice as canonical JSON holds it


def draw(span: Span, grade: str) -> tuple[Told, str]:
    """Read everything at one moment. Returns what the notice holds, and the ledger's head. Opens its own snapshot.

    What is frozen outlives what may still change: of a month that is not closed the public is told no income, since the
    live report less the notice would tell what came later, perhaps of one household.
    """
    with db.snapshot() as session:
        found, elsewhere = reading.counties(span, EVERYWHERE)
        ranked = units.by_completion(span, grade)
        head = heads.newest()
        final = span.kind == "month" and {*clock.months_between(*span.months)} <= {*closed_months()}
        unsealed = session.scalar(
            select(func.count()).select_from(TRANSFERS).where(TRANSFERS.c.block_no.is_(None))) or 0
    if not final:
        for one in found:
            one.public_fen = one.public_households = None
    told: Told = {
        "final": final,
        "kind": span.kind, "first": span.first_day.isoformat(), "last": span.last_day.isoformat(), "grade": grade,
        "drawn_at": clock.now().isoformat(timespec="seconds"), "unsealed": unsealed, "columns": columns(span.year),
        "rows": rows(found, grade, span, final), "notes": notes(found, elsewhere, grade, span),
        "units": _units(ranked, grade, span),
    }
    told["totals"] = totals(told["rows"])
    return told, str(head) if head else ""


def columns(year: int) -> list[list[str]]:
    return [[key, heading or designation_label(year), kind] for key, heading, kind in COUNTY_COLUMNS]


def rows(found: Sequence[County], grade: str, span: Span, final: bool = True) -> list[Told]:
    """Counties by their rank; those without a figure of the grade come last, without one."""
    places = reading.ranks(one.amounts[grade] for one in found)
    earlier = reading.ranks(one.before[grade] for one in found)
    ranked = sorted(zip(places, earlier, found, strict=True),
                    key=lambda placed: (placed[0] is None, placed[0] or 0, placed[2].code))
    hidden = ([words.BY_MONTH, {}] if span.kind == "week" else [words.FEW, {"number": FEWEST_HOUSEHOLDS}] if final
              else [words.ONCE_CLOSED, {}])
    return [_row(one, (place, before), grade, hidden) for place, before, one in ranked]


def _row(one: County, places: tuple[int | None, int | None], grade: str, hidden: list[Any]) -> Told:
    values = {
        "rank": places[0], "rank_before": places[1], "county": one.name, "villages": one.villages,
        "designated": one.designated, "suppliers": one.suppliers, "products": one.products, **one.amounts,
        "year": one.year_fen, "completion": one.completion, "income": one.income_fen, "households": one.households,
        "change": one.change_fen(grade), "change_points": one.change_points(grade),
    }
    instead: Told = {key: [text, {}] for key, text in (
        ("completion", words.NOT_SET), ("declared", words.NOT_DECLARED)) if values[key] is None}
    public = {"income": one.public_fen, "households": one.public_households}
    return {"place": one.code, "values": values, "instead": instead, "public": public,
            "public_instead": {} if one.public_fen is not None else {"households": hidden}}


def totals(told_rows: Sequence[Told]) -> dict[str, int | None]:
    """Sums of what is shown, for what adds up, None where nothing is; goods and suppliers of several counties may be
    the same ones.
    """
    shown_ones = {key: [row["values"][key] for row in told_rows if row["values"][key] is not None] for key in SUMMED}
    return {key: sum(values) if values else None for key, values in shown_ones.items()}


def notes(found: Sequence[County], elsewhere: int, grade: str, span: Span) -> list[list[Any]]:
    by_grade, proven, uploaded, declared, completion, income, change, month, week = words.NOTES
    held = money.plain_yuan(sum(one.held_fen for one in found))
    of_grade = {"grade": ["", words.GRADES[grade]]}
    return [
        [by_grade, of_grade], [proven, {"yuan": held}], [uploaded, {"yuan": money.plain_yuan(elsewhere)}],
        [declared, {}], [completion, {"day": span.last_day.isoformat()}], [income, {}],
        [change, {**of_grade, "before": span.before().name}], [week if span.kind == "week" else month, {}]]


def _units(ranked: list[Unit], grade: str, span: Span) -> Told:
    best, last = units.best_and_last(ranked)
    of_grade = {"grade": ["", words.GRADES["uploaded" if grade == "uploaded" else "proven"]]}
    since = {"before": span.before().last_day.isoformat()}
    return {
        "columns": [list(column) for column in UNIT_COLUMNS], "count": len(ranked),
        "best": [_unit_row(unit) for unit in best], "last": [_unit_row(unit) for unit in last],
        "notes": [[words.UNIT_NOTES[0], {"year": str(span.year), "day": span.last_day.isoformat(), **of_grade}],
                  [words.UNIT_NOTES[1], since]],
    }


def _unit_row(unit: Unit) -> Told:
    return {"place": str(unit.id), "named": unit.named, "instead": {}, "values": {
        "rank": unit.rank, "unit": unit.name, "unit_type": UNIT_TYPES.get(unit.unit_type or ""), "place": unit.place,
        "quota": unit.quota_fen, "proven": unit.proven_fen, "uploaded": unit.uploaded_fen,
        "completion": unit.completion, "change_points": unit.completion - unit.before}}


# ---- kept and compared ----------------------------------------------------------------------------------------------


def canonical(told: Told) -> str:
    """One text for one content, the same on both databases."""
    return json.dumps(told, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def read(text: str) -> Told:
    """A drawing out of its text."""
    told: Told = json.loads(text)
    return told


def checksum(text: str, head: str) -> str:
    """SHA-256 of a drawing: its content and the ledger's head below it."""
    return hashlib.sha256(f"{text}\n{head}".encode()).hexdigest()


@dataclass(frozen=True)
class Difference:
    """A cell that says otherwise than in the drawing before."""

    row: str
    heading: str
    kind: str
    before: Any
    after: Any


def differences(before: Told, after: Told) -> Iterator[Difference]:
    """Cell by cell, counties first, then units; a row that is on one side only has nothing on the other."""
    for table_before, table_after, name in ((before, after, "county"), *(
            ({"rows": before["units"][part]}, {"rows": after["units"][part], "columns": after["units"]["columns"]},
             "unit") for part in PARTS)):
        old, new = ({row["place"]: row["values"] for row in side["rows"]} for side in (table_before, table_after))
        for place in sorted(old.keys() | new.keys()):
            was, now = old.get(place, {}), new.get(place, {})
            for key, heading, kind in table_after["columns"]:
                if key != name and was.get(key) != now.get(key):
                    yield Difference((now or was)[name], heading, kind, was.get(key), now.get(key))


# ---- shown ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Audience:
    """Whom a notice is shown to: `whole` for the city and auditors, else one county's own row, or none.

    `names`: whether units are named whatever they agreed to, as among offices.
    """

    whole: bool = False
    county: str | None = None
    names: bool = False


def for_audience(told: Told, audience: Audience) -> Told:
    """The same notice as somebody may read it: of other counties no more income than anybody may know, and units by
    name only that agree to be named.
    """
    if audience.whole:
        return told
    told_rows = [row if row["place"] == audience.county else {
        **row, "values": row["values"] | row["public"], "instead": row["instead"] | row["public_instead"]}
        for row in told["rows"]]
    sentence = ([words.PUBLIC_WEEK, {}] if told["kind"] == "week" else [words.PUBLIC_OPEN, {}] if not told["final"]
                else [words.PUBLIC_MONTH, {"number": FEWEST_HOUSEHOLDS}])
    sums = totals(told_rows) | ({} if told["final"] else {"income": None})  # one county's is no total
    notice = {**told, "rows": told_rows, "totals": sums, "notes": [*told["notes"], sentence]}
    if audience.names:
        return notice
    listed = [row for part in PARTS for row in told["units"][part]]
    named = units.still_named([int(row["place"]) for row in listed if row["named"]])
    parts = {part: [row if row["named"] and int(row["place"]) in named else _masked(row)
                    for row in told["units"][part]] for part in PARTS}
    return {**notice, "units": {**told["units"], **parts}}


def _masked(row: Told) -> Told:
    return {**row, "instead": {"unit": [words.NOT_NAMED, {}]}, "values": {
        **row["values"], "unit": None, "place": None, "quota": None, "proven": None, "uploaded": None}}


def said(sentence: Sequence[Any]) -> str:
    """A kept sentence in the reader's language; a detail that is a pair holds a sentence of its own."""
    text, details = sentence
    return str(_(text, **{name: _(value[1]) if isinstance(value, list) else value for name, value in details.items()}))


def tables(told: Told) -> list[list[list[str]]]:
    """The columns of the ranks, and those of everything else behind the county's name."""
    return [[column for column in told["columns"] if column[0] in RANKED],
            [column for column in told["columns"] if column[0] == "county" or column[0] not in RANKED]]


def shown(row: Told, key: str) -> Any:
    """A cell's value, else the words in its place, else None."""
    value = row["values"].get(key)
    if value is None and key in row["instead"]:
        return said(row["instead"][key])
    return value


def as_table(told: Told, title: str, about: Sequence[str], which: str = "counties") -> sheets.Table:
    """Counties, or units, as CSV and XLSX write them."""
    part = told if which == "counties" else told["units"]
    listed = told["rows"] if which == "counties" else [*part["best"], *part["last"][::-1]]
    headings = [sheets.Heading(heading_words(heading, kind), "text" if kind == "words" else kind)
                for _key, heading, kind in part["columns"]]
    return sheets.Table(
        headings, [[cell(row, key, kind) for key, _heading, kind in part["columns"]] for row in listed],
        [_("Total") if key == "county" else told["totals"].get(key) for key, _heading, _kind in part["columns"]]
        if which == "counties" else None,
        above=[title], below=[*about, *(said(note) for note in part["notes"])])


def cell(row: Told, key: str, kind: str) -> Any:
    """A cell outside a page."""
    value = shown(row, key)
    return _(value) if kind == "words" and value else value


def heading_words(heading: str, kind: str) -> str:
    """A heading with its unit."""
    return str(_(heading) + (_(" (%(told)s)", told=_(sheets.UNITS[kind])) if kind in sheets.UNITS else ""))
