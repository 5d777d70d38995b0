"""Field types for input: one marshmallow schema serves a form, a JSON body and a spreadsheet row alike.

JSON carries integers (fen, milli, grams); a form or a sheet carries what a person types. Only plain ASCII digits are
numbers; everything else gets a message at its field.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate
from stdnum.cn import uscc

from market import money
from market.errors import N_

_CREDIT_CODE = re.compile(r"[0-9A-HJ-NPQRTUWXY]{18}", re.ASCII)
_EMAIL = re.compile(
    r"[A-Za-z0-9_+%-]+(?:\.[A-Za-z0-9_+%-]+){0,9}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.){1,9}[A-Za-z]{2,24}",
    re.ASCII)
_WHOLE = re.compile(r"0|[1-9][0-9]{0,11}", re.ASCII)

_CHINESE_MARKS = "，；：！？（）"

REQUIRED = N_("Please fill this in.")
_typed = ContextVar("numbers_are_typed", default=True)


@contextmanager
def json_numbers() -> Iterator[None]:
    """Inside, numbers are integers as JSON carries them: the text "12.50" is refused, so no yuan pass for fen."""
    token = _typed.set(False)
    try:
        yield
    finally:
        _typed.reset(token)


class Input(Schema):
    """The base of every input: unknown fields (tokens, buttons) are left aside, messages are in plain words."""

    class Meta:
        unknown = EXCLUDE

    def on_bind_field(self, field_name: str, field_obj: fields.Field[Any]) -> None:
        field_obj.error_messages.update({
            "required": REQUIRED, "null": REQUIRED,
            "invalid": field_obj.error_messages.get("plain", N_("This is not understood.")),
            "type": N_("This is not understood."),
        })


class Number(fields.Field[int]):
    """An integer from JSON, or digits with a few decimals from a form."""

    low, high = 0, 0
    from_text: Callable[[str], int]
    refusal = ""

    def __init__(self, *, low: int | None = None, high: int | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.low = self.low if low is None else low
        self.high = self.high if high is None else high

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **_: Any) -> int:
        number = self._read(value)
        if not self.low <= number <= self.high:
            raise ValidationError(N_("This number is outside what is possible here."))
        return number

    def _read(self, value: Any) -> int:
        if type(value) is int:
            return value
        if not _typed.get():
            raise ValidationError(N_("A whole number in JSON, not a text or a fraction."))
        if isinstance(value, str) and value.strip():
            try:
                return type(self).from_text(value.strip(" "))
            except ValueError:
                raise ValidationError(self.refusal) from None
        raise ValidationError(REQUIRED if value in ("", None) else self.refusal)


def _whole(text: str) -> int:
    if _WHOLE.fullmatch(text) is None:
        raise ValueError("plain digits")
    return int(text)


class Fen(Number):
    """An amount: JSON integer fen; typed yuan with at most two decimals. ¥0.01 to ¥100 million unless narrowed."""

    low, high = 1, money.MAX_FEN
    from_text = staticmethod(money.parse_fen)
    refusal = N_("An amount in yuan, plain digits with at most two decimals, such as 12.50.")


class Milli(Number):
    """A quantity: JSON integer thousandths; typed with at most three decimals. 0.001 to ten million units."""

    low, high = 1, money.MAX_MILLI
    from_text = staticmethod(money.parse_milli)
    refusal = N_("A quantity, plain digits with at most three decimals, such as 2.5.")


class Grams(Number):
    """A weight: JSON integer grams; typed kilograms with at most three decimals. 1 g to 10,000 t."""

    low, high = 1, money.MAX_GRAMS
    from_text = staticmethod(money.parse_milli)
    refusal = N_("A weight in kilograms, plain digits with at most three decimals, such as 12.5.")


class Whole(Number):
    """A whole number or an id, 1 to 999,999,999,999 unless narrowed."""

    low, high = 1, 999_999_999_999
    from_text = staticmethod(_whole)
    refusal = N_("A whole number, plain digits.")


class LeftEmpty(fields.Field[Any]):
    """What a form may leave empty; then it is None. Stands before the kind of field: class MaybeFen(LeftEmpty, Fen)."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **options: Any) -> Any:
        return None if value in ("", None) else super()._deserialize(value, attr, data, **options)


