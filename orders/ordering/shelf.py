"""What a unit may mean by a word: goods on sale in whose name, alias, sound or code it is found.

A fixed number of statements for any number of words: what the unit calls things, what it ordered lately, and one read
of all that the search engine (else the database) found.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from pypinyin import lazy_pinyin
from sqlalchemy import func, or_, select

from catalog import search
from catalog.models import Product
from catalog.on_sale import on_sale
from catalog.tracing import gs1
from market import clock, db, money
from market.parties import Organisation
from orders.models import Order, OrderLine
from orders.ordering.amounts import Sold
from orders.ordering.models import LONGEST_WORD, UnitAlias

log = structlog.get_logger("sijin")

USUAL_DAYS = 180
MOST_USUAL = 400
MOST_FOUND = 24  # goods that the engine may name for one word
MOST_CANDIDATES = 6
MOST_WORDS = 200
_SPLIT = re.compile(r"[\s|,，、;；/]+")
_CODE = re.compile(r"(?:#|p|no\.?|编号)?([0-9]{1,12})")


@dataclass(frozen=True)
class Good:
    """A good on sale as a buyer chooses it; `at` is the newest order of the unit with it, 0 for none."""

    id: int
    name: str
    name_en: str
    names: frozenset[str]  # made even: its name in both languages and its aliases
    supplier: str
    price_fen: int
    sold: Sold
    at: int = 0

    @property
    def fen_per_kg(self) -> int:
        return money.price_of_kg(self.price_fen, self.sold.grams_per_unit)


def even(word: str) -> str:
    """A word as it is compared: one width, small letters, no blanks.

    >>> even("Ｔｕ Dou")
    'tudou'
    """
    return "".join(filter(str.isprintable, unicodedata.normalize("NFKC", word).casefold().replace(" ", "")))


class Shelf:
    """All that these words may mean to a unit, read once."""

    def __init__(self, words: Iterable[str], unit_id: int, reader: search.Reader) -> None:
        asked = list(dict.fromkeys(word for word in words if even(word)))[:2 * MOST_WORDS]
        self._aliases = _aliases({even(word)[:LONGEST_WORD] for word in asked}, unit_id)
        usual = _usual(unit_id)
        found, by_names = _by_engine(asked, reader)
        codes = {code for word in asked for code in _codes(word)}
        wanted = {*self._aliases.values(), *usual, *codes, *(one for ids in found.values() for one in ids)}
        self._goods = _goods(wanted, by_names, usual)
        self._found = {word: set(ids) for word, ids in found.items()}
        self._by_sound: dict[str, set[int]] = {}
        for good in self._goods.values():
            if good.at:
                for sound in _sounds(good.names):
                    self._by_sound.setdefault(sound, set()).add(good.id)

    def candidates(self, word: str) -> list[Good]:
        """What a word may mean, best first: as the unit said before, what it orders, the very name, the cheapest."""
        same = even(word)
        known = self._goods.get(self._aliases.get(same, 0))
        if known:
            return [known]
        ranked = [(rank, good) for good in self._goods.values() if (rank := self._rank(good, word, same)) is not None]
        exact = any(rank <= 1 for rank, _good in ranked)
        kept = [(rank, good) for rank, good in ranked if good.at or rank <= 1 or not exact]
        kept.sort(key=lambda pair: (pair[0] != 0, not pair[1].at, pair[0], -pair[1].at, pair[1].fen_per_kg,
                                    pair[1].id))
        return [good for _rank, good in kept[:MOST_CANDIDATES]]

    def _rank(self, good: Good, word: str, same: str) -> int | None:
        """0 its code, 1 its very name or alias, 2 its sound, 3 a part of its name, 4 found by the engine; else None."""
        if good.id in _codes(word):
            return 0
        if same in good.names:
            return 1
        if good.id in self._by_sound.get(same, ()):
            return 2
        if any(same in name for name in good.names):
            return 3
        return 4 if good.id in self._found.get(word, ()) else None


def _codes(word: str) -> list[int]:
    """The goods whose number this is: of fourteen digits as on a label, or plain as in our addresses."""
    code = _CODE.fullmatch(even(word))
    if code is None:
        labelled = gs1.product_of(even(word)) if len(even(word)) == 14 else None
        return [labelled] if labelled else []
    return [int(code[1])]


def _sounds(names: Iterable[str]) -> set[str]:
    """Names in full pinyin and by initials of two letters or more."""
    sounds = set()
    for name in names:
        syllables = lazy_pinyin(name, errors="ignore")
        initials = "".join(syllable[0] for syllable in syllables)
        sounds |= {"".join(syllables), initials if len(initials) > 1 else ""}
    return sounds - {""}


def _aliases(words: set[str], unit_id: int) -> dict[str, int]:
    return {row.word: row.product_id for row in db.session().execute(
        select(UnitAlias.word, UnitAlias.product_id).where(UnitAlias.unit_id == unit_id, UnitAlias.word.in_(words)))}


def _usual(unit_id: int) -> dict[int, int]:
    """What the unit ordered lately: the newest order by product."""
    newest = func.max(Order.id)
    return {row.product_id: row.newest for row in db.session().execute(
        select(OrderLine.product_id, newest.label("newest")).join(Order, Order.id == OrderLine.order_id)
        .where(Order.unit_id == unit_id, Order.business_date >= clock.days_after(clock.today(), -USUAL_DAYS),
               Order.state != "cancelled")
        .group_by(OrderLine.product_id).order_by(newest.desc()).limit(MOST_USUAL))}


def _by_engine(words: Sequence[str], reader: search.Reader) -> tuple[dict[str, tuple[int, ...]], list[str]]:
    """Goods by word as the engine finds them; where it cannot answer, the words for the database."""
    try:
        return {word: reader.find(word, order="relevance", limit=MOST_FOUND).ids for word in words}, []
    except search.SearchUnavailable as error:
        log.warning("search.unavailable", reason=str(error))
        return {}, ["".join(filter(str.isprintable, word)) for word in words][:MOST_WORDS]


def _goods(ids: set[int], by_names: Sequence[str], usual: Mapping[int, int]) -> dict[int, Good]:
    product, supplier = db.table(Product).c, db.table(Organisation).c
    named = [column.icontains(word, autoescape=True) for word in by_names
             for column in (product.name, product.aliases, product.name_en)]
    rows = db.session().execute(
        select(product.id, product.name, product.name_en, product.aliases, product.unit, product.unit_en,
               product.grams_per_unit, product.minimum_milli, product.step_milli, product.price_fen,
               supplier.short_name.label("supplier"))
        .join(db.table(Organisation), supplier.id == product.supplier_id)
        .where(on_sale(), or_(product.id.in_(ids), *named)).limit(2_000))
    return {row.id: _good(row, usual.get(row.id, 0)) for row in rows}


def _good(row: Any, at: int) -> Good:
    names = frozenset(even(name) for name in (row.name, row.name_en, *_SPLIT.split(row.aliases)) if name.strip())
    return Good(row.id, row.name, row.name_en, names, row.supplier, row.price_fen,
                Sold(row.name, row.unit, row.unit_en, row.grams_per_unit, row.minimum_milli, row.step_milli), at)
