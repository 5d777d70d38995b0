"""A co-operative's own side: the card of one of its members, by name, with only what the co-operative itself paid."""

from typing import Any

from flask import Blueprint
from flask_login import current_user

from market import db, downloads
from market.access import requires
from market.errors import NotFound
from market.web import whole_argument
from orders.households import cards, tables, years
from orders.households.routes import HOUSEHOLD, page, sheet

bp = Blueprint("member_cards", __name__, url_prefix="/village/members")


@bp.get(f"/{HOUSEHOLD}/card")
@requires("member.manage")
def show(household_id: int) -> Any:
    return show_as(household_id, "page")


@bp.get(f"/{HOUSEHOLD}/card.<kind>")
@requires("member.manage")
def show_as(household_id: int, kind: str) -> Any:
    """The same to print, as CSV and XLSX."""
    with db.snapshot():
        card = cards.of_member(household_id, years.shown(whole_argument("year")), current_user)
    name = card.household.head_name
    if kind in downloads.CONTENT_TYPES:
        return downloads.table(tables.card(card, name), f"member-card-{household_id}-{card.year}", kind)
    if kind == "print":
        return sheet(card, name)
    if kind != "page":
        raise NotFound()
    return page(card, name)
