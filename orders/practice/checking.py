"""Requests against the parameter types that ship inside the stripe package: unknown and ill-typed ones are refused."""

import re
import sys
from collections.abc import Iterable
from functools import cache
from types import SimpleNamespace, UnionType
from typing import Any, Literal, NotRequired, Required, Union, get_args, get_origin, get_type_hints

from stripe import RequestOptions
from stripe._stripe_object import UntypedStripeObject

from orders.practice.refusing import Refused, invalid

RETIRED = {"payment_method_types": "payment_method_types_no_longer_supported"}  # since 2026-09-30
DEEPEST = 8


def checked(form: Iterable[tuple[str, str]], types: Any) -> dict[str, Any]:
    """The parameters of a form (`a[b][0]=c`) as the types have them. Refuses unknown, ill-typed and missing ones."""
    return _of_dict(_nested(form), types, "")


def _nested(form: Iterable[tuple[str, str]]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for name, value in form:
        parts = re.findall(r"[^\[\]]+", name)
        if not parts or len(parts) > DEEPEST:
            raise invalid(f"Invalid parameter: {name}", "parameter_unknown", name)
        place = tree
        for part in parts[:-1]:
            place = place.setdefault(part, {})
            if not isinstance(place, dict):
                raise invalid(f"Invalid parameter: {name}", "parameter_invalid_string_empty", name)
        last = parts[-1] if not name.endswith("[]") else str(len(place))
        place[last] = value
    return tree


@cache
def _fields(types: Any) -> dict[str, Any]:
    """The parameters of a TypedDict, without those that are no parameters but options of a call."""
    own = {name: kind for name, kind in types.__annotations__.items() if name not in RequestOptions.__annotations__}
    return get_type_hints(SimpleNamespace(__annotations__=own), vars(sys.modules[types.__module__]),
                          include_extras=True)


def _of_dict(given: Any, types: Any, where: str) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise invalid(f"Invalid object: {where}", "parameter_invalid_object", where)
    fields, made = _fields(types), dict[str, Any]()
    for name, value in given.items():
        path = f"{where}[{name}]" if where else name
        if name not in fields:
            code = RETIRED.get(name, "parameter_unknown")
            raise invalid(f"Received unknown parameter: {path}", code, path)
        made[name] = _of(value, fields[name], path)
    for name, kind in fields.items():
        if get_origin(kind) is not NotRequired and name not in given:
            path = f"{where}[{name}]" if where else name
            raise invalid(f"Missing required param: {path}.", "parameter_missing", path)
    return made


def _of(value: Any, kind: Any, where: str) -> Any:
    """A value as one of the kinds that are allowed."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (NotRequired, Required):
        return _of(value, inner[0], where)
    if origin in (Union, UnionType):
        return _of_one(value, inner, where)
    if isinstance(value, dict):
        return _of_nested(value, kind, where)
    if origin is Literal and value in inner:
        return value
    if isinstance(value, str) and kind in _SCALARS and re.fullmatch(_SCALARS[kind][0], value, re.DOTALL):
        return _SCALARS[kind][1](value)
    raise invalid(f"Invalid value for {where}", "parameter_invalid", where)


def _of_nested(value: dict[str, Any], kind: Any, where: str) -> Any:
    origin, inner = get_origin(kind), get_args(kind)
    if origin is list and all(name.isdigit() for name in value):
        return [_of(value[name], inner[0], f"{where}[{name}]") for name in sorted(value, key=int)]
    if origin is dict:
        return {name: _of(one, inner[1], f"{where}[{name}]") for name, one in value.items()}
    if hasattr(kind, "__required_keys__"):  # a TypedDict of typing_extensions is none for typing
        return _of_dict(value, kind, where)
    raise invalid(f"Invalid value for {where}", "parameter_invalid", where)


_SCALARS: dict[Any, tuple[str, Any]] = {
    int: (r"-?\d{1,18}", int), float: (r"-?\d+(\.\d+)?", float), bool: ("true|false", lambda text: text == "true"),
    str: (".*", str)}


def _of_one(value: Any, kinds: tuple[Any, ...], where: str) -> Any:
    """Texts last: a number written in digits is meant as a number where one is allowed."""
    wrong: Refused | None = None
    for kind in sorted((k for k in kinds if get_origin(k) is not UntypedStripeObject), key=lambda k: k is str):
        try:
            return _of(value, kind, where)
        except Refused as refusal:
            wrong = wrong or refusal
    raise wrong or invalid(f"Invalid value for {where}", "parameter_invalid", where)
