"""Uploads, read through the app: public pictures by anybody, papers by whoever may know of them."""

import re
from pathlib import Path

from flask import Blueprint, Response, current_app, send_file
from flask_login import current_user
from sqlalchemy import select

from market import access, db, places
from market.access import public
from market.errors import NotFound
from market.files import StoredFile
from market.parties import Organisation
from market.places import Division

bp = Blueprint("files", __name__)

NAME = re.compile(r"[0-9a-f]{32}\.(webp|pdf)")
A_YEAR = 31_536_000


@bp.get("/files/<name>")
@public
def show(name: str) -> Response:
    """A stored file under its random name. A file that is not this visitor's to see answers like an unknown one."""
    return send(_visible(name))


def send(stored: StoredFile) -> Response:
    """The answer that carries a file; the caller has checked who may read it."""
    folder: Path = current_app.extensions["sijin"].files_dir
    path = folder / stored.name
    if not path.is_file():
        raise NotFound()
    response = send_file(path, mimetype=stored.content_type, etag=stored.sha256, conditional=True,
                         as_attachment=stored.content_type == "application/pdf",
                         download_name=stored.original_name or stored.name)
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.headers["Cache-Control"] = _caching(stored)
    return response


def _visible(name: str) -> StoredFile:
    if not NAME.fullmatch(name):
        raise NotFound()
    stored = db.session().scalar(select(StoredFile).where(StoredFile.name == name))
    if stored is None or not _may_see(stored):
        raise NotFound()
    return stored


def _may_see(stored: StoredFile) -> bool:
    """Public, of the visitor's own organisation, or read by officials and auditors of the place the owner lies in."""
    if stored.visibility == "public":
        return True
    if stored.organisation_id is None:
        return False
    own = stored.organisation_id == current_user.organisation_id
    return own or (access.can(current_user, "report.read") and _lies_in_area(stored.organisation_id))


def _lies_in_area(organisation_id: int) -> bool:
    return db.session().scalar(
        select(Organisation.id).join(Division, Division.id == Organisation.division_id)
        .where(Organisation.id == organisation_id, places.lies_in(current_user.division_id))) is not None


def _caching(stored: StoredFile) -> str:
    """A name is random and its bytes never change, so a public picture may be kept for good."""
    return f"public, max-age={A_YEAR}, immutable" if stored.visibility == "public" else "private, no-store"
