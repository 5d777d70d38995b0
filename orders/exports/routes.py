"""Files of reports, made in the background: ask, wait, fetch. A tab that is closed in between loses nothing."""

from flask import Blueprint, Response, flash, render_template, request, send_file
from flask_login import current_user

from market import db, downloads, i18n
from market.access import requires
from market.errors import N_
from market.i18n import gettext as _
from market.long_work import RUNNING
from market.web import MenuEntry, once, page_number, parse, see_other, shows_again
from orders.exports import asking, jobs, lists
from orders.exports.schemas import FileSchema
from orders.reports.readers import reader_of
from orders.reports.routes import asked_for

bp = Blueprint("exports", __name__)

MENU = (MenuEntry("account", N_("My files"), "exports.index", "report.file", "download"),)
FILE = "<int(max=999999999999):export_id>"


@bp.get("/my-files")
@requires("report.file")
def index() -> str:
    return render_template("orders/exports/index.html", found=lists.files(current_user, page_number()),
                           most=asking.MOST_WAITING)


def _index_again(name: str) -> str:
    return index()


@bp.post("/reports/<name>/file")
@requires("report.file")
@shows_again(_index_again)
def ask(name: str) -> Response:
    """Ask for the report as its page's address asks it; what runs already is shown."""
    asking.report_of(name, "", current_user)  # before anything is said about the question
    values = parse(FileSchema)

    def work() -> Response:
        number = asking.ask(name, request.args.get("figure", ""), asked_for(reader_of(current_user)), values["kind"],
                            i18n.locale(), current_user)
        flash(_("The file is being made. You may close this page."), "info")
        return see_other("exports.show", export_id=number)

    return once(work)


@bp.get(f"/my-files/{FILE}")
@requires("report.file")
def show(export_id: int) -> Response:
    """How far it is; the page comes again by itself until the file is there."""
    row = asking.own(export_id, current_user)
    response = Response(render_template("orders/exports/show.html", file=row, running=row.state in RUNNING))
    if row.state in RUNNING:
        response.headers["Refresh"] = "3"
    return response


@bp.post(f"/my-files/{FILE}/cancel")
@requires("report.file")
def cancel(export_id: int) -> Response:
    """Not wanted any more."""

    def work() -> Response:
        asking.cancel(export_id, current_user)
        return see_other("exports.show", export_id=export_id)

    return once(work)


@bp.post(f"/my-files/{FILE}/file")
@requires("report.file")
def fetch(export_id: int) -> Response:
    """The file for its owner; that they took it is written down."""
    with db.transaction():
        row = asking.fetch(export_id, current_user)
        path, name, kind = jobs.folder() / (row.file_name or ""), row.name or "", row.kind
    response = send_file(path, mimetype=downloads.CONTENT_TYPES[kind], as_attachment=True, download_name=name)
    response.headers["Cache-Control"] = "private, no-store"
    return response
