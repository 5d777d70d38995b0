"""The offices' side of entry: applications to decide, overdue ones, the register of suppliers."""

from collections.abc import Iterator
from typing import Any

from flask import Blueprint, Response, flash, render_template, request, url_for
from flask_login import current_user
from sqlalchemy import select

from catalog.entry import area, contents, labels, lists, standing, steps
from catalog.entry.models import ApplicationLinkage, ApplicationPaper, EntryStep
from catalog.entry.schemas import DecisionSchema, StandingSchema
from market import db, journal
from market.access import Visitor, can, requires
from market.errors import N_, NotFound
from market.file_routes import send
from market.files import StoredFile
from market.i18n import gettext as _
from market.i18n import ngettext
from market.menus import MenuEntry
from market.waiting import Waiting
from market.web import once, page_number, parse, see_other, shows_again, whole_argument

bp = Blueprint("entry_office", __name__, url_prefix="/office")

DESK = {"operator_system": "entry_office.index"}
MENU = (
    MenuEntry("office", N_("Applications"), "entry_office.index", "entry.read", "contract", group="todo"),
    MenuEntry("office", N_("Suppliers"), "entry_office.suppliers", "entry.read", "handshake", group="look"),
)
APPLICATION = "<int(max=999999999999):application_id>"
SUPPLIER = "<int(max=999999999999):supplier_id>"
LONGEST_QUERY = 40
SAID = {"passed": N_("Passed on."), "returned": N_("Sent back to the applicant."), "refused": N_("Refused.")}


def waiting_here(visitor: Visitor) -> Iterator[Waiting]:
    """Applications that the visitor's office has to decide; for the city also what is overdue anywhere."""
    if not can(visitor, "entry.read"):
        return
    waits = lists.open_steps(visitor)
    own_late, late = waits.mine_overdue, waits.area_overdue
    if can(visitor, "entry.decide") and waits.mine:
        text = ngettext("%(num)s application waits for your decision.", "%(num)s applications wait for your decision.",
                        waits.mine)
        if own_late:
            text = ngettext("%(num)s application is overdue at your office.",
                            "%(num)s applications are overdue at your office.", own_late)
        yield Waiting(text, url_for("entry_office.index"), overdue=bool(own_late))
    if visitor.office_kind in ("city", "platform") and late:
        yield Waiting(ngettext("%(num)s application is overdue at an office.",
                               "%(num)s applications are overdue at offices.", late),
                      url_for("entry_office.index", tab="overdue"), overdue=True)


# ---- applications ---------------------------------------------------------------------------------------------------


@bp.get("/applications")
@requires("entry.read")
def index() -> Any:
    if step_id := whole_argument("step"):  # the way from a piece of news
        return _to_application(step_id)
    decides = can(current_user, "entry.decide")
    tab = request.args.get("tab", "mine" if decides else "all")
    tab = tab if tab in lists.TABS else "all"
    query = request.args.get("q", "").strip()[:LONGEST_QUERY]
    return render_template(
        "catalog/entry/office_list.html", tab=tab, query=query, labels=labels, decides=decides,
        found=lists.applications(current_user, tab, query, page_number()), counts=lists.open_steps(current_user),
        address=lambda page: url_for("entry_office.index", tab=tab, q=query or None, page=page))


def _to_application(step_id: int) -> Response:
    found = db.session().scalar(select(EntryStep.application_id).where(EntryStep.id == step_id))
    if found is None:
        raise NotFound()
    return see_other("entry_office.application", application_id=area.application_in_area(found, current_user).id)


@bp.get(f"/applications/{APPLICATION}")
@requires("entry.read")
def application(application_id: int) -> str:
    found = area.application_in_area(application_id, current_user)
    said = contents.read(found)
    taken = lists.steps_of([application_id])[application_id]
    own = next((row for row in taken if row.decision is None and row.office_id == current_user.organisation_id), None)
    decides = own is not None and can(current_user, "entry.decide")
    return render_template(
        "catalog/entry/office_show.html", said=said, application=found, labels=labels, steps=taken,
        newest=lists.newest(taken), path=steps.path_of(found), own=own if decides else None,
        bound=decides and steps.is_bound(found, own.step, current_user) if own else False,
        history=journal.timeline("application", application_id))


@bp.post(f"/applications/{APPLICATION}/decision")
@requires("entry.decide")
@shows_again(application)
def decide(application_id: int) -> Response:
    area.application_to_decide(application_id, current_user)
    values = parse(DecisionSchema)

    def work() -> Response:
        said = steps.decide(application_id, values, current_user)
        flash(_(SAID[said]), "good" if said == "passed" else "waiting")
        return see_other("entry_office.index")

    return once(work)


@bp.get(f"/applications/{APPLICATION}/papers/<int(max=999999999999):file_id>")
@requires("entry.read")
def paper(application_id: int, file_id: int) -> Response:
    """A paper of an application, for the offices that examine it."""
    found = area.application_in_area(application_id, current_user)
    own = select(ApplicationPaper.file_id).where(ApplicationPaper.application_id == found.id).union(
        select(ApplicationLinkage.file_id).where(ApplicationLinkage.application_id == found.id))
    stored = db.session().scalar(select(StoredFile).where(StoredFile.id == file_id, StoredFile.id.in_(own)))
    if stored is None:
        raise NotFound()
    return send(stored)


# ---- suppliers ------------------------------------------------------------------------------------------------------


@bp.get("/suppliers")
@requires("entry.read")
def suppliers() -> str:
    status = request.args.get("status")
    status = status if status in ("active", "suspended", "left") else None
    query = request.args.get("q", "").strip()[:LONGEST_QUERY]
    found, recommended = lists.suppliers(current_user, status, query, page_number())
    return render_template(
        "catalog/entry/suppliers.html", status=status, query=query, labels=labels, found=found, recommended=recommended,
        address=lambda page: url_for("entry_office.suppliers", status=status, q=query or None, page=page))


@bp.get(f"/suppliers/{SUPPLIER}")
@requires("entry.read")
def supplier(supplier_id: int) -> str:
    found = standing.supplier_in_area(supplier_id, current_user)
    return render_template(
        "catalog/entry/supplier.html", supplier=found, labels=labels, standings=standing.history(supplier_id),
        recommended=lists.recommendations([supplier_id]).get(supplier_id, []),
        application_id=lists.application_of(supplier_id),
        may_change=can(current_user, "supplier.suspend") and current_user.office_kind in standing.OFFICES)


@bp.post(f"/suppliers/{SUPPLIER}/standing")
@requires("supplier.suspend")
@shows_again(supplier)
def stand(supplier_id: int) -> Response:
    standing.supplier_in_area(supplier_id, current_user)
    values = parse(StandingSchema)

    def work() -> Response:
        standing.change(supplier_id, values, current_user)
        flash(_("It is on record."), "good")
        return see_other("entry_office.supplier", supplier_id=supplier_id)

    return once(work)
