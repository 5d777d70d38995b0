"""Collective income at the offices' desks: villages declare, townships confirm, officials read and set rules."""

from collections.abc import Iterator

from flask import Blueprint, Response, flash, render_template, url_for
from flask_login import current_user

from market import clock, db, file_routes, journal, paging, uploads
from market.access import Visitor, can, requires
from market.errors import N_
from market.i18n import gettext as _
from market.i18n import ngettext
from market.waiting import Waiting
from market.web import MenuEntry, once, page_number, parse, see_other, shows_again, whole_argument
from orders.collective import dated, declaring, figures, lists, rules, words
from orders.collective.schemas import CorrectionSchema, DecisionSchema, DeclaredSchema, RefusalSchema, RuleSchema
from orders.reports.readers import reader_of

bp = Blueprint("collective", __name__, url_prefix="/office")

MENU = (MenuEntry("office", N_("Collective income"), "collective.index", "collective.read", "village", group="people"),)
RULES_MENU = (MenuEntry("office", N_("Rules of the area"), "collective.area_rules", "area_rule.read", "settings",
                        group="keep"),)
HUNDREDTHS = {"percent": 1, "months": 100, "days": 100}  # of what is typed, in what a rule keeps
VILLAGE, INCOME = "<int(max=999999999999):village_id>", "<int(max=999999999999):income_id>"


def waiting_here(visitor: Visitor) -> Iterator[Waiting]:
    """Declared other income that the township has still to confirm."""
    if can(visitor, "collective.confirm"):
        count = lists.count_waiting(visitor)
        if count:
            yield Waiting(ngettext("%(num)s declared income of a collective waits for confirmation.",
                                   "%(num)s declared incomes of collectives wait for confirmation.", count),
                          url_for("collective.to_confirm"))


@bp.get("/collective")
@requires("collective.read")
def index() -> str:
    """Villages of the area in a year; for a village's officer the own one."""
    if "village_officer" in current_user.roles and current_user.division_id is not None:
        return show(current_user.division_id)
    year = _year()
    with db.snapshot():
        found = figures.of_area(reader_of(current_user, "collective.read").where, year)
    shown = paging.cut(found, page_number())
    return render_template(
        "orders/collective/index.html", rows=shown.rows, page=shown.page, pages=shown.pages, year=year,
        present=clock.today().year,
        bands=rules.BANDS, not_declared=rules.NOT_DECLARED, counts={
            band: sum(one.now.band == band for one in found) for band in (*rules.BANDS, None)},
        waiting=lists.count_waiting(current_user) if can(current_user, "collective.confirm") else 0)


@bp.get(f"/collective/{VILLAGE}")
@requires("collective.read")
def show(village_id: int) -> str:
    """One village in a year: what came through the platform, what is declared, what the rule makes of it."""
    village_id, year = lists.find_village(village_id, current_user), _year()
    with db.snapshot():
        found = figures.of_village(village_id, year)
    own = current_user.division_id == village_id
    return render_template(
        "orders/collective/show.html", found=found, year=year, present=clock.today().year,
        rows=lists.declared(village_id, (year, year - 1)),
        kinds=words.INCOME_KINDS, bands=rules.BANDS, not_declared=rules.NOT_DECLARED, acts=words.ACTS,
        history=[act for act in journal.timeline("division", village_id) if act["action"] in words.ACTS],
        may_declare=own and can(current_user, "collective.declare"),
        may_confirm=can(current_user, "collective.confirm"))


@bp.get(f"/collective/{VILLAGE}/share")
@requires("collective.read")
def share(village_id: int) -> str:
    """The transfers behind the platform's share of a year; their sum is the share."""
    village_id, year = lists.find_village(village_id, current_user), _year()
    with db.snapshot():
        found = figures.of_village(village_id, year)
        parts = lists.share(village_id, year)
    shown = paging.cut(parts, page_number())
    return render_template("orders/collective/share.html", found=found, year=year, rows=shown.rows, page=shown.page,
                           pages=shown.pages, total_fen=sum(part.fen for part in parts), events=words.EVENTS)


# ---- the village's officer ------------------------------------------------------------------------------------------


