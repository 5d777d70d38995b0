"""Evidence for officials and auditors: a village's year as one file, and samples that the system draws."""

from collections.abc import Callable

from flask import Blueprint, Response, flash, render_template, send_file
from flask_login import current_user

from market import clock, db
from market.access import requires
from market.errors import N_, InvalidInput, MarketError
from market.i18n import gettext as _
from market.long_work import RUNNING
from market.web import MenuEntry, once, page_number, parse, see_other, shows_again
from orders.evidence import asking, drawing, jobs, lists, making
from orders.evidence.drawing import MOST
from orders.evidence.schemas import PackageSchema, SamplePackageSchema, SampleSchema
from orders.reports.readers import find_place, reader_of

bp = Blueprint("evidence", __name__, url_prefix="/office")

MENU = (MenuEntry("office", N_("Evidence packages"), "evidence.index", "evidence.read", "shield", group="look"),)
PACKAGE = "<int(max=999999999999):package_id>"
DRAW = "<int(max=999999999999):draw_id>"


@bp.get("/evidence")
@requires("evidence.read")
def index() -> str:
    reader = reader_of(current_user, "evidence.read")
    return render_template(
        "orders/evidence/index.html", found=lists.packages(current_user, page_number()), year=clock.today().year,
        villages=lists.villages(reader), names=asking.may_see_names(current_user))


@bp.post("/evidence")
@requires("evidence.read")
@shows_again(index)
def ask() -> Response:
    """Ask for a village's year; what runs already is shown."""
    values = parse(PackageSchema)

    def work() -> Response:
        try:
            place = find_place(reader_of(current_user, "evidence.read"), values["village"], "village")
        except MarketError as refusal:
            raise InvalidInput({"village": [refusal]}) from refusal
        return _asked(asking.ask_for_village(place, values["year"], values["with_names"], current_user))

    return once(work)


@bp.get(f"/evidence/{PACKAGE}")
@requires("evidence.read")
def show(package_id: int) -> Response:
    """How far it is; the page comes again by itself until the file is there."""
    row = asking.package(package_id, current_user)
    response = Response(render_template("orders/evidence/show.html", package=row, running=row.state in RUNNING))
    if row.state in RUNNING:
        response.headers["Refresh"] = "3"
    return response


@bp.post(f"/evidence/{PACKAGE}/file")
@requires("evidence.read")
def fetch(package_id: int) -> Response:
    """The file for its owner; that they took it is written down, as a full view where it shows names."""
    with db.transaction():
        row = asking.fetch(package_id, current_user)
        name, made_on = row.file_name or "", clock.business_date(row.finished_at or clock.now())
        subject = f"sample-{row.draw_id}" if row.draw_id else f"village-{row.village_id}"
    path = jobs.folder() / name
    response = send_file(path, mimetype="application/zip", as_attachment=True,
                         download_name=f"evidence-{subject}-{row.year}-{made_on.isoformat()}.zip")
    response.headers["Cache-Control"] = "private, no-store"
    return response


@bp.get("/evidence/verify.py")
@requires("evidence.read")
def verifier() -> Response:
    """The verifier itself, so that a package need not be trusted to bring an honest one."""
    return Response(making.VERIFIER.read_text(encoding="utf-8"), mimetype="text/x-python",
                    headers={"Content-Disposition": 'attachment; filename="verify.py"'})


# ---- samples --------------------------------------------------------------------------------------------------------


@bp.get("/samples")
@requires("evidence.draw")
def samples() -> str:
    reader = reader_of(current_user, "evidence.draw")
    return render_template(
        "orders/evidence/samples.html", found=lists.draws(current_user, page_number()), year=clock.today().year,
        areas=lists.areas(reader), most=MOST, all_offices=lists.reads_all(current_user))


@bp.post("/samples")
@requires("evidence.draw")
@shows_again(samples)
def draw() -> Response:
    """The system draws; there is no other way to a sample, and no way to take a draw back."""
    values = parse(SampleSchema)

    def work() -> Response:
        reader = reader_of(current_user, "evidence.draw")
        where, area = lists.asked_area(reader, values.get("area", ""), values.get("villages", ""))
        row = drawing.draw(values["year"], where, area, values["wanted"], current_user)
        return see_other("evidence.sample", draw_id=row.id)

    return once(work)


@bp.get(f"/samples/{DRAW}")
@requires("evidence.draw")
def sample(draw_id: int) -> str:
    row = lists.draw(draw_id, current_user)
    return render_template("orders/evidence/sample.html", draw=row, drawer=lists.drawer_of(row),
                           names=asking.may_see_names(current_user))


@bp.post(f"/samples/{DRAW}/package")
@requires("evidence.draw")
def ask_for_sample(draw_id: int) -> Response:
    """Ask for the package of just these orders."""
    values = parse(SamplePackageSchema)
    return once(_asking(lambda: asking.ask_for_draw(
        lists.draw(draw_id, current_user), values["with_names"], current_user)))


def _asking(ask_: Callable[[], int]) -> Callable[[], Response]:
    return lambda: _asked(ask_())


def _asked(package_id: int) -> Response:
    flash(_("The package is being put together."), "info")
    return see_other("evidence.show", package_id=package_id)
