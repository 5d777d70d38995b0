"""What a dossier is made of: sections that name documents, tables, scans to copy, and what is missing."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from market.errors import N_

# what may be missing, the gravest first; the list of a package is sorted so
MISSING: Mapping[str, str] = {
    "file_changed": N_("The stored scan is not the one that was uploaded"),
    "file_gone": N_("The scan is not in the store"),
    "approval": N_("No approval"),
    "acceptance": N_("No acceptance"),
    "photo": N_("No photo of goods that were refused, over or reduced"),
    "invoice": N_("No invoice that counts"),
    "payment": N_("Not paid in full"),
    "voucher": N_("No proof of the unit's payment"),
    "refund": N_("No slip of the refund"),
    "payout": N_("No proof of payout to a household"),
    "collective": N_("No proof of payout to the collective"),
    "names": N_("The growers' names have not followed yet"),
    "held": N_("Income held until a second person clears it"),
    "contract": N_("No signed contract"),
    "certificate": N_("No certificate of conformity"),
    "shipment": N_("No delivery note"),
}
ORDER = {kind: number for number, kind in enumerate(MISSING)}


@dataclass(frozen=True)
class Missing:
    """Something that a dossier should have; `what` says which, `number` of which order (empty: of the village)."""

    kind: str
    number: str
    what: str = ""


@dataclass
class Scan:
    """An upload to be copied under a readable name; `withheld` where it shows names that this reader may not see."""

    file: Any
    name: str
    withheld: bool = False


@dataclass(frozen=True)
class Paper:
    """A document as a section names it."""

    title: str
    number: str = ""
    day: Any = None
    persons: str = ""
    scan: Scan | None = None
    note: str = ""


@dataclass(frozen=True)
class Table:
    """Widths as Typst writes them, heads, which columns are figures, rows of text."""

    widths: str
    heads: Sequence[str]
    figures: Sequence[int]
    rows: Sequence[Sequence[str]]


@dataclass
class Section:
    """One part of a dossier."""

    heading: str
    papers: list[Paper] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    missing: list[Missing] = field(default_factory=list)


@dataclass
class Dossier:
    """一单一档: an order's sections under one number; `folder` is where its PDF and scans lie."""

    number: str
    folder: str
    sections: list[Section]

    @property
    def missing(self) -> list[Missing]:
        return [one for section in self.sections for one in section.missing]

    def scans(self) -> Iterator[tuple[Section, Scan]]:
        for section in self.sections:
            for paper in section.papers:
                if paper.scan is not None:
                    yield section, paper.scan


class Names:
    """Readable names for the scans of one folder, each once."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self._count: dict[str, int] = {}

    def scan(self, file: Any, label: str, *, withheld: bool = False) -> Scan | None:
        """A stored file (None: none) as '05 验收照片 1.webp' in the folder."""
        if file is None:
            return None
        plain = "".join(char if char.isalnum() or char in " -_" else "-" for char in label)[:60]
        self._count[plain] = number = self._count.get(plain, 0) + 1
        return Scan(file, f"{self.folder}/{plain} {number}{Path(file.name).suffix}", withheld)
