"""Standing orders at the buyer's desk: plans with their next run, days left out, prices that ask, past runs."""

from collections.abc import Iterator, Mapping
from typing import Any

from flask import Blueprint, Response, flash, render_template, request, url_for
from flask_login import current_user

from market import journal
from market.access import Visitor, can, requires
from market.errors import N_
from market.i18n import gettext as _
from market.i18n import ngettext
from market.waiting import Waiting
from market.web import MenuEntry, once, page_number, parse, see_other, shows_again, whole_argument
from orders.buying import lists as buying
from orders.standing import contents, days, drafts, labels, lists, plans, prices, skips
from orders.standing.contents import Content, Line, Terms
from orders.standing.models import KIND
from orders.standing.schemas import AnswerSchema, ApprovalSchema, DaySchema, DraftSchema, GoodSchema, PlanSchema

bp = Blueprint("standing", __name__, url_prefix="/standing-orders")

MENU = (MenuEntry("unit", N_("Standing orders"), "standing.index", "purchase.read", "calendar"),)
PLAN, RUN = "<int(max=999999999999):plan_id>", "<int(max=999999999999):run_id>"
SHOWN_DAYS = 7
MOST_QUERY = 40


def waiting_here(visitor: Visitor) -> Iterator[Waiting]:
    """Plans to approve; goods whose price is above what the plan allows."""
    if can(visitor, "purchase.approve") and (count := lists.waiting(visitor)):
        yield Waiting(ngettext("%(num)s standing order waits for approval.",
                               "%(num)s standing orders wait for approval.", count), url_for("standing.index"))
    if can(visitor, "purchase.place") and (count := lists.asking(visitor)):
        yield Waiting(ngettext("%(num)s good of a standing order costs more than you allow.",
                               "%(num)s goods of standing orders cost more than you allow.", count),
                      url_for("standing.index"))


# ---- pages ----------------------------------------------------------------------------------------------------------


@bp.get("")
@requires("purchase.read")
def index() -> str:
    return render_template("orders/standing/index.html", found=lists.plans(current_user.organisation_id, page_number()),
                           labels=labels)


@bp.get("/new")
@requires("purchase.place")
def new() -> str:
    return render_template("orders/standing/new.html", purchases=lists.past_purchases(current_user.organisation_id),
                           chosen=whole_argument("purchase"))


@bp.get(f"/{PLAN}")
@requires("purchase.read")
def show(plan_id: int) -> str:
    facts = lists.plan(plan_id, current_user.organisation_id)
    content, goods = contents.of_plan(facts), lists.goods_of_plans([plan_id])[plan_id]
    ahead = skips.ahead(facts, content, SHOWN_DAYS)
    return render_template(
        "orders/standing/show.html", plan=facts, content=content, goods=goods, labels=labels, may=_may(facts),
        coming=[(day, skipped, lists.estimate_fen(content.lines, goods, day), days.due_at(day, facts))
                for day, skipped in ahead],
        needs=bool(plans.asked_roles(facts, content)), found=lists.runs(plan_id, page_number()),
        asking=[line for line in content.lines if goods[line.product_id].asked_fen], happened=_happened(plan_id))


@bp.get(f"/{PLAN}/edit")
@requires("purchase.place")
def edit(plan_id: int) -> str:
    facts = lists.plan(plan_id, current_user.organisation_id)
    query = request.args.get("q", "").strip()[:MOST_QUERY]
    content, goods = contents.of_plan(facts), lists.goods_of_plans([plan_id])[plan_id]
    return render_template(
        "orders/standing/edit.html", plan=facts, content=content, goods=goods, labels=labels, query=query,
        found=[good for good in lists.search(query) if good.id not in goods], ceiling_of=drafts.ceiling_of,
        points=buying.delivery_points(current_user.organisation_id), units=buying.budget_units(current_user))


@bp.get(f"/runs/{RUN}")
@requires("purchase.read")
def run(run_id: int) -> str:
    return render_template("orders/standing/run.html", run=lists.run(run_id, current_user.organisation_id),
                           lines=lists.run_lines(run_id), labels=labels)


