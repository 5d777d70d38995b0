"""Recalls: ordered by the co-operative's manager or the county's agriculture office, read by whoever they concern."""

from collections.abc import Iterator
from typing import Any

from flask import Blueprint, Response, flash, render_template, request, url_for
from flask_login import current_user

from catalog.tracing import recall
from market import downloads, sheets, words
from market.access import Visitor, can, requires
from market.errors import N_, NotFound
from market.i18n import gettext as _
from market.i18n import ngettext
from market.schemas import Input, Words
from market.waiting import Waiting
from market.web import MenuEntry, once, page_number, parse, see_other, shows_again
from orders.delivering import recall as reach

bp = Blueprint("recalls", __name__)

MENU = tuple(MenuEntry(door, N_("Recalls"), "recalls.index", "recall.read", "warning", group=group)
             for door, group in (("supplier", "stock"), ("office", "look"), ("unit", "look")))
RECALL = "<int(max=999999999999):recall_id>"


HEADINGS = ((N_("Lot"), "code"), (N_("Goods"), "text"), (N_("Unit"), "text"), (N_("Order"), "code"),
            (N_("Delivery"), "text"), (N_("Packed"), "grams"), (N_("Accepted"), "grams"), (N_("Sent back"), "grams"),
            (N_("State"), "text"), (N_("Phone"), "code"))


def waiting_here(visitor: Visitor) -> Iterator[Waiting]:
    """Orders of a co-operative that were promised a lot recalled since and are still to be packed."""
    if can(visitor, "order.ship"):
        orders = reach.orders_to_fill(visitor)
        if orders:
            yield Waiting(ngettext("%(num)s order was promised goods of a recalled lot: pack it from another lot.",
                                   "%(num)s orders were promised goods of a recalled lot: pack them from other lots.",
                                   orders), url_for("recalls.index"), overdue=True)


class RecallSchema(Input):
    """Which lot, and why."""

    code = Words(longest=24, required=True)
    reason = Words(longest=300, required=True)


@bp.get("/recalls")
@requires("recall.read")
def index() -> str:
    """What was recalled; whoever may recall a lot does it here, after seeing how far it has come."""
    code = (request.values.get("lot") or request.form.get("code") or "").strip()[:24]
    may = _address()
    lot = recall.to_recall(code, current_user) if may and code else None
    return render_template(
        "orders/recalls/index.html", found=reach.recalls(current_user, page_number()), code=code, lot=lot, post_to=may,
        would=reach.would_reach(lot.id) if lot else None)


def _address() -> str | None:
    """Where this person's recall goes to, None for who may not recall anything."""
    if can(current_user, "lot.recall"):
        return url_for("recalls.by_supplier")
    return url_for("recalls.by_office") if (
        can(current_user, "lot.recall_any") and current_user.office_kind in recall.OFFICES) else None


@bp.post("/village/recalls")
@requires("lot.recall")
@shows_again(index)
def by_supplier() -> Response:
    return _recall()


@bp.post("/office/recalls")
@requires("lot.recall_any")
@shows_again(index)
def by_office() -> Response:
    return _recall()


def _recall() -> Response:
    values = parse(RecallSchema)

    def work() -> Response:
        made = recall.recall(values["code"], values["reason"], current_user)
        flash(_("Recalled. Whoever received these goods is being told."), "good")
        return see_other("recalls.show", recall_id=made.id)

    return once(work)


@bp.get(f"/recalls/{RECALL}")
@requires("recall.read")
def show(recall_id: int) -> str:
    """To the co-operative and the offices: how far it came. To a unit: what it has received itself."""
    facts = reach.one(recall_id, current_user)
    unit_id = current_user.organisation_id if current_user.organisation_kind == "unit" else None
    rows = reach.reached(recall_id, unit_id)
    whole = unit_id is None
    return render_template(
        "orders/recalls/show.html", recall=facts, rows=rows, whole=whole,
        lots=recall.lots_of(recall_id) if whole else [], told=reach.told_at(recall_id) if whole else {},
        waiting=reach.still_to_fill(recall_id) if whole else [],
        receivers=reach.receivers(sorted({row.unit_id for row in rows})) if whole else {}, words=words)


@bp.get(f"/recalls/{RECALL}.<kind>")
@requires("recall.read")
def download(recall_id: int, kind: str) -> Response:
    """The same rows as a table."""
    facts = reach.one(recall_id, current_user)
    if kind not in downloads.CONTENT_TYPES:
        raise NotFound()
    unit_id = current_user.organisation_id if current_user.organisation_kind == "unit" else None
    table = _table(facts, reach.reached(recall_id, unit_id))
    return downloads.table(table, f"recall-{facts.number}", kind)


def _table(facts: Any, rows: Any) -> sheets.Table:
    return sheets.Table(
        [sheets.Heading(_(heading), kind) for heading, kind in HEADINGS],
        [[row.code, row.product_name, row.unit_name, row.number, row.delivery_day.isoformat(), row.packed_grams,
          row.accepted_grams, row.returned_grams, _(words.ORDER_STATES[row.state]), row.unit_phone] for row in rows],
        above=[_("Recall %(number)s of lot %(lot)s", number=facts.number, lot=facts.code), facts.reason])
