"""Finding: one reader per process, over document sets kept per term and per generation of the index."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import islice, product
from pathlib import Path
from sys import intern
from threading import Lock
from time import monotonic
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from whoosh.reading import TermNotFound

from catalog.search.index import FIELDS, Row
from catalog.search.sounds import MOST_SPELLINGS, Sounds, Spelling
from catalog.search.store import Generation, SearchUnavailable, load
from catalog.search.words import LONGEST_QUERY, Query, Slot, is_han, slot

REFRESH_SECONDS = 1.0
MOST_HITS = 200  # ids in one answer
MOST_SUGGESTIONS = 5
SHORTEST_INITIALS = {"name": 2, "place": 3}  # letters; of longer texts initials would mean anything
KEPT_TERMS = 2_048
KEPT_QUERIES = 512
KEPT_ANSWERS = 1_024

Order = Literal["sold", "relevance", "price", "new"]
Numbers = frozenset[int]  # documents by their number in this generation
NOTHING: Numbers = frozenset()


@dataclass(frozen=True)
class Facets:
    """How many products each county and category would show, its own filter left out."""

    county: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    category: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True)
class Found:
    """One page of product ids in order, how many there are in all, and the words that were looked for."""

    ids: tuple[int, ...] = ()
    total: int = 0
    words: tuple[str, ...] = ()
    facets: Facets = Facets()


ORDERS: dict[str, Callable[[Row], int]] = {
    "sold": lambda row: -row.sold,
    "price": lambda row: row.price_fen,
    "new": lambda row: -row.id,
}
FILTERS: dict[str, Callable[[Row, Any], bool]] = {
    "county": lambda row, county: row.county_code == county,
    "category": lambda row, category: row.category == category,
    "certified": lambda row, certified: row.certified is certified,
    "month": lambda row, month: bool(row.months >> month & 1),
}


class Reader:
    """Answers queries from the newest index in a folder; make one per process, threads may share it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = Lock()
        self._snapshot: _Snapshot | None = None
        self._check_at = 0.0

    def find(
        self,
        query: str,
        *,
        category: str | None = None,
        county: str | None = None,
        certified: bool | None = None,
        month: int | None = None,
        order: Order = "sold",
        limit: int = 24,
        offset: int = 0,
    ) -> Found:
        """The products that hold all words of a query, or nothing for a query without words.

        Raises SearchUnavailable whatever goes wrong, so that the caller can ask the database instead.
        """
        try:
            limit, offset = min(max(limit, 0), MOST_HITS), max(offset, 0)
            query = query[: 16 * LONGEST_QUERY]
            asked = _Asked(query, category, county, certified, month, order, limit, offset)
            return self._current().find(asked)
        except SearchUnavailable:
            raise
        except Exception as error:
            raise SearchUnavailable(f"{type(error).__name__}: {error}") from error

    def suggest(self, query: str) -> list[str]:
        """Other spellings of equal pinyin that do find something, best first: 脐城 gives 脐橙."""
        try:
            return self._current().suggest(query)
        except SearchUnavailable:
            raise
        except Exception as error:
            raise SearchUnavailable(f"{type(error).__name__}: {error}") from error

    def _current(self) -> "_Snapshot":
        """The newest generation, looked for at most once a second; threads need not wait for one that looks."""
        if monotonic() >= self._check_at and self._lock.acquire(blocking=self._snapshot is None):
            try:
                if monotonic() >= self._check_at:
                    self._refresh()
            finally:
                self._lock.release()
        if self._snapshot is None:
            raise SearchUnavailable("no usable index")
        return self._snapshot

    def _refresh(self) -> None:
        """Take up a newer generation; with a damaged one, refuse until the next look."""
        before = self._snapshot
        try:
            generation = load(self._folder, before.generation if before else None)
            if before is None or generation is not before.generation:
                self._snapshot = _Snapshot(generation)
        except Exception:
            self._snapshot = None
            raise
        finally:
            self._check_at = monotonic() + REFRESH_SECONDS


class _Asked(NamedTuple):
    query: str
    category: str | None
    county: str | None
    certified: bool | None
    month: int | None
    order: Order
    limit: int
    offset: int


