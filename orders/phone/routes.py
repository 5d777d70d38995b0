"""Phone orders: typed at the village desk, confirmed by one tap at the buyer's."""

from collections.abc import Iterator
from typing import Any

from flask import Blueprint, Response, current_app, flash, render_template, request, url_for
from flask_login import current_user

from catalog.terms import reach, reading
from market import clock, money
from market.access import Visitor, can, requires
from market.errors import N_, InvalidInput
from market.i18n import gettext as _
from market.i18n import in_locale, ngettext
from market.waiting import Waiting
from market.web import MenuEntry, once, page_number, parse, see_other, shows_again, whole_argument
from market.words import WINDOWS
from orders.buying import checkout
from orders.buying import lists as buying
from orders.phone import calls, labels, links, lists
from orders.phone.calls import Said
from orders.phone.schemas import ConfirmationSchema, PhoneOrderSchema, RefusalSchema

bp = Blueprint("phone", __name__)

MENU = (
    MenuEntry("supplier", N_("Phone orders"), "phone.index", "phone.type", "phone"),
    MenuEntry("unit", N_("Phone orders"), "phone.inbox", "purchase.place", "phone", group="todo"),
)
ORDER = "<int(max=999999999999):phone_order_id>"
MOST_QUERY = 40


def waiting_here(visitor: Visitor) -> Iterator[Waiting]:
    """Phone orders that wait for the canteen's word."""
    if can(visitor, "purchase.place") and (count := lists.open_for(visitor)):
        yield Waiting(ngettext("%(num)s phone order waits for you to confirm it.",
                               "%(num)s phone orders wait for you to confirm them.", count), url_for("phone.inbox"))


# ---- the village desk -----------------------------------------------------------------------------------------------


@bp.get("/village/phone-orders")
@requires("phone.type")
def index() -> str:
    return render_template("orders/phone/index.html", found=lists.typed_by_us(current_user, page_number()),
                           labels=labels, village=True)


@bp.get("/village/phone-orders/new")
@requires("phone.type")
def new() -> str:
    query = request.args.get("q", "").strip()[:MOST_QUERY]
    chosen = lists.unit(whole_argument("unit") or _typed_unit())
    tomorrow = clock.days_after(clock.today(), 1)
    return render_template(
        "orders/phone/new.html", unit=chosen, query=query, units=[] if chosen else lists.units(current_user, query),
        goods=lists.own_goods(current_user) if chosen else [], first_day=tomorrow,
        last_day=clock.days_after(clock.today(), checkout.FARTHEST_DAYS))


