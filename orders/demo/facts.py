"""Read the demo world's fact files and refuse them whole when anything in them does not hold together."""

import csv
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from orders.demo.fact_checks import problems
from orders.demo.fact_rows import (
    ALL_MONTHS,
    Category,
    Coop,
    Division,
    Facts,
    Good,
    MenuLine,
    Months,
    Numbers,
    Office,
    Person,
    Shares,
    Source,
    Unit,
    Village,
    Words,
)

FACTS = Path(__file__).with_suffix("")  # the folder facts/ beside this file
DIVISIONS = Path(__file__).parents[2] / "market" / "data" / "yongzhou_divisions.csv"

MAY_BE_EMPTY = {"parent", "parent_code", "aliases", "picture", "processed_from", "yield_percent",
                "designated_from", "lifted_year"}

Row = TypeVar("Row")


class FactsError(ValueError):
    """The fact files contradict each other, or the divisions they name."""


def load(folder: Path = FACTS, divisions: Path = DIVISIONS) -> Facts:
    """The demo world from its files; raises `FactsError` with every problem found."""
    facts = Facts(
        divisions=by_key(divisions, Division, "code"),
        sources=by_key(folder / "sources.csv", Source, "key"),
        categories=by_key(folder / "categories.csv", Category, "code"),
        goods=by_key(folder / "goods.csv", Good, "key"),
        coops=by_key(folder / "coops.csv", Coop, "key"),
        villages=by_key(folder / "villages.csv", Village, "code"),
        units=by_key(folder / "units.csv", Unit, "key"),
        offices=by_key(folder / "offices.csv", Office, "key"),
        people=by_key(folder / "people.csv", Person, "login"),
        menus=tuple(rows(folder / "menus.csv", MenuLine)),
    )
    if found := problems(facts):
        raise FactsError("\n".join(found))
    return facts


def by_key(path: Path, row_type: type[Row], key: str) -> dict[str, Row]:
    """The rows of a file by one of their columns, which must not repeat."""
    found: dict[str, Row] = {}
    for row in rows(path, row_type):
        if (value := getattr(row, key)) in found:
            raise FactsError(f"{path.name}: {key} {value} twice")
        found[value] = row
    return found


def rows(path: Path, row_type: type[Row]) -> list[Row]:
    """The rows of a file as dataclasses; the header must name exactly the fields, in their order."""
    readers = {name: READ[hint] for name, hint in get_type_hints(row_type).items()}
    with path.open(encoding="utf-8-sig", newline="") as file:
        table = csv.DictReader(file)
        if table.fieldnames != [field.name for field in fields(row_type)]:  # type: ignore[arg-type]
            raise FactsError(f"{path.name}: header is {table.fieldnames}")
        return [row_type(**read_row(path, table.line_num, row, readers)) for row in table]


def read_row(path: Path, line: int, row: dict[str, str], readers: dict[str, Callable[[str], Any]]) -> dict[str, Any]:
    if None in row:  # what the csv reader calls cells beyond the header
        raise FactsError(f"{path.name} line {line}: more cells than columns")
    if missing := [name for name, cell in row.items() if not cell and name not in MAY_BE_EMPTY]:
        raise FactsError(f"{path.name} line {line}: no {', '.join(missing)}")
    try:
        return {name: read(row[name]) for name, read in readers.items()}
    except (ValueError, KeyError, TypeError) as error:
        raise FactsError(f"{path.name} line {line}: {error}") from error


def whole(cell: str) -> int:
    """A whole number from 0; an empty cell is 0."""
    if (number := int(cell or 0)) < 0:
        raise ValueError(f"{cell} is below 0")
    return number


def yes(cell: str) -> bool:
    return {"0": False, "1": True}[cell]


def words(cell: str) -> Words:
    return tuple(cell.split("|")) if cell else ()


def numbers(cell: str) -> Numbers:
    return tuple(int(number) for number in cell.split(",")) if cell else ()


def months(cell: str) -> Months:
    """'all', or months of the year (1 to 12), none twice."""
    named = numbers(cell) if cell != "all" else ALL_MONTHS
    if not named or len(set(named)) != len(named) or not set(named) <= set(ALL_MONTHS):
        raise ValueError(f"months {cell!r} are outside 1 to 12 or twice")
    return Months(cell)


def shares(cell: str) -> Shares:
    return {name: int(percent) for name, percent in (part.split(":") for part in words(cell))}


READ: dict[Any, Callable[[str], Any]] = {
    str: str.strip, int: whole, bool: yes, Words: words, Numbers: numbers, Months: months, Shares: shares}
