"""A bank's table row by row: money that came in, each movement with the checksum that makes it count once."""

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from market import clock, sheet_input
from market.errors import N_, MarketError
from market.sheet_input import Formula
from orders.banking import cells, columns

MOST_COLUMNS = 100  # that are looked at: banks send twenty
MOST_NAMED = 12  # lines that a refusal names
REMARK = ("summary", "purpose", "postscript")


class LinesNotRead(MarketError):
    """Lines that look like movements and are none that we can read; nothing of the file has been taken."""

    status = 422
    code = "bank_lines"
    text = N_("These lines cannot be read: %(lines)s. Nothing was taken from this file.")


class NothingInside(MarketError):
    """No line with a day."""

    status = 422
    code = "bank_empty"
    text = N_("There is no movement in this table.")


@dataclass(frozen=True)
class Movement:
    """Money that came in, as the bank wrote it; `line` as a spreadsheet counts."""

    line: int
    paid_on: date
    amount_fen: int
    payer_name: str
    payer_account: str
    remark: str
    serial: str

    def content(self, supplier_id: int | None) -> str:
        """What tells one movement from another, but for those that say the very same."""
        return json.dumps([supplier_id, self.paid_on.isoformat(), self.amount_fen, self.payer_name, self.payer_account,
                           self.remark, self.serial], ensure_ascii=False)


@dataclass(frozen=True)
class Opened:
    """A table of which the headings are found."""

    headings: Sequence[str]
    rows: Sequence[tuple[int, Sequence[str]]]  # below the headings

    @property
    def signature(self) -> str:
        return columns.signature(self.headings)


@dataclass(frozen=True)
class Read:
    """What came in; how many movements went out; lines that are none."""

    movements: Sequence[Movement]
    out: int
    left_lines: int


def open_table(content: bytes, known: Collection[str] = ()) -> Opened:
    """Find the headings; `known` are signatures that are remembered. Raises SheetRefused, HeadingsNotFound."""
    rows = [(number, row[:MOST_COLUMNS]) for number, row in sheet_input.rows_of(content, titled=True)]
    at = columns.place(rows, known)
    return Opened(columns.named(rows[at][1]), rows[at + 1:])


def read(opened: Opened, chosen: Mapping[str, str]) -> Read:
    """All movements, or none: raises LinesNotRead, NothingInside."""
    at = {ours: opened.headings.index(heading) for ours, heading in chosen.items()}
    movements: list[Movement] = []
    wrong: list[int] = []
    out = left = 0
    for number, row in opened.rows:
        said = {ours: row[place] if place < len(row) else "" for ours, place in at.items()}
        if cells.is_sum_line(next(filter(None, row), ""), said["day"]):
            left += 1
            continue
        try:
            movement = _movement(number, said)
        except ValueError:
            wrong.append(number)
            continue
        if movement is None:
            out += 1
        else:
            movements.append(movement)
    if wrong:
        shown = ", ".join(map(str, wrong[:MOST_NAMED])) + (" …" if len(wrong) > MOST_NAMED else "")
        raise LinesNotRead(lines=shown)
    if not movements and not out:
        raise NothingInside()
    return Read(movements, out, left)


def _movement(number: int, said: Mapping[str, str]) -> Movement | None:
    """One line; None for money that went out, or none at all. ValueError for what cannot be read."""
    if any(isinstance(cell, Formula) for cell in said.values()):
        raise ValueError("a formula")
    paid_on, amount = cells.day(said["day"]), _came_in(said)
    if paid_on > clock.today() or paid_on.year < 2015:
        raise ValueError("a day that cannot be")
    if amount <= 0:
        return None
    texts = {ours: cells.text(said.get(ours, "")) for ours in ("payer_name", "payer_account", "serial", *REMARK)}
    remark = " ".join(dict.fromkeys(texts[ours] for ours in REMARK if texts[ours]))
    return Movement(number, paid_on, amount, texts["payer_name"], texts["payer_account"], remark, texts["serial"])


def _came_in(said: Mapping[str, str]) -> int:
    """What a line brought, in fen; zero or less: nothing."""
    if "income" in said:
        income, expense = cells.fen(said["income"]), cells.fen(said.get("expense", ""))
        if income > 0 and expense > 0:
            raise ValueError("in and out on one line")
        return income if income else -abs(expense)
    amount = cells.fen(said["amount"])
    if "mark" in said and amount:
        return amount if cells.comes_in(said["mark"]) else -abs(amount)
    return amount


def checksums(movements: Sequence[Movement], supplier_id: int | None) -> list[str]:
    """One for each movement: what it says, and which of the movements of this file that say the same it is."""
    seen: Counter[str] = Counter()
    found = []
    for movement in movements:
        content = movement.content(supplier_id)
        seen[content] += 1
        found.append(hashlib.sha256(f"{content}#{seen[content]}".encode()).hexdigest())
    return found
