"""One page of a list: the same for every desk."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row, Select

from market import db

PER_PAGE = 50
Columns = Row[*tuple[Any, ...]]


@dataclass(frozen=True)
class Page:
    """Some rows of `total`; pages count from 1. `counts` by tab or state over all of them, where a list has tabs."""

    rows: Sequence[Columns]
    total: int
    page: int
    per_page: int = PER_PAGE
    counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def pages(self) -> int:
        return last_page(self.total, self.per_page)


def read(query: Select[*tuple[Any, ...]], total: int, page: int, per_page: int = PER_PAGE,
         counts: Mapping[str, int] | None = None) -> Page:
    """One page of a sorted query of which the caller has counted `total` rows; past the end it is the last page."""
    page = min(page, last_page(total, per_page))
    rows = db.session().execute(query.limit(per_page).offset((page - 1) * per_page)).all()
    return Page(rows, total, page, per_page, counts or {})


def cut(rows: Sequence[Any], page: int, per_page: int = PER_PAGE) -> Page:
    """One page of rows that are all there already; past the end it is the last page.

    >>> cut("abc", 9, 2).rows
    'c'
    """
    page = min(page, last_page(len(rows), per_page))
    return Page(rows[(page - 1) * per_page:page * per_page], len(rows), page, per_page)


def last_page(total: int, per_page: int = PER_PAGE) -> int:
    """The number of the last page; an empty list has one page.

    >>> last_page(0), last_page(50), last_page(51)
    (1, 1, 2)
    """
    return max(1, -(-total // per_page))
