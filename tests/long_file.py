"""Writes a table of so many rows of a report's usual width to a file: `python -m tests.long_file xlsx 500000`.

Prints the highest resident memory of the process in KB, seconds, and the bytes of the file.
"""

import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from market import sheets

KINDS = ("code", "text", "text", "text", "text", "text", "fen", "grams", "fen", "count", "percent", "text")


def rows(count: int) -> Iterator[list[Any]]:
    for number in range(count):
        yield [f"S261012-{number:07d}", "永州演示第一小学", "新田县演示蔬菜合作社", f"白菜 {number % 97}", "2026-10-12",
               "江永县 上江圩镇 桐口村", number * 37, 1000 + number, -number, number % 11, number % 10_000, "已验收"]


def write(kind: str, count: int) -> tuple[float, int]:
    """Seconds and bytes."""
    began = time.monotonic()
    headings = [sheets.Heading(f"第{at}列", of) for at, of in enumerate(KINDS)]
    table = sheets.Table(headings, (), above=["标题"], below=["注"])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"table.{kind}"
        with open(path, "wb") as target:
            if kind == "csv":
                sheets.stream_csv(table, target, rows(count))
            else:
                sheets.stream_xlsx(table, target, rows(count), Path(folder))
        return time.monotonic() - began, path.stat().st_size


if __name__ == "__main__":
    seconds, size = write(sys.argv[1], int(sys.argv[2]))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    sys.stdout.write(f"{peak} KB, {seconds:.1f} s, {size} bytes\n")