@bp.post(f"/collective/{VILLAGE}/income")
@requires("collective.declare")
@shows_again(show)
def declare(village_id: int) -> Response:
    lists.find_village(village_id, current_user)
    values, paper = parse(DeclaredSchema), uploads.needed("evidence")

    def work() -> Response:
        declaring.declare(village_id, declaring.Said(**values, evidence_id=paper.keep().id), current_user)
        flash(_("Declared. It counts once the township has confirmed it."), "good")
        return see_other("collective.show", village_id=village_id, year=values["year"])

    return once(work)


def _village_of(income_id: int) -> str:
    return show(lists.village_of(income_id, current_user))


@bp.post(f"/collective/income/{INCOME}/correction")
@requires("collective.declare")
@shows_again(_village_of)
def correct(income_id: int) -> Response:
    lists.village_of(income_id, current_user)
    values, paper = parse(CorrectionSchema), uploads.needed("evidence")

    def work() -> Response:
        row = declaring.correct(income_id, values["right_fen"], values["reason"], paper.keep().id, current_user)
        flash(_("Declared. It counts once the township has confirmed it."), "good")
        return see_other("collective.show", village_id=current_user.division_id, year=row.year)

    return once(work)


@bp.post(f"/collective/{VILLAGE}/decision")
@requires("collective.declare")
@shows_again(show)
def record_decision(village_id: int) -> Response:
    lists.find_village(village_id, current_user)
    values = parse(DecisionSchema)

    def work() -> Response:
        declaring.record_decision(village_id, values["year"], values["number"], values["decided_on"], current_user)
        flash(_("Saved."), "good")
        return see_other("collective.show", village_id=village_id, year=values["year"])

    return once(work)


# ---- the township ---------------------------------------------------------------------------------------------------


@bp.get("/collective/waiting")
@requires("collective.confirm")
def to_confirm(income_id: int | None = None) -> str:
    """What villages have declared; each with its paper and, beside it, what the platform counts already."""
    found = lists.waiting(current_user, page_number())
    return render_template("orders/collective/to_confirm.html", found=found, kinds=words.INCOME_KINDS)


@bp.get(f"/collective/income/{INCOME}/evidence")
@requires("collective.read")
def evidence(income_id: int) -> Response:
    return file_routes.send(lists.evidence(income_id, current_user))


@bp.post(f"/collective/income/{INCOME}/confirmation")
@requires("collective.confirm")
@shows_again(to_confirm)
def confirm(income_id: int) -> Response:
    def work() -> Response:
        declaring.confirm(income_id, current_user)
        flash(_("Confirmed. It counts in the village's year now."), "good")
        return see_other("collective.to_confirm")

    return once(work)


@bp.post(f"/collective/income/{INCOME}/refusal")
@requires("collective.confirm")
@shows_again(to_confirm)
def refuse(income_id: int) -> Response:
    lists.village_of(income_id, current_user)
    values = parse(RefusalSchema)

    def work() -> Response:
        declaring.refuse(income_id, values["reason"], current_user)
        flash(_("Refused. The village reads why."), "good")
        return see_other("collective.to_confirm")

    return once(work)


# ---- rules of the area ----------------------------------------------------------------------------------------------


@bp.get("/area-rules")
@requires("area_rule.read")
def area_rules() -> str:
    return render_template("orders/collective/area_rules.html", rows=dated.listed(current_user), kinds=dated.KINDS,
                           units=words.UNITS, today=clock.today(), may_set=dated.may_set(current_user))


@bp.post("/area-rules")
@requires("area_rule.set")
@shows_again(area_rules)
def put_rule() -> Response:
    values = parse(RuleSchema)
    hundredths = HUNDREDTHS[dated.KINDS[values["name"]].unit]

    def work() -> Response:
        dated.put(values["name"], values["since"], values["value"] // hundredths, values["document"], current_user)
        flash(_("Saved."), "good")
        return see_other("collective.area_rules")

    return once(work)


def _year() -> int:
    """The year asked for, this one where none is."""
    year = whole_argument("year")
    return year if year and 2015 <= year <= 2099 else clock.today().year
