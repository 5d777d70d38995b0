"""What a kind of table is: its columns, who may bring it, how its rows meet the database, how they are written."""

import dataclasses
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from marshmallow import Schema

from market import sheet_input, sheets
from market.access import Visitor
from market.errors import N_, MarketError
from market.sheet_input import Rows, Tell

# how the template marks its example: such a row is never imported
EXAMPLE_ZH, EXAMPLE_EN = "示例", "Example"
EXAMPLES = frozenset({EXAMPLE_ZH, EXAMPLE_EN.lower()})
FIRST_ROWS = 8  # shown before anything is written
CHOOSE = N_("Please choose one of the list.")
TWICE = N_("Row %(line)s already says this.")
_DAY = re.compile(r"(20[0-9]{2})[/.年-]([0-9]{1,2})[/.月-]([0-9]{1,2})日?", re.ASCII)


@dataclass(frozen=True)
class Column:
    """One column: the schema's field, its headings in both languages (either is understood), what its cells are.

    kind: one of market.sheets.KINDS for what is written, or 'day'. `offer` names the list its cells come from.
    """

    field: str
    zh: str
    en: str
    kind: str = "text"
    required: bool = False
    example: str = ""
    note: str = ""
    offer: str = ""


@dataclass(frozen=True)
class Offer:
    """What the cells of a column may hold: shown to people, and every way to say it with the word the schema reads."""

    shown: Sequence[tuple[str, str]]  # what to write, and what it stands for
    accepted: Mapping[str, str]


@dataclass(frozen=True)
class Fault:
    """One thing to mend; `text` is a msgid with its details."""

    line: int
    field: str
    text: str
    details: Mapping[str, Any] = dataclasses.field(default_factory=dict)


def sentence_of(message: "str | MarketError") -> tuple[str, dict[str, Any]]:
    """A message as a msgid with its details."""
    return (message.text, message.details) if isinstance(message, MarketError) else (message, {})


class RowsRefused(Exception):
    """Raised by writing: rows that the check could not see as wrong. Nothing of the table is written."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__()
        self.faults = faults


@dataclass(frozen=True)
class Planned:
    """A row that would be written: its values, and what is known already where it changes something."""

    line: int
    values: Mapping[str, Any]
    known: Any = None
    changes: tuple[str, ...] = ()  # the fields that would change
    before: Mapping[str, Any] = dataclasses.field(default_factory=dict)  # what they hold now, as the schema loads it


@dataclass
class Plan:
    """What a table would do to the database."""

    new: list[Planned] = dataclasses.field(default_factory=list)
    changed: list[Planned] = dataclasses.field(default_factory=list)
    unchanged: int = 0
    to_county: int = 0  # rows that somebody has to look at before they hold
    faults: list[Fault] = dataclasses.field(default_factory=list)


@dataclass(frozen=True)
class Kind:
    """A kind of table. Its functions see one organisation only, the visitor's.

    offers(by): the lists of allowed values, in a fixed number of statements.
    match(rows, by): a fixed number of statements; inside a transaction it locks what it compares with.
    write(plan, by): few statements, whatever the number of rows.
    export(by): the rows it would take, unchanged, one value for each column.
    """

    name: str
    title: str
    about: str
    verb: str
    columns: Sequence[Column]
    schema: type[Schema]
    offers: Callable[[Visitor], Mapping[str, Offer]]
    match: Callable[[Rows, Visitor], Plan]
    write: Callable[[Plan, Visitor], None]
    export: Callable[[Visitor], Iterable[Sequence[Any]]]
    shown_at: str  # the page that lists what was imported

    @property
    def headings(self) -> dict[str, tuple[str, str]]:
        return {column.field: (column.zh, column.en) for column in self.columns}

    @property
    def optional(self) -> frozenset[str]:
        return frozenset(column.field for column in self.columns if not column.required)

    def column(self, name: str) -> Column | None:
        return next((column for column in self.columns if column.field == name), None)

    def as_shown(self, values: Mapping[str, Any], offers: Mapping[str, Offer]) -> dict[str, str]:
        """A row as people read it, by field: words for codes, villages by their path."""
        return {column.field: _shown(column, values.get(column.field.removesuffix("[]")), offers.get(column.offer))
                for column in self.columns}

    def read(self, content: bytes, offers: Mapping[str, Offer], tell: Tell = lambda done, of: None) -> Rows:
        """A file's rows by the schema. Raises SheetRefused, SheetTooLarge, HeadingsMissing."""
        words = {column.field: offers[column.offer].accepted for column in self.columns if column.offer in offers}
        days = [column.field for column in self.columns if column.kind == "day"]
        first = self.columns[0].field

        def prepare(cells: dict[str, str]) -> dict[str, str] | None:
            if cells.get(first, "").lower() in EXAMPLES:
                return None
            for name, accepted in words.items():
                if name in cells:
                    cells[name] = accepted.get(cells[name].lower(), cells[name])
            for name in days:
                if name in cells:
                    cells[name] = day_as_typed(cells[name])
            return {name: cell for name, cell in cells.items() if cell != "" or name not in self.optional}

        return sheet_input.read(content, self.schema(), self.headings, optional=self.optional, prepare=prepare,
                                tell=tell)


def _shown(column: Column, value: Any, offer: Offer | None) -> str:
    if offer is not None and column.kind == "code":
        return str(dict(offer.shown).get(value, value))
    if offer is not None:
        return next((said for said, _meant in offer.shown if offer.accepted.get(said.lower()) == value), str(value))
    return str(value.isoformat()) if column.kind == "day" and value else sheets.plain(column.kind, value)


def day_as_typed(text: str) -> str:
    """A day as spreadsheets write one into a CSV.

    >>> day_as_typed("2026/3/5"), day_as_typed("2026年10月12日"), day_as_typed("soon")
    ('2026-03-05', '2026-10-12', 'soon')
    """
    found = _DAY.fullmatch(text)
    return f"{found[1]}-{int(found[2]):02d}-{int(found[3]):02d}" if found else text


def accepted(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Words people may write, each with the one the schema reads; a word for two things says neither.

    >>> accepted([("Leafy", "leaf"), ("leaf", "leaf"), ("Other", "a"), ("other", "b")])
    {'leafy': 'leaf', 'leaf': 'leaf'}
    """
    found: dict[str, set[str]] = {}
    for said, meant in pairs:
        if said:
            found.setdefault(said.lower(), set()).add(meant)
    return {said: next(iter(meant)) for said, meant in found.items() if len(meant) == 1}
