"""A unit's people for programs: the same verbs as the pages."""

from collections.abc import Mapping
from typing import Any

from flask import Response
from flask_login import current_user
from marshmallow import Schema, fields

from market import api
from market.access import requires
from market.web import once
from orders.units import desk, people
from orders.units.routes import person_of
from orders.units.schemas import ApiPersonSchema, EndingSchema

bp = api.blueprint("unit_api", __name__, "People of a buying unit")

USER = "<int(max=999999999999):user_id>"


class ShownPersonSchema(Schema):
    id = fields.Integer(required=True)
    name = fields.String(required=True)
    login = fields.String(required=True)
    roles = fields.List(fields.String(), required=True)


class PeopleSchema(Schema):
    items = fields.List(fields.Nested(ShownPersonSchema), required=True)


class EndedSchema(Schema):
    roles = fields.List(fields.String(), required=True)


def _shown(user_id: int) -> dict[str, Any]:
    one, around = desk.person(user_id, current_user)
    return {"id": one.id, "name": one.name, "login": one.login, "roles": sorted(around.roles[user_id])}


@bp.get("/unit/people")
@requires("unit.manage")
@bp.response(200, PeopleSchema)
def index() -> dict[str, Any]:
    """Whoever acts for the unit, at most 50."""
    found = desk.people(current_user.organisation_id, 1)
    return {"items": [{"id": row.id, "name": row.name, "login": row.login, "roles": sorted(found.roles[row.id])}
                      for row in found.page.rows]}


@bp.post("/unit/people")
@requires("unit.manage")
@bp.arguments(ApiPersonSchema)
@bp.response(201, ShownPersonSchema)
@api.repeatable(bp)
def add(values: Mapping[str, Any]) -> Response:
    """Let a person act for the unit."""
    def work() -> Response:
        user_id = people.add(person_of(dict(values)), values["roles"], current_user)
        return api.created(ShownPersonSchema, _shown(user_id))

    return once(work)


@bp.post(f"/unit/people/{USER}/ending")
@requires("unit.manage")
@bp.arguments(EndingSchema)
@bp.response(201, EndedSchema)
@api.repeatable(bp)
def end(values: Mapping[str, Any], user_id: int) -> Response:
    """A person does not act for the unit any more; nobody is deleted."""
    desk.person(user_id, current_user)

    def work() -> Response:
        return api.created(EndedSchema, {"roles": sorted(people.end(user_id, values["reason"], current_user))})

    return once(work)
