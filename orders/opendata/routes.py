"""Open data at the door: a page for people; a catalogue, files, schemas and a feed for machines. Nothing is personal:
no cookie is read or set, any cache may keep the answers, any site's script may ask for them.
"""

import hashlib
import json
import re
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, render_template, request, send_file

from market import downloads, limits, web
from market.access import public
from market.errors import N_, NotFound
from market.i18n import gettext as _
from market.web import MenuEntry, page_number, whole_argument
from orders.opendata import lists, publishing, rendering
from orders.opendata.publishing import ENDINGS
from orders.opendata.sets import SETS

bp = Blueprint("open_data", __name__, url_prefix="/open-data")

MENU = (MenuEntry("footer", N_("Open data"), "open_data.index", None, "download"),)
SECONDS, FEED_SECONDS = 600, 60
MACHINES = {f"open_data.{view}" for view in ("catalogue", "feed", "schema", "table_schema", "file")}
CONTENT_TYPES = {"csv": downloads.CONTENT_TYPES["csv"], "json": "application/json"}


@bp.get("")
@public
def index() -> str:
    return render_template("orders/opendata/index.html", sets=SETS, found=lists.months(page_number()),
                           licence=_(rendering.LICENCE), status_of=rendering.status_of)


@bp.get("/index.json")
@public
def catalogue() -> Response:
    """Every set with its newest months; names follow DCAT."""
    rows = lists.newest()
    return _json({
        "title": rendering.in_both(N_("Open data")), "license": rendering.in_both(rendering.LICENCE),
        "feed": "/open-data/feed.json",
        "dataset": [{
            "identifier": one.name, "title": rendering.in_both(one.title), "description": rendering.in_both(one.about),
            "accrualPeriodicity": "P1M", "conformsTo": f"/open-data/{one.name}/schema.json",
            "tableSchema": f"/open-data/{one.name}/table-schema.json",
            "distribution": [{
                "month": row.month, "version": row.version, "status": rendering.status_of(row.closing),
                "modified": row.published_at.isoformat(timespec="seconds"), "downloadURL": file["href"],
                "mediaType": f"text/{file['format']}" if file["format"] == "csv" else "application/json",
                "byteSize": file["bytes"], "checksum": {"algorithm": "sha256", "checksumValue": file["sha256"]},
            } for row in rows if row.data_set == one.name for file in lists.files_of(row)],
        } for one in SETS],
    }, FEED_SECONDS, max((row.published_at for row in rows), default=None))


@bp.get("/feed.json")
@public
def feed() -> Response:
    """What was published since a cursor, the newest first."""
    found = lists.feed(whole_argument("since") or 0, whole_argument("before"))
    newest = found["entries"][0]["updated_at"] if found["entries"] else None
    return _json(found, FEED_SECONDS, datetime.fromisoformat(newest) if newest else None)


@bp.get("/<set_name>/schema.json")
@public
def schema(set_name: str) -> Response:
    """JSON Schema of a set's JSON files."""
    return _json(rendering.json_schema(lists.known(set_name)), SECONDS, None)


@bp.get("/<set_name>/table-schema.json")
@public
def table_schema(set_name: str) -> Response:
    """Table Schema of a set's CSV files."""
    return _json(rendering.table_schema(lists.known(set_name)), SECONDS, None)


@bp.get("/<set_name>/<month>.<ending>")
@public
def file(set_name: str, month: str, ending: str) -> Response:
    """The newest version of a month. Raises NotFound for months not published."""
    if ending not in ENDINGS or not re.fullmatch("[0-9]{4}-[0-9]{2}", month, re.ASCII):
        raise NotFound()
    row = publishing.newest_of(lists.known(set_name).name, month)
    path = publishing.folder() / f"{getattr(row, f'{ending}_sha256', '')}.{ending}"
    if row is None or not path.is_file():
        raise NotFound()
    return send_file(path, mimetype=CONTENT_TYPES[ending], etag=getattr(row, f"{ending}_sha256"), max_age=SECONDS,
                     last_modified=row.published_at, download_name=f"{set_name}-{month}.{ending}")


def _json(content: Any, seconds: int, changed_at: datetime | None) -> Response:
    body = (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode()
    response = Response(body, mimetype="application/json")
    response.set_etag(hashlib.sha256(body).hexdigest())
    response.last_modified = changed_at
    response.cache_control.public = True
    response.cache_control.max_age = seconds
    response.make_conditional(request)
    return response


@bp.after_request
def _for_everybody(response: Response) -> Response:
    """Scripts of other sites may read these; who asks too often is told when to come again."""
    if request.endpoint in MACHINES:
        response.headers["Access-Control-Allow-Origin"] = "*"
        response.headers["Access-Control-Allow-Methods"] = "GET, HEAD, OPTIONS"
        response.headers["Access-Control-Allow-Headers"] = "If-None-Match, If-Modified-Since"
        response.headers["Access-Control-Expose-Headers"] = "ETag, Last-Modified, Retry-After"
    if response.status_code == 429:
        response.headers["Retry-After"] = str(limits.seconds_to_wait())
    if response.status_code >= 400:
        response.headers["Cache-Control"] = web.PRIVATE
    return response
