"""The cart: what somebody puts together for their unit, and the order that comes of it."""

from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import Blueprint, Response, flash, g, render_template, request
from flask_login import current_user

from catalog import stock
from catalog.papers.refusals import PapersLapsed
from catalog.routes import CartEntry
from catalog.terms import choosing, reach
from catalog.terms.choosing import Reach
from catalog.terms.schemas import ChoiceSchema
from market import clock, money
from market.access import requires
from market.errors import N_, Conflict, InvalidInput, MarketError, NotFound
from market.i18n import gettext as _
from market.i18n import in_locale
from market.page_words import typed
from market.web import load, once, parse, see_other, sent_token, shows_again
from orders.buying import cart, checkout, lists, refusals
from orders.buying.checkout import Wish
from orders.buying.schemas import CartLineSchema, CartSchema, PurchaseSchema, RemovalSchema
from orders.paying import terms

bp = Blueprint("cart", __name__)

MENU = (CartEntry("unit", N_("Cart"), "cart.show", "purchase.prepare", "cart"),)
AT_ONE_GOOD = (stock.OutOfStock, cart.NotThisQuantity, checkout.NotInSeason, NotFound)

Goods = list[tuple[int, int]]


class LookAgain(Conflict):
    """The quantities sent are not those that the shown total was for."""

    code = "look_again"
    text = N_("You changed quantities: the total is now ¥%(total)s. Please look once more and order again.")


@bp.get("/cart")
@requires("purchase.prepare")
def show() -> str:
    lines = _shown_lines()
    suppliers: dict[int, list[Shown]] = {}
    for line in lines:
        suppliers.setdefault(line.row["supplier_id"], []).append(line)
    first = terms.suppliers_paid_first(current_user.organisation_id, suppliers) if suppliers else set()
    coming = choosing.reach_of(current_user, suppliers, _asked_delivery())
    sums = {supplier: _sum_of(supplier, group, coming) for supplier, group in suppliers.items()}
    return render_template(
        "orders/buying/cart.html", suppliers=suppliers, sums=sums, choice=coming.choice if coming else None,
        goods_fen=sum(one.goods_fen for one in sums.values()),
        freight_fen=sum(one.freight_fen for one in sums.values()), on_sale=sum(line.is_sold for line in lines),
        paid_first=first, all_first=len(first) == len(suppliers), adding=_adding(), refused=_refused(lines),
        first_day=_tomorrow(), last_day=clock.days_after(clock.today(), checkout.FARTHEST_DAYS),
        points=lists.delivery_points(current_user.organisation_id), units=lists.budget_units(current_user))


@bp.post("/cart/lines")
@requires("purchase.prepare")
@shows_again(show)
def add() -> Response:
    values = parse(CartLineSchema)

    def put() -> Response:
        try:
            cart.put(values["product_id"], values["quantity_milli"], current_user)
        except cart.NotThisQuantity as refusal:
            raise InvalidInput({"quantity_milli": [refusal]}) from refusal
        row = cart.sellable([values["product_id"]])[values["product_id"]]
        flash(_("In the cart: %(name)s, %(quantity)s %(unit)s.", name=in_locale(row.name, row.name_en),
                quantity=money.decimal_text(values["quantity_milli"]), unit=in_locale(row.unit, row.unit_en)), "good")
        return see_other("cart.show")

    return once(put)


@bp.post("/cart")
@requires("purchase.prepare")
@shows_again(show)
def change() -> Response:
    """Set all quantities as typed; the door, day and window typed beside them are kept too."""
    values = parse(CartSchema)
    goods = _goods(values)

    def put() -> Response:
        cart.put_all(goods, current_user, _substitutes(values))
        return see_other("cart.show")

    answer = _at_lines(put, goods, _tomorrow())
    with suppress(InvalidInput, NotFound):  # half a choice is none
        choosing.keep(load(ChoiceSchema(), request.form.to_dict()), current_user)
    return answer


@bp.post("/cart/removals")
@requires("purchase.prepare")
def remove() -> Response:
    product_id = parse(RemovalSchema)["product_id"]

    def take_out() -> Response:
        cart.remove([product_id], current_user)
        return see_other("cart.show")

    return once(take_out)


@bp.post("/purchases")
@requires("purchase.place")
@shows_again(show)
def place() -> Response:
    """Order the goods as they stand in the form; they leave the cart in the same transaction."""
    values = parse(PurchaseSchema)
    goods = _goods(values)
    wish = Wish(**{name: value for name, value in values.items() if name != "lines"})
    token = sent_token()
    if not token:
        raise InvalidInput({"submit_token": [N_("Please open the page again.")]})

    def order() -> Response:
        try:
            placed = checkout.place(goods, wish, token, current_user, substitutes=_substitutes(values))
        except checkout.PricesChanged as refusal:
            raise (refusal if _as_in_cart(goods) else LookAgain(**refusal.details)) from refusal
        cart.remove([product_id for product_id, _milli in goods], current_user)
        return see_other("buying.purchase", purchase_id=placed.id)

    return _at_lines(order, goods, wish.delivery_day)


def _goods(values: Mapping[str, Any]) -> Goods:
    return [(line["product_id"], line["quantity_milli"]) for line in values["lines"]]


def _substitutes(values: Mapping[str, Any]) -> set[int]:
    return {line["product_id"] for line in values["lines"] if line["substitute_ok"]}


