"""The steps of a notice at the officials' desk, objections of counties, targets, and what counties declare."""

from typing import Any

from flask import Blueprint, Response, flash, render_template
from flask_login import current_user

from market import clock, uploads
from market.access import can, requires
from market.errors import N_, NotAllowed
from market.i18n import gettext as _
from market.i18n import ngettext
from market.web import MenuEntry, once, page_number, parse, see_other, shows_again, whole_argument
from orders.bulletins import content, drafting, lists, objecting, reading, routes, spans, stating, words
from orders.bulletins.objecting import Objection
from orders.bulletins.routes import BULLETIN
from orders.bulletins.schemas import (
    AnswerSchema,
    DeclaredSchema,
    DraftSchema,
    ObjectionSchema,
    ReasonSchema,
    TargetSchema,
    VersionSchema,
)
from orders.bulletins.spans import newest

bp = Blueprint("office_bulletins", __name__, url_prefix="/office/bulletins")

MENU = (MenuEntry("office", N_("Targets of counties"), "office_bulletins.targets", "bulletin.read", "certificate",
                  group="keep"),)
OBJECTION = "<int(max=999999999999):objection_id>"


@bp.post("/drafts")
@requires("bulletin.keep")
@shows_again(routes.index)
def draft() -> Response:
    """A new notice about the week or month that a day lies in."""
    values = parse(DraftSchema)
    span = spans.of(values["kind"], values["day"])
    spans.need_over(span)
    drawn = _drawn(span, values["grade"])

    def work() -> Response:
        made = drafting.draft(span, values["grade"], drawn, current_user)
        flash(_("Drafted. The counties do not see it yet."), "good")
        return see_other("bulletins.show", bulletin_id=made)

    return once(work)


@bp.post(f"/{BULLETIN}/drawings")
@requires("bulletin.keep")
@shows_again(routes.show)
def redraw(bulletin_id: int) -> Response:
    one, values = _kept_here(bulletin_id), parse(VersionSchema)
    drawn = _drawn(drafting.span_of(one), one.grade)

    def work() -> Response:
        differ = drafting.redraw(bulletin_id, values["version"], drawn, current_user)
        flash(ngettext("Drawn again: %(num)s figure differs.", "Drawn again: %(num)s figures differ.", differ)
              if differ else _("Drawn again: the same figures."), "good")
        return see_other("bulletins.show", bulletin_id=bulletin_id)

    return once(work)


@bp.post(f"/{BULLETIN}/opening")
@requires("bulletin.keep")
@shows_again(routes.show)
def open_up(bulletin_id: int) -> Response:
    _kept_here(bulletin_id)
    values = parse(VersionSchema)

    def work() -> Response:
        until = drafting.open_up(bulletin_id, values["version"], current_user)
        flash(_("Open to the counties until the end of %(day)s.", day=until.isoformat()), "good")
        return see_other("bulletins.show", bulletin_id=bulletin_id)

    return once(work)


@bp.post(f"/{BULLETIN}/withdrawal")
@requires("bulletin.keep")
@shows_again(routes.show)
def withdraw(bulletin_id: int) -> Response:
    _kept_here(bulletin_id)
    values = parse(ReasonSchema)

    def work() -> Response:
        drafting.withdraw(bulletin_id, values["reason"], current_user)
        flash(_("The notice is withdrawn."), "good")
        return see_other("bulletins.show", bulletin_id=bulletin_id)

    return once(work)


@bp.post(f"/{BULLETIN}/publication")
@requires("bulletin.keep")
@shows_again(routes.show)
def publish(bulletin_id: int) -> Response:
    _kept_here(bulletin_id)
    values = parse(VersionSchema)

    def work() -> Response:
        drafting.publish(bulletin_id, values["version"], current_user)
        flash(_("Published. It can never be changed."), "good")
        return see_other("bulletins.show", bulletin_id=bulletin_id)

    return once(work)


@bp.post(f"/{BULLETIN}/erratum")
@requires("bulletin.keep")
@shows_again(routes.show)
def correct(bulletin_id: int) -> Response:
    """A new notice that names the published one and draws its time again."""
    one, values = _kept_here(bulletin_id), parse(ReasonSchema)
    drawn = _drawn(drafting.span_of(one), one.grade)

    def work() -> Response:
        made = drafting.correct(bulletin_id, values["reason"], drawn, current_user)
        flash(_("Drafted. The counties do not see it yet."), "good")
        return see_other("bulletins.show", bulletin_id=made)

    return once(work)