# ---- drawing up and changing ----------------------------------------------------------------------------------------


@bp.post("")
@requires("purchase.place")
@shows_again(new)
def draw_up() -> Response:
    """Begin a plan: empty, from a past purchase, or from goods as a cart or a weekly list sends them."""
    values = parse(DraftSchema)
    goods = [(line["product_id"], line["quantity_milli"]) for line in values["lines"]]
    if values["purchase_id"]:
        goods += lists.goods_of_purchase(values["purchase_id"], current_user.organisation_id)

    def work() -> Response:
        plan_id = drafts.draw_up(values["name"] or _("Standing order"), goods, current_user)
        flash(_("Drawn up. Look at weekdays, quantities and ceilings, then start it."), "good")
        return see_other("standing.edit", plan_id=plan_id)

    return once(work)


@bp.post(f"/{PLAN}")
@requires("purchase.place")
@shows_again(edit)
def change(plan_id: int) -> Response:
    lists.plan(plan_id, current_user.organisation_id)  # somebody else's is unknown, whatever the form says
    content = _content(parse(PlanSchema))

    def work() -> Response:
        _tell_change(plans.change(plan_id, content, current_user))
        return see_other("standing.show", plan_id=plan_id)

    return once(work)


@bp.post(f"/{PLAN}/goods")
@requires("purchase.place")
@shows_again(edit)
def add(plan_id: int) -> Response:
    """A good joins the plan on each of its weekdays."""
    facts = lists.plan(plan_id, current_user.organisation_id)
    values = parse(GoodSchema)

    def work() -> Response:
        before = contents.of_plan(facts)
        wanted = before.weekdays or range(drafts.WORKDAYS)
        line = Line(values["product_id"], values["ceiling_fen"], False,
                    tuple(values["quantity_milli"] if day in wanted else 0 for day in range(7)))
        after = Content(before.terms, (*before.lines, line))
        _tell_change(plans.change(plan_id, _year_for(facts, after), current_user))
        return see_other("standing.edit", plan_id=plan_id)

    return once(work)


def _year_for(facts: Any, content: Content) -> Content:
    """While a plan is drawn up its yearly maximum follows its goods."""
    return contents.with_year_limit(content, None) if facts.state == "draft" else content


def _content(values: Mapping[str, Any]) -> Content:
    lines = tuple(
        Line(line["product_id"], line["ceiling_fen"], line["substitutes"], tuple(line[day] for day in labels.WEEKDAYS))
        for line in values["lines"])
    terms = {name: values[name] for name in Terms.__dataclass_fields__ if name not in {
        "year_limit_fen", "budget_unit_id"}}
    unit = values["budget_unit_id"] or current_user.organisation_id
    return contents.with_year_limit(Content(Terms(budget_unit_id=unit, year_limit_fen=0, **terms), lines),
                                    values["year_limit_fen"])


def _tell_change(waits: bool) -> None:
    if waits:
        flash(_("Saved. It holds more than before: nothing is ordered until a second person approves."), "waiting")
    else:
        flash(_("Saved."), "good")


# ---- its life -------------------------------------------------------------------------------------------------------


@bp.post(f"/{PLAN}/start")
@requires("purchase.place")
@shows_again(show)
def start(plan_id: int) -> Response:
    def work() -> Response:
        if plans.start(plan_id, current_user) == "waiting":
            flash(_("A second person is asked to approve. Then it orders by itself."), "waiting")
        else:
            flash(_("It runs: the next order is made by itself."), "good")
        return see_other("standing.show", plan_id=plan_id)

    return once(work)


@bp.post(f"/{PLAN}/approval")
@requires("purchase.approve")
@shows_again(show)
def approve(plan_id: int) -> Response:
    lists.plan(plan_id, current_user.organisation_id)
    values = parse(ApprovalSchema)

    def work() -> Response:
        if values["decision"] == "approve":
            plans.approve(plan_id, values["content_hash"], current_user)
            flash(_("Approved. It orders by itself from now on."), "good")
        else:
            plans.decline(plan_id, values["reason"], current_user)
            flash(_("Declined. Nothing is ordered."), "good")
        return see_other("standing.show", plan_id=plan_id)

    return once(work)


