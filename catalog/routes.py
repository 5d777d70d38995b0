"""The shop front, open to anybody: home, shelves, products, villages, search, traces."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from flask import Blueprint, Flask, current_app, get_template_attribute, redirect, render_template, request, url_for
from flask_babel import format_date
from flask_login import current_user
from markupsafe import Markup

from catalog import browse, counties, finding, origins, search, shelves
from catalog.browse import Card, Filters, Shelf
from catalog.drawings import SHELVES, drawing
from catalog.models import SUPPLY
from catalog.papers import refusals as papers
from catalog.review import monitor
from catalog.terms import choosing
from catalog.tracing import certificates, rules
from catalog.tracing import desk as tracing_desk
from catalog.tracing import routes as tracing_routes
from market import clock, money, words
from market.access import public
from market.errors import N_, NotFound
from market.i18n import gettext as _
from market.page_cache import cached_page, fragment
from market.web import MenuEntry, page_number

bp = Blueprint("shop", __name__)


class CartEntry(MenuEntry):
    """The cart with the number of things in it; wsgi.py hands the count in, the buyer's desk brings its page."""

    @property
    def shown(self) -> bool:
        return super().shown and self.endpoint in current_app.view_functions

    @property
    def count(self) -> int:
        counting = current_app.extensions.get("sijin_cart_count")
        return int(counting(current_user)) if counting else 0


MENU = (
    MenuEntry("shop", N_("Home page"), "shop.home", None, "home"),
    MenuEntry("shop", N_("Goods"), "shop.goods", None, "leaf"),
    MenuEntry("shop", N_("Villages"), "shop.villages", None, "village"),
    CartEntry("account", N_("Cart"), "cart.show", "purchase.prepare", "cart"),
)
CARDS_ON_HOME = 8
WISHES = ("category", "county", "month", "certified", "supply", "sort", "page")
MOST_QUERY = 200  # characters of a query that are looked at

SIX_DIGITS, TWELVE_DIGITS = re.compile(r"[0-9]{6}"), re.compile(r"[0-9]{12}")
CATEGORY, LOT = re.compile(r"[a-z-]{1,32}"), re.compile(r"[0-9A-Za-z-]{1,24}")


def init_app(app: Flask) -> None:
    """One reader of the index per process; words that the shop's templates use."""
    app.extensions["sijin_search"] = search.Reader(app.extensions["sijin"].search_dir)
    app.jinja_env.globals.update(drawing=drawing, county_in_english=counties.english, place_parts=browse.place_parts)


@dataclass(frozen=True)
class Shown:
    """A shelf with its cards drawn: what everybody sees alike."""

    names: shelves.Words
    shelf: Shelf
    grid: Markup
    suggestions: tuple[str, ...] = ()


# ---- pages ----------------------------------------------------------------------------------------------------------


@bp.get("/")
@public
@cached_page()
def home() -> str:
    month = clock.today().month
    parts = fragment("home", month, lambda: _home(month))
    return render_template("catalog/home.html", month=month, month_name=_month_name(month), shelves=SHELVES, **parts)


@bp.get("/goods")
@public
@cached_page(*WISHES)
def goods() -> str:
    coming = choosing.reach_of(current_user)
    filters, page = _reached_first(_asked(), coming), page_number()
    shown, body = fragment("goods", (filters, page), lambda: _shelf_and_body(filters, page))
    return render_template("catalog/goods.html", shown=shown, body=body, filters=filters, coming=coming)


@bp.get("/search", endpoint="search")
@public
@cached_page(*WISHES, "q")
def search_goods() -> str:
    query = request.args.get("q", "")[:MOST_QUERY].strip()
    coming = choosing.reach_of(current_user)
    filters, page = _reached_first(_asked(default_sort=""), coming), page_number()
    shown = fragment("search", (query, filters, page), lambda: _found(query, filters, page))
    return render_template("catalog/search.html", shown=shown, filters=filters, query=query, coming=coming,
                           **_choices())


