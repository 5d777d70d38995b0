"""A unit's delivery points, and hand-overs between its people."""

from flask import Blueprint, Response, flash, render_template
from flask_login import current_user

from market import clock, journal, words
from market.access import requires
from market.errors import N_
from market.i18n import gettext as _
from market.menus import MenuEntry
from market.web import once, page_number, parse, see_other, shows_again
from orders.units import desk, doors, handover, labels
from orders.units.schemas import DoorSchema, HandoverSchema

bp = Blueprint("unit_doors", __name__, url_prefix="/unit")

MENU = (
    MenuEntry("unit", N_("Delivery points"), "unit_doors.index", "unit.manage", "pin", group="house"),
    MenuEntry("unit", N_("Hand-overs"), "unit_doors.handovers", "unit.manage", "handshake", group="house"),
)
DOOR, HANDOVER = "<int(max=999999999999):door_id>", "<int(max=999999999999):handover_id>"


@bp.get("/delivery-points")
@requires("unit.manage")
def index() -> str:
    return render_template("orders/units/doors.html", doors=desk.doors(current_user),
                           places=desk.places_of(current_user))


@bp.post("/delivery-points")
@requires("unit.manage")
@shows_again(index)
def add() -> Response:
    values = parse(DoorSchema)

    def work() -> Response:
        doors.add(values, current_user)
        flash(_("Saved."), "good")
        return see_other("unit_doors.index")

    return once(work)


@bp.get(f"/delivery-points/{DOOR}")
@requires("unit.manage")
def door(door_id: int) -> str:
    return render_template("orders/units/door.html", door=desk.door(door_id, current_user),
                           places=desk.places_of(current_user))


@bp.post(f"/delivery-points/{DOOR}")
@requires("unit.manage")
@shows_again(door)
def change(door_id: int) -> Response:
    desk.door(door_id, current_user)
    values = parse(DoorSchema)

    def work() -> Response:
        doors.change(door_id, values, current_user)
        flash(_("Saved."), "good")
        return see_other("unit_doors.index")

    return once(work)


@bp.post(f"/delivery-points/{DOOR}/closing")
@requires("unit.manage")
@shows_again(door)
def close(door_id: int) -> Response:
    def work() -> Response:
        doors.close(door_id, current_user)
        flash(_("Closed. Old orders keep it."), "good")
        return see_other("unit_doors.index")

    return once(work)


# ---- hand-overs -----------------------------------------------------------------------------------------------------


@bp.get("/handovers")
@requires("unit.manage")
def handovers() -> str:
    return render_template("orders/units/handovers.html", found=desk.handovers(current_user, page_number()),
                           people=desk.choices_of_people(current_user), today=clock.today(), labels=labels)


@bp.post("/handovers")
@requires("unit.manage")
@shows_again(handovers)
def hand_over() -> Response:
    values = parse(HandoverSchema)

    def work() -> Response:
        made = handover.plan(values["from_user_id"], values["to_user_id"], values["from_day"], values["reason"],
                             current_user)
        if values["from_user_id"] == current_user.id and values["from_day"] <= clock.today():
            return see_other("account.show")  # whoever handed the unit's keys on is not its manager any more
        return see_other("unit_doors.handover_sheet", handover_id=made)

    return once(work)


@bp.get(f"/handovers/{HANDOVER}")
@requires("unit.manage")
def handover_sheet(handover_id: int) -> str:
    """The record to print and sign (交接单)."""
    return render_template("orders/units/handover_sheet.html", one=handover.own(handover_id, current_user),
                           labels=labels, roles=words.ROLES, history=journal.timeline("handover", handover_id))


@bp.post(f"/handovers/{HANDOVER}/cancellation")
@requires("unit.manage")
@shows_again(handover_sheet)
def call_off(handover_id: int) -> Response:
    def work() -> Response:
        handover.call_off(handover_id, current_user)
        return see_other("unit_doors.handovers")

    return once(work)
