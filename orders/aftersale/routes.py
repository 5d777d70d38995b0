"""Doors of what follows an acceptance: cases of all three sides, photos, ratings."""

from collections.abc import Iterator, Mapping
from typing import Any

from flask import Blueprint, Response, flash, g, render_template, request, url_for
from flask_login import current_user

from market import clock, journal
from market.access import Visitor, can, requires
from market.errors import N_, InvalidInput, MarketError
from market.file_routes import send
from market.i18n import gettext as _
from market.i18n import ngettext
from market.uploads import pictures
from market.waiting import Waiting
from market.web import MenuEntry, once, page_number, parse, see_other, shows_again
from orders import happenings
from orders.aftersale import cases, lists, ratings, states
from orders.aftersale.cases import Matter
from orders.aftersale.schemas import AnswerSchema, CaseSchema, RatingSchema, WordsSchema
from orders.buying import lists as orders_lists
from orders.delivering.reasons import REASONS

bp = Blueprint("aftersale", __name__)

MENU = tuple(MenuEntry(door, N_("After-sale"), "aftersale.index", "aftersale.read", "handshake", group=group)
             for door, group in (("unit", "todo"), ("supplier", "day"), ("office", "todo")))
ORDER = "<int(max=999999999999):order_id>"
CASE = "<int(max=999999999999):case_id>"
MOST_PHOTOS = 6
LONGEST_QUERY = 40


def waiting_here(visitor: Visitor) -> Iterator[Waiting]:
    """Cases whose next word is the visitor's side's."""
    if not can(visitor, "aftersale.read") or visitor.organisation_id is None:
        return
    waits = lists.waiting(visitor)
    if waits["late"]:
        yield Waiting(ngettext("%(num)s after-sale case is overdue for an answer.",
                               "%(num)s after-sale cases are overdue for an answer.", waits["late"]),
                      url_for("aftersale.index"), overdue=True)
    elif waits["all"]:
        yield Waiting(ngettext("%(num)s after-sale case waits for an answer.",
                               "%(num)s after-sale cases wait for an answer.", waits["all"]),
                      url_for("aftersale.index"))


# ---- opening --------------------------------------------------------------------------------------------------------


def new_page(order_id: int) -> str:
    """Which goods, how much, what is wrong, photos."""
    order = orders_lists.order(order_id, [current_user.organisation_id or 0])
    return render_template("orders/aftersale/new.html", order=order, lines=cases.open_lines(order_id), states=states,
                           reasons=REASONS, most_photos=MOST_PHOTOS, is_open=order.state in ("accepted", "rejected"))


@bp.get(f"/orders/{ORDER}/cases/new")
@requires("aftersale.open")
def new(order_id: int) -> str:
    return new_page(order_id)


@bp.post(f"/orders/{ORDER}/cases")
@requires("aftersale.open")
@shows_again(new_page)
def open_case(order_id: int) -> Response:
    orders_lists.order(order_id, [current_user.organisation_id or 0])  # a foreign order is unknown whatever is sent
    values = parse(CaseSchema)
    asked = {line["line_id"]: line["quantity_milli"] for line in values["lines"] if line["quantity_milli"]}
    photos = pictures("photos", MOST_PHOTOS)

    def work() -> Response:
        kept = [photo.keep().id for photo in photos]
        case = cases.open_case(order_id, Matter(values["kind"], values["reason"], values["words"], asked, kept),
                               current_user)
        flash(_("Sent. The co-operative has %(days)s working days to answer.", days=states.ANSWER_DAYS), "good")
        return see_other("aftersale.case", case_id=case.id)

    try:
        return once(work)
    except InvalidInput as refusal:
        raise InvalidInput(_at_their_lines(refusal.fields, [line["line_id"] for line in values["lines"]])) from refusal


def _at_their_lines(fields: Mapping[str, list[str | MarketError]],
                    line_ids: list[int]) -> dict[str, list[str | MarketError]]:
    """Refusals by order line, under the names that the form's fields have."""
    names = {f"line-{line_id}": f"lines-{number}-quantity_milli" for number, line_id in enumerate(line_ids)}
    return {names.get(name, name): messages for name, messages in fields.items()}


# ---- cases ----------------------------------------------------------------------------------------------------------


@bp.get("/cases")
@requires("aftersale.read")
def index() -> str:
    tab = request.args.get("tab", "open")
    tab = tab if tab in lists.TABS else "open"
    query = request.args.get("q", "").strip()[:LONGEST_QUERY]
    return render_template(
        "orders/aftersale/index.html", found=lists.cases(current_user, tab, query, page_number()), tab=tab,
        query=query, states=states, today=clock.today(),
        address=lambda page: url_for("aftersale.index", tab=tab, q=query or None, page=page))


def case_page(case_id: int) -> str:
    """One case: what is asked, what was answered, what this visitor may do now."""
    case = lists.case(case_id, current_user)
    happened = [entry for entry in journal.timeline("order", case.order_id)
                if entry["details"].get("case") == case.number]
    return render_template(
        "orders/aftersale/case.html", case=case, lines=lists.lines(case_id), photo_ids=lists.photo_ids(case_id),
        states=states, reasons=REASONS, may=_possible(case), today=clock.today(),
        tomorrow=clock.days_after(clock.today(), 1), refused=dict(g.get("refused_fields", {})),
        happened=[(_who(entry, case), _(happenings.ACTS.get(entry["action"], entry["action"])), entry["at"],
                   happenings.note({k: v for k, v in entry["details"].items() if k != "case"}, REASONS, _))
                  for entry in reversed(happened)])


