"""Tables sent as files, the same way from every page that offers them."""

from collections.abc import Mapping
from urllib.parse import quote

from flask import Response

from market import sheets

CONTENT_TYPES: Mapping[str, str] = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def table(content: sheets.Table, name: str, ending: str) -> Response:
    """A table as a file of this name; `ending` is one of CONTENT_TYPES."""
    return file(sheets.write_csv(content) if ending == "csv" else sheets.write_xlsx(content), name, ending)


def file(content: bytes, name: str, ending: str) -> Response:
    """Bytes of such a kind, to be kept under a name; one that is not ASCII is sent as RFC 6266 asks."""
    response = Response(content, content_type=CONTENT_TYPES[ending])
    plain = name if name.isascii() else "table"
    response.headers["Content-Disposition"] = (
        f'attachment; filename="{plain}.{ending}"'
        + ("" if name.isascii() else f"; filename*=UTF-8''{quote(name)}.{ending}"))
    return response
