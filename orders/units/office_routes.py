"""New units at the office that lets them in: the county's finance or revitalisation office, else the city."""

from collections.abc import Iterator

from flask import Blueprint, Response, render_template, request, url_for
from flask_login import current_user

from market import journal, words
from market.access import Visitor, can, requires
from market.errors import N_
from market.i18n import ngettext
from market.menus import MenuEntry
from market.waiting import Waiting
from market.web import once, page_number, parse, shows_again
from orders.units import desk, labels
from orders.units.models import STATES
from orders.units.routes import decided
from orders.units.schemas import AdmissionSchema

bp = Blueprint("unit_office", __name__, url_prefix="/office/units")

MENU = (MenuEntry("office", N_("New buying units"), "unit_office.index", "unit.admit", "office", group="todo"),)
APPLICATION = "<int(max=999999999999):application_id>"


def waiting_here(visitor: Visitor) -> Iterator[Waiting]:
    """Units that this office has to let in before they may order."""
    if can(visitor, "unit.admit") and (count := desk.waiting_applications(visitor)):
        yield Waiting(ngettext("%(num)s new buying unit waits to be admitted.",
                               "%(num)s new buying units wait to be admitted.", count),
                      url_for("unit_office.index"))


@bp.get("")
@requires("unit.admit")
def index() -> str:
    state = request.args.get("state", "waiting")
    state = state if state in STATES else "waiting"
    return render_template("orders/units/office_list.html", state=state, labels=labels, types=words.UNIT_TYPES,
                           found=desk.applications(current_user, state, page_number()))


@bp.get(f"/{APPLICATION}")
@requires("unit.admit")
def application(application_id: int) -> str:
    one = desk.application(application_id, current_user)
    return render_template("orders/units/office_show.html", one=one, labels=labels, types=words.UNIT_TYPES,
                           history=journal.timeline("organisation", one.unit_id)[-8:])


@bp.post(f"/{APPLICATION}/admission")
@requires("unit.admit")
@shows_again(application)
def decide(application_id: int) -> Response:
    desk.application(application_id, current_user)
    values = parse(AdmissionSchema)
    return once(lambda: decided(application_id, values, "unit_office.index"))
