"""Whatever a form or a program's body holds, no deed answers with a fault, and nobody's things are never found by it.

Each deed's fields are learned from the schema that reads them; right values are replaced by what nobody types.
"""

import json
import random
import re
from collections.abc import Mapping
from typing import Any

import pytest
from flask import Flask, request
from marshmallow import Schema, fields
from werkzeug.routing import Rule

from market import access, clock, schemas, web
from tests.web import test_access_matrix as matrix
from tests.web.test_access_matrix import NOBODYS, Caller, Things
from tests.web.test_access_matrix import noon as noon
from tests.web.test_access_matrix import sides as sides
from tests.web.test_hostile_input import JSON_VALUES, VALUES
from tests.world import PASSWORD, PEOPLE, World

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900),
              pytest.mark.parametrize("backend", ["sqlite"], indirect=True)]
ROUNDS = 6  # the first one learns
# what ends the things that the others need
ENDING = ("account.", "remove", "withdraw", "cancel", "call_off", "close", "refuse", "decline", "discard")


def test_no_form_ends_in_a_fault(app: Flask, world: World, sides: tuple[Things, Things],
                                 monkeypatch: pytest.MonkeyPatch) -> None:
    learned: dict[str, dict[str, Schema]] = {}
    load = web.load

    def learning(schema: Schema, source: Mapping[str, Any]) -> dict[str, Any]:
        learned.setdefault(request.endpoint or "", {})[type(schema).__name__] = schema
        return load(schema, source)

    monkeypatch.setattr(web, "load", learning)
    chance = random.Random(7)
    posts = [rule for rule, method in matrix.routes(app) if method == "POST"
             and not any(word in rule.endpoint for word in ENDING)]
    callers: dict[str, Caller] = {}
    faults = []
    for _round in range(ROUNDS):
        for rule in posts:
            login = chance.choice([one for one in PEOPLE if _may(app, world, rule, one)])
            caller = callers.setdefault(login, Caller(world, login, app))
            own, _foreign = matrix.own_and_foreign(login, sides)
            body = {name: value for schema in learned.get(rule.endpoint, {}).values()
                    for name, value in _right(schema, own, chance).items()}
            try:
                status = _send(caller, rule, own, _spoilt(rule, body, chance))
            except Exception as fault:  # noqa: BLE001 - what the app would have answered with 500
                faults.append(f"{rule.endpoint} {login} {body}: {fault!r}")
                continue
            if status >= 500:
                faults.append(f"{rule.endpoint} {login} {body}: {status}")
            if status in {302, 401}:
                callers.pop(login)
    assert "\n".join(faults) == ""


def _may(app: Flask, world: World, rule: Rule, login: str) -> bool:
    verb = app.view_functions[rule.endpoint].access
    return verb is None or access.can(world.person(login), verb)


def _right(schema: Schema, own: Things, chance: random.Random) -> dict[str, Any]:
    return {field.data_key or name: _value(field.data_key or name, field, own, chance)
            for name, field in schema.fields.items()}


def _value(name: str, field: fields.Field[Any], own: Things, chance: random.Random) -> Any:
    """Something that may stand in a field."""
    if isinstance(field, fields.List):
        return [_value(name, field.inner, own, chance) for _row in range(chance.choice((1, 2)))]
    if isinstance(field, fields.Nested):
        return _right(field.schema, own, chance)
    for rule in field.validators:
        if choices := getattr(rule, "choices", None):
            return str(chance.choice(list(choices)))
    known: dict[str, Any] = {"year": "2026", "mobile": f"139{chance.randrange(10 ** 8):08d}", "login": "",
                             "second_password": PASSWORD, **vars(own)}
    if name in known:
        return str(known[name])
    today = clock.today()
    kinds: tuple[tuple[type, Any], ...] = (
        (schemas.Day, chance.choice((today, clock.days_after(today, 1))).isoformat()), (schemas.Month, "2026-10"),
        (schemas.CreditCode, "91431121MA4L16JQ9B"), (schemas.EmailAddress, "a@example.cn"),
        (schemas.Secret, PASSWORD), (schemas.Number, chance.choice(("1", "2", "10"))))
    return next((value for kind, value in kinds if isinstance(field, kind)), "测试")


def _spoilt(rule: Rule, body: dict[str, Any], chance: random.Random) -> Any:
    """One field is somebody's whom there is not, or holds what nobody types; a form's rows are flat."""
    is_program = rule.rule.startswith("/api/")
    body = body if is_program else _flat(body)
    named = [name for name in body if name.endswith("_id")]
    if named and chance.random() < 0.4:
        body[chance.choice(named)] = NOBODYS if is_program else str(NOBODYS)
    elif body and chance.random() < 0.7:
        name = chance.choice(sorted(body))
        if not is_program and "-" in name and chance.random() < 0.2:
            body[name.partition("-")[0]] = "x"
        else:
            body[name] = chance.choice(JSON_VALUES if is_program else VALUES)
    return body


def _flat(body: Mapping[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in body.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            flat |= {f"{name}-{number}-{part}": held for number, row in enumerate(value) for part, held in row.items()}
        else:
            flat[name] = value
    return flat


def _send(caller: Caller, rule: Rule, own: Things, body: Any) -> int:
    values = {name: (matrix.PARAMETERS.get(f"{rule.endpoint}.{name}") or matrix.PARAMETERS[name])[0](own)
              for name in rule.arguments}
    path = re.sub(r"<(?:[^<>]*:)?(\w+)>", lambda found: str(values[found[1]]), rule.rule)
    if rule.rule.startswith("/api/"):
        return caller.program.post(path, data=json.dumps(body), content_type="application/json",
                                   headers=caller.headers).status_code
    return caller.client.post(path, data=body).status_code

