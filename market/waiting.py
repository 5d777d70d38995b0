"""What waits for a visitor on the first page of a desk: each room brings its own line, wsgi.py hands the rooms in."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from flask import current_app

from market.access import Visitor


@dataclass(frozen=True)
class Waiting:
    """One line: a sentence in the reader's language with its number in it, and where to go. Overdue lines stand out."""

    text: str
    url: str
    overdue: bool = False


Room = Callable[[Visitor], Iterable[Waiting]]  # a fixed number of statements, whatever waits


def for_visitor(visitor: Visitor, about: str = "sijin_waiting") -> Sequence[Waiting]:
    """What waits for this visitor, overdue things first; `about` names the rooms that are asked."""
    rooms: Sequence[Room] = current_app.extensions[about]
    lines = [line for room in rooms for line in room(visitor)]
    return sorted(lines, key=lambda line: not line.overdue)
