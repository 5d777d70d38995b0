"""The pages of weekly lists: shared among the people of a unit who order."""

from collections.abc import Sequence

from flask import Blueprint, Response, current_app, flash, g, render_template, url_for
from flask_login import current_user

from market import clock
from market.access import requires
from market.errors import InvalidInput, MarketError
from market.i18n import gettext as _
from market.web import once, page_number, parse, see_other, shows_again, whole_argument
from orders.buying import cart
from orders.ordering import again, drafts, reading, routes, weekly
from orders.ordering.drafts import Part, Want
from orders.ordering.learning import usual_delivery
from orders.ordering.schemas import ListNameSchema, ListSchema

bp = Blueprint("weekly_lists", __name__)

LIST = "/weekly-lists/<int(max=999999999999):list_id>"


@bp.get("/weekly-lists")
@requires("purchase.prepare")
def index() -> str:
    return render_template(
        "orders/ordering/lists.html", found=weekly.lists(current_user, page_number()), in_cart=cart.count(current_user),
        removed=whole_argument("removed"), address=lambda page: url_for("weekly_lists.index", page=page))


@bp.post("/weekly-lists")
@requires("purchase.prepare")
@shows_again(index)
def make() -> Response:
    """Keep what lies in the cart as a list."""
    name = parse(ListNameSchema)["name"]

    def keep() -> Response:
        goods = [weekly.Entry(line["product_id"], line["milli"]) for line in cart.lines(current_user)]
        list_id = weekly.make(name, goods, current_user)
        flash(_("The list “%(name)s” is kept.", name=name), "good")
        return see_other("weekly_lists.show", list_id=list_id)

    return once(keep)


@bp.get(LIST)
@requires("purchase.prepare")
def show(list_id: int) -> str:
    kept = weekly.one(list_id, current_user)
    goods = weekly.entries(list_id)
    part = Part(usual_delivery(current_user), [Want(entry.product_id, entry.milli) for entry in goods])
    lines = drafts.draw([part], current_user.organisation_id, is_typed=True).parts[0].lines
    weekdays = {(entry.product_id, number): entry.weekday for number, entry in enumerate(goods)}
    return render_template("orders/ordering/list.html", kept=kept, lines=lines, weekdays=weekdays,
                           weekday_names=_weekday_names(), refused=dict(g.get("refused_fields", {})))


def _weekday_names() -> list[tuple[int, str]]:
    """What one may choose: any day, Monday to Sunday."""
    monday = again.monday_of(clock.today())
    return [(0, _("Any day")), *((n + 1, routes.weekday(clock.days_after(monday, n))) for n in range(again.WEEK))]


@bp.post(LIST)
@requires("purchase.prepare")
@shows_again(show)
def change(list_id: int) -> Response:
    """Another name, other quantities and weekdays; goods without a quantity leave the list, those in the text come."""
    weekly.one(list_id, current_user)  # a foreign list is unknown whatever the form holds
    values = parse(ListSchema)
    goods = [weekly.Entry(line["product_id"], line["quantity_milli"], line["weekday"])
             for line in values["lines"] if line["quantity_milli"]]

    def save() -> Response:
        weekly.change(list_id, values["name"], [*goods, *_added(values["text"], goods)], current_user)
        flash(_("The list “%(name)s” is kept.", name=values["name"]), "good")
        return see_other("weekly_lists.show", list_id=list_id)

    try:
        return once(save)
    except cart.NotThisQuantity as refusal:
        raise InvalidInput({"lines": [refusal]}) from refusal


def _added(text: str, goods: Sequence[weekly.Entry]) -> list[weekly.Entry]:
    """The goods that a text names. Raises InvalidInput at the text where one is not clear."""
    found = reading.read(text, current_user.organisation_id, current_app.extensions["sijin_search"])
    wrong: list[str | MarketError] = [*(line.refusal for line in found.unknown),
                                      *(line.choices[0].refusal for line in found.understood
                                        if line.choices[0].refusal)]
    if wrong:
        raise InvalidInput({"text": wrong})
    there = {(entry.product_id, entry.weekday) for entry in goods}
    new = {line.choices[0].good.id: line.choices[0].milli or 0 for line in found.understood}
    return [weekly.Entry(product_id, milli) for product_id, milli in new.items() if (product_id, 0) not in there]


@bp.post(f"{LIST}/removal")
@requires("purchase.prepare")
def remove(list_id: int) -> Response:
    def take_away() -> Response:
        weekly.remove(list_id, current_user)
        return see_other("weekly_lists.index", removed=list_id)

    return once(take_away)


@bp.post(f"{LIST}/return")
@requires("purchase.prepare")
@shows_again(lambda list_id: index())
def bring_back(list_id: int) -> Response:
    """Undo the removal."""
    def back() -> Response:
        name = weekly.bring_back(list_id, current_user)
        flash(_("The list “%(name)s” is back.", name=name), "good")
        return see_other("weekly_lists.show", list_id=list_id)

    return once(back)


@bp.get(f"{LIST}/order")
@requires("purchase.prepare")
def order(list_id: int) -> str:
    return routes.list_draft(list_id)


