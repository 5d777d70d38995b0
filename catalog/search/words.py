"""What can be found: the terms of a document, and the terms a query asks for.

A term is a grain that documents and queries cut alike: one Chinese character, two neighbouring ones, a Latin word or a
number. Pinyin is no term: the reader knows how its terms sound (sounds.py). A longer Chinese word is the sum of its
neighbouring pairs, so it is found whatever word it stands in. Names and places give every pair; longer texts give only
the pairs inside words, so that 本地主食 is not found by 地主.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import rjieba

LONGEST_QUERY = 64  # characters of a query that count
MOST_WORDS = 8  # words of a query that count

_HAN = "々〇\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U000323af"
_IS_HAN = re.compile(f"[{_HAN}]")
_RUN = re.compile(rf"[{_HAN}]+|\d+|[^\W\d_{_HAN}]+")
_EMPTY_WORDS = frozenset("的和与及或")

Slot = tuple[str, ...]  # terms that one field of a document must hold together


@dataclass(frozen=True)
class Query:
    """A query in our own grammar: words, and nothing else."""

    words: tuple[str, ...]
    plans: tuple[tuple[Slot, ...], ...]  # the first plan that finds anything answers; all its slots must be met
    phrase: Slot  # the Chinese of the query, unbroken
    whole: str  # held by a name that is this query and nothing more


@dataclass(frozen=True)
class Terms:
    """What a document can be found by."""

    name: frozenset[str]
    place: frozenset[str]
    text: frozenset[str]


def runs(text: str) -> list[str]:
    """The unbroken runs of Chinese, of letters and of digits; everything else only separates."""
    text = text.encode("utf-8", "ignore").decode()  # drops lone surrogates
    text = unicodedata.normalize("NFKC", text).casefold()
    text = unicodedata.normalize("NFKD", text).replace("u\u0308", "v")  # v is how ü is typed
    text = "".join(character for character in text if not unicodedata.combining(character))
    return _RUN.findall(unicodedata.normalize("NFC", text))


def is_han(run: str) -> bool:
    """Whether a run is Chinese."""
    return _IS_HAN.match(run) is not None


def pairs(word: str) -> Slot:
    """The neighbouring pairs of a Chinese word: 五花肉 is (五花, 花肉); one character is itself."""
    return tuple(word[i : i + 2] for i in range(len(word) - 1)) or tuple(word)


class Words:
    """Cuts texts and queries with one dictionary, which knows the given names besides the common words."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._dictionary = rjieba.Jieba()
        for name in names:
            self._dictionary.add_word(name, self._dictionary.suggest_freq(name), "n")

    def of_document(self, name: str, places: str, text: str) -> Terms:
        """The terms of a product's name, of where it comes from, and of what is said about it."""
        name_runs = runs(name)
        spoken = "".join(filter(is_han, name_runs))
        return Terms(
            name=frozenset({whole(name_runs), *spoken, *pairs(spoken), *_latin(name_runs)}),
            place=frozenset(
                {*_latin(runs(places)), *(pair for run in runs(places) if is_han(run) for pair in pairs(run))}
            ),
            text=frozenset(
                {*_latin(runs(text)), *(term for run in runs(text) if is_han(run) for term in self._inside(run))}
            ),
        )

    def of_query(self, query: str) -> Query:
        """The words of a query and what a document must hold to answer it; any text at all is a query."""
        query_runs = runs(" ".join(query[: 16 * LONGEST_QUERY].split())[:LONGEST_QUERY])
        words = [word for run in query_runs for word in (self._query_words(run) if is_han(run) else [run])]
        words = list(dict.fromkeys(words))[:MOST_WORDS]
        readings = (joined(words), words, query_runs[:MOST_WORDS])  # the last for names that no dictionary cuts well
        plans = dict.fromkeys(tuple(map(slot, reading)) for reading in readings if reading)
        phrase = tuple(pair for run in query_runs if is_han(run) for pair in pairs(run))
        return Query(tuple(words), tuple(plans), phrase, whole(query_runs))

    def _cut(self, run: str) -> Iterator[str]:
        """The words of a Chinese run; single characters in a row stay together, as local names do (血鸭)."""
        loose = ""
        for word in self._dictionary.cut(run):
            if len(word) == 1 and word not in _EMPTY_WORDS:
                loose += word
                continue
            if loose:
                yield loose
            loose = ""
            if word not in _EMPTY_WORDS:
                yield word
        if loose:
            yield loose

    def _query_words(self, run: str) -> list[str]:
        """Small words, so that 江永香柚 is met by a 香柚 from 江永; of empty words alone, the run itself."""
        return [small for word in self._cut(run) for small in self._split(word)] or [run]

    def _split(self, word: str) -> list[str]:
        """A word as the smaller words that fill it without a gap, or whole."""
        tiles: list[str] = []
        for small in self._dictionary.cut_for_search(word):
            if 1 < len(small) < len(word) and word.startswith(small, sum(map(len, tiles))):
                tiles.append(small)
        return tiles if "".join(tiles) == word else [word]

    def _inside(self, run: str) -> Iterator[str]:
        """The pairs inside the words of a text, and characters that are words by themselves."""
        for word in self._cut(run):
            yield from pairs(word)
        for word in self._dictionary.cut(run):
            if len(word) == 1:
                yield word


def slot(word: str) -> Slot:
    """What a document must hold in one field to have a query's word."""
    return pairs(word) if is_han(word) else (word,)


def whole(name_runs: list[str]) -> str:
    """The term that stands for a whole name, however it is spaced or dotted."""
    return "=" + "".join(name_runs)


def joined(words: list[str]) -> list[str]:
    """The words with neighbouring Latin ones written together, as in 'jiang yong xiang yu'."""
    result: list[str] = []
    latin = False
    for word in words:
        if latin and word.isascii() and word.isalpha():
            result[-1] += word
        else:
            result.append(word)
        latin = word.isascii() and word.isalpha()
    return result


def _latin(text_runs: list[str]) -> Iterator[str]:
    for run in text_runs:
        if not is_han(run):
            yield from numbers(run)


def numbers(word: str) -> Iterator[str]:
    """A Latin word in singular and plural: orange and oranges find each other."""
    yield word
    if len(word) < 3 or not (word.isascii() and word.isalpha()):
        return
    if word.endswith("ies"):
        yield word[:-3] + "y"
    elif word.endswith(("oes", "ches", "shes", "xes", "sses")):
        yield word[:-2]
    elif word.endswith("s"):
        yield word[:-1]
    else:
        yield word[:-1] + "ies" if word.endswith("y") else word + "s"
        yield word + "es"