@bp.post(f"/{BULLETIN}/objections")
@requires("bulletin.object")
@shows_again(routes.show)
def object_to(bulletin_id: int) -> Response:
    """A county's objection to a figure of its own row."""
    routes.need_seen(bulletin_id)
    if objecting.county_of(current_user) is None:
        raise NotAllowed()
    values, file = parse(ObjectionSchema), uploads.sent("file")

    def work() -> Response:
        kept = file.keep().id if file else None
        objecting.raise_one(bulletin_id, Objection(values["figure"], values["words"], kept), current_user)
        flash(_("Your objection is with the city's office."), "good")
        return see_other("bulletins.show", bulletin_id=bulletin_id)

    return once(work)


def _show_objected(objection_id: int) -> str:
    return routes.show(objecting.find(objection_id).bulletin_id)


@bp.post(f"/objections/{OBJECTION}/answer")
@requires("bulletin.keep")
@shows_again(_show_objected)
def answer(objection_id: int) -> Response:
    _kept_here(objecting.find(objection_id).bulletin_id)
    values = parse(AnswerSchema)

    def work() -> Response:
        bulletin_id = objecting.answer(objection_id, values["outcome"], values["answer"], current_user)
        flash(_("Answered. Now draw the figures again.") if values["outcome"] == "corrected" else _("Answered."),
              "good")
        return see_other("bulletins.show", bulletin_id=bulletin_id)

    return once(work)


# ---- figures told by hand -------------------------------------------------------------------------------------------


@bp.get("/targets")
@requires("bulletin.read")
def targets() -> str:
    """What counties are to sell in a year, by which document."""
    year = whole_argument("year") or clock.today().year
    return render_template("orders/bulletins/targets.html", year=year, counties=stating.counties(),
                           targets=reading.targets(year),
                           keeps=can(current_user, "bulletin.keep") and drafting.may_keep(current_user))


@bp.post("/targets")
@requires("bulletin.keep")
@shows_again(targets)
def set_target() -> Response:
    _need_keeper()
    values = parse(TargetSchema)

    def work() -> Response:
        stating.set_target(values["county"], values["year"], values["amount"], values["document"], current_user)
        flash(_("Saved."), "good")
        return see_other("office_bulletins.targets", year=values["year"])

    return once(work)


@bp.get("/declared")
@requires("bulletin.read")
def declared() -> str:
    """A county's own figures of weeks and months; the city's office reads those of all counties."""
    county = objecting.county_of(current_user)
    if county is None and not lists.sight_of(current_user).drafts:
        raise NotAllowed()
    return render_template("orders/bulletins/declared.html", found=lists.declared(county, page_number()), words=words,
                           newest=newest("month").first_day, of=spans.of, county=county)


@bp.post("/declared")
@requires("bulletin.object")
@shows_again(declared)
def declare() -> Response:
    if objecting.county_of(current_user) is None:
        raise NotAllowed()
    values, file = parse(DeclaredSchema), uploads.sent("file")
    span = spans.of(values["kind"], values["day"])
    spans.need_over(span)

    def work() -> Response:
        stating.declare(span, values["amount"], values["reason"], file.keep().id if file else None, current_user)
        flash(_("Saved."), "good")
        return see_other("office_bulletins.declared")

    return once(work)


# ---- shared ---------------------------------------------------------------------------------------------------------


def _kept_here(bulletin_id: int) -> Any:
    """A notice of the city's office. Raises NotAllowed for officials of other offices who see it, else NotFound."""
    one = lists.one(bulletin_id, lists.sight_of(current_user))
    _need_keeper()
    return one


def _need_keeper() -> None:
    if not drafting.may_keep(current_user):
        raise NotAllowed()


def _drawn(span: spans.Span, grade: str) -> tuple[content.Told, str]:
    """Read outside the transaction: it may take seconds. Raises NotAllowed first."""
    _need_keeper()
    return content.draw(span, grade)