def _who(entry: Mapping[str, Any], case: Any) -> str:
    """People are named to their own side; to the other, their organisation is."""
    names = {case.unit_id: case.unit_name, case.supplier_id: case.supplier_name, case.office_id: case.office_name}
    own = entry["organisation_id"] == current_user.organisation_id
    return str(entry["actor_name"] if own else names.get(entry["organisation_id"], entry["actor_name"]))


def _possible(case: Any) -> frozenset[str]:
    """Of 'answer', 'withdraw', 'call', 'propose': what the visitor's side may do with the case as it stands."""
    following = states.NEXT[case.state]
    late = case.due_on is None or clock.today() > case.due_on
    allowed = {
        "answer": "agreed" in following and case.supplier_id == current_user.organisation_id
        and can(current_user, "aftersale.answer"),
        "withdraw": "withdrawn" in following and case.unit_id == current_user.organisation_id
        and can(current_user, "aftersale.open"),
        "call": "mediation" in following and case.unit_id == current_user.organisation_id
        and (case.state != "open" or late) and can(current_user, "aftersale.open"),
        "propose": "proposed" in following and case.office_id == current_user.organisation_id
        and can(current_user, "aftersale.mediate"),
        "fail": "failed" in following and case.office_id == current_user.organisation_id
        and can(current_user, "aftersale.mediate"),
    }
    return frozenset(step for step, may in allowed.items() if may)


@bp.get(f"/cases/{CASE}")
@requires("aftersale.read")
def case(case_id: int) -> str:
    return case_page(case_id)


@bp.get(f"/cases/{CASE}/photos/<int(max=999999999999):file_id>")
@requires("aftersale.read")
def photo(case_id: int, file_id: int) -> Response:
    lists.case(case_id, current_user)
    return send(lists.photo(case_id, file_id))


@bp.post(f"/cases/{CASE}/answer")
@requires("aftersale.answer")
@shows_again(case_page)
def answer(case_id: int) -> Response:
    lists.case(case_id, current_user)
    values = parse(AnswerSchema)

    def work() -> Response:
        if values["decision"] == "agree":
            cases.agree(case_id, values["words"], values["delivery_day"], current_user, restock=values["restock"])
            flash(_("Agreed. What follows from it is booked."), "good")
        else:
            cases.refuse(case_id, values["words"], current_user)
            flash(_("Your answer has been sent."), "good")
        return see_other("aftersale.case", case_id=case_id)

    return once(work)


@bp.post(f"/cases/{CASE}/withdrawal")
@requires("aftersale.open")
@shows_again(case_page)
def withdraw(case_id: int) -> Response:
    def work() -> Response:
        cases.withdraw(case_id, current_user)
        return see_other("aftersale.case", case_id=case_id)

    return once(work)


@bp.post(f"/cases/{CASE}/mediation")
@requires("aftersale.open")
@shows_again(case_page)
def call_county(case_id: int) -> Response:
    def work() -> Response:
        cases.call_county(case_id, current_user)
        flash(_("The county has been asked to mediate."), "good")
        return see_other("aftersale.case", case_id=case_id)

    return once(work)


@bp.post(f"/cases/{CASE}/proposal")
@requires("aftersale.mediate")
@shows_again(case_page)
def propose(case_id: int) -> Response:
    lists.case(case_id, current_user)
    values = parse(WordsSchema)

    def work() -> Response:
        cases.propose(case_id, values["words"], current_user)
        flash(_("Both sides are being told."), "good")
        return see_other("aftersale.case", case_id=case_id)

    return once(work)


@bp.post(f"/cases/{CASE}/failure")
@requires("aftersale.mediate")
@shows_again(case_page)
def fail(case_id: int) -> Response:
    def work() -> Response:
        cases.fail(case_id, current_user)
        return see_other("aftersale.case", case_id=case_id)

    return once(work)


# ---- ratings --------------------------------------------------------------------------------------------------------


def rating_page(order_id: int) -> str:
    """Stars for the goods and for the delivery."""
    order = orders_lists.order(order_id, [current_user.organisation_id or 0])
    return render_template("orders/aftersale/rating.html", order=order, rating=lists.rating(order_id),
                           lines=orders_lists.lines([order_id]))


@bp.get(f"/orders/{ORDER}/rating")
@requires("order.rate")
def rating(order_id: int) -> str:
    return rating_page(order_id)


@bp.post(f"/orders/{ORDER}/rating")
@requires("order.rate")
@shows_again(rating_page)
def rate(order_id: int) -> Response:
    orders_lists.order(order_id, [current_user.organisation_id or 0])
    values = parse(RatingSchema)

    def work() -> Response:
        ratings.rate(order_id, values["goods_stars"], values["delivery_stars"], values["words"], current_user)
        flash(_("Thank you. The co-operative reads it too."), "good")
        return see_other("buying.order", order_id=order_id)

    return once(work)
