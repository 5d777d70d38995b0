"""Places administration: an official keeps the villages of their county or city, with dates and reasons."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, current_app, flash, render_template, request
from flask_login import current_user
from marshmallow import fields

from market import clock, journal, place_desk, villages, words
from market.access import requires
from market.errors import N_
from market.i18n import gettext as _
from market.schemas import Day, Input, Whole, Words
from market.web import MenuEntry, once, page_number, parse, see_other, shows_again, whole_argument

bp = Blueprint("places", __name__, url_prefix="/office/places")

MENU = (MenuEntry("office", N_("Villages"), "places.index", "place.manage", "village", group="keep"),)
ACT_LABELS: Mapping[str, str] = {
    "village.added": N_("Added"), "village.renamed": N_("Renamed"), "village.merged": N_("Merged"),
    "village.retired": N_("Retired"), "village.designated": N_("Designation set"),
}
VILLAGE = "<int(max=999999999999):village_id>"
LONGEST_QUERY = 40


class VillageSchema(Input):
    """A new village."""

    township_id = Whole(required=True)
    name = Words(required=True, longest=40)
    code = Words(required=True, longest=12)
    day = Day(required=True)
    reason = Words(required=True, longest=200)


class RenameSchema(Input):
    """Another name from a day on."""

    name = Words(required=True, longest=40)
    day = Day(required=True)
    reason = Words(required=True, longest=200)


class MergeSchema(RenameSchema):
    """Which villages join this one."""

    villages = fields.List(Whole(), required=True, data_key="villages[]")


class RetireSchema(Input):
    """The end of a village."""

    day = Day(required=True)
    reason = Words(required=True, longest=200)


class DesignationSchema(Input):
    """Whether a village is a designated one in a year, and by which paper."""

    year = Whole(required=True, low=2014, high=2099)
    designated = fields.Boolean(load_default=False)
    source = Words(required=True, longest=200)


@bp.get("")
@requires("place.manage")
def index() -> str:
    query = request.args.get("q", "").strip()[:LONGEST_QUERY]
    closed = request.args.get("closed") == "1"
    return render_template("market/places/index.html", query=query, closed=closed,
                           found=place_desk.villages(current_user, query, closed, page_number()))


@bp.get("/new")
@requires("place.manage")
def new() -> str:
    return render_template("market/places/new.html", townships=place_desk.townships(current_user))


@bp.post("")
@requires("place.manage")
@shows_again(new)
def create() -> Response:
    values = parse(VillageSchema)

    def work() -> Response:
        village = villages.add(**values, by=current_user)
        return see_other("places.show", village_id=village.id)

    return once(work)


@bp.get(f"/{VILLAGE}")
@requires("place.manage")
def show(village_id: int) -> str:
    year = _year()
    story = place_desk.story(village_id, year, current_user)
    return render_template(
        "market/places/show.html", story=story, village=story.village, classes=words.HOUSEHOLD_CLASSES, acts=ACT_LABELS,
        neighbours=place_desk.neighbours(story.village), history=journal.timeline("village", village_id))


@bp.get(f"/{VILLAGE}/households")
@requires("place.manage")
def households(village_id: int) -> str:
    """Households by class; names are masked, register codes are not."""
    year, chosen = _year(), request.args.get("class")
    chosen = chosen if chosen in words.HOUSEHOLD_CLASSES else None
    story = place_desk.story(village_id, year, current_user)
    return render_template("market/places/households.html", story=story, village=story.village, chosen=chosen,
                           classes=words.HOUSEHOLD_CLASSES,
                           found=place_desk.households(village_id, year, chosen, page_number()))


@bp.post(f"/{VILLAGE}/name")
@requires("place.manage")
@shows_again(show)
def rename(village_id: int) -> Response:
    values = parse(RenameSchema)

    def work() -> Response:
        new_one = villages.rename(village_id, **values, by=current_user, followers=_followers())
        flash(_("Renamed. Past papers keep the old name."), "good")
        return see_other("places.show", village_id=new_one.id)

    return once(work)


@bp.post(f"/{VILLAGE}/merger")
@requires("place.manage")
@shows_again(show)
def merge(village_id: int) -> Response:
    values = parse(MergeSchema)

    def work() -> Response:
        new_one = villages.merge([village_id, *values["villages"]], values["name"], values["day"], values["reason"],
                                 current_user, _followers())
        flash(_("Merged. Past papers keep the old names."), "good")
        return see_other("places.show", village_id=new_one.id)

    return once(work)


@bp.post(f"/{VILLAGE}/retirement")
@requires("place.manage")
@shows_again(show)
def retire(village_id: int) -> Response:
    values = parse(RetireSchema)

    def work() -> Response:
        villages.retire(village_id, values["day"], values["reason"], current_user)
        return see_other("places.show", village_id=village_id)

    return once(work)


@bp.post(f"/{VILLAGE}/designation")
@requires("place.manage")
@shows_again(show)
def designate(village_id: int) -> Response:
    values = parse(DesignationSchema)

    def work() -> Response:
        villages.designate(village_id, values["year"], values["designated"], values["source"], current_user)
        return see_other("places.show", village_id=village_id)

    return once(work)


def _followers() -> Any:
    """What of the higher storeys moves on with a village; wsgi.py hands it in."""
    return current_app.extensions["sijin_place_followers"]


def _year() -> int:
    """The year asked for, this one where none is."""
    year = whole_argument("year")
    return year if year and 2014 <= year <= 2099 else clock.today().year