@bp.post(f"/{PLAN}/pause")
@requires("purchase.place")
@shows_again(show)
def pause(plan_id: int) -> Response:
    return _done(plan_id, lambda: plans.pause(plan_id, current_user), _("Paused. Nothing is ordered until you resume."))


@bp.post(f"/{PLAN}/resumption")
@requires("purchase.place")
@shows_again(show)
def resume(plan_id: int) -> Response:
    return _done(plan_id, lambda: plans.resume(plan_id, current_user), _("It runs: the next order is made by itself."))


@bp.post(f"/{PLAN}/end")
@requires("purchase.place")
@shows_again(show)
def end(plan_id: int) -> Response:
    return _done(plan_id, lambda: plans.end(plan_id, current_user), _("Ended. What has been ordered stays ordered."))


@bp.post(f"/{PLAN}/owner")
@requires("purchase.place")
@shows_again(show)
def take_over(plan_id: int) -> Response:
    return _done(plan_id, lambda: plans.take_over(plan_id, current_user), _("It orders in your name from now on."))


@bp.post(f"/{PLAN}/skips")
@requires("purchase.place")
@shows_again(show)
def skip(plan_id: int) -> Response:
    lists.plan(plan_id, current_user.organisation_id)
    day = parse(DaySchema)["day"]
    return _done(plan_id, lambda: skips.skip(plan_id, day, current_user),
                 _("Left out: %(day)s.", day=day.isoformat()))


@bp.post(f"/{PLAN}/skips/undoing")
@requires("purchase.place")
@shows_again(show)
def unskip(plan_id: int) -> Response:
    lists.plan(plan_id, current_user.organisation_id)
    day = parse(DaySchema)["day"]
    return _done(plan_id, lambda: skips.unskip(plan_id, day, current_user),
                 _("Will be ordered after all: %(day)s.", day=day.isoformat()))


@bp.post(f"/{PLAN}/prices")
@requires("purchase.place")
@shows_again(show)
def answer(plan_id: int) -> Response:
    """What becomes of a good above its ceiling."""
    lists.plan(plan_id, current_user.organisation_id)
    values = parse(AnswerSchema)

    def work() -> Response:
        if values["answer"] == "raise":
            _tell_change(prices.raise_ceiling(plan_id, values["product_id"], values["price_fen"], current_user))
        elif values["answer"] == "once":
            prices.take_once(plan_id, values["product_id"], values["price_fen"], current_user)
            flash(_("This price is taken once, at the next run."), "good")
        else:
            prices.drop(plan_id, values["product_id"], current_user)
            flash(_("Dropped: it is not ordered any more."), "good")
        return see_other("standing.show", plan_id=plan_id)

    return once(work)


def _done(plan_id: int, verb: Any, said: str) -> Response:
    def work() -> Response:
        verb()
        flash(said, "good")
        return see_other("standing.show", plan_id=plan_id)

    return once(work)


def _may(plan: Any) -> set[str]:
    """What this visitor may do to a plan now."""
    found = set()
    if can(current_user, "purchase.place") and plan.state != "ended":
        found = {"edit", "end", {"draft": "start", "active": "pause", "paused": "resume"}.get(plan.state, "edit")}
        if current_user.id not in {plan.owner_id, plan.approved_by}:
            found.add("take_over")
    if (plan.state == "waiting" and can(current_user, "purchase.approve") and plan.owner_id != current_user.id
            and not plans.is_maker(plan.id, current_user.id)):
        found.add("approve")
    return found


def _happened(plan_id: int) -> list[tuple[str, str, Any, str]]:
    """Who changed the plan and when, newest first; what its runs did stands in their own list."""
    entries = [entry for entry in journal.timeline(KIND, plan_id) if entry["action"] in labels.ACTS]
    return [(entry["actor_name"], _(labels.ACTS[entry["action"]]), entry["at"],
             entry["details"].get("reason") or entry["details"].get("day") or "") for entry in reversed(entries)]
