"""利益联结 at the village desk: which households and villages are tied to the co-operative, and how many it helps."""

from typing import Any

from flask import Blueprint, Response, flash, g, render_template, request
from flask_login import current_user

from catalog import weigh_in
from market import clock, db, file_routes, uploads
from market.access import requires
from market.errors import N_, InvalidInput
from market.i18n import gettext as _
from market.web import MenuEntry, once, page_number, parse, see_other, shows_again, whole_argument
from orders.income import households
from orders.income import linkages as ties
from orders.linkages import helped, lists, receivers, words
from orders.linkages.schemas import EndSchema, LinkageSchema

bp = Blueprint("linkages", __name__, url_prefix="/village/linkages")

MENU = (MenuEntry("supplier", N_("Linkages"), "linkages.index", "supplier.read", "handshake", group="people"),)
LINKAGE = "<int(max=999999999999):linkage_id>"
LABELS = {"whom": N_("With whom"), "member": N_("Household"), "village": N_("Village"), "kind": N_("Kind of linkage"),
          "form": N_("Form"), "since": N_("From"), "last_day": N_("Last day"), "until": N_("Last day"),
          "evidence": N_("Evidence"), "note": N_("Note"), "bears_returns": N_("Goods that come back")}
TIMES = {"month": N_("This month"), "year": N_("This year"), "before": N_("Last year")}


@bp.get("")
@requires("supplier.read")
def index(linkage_id: int | None = None) -> str:
    """The co-operative's linkages by state and village; above them whom it has helped."""
    state, time = request.args.get("state", ""), request.args.get("time", "year")
    state, time = state if state in words.STATES else "", time if time in TIMES else "year"
    village = whole_argument("village")
    with db.snapshot():
        entries = households.entries(supplier_id=current_user.organisation_id or 0)
        counted = helped.count(helped.tied(entries), *_months(time))
        found = lists.of_supplier(current_user, state, village, page_number())
        villages = lists.villages(current_user)
    return render_template("orders/linkages/index.html", found=found, state=state, village=village, time=time,
                           times=TIMES, helped=counted, villages=villages, w=words, asked=linkage_id)


def _months(time: str) -> tuple[str, str]:
    now = clock.period_of(clock.today())
    year = int(now[:4]) - (time == "before")
    return (now, now) if time == "month" else (f"{year}-01", f"{year}-12")


@bp.get("/new")
@requires("linkage.keep")
def new() -> str:
    return render_template(
        "orders/linkages/new.html", members=weigh_in.members(current_user.organisation_id), w=words, labels=LABELS,
        villages=[row for row in lists.villages(current_user) if row.valid_to is None],
        values=request.form if request.method == "POST" else {"since": clock.today().isoformat()},
        names={name: LABELS.get(name, name) for name in g.get("refused_fields", {})})


@bp.post("")
@requires("linkage.keep")
@shows_again(new)
def enter() -> Any:
    values, evidence = parse(LinkageSchema), uploads.needed("evidence")

    def work() -> Response:
        village_id, household_id = _whom(values)
        until = clock.days_after(values["last_day"], 1) if values["last_day"] else None
        ties.enter(ties.Tie(village_id, household_id, values["kind"], values["form"], values["since"],
                            evidence.keep().id, until, values["note"], values["bears_returns"]), current_user)
        flash(_("Entered. It holds once the village has confirmed it."), "good")
        return see_other("linkages.index")

    return once(work)


def _whom(values: dict[str, Any]) -> tuple[int, int | None]:
    """The village and the household, if any. Raises InvalidInput at the field."""
    if values["whom"] == "village":
        meant = receivers.villages([values["village"]])[0]
        if not isinstance(meant, int):
            raise InvalidInput({"village": [meant]})
        return meant, None
    meant = receivers.households([values["member"]], current_user)[0]
    if not isinstance(meant, int):
        raise InvalidInput({"member": [meant]})
    return receivers.home_of(meant), meant


@bp.post(f"/{LINKAGE}/end")
@requires("linkage.keep")
@shows_again(index)
def end(linkage_id: int) -> Any:
    def work() -> Response:
        ties.end(linkage_id, clock.days_after(parse(EndSchema)["last_day"], 1), current_user)
        flash(_("The linkage has an end. Income of before keeps it."), "good")
        return see_other("linkages.index")

    return once(work)


@bp.get(f"/{LINKAGE}/evidence")
@requires("supplier.read")
def evidence(linkage_id: int) -> Response:
    return file_routes.send(lists.own_proof("linkage", linkage_id, current_user))
