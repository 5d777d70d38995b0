"""What a dashboard draws: a table of figures, each cell with the report that tells it; the drawing only shows it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Cell:
    """A figure in fen, grams, hundredths of a percent or a count; `report` tells it when asked for `filters`."""

    value: int | None
    report: str = ""
    filters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Heading:
    """What a column holds, of a kind as in reports; `drawn`: the drawing shows it."""

    words: str
    kind: str = "fen"
    drawn: bool = False


@dataclass(frozen=True)
class Line:
    """A row. `about`: small words behind its name; `shape`: its shape on the map; `rest`: drawn with none of them."""

    name: str
    cells: Sequence[Cell]
    about: str = ""
    shape: str = ""
    rest: bool = False


@dataclass(frozen=True)
class Drawing:
    """A table and how it is drawn: stacked, map, bars, progress or months. `mark`: a line across, as on the axis."""

    key: str
    title: str
    kind: str
    first: str
    headings: Sequence[Heading]
    lines: Sequence[Line]
    total: Line | None = None
    notes: Sequence[str] = ()
    mark: int | None = None
    mark_words: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether every figure drawn is nothing."""
        drawn = [at for at, heading in enumerate(self.headings) if heading.drawn]
        return not any(line.cells[at].value for line in self.lines for at in drawn)


def summed(name: str, lines: Sequence[Line], cells: Sequence[Any]) -> Line:
    """The line of totals: given cells, and where there is None the sum of the lines'."""
    return Line(name, [Cell(sum(line.cells[at].value or 0 for line in lines)) if cell is None else cell
                       for at, cell in enumerate(cells)])
