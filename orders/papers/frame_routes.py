"""Frame contracts: drafted by either side, signed by both with a scan, their orders as call-offs."""

from collections.abc import Mapping

from flask import Blueprint, Response, flash, render_template, url_for
from flask_login import current_user

from market import clock, uploads
from market.access import can, requires
from market.errors import N_
from market.i18n import gettext as _
from market.web import once, page_number, parse, see_other, shows_again
from orders.papers import frame_lists, frames, printing
from orders.papers.models import USUAL_PAYMENT_DAYS
from orders.papers.routes import as_file, shown
from orders.papers.schemas import FrameSchema, ReasonSchema

bp = Blueprint("frames", __name__, url_prefix="/documents/frames")

CONTRACT = "<int(max=999999999999):contract_id>"
STATE_LABELS: Mapping[str, str] = {"drafted": N_("To sign"), "signed": N_("Signed"), "ended": N_("Ended")}


@bp.get("")
@requires("trade_paper.read")
def index() -> str:
    may = _may_keep()
    return render_template(
        "orders/papers/frames.html", found=frame_lists.contracts(current_user, page_number()), labels=STATE_LABELS,
        may_draft=may, partners=frame_lists.partners(current_user) if may else [], year=clock.today().year,
        payment_days=USUAL_PAYMENT_DAYS, price_rule=_(frames.PRICE_RULE),
        address=lambda page: url_for("frames.index", page=page))


@bp.post("")
@requires("frame.keep")
@shows_again(index)
def draft() -> Response:
    values = parse(FrameSchema)

    def work() -> Response:
        made = frames.draft(frames.Draft(**values), current_user)
        flash(_("Drafted. Print it, let both sides seal it, and file the scans."), "good")
        return see_other("frames.show", contract_id=made.id)

    return once(work)


@bp.get(f"/{CONTRACT}")
@requires("trade_paper.read")
def show(contract_id: int) -> str:
    found = frame_lists.contract(contract_id, current_user)
    own = current_user.organisation_id in (found.unit_id, found.supplier_id)
    return render_template(
        "orders/papers/frame.html", contract=found, orders=frame_lists.call_offs(contract_id), labels=STATE_LABELS,
        may_keep=own and _may_keep())


@bp.get(f"/{CONTRACT}/contract.pdf")
@requires("trade_paper.read")
def pdf(contract_id: int) -> Response:
    found = frame_lists.contract(contract_id, current_user)
    return shown(printing.frame_contract(contract_id, current_user), found.number)


@bp.get(f"/{CONTRACT}/scans/<side>")
@requires("trade_paper.read")
def scan(contract_id: int, side: str) -> Response:
    return as_file(frame_lists.scan(contract_id, side, current_user))


@bp.post(f"/{CONTRACT}/signature")
@requires("frame.keep")
@shows_again(show)
def sign(contract_id: int) -> Response:
    """The scan with one's own seal."""
    frame_lists.contract(contract_id, current_user)
    paper = uploads.needed("scan")

    def work() -> Response:
        row = frames.sign(contract_id, paper.keep().id, current_user)
        flash(_("Both sides have signed; the contract holds.") if row.state == "signed"
              else _("Filed. The other side's scan is still missing."), "good")
        return see_other("frames.show", contract_id=contract_id)

    return once(work)


@bp.post(f"/{CONTRACT}/end")
@requires("frame.keep")
@shows_again(show)
def end(contract_id: int) -> Response:
    frame_lists.contract(contract_id, current_user)
    reason = parse(ReasonSchema)["reason"]

    def work() -> Response:
        frames.end(contract_id, reason, current_user)
        flash(_("The frame contract has ended. Orders placed under it go on."), "info")
        return see_other("frames.show", contract_id=contract_id)

    return once(work)


def _may_keep() -> bool:
    return can(current_user, "frame.keep") and current_user.organisation_kind in ("unit", "supplier")
