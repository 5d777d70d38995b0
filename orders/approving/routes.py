"""The unit's side of approving: who approves what, approvals on paper, changed orders, the receiving scheme."""

from collections.abc import Iterator, Mapping

from flask import Blueprint, Response, flash, render_template, request, url_for
from flask_login import current_user
from sqlalchemy import select

from catalog.models import Product
from catalog.on_sale import on_sale
from market import clock, db, journal, uploads, words
from market.access import Visitor, can, requires
from market.errors import N_
from market.i18n import gettext as _
from market.i18n import in_locale, ngettext
from market.parties import Organisation
from market.waiting import Waiting
from market.web import MenuEntry, once, parse, see_other, shows_again
from orders.approving import amending, deciding, rules, schemes
from orders.approving.deciding import Paper
from orders.approving.models import STEP_ROLES
from orders.approving.rules import Rule
from orders.approving.schemas import AmendmentSchema, PaperSchema, RulesSchema, SchemeSchema
from orders.buying import approval, lists

bp = Blueprint("approving", __name__)

MENU = (MenuEntry("unit", N_("Who approves what"), "approving.index", "purchase.read", "check", group="house"),)
FUNDS: Mapping[str, str] = {"any": N_("Any money"), **words.FUND_SOURCES}
SCHEMES: Mapping[str, str] = {
    "two_receivers": N_("Two receivers, neither of whom ordered or approved"),
    "reduced": N_("Reduced: who ordered may be one of the two receivers, never approver or payer"),
}
BLANK_ROWS = 2
MOST_GOODS = 200
PURCHASE = "<int(max=999999999999):purchase_id>"
ORDER = "<int(max=999999999999):order_id>"


def waiting_here(visitor: Visitor) -> Iterator[Waiting]:
    """Purchases with a step that this person may answer."""
    if can(visitor, "purchase.approve"):
        count = deciding.waiting_for(visitor)
        if count:
            yield Waiting(ngettext("%(num)s purchase waits for your approval.",
                                   "%(num)s purchases wait for your approval.", count),
                          url_for("buying.orders", tab="to_approve"))


# ---- who approves what ----------------------------------------------------------------------------------------------


@bp.get("/approval-rules")
@requires("purchase.read")
def index() -> str:
    history = [entry for entry in journal.timeline("organisation", current_user.organisation_id)
               if entry["action"] in {"unit.approval_rules", "unit.receiving_scheme"}]
    return render_template(
        "orders/approving/index.html", rules=rules.of_unit(current_user.organisation_id), funds=FUNDS,
        roles=STEP_ROLES, schemes=SCHEMES, scheme=schemes.of_unit(current_user.organisation_id),
        limit_fen=rules.plain_limit(current_user.organisation_id), declared=schemes.declared(current_user),
        blank=BLANK_ROWS, history=history[::-1][:20], days=rules.ROLLING_DAYS)


@bp.post("/approval-rules")
@requires("unit.rules")
@shows_again(index)
def replace() -> Response:
    values = parse(RulesSchema)

    def work() -> Response:
        rules.replace([Rule(**row) for row in values["lines"]], current_user)
        flash(_("Saved. It counts for purchases from now on."), "good")
        return see_other("approving.index")

    return once(work)


@bp.post("/approval-rules/scheme")
@requires("unit.rules")
@shows_again(index)
def declare_scheme() -> Response:
    values = parse(SchemeSchema)

    def work() -> Response:
        schemes.declare(values["scheme"], values["reason"], values["decided_on"], current_user)
        flash(_("Declared. It is printed on every sheet from now on."), "good")
        return see_other("approving.index")

    return once(work)


# ---- an approval on paper -------------------------------------------------------------------------------------------


@bp.get(f"/purchases/{PURCHASE}/paper-approval")
@requires("purchase.file")
def paper(purchase_id: int) -> str:
    purchase = lists.purchase(purchase_id, lists.unit_ids(current_user))
    shown = deciding.shown(purchase_id)
    return render_template("orders/approving/paper.html", purchase=purchase, step=shown.open_step,
                           may=deciding.may_answer(purchase, shown, current_user, on_paper=True))


@bp.post(f"/purchases/{PURCHASE}/paper-approval")
@requires("purchase.file")
@shows_again(paper)
def file_paper(purchase_id: int) -> Response:
    lists.purchase(purchase_id, lists.unit_ids(current_user))
    values, scan = parse(PaperSchema), uploads.needed("file", N_("Please choose a photo or a PDF of the paper."))

    def work() -> Response:
        signed = Paper(values["signed_by"], values["signed_on"], scan.keep().id)
        last = approval.file_paper(purchase_id, values["step_no"], signed, current_user)
        flash(_("Filed. The co-operatives can pack now.") if last else _("Filed. The next step waits."), "good")
        return see_other("buying.purchase", purchase_id=purchase_id)

    return once(work)


# ---- a changed order ------------------------------------------------------------------------------------------------


@bp.get(f"/orders/{ORDER}/amendment")
@requires("purchase.amend")
def amend(order_id: int) -> str:
    order = lists.order(order_id, lists.unit_ids(current_user))
    lines = lists.lines([order_id])
    return render_template(
        "orders/approving/amend.html", order=order, lines=lines, may=amending.may_amend(order, clock.now()),
        until=amending.cut_off(order), goods=_other_goods(order.supplier_id, {line.product_id for line in lines}),
        typed=request.form if request.method == "POST" else {})


def _other_goods(supplier_id: int, ordered: set[int]) -> list[tuple[int, str]]:
    """What else the co-operative sells (id, words)."""
    rows = db.session().execute(
        select(Product.id, Product.name, Product.name_en, Product.unit, Product.unit_en)
        .join(Organisation, Organisation.id == Product.supplier_id)
        .where(Product.supplier_id == supplier_id, on_sale(), Product.id.not_in(ordered)).order_by(Product.name)
        .limit(MOST_GOODS))
    return [(row.id, f"{in_locale(row.name, row.name_en)} / {in_locale(row.unit, row.unit_en)}") for row in rows]


@bp.post(f"/orders/{ORDER}/amendment")
@requires("purchase.amend")
@shows_again(amend)
def change(order_id: int) -> Response:
    lists.order(order_id, lists.unit_ids(current_user))
    values = parse(AmendmentSchema)
    wanted = {row["line_id"]: row["ordered_milli"] for row in values["lines"]}
    new = [(row["product_id"], row["ordered_milli"]) for row in values["new"]]

    def work() -> Response:
        amending.amend(order_id, wanted, new, values["reason"], current_user)
        facts = lists.order(order_id, lists.unit_ids(current_user))
        if facts.state == "waiting":
            flash(_("Changed. It waits for approval again; the co-operative is told."), "waiting")
        else:
            flash(_("Changed. The co-operative is told."), "good")
        return see_other("buying.order", order_id=order_id)

    return once(work)