@bp.get("/products/<int(max=999999999999):product_id>")
@public
@cached_page()
def product(product_id: int) -> str:
    try:
        facts, lots, paper, past, reference = fragment("product", product_id, lambda: (
            origins.product_facts(product_id), origins.recent_lots(product_id=product_id),
            tracing_desk.newest_in_store(product_id), monitor.price_history(product_id),
            monitor.reference_of(product_id)))
    except NotFound:
        return _off_for_papers(product_id)
    return render_template(
        "catalog/product.html", coming=choosing.reach_of(current_user, [facts.supplier_id]),
        product=facts, lots=lots, paper=paper, past=past, reference=reference,
        reference_of_unit_fen=money.price_of_unit(reference.fen_per_kg, facts.grams_per_unit) if reference else None,
        months=_months(facts.harvest_months),
        per_500g_fen=money.price_of_500g(facts.price_fen, facts.grams_per_unit),
        cart_is_open="cart.add" in current_app.view_functions,
        login_is_open="account.login" in current_app.view_functions,
    )


def _off_for_papers(product_id: int) -> str:
    """Goods on the shelf that want of a paper keeps from sale say so; hidden ones are not there (NotFound)."""
    why = papers.by_good([product_id]).get(product_id)
    if why is None:
        raise NotFound()
    return render_template("catalog/papers/off_shelf.html", name=papers.name_of(product_id), why=why.message(_))


@bp.get("/villages")
@public
@cached_page("county", "township", "every", "page")
def villages() -> str:
    county, township = _matching("county", SIX_DIGITS), _matching("township", TWELVE_DIGITS)
    every = request.args.get("every") == "1"
    county_names, townships = origins.places_to_choose(county)
    if township not in townships:
        township = None
    found = origins.villages(county, township, every, page_number())
    return render_template("catalog/villages.html", found=found, county=county, township=township, every=every,
                           counties=county_names, townships=townships, address=_address)


@bp.get("/villages/<code>")
@public
@cached_page("page")
def village(code: str) -> Any:
    if not TWELVE_DIGITS.fullmatch(code):
        raise NotFound()
    try:
        facts, page = origins.village_facts(code), page_number()
    except NotFound:
        return redirect(url_for("shop.village", code=origins.today_of(code)), 302)
    shown = fragment("village", (code, page), lambda: _shelf(Filters(village=code), page))
    before, figures, lots = fragment("village's figures", code, lambda: _village(facts.id))
    return render_template("catalog/village.html", village=facts, shown=shown, address=_address, before=before,
                           lots=lots, figures=figures, fewest=origins.FEWEST_HOUSEHOLDS)


def _village(village_id: int) -> tuple[Any, Any, Any]:
    """What it came from, its figures with theirs, the newest lots of all of them; wsgi.py hands the figures in."""
    before = origins.predecessors(village_id)
    ids = [village_id, *(row.id for row in before)]
    read = current_app.extensions.get("sijin_village_figures")
    return before, read(ids) if read else None, origins.recent_lots(village_ids=ids)


@bp.get("/trace/<code>")
@public
@cached_page()
def trace(code: str) -> str:
    if not LOT.fullmatch(code):
        raise NotFound()
    found = origins.trace(code)
    lot = found.lot
    events = tracing_desk.events_of(lot.id)
    return render_template(
        "catalog/trace.html", trace=found, lot=lot, fewest=origins.FEWEST_HOUSEHOLDS, way=tracing_desk.way(events),
        labels=rules.EVENT_LABELS, paper=certificates.valid([lot.id]).get(lot.id), words=words,
        recall=tracing_desk.recall_of(lot.id), tested=tracing_desk.passed_test(lot.id),
        qr_svg=tracing_routes.qr(tracing_routes.link(lot.product_id, lot.code)))


# ---- what they show -------------------------------------------------------------------------------------------------


