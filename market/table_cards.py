"""Tables that become cards on a phone: every cell carries its column's name, so nothing has to scroll sideways.

The name of a column is written once, in the table's head; this copies it to the cells as `data-label`.
"""

import re

from markupsafe import Markup

_HEAD = re.compile(r"<thead\b.*?</thead>", re.DOTALL)
_HEADING = re.compile(r"<th\b[^>]*>(.*?)</th>", re.DOTALL)
_ROW = re.compile(r"<tr\b.*?</tr>", re.DOTALL)
_CELL = re.compile(r"<(td|th)\b([^>]*)>(.*?)</\1>", re.DOTALL)
_SPAN = re.compile(r'colspan="(\d+)"')
_TAG = re.compile(r"<[^>]+>")


def with_labels(table: str) -> Markup:
    """The parts of a table (thead, tbody, tfoot) with each cell's column named; blank cells become really empty.

    >>> print(with_labels("<thead><tr><th>Day</th></tr></thead><tr><td> </td></tr>"))
    <thead><tr><th>Day</th></tr></thead><tr role="row"><td role="cell" data-label="Day"></td></tr>
    """
    text = str(table)
    head = _HEAD.search(text)
    if head is None:
        return Markup(text)  # noqa: S704 - as the template rendered it
    columns = [_plain(words) for words in _HEADING.findall(head[0])]
    body = _ROW.sub(lambda row: _labelled(row[0], columns), text[head.end():])
    return Markup(text[:head.end()] + body)  # noqa: S704 - rendered by the template, only named here


def _plain(words: str) -> str:
    return " ".join(_TAG.sub("", words).split()).replace('"', "&quot;")


def _labelled(row: str, columns: list[str]) -> str:
    """One row; a cell over several columns has no single name."""
    named, place, end = [], 0, 0
    for cell in _CELL.finditer(row):
        kind, said, content = cell.groups()
        span = _SPAN.search(said)
        label = columns[place] if place < len(columns) and not span else ""
        role = 'role="rowheader"' if kind == "th" else f'role="cell" data-label="{label}"'
        inner = content if kind == "th" else f'<div class="cell">{content}</div>' if content.strip() else ""
        named += [row[end:cell.start()], f"<{kind}{said} {role}>{inner}</{kind}>"]
        place, end = place + (int(span[1]) if span else 1), cell.end()
    return "".join((*named, row[end:])).replace("<tr", '<tr role="row"', 1)
