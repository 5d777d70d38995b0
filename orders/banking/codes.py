"""Order and statement numbers in what people write into a bank form: spaced, glued, broken over lines, look-alike.

A text never decides alone: what might be a number is compared with the numbers that the co-operative really gave.
"""

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

DATE, TAIL = 6, 7  # S261103-7KQ2M9X: a letter, the day, seven characters
LETTERS = ("S", "D")
LONGEST = 500  # characters of a text that are looked at; a bank's field holds a few hundred

# letters of other alphabets that look like ours, upper case
_FOREIGN = str.maketrans(
    "АВЕЅЈКМНОРСТУХІԚԜЗЬ" "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ" "ØÖÓÒÔÕ",
    "ABESJKMHOPCTYXIQW3B" "ABEZHIKMNOPTYX" "OOOOOO")
_LEFT_OUT = re.compile(r"[\s\-‐‑‒–—―−﹘﹣－─━ーｰ~～_·・'’`\"“”.,，。:：/／|｜*+#]")
_DASH_WORD = re.compile(r"(?<=[0-9A-Z])[一ㄧ丨](?=[0-9A-Z])")  # typed for a hyphen
_RUN = re.compile(r"[0-9A-Z$]+")
_AS_DIGIT = str.maketrans("OQDILSBZ$", "000115825")
# what people and scanners take for one another; the tail itself never holds 0 1 I L O U
_FOLD = str.maketrans("SBZ$O0DIL1U", "5825QQQTTTV")


@dataclass(frozen=True)
class Spot:
    """Thirteen characters of a text that may be a number's day and tail; `letters` it may begin with."""

    start: int
    letters: tuple[str, ...]
    day: str
    tail: str


class Known:
    """The numbers that a text is compared with."""

    def __init__(self, numbers: Collection[str]) -> None:
        self._exact = {_body(number): number for number in numbers}
        self._look: dict[str, set[str]] = {}
        self._near: dict[str, list[str]] | None = None
        for body, number in self._exact.items():
            self._look.setdefault(body[:1 + DATE] + folded(body[1 + DATE:]), set()).add(number)

    def find(self, text: str) -> list[str]:
        """Those of the numbers that a text names, in their order there, each once; what may be two is none.

        >>> Known(["S261103-7KQ2M9X", "S261103-8KQ2M9X"]).find("货款Ｓ2611О3 — 7kq2\\nm9x请查收")
        ['S261103-7KQ2M9X']
        """
        spots = list(_spots(text))
        found = {spot.start: self._exact[key] for spot in spots for letter in spot.letters
                 if (key := letter + spot.day + spot.tail) in self._exact}
        for spot in spots:
            if any(abs(spot.start - taken) < DATE + TAIL for taken in found):
                continue
            likely = set().union(*(self._look.get(letter + spot.day + folded(spot.tail), ())
                                   for letter in spot.letters))
            if len(likely) == 1:
                found[spot.start] = likely.pop()
        return list(dict.fromkeys(found[start] for start in sorted(found)))

    def near(self, text: str) -> list[str]:
        """Numbers of which one character is wrong, missing or too many in the text, without those that find() finds.

        >>> Known(["S261103-7KQ2M9X", "S261104-ABCDEFG"]).near("付S261103-7KQ2M9")
        ['S261103-7KQ2M9X']
        """
        keys = self._neighbours()
        seen: dict[str, None] = {}
        for run in _runs(text):
            for width in (DATE + TAIL, DATE + TAIL - 1, DATE + TAIL + 1):
                for at in range(len(run) - width + 1):
                    for shorter in _shorter(folded(run[at:at + width])):
                        seen.update(dict.fromkeys(keys.get(shorter, ())))
        named = set(self.find(text))
        return [number for number in seen if number not in named]

    def _neighbours(self) -> dict[str, list[str]]:
        """Each number under itself and under what is left of it without one character."""
        if self._near is None:
            self._near = {}
            for body, number in self._exact.items():
                for shorter in _shorter(folded(body[1:])):
                    self._near.setdefault(shorter, []).append(number)
        return self._near


def days(texts: Iterable[str]) -> set[str]:
    """What numbers that may stand in the texts begin with: 'S261103'. The way to look them up.

    >>> sorted(days(["S261103-7KQ2M9X"]))
    ['S261103']
    """
    return {letter + spot.day for text in texts for spot in _spots(text) for letter in spot.letters}


def _body(number: str) -> str:
    """A number without its hyphen."""
    return number[:1 + DATE] + number[2 + DATE:]


def _shorter(body: str) -> set[str]:
    return {body, *(body[:at] + body[at + 1:] for at in range(len(body)))}


def folded(text: str) -> str:
    """Characters that are taken for one another as one.

    >>> folded("O0D5SB8") == folded("QQQSS8B")
    True
    """
    return text.translate(_FOLD)


def plain(text: str) -> str:
    """A text as its numbers are looked for: one script, upper case, nothing between the characters.

    >>> plain("ｓ2611О3 — 7kq2\\nm9x")
    'S2611O37KQ2M9X'
    """
    shown = "".join(c for c in unicodedata.normalize("NFKC", text[:LONGEST]) if unicodedata.category(c) != "Cf")
    return _DASH_WORD.sub("", _LEFT_OUT.sub("", shown.upper().translate(_FOREIGN)))


def _runs(text: str) -> Iterator[str]:
    for run in _RUN.finditer(plain(text)):
        if len(run[0]) >= DATE + TAIL - 1:
            yield run[0]


def _spots(text: str) -> Iterator[Spot]:
    whole = plain(text)
    for run in _RUN.finditer(whole):
        for at in range(run.start(), run.end() - DATE - TAIL + 1):
            day = whole[at:at + DATE].translate(_AS_DIGIT)
            if day.isdigit() and "01" <= day[2:4] <= "12" and "01" <= day[4:6] <= "31":
                before = whole[at - 1] if at > run.start() else ""
                yield Spot(at, _letters(before), day, whole[at + DATE:at + DATE + TAIL])


def _letters(before: str) -> tuple[str, ...]:
    """Which letter a number begins with, by what stands before its day; both where that says nothing."""
    if before in ("S", "5", "$"):
        return ("S",)
    return ("D",) if before == "D" else LETTERS
