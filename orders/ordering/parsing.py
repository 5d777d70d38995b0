"""A text as it stands in a chat or a spreadsheet, cut into goods and quantities; pure, knows no goods.

    土豆50斤白菜30斤鸡蛋2箱   五十斤土豆、两箱鸡蛋   大米5斤装10袋   土豆、白菜各30斤   1<tab>土豆<tab>50<tab>斤

Nothing is lost: the texts of all pieces, separators among them, make up the text again. What is not understood says so.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from orders.ordering import numerals

LONGEST_TEXT = 20_000
MOST_PIECES = 200

WEIGHTS = ("公斤", "千克", "市斤", "kg", "斤", "克", "两", "吨", "g")
COUNTS = ("箱", "只", "盒", "袋", "包", "瓶", "桶", "个", "件", "筐", "把", "打", "份", "板", "条", "根", "头", "尾",
          "罐", "捆", "坛", "提", "块", "颗", "枚", "朵", "串", "排", "扎", "篮", "框")
AFTER_DIGITS = ("张", "片", "支", "本", "棵", "boxes", "box", "bags", "bag", "pcs", "jin")  # 千张 is a good
UNITS = tuple(sorted((*WEIGHTS, *COUNTS, *AFTER_DIGITS), key=len, reverse=True))

HEADINGS = {"名称", "品名", "商品", "商品名称", "货品", "菜名", "食材", "数量", "单位", "序号", "编号", "备注", "规格",
            "单价", "金额", "no", "name", "goods", "product", "quantity", "qty", "unit", "code", "price", "amount",
            "note"}
FILLERS = re.compile(r"^(?:再来|还要|我要|需要|要|来|订|加|买|送|另外|和|还有|以及)+|(?:要|来|大概|约|大约){1,4}$")
EACH = re.compile(r"(?:每样|各要|各来|各)$")

_DIGITS = r"[0-9０-９]+(?:[.．][0-9０-９]+)?"
_HAN_NUMBER = rf"[{numerals.CHINESE}]{{1,{numerals.LONGEST}}}"
_UNIT = "|".join(map(re.escape, UNITS))
_HAN_UNIT = "|".join(map(re.escape, sorted((*WEIGHTS, *COUNTS), key=len, reverse=True)))
_FREE = r"(?![A-Za-z])"  # g of ginger is no gram
_NUMBER = re.compile(rf"({_DIGITS})[ \u3000]*(?:((?i:{_UNIT})){_FREE})?"
                     rf"|({_HAN_NUMBER})[ \u3000]*((?i:{_HAN_UNIT})){_FREE}")
_MORE = re.compile(rf"半|([0-9０-９{numerals.CHINESE}])[ ]?两")
_UNCLEAR = re.compile(r"[0-9０-９][0-9０-９.．/／~～至到:：—–-]{0,40}[/／~～至到:：—–-][ ]?" + _DIGITS)
_THOUSANDS = re.compile(r"[0-9０-９]{1,3}(?:[,，][0-9０-９]{3})+(?![0-9０-９])")
# 5斤装, 10斤/袋, 5kg*4, 7号: an amount that belongs to a name
_OF_A_NAME = re.compile(rf"(?:装|[/／*×✕xX][ ]?(?:{_DIGITS}|(?i:{_UNIT}){_FREE})"
                        r"|号|级|度|寸|月|日|年|点|时|元|块钱|#(?![0-9])|%|％|规格|款|型|(?:[lL]|ml|mL|ML|cm|mm|升|毫升)(?![A-Za-z]))")
_HARD = "\n\r;；。！!?？|"
_SOFT = ",，、/／"
_JOINTS = " \u3000\t:：=＝-—–~～*×✕.·…+＋"
_CLOSING = {"(": ")", "（": "）", "[": "]", "【": "】", "《": "》", "「": "」"}


@dataclass(frozen=True)
class Piece:
    """A part of the text. `kind`: item, aside (separators, headings). An item may want a name or a quantity.

    `milli` are thousandths of `unit` ('' where none was said); None where none, or no clear one, was said.
    """

    text: str
    kind: str
    word: str = ""
    milli: int | None = None
    unit: str = ""
    is_unclear: bool = False

    @property
    def readings(self) -> tuple[str, ...]:
        """What the word may mean: itself, else without 'I want' around it."""
        bare = FILLERS.sub("", self.word).strip()
        return tuple(dict.fromkeys(reading for reading in (self.word, bare) if reading))


def parse(text: str) -> list[Piece]:
    """The pieces of a text, whose texts joined are the text."""
    pieces: list[Piece] = []
    for line in re.split(r"(?<=\n)", text):
        pieces += _row(line) if "\t" in line.strip() else _sentence(line)
    return pieces


def items(pieces: Sequence[Piece]) -> list[Piece]:
    """What is asked for, or not understood; separators left out."""
    return [piece for piece in pieces if piece.kind == "item"]


# ---- spreadsheets ---------------------------------------------------------------------------------------------------


def _row(line: str) -> list[Piece]:
    """A line of cells: the first that is a name, the first number after it (else before it), and its unit."""
    body = line.rstrip("\r\n")
    cells = [_even(cell) for cell in body.split("\t")]
    rest = [Piece(line[len(body):], "aside")] if len(body) < len(line) else []
    filled = [cell for cell in cells if cell]
    if not filled or all(cell in HEADINGS for cell in filled):
        return [Piece(body, "aside"), *rest]
    named = next((at for at, cell in enumerate(cells) if _is_name(cell)), None)
    numbers = [at for at, cell in enumerate(cells) if _quantity(cell)]
    if named is None and len(numbers) > 1:
        named, numbers = numbers[0], numbers[1:]
    after = [at for at in numbers if named is not None and at > named] or [at for at in numbers if at != named]
    word = body.split("\t")[named].strip() if named is not None else ""
    if not after and named is not None and len(inside := items(_sentence(word))) == 1:
        return [replace(inside[0], text=body), *rest]  # 土豆50斤 in one cell
    if not after:
        return [Piece(body, "item", word), *rest]
    milli, unit = _quantity(cells[after[0]]) or (None, "")
    following = cells[after[0] + 1] if after[0] + 1 < len(cells) else ""
    return [Piece(body, "item", word, milli, unit or (following if following in UNITS else "")), *rest]


def _even(cell: str) -> str:
    return unicodedata.normalize("NFKC", cell).strip().casefold()


def _is_name(cell: str) -> bool:
    has_letters = any(c.isalpha() for c in cell) and cell not in UNITS
    return (has_letters or (cell.isdigit() and len(cell) > numerals.LONGEST)) and not _quantity(cell)


def _quantity(cell: str) -> tuple[int, str] | None:
    found = _NUMBER.fullmatch(cell)
    milli = numerals.thousandths(found[1] or found[3]) if found else None
    return (milli, _unit(found)) if found and milli is not None else None


def _unit(found: re.Match[str]) -> str:
    return (found[2] or found[4] or "").casefold()


# ---- sentences ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Token:
    """`kind`: name, amount, unclear, soft, hard, joint."""

    text: str
    kind: str
    milli: int | None = None
    unit: str = ""


def _sentence(line: str) -> list[Piece]:
    """Tokens put together: a name takes the amount after it; where a part begins with an amount, the one before it."""
    pieces: list[Piece] = []
    part: list[_Token] = []
    for token in _tokens(line):
        if token.kind == "hard":
            pieces += _part(part)
            pieces.append(Piece(token.text, "aside"))
            part = []
        else:
            part.append(token)
    return pieces + _part(part)


def _part(tokens: list[_Token]) -> list[Piece]:
    tokens = _with_first_name(tokens)
    solid = [token.kind for token in tokens if token.kind not in {"joint", "soft"}]
    amounts_first = bool(solid) and solid[0] == "amount" and solid[-1] == "name"
    pieces: list[Piece] = []
    for at, token in enumerate(tokens):
        if token.kind in {"soft", "joint"}:
            pieces.append(Piece(token.text, "aside"))
        elif amounts_first:
            _take_amount_first(pieces, token)
        elif _begins_anew(tokens, at):
            pieces.append(_alone(token))
        else:
            _take_name_first(pieces, token)
    return _shared(pieces)


def _begins_anew(tokens: list[_Token], at: int) -> bool:
    """白菜、50斤土豆: behind a comma, an amount with a name right after it is not that of the name before."""
    return (tokens[at].kind == "amount" and at > 0 and any(t.kind == "soft" for t in _between(tokens, at))
            and at + 1 < len(tokens) and tokens[at + 1].kind == "name")


def _between(tokens: list[_Token], at: int) -> list[_Token]:
    """The separators right before a token."""
    begun = at
    while begun and tokens[begun - 1].kind in {"soft", "joint"}:
        begun -= 1
    return tokens[begun:at]


def _with_first_name(tokens: list[_Token]) -> list[_Token]:
    """两头乌20斤: an amount in front of a name that has its own is a part of that name."""
    if len(tokens) > 2 and [t.kind for t in tokens[:3]] == ["amount", "name", "amount"] and tokens[0].text[0] \
            in numerals.CHINESE and len([t for t in tokens if t.kind == "amount"]) \
            > len([t for t in tokens if t.kind == "name"]):
        return [_Token(tokens[0].text + tokens[1].text, "name"), *tokens[2:]]
    return tokens


def _take_name_first(pieces: list[Piece], token: _Token) -> None:
    before = _last_item(pieces)
    last = pieces[before] if before is not None else None
    word = token.text.strip().casefold()
    if last and token.kind == "name" and word in UNITS and last.milli is not None and not last.unit:
        _join(pieces, before, token, unit=word)  # 土豆，50，斤
    elif last and last.word and last.milli is None and not last.is_unclear and token.kind == "amount":
        _join(pieces, before, token, milli=token.milli, unit=token.unit)
    elif last and last.word and last.milli is None and not last.is_unclear and token.kind == "unclear":
        _join(pieces, before, token, is_unclear=True)
    elif last and not last.word and (last.milli is not None or last.is_unclear) and token.kind == "name":
        _join(pieces, before, token, word=token.text.strip())
    else:
        pieces.append(_alone(token))


def _take_amount_first(pieces: list[Piece], token: _Token) -> None:
    before = _last_item(pieces)
    if token.kind == "name" and before is not None and not pieces[before].word and pieces[before].milli is not None:
        _join(pieces, before, token, word=token.text.strip())
    else:
        pieces.append(_alone(token))


def _alone(token: _Token) -> Piece:
    if token.kind == "name":
        return Piece(token.text, "item", token.text.strip())
    return Piece(token.text, "item", "", token.milli, token.unit, token.kind == "unclear")


def _join(pieces: list[Piece], at: int | None, token: _Token, **told: Any) -> None:
    """A token, and the separators before it, become a part of the last item."""
    text = "".join(piece.text for piece in pieces[at:]) + token.text
    pieces[at:] = [replace(pieces[at or 0], text=text, **told)]


def _last_item(pieces: list[Piece]) -> int | None:
    return next((at for at in range(len(pieces) - 1, -1, -1) if pieces[at].kind == "item"), None)


def _shared(pieces: list[Piece]) -> list[Piece]:
    """土豆、白菜各30斤: names without an amount take that of the next name that says 各."""
    shared: Piece | None = None
    for at in range(len(pieces) - 1, -1, -1):
        piece = pieces[at]
        if piece.kind != "item":
            continue
        bare = EACH.sub("", piece.word)
        if piece.milli is not None and bare and bare != piece.word:
            shared = pieces[at] = replace(piece, word=bare.strip())
        elif shared and piece.milli is None and not piece.is_unclear:
            pieces[at] = replace(piece, milli=shared.milli, unit=shared.unit)
        else:
            shared = None
    return pieces


def _tokens(line: str) -> Iterator[_Token]:
    at = begun = 0
    while at < len(line):
        token = _token_at(line, at, begun)
        if token is None:
            at = _over(line, at)
            continue
        if begun < at:
            yield _Token(line[begun:at], "name")
        yield token
        at = begun = at + len(token.text)
    if begun < at:
        yield _Token(line[begun:at], "name")


def _over(line: str, at: int) -> int:
    """Past a character of a name, or a whole number or bracket that belongs to it."""
    if line[at] in _CLOSING:
        end = line.find(_CLOSING[line[at]], at)
        if 0 < end - at <= 30 and "\n" not in line[at:end]:
            return end + 1
    amount = _UNCLEAR.match(line, at) or _NUMBER.match(line, at)
    belongs = _OF_A_NAME.match(line, amount.end()) if amount else None
    if belongs:
        return belongs.end()
    digits = re.compile(_DIGITS).match(line, at)
    return digits.end() if digits else at + 1


def _token_at(line: str, at: int, begun: int) -> _Token | None:
    """The token that begins here; None inside a name."""
    character = line[at]
    if character in _HARD:
        return _Token(character, "hard")
    if character in _SOFT:
        return _Token(character, "soft")
    if character in _JOINTS:
        return _joint(line, at, begun)
    if character in "xX" and begun < at and line[at - 1] not in _JOINTS and not line[at - 1].isascii() \
            and re.match(_DIGITS, line[at + 1:]):
        return _Token(character, "joint")
    return _amount(line, at, begun)


def _joint(line: str, at: int, begun: int) -> _Token | None:
    """Blanks and the like between a name and its amount; between two Latin words they are a part of the name."""
    end = at
    while end < len(line) and line[end] in _JOINTS:
        end += 1
    between_words = (begun < at and end < len(line) and line[at - 1].isascii() and line[end].isascii()
                     and line[end].isalpha() and (line[at - 1].isalpha() or line[at - 1] in "'&"))
    return None if between_words else _Token(line[at:end], "joint")


def _amount(line: str, at: int, begun: int) -> _Token | None:
    """A number with its unit; None where there is none, or it belongs to a name (A4, #12, 5斤装, 10斤/袋)."""
    after_letter = at - begun == 1 and (line[begun] == "#" or (line[begun].isascii() and line[begun].isalpha()))
    found = None if after_letter else _NUMBER.match(line, at)
    if found is None:
        return None
    unclear = found[1] and (_THOUSANDS.match(line, at) or _UNCLEAR.match(line, at))
    if _OF_A_NAME.match(line, (unclear or found).end()):
        return None
    if unclear:
        return _Token(_with_unit(line, unclear), "unclear")
    milli = numerals.thousandths(found[1] or found[3])
    if milli is not None:
        return _with_more(line, found, milli)
    return _Token(found[0], "unclear") if found[1] else None


def _with_unit(line: str, found: re.Match[str]) -> str:
    unit = re.compile(rf"[ ]?(?i:{_UNIT}){_FREE}").match(line, found.end())
    return found[0] + (unit[0] if unit else "")


def _with_more(line: str, found: re.Match[str], milli: int) -> _Token:
    """两斤半, 三斤二两: what follows an amount and belongs to it."""
    text, unit = found[0].rstrip(" \u3000"), _unit(found)
    more = _MORE.match(line, found.end()) if unit and len(text) == len(found[0]) else None
    if more and more[0] == "半":
        return _Token(text + more[0], "amount", milli + 500, unit)
    if more and unit in {"斤", "市斤"}:
        liang = numerals.thousandths(more[1])
        if liang is not None:
            return _Token(text + more[0], "amount", milli + liang // 10, unit)
    return _Token(text, "amount", milli, unit)