class Words(fields.Field[str]):
    """Text as people write it: NFKC, no control or direction marks, rare characters kept whole."""

    def __init__(self, *, longest: int = 200, lines: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self.longest, self.lines = longest, lines

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **_: Any) -> str:
        if not isinstance(value, str):
            raise ValidationError(N_("This is not understood."))
        check_encodable(value)
        normal = as_written(value.replace("\r\n", "\n")).strip()
        allowed = "\n" if self.lines else ""
        if any(unicodedata.category(c) in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"} and c not in allowed for c in normal):
            raise ValidationError(N_("This holds invisible characters; please type it again."))
        if len(normal) > self.longest:
            raise ValidationError(N_("This is too long."))
        if self.required and not normal:
            raise ValidationError(REQUIRED)
        return normal


def as_written(text: str) -> str:
    """NFKC, but for the marks that Chinese sentences are written with.

    >>> as_written("Ａ村（旧），三十亩")
    'A村（旧），三十亩'
    """
    return "".join(part if part in _CHINESE_MARKS else unicodedata.normalize("NFKC", part)
                   for part in re.split(f"([{_CHINESE_MARKS}])", text))


class Secret(fields.Field[str]):
    """A password or PIN as typed, at most 200 characters: nothing is trimmed or made even."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **_: Any) -> str:
        if not isinstance(value, str):
            raise ValidationError(N_("This is not understood."))
        if len(value) > 200:
            raise ValidationError(N_("This is too long."))
        check_encodable(value)
        return value


def check_encodable(text: str) -> None:
    """Raises ValidationError for half a character: JSON can carry one (\\ud800), UTF-8 cannot."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise ValidationError(N_("This holds characters that cannot be stored.")) from None


class Choice(fields.String):
    """One of a few words."""

    def __init__(self, choices: Any, **options: Any) -> None:
        super().__init__(validate=validate.OneOf(list(choices), error=N_("Please choose one of the list.")), **options)


class Day(fields.Field[date]):
    """A day as 2026-11-23, between 2015 and 2099."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **_: Any) -> date:
        if isinstance(value, str) and re.fullmatch(r"20[0-9]{2}-[0-9]{2}-[0-9]{2}", value, re.ASCII):
            try:
                day = date.fromisoformat(value)
            except ValueError:
                pass
            else:
                if day.year >= 2015:
                    return day
        raise ValidationError(REQUIRED if value in ("", None) else N_("A day such as 2026-11-23."))


class Month(fields.Field[str]):
    """A month as 2026-10, between 2015 and 2099."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **_: Any) -> str:
        if isinstance(value, str) and re.fullmatch(r"20(1[5-9]|[2-9][0-9])-(0[1-9]|1[0-2])", value, re.ASCII):
            return value
        raise ValidationError(REQUIRED if value in ("", None) else N_("A month such as 2026-10."))


class Mobile(Words):
    """A mobile number of eleven digits."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **options: Any) -> str:
        text = super()._deserialize(value, attr, data, **options)
        if text and re.fullmatch(r"1[3-9][0-9]{9}", text, re.ASCII) is None:
            raise ValidationError(N_("A mobile number has eleven digits and begins with 1."))
        return text


class EmailAddress(Words):
    """One plain address, at most 254 characters; nothing that could end a header or name a second person."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **options: Any) -> str:
        text = super()._deserialize(value, attr, data, **options)
        if text and (len(text) > 254 or _EMAIL.fullmatch(text) is None):
            raise ValidationError(N_("An e-mail address such as wang@example.cn."))
        return text


class CreditCode(Words):
    """统一社会信用代码, 18 characters with a check digit, codes of village collectives (N2…) among them (GB 32100)."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **options: Any) -> str:
        text = super()._deserialize(value, attr, data, **options).upper()
        if _CREDIT_CODE.fullmatch(text) is None or uscc.calc_check_digit(text[:-1]) != text[-1]:
            raise ValidationError(N_("This credit code is not right: please compare all 18 characters."))
        return text
