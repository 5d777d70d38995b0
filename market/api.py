"""The JSON API's frame: one error shape, Bearer tokens only, integers, pages by cursor, described in OpenAPI.

A room brings a blueprint made by `blueprint()`; wsgi.py registers it through `Frame`. A view stands under
`@bp.get(...)` or `@bp.post(...)`, then `@requires` or `@public`, `@bp.arguments(Schema)` (for a query with
`location="query"`), `@bp.response(status, Schema)`; a POST also `@repeatable(bp)`, does its work in `web.once()` and
answers with `created()`.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from flask import Flask, Response, abort, jsonify, request
from flask_login import current_user
from flask_smorest import Api, Blueprint
from marshmallow import Schema, fields
from webargs.flaskparser import FlaskParser

from market import web
from market.access import public
from market.errors import N_, MarketError
from market.schemas import Fen, Grams, Input, Milli, Whole

View = TypeVar("View", bound=Callable[..., Any])

PREFIX = "/api/v1"
MOST = 200  # rows of one page
_KEY = re.compile(r"[\x21-\x7e]{1,80}")

DESCRIPTION = """Trade on Sijin by program: the same verbs, checks and four eyes as the pages.

**Who calls**: a Bearer token of one person acting for one organisation. Cookies never count here.
**Numbers** are integers: amounts in fen (`_fen`), quantities in thousandths of the sales unit (`_milli`), weights in
grams (`_grams`). A text or a fraction is refused.
**Sent twice**: give every POST an `Idempotency-Key` of 1 to 80 printable characters. The same key of the same person
for the same organisation with the same content gets the first answer again, with `Idempotent-Replay: true`; with other
content it is refused (409 `token_reused`). A refused request keeps no key. Without a key the command just runs.
**Refusals** have one shape: `{"error": {"code", "message", "fields"}}`; `fields` holds messages by input field.
Messages are Chinese, or English with `?lang=en`. What belongs to somebody else answers 404, like what does not exist.
**Lists** come newest first, `limit` rows (1 to 200, default 50) with a `next_cursor` for the following page or null.
"""


class BadKey(MarketError):
    """A key that cannot be kept as it is."""

    code = "idempotency_key"
    text = N_("An Idempotency-Key has 1 to 80 printable ASCII characters.")


class ErrorBody(Schema):
    code = fields.String(required=True, metadata={"description": "a word for programs, such as out_of_stock"})
    message = fields.String(required=True, metadata={"description": "a sentence for people"})
    fields_ = fields.Dict(keys=fields.String(), values=fields.List(fields.String()), required=True, data_key="fields")


class ErrorSchema(Schema):
    """The one shape of every refusal."""

    error = fields.Nested(ErrorBody, required=True)


class Frame(Api):  # type: ignore[misc]
    """flask-smorest with our refusals instead of its own, and a public description."""

    ERROR_SCHEMA = ErrorSchema

    def _register_error_handlers(self) -> None:
        """The web frame answers errors, in the same shape everywhere."""

    @public
    def _openapi_json(self) -> Response:
        return super()._openapi_json()  # type: ignore[no-any-return]


class _Parser(FlaskParser):
    """Input goes the way of the forms: the same schemas, the same messages."""

    def parse(self, argmap: Any, req: Any = None, *, location: str | None = None, **_: Any) -> Any:
        schema = argmap() if isinstance(argmap, type) else argmap
        if location == "query":
            return web.load(schema, request.args.to_dict())
        if not request.is_json and request.get_data(cache=True):
            abort(415)
        return web.parse(schema) if request.is_json else web.load(schema, {})


class _Blueprint(Blueprint):  # type: ignore[misc]
    ARGUMENTS_PARSER = _Parser()


class PageSchema(Input):
    """Which page of a list."""

    cursor = Whole(load_default=None)
    limit = Whole(high=MOST, load_default=50)


def blueprint(name: str, import_name: str, description: str) -> Any:
    """A room's part of the API. CSRF does not apply: only a Bearer token opens it, which no browser sends by itself."""
    made = _Blueprint(name, import_name, url_prefix=PREFIX, description=description)
    web.csrf.exempt(made)
    made.before_request(_check_key)
    made.after_request(_challenge)
    return made


def init_app(app: Flask, blueprints: Sequence[Any]) -> None:
    """Register the API's blueprints and its description under /api/v1/openapi.json."""
    app.config.update(OPENAPI_URL_PREFIX=PREFIX, OPENAPI_JSON_PATH="openapi.json")
    frame = Frame(app, spec_kwargs={
        "title": "四进 Sijin", "version": "v1", "openapi_version": "3.0.3", "info": {"description": DESCRIPTION},
        "security": [{"bearer": []}],
        "components": {"securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}},
    })
    for kind in (Fen, Milli, Grams, Whole):
        frame.register_field(kind, "integer", "int64")
    for one in blueprints:
        frame.register_blueprint(one)


def _check_key() -> None:
    key = request.headers.get("Idempotency-Key")
    if request.method == "POST" and key is not None and _KEY.fullmatch(key) is None:
        raise BadKey()


def _challenge(response: Response) -> Response:
    if response.status_code == 401 and not current_user.is_authenticated:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def repeatable(bp: Any) -> Callable[[View], View]:
    """Says in the description that a POST honours an Idempotency-Key."""
    described: Callable[[View], View] = bp.doc(parameters=[{
        "in": "header", "name": "Idempotency-Key", "required": False,
        "schema": {"type": "string", "minLength": 1, "maxLength": 80},
        "description": "the same key with the same content gets the first answer again"}])
    return described


def created(schema: type[Schema], thing: Any) -> Response:
    """The answer to a POST: what it made."""
    answer: Response = jsonify(schema().dump(thing))
    answer.status_code = 201
    return answer


def page(rows: Sequence[Any], limit: int) -> dict[str, Any]:
    """Rows read with one more than `limit`, as a page: the items, and where the next page begins."""
    return {"items": rows[:limit], "next_cursor": rows[limit - 1].id if len(rows) > limit else None}


def page_of(schema: type[Schema]) -> type[Schema]:
    """The shape of a list of such things."""
    return Schema.from_dict({
        "items": fields.List(fields.Nested(schema), required=True),
        "next_cursor": fields.Integer(required=True, allow_none=True),
    }, name=schema.__name__.removesuffix("Schema") + "PageSchema")
