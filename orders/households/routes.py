"""The officials' side of households: villages, households with their year, one household's card, who saw a name."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, render_template, request, url_for
from flask_login import current_user

from market import clock, db, downloads, page_words, paging, words
from market.access import can, requires
from market.errors import N_, NotFound
from market.households import masked
from market.i18n import in_locale
from market.web import MenuEntry, page_number, parse, shows_again, whole_argument
from orders.households import cards, classes, costs, lists, register, sums, tables, years
from orders.households import words as own
from orders.households.cards import Card
from orders.households.schemas import RevealSchema
from orders.reports.readers import Reader, area_of, choices, find_place, reader_of

bp = Blueprint("households", __name__, url_prefix="/office/households")

MENU = (
    MenuEntry("office", N_("Household cards"), "households.index", "household.read", "household", group="people"),
    MenuEntry("office", N_("Names looked at"), "households.looks", "household.reveals", "user", group="look"),
)
HOUSEHOLD = "<int(max=999999999999):household_id>"
KEPT = ("county", "township", "place", "year", "class", "sort", "order")
EVERYWHERE_READERS = {"auditor", "operator_security", "operator_audit"}


@bp.get("")
@requires("household.read")
def index() -> Any:
    """Villages of the area; with a place in the address its households."""
    return index_as("page")


@bp.get("/list.<kind>")
@requires("household.read")
def index_as(kind: str) -> Any:
    """The households of one place as CSV and XLSX."""
    reader, year = reader_of(current_user, "household.read"), years.shown(whole_argument("year"))
    code = request.args.get("place", "")
    if code:
        return _households(kind, reader, code, year)
    if kind != "page":
        raise NotFound()
    area = area_of(reader, request.args.get("county"), request.args.get("township"), None)
    with db.snapshot():
        found = lists.villages(area.where, year)
    shown = paging.cut(found, page_number())
    return render_template(
        "orders/households/villages.html", found=shown, year=year, years=years, address=_address,
        total=lists.total(found), choices=choices(reader, request.args.get("county")), **_words())


def _households(kind: str, reader: Reader, code: str, year: int) -> Any:
    place = find_place(reader, code, "township" if len(code) == 12 and code.endswith("000") else "village")
    chosen, sort = request.args.get("class", ""), request.args.get("sort", "")
    with db.snapshot():
        rows = lists.of_place(place.id, year, chosen if chosen in words.HOUSEHOLD_CLASSES else "",
                              sort if sort in lists.SORTS else "code", request.args.get("order") == "desc")
    if kind in downloads.CONTENT_TYPES:
        return downloads.table(tables.households(rows, place.path, year), _file_name(f"households-{code}-{year}"), kind)
    if kind != "page":
        raise NotFound()
    return render_template(
        "orders/households/list.html", found=paging.cut(rows, page_number()), place=place, year=year, years=years,
        total=sums.together(row.sums for row in rows), net_fen=tables.net_of(rows), chosen=chosen, address=_address,
        sort=sort, descending=request.args.get("order") == "desc", **_words())


# ---- one household --------------------------------------------------------------------------------------------------


@bp.get(f"/{HOUSEHOLD}")
@requires("household.read")
def show(household_id: int) -> Any:
    return show_as(household_id, "page")


@bp.get(f"/{HOUSEHOLD}.<kind>")
@requires("household.read")
def show_as(household_id: int, kind: str) -> Any:
    """The card to print, as CSV and XLSX; the name masked."""
    with db.snapshot():
        card = cards.of_area(household_id, years.shown(whole_argument("year")), current_user)
        kept = {"changes": classes.history(household_id), "by_year": classes.by_year(household_id),
                "homes": register.homes(card.household.village_id)}
    name = masked(card.household.head_name)
    if kind in downloads.CONTENT_TYPES:
        return downloads.table(tables.card(card, name), _file_name(f"income-card-{household_id}-{card.year}"), kind)
    if kind == "print":
        return sheet(card, name)
    if kind != "page":
        raise NotFound()
    return page(card, name, **kept)


def page(card: Card, name: str, **more: Any) -> str:
    """A card on the screen; `name` as this reader may see it."""
    return render_template("orders/households/card.html", card=card, name=name, years=years,
                           address=_address_of(card), purposes=own.PURPOSES, shelf=shelf_names(), **_words(), **more)


def sheet(card: Card, name: str) -> str:
    """A card on paper, with lines to sign on."""
    return render_template("orders/households/card_print.html", card=card, name=name, years=years,
                           made_on=clock.today(), shelf=shelf_names(), **_words())


def _address_of(card: Card) -> Callable[..., str]:
    """Addresses of this card's page, files and sheet, whatever form has brought the reader here."""
    endpoint = "households.show" if card.supplier_id is None else "member_cards.show"

    def address(kind: str | None = None, year: int | None = None) -> str:
        return url_for(endpoint + ("_as" if kind else ""), household_id=card.household.id, kind=kind, year=year)

    return address


def shelf_names() -> Callable[[str], str]:
    """A category's name in the reader's language."""
    shelves = costs.shelves()

    def name(code: str) -> str:
        found = shelves.get(code)
        return in_locale(found.name_zh, found.name_en) if found else code

    return name


@bp.post(f"/{HOUSEHOLD}/name")
@requires("household.reveal")
@shows_again(show)
def reveal(household_id: int) -> Any:
    """The card with the full name, once: whoever looks is written down."""
    cards.need_in_area(household_id, current_user)  # somebody else's is unknown, whatever the form says
    values = parse(RevealSchema)
    with db.transaction():
        name = register.reveal(household_id, values["purpose"], current_user)
    with db.snapshot():
        card = cards.of_area(household_id, years.shown(values["year"]), current_user)
        kept = {"changes": classes.history(household_id), "by_year": classes.by_year(household_id),
                "homes": register.homes(card.household.village_id)}
    return sheet(card, name) if values["sheet"] else page(card, name, revealed=True, **kept)


@bp.get("/names")
@requires("household.reveals")
def looks() -> str:
    """Who looked at which full name, when and why."""
    everywhere = bool(current_user.roles & EVERYWHERE_READERS)
    return render_template("orders/households/reveals.html", address=_address,
                           links=can(current_user, "household.read"),
                           found=lists.reveals(current_user, everywhere, page_number()))


# ---- what was asked for ---------------------------------------------------------------------------------------------


def _words() -> dict[str, Any]:
    return {"classes": words.HOUSEHOLD_CLASSES, "kinds": sums.KINDS, "kind_words": words.INCOME_KINDS,
            "forms": own.FORMS, "tie_kinds": own.KINDS, "proof": tables.proof, "only_here": cards.ONLY_HERE,
            "states": own.CHANGE_STATES, "signers": own.SIGNERS, "register_label": words.registered_label,
            "masked": masked}


def _address(**changes: Any) -> str:
    """This page's address with some wishes changed, None drops one; with a `kind` the file's."""
    kept = {name: request.args[name] for name in KEPT if request.args.get(name)}
    endpoint = (request.endpoint or "").removesuffix("_as")
    parts = {**(request.view_args or {}), "kind": None, **kept, **changes}
    if parts["kind"]:
        endpoint += "_as"
    return url_for(endpoint, **{name: value for name, value in parts.items() if value not in (None, "")})


def _file_name(name: str) -> str:
    return "-".join((name, *(("demo",) if page_words.installation_is_demo() else ())))
