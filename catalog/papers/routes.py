"""The certificate vault's pages: the village desk's papers, and the officials' papers to check."""

from collections.abc import Iterator, Mapping

from flask import Blueprint, Response, flash, render_template, request, url_for
from flask_login import current_user

from catalog import lot_desk
from catalog.papers import keeping, lists, validity
from catalog.papers.kinds import KINDS
from catalog.papers.schemas import PaperSchema, RefusalSchema
from market import journal, uploads
from market.access import Visitor, can, requires
from market.errors import N_
from market.i18n import gettext as _
from market.i18n import ngettext
from market.waiting import Waiting
from market.web import MenuEntry, once, page_number, parse, see_other, shows_again, whole_argument

bp = Blueprint("papers", __name__)

MENU = (MenuEntry("supplier", N_("Papers"), "papers.index", "paper.keep", "certificate", group="keep"),)
OFFICE_MENU = (MenuEntry("office", N_("Papers to check"), "papers.office", "paper.read", "certificate", group="todo"),)
PAPER = "<int(max=999999999999):paper_id>"
STATE_LABELS: Mapping[str, str] = {
    "unchecked": N_("Not yet checked"), "checked": N_("Checked"), "refused": N_("Not accepted"),
}
ACT_LABELS: Mapping[str, str] = {
    "paper.added": N_("Paper added"), "paper.checked": N_("Checked"), "paper.refused": N_("Not accepted"),
}


def waiting_here(visitor: Visitor) -> Iterator[Waiting]:
    """Goods of a supplier that papers keep from sale; papers that an agriculture office has still to check."""
    if can(visitor, "paper.keep"):
        count = lists.blocked_goods(visitor.organisation_id)
        if not count and visitor.organisation_id and validity.own_lacks(visitor.organisation_id):
            yield Waiting(_("Your business licence is missing or has ended: nothing of yours can be ordered."),
                          url_for("papers.new", kind="licence"), overdue=True)
        if count:
            yield Waiting(ngettext("%(num)s of your goods cannot be ordered: a paper is missing or has ended.",
                                   "%(num)s of your goods cannot be ordered: papers are missing or have ended.", count),
                          url_for("papers.index"), overdue=True)
    if can(visitor, "paper.check") and visitor.office_kind == "agriculture":
        count = lists.to_check(visitor)
        if count:
            yield Waiting(ngettext("%(num)s paper waits to be checked.", "%(num)s papers wait to be checked.", count),
                          url_for("papers.office"))


@bp.get("/village/papers")
@requires("paper.keep")
def index() -> str:
    tab = request.args.get("tab", "")
    tab = tab if tab in lists.OWN_TABS else "valid"
    return render_template(
        "catalog/papers/index.html", tab=tab, kinds=KINDS, states=STATE_LABELS, days_left=lists.days_left,
        missing=lists.missing(current_user.organisation_id), most=lists.MOST_SHOWN,
        found=lists.own_papers(current_user.organisation_id, tab, page_number()))


@bp.get("/village/papers/new")
@requires("paper.keep")
def new() -> str:
    asked = {"kind": request.args.get("kind", ""), "product_id": whole_argument("product"),
             "lot_id": whole_argument("lot")}
    return render_template(
        "catalog/papers/new.html", asked=asked, kinds=KINDS, goods=lot_desk.own_goods(current_user.organisation_id),
        lots=lists.lots_to_choose(current_user.organisation_id))


@bp.post("/village/papers")
@requires("paper.keep")
@shows_again(new)
def add() -> Response:
    values, scan = parse(PaperSchema), uploads.needed("file", N_("Please choose a photo or a PDF of the paper."))

    def keep() -> Response:
        paper = keeping.add(values, scan.keep().id, current_user.organisation_id, current_user)
        if validity.counts(paper.id):
            flash(_("The paper is in. It counts from now on; the county's agriculture office will look at it."), "good")
        else:
            flash(_("The paper is in. Since one like it was refused, it counts once the county's agriculture office "
                    "has checked it."), "waiting")
        return see_other("papers.index")

    return once(keep)


@bp.get(f"/village/papers/{PAPER}")
@requires("paper.keep")
def show(paper_id: int) -> str:
    return _page(paper_id, officer=False)


@bp.get("/office/papers")
@requires("paper.read")
def office() -> str:
    tab = request.args.get("tab", "")
    tab = tab if tab in lists.OFFICE_TABS else "to_check"
    return render_template("catalog/papers/office.html", tab=tab, kinds=KINDS, states=STATE_LABELS,
                           days_left=lists.days_left, found=lists.in_area(current_user, tab, page_number()))


@bp.get(f"/office/papers/{PAPER}")
@requires("paper.read")
def examine(paper_id: int) -> str:
    return _page(paper_id, officer=True)


def _page(paper_id: int, officer: bool) -> str:
    paper = lists.one(paper_id, current_user)
    return render_template(
        "catalog/papers/show.html", paper=paper, officer=officer, kinds=KINDS, states=STATE_LABELS, acts=ACT_LABELS,
        days_left=lists.days_left, others=lists.others(paper), history=journal.timeline("paper", paper_id),
        may_decide=officer and can(current_user, "paper.check") and current_user.office_kind == "agriculture")


@bp.post(f"/office/papers/{PAPER}/check")
@requires("paper.check")
@shows_again(examine)
def mark_checked(paper_id: int) -> Response:
    def work() -> Response:
        keeping.mark_checked(paper_id, current_user)
        flash(_("Marked as checked."), "good")
        return see_other("papers.office")

    return once(work)


@bp.post(f"/office/papers/{PAPER}/refusal")
@requires("paper.check")
@shows_again(examine)
def refuse(paper_id: int) -> Response:
    reason = parse(RefusalSchema)["reason"]

    def work() -> Response:
        keeping.refuse(paper_id, reason, current_user)
        flash(_("Refused. The supplier is told why."), "good")
        return see_other("papers.office")

    return once(work)
