"""Keeping the register: a household entered or corrected, its class said, changes of class decided, tables."""

from collections.abc import Callable, Iterator
from typing import Any

from flask import Blueprint, Response, flash, render_template, request, url_for
from flask_login import current_user

from catalog.importing import routes as importing
from catalog.importing.routes import Desk
from market import words
from market.access import Visitor, can, requires
from market.errors import N_
from market.i18n import gettext as _
from market.i18n import ngettext
from market.waiting import Waiting
from market.web import MenuEntry, once, page_number, parse, see_other, shows_again
from orders.households import cards, classes, register
from orders.households import words as own
from orders.households.classes import Said
from orders.households.routes import HOUSEHOLD, show
from orders.households.schemas import (
    ChangesSchema,
    ClassSchema,
    CorrectionSchema,
    RefusalSchema,
    RegisterSchema,
)
from orders.households.sheet import KINDS
from orders.reports.readers import area_of, choices, reader_of

bp = Blueprint("register", __name__, url_prefix="/office/households")
changes_bp = Blueprint("household_classes", __name__, url_prefix="/office/household-classes")
DESK = Desk("household_imports", "/office/household-tables", "household.classify", KINDS)
imports_bp: Any = importing.blueprint(DESK)

MENU = (
    MenuEntry("office", N_("Classes of households"), "household_classes.index", "household.classify", "list",
              group="people"),
)
CHANGE = "<int(max=999999999999):change_id>"
TABS = ("waiting", "confirmed", "refused", "set")


def waiting_here(visitor: Visitor) -> Iterator[Waiting]:
    """Changes of class that a second person has to confirm, and checked tables."""
    if can(visitor, "household.classify") and (count := classes.waiting_for(visitor)):
        yield Waiting(ngettext("%(num)s change of a household's class waits for a second person.",
                               "%(num)s changes of households' classes wait for a second person.", count),
                      url_for("household_classes.index"))
    yield from importing.waiting_at(visitor, DESK)


# ---- one household --------------------------------------------------------------------------------------------------


@bp.get("/new")
@requires("household.keep")
def new() -> str:
    reader = reader_of(current_user, "household.keep")
    where = area_of(reader, None, request.args.get("township"), None).where
    narrow = where.township_id is not None or where.village_ids is not None
    return render_template("orders/households/new.html", villages=register.villages(where) if narrow else (),
                           township=request.args.get("township", ""), townships=choices(reader, None)[1],
                           narrow=narrow)


@bp.post("")
@requires("household.keep")
@shows_again(new)
def enter() -> Response:
    values = parse(RegisterSchema)

    def work() -> Response:
        household_id = register.enter(values, current_user)
        flash(_("Entered in the register."), "good")
        return see_other("households.show", household_id=household_id)

    return once(work)


@bp.post(f"/{HOUSEHOLD}/facts")
@requires("household.keep")
@shows_again(show)
def correct(household_id: int) -> Response:
    cards.need_in_area(household_id, current_user)  # somebody else's is unknown, whatever the form says
    values = parse(CorrectionSchema)

    def work() -> Response:
        register.correct(household_id, values, current_user)
        flash(_("Corrected. Income of before stays where it was."), "good")
        return see_other("households.show", household_id=household_id)

    return once(work)


@bp.post(f"/{HOUSEHOLD}/class")
@requires("household.classify")
@shows_again(show)
def classify(household_id: int) -> Response:
    cards.need_in_area(household_id, current_user)
    values = parse(ClassSchema)

    def work() -> Response:
        state = classes.say(Said(household_id, **values), current_user)
        flash(_("Set.") if state == "set" else _("Proposed. It holds once a second person confirms it."), "good")
        return see_other("households.show", household_id=household_id)

    return once(work)


# ---- changes of class -----------------------------------------------------------------------------------------------


@changes_bp.get("")
@requires("household.classify")
def index() -> str:
    tab = request.args.get("tab", "waiting")
    tab = tab if tab in TABS else "waiting"
    return render_template(
        "orders/households/changes.html", tab=tab, tabs=TABS, states=own.CHANGE_STATES,
        classes=words.HOUSEHOLD_CLASSES, found=classes.changes(current_user, tab, page_number()))


@changes_bp.post("/confirmations")
@requires("household.classify")
@shows_again(index)
def confirm() -> Response:
    values = parse(ChangesSchema)
    return once(lambda: _then(classes.confirm, values["changes"]))


@changes_bp.post(f"/{CHANGE}/refusal")
@requires("household.classify")
@shows_again(lambda change_id: index())
def refuse(change_id: int) -> Response:
    classes.need_in_area(change_id, current_user)
    values = parse(RefusalSchema)
    return once(lambda: _then(classes.refuse, change_id, values["reason"]))


def _then(act: Callable[..., None], *about: Any) -> Response:
    act(*about, current_user)
    flash(_("Noted."), "good")
    return see_other("household_classes.index")


