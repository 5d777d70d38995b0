"""Capacity: declared and raised at the village desk, answered by the county's agriculture office."""

from collections.abc import Iterator, Mapping
from typing import Any

from flask import Blueprint, Response, current_app, flash, render_template, request, url_for
from flask_login import current_user
from sqlalchemy import select

from catalog import lot_desk, origins
from catalog.capacity import asking, desk
from catalog.capacity.asking import Asked, Season
from catalog.capacity.models import CapacityRequest
from catalog.capacity.schemas import AskSchema, DecideSchema, DeclareSchema
from market import db, uploads
from market.access import Visitor, can, requires
from market.errors import N_, NotFound
from market.i18n import gettext as _
from market.i18n import ngettext
from market.places import Division
from market.waiting import Waiting
from market.web import MenuEntry, once, page_number, parse, see_other, shows_again

bp = Blueprint("capacity", __name__)

MENU = (
    MenuEntry("supplier", N_("Capacity"), "capacity.index", "capacity.declare", "season", group="stock"),
    MenuEntry("office", N_("Capacity"), "capacity.office", "capacity.watch", "season", group="todo"),
)
TAB_LABELS: Mapping[str, str] = {
    "waiting": N_("Not yet answered"), "near": N_("Nearly used up"), "all": N_("All"),
    "none": N_("No capacity approved"),
}
CAPACITY, REQUEST = "<int(max=999999999999):capacity_id>", "<int(max=999999999999):request_id>"


def waiting_here(visitor: Visitor) -> Iterator[Waiting]:
    """Questions the agriculture office has to answer; at the village desk, seasons that are nearly used up."""
    if can(visitor, "capacity.decide") and visitor.office_kind == "agriculture":
        counts = desk.counted(visitor)
        late, open_ = counts["overdue"], counts["waiting"] - counts["overdue"]
        if late:
            yield Waiting(ngettext("%(num)s question about capacity is overdue.",
                                   "%(num)s questions about capacity are overdue.", late),
                          url_for("capacity.office"), overdue=True)
        if open_:
            yield Waiting(ngettext("%(num)s question about capacity waits for an answer.",
                                   "%(num)s questions about capacity wait for an answer.", open_),
                          url_for("capacity.office"))
    if can(visitor, "capacity.declare"):
        near = desk.counted(visitor)["near"]
        if near:
            yield Waiting(ngettext("%(num)s capacity is used up by four fifths or more.",
                                   "%(num)s capacities are used up by four fifths or more.", near),
                          url_for("capacity.index", tab="near"))


# ---- the village desk -----------------------------------------------------------------------------------------------


@bp.get("/village/capacity")
@requires("capacity.declare")
def index() -> str:
    tab = request.args.get("tab", "all")
    tab = tab if tab in desk.TABS else "all"
    return render_template("catalog/capacity/index.html", found=desk.capacities(current_user, tab, page_number()),
                           tab=tab, labels=TAB_LABELS, is_near=desk.is_near)


@bp.get("/village/capacity/new")
@requires("capacity.declare")
def new() -> str:
    return render_template(
        "catalog/capacity/declare.html", goods=lot_desk.own_goods(current_user.organisation_id),
        villages=origins.villages_of_supplier(current_user.organisation_id), most_photos=asking.MOST_PHOTOS,
        seasons=desk.own_seasons(current_user.organisation_id), values=request.args)


@bp.post("/village/capacity")
@requires("capacity.declare")
@shows_again(new)
def declare() -> Response:
    values, photos = parse(DeclareSchema), uploads.pictures("photos", asking.MOST_PHOTOS)

    def work() -> Response:
        season = Season(values["season"], values["first_day"], values["last_day"])
        row = asking.declare(values["product_id"], _village_id(values["village"]), season, _asked(values),
                             [photo.keep().id for photo in photos], _sold_grams(), current_user)
        flash(_("Declared. The county's agriculture office answers by %(day)s.", day=row.due_on.isoformat()), "good")
        return see_other("capacity.show", capacity_id=row.village_capacity_id)

    return once(work)