class _Snapshot:
    """One generation: columns in memory, document sets decoded once per term."""

    def __init__(self, generation: Generation) -> None:
        self.generation = generation
        self._words = generation.words()
        self._reader = generation.open().reader()
        self._decoding = Lock()  # Whoosh's readers share file positions
        self._rows = _rows(self._reader)
        self._counties = {number: row.county_code for number, row in self._rows.items()}
        self._categories = {number: row.category for number, row in self._rows.items()}
        self._ranking = lru_cache(maxsize=None)(self._rank)
        self._select = lru_cache(maxsize=256)(self._selected)
        self._holding = lru_cache(maxsize=KEPT_TERMS)(self._decode)
        self._meeting = lru_cache(maxsize=KEPT_TERMS)(self._meet)
        self._looking_for = lru_cache(maxsize=KEPT_QUERIES)(self._read)
        self.find = lru_cache(maxsize=KEPT_ANSWERS)(self._find)

    def _find(self, asked: _Asked) -> Found:
        query, plan, hits = self._looking_for(asked.query)
        if not query.words:
            return Found()
        if asked.certified is not None:
            hits &= self._select("certified", asked.certified)
        if asked.month is not None:
            hits &= self._select("month", asked.month)
        in_county = hits if asked.county is None else hits & self._select("county", asked.county)
        in_category = hits if asked.category is None else hits & self._select("category", asked.category)
        shown = in_county & in_category
        by_name = asked.order == "relevance"
        tiers = self._name_tiers(query, plan) if by_name else ()
        numbers = self._best(shown, tiers, "sold" if by_name else asked.order, asked.offset + asked.limit)
        return Found(
            ids=tuple(self._rows[number].id for number in numbers[asked.offset :]),
            total=len(shown),
            words=query.words,
            facets=Facets(_counts(self._counties, in_category), _counts(self._categories, in_county)),
        )

    def suggest(self, text: str) -> list[str]:
        query = self._words.of_query(text)
        glue = "" if all(map(is_han, query.words)) else " "
        options = [[word] if self._meeting(slot(word)) else self._sounds.like(word) for word in query.words]
        together = self._sounds.like("".join(query.words)) if query.words and not glue else []
        spellings = dict.fromkeys((*together, *map(glue.join, islice(product(*options), MOST_SPELLINGS))))
        asked = glue.join(query.words)
        found = {spelling: len(self._read(spelling)[2]) for spelling in spellings}
        good = [spelling for spelling in spellings if found[spelling] and spelling != asked]
        return sorted(good, key=lambda spelling: -found[spelling])[:MOST_SUGGESTIONS]

    @cached_property
    def _sounds(self) -> Sounds:
        """Made when the first pinyin is typed."""
        with self._decoding:
            grains = {grain.decode() for name in FIELDS for grain in self._reader.lexicon(name)}
        return Sounds(grain for grain in grains if is_han(grain))

    def _read(self, text: str) -> tuple[Query, tuple[Slot, ...], Numbers]:
        """A query, the first way to read it that finds anything, and what it finds."""
        query = self._words.of_query(text)
        for plan in query.plans:
            hits = _all(self._meeting(terms) for terms in plan)
            if hits:
                return query, plan, hits
        return query, (), NOTHING

    def _meet(self, terms: Slot) -> Numbers:
        return NOTHING.union(*(self._in_field(name, terms) for name in FIELDS))

    def _in_field(self, name: str, terms: Slot) -> Numbers:
        if not terms:
            return NOTHING
        hits = _all(self._holding(name, term) for term in terms)
        if not (terms[0].isascii() and terms[0].isalpha()):
            return hits
        return hits.union(*(self._saying(name, spelling) for spelling in self._spellings(name, terms[0])))

    def _spellings(self, name: str, typed: str) -> Iterator[Spelling]:
        """What a Latin word may mean as pinyin; the less a field is a name, the more must be typed."""
        yield from self._sounds.full(typed, alone=name == "name")
        if name in SHORTEST_INITIALS and len(typed) >= SHORTEST_INITIALS[name]:
            yield from self._sounds.short(typed)

    def _saying(self, name: str, spelling: Spelling) -> Numbers:
        return _all(NOTHING.union(*(self._holding(name, term) for term in terms)) for terms in spelling)

    def _decode(self, name: str, term: str) -> Numbers:
        with self._decoding:
            try:
                return frozenset(self._reader.postings(name, term).all_ids())
            except TermNotFound:
                return NOTHING

    def _name_tiers(self, query: Query, plan: tuple[Slot, ...]) -> tuple[Numbers, ...]:
        """Whose name is the query, holds it unbroken, holds all its words, holds some of them."""
        named = [self._in_field("name", terms) for terms in plan] or [NOTHING]
        phrase = self._in_field("name", query.phrase)
        return self._holding("name", query.whole), phrase, _all(named), NOTHING.union(*named)

    def _best(self, shown: Numbers, tiers: Iterable[Numbers], order: Order, count: int) -> list[int]:
        """The first `count` documents, tier by tier, in the order of a column within each."""
        best: list[int] = []
        for tier in tiers:
            if len(best) < count:
                best += self._first(shown & tier, order, count - len(best))
                shown -= tier
        return best + self._first(shown, order, count - len(best))

    def _first(self, shown: Numbers, order: Order, count: int) -> list[int]:
        numbers, ranks = self._ranking(order)
        if len(shown) * 16 > len(numbers):  # many: walking the order meets them soon
            return list(islice((number for number in numbers if number in shown), count))
        return [numbers[rank] for rank in sorted(map(ranks.__getitem__, shown))[:count]]

    def _rank(self, order: Order) -> tuple[list[int], dict[int, int]]:
        """All documents in an order, and the place of each; of equals the newest comes first."""
        key = ORDERS[order]
        numbers = sorted(self._rows, key=lambda number: (key(self._rows[number]), -self._rows[number].id))
        return numbers, {number: rank for rank, number in enumerate(numbers)}

    def _selected(self, column: str, value: str | int) -> Numbers:
        matches = FILTERS[column]
        return frozenset(number for number, row in self._rows.items() if matches(row, value))


def _all(sets: Iterable[Numbers]) -> Numbers:
    """What is in every set; the smallest first, as the cost is its size."""
    smallest, *others = sorted(sets, key=len)
    return smallest.intersection(*others)


def _counts(column: Mapping[int, str], numbers: Numbers) -> Mapping[str, int]:
    return MappingProxyType(Counter(map(column.__getitem__, numbers)))


def _rows(reader: Any) -> dict[int, Row]:
    """The columns of every live document by its number."""
    rows = {}
    for leaf, offset in reader.leaf_readers():
        deleted = frozenset(leaf._perdoc.deleted_docs()) if leaf.has_deletions() else NOTHING
        for number, content in enumerate(leaf.column_reader("row", translate=False) if leaf.doc_count() else ()):
            if number not in deleted:
                row = Row(*json.loads(content))
                row = row._replace(county_code=intern(row.county_code), category=intern(row.category))
                rows[offset + number] = row
    return rows
