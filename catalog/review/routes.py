"""The county's review of listings: the queue, one screen for each, approve or send back; the way for a supplier."""

from collections.abc import Iterator

from flask import Blueprint, Response, flash, render_template, request, url_for
from flask_login import current_user

from catalog import products
from catalog.review import decisions, desk, listing, outliers
from catalog.review.decisions import REASONS
from catalog.review.labels import DECISION_LABELS
from catalog.review.references import OFFICES
from catalog.review.rules import FINDINGS
from catalog.review.schemas import ApprovalSchema, ReturnSchema
from catalog.schemas import UNITS_EN
from market import clock, money
from market.access import Visitor, can, requires
from market.errors import N_
from market.i18n import gettext as _
from market.i18n import ngettext
from market.waiting import Waiting
from market.web import MenuEntry, once, page_number, parse, see_other, shows_again
from market.working_days import working_days_after

bp = Blueprint("review", __name__)

MENU = (MenuEntry("office", N_("Listings"), "review.queue", "listing.review", "leaf", group="todo"),)
KIND_LABELS = {"new": N_("New"), "edit": N_("Change"), "taken_off": N_("Taken off the shelf")}
FACTS = {
    "name": N_("Name of the goods"), "name_en": N_("Name in English"), "category": N_("Shelf"),
    "village": N_("Village"), "aliases": N_("Other names"), "description": N_("Description"),
    "description_en": N_("Description in English"), "supply": N_("Kind of supply"), "unit": N_("Sales unit"),
    "grams_per_unit": N_("Weight of one unit"), "minimum_milli": N_("Smallest order"),
    "step_milli": N_("In steps of"), "harvest_months": N_("Months of harvest"),
    "daily_capacity_milli": N_("What a usual day yields"), "picture": N_("Drawing"), "price_fen": N_("Price"),
    "photo_id": N_("Photo"),
}
REVIEW = "<int(max=999999999999):review_id>"


def waiting_here(visitor: Visitor) -> Iterator[Waiting]:
    """For the county: listings and outliers that wait. For a co-operative: goods that were sent back."""
    if can(visitor, "listing.review") and visitor.office_kind in OFFICES:
        count, since = desk.waiting(visitor)
        if since is not None:
            yield Waiting(ngettext("%(num)s listing waits for the county to look at it.",
                                   "%(num)s listings wait for the county to look at them.", count),
                          url_for("review.queue"), working_days_after(since, desk.DUE_DAYS) < clock.today())
        count, late = outliers.waiting(visitor)
        if count:
            yield Waiting(ngettext("%(num)s price far above like goods has to be explained or agreed.",
                                   "%(num)s prices far above like goods have to be explained or agreed.", count),
                          url_for("prices.outliers_"), bool(late))
    if can(visitor, "goods.manage"):
        count = desk.returned(visitor.organisation_id)
        if count:
            yield Waiting(ngettext("%(num)s of your goods was sent back by the county.",
                                   "%(num)s of your goods were sent back by the county.", count),
                          url_for("village.goods", state="returned"))


@bp.get("/office/listings")
@requires("listing.review")
def queue() -> str:
    tab = "decided" if request.args.get("tab") == "decided" else "waiting"
    return render_template("catalog/review/queue.html", found=desk.queue(current_user, tab, page_number()), tab=tab,
                           kinds=FINDINGS, labels=DECISION_LABELS, kind_labels=KIND_LABELS, days_since=_days_since,
                           due_days=desk.DUE_DAYS)


@bp.get(f"/office/listings/{REVIEW}")
@requires("listing.review")
def examine(review_id: int) -> str:
    story = desk.story(review_id, current_user)
    return render_template(
        "catalog/review/examine.html", story=story, review=story.review, product=story.product, wanted=story.wanted,
        kinds=FINDINGS, labels=DECISION_LABELS, kind_labels=KIND_LABELS, reasons=REASONS, facts=FACTS,
        units=UNITS_EN, days_since=_days_since, may_decide=current_user.office_kind in OFFICES,
        price_of_kg=money.price_of_kg)


@bp.post(f"/office/listings/{REVIEW}/approval")
@requires("listing.review")
@shows_again(examine)
def approve(review_id: int) -> Response:
    values = parse(ApprovalSchema)

    def work() -> Response:
        decisions.approve(review_id, current_user, values["remark"])
        flash(_("Approved. The co-operative is told."), "good")
        return _onward(review_id)

    return once(work)


@bp.post(f"/office/listings/{REVIEW}/return")
@requires("listing.review")
@shows_again(examine)
def send_back(review_id: int) -> Response:
    values = parse(ReturnSchema)

    def work() -> Response:
        decisions.locked(review_id, current_user)  # a foreign one is not there, whatever was typed
        decisions.send_back(review_id, values["reasons"], values["remark"], current_user)
        flash(_("Sent back. The co-operative is told what has to be mended."), "good")
        return _onward(review_id)

    return once(work)


def _onward(review_id: int) -> Response:
    """The next one that waits, else the queue."""
    following = desk.next_waiting(current_user, review_id)
    return see_other("review.examine", review_id=following) if following else see_other("review.queue")


def _days_since(moment: object) -> int:
    return (clock.today() - clock.business_date(moment)).days  # type: ignore[arg-type]


# ---- the co-operative's side ----------------------------------------------------------------------------------------


@bp.get(f"/village/listings/{REVIEW}")
@requires("goods.manage")
def outcome(review_id: int) -> Response:
    """From the news to the goods it is about."""
    found = desk.own_review(review_id, current_user.organisation_id)
    return see_other("village.product", product_id=found.product_id)


@bp.post(f"/village/listings/{REVIEW}/withdrawal")
@requires("goods.manage")
def withdraw(review_id: int) -> Response:
    """An edit that waits or was sent back is given up; the goods stay as they were approved."""
    def work() -> Response:
        found = desk.own_review(review_id, current_user.organisation_id)
        listing.withdraw(products.own_product(found.product_id, current_user.organisation_id), current_user)
        flash(_("Given up. The goods stay as they were approved."), "good")
        return see_other("village.product", product_id=found.product_id)

    return once(work)
