"""How the audit reads: transfers as the database really holds them, in batches, and two sorted lists side by side."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, select, type_coerce
from sqlalchemy.types import NullType

from market import db
from market.ledger import CANONICAL
from market.sealing import TRANSFERS

BATCH = 2000

Row = Mapping[Any, Any]
Left = TypeVar("Left")
Right = TypeVar("Right")


def raw(name: str) -> ColumnElement[Any]:
    """A column of the transfers without reading any meaning into it: what was tampered with may have none."""
    return type_coerce(TRANSFERS.c[name], NullType).label(name)


def transfers(condition: ColumnElement[bool], *order: Any) -> Iterator[Row]:
    """Whole transfers, one by one."""
    query = select(*(raw(name) for name in (*CANONICAL, "digest", "block_no", "period"))).where(condition)
    for row in db.session().execute(query.order_by(*order).execution_options(yield_per=BATCH)).mappings():
        yield {**row, "business_date": _day(row["business_date"]), "posted_at": moment(row["posted_at"])}


def _day(value: Any) -> Any:
    """A stored day; what is none stays as it is, so that the digest shows it."""
    try:
        return date.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        return value


def moment(value: Any) -> Any:
    """A stored moment, the same way."""
    try:
        known = datetime.fromisoformat(value) if isinstance(value, str) else value
        return known.replace(tzinfo=UTC)
    except (ValueError, AttributeError):
        return value


def side_by_side(
    left: Iterable[tuple[Any, Left]], right: Iterable[tuple[Any, Right]]
) -> Iterator[tuple[Any, Left | None, Right | None]]:
    """Two lists sorted by unique keys, walked together; a key that one side lacks comes with None there.

    >>> list(side_by_side([(1, "a"), (2, "b")], [(2, "B"), (3, "C")]))
    [(1, 'a', None), (2, 'b', 'B'), (3, None, 'C')]
    """
    lefts, rights = iter(left), iter(right)
    one, other = next(lefts, None), next(rights, None)
    while one or other:
        key = min(pair[0] for pair in (one, other) if pair)
        mine = one[1] if one and one[0] == key else None
        theirs = other[1] if other and other[0] == key else None
        yield key, mine, theirs
        if mine is not None:
            one = next(lefts, None)
        if theirs is not None:
            other = next(rights, None)