def _typed_unit() -> int | None:
    text = request.form.get("unit_id", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 13 else None


@bp.post("/village/phone-orders")
@requires("phone.type")
@shows_again(new)
def type_in() -> Response:
    values = parse(PhoneOrderSchema)
    goods = [(line["product_id"], line["quantity_milli"]) for line in values["lines"]]
    said = Said(values["unit_id"], values["delivery_day"], values["delivery_window"], goods, values["note"])

    def work() -> Response:
        order_id = calls.type_in(said, links.new(_key()), current_user)
        flash(_("Typed. It is ordered once the canteen confirms it: send the text below."), "good")
        return see_other("phone.typed", phone_order_id=order_id)

    try:
        return once(work)
    except InvalidInput as refusal:
        raise InvalidInput({_name_of(name, goods): messages for name, messages in refusal.fields.items()}) from refusal


def _name_of(name: str, goods: calls.Goods) -> str:
    """Rows are numbered without the empty ones; the page names a good's field by its id."""
    parts = name.split("-")
    return f"good-{goods[int(parts[1])][0]}" if len(parts) == 3 else name


@bp.get(f"/village/phone-orders/{ORDER}")
@requires("phone.type")
def typed(phone_order_id: int) -> str:
    order, lines = lists.of_supplier(phone_order_id, current_user), lists.lines(phone_order_id)
    goods_fen, freight_fen = _typed_fen(order, lines)
    return render_template("orders/phone/typed.html", order=order, lines=lines, labels=labels, goods_fen=goods_fen,
                           freight_fen=freight_fen, is_open=_is_open(order), text=_ready_text(order, lines))


@bp.post(f"/village/phone-orders/{ORDER}/withdrawal")
@requires("phone.type")
@shows_again(typed)
def withdraw(phone_order_id: int) -> Response:
    def work() -> Response:
        calls.withdraw(phone_order_id, current_user)
        flash(_("Withdrawn. Nothing is ordered."), "good")
        return see_other("phone.typed", phone_order_id=phone_order_id)

    return once(work)


def _ready_text(order: Any, lines: Any) -> str:
    """What the clerk copies into a chat: goods, day, sum and the link to confirm."""
    goods = _(", ").join(f"{in_locale(line.name, line.name_en)} {money.decimal_text(line.milli)} "
                         f"{in_locale(line.unit, line.unit_en)}" for line in lines)
    return str(_(
        "%(supplier)s: you ordered by phone for %(day)s %(window)s: %(goods)s. ¥%(total)s in all. Please confirm "
        "by %(until)s: %(link)s", supplier=order.supplier, day=order.delivery_day.isoformat(),
        window=_(WINDOWS[order.delivery_window]), goods=goods, total=money.yuan(sum(_typed_fen(order, lines))),
        until=order.expires_at.astimezone(clock.SHANGHAI).strftime("%m-%d %H:%M"),
        link=url_for("phone.open_link", token=links.token_of(order.nonce, _key()), _external=True)))


# ---- the buyer's desk -----------------------------------------------------------------------------------------------


@bp.get("/phone-orders")
@requires("purchase.place")
def inbox() -> str:
    return render_template("orders/phone/index.html", found=lists.said_by_us(current_user, page_number()),
                           labels=labels, village=False)


@bp.get("/phone/<token>")
@requires("purchase.place")
def open_link(token: str) -> Response:
    """The link from the chat; after the login it leads on to the page."""
    return see_other("phone.show", phone_order_id=calls.id_of_token(token, current_user))


@bp.get(f"/phone-orders/{ORDER}")
@requires("purchase.place")
def show(phone_order_id: int) -> str:
    order, lines = lists.of_unit(phone_order_id, current_user), lists.lines(phone_order_id)
    points = buying.delivery_points(current_user.organisation_id)
    goods_fen = sum(money.line_total(line.price_now_fen, line.milli) for line in lines)
    point = _point(order, [one.id for one in points])
    return render_template(
        "orders/phone/show.html", order=order, lines=lines, labels=labels, points=points, is_open=_is_open(order),
        goods_fen=goods_fen, freight_fen=_freight_fen(order.supplier_id, point, goods_fen), point=point,
        changed=any(line.price_fen != line.price_now_fen for line in lines),
        can_be_had=all(line.on_sale for line in lines))


@bp.post(f"/phone-orders/{ORDER}/confirmation")
@requires("purchase.place")
@shows_again(show)
def confirm(phone_order_id: int) -> Response:
    """One tap: ordered. A second one shows the first one's purchase."""
    lists.of_unit(phone_order_id, current_user)
    values = parse(ConfirmationSchema)

    def work() -> Response:
        purchase_id = calls.confirm(phone_order_id, values["delivery_point_id"], values["fund_source"],
                                    values["expected_total_fen"], current_user)
        flash(_("Ordered. Thank you."), "good")
        return see_other("buying.purchase", purchase_id=purchase_id)

    return once(work)


@bp.post(f"/phone-orders/{ORDER}/refusal")
@requires("purchase.place")
@shows_again(show)
def decline(phone_order_id: int) -> Response:
    lists.of_unit(phone_order_id, current_user)
    reason = parse(RefusalSchema)["reason"]

    def work() -> Response:
        calls.decline(phone_order_id, reason, current_user)
        flash(_("Declined. Nothing is ordered."), "good")
        return see_other("phone.show", phone_order_id=phone_order_id)

    return once(work)


def _point(order: Any, open_ids: list[int]) -> int | None:
    """The door that was just chosen, else where the co-operative delivered last, else the first."""
    for said in (request.form.get("delivery_point_id", type=int), lists.last_point(order)):
        if said in open_ids:
            return said
    return next(iter(open_ids), None)


def _freight_fen(supplier_id: int, point_id: int | None, goods_fen: int) -> int:
    """What the way to a door costs with these goods, in fen."""
    terms = reading.at_point(point_id, [supplier_id]).of(supplier_id) if point_id else None
    return reach.freight_fen(terms, goods_fen) if terms else 0


def _is_open(order: Any) -> bool:
    return bool(order.state == "open" and clock.now() < order.expires_at)


def _typed_fen(order: Any, lines: Any) -> tuple[int, int]:
    """Goods at the prices typed, and while it waits the freight to the door that the unit will be offered."""
    goods_fen = sum(money.line_total(line.price_fen, line.milli) for line in lines)
    if not _is_open(order):
        return goods_fen, 0
    point = _point(order, [one.id for one in buying.delivery_points(order.unit_id)])
    return goods_fen, _freight_fen(order.supplier_id, point, goods_fen)


def _key() -> str:
    return str(current_app.config["SECRET_KEY"])
