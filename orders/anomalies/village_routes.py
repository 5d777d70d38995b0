"""A co-operative's side: why orders of its own are under check, and its answer."""

from collections.abc import Iterator

from flask import Blueprint, Response, flash, render_template, url_for
from flask_login import current_user

from market import clock, db, uploads
from market.access import Visitor, can, requires
from market.errors import N_
from market.i18n import gettext as _
from market.i18n import ngettext
from market.waiting import Waiting
from market.web import MenuEntry, once, page_number, parse, see_other, shows_again
from orders.anomalies import cases, lists
from orders.anomalies import found as sights
from orders.anomalies.models import UNDECIDED
from orders.anomalies.schemas import AnswerSchema

bp = Blueprint("village_anomalies", __name__, url_prefix="/village/checks")

MENU = (MenuEntry("supplier", N_("Under check"), "village_anomalies.index", "supplier.read", "warning",
                  group="money"),)
CASE = "<int(max=999999999999):anomaly_id>"


def waiting_here(visitor: Visitor) -> Iterator[Waiting]:
    """Cases that the co-operative has not answered."""
    if can(visitor, "anomaly.answer") and (count := lists.waiting_for(visitor.organisation_id or 0)):
        yield Waiting(ngettext("%(num)s check of your orders waits for your answer.",
                               "%(num)s checks of your orders wait for your answer.", count),
                      url_for("village_anomalies.index"), overdue=True)


@bp.get("")
@requires("supplier.read")
def index() -> str:
    with db.snapshot():
        found = lists.of_cooperative(current_user.organisation_id, page_number())
    return render_template("orders/anomalies/village.html", found=found, kinds=sights.KINDS,
                           states=lists.STATE_LABELS, today=clock.today(),
                           address=lambda page: url_for("village_anomalies.index", page=page))


@bp.get(f"/{CASE}")
@requires("supplier.read")
def show(anomaly_id: int) -> str:
    """Why, which orders, what was answered, what was decided. Who decides stays the officials' own."""
    with db.snapshot():
        told = lists.one_of_cooperative(anomaly_id, current_user.organisation_id)
    return render_template(
        "orders/anomalies/village_case.html", told=told, case=told.case, kind=sights.KINDS[told.case.kind],
        states=lists.STATE_LABELS, value=sights.value_words, is_alone=told.case.supplier_id is not None,
        may_answer=can(current_user, "anomaly.answer") and told.case.state in UNDECIDED)


@bp.post(f"/{CASE}/answer")
@requires("anomaly.answer")
@shows_again(show)
def answer(anomaly_id: int) -> Response:
    """Words, and a paper where there is one."""
    values, sent = parse(AnswerSchema), uploads.sent("file")

    def work() -> Response:
        cases.answer(anomaly_id, values["words"], sent.keep().id if sent else None, current_user)
        flash(_("Your answer has been sent to the officials."), "good")
        return see_other("village_anomalies.show", anomaly_id=anomaly_id)

    return once(work)
