"""The reserved share on the officials' desk: filings to decide on, units' progress, rules and last filing days."""

from collections.abc import Iterator
from typing import Any

from flask import Blueprint, Response, flash, render_template, request, url_for
from flask_login import current_user

from market.access import Visitor, can, requires
from market.errors import N_, NotFound
from market.i18n import gettext as _
from market.i18n import ngettext
from market.waiting import Waiting
from market.web import MenuEntry, once, page_number, parse, see_other, shows_again, whole_argument
from orders.quota import figures, filing, lists, routes, rules, successions, words
from orders.quota.schemas import DecisionSchema, RuleSchema, SuccessionDecisionSchema, TermSchema

bp = Blueprint("quota_office", __name__)

MENU = (
    MenuEntry("office", N_("Filings of the reserved share"), "quota_office.index", "quota.watch", "order",
              group="todo"),
    MenuEntry("office", N_("Rules of the reserved share"), "quota_office.rule_list", "quota.watch", "certificate",
              group="keep"),
)
FILING = "<int(max=999999999999):filing_id>"


def waiting_here(visitor: Visitor) -> Iterator[Waiting]:
    """Filings that the finance office has to decide on."""
    if can(visitor, "quota.decide") and visitor.office_kind == "finance" and (count := lists.to_decide(visitor)):
        yield Waiting(ngettext("%(num)s filing of the reserved share waits for your decision.",
                               "%(num)s filings of the reserved share wait for your decision.", count),
                      url_for("quota_office.index"))


@bp.get("/office/quota")
@requires("quota.watch")
def index() -> str:
    tab = request.args.get("tab", "waiting")
    tab = tab if tab in lists.TABS else "waiting"
    year = routes.asked_year()
    return render_template(
        "orders/quota/office.html", found=lists.filings(current_user, year, tab, page_number()), tab=tab, year=year,
        words=words, successions=lists.successions(current_user), deadline=rules.Book(year).deadline(
            current_user.division_id), is_finance=_is_finance())


def _is_finance() -> bool:
    return can(current_user, "quota.decide") and current_user.office_kind == "finance"


@bp.get(f"/office/quota/filings/{FILING}")
@requires("quota.watch")
def show(filing_id: int) -> str:
    found = _in_area(filing_id)
    mine = can(current_user, "quota.decide") and filing.decides(found, current_user)
    ready = found.state == ("reviewed" if found.parent_id else "submitted")
    return render_template("orders/quota/show.html", **routes.story(filing_id), may_decide=mine and ready,
                           may_return=mine and (ready or found.state == "approved"),
                           action=url_for("quota_office.decide", filing_id=filing_id), office=True, is_own=False)


def _in_area(filing_id: int) -> Any:
    found = lists.filing(filing_id)
    lists.area_unit(found.unit_id, current_user)
    if found.state == "draft":
        raise NotFound()
    return found


@bp.post(f"/office/quota/filings/{FILING}/decision")
@requires("quota.decide")
@shows_again(show)
def decide(filing_id: int) -> Response:
    _in_area(filing_id)
    values = parse(DecisionSchema)

    def work() -> Response:
        filing.decide(_in_area(filing_id), values["revision"], values["decision"] == "approve", values["reason"],
                      current_user)
        flash(_("Approved.") if values["decision"] == "approve" else _("Returned."), "good")
        return see_other("quota_office.index")

    return once(work)


@bp.get("/office/quota/units/<int(max=999999999999):unit_id>")
@requires("quota.watch")
def unit(unit_id: int) -> str:
    year = routes.asked_year()
    lists.area_unit(unit_id, current_user)
    return render_template(
        "orders/quota/home.html", found=figures.progress([unit_id], year)[unit_id], year=year, words=words,
        filing=lists.filing_of(unit_id, year, drafts=False), deadline=None, named_by=lists.named_by(unit_id, year),
        is_own=False, succession=successions.of_unit(unit_id), lines="quota_office.lines", office=True)


@bp.get("/office/quota/units/<int(max=999999999999):unit_id>/lines", defaults={"kind": "page"})
@bp.get("/office/quota/units/<int(max=999999999999):unit_id>/lines.<kind>")
@requires("quota.watch")
def lines(unit_id: int, kind: str) -> Any:
    return routes.lines_page(kind, lists.area_unit(unit_id, current_user), office=True)


@bp.post("/office/quota/successions/<int(max=999999999999):succession_id>/decision")
@requires("quota.decide")
@shows_again(lambda succession_id: index())
def decide_succession(succession_id: int) -> Response:
    lists.area_unit(successions.found(succession_id).unit_id, current_user)
    values = parse(SuccessionDecisionSchema)

    def work() -> Response:
        successions.decide(succession_id, values["decision"] == "approve", values["reason"], current_user)
        flash(_("Confirmed.") if values["decision"] == "approve" else _("Not accepted."), "good")
        return see_other("quota_office.index")

    return once(work)


# ---- rules ----------------------------------------------------------------------------------------------------------


@bp.get("/office/quota/rules")
@requires("quota.watch")
def rule_list() -> str:
    year = routes.asked_year()
    chain = rules.Book(year).chain(current_user.division_id)
    rows = rules.listed(chain, year)
    replaces = whole_argument("replaces")
    return render_template(
        "orders/quota/rules.html", rows=rows, year=year, words=words, deadline=rules.Book(year).terms.get(
            current_user.division_id or 0), is_finance=_is_finance(), own=current_user.division_id,
        may_keep=can(current_user, "quota.decide") and current_user.office_kind in rules.KEEPERS,
        replaced=next((row for row in rows if row.id == replaces and row.ended_at is None), None))


@bp.post("/office/quota/rules")
@requires("quota.decide")
@shows_again(rule_list)
def enter_rule() -> Response:
    values = parse(RuleSchema)

    def work() -> Response:
        rules.keep(values, current_user, values["replaces"])
        flash(_("The rule is entered."), "good")
        return see_other("quota_office.rule_list", year=values["year"])

    return once(work)


@bp.post("/office/quota/term")
@requires("quota.decide")
@shows_again(rule_list)
def set_term() -> Response:
    values = parse(TermSchema)

    def work() -> Response:
        rules.set_deadline(values["year"], values["deadline"], current_user)
        flash(_("The last day for filing is set."), "good")
        return see_other("quota_office.rule_list", year=values["year"])

    return once(work)