@bp.get(f"/village/capacity/{CAPACITY}")
@requires("capacity.declare")
def show(capacity_id: int) -> str:
    story = desk.story(capacity_id, current_user)
    return render_template("catalog/capacity/show.html", story=story, row=story.capacity, officer=False,
                           may_decide=False, is_near=desk.is_near, most_photos=asking.MOST_PHOTOS)


@bp.post(f"/village/capacity/{CAPACITY}/raise")
@requires("capacity.declare")
@shows_again(show)
def ask_for_more(capacity_id: int) -> Response:
    desk.story(capacity_id, current_user)  # somebody else's is unknown, whatever the form says
    values, photos = parse(AskSchema), uploads.pictures("photos", asking.MOST_PHOTOS)

    def work() -> Response:
        row = asking.ask_for_more(capacity_id, _asked(values), [photo.keep().id for photo in photos], current_user)
        flash(_("Asked. The county's agriculture office answers by %(day)s.", day=row.due_on.isoformat()), "good")
        return see_other("capacity.show", capacity_id=capacity_id)

    return once(work)


# ---- the officials' desk --------------------------------------------------------------------------------------------


@bp.get("/office/capacity")
@requires("capacity.watch")
def office() -> str:
    tab = request.args.get("tab", "waiting")
    tab = tab if tab in desk.TABS else "waiting"
    return render_template("catalog/capacity/office.html", found=desk.capacities(current_user, tab, page_number()),
                           tab=tab, labels=TAB_LABELS, is_near=desk.is_near)


@bp.get(f"/office/capacity/{CAPACITY}")
@requires("capacity.watch")
def examine(capacity_id: int) -> str:
    story = desk.story(capacity_id, current_user)
    may_decide = can(current_user, "capacity.decide") and current_user.office_kind == "agriculture"
    return render_template("catalog/capacity/show.html", story=story, row=story.capacity, officer=True,
                           may_decide=may_decide, is_near=desk.is_near, most_photos=asking.MOST_PHOTOS)


@bp.post(f"/office/capacity/{CAPACITY}/answers")
@requires("capacity.decide")
@shows_again(examine)
def decide(capacity_id: int) -> Response:
    """Answer the open question of a village's capacity."""
    question = desk.story(capacity_id, current_user).open
    values = parse(DecideSchema)

    def work() -> Response:
        if question is None:
            raise asking.NothingOpen()
        granted = (values["grams"] or question.asked_grams) if values["decision"] == "approved" else None
        asking.decide(question.id, granted, values["reason"], _sold_grams(), current_user)
        flash(_("Answered. The co-operative is told."), "good")
        return see_other("capacity.examine", capacity_id=capacity_id)

    return once(work)


@bp.get(f"/capacity/requests/{REQUEST}")
@requires("capacity.read")
def of_request(request_id: int) -> Response:
    """From a piece of news to the page of the capacity, on the reader's own desk."""
    capacity_id = db.session().scalar(
        select(CapacityRequest.village_capacity_id).where(CapacityRequest.id == request_id))
    if capacity_id is None:
        raise NotFound()
    desk.story(capacity_id, current_user)
    office = current_user.organisation_kind == "office"
    return see_other("capacity.examine" if office else "capacity.show", capacity_id=capacity_id)


# ---- forms ----------------------------------------------------------------------------------------------------------


def _asked(values: Mapping[str, Any]) -> Asked:
    return Asked(values["grams"], values["basis"], values["area"], values["yield_per_mu"])


def _village_id(code: str) -> int:
    """A village the co-operative may name, by its code."""
    if code not in origins.villages_of_supplier(current_user.organisation_id or 0):
        raise NotFound()
    return db.session().scalars(select(Division.id).where(Division.code == code, Division.valid_to.is_(None))).one()


def _sold_grams() -> asking.SoldGrams:
    """What the orders say has been sold; wsgi.py hands it in."""
    sold: asking.SoldGrams = current_app.extensions["sijin_sold_grams"]
    return sold
