"""The inspection book at the unit's desk: reading, files and paper for the inspector, goods bought elsewhere."""

from datetime import date
from typing import Any

from flask import Blueprint, Response, flash, render_template, request
from flask_login import current_user
from marshmallow import ValidationError

from market import clock, downloads, file_routes, uploads, words
from market.access import requires
from market.errors import N_
from market.i18n import gettext as _
from market.i18n import ngettext
from market.login_routes import address
from market.schemas import Day
from market.web import MenuEntry, once, page_number, parse, see_other, shows_again
from orders.delivering import exceptions, lists, receiving
from orders.inspection import book, recording
from orders.inspection.book import Wanted
from orders.inspection.retention import RULES
from orders.inspection.schemas import BoughtSchema

bp = Blueprint("inspection", __name__, url_prefix="/inspection")

MENU = (MenuEntry("unit", N_("Inspection book"), "inspection.index", "inspection.read", "list", group="look"),)
LONGEST_QUERY = 40


def _wanted() -> Wanted:
    first, last = book.usual()
    first, last = _day("from") or first, _day("to") or last
    source = request.args.get("source", "")
    return Wanted(min(first, last), max(first, last), _text("product"), _text("supplier"),
                  source if source in book.SOURCES else "")


def _text(name: str) -> str:
    return request.args.get(name, "").strip()[:LONGEST_QUERY]


def _day(name: str) -> date | None:
    try:
        found: Any = Day().deserialize(request.args.get(name, ""))
    except ValidationError:
        return None
    return found if isinstance(found, date) else None


def _asked(wanted: Wanted) -> dict[str, str]:
    """The same selection as an address asks for it."""
    asked = {"from": wanted.first.isoformat(), "to": wanted.last.isoformat(), "product": wanted.product,
             "supplier": wanted.supplier, "source": wanted.source}
    return {name: text for name, text in asked.items() if text}


@bp.get("")
@requires("inspection.read")
def index() -> str:
    wanted = _wanted()
    return render_template(
        "orders/inspection/index.html", wanted=wanted, asked=_asked(wanted), sources=book.SOURCES, rules=RULES,
        found=book.rows(current_user, wanted, page_number()), over=book.over(current_user), words=words,
        reason_of=book.reason_of, degrees=exceptions.degrees)


@bp.get("/book.<any(csv, xlsx):ending>")
@requires("inspection.read")
def download(ending: str) -> Response:
    """Report 13 as a file."""
    wanted = _wanted()
    return downloads.table(book.as_table(book.every(current_user, wanted), wanted),
                           f"inspection-{wanted.first}-{wanted.last}", ending)


@bp.get("/print")
@requires("inspection.read")
def paper() -> str:
    """The same rows on paper, for the inspector who stands at the door."""
    wanted = _wanted()
    found = book.every(current_user, wanted)
    return render_template("orders/inspection/print.html", wanted=wanted, rules=RULES, headings=book.HEADINGS,
                           rows=[book.cells(row) for row in found])


@bp.get("/<int(max=999999999999):record_id>/voucher")
@requires("inspection.read")
def voucher(record_id: int) -> Response:
    return file_routes.send(book.voucher(record_id, current_user))


def new_page() -> str:
    return render_template("orders/inspection/new.html", seconds=lists.second_receivers(current_user),
                           today=clock.today())


@bp.route("/elsewhere", methods=["GET", "POST"])
@requires("inspection.record")
@shows_again(new_page)
def add() -> Any:
    """Goods bought elsewhere go into the same book; they are no sale."""
    if request.method == "GET":
        return new_page()
    values = parse(BoughtSchema)
    photo = uploads.needed("voucher", N_("Please take a photo of the voucher."))
    bought = recording.Bought(**{name: value for name, value in values.items() if not name.startswith("second_")})
    recording.check(bought)
    second = receiving.second_receiver(values["second_id"], values["second_password"], current_user, address())

    def work() -> Response:
        recording.add(bought, photo.keep("own").id, (current_user, second))
        flash(_("Written into the book."), "good")
        return see_other("inspection.index", source="elsewhere", **{
            "from": values["bought_on"].isoformat(), "to": clock.today().isoformat()})

    return once(work)


@bp.post("/purge")
@requires("inspection.purge")
@shows_again(index)
def purge() -> Response:
    """Delete what need not be kept any longer; the journal notes how many rows and up to which day."""
    def work() -> Response:
        rows = recording.purge(current_user)
        flash(ngettext("%(num)s row deleted.", "%(num)s rows deleted.", rows), "good")
        return see_other("inspection.index")

    return once(work)
