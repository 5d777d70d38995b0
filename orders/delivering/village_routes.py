"""The village desk's orders: what is to pack, packing it, the delivery note, the morning list."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import date
from typing import Any

import segno
from flask import Blueprint, Response, flash, render_template, request, url_for
from flask_login import current_user

from market import clock, journal
from market.access import requires
from market.errors import N_, InvalidInput
from market.i18n import gettext as _
from market.web import MenuEntry, once, page_number, parse, see_other, shows_again, unflatten
from orders import happenings
from orders.approving import changes, parting
from orders.buying import freight
from orders.delivering import packing, recall, shipments
from orders.delivering.packing_schemas import FreightSchema, ShipmentSchema
from orders.delivering.reasons import REASONS
from orders.delivering.shipments import Packed
from orders.paying import card_lists, fees
from orders.paying import desk as paying_desk
from orders.paying import lists as payments

bp = Blueprint("packing", __name__, url_prefix="/village/orders")

MENU = (MenuEntry("supplier", N_("Orders"), "packing.index", "supplier.read", "order"),)
LIST_MENU = (MenuEntry("supplier", N_("Packing list"), "packing.morning", "order.ship", "list"),)
TAB_LABELS: Mapping[str, str] = {
    "to_ship": N_("To ship"), "to_receive": N_("On the way"), "to_pay": N_("To be paid"), "done": N_("Done"),
}
ACT_LABELS: Mapping[str, str] = {
    "order.placed": N_("Ordered"), "order.shipped": N_("Packed and sent"), "order.accepted": N_("Accepted"),
    "order.returned": N_("Goods came back"), "order.cancelled": N_("Order taken back"),
    "order.amended": N_("Changed the order"), "order.parted": N_("A part follows later"),
    "payment.claimed": N_("Says that it has paid"), "payment.received": N_("Money received"),
    "payment.not_found": N_("Money not found"), "payment.refunded": N_("Money given back"),
    "order.freight_lowered": N_("Freight lowered"), **happenings.MONEY,
}
ORDER = "<int(max=999999999999):order_id>"
LONGEST_QUERY = 60


@bp.get("")
@requires("supplier.read")
def index() -> str:
    tab = request.args.get("tab", "to_ship")
    tab = tab if tab in packing.TABS else "to_ship"
    query = request.args.get("q", "").strip()[:LONGEST_QUERY]
    return render_template("orders/village/index.html", tab=tab, query=query, labels=TAB_LABELS,
                           found=packing.orders(current_user, tab, query, page_number()))


@bp.get("/packing-list")
@requires("order.ship")
def morning() -> str:
    """All goods to be packed for one day, summed by product; to be printed."""
    day = _day(request.args.get("day", ""))
    return render_template("orders/village/morning.html", day=day, goods=packing.to_pack(current_user, day),
                           days=packing.next_days(current_user, clock.today()))


def _day(text: str) -> date:
    """The day asked for, tomorrow where none is."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return clock.days_after(clock.today(), 1)


@bp.get(f"/{ORDER}")
@requires("supplier.read")
def show(order_id: int) -> str:
    order = packing.order(order_id, current_user)
    return render_template(
        "orders/village/show.html", order=order, lines=packing.lines(order_id), packed=packing.packed(order_id),
        claims=payments.claims_of(order_id), cards=card_lists.of_order(order_id), card_lists=card_lists,
        history=journal.timeline("order", order_id), acts=ACT_LABELS,
        claim_labels=paying_desk.STATE_LABELS, reasons=REASONS, driver=_driver(order),
        fee_fen=fees.fee_fen(order), to_fill=recall.still_to_fill(order_id=order_id),
        changes=changes.for_order(order_id))


def _driver(order: Any) -> Mapping[str, str] | None:
    """The driver's link with its QR code, while the van is on its way."""
    if order.token is None or order.run_state != "open":
        return None
    url = url_for("delivering.van", token=order.token, _external=True)
    return {"url": url, "qr": segno.make(url, error="m").svg_inline(omitsize=True, border=1)}


@bp.post(f"/{ORDER}/freight")
@requires("freight.lower")
@shows_again(show)
def lower_freight(order_id: int) -> Response:
    """Ask less for the way; only until the order is shipped."""
    packing.order(order_id, current_user)  # somebody else's is unknown, whatever the form says
    freight_fen = parse(FreightSchema)["freight_fen"]

    def work() -> Response:
        try:
            freight.lower(order_id, freight_fen, current_user)
        except freight.FreightRaised as refusal:
            raise InvalidInput({"freight_fen": [refusal]}) from refusal
        flash(_("Lowered. The unit sees the new amount."), "good")
        return see_other("packing.show", order_id=order_id)

    return once(work)


@bp.get(f"/{ORDER}/shipment")
@requires("order.ship")
def pack(order_id: int) -> str:
    order = packing.order(order_id, current_user)
    typed = unflatten(request.form.to_dict()).get("lines", []) if request.method == "POST" else []
    return render_template(
        "orders/village/pack.html", order=order, lines=packing.lines(order_id),
        choices=packing.choices(order_id, current_user), to_fill=recall.still_to_fill(order_id=order_id),
        unconfirmed=packing.unconfirmed(order_id, current_user),
        sent={(row.get("line_id"), row.get("lot_id")): row for row in typed} if request.method == "POST" else None)


@bp.post(f"/{ORDER}/shipment")
@requires("order.ship")
@shows_again(pack)
def ship(order_id: int) -> Response:
    values = parse(ShipmentSchema)

    def work() -> Response:
        if values["rest_on"] is not None:
            parting.part(order_id, stays_of(values), values["rest_on"], current_user)
        shipments.ship(order_id, packed_of(values), current_user, values["note"])
        flash(_("Packed. Give the driver the link or the six digits."), "good")
        return see_other("packing.show", order_id=order_id)

    return once(work)


def packed_of(values: Mapping[str, Any]) -> list[Packed]:
    """What ShipmentSchema has loaded, as the verb takes it."""
    return [Packed(row["line_id"], row["lot_id"], row["packed_milli"], row["packed_grams"]) for row in values["lines"]]


def stays_of(values: Mapping[str, Any]) -> dict[int, int]:
    """What of each line goes now, in thousandths of its unit; the rest follows."""
    stays: dict[int, int] = defaultdict(int)
    for row in values["lines"]:
        stays[row["line_id"]] += row["packed_milli"]
    return stays


@bp.get(f"/{ORDER}/note")
@requires("supplier.read")
def note(order_id: int) -> str:
    """The delivery note, in two copies: one stays with the canteen, one comes back signed."""
    order = packing.order(order_id, current_user)
    return render_template("orders/village/note.html", order=order, lines=packing.lines(order_id),
                           packed=packing.packed(order_id), seller=current_user.organisation_name)
