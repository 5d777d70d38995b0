"""The pages of ordering: last week again, a purchase again, a text; one draft page for all, one press to order."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, Response, current_app, flash, g, render_template, request
from flask_babel import format_date
from flask_login import current_user

from market import clock, money, sheet_input
from market.access import requires
from market.errors import N_, InvalidInput, MarketError
from market.i18n import gettext as _
from market.i18n import ngettext
from market.web import MenuEntry, once, parse, see_other, sent_token, shows_again
from orders.buying import checkout, lists
from orders.ordering import again, drafts, forms, learning, parsing, placing, reading, weekly
from orders.ordering.drafts import Delivery, Draft, Part, Want
from orders.ordering.schemas import ListNameSchema

bp = Blueprint("ordering", __name__)

MENU = (MenuEntry("unit", N_("Quick order"), "ordering.quick", "purchase.prepare", "edit"),)
LIST_MENU = (MenuEntry("unit", N_("Weekly lists"), "weekly_lists.index", "purchase.prepare", "list"),)
PURCHASE = "/purchases/<int(max=999999999999):purchase_id>/again"
A_WEEK = 7


# ---- the same again -------------------------------------------------------------------------------------------------


@bp.get("/order-again")
@requires("purchase.prepare")
def last_week() -> str:
    """Last week's goods, or with ?week=next this week's for the next one."""
    this = again.monday_of(clock.today())
    asked = request.args.get("week")
    first = {"this": clock.days_after(this, -A_WEEK), "next": this}.get(asked or "")
    copied = again.week(first, current_user) if first else again.last_week(current_user)
    return _page(drafts.draw(copied.parts, current_user.organisation_id, passed=copied.passed),
                 title=_("Copy last week"), copied=copied,
                 is_next=copied.target > this)


@bp.get(PURCHASE)
@requires("purchase.prepare")
def purchase(purchase_id: int) -> str:
    parts = again.purchase(purchase_id, current_user)
    return _page(drafts.draw(parts, current_user.organisation_id), title=_("Order again"))


# ---- a text ---------------------------------------------------------------------------------------------------------


@bp.get("/quick-order")
@requires("purchase.prepare")
def quick() -> str:
    return _page(Draft(), title=_("Quick order"), text="")


def _quick_again() -> str:
    return _page(Draft(), title=_("Quick order"), text=request.form.get("text", ""))


@bp.post("/quick-order")
@requires("purchase.prepare")
@shows_again(_quick_again)
def read() -> str:
    """Show what a text or a table is understood as. Changes nothing."""
    text = _sent_table() if request.files.get("file") else request.form.get("text", "")
    return _read(text, forms.renames())


def _read(text: str, renames: Mapping[str, str]) -> str:
    found = reading.read(text, current_user.organisation_id, current_app.extensions["sijin_search"], renames)
    usual = learning.usual_delivery(current_user)
    wants = [Want(line.choices[0].good.id, line.choices[0].milli, word=line.piece.word, renamed=line.renamed, read=line)
             for line in found.understood]
    draft = drafts.draw([Part(_delivery_told(usual), wants)] if wants else [], current_user.organisation_id,
                        is_typed=True)
    return _page(draft, title=_("Quick order"), text=text, unknown=found.unknown, is_read=bool(text.strip()))


def _delivery_told(usual: Delivery) -> Delivery:
    """As it was chosen before the text was read once more."""
    return forms.told(usual)[0].delivery


def _sent_table() -> str:
    """The rows of a table as lines of a text, cells apart by tabs. Raises InvalidInput at the file."""
    content = request.files["file"].read(sheet_input.MAX_BYTES + 1)
    try:
        rows = [[" ".join(cell.split()) for cell in cells]
                for _number, cells in sheet_input.rows_of(content, parsing.MOST_PIECES)]
    except sheet_input.SheetRefused as refusal:
        raise InvalidInput({"file": [refusal]}) from refusal
    return "\n".join("\t".join(row) + ("\t" if len(row) == 1 else "") for row in rows)


# ---- the draft ------------------------------------------------------------------------------------------------------


@bp.post("/order-draft")
@requires("purchase.prepare")
def look() -> str:
    """The draft with the sums of what is typed now. Changes nothing."""
    return _told_page()


def _told_page() -> str:
    usual = learning.usual_delivery(current_user)
    draft = drafts.draw(forms.told(usual), current_user.organisation_id, is_typed=True)
    text = forms.text()
    return _page(draft, title=_("Check once more and order"), text=text, unknown=_unknown_of(text), is_read=bool(text))


def _unknown_of(text: str | None) -> Sequence[reading.NotUnderstood]:
    if not text:
        return ()
    try:
        return reading.read(text, current_user.organisation_id, current_app.extensions["sijin_search"],
                            forms.renames()).unknown
    except InvalidInput:
        return ()


@bp.post("/order-draft/cart")
@requires("purchase.prepare")
@shows_again(_told_page)
def put() -> Response:
    """Put the goods of the draft into the cart."""
    parts, _values = forms.draft(current_user.organisation_id)

    def fill() -> Response:
        goods = placing.into_cart(parts, current_user)
        _remember(parts)
        flash(ngettext("%(num)s good lies in the cart now.", "%(num)s goods lie in the cart now.", goods), "good")
        return see_other("cart.show")

    return once(fill)


@bp.post("/order-draft/purchases")
@requires("purchase.place")
@shows_again(_told_page)
def place() -> Response:
    """Order all deliveries of the draft, all or nothing."""
    parts, values = forms.draft(current_user.organisation_id)
    token = sent_token()
    if not token:
        raise InvalidInput({"submit_token": [N_("Please open the page again.")]})

    def order() -> Response:
        placed = placing.place(parts, values["note"], values["expected_total_fen"], token, current_user)
        _remember(parts)
        if len(placed) == 1:
            return see_other("buying.purchase", purchase_id=placed[0].id)
        total = money.yuan(sum(one.total_fen + one.freight_fen for one in placed))
        flash(ngettext("%(num)s purchase is placed: ¥%(total)s in all.",
                       "%(num)s purchases are placed: ¥%(total)s in all.", len(placed), total=total), "good")
        return see_other("buying.desk")

    return once(order)


@bp.post("/order-draft/lists")
@requires("purchase.prepare")
@shows_again(_told_page)
def keep() -> Response:
    """Keep the goods of the draft as a weekly list; those of several days by weekday."""
    parts, _values = forms.draft(current_user.organisation_id)
    name = parse(ListNameSchema)["name"]
    by_weekday = len({part.delivery.delivery_day for part in parts}) > 1

    def make() -> Response:
        list_id = weekly.make(name, _entries(parts, by_weekday), current_user)
        _remember(parts)
        flash(_("The list “%(name)s” is kept.", name=name), "good")
        return see_other("weekly_lists.show", list_id=list_id)

    return once(make)


def _entries(parts: Sequence[Part], by_weekday: bool) -> list[weekly.Entry]:
    """Goods of several deliveries on one day become one entry."""
    sums: dict[tuple[int, int], int] = {}
    for part in parts:
        weekday = part.delivery.delivery_day.isoweekday() if by_weekday else 0
        for want in part.wants:
            if want.milli:
                key = (weekday, want.product_id)
                sums[key] = sums.get(key, 0) + want.milli
    return [weekly.Entry(product_id, milli, weekday) for (weekday, product_id), milli in sums.items()]


def _remember(parts: Sequence[Part]) -> None:
    learning.remember([want for part in parts for want in part.wants if want.word], current_user)


def _page(draft: Draft, *, title: str, text: str | None = None, unknown: Sequence[reading.NotUnderstood] = (),
          **more: Any) -> str:
    """The one page of a draft; `text` is None where it does not come from a text."""
    return render_template(
        "orders/ordering/draft.html", draft=draft, title=title, text=text, unknown=unknown,
        points=lists.delivery_points(current_user.organisation_id), units=lists.budget_units(current_user),
        first_day=clock.days_after(clock.today(), 1),
        last_day=clock.days_after(clock.today(), checkout.FARTHEST_DAYS), weekday=weekday, said=_said,
        labels=_labels(draft), refused=dict(g.get("refused_fields", {})), **more)


def _labels(draft: Draft) -> dict[str, str]:
    """What the fields of a refused draft are called above it."""
    named = {"delivery_point_id": _("Delivered to"), "delivery_day": _("Day of delivery"), "delivery_window": _("Time"),
             "fund_source": _("Paid from"), "budget_unit_id": _("Counts for")}
    return {"text": _("What you need"), "file": _("Table"), "lines": _("Goods"), "name": _("Name"),
            "note": _("Note for the co-operatives"), **{line.field: line.good.name for line in draft.lines},
            **{checkout.at_supplier(line.good.supplier_id): line.good.supplier_name for line in draft.lines},
            **{f"parts-{part.number}-{name}": label for part in draft.parts for name, label in named.items()}}


def weekday(day: Any) -> str:
    """The name of a day's weekday."""
    return str(format_date(day, "EEEE"))


def _said(refusal: MarketError) -> str:
    """A refusal in the reader's language."""
    return refusal.message(_)


def list_draft(list_id: int) -> str:
    """A weekly list as a draft, for ?day= or the usual day. Raises NotFound."""
    kept = weekly.one(list_id, current_user)
    usual = learning.usual_delivery(current_user)
    parts = weekly.parts(weekly.entries(list_id), usual)
    return _page(drafts.draw(parts, current_user.organisation_id), title=kept.name)