def _as_in_cart(goods: Goods) -> bool:
    kept = {line["product_id"]: line["milli"] for line in cart.lines(current_user)}
    return all(kept.get(product_id) == milli for product_id, milli in goods)


def _at_lines(work: Any, goods: Goods, day: date) -> Response:
    """Run a command once; where single goods are refused, every message stands at its line."""
    try:
        return once(work)
    except AT_ONE_GOOD as refusal:
        wrong = refusals.by_good(goods, day)
        fields: dict[str, list[str | MarketError]] = {
            f"lines-{number}-quantity_milli": [wrong[product_id]]
            for number, (product_id, _milli) in enumerate(goods) if product_id in wrong}
        if not fields:
            raise
        raise InvalidInput(fields) from refusal


# ---- the page -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Shown:
    """A line as the page shows it: with what was typed, and what speaks against it."""

    number: int
    row: Mapping[str, Any]
    text: str
    milli: int
    messages: list[str]
    is_sold: bool
    substitute_ok: bool

    @property
    def field(self) -> str:
        return f"lines-{self.number}-quantity_milli"

    @property
    def amount_fen(self) -> int:
        return money.line_total(self.row["price_fen"], self.milli)


def _shown_lines() -> list[Shown]:
    rows, told = cart.lines(current_user), _told()
    day = _asked_day()
    goods = [(row["product_id"], _milli(told.get(row["product_id"], ("", ""))[1], row["milli"])) for row in rows]
    wrong = refusals.by_good(goods, day) if goods else {}
    shown: list[Shown] = []
    for row, (product_id, milli) in zip(rows, goods, strict=True):
        field, text = told.get(product_id, ("", money.plain_decimal(row["milli"])))
        against = wrong.get(product_id)
        messages = _messages().get(field) or ([against.message(_)] if against else [])
        is_sold = not isinstance(against, (refusals.NoLongerSold, PapersLapsed))
        substitute_ok = _ticked(field) if field else row["substitute_ok"]
        shown.append(Shown(len([s for s in shown if s.is_sold]), row, text, milli, messages, is_sold, substitute_ok))
    return shown


def _ticked(field: str) -> bool:
    """Whether a refused form allowed a substitute for the good at a field."""
    return bool(request.form.get(field.replace("quantity_milli", "substitute_ok")))


@dataclass(frozen=True)
class SupplierSum:
    """What one co-operative's goods and their delivery cost (fen), and what speaks against delivering them."""

    goods_fen: int
    freight_fen: int
    terms: reach.Terms | None
    messages: list[str]


def _sum_of(supplier_id: int, lines: Collection[Shown], coming: Reach | None) -> SupplierSum:
    goods_fen = sum(line.amount_fen for line in lines if line.is_sold)
    if coming is None or not goods_fen:
        return SupplierSum(goods_fen, 0, reach.EVERYWHERE, [])
    terms, choice = coming.stated.of(supplier_id), coming.choice
    told = _messages().get(checkout.at_supplier(supplier_id))
    against = reach.refusals(terms, clock.now(), choice.day, choice.window, goods_fen)
    return SupplierSum(goods_fen, reach.freight_fen(terms, goods_fen) if terms else 0, terms,
                       told or [refusal.message(_) for refusal in against])


def _told() -> dict[int, tuple[str, str]]:
    """The field and the text of each good in a refused form."""
    if not g.get("refusal"):
        return {}
    told = {}
    for name, product_id in request.form.items():
        parts = name.split("-")
        if len(parts) == 3 and parts[2] == "product_id" and product_id.isascii() and product_id.isdigit():
            field = f"lines-{parts[1]}-quantity_milli"
            told[int(product_id[:12])] = (field, request.form.get(field, ""))
    return told


def _milli(text: str, kept: int) -> int:
    """What was typed where it is a possible quantity, else what the cart holds."""
    try:
        milli = money.parse_milli(text.strip(" "))
    except ValueError:
        return kept
    return milli if 0 < milli <= money.MAX_MILLI else kept


def _messages() -> dict[str, list[str]]:
    return dict(g.get("refused_fields", {}))


def _refused(lines: list[Shown]) -> dict[str, list[str]]:
    """All messages, those of the lines under the names they have on this page."""
    others = {name: messages for name, messages in _messages().items() if not name.startswith("lines-")}
    if not g.get("refusal"):
        return {}
    return {line.field: line.messages for line in lines if line.messages and line.is_sold} | others


def _adding() -> Any:
    """The good whose quantity was refused before it came into the cart."""
    product_id = request.form.get("product_id", "")
    if request.endpoint != "cart.add" or not (product_id.isascii() and product_id.isdigit() and len(product_id) < 13):
        return None
    return cart.sellable([int(product_id)]).get(int(product_id))


def _tomorrow() -> date:
    return clock.days_after(clock.today(), 1)


def _asked_delivery() -> tuple[int, date, str] | None:
    """Door, day and window typed into a refused form."""
    try:
        return (int(str(typed("delivery_point_id", ""))[:12]), date.fromisoformat(str(typed("delivery_day", ""))),
                str(typed("delivery_window", "")))
    except ValueError:
        return None


def _asked_day() -> date:
    """The day typed into a refused form, else tomorrow."""
    try:
        return date.fromisoformat(str(typed("delivery_day", "")))
    except ValueError:
        return _tomorrow()
