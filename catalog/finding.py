"""Finding goods: the search engine answers, the database wherever the engine cannot."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import structlog

from catalog import browse, search
from catalog.browse import PAGE_SIZE, Filters, Shelf
from catalog.shelves import Words

MOST_RANKED = 8 * PAGE_SIZE  # hits that are put in order by who comes when; the engine gives 200 at once

log = structlog.get_logger("sijin")


@dataclass(frozen=True)
class Finding:
    """What a query found, and other spellings to try where it found nothing."""

    shelf: Shelf
    suggestions: Sequence[str] = ()


def find(reader: search.Reader, query: str, filters: Filters, page: int, names: Words) -> Finding:
    """One page of goods that hold all words of a query, at most three statements beside the names."""
    if not query.strip():
        return Finding(Shelf([], 0, 1, {}, {}))
    try:
        return _by_engine(reader, query, filters, page)
    except search.SearchUnavailable as error:
        log.warning("search.unavailable", reason=str(error))
        words = replace(filters, words=browse.search_words(query))
        return Finding(browse.shelf(words, page, names))


def _by_engine(reader: search.Reader, query: str, filters: Filters, page: int) -> Finding:
    found = _page_of(reader, query, filters, page)
    last = max(1, -(-found.total // PAGE_SIZE))
    if page > last:
        page, found = last, _page_of(reader, query, filters, last)
    cards = browse.cards_of(_reached_first(reader, query, filters, page) if filters.later else found.ids)
    shelf = Shelf(cards, found.total, page, found.facets.category, found.facets.county)
    return Finding(shelf, () if found.total or _is_narrowed(filters) else reader.suggest(query))


def _reached_first(reader: search.Reader, query: str, filters: Filters, page: int) -> Sequence[int]:
    """A page of the best hits, those of suppliers that come when asked before all others."""
    best = _hits(reader, query, filters, MOST_RANKED, 0).ids
    behind = browse.those_behind(best, filters)
    ranked = sorted(best, key=lambda product_id: product_id in behind)
    start = (page - 1) * PAGE_SIZE
    if start >= len(ranked):
        return _page_of(reader, query, filters, page).ids
    return ranked[start:start + PAGE_SIZE]


ORDERS: dict[str, search.Order] = {"new": "new", "price": "price", "sold": "sold"}


def _page_of(reader: search.Reader, query: str, filters: Filters, page: int) -> search.Found:
    return _hits(reader, query, filters, PAGE_SIZE, (page - 1) * PAGE_SIZE)


def _hits(reader: search.Reader, query: str, filters: Filters, limit: int, offset: int) -> search.Found:
    return reader.find(query, category=filters.category, county=filters.county, month=filters.month,
                       certified=True if filters.certified else None, order=ORDERS.get(filters.sort, "relevance"),
                       limit=limit, offset=offset)


def _is_narrowed(filters: Filters) -> bool:
    return bool(filters.category or filters.county or filters.month or filters.certified)
