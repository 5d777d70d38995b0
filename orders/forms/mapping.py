"""What the headings of a form mean: a column of a report, a running number, words, the period, the place, or nothing.

Most of it is guessed from equal or similar headings in both languages, so that a person only confirms.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from difflib import SequenceMatcher

from flask_babel import force_locale

from market.errors import N_, InvalidInput, MarketError
from market.i18n import LOCALES
from market.i18n import gettext as _
from market.schemas import REQUIRED
from orders.forms.finding import BETWEEN, Found
from orders.reports.frame import Column

NUMBER, TEXT, PERIOD, PLACE = "=number", "=text", "=period", "=place"
OWN: Mapping[str, str] = {
    NUMBER: N_("Running number"), PERIOD: N_("The period"), PLACE: N_("The place's name"), TEXT: N_("A fixed text"),
}
# by the kind of a column; the first unless something else is said
UNITS: Mapping[str, Mapping[str, str]] = {
    "fen": {"yuan": N_("yuan"), "wan": N_("ten thousand yuan")},
    "grams": {"kg": N_("kg"), "tonne": N_("tonnes"), "jin": N_("jin (500 g)")},
    "percent": {"share": N_("12.3 %"), "points": N_("12.3 without the sign")},
}
SAID = {"万元": "wan", "元": "yuan", "吨": "tonne", "公斤": "kg", "千克": "kg", "kg": "kg", "斤": "jin", "%": "points",
        "％": "points", "ten thousand yuan": "wan", "yuan": "yuan", "tonne": "tonne"}
LIKE_ENOUGH = 0.6
# other words that provinces' forms have for headings of our reports
CALLED: Mapping[str, tuple[str, ...]] = {
    "County": ("县", "县市区", "县区名称", "所在县"), "Township": ("乡", "镇", "所在乡镇"),
    "Village": ("村", "脱贫村", "行政村", "所在村"), "Village code": ("村编码", "行政区划代码"),
    "Purchase amount": ("采购金额", "销售额", "验收金额", "交易额"),
    "Received": ("到账", "到账金额", "已收货款", "回款"), "Still unpaid": ("未到账", "欠款", "未付款"),
    "Weight": ("数量", "采购量", "采购数量"),
    "Orders": ("订单数", "单数"), "Households": ("户数", "受益户数"), "People": ("人数", "受益人数"),
    "Total income": ("总收入", "增收金额", "带动增收"),
}
_IN_BRACKETS = re.compile(r"[(（\[【][^)）\]】]*[)）\]】]")
_NO_WORD = re.compile(r"[\W_]+")
_NUMBERS = {"序号", "编号", "no", "nr", "number", "row"}
_PERIODS = {"月份", "期间", "时间", "年月", "报告期", "统计期", "所属期", "period", "month", "month year"}
_PLACES = {"地区", "所在地区", "所属地区", "填报地区", "区域", "place", "area", "region"}


class NothingMapped(MarketError):
    """A form that the report says nothing in."""

    status = 422
    code = "nothing_mapped"
    text = N_("Choose for at least one heading what the report brings.")


@dataclass(frozen=True)
class Line:
    """The meaning of one heading. `source`: the key of a column, one of OWN, or ''. `text` stands in each row of TEXT;
    `unit` is one of UNITS of the column's kind.
    """

    source: str = ""
    text: str = ""
    unit: str = ""


def lines_of(kept: Sequence[Mapping[str, str]]) -> list[Line]:
    """As they were kept with a version."""
    return [Line(**line) for line in kept]


def kept_lines(lines: Sequence[Line]) -> list[dict[str, str]]:
    """As a version keeps them."""
    return [asdict(line) for line in lines]


# ---- guessing -------------------------------------------------------------------------------------------------------


def guess(found: Found, columns: Sequence[Column], before: Mapping[str, Line] | None = None) -> list[Line]:
    """What each heading may mean. What an equal heading meant `before` is taken over where the report still has it."""
    known = {column.key: column for column in columns}
    taken_over = {at: line for at, words in enumerate(found.words)
                  if (line := (before or {}).get(plain(words))) and (not line.source or line.source in {*known, *OWN})}
    keys = _best({at: words for at, words in enumerate(found.words) if at not in taken_over}, _names(columns),
                 {line.source for line in taken_over.values()})
    return [taken_over.get(at) or _line(words, known.get(keys.get(at, "")), found.unit)
            for at, words in enumerate(found.words)]


def _line(words: str, column: Column | None, unit: str) -> Line:
    said = plain(words.rpartition(BETWEEN)[2])
    if column is None:
        own = next((source for source, names in ((NUMBER, _NUMBERS), (PERIOD, _PERIODS), (PLACE, _PLACES))
                    if said in names), "")
        return Line(own)
    return Line(column.key, unit=unit_of(column, words, unit))


def unit_of(column: Column, words: str, unit: str) -> str:
    """The unit that a heading names, else that of the sheet, else the usual one; '' where there is none."""
    units = UNITS.get(column.kind)
    if units is None:
        return ""
    for text in (*reversed(_IN_BRACKETS.findall(words)), words, unit):
        for word, key in SAID.items():
            if word in text and key in units:
                return key
    return next(iter(units))


def _names(columns: Sequence[Column]) -> dict[str, set[str]]:
    """What each column is called, in both languages."""
    names: dict[str, set[str]] = {column.key: set(CALLED.get(column.heading, ())) for column in columns}
    for language in LOCALES:
        with force_locale(language):
            for column in columns:
                names[column.key].add(plain(_(column.heading)))
    return names


def _best(headings: Mapping[int, str], names: Mapping[str, set[str]], taken: set[str]) -> dict[int, str]:
    """Each column for the heading that is most like it, each heading once."""
    likeness = [(-_likeness(words, called), at, order, key) for at, words in headings.items()
                for order, (key, called) in enumerate(names.items()) if key not in taken]
    chosen: dict[int, str] = {}
    for score, at, _order, key in sorted(likeness):
        if -score >= LIKE_ENOUGH and at not in chosen and key not in chosen.values():
            chosen[at] = key
    return chosen


def _likeness(words: str, names: set[str]) -> float:
    """From 0 to 1: the whole of a heading counts most, then its last part, then its first."""
    parts = words.split(BETWEEN)
    said = {plain(words): 1.0, plain("".join(reversed(parts))): 0.99, plain(parts[-1]): 0.95, plain(parts[0]): 0.8}
    return max((weight * _like(text, name) for text, weight in said.items() if text for name in names if name),
               default=0)


def _like(one: str, other: str) -> float:
    if one == other:
        return 1
    return SequenceMatcher(None, one, other, autojunk=False).ratio() * 0.99


def plain(words: str) -> str:
    """A heading without its unit in brackets, spaces and marks, in lower case.

    >>> plain("村 名称"), plain("采购额（万元） "), plain("Purchase amount (yuan)")
    ('村', '采购额', 'purchaseamount')
    """
    text = _NO_WORD.sub("", _IN_BRACKETS.sub("", words)).casefold()
    return text.removesuffix("名称") or text


# ---- confirming -----------------------------------------------------------------------------------------------------


def checked(lines: Sequence[Line], found: Found, columns: Sequence[Column]) -> list[Line]:
    """The lines as they are kept. Raises InvalidInput at the fields of those that name what is not there."""
    if len(lines) != len(found.headings):
        raise InvalidInput({"lines": [N_("This form has other headings by now. Please open the page again.")]})
    known = {column.key: column for column in columns}
    wrong: dict[str, list[str | MarketError]] = {}
    kept = []
    for at, line in enumerate(lines):
        if line.source not in {"", *OWN, *known}:
            wrong[f"lines-{at}-source"] = [N_("Please choose one of the list.")]
        if line.source == TEXT and not line.text:
            wrong[f"lines-{at}-text"] = [REQUIRED]
        kept.append(_as_kept(line, known.get(line.source), found.words[at], found.unit))
    if not wrong and not any(line.source in known for line in kept):
        wrong["lines-0-source"] = [NothingMapped()]
    if wrong:
        raise InvalidInput(wrong)
    return kept


def _as_kept(line: Line, column: Column | None, words: str, unit: str) -> Line:
    """Without what means nothing beside its source; where no unit was chosen, with the one that is written there."""
    if column is None:
        return Line(line.source, line.text if line.source == TEXT else "")
    chosen = line.unit in UNITS.get(column.kind, {})
    return Line(line.source, unit=line.unit if chosen else unit_of(column, words, unit))


def compared(lines: Sequence[Line], columns: Sequence[Column]) -> list[str]:
    """What the report is compared with for these lines: columns that stand beside another one."""
    used = {line.source for line in lines}
    beside = [column.key for column in columns if column.of and column.key in used]
    return [name for name, is_used in (("ytd", any(key.endswith("_ytd") for key in beside)),
                                       ("yoy", any(not key.endswith("_ytd") for key in beside))) if is_used]


def mark_of(report: str, lines: Sequence[Line]) -> str:
    """Tells one meaning from another: what is kept is what was shown."""
    return hashlib.sha256(json.dumps([report, kept_lines(lines)], ensure_ascii=False).encode()).hexdigest()


def by_heading(found: Found, lines: Sequence[Line]) -> dict[str, Line]:
    """What each heading means, by its words: for the form's next version."""
    return {plain(words): line for words, line in zip(found.words, lines, strict=True)}