def _home(month: int) -> dict[str, Any]:
    names = shelves.words()
    whole = browse.shelf_counts(names)
    return {
        "names": names, "by_category": whole, "figures": browse.county_figures(),
        "harvest": _row(browse.cards(Filters(month=month, seasonal=True, available=True), names, CARDS_ON_HOME)),
        "newest": _row(browse.cards(Filters(sort="new", available=True), names, CARDS_ON_HOME)),
    }


@dataclass(frozen=True)
class Row:
    """Some cards, drawn."""

    cards: list[Card]
    grid: Markup


def _row(cards: list[Card]) -> Row:
    return Row(cards, _grid(cards))


def _shelf(filters: Filters, page: int) -> Shown:
    names = shelves.words()
    shelf = browse.shelf(filters, page, names)
    return Shown(names, shelf, _grid(shelf.cards, filters))


def _shelf_and_body(filters: Filters, page: int) -> tuple[Shown, Markup]:
    """A shelf and the whole of its page but for header and footer, which are a visitor's own."""
    shown = _shelf(filters, page)
    return shown, Markup(render_template("catalog/shelf_body.html", shown=shown, filters=filters, **_choices()))  # noqa: S704


def _found(query: str, filters: Filters, page: int) -> Shown:
    names = shelves.words()
    if filters.category:
        filters = replace(filters, category=names.root(filters.category))
    found = finding.find(current_app.extensions["sijin_search"], query, filters, page, names)
    return Shown(names, found.shelf, _grid(found.shelf.cards, filters), tuple(found.suggestions))


def _grid(cards: Any, filters: Filters | None = None) -> Markup:
    draw: Callable[[list[Card], Mapping[int, date | str | None]], Markup] = get_template_attribute(
        "catalog/cards.html", "goods_grid")
    return draw(cards, dict(filters.later) if filters else {})


def _reached_first(filters: Filters, coming: choosing.Reach | None) -> Filters:
    """For a unit, what reaches its door at the chosen time comes first; who is reached alike sees the same shelf."""
    return replace(filters, later=tuple(sorted(coming.later.items()))) if coming else filters


# ---- what was asked for ---------------------------------------------------------------------------------------------


def _asked(default_sort: str = "sold") -> Filters:
    """The filters in the address; what cannot be one is no filter."""
    month = request.args.get("month", "")
    supply, sort = request.args.get("supply"), request.args.get("sort", "")
    return Filters(
        category=_matching("category", CATEGORY), county=_matching("county", SIX_DIGITS),
        month=int(month) if month in {str(m) for m in range(1, 13)} else None,
        certified=request.args.get("certified") == "1", supply=supply if supply in SUPPLY else None,
        sort=sort if sort in browse.SORTS else default_sort,
    )


def _matching(name: str, pattern: re.Pattern[str]) -> str | None:
    value = request.args.get(name, "")
    return value if pattern.fullmatch(value) else None


def _choices() -> Mapping[str, Any]:
    return {"address": _address, "month_names": [(m, _month_name(m)) for m in range(1, 13)],
            "this_month": clock.today().month}


def _address(**changes: Any) -> str:
    """This page's address with some wishes changed; a wish of None or '' is dropped, and so is the page number."""
    kept = {name: request.args[name] for name in (*WISHES, "q", "township", "every") if request.args.get(name)}
    kept.pop("page", None)
    wishes = {name: value for name, value in (kept | changes).items() if value not in (None, "")}
    return url_for(request.endpoint or "", **(request.view_args or {}), **wishes)


def _month_name(month: int) -> str:
    return str(format_date(date(2026, month, 1), "LLLL"))


def _months(harvest_months: str) -> list[tuple[str, bool]]:
    """The twelve months and whether goods are harvested then."""
    ripe = set(range(1, 13)) if harvest_months == "all" else set(map(int, harvest_months.split(",")))
    return [(_month_name(month), month in ripe) for month in range(1, 13)]
