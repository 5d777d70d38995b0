"""The kitchen door: six digits, one scale screen for a whole van, the sheet; and the driver's page."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import segno
from flask import Blueprint, Response, flash, g, make_response, redirect, render_template, request, url_for
from flask_login import current_user

from market import clock, file_routes, uploads, words
from market.access import public, requires
from market.errors import N_, InvalidInput, MarketError, NotFound
from market.i18n import gettext as _
from market.login_routes import address
from market.web import MenuEntry, load, once, parse, see_other, shows_again, unflatten
from orders.buying import lists as orders_lists
from orders.delivering import acceptance, cold, documents, exceptions, lists, receiving, runs
from orders.delivering.reasons import REASONS
from orders.delivering.schemas import AcceptanceSchema, LineSchema

bp = Blueprint("delivering", __name__)

MOST_PHOTOS = 3  # of one line
MENU = (MenuEntry("unit", N_("Receive"), "delivering.handover", "delivery.accept", "scale"),)


@bp.get("/handover")
@requires("delivery.accept")
def handover() -> Any:
    """Six digits from the driver's phone lead to the scale; or one taps the run in the list."""
    code = request.args.get("code", "").replace(" ", "")
    refused: dict[str, list[str]] = {}
    if code:
        try:
            return redirect(url_for("delivering.accept_run", run_id=_run_of_code(code).id))
        except NotFound:
            refused = {"code": [_("No van on its way to you has this number. Please compare the six digits.")]}
    page = render_template("orders/delivering/handover.html", code=code[:12], refused=refused, words=words,
                           today=clock.today(),
                           runs=lists.open_runs(current_user.organisation_id))
    return page, 404 if refused else 200


def _run_of_code(code: str) -> Any:
    if not (len(code) == 6 and code.isascii() and code.isdigit()):
        raise NotFound()
    return runs.of_code(code, current_user)


# ---- the scale ------------------------------------------------------------------------------------------------------


def scale_page(run_id: int) -> str:
    """All that is still to be taken of a run, on one screen."""
    return _scale(lists.run(run_id, current_user.organisation_id), None)


@bp.route("/runs/<int(max=999999999999):run_id>/acceptance", methods=["GET", "POST"])
@requires("delivery.accept")
@shows_again(scale_page)
def accept_run(run_id: int) -> Any:
    if request.method == "GET":
        return scale_page(run_id)
    run = lists.run(run_id, current_user.organisation_id)
    return _accept(run, [order.id for order in lists.orders_of_run(run_id)])


def order_scale_page(order_id: int) -> str:
    return _scale(lists.run_of_order(order_id, current_user.organisation_id), order_id)


@bp.route("/orders/<int(max=999999999999):order_id>/acceptance", methods=["GET", "POST"])
@requires("delivery.accept")
@shows_again(order_scale_page)
def accept_order(order_id: int) -> Any:
    if request.method == "GET":
        return order_scale_page(order_id)
    return _accept(lists.run_of_order(order_id, current_user.organisation_id), [order_id])


def _accept(run: Any, order_ids: Sequence[int]) -> Response:
    """Judge what was typed, let the second receiver prove who they are, then book every order or none."""
    values = parse(AcceptanceSchema)
    lines = {line.id: line for line in orders_lists.lines(order_ids)}
    photos, refused = _photos(len(values["lines"]))
    taken = receiving.by_order(values, lines, run.over_tolerance_points, photos.keys(), refused)
    second = receiving.second_receiver(values["second_id"], values["second_password"], current_user, address())

    def book() -> Response:
        kept = {values["lines"][number]["line_id"]: tuple(photo.keep().id for photo in some)
                for number, some in photos.items()}
        shown = {order_id: [replace(one, photo_ids=kept.get(one.line_id, ())) for one in some]
                 for order_id, some in taken.items()}
        acceptance.accept_all(shown, (current_user, second), values["note"], exceptions.documents(values))
        flash(_("Accepted. The sheet is ready to print and sign."), "good")
        return see_other("delivering.sheet", run_id=run.id)

    return once(book)


def _photos(lines: int) -> tuple[dict[int, list[uploads.Sent]], dict[str, list[Any]]]:
    """The photos sent with each line, by its place, and refusals at their fields."""
    sent: dict[int, list[uploads.Sent]] = {}
    refused: dict[str, list[Any]] = {}
    for number in range(lines):
        try:
            pictures = uploads.pictures(f"lines-{number}-photo", MOST_PHOTOS)
        except InvalidInput as wrong:
            refused |= wrong.fields
        else:
            sent |= {number: pictures} if pictures else {}
    return sent, refused


def _scale(run: Any, order_id: int | None) -> str:
    orders = [order for order in lists.orders_of_run(run.id)
              if order.state == "shipped" and order_id in {None, order.id}]
    ids = [order.id for order in orders]
    lines = orders_lists.lines(ids)
    lots = lists.packed_lots(ids)
    return render_template(
        "orders/delivering/acceptance.html", run=run, order_id=order_id, words=words, reasons=REASONS,
        orders=[(order, [line for line in lines if line.order_id == order.id]) for order in orders],
        numbers={line.id: number for number, line in enumerate(lines)}, lots=lots,
        papers=documents.of_lots(lots, lines), rest=lists.rest_of(ids), limits=_limits(lines),
        noted={line.id: receiving.noted(line, lots.get(line.id, [])) for line in lines},
        states=_states(lines, lots, run.over_tolerance_points), typed=_typed(lines),
        refused=_refused(lines), measure=receiving.measure, **_people(run, ids))


def _people(run: Any, order_ids: Sequence[int]) -> dict[str, Any]:
    """Who may receive beside the visitor, and whether the visitor may."""
    barred = lists.barred(order_ids, run.receiving_scheme)
    return {"is_barred": current_user.id in barred,
            "seconds": [person for person in lists.second_receivers(current_user) if person.id not in barred]}


def _limits(lines: Sequence[Any]) -> list[tuple[str, cold.Limit, str]]:
    """What has to be measured on this van: the field, the limit, the limit in degrees."""
    kinds = set(cold.kinds_of({line.category for line in lines if line.packed_milli}).values())
    return [(exceptions.field_of(kind), limit, exceptions.degrees(limit.tenths))
            for kind, limit in cold.LIMITS.items() if kind in kinds]


def _told() -> dict[str, tuple[str, Mapping[str, Any]]]:
    """What a refused form said of each line: its old number and its fields."""
    if not g.get("refusal"):
        return {}
    told = unflatten(request.form.to_dict()).get("lines")
    rows = told if isinstance(told, list) else []
    return {str(row.get("line_id")): (str(number), row) for number, row in enumerate(rows)}


def _typed(lines: Sequence[Any]) -> dict[str, str]:
    """The texts of a refused form under the names the fields have now."""
    told = _told()
    return {f"lines-{number}-{name}": text for number, line in enumerate(lines)
            for name, text in told.get(str(line.id), ("", {}))[1].items()}


def _refused(lines: Sequence[Any]) -> dict[str, list[str]]:
    """The messages of a refused form under the names the fields have now."""
    found: dict[str, list[str]] = dict(g.get("refused_fields", {}))
    told = _told()
    renamed = {name: messages for name, messages in found.items() if not name.startswith("lines-")}
    for number, line in enumerate(lines):
        old = told.get(str(line.id), ("-", {}))[0]
        renamed |= {f"lines-{number}-{name.split('-')[2]}": messages for name, messages in found.items()
                    if name.startswith(f"lines-{old}-")}
    return renamed


def _states(lines: Sequence[Any], lots: Mapping[int, Sequence[Any]], tolerance: int) -> dict[int, receiving.LineState]:
    """How each line stands: as typed, where the form came back, else as on the delivery note."""
    states = {}
    for line in lines:
        told = _told().get(str(line.id))
        try:
            said = load(LineSchema(), told[1]) if told else None
        except MarketError:
            said = {}
        states[line.id] = receiving.state_of(said, line, lots.get(line.id, []), tolerance)
    return states


# ---- papers ---------------------------------------------------------------------------------------------------------


@bp.get("/runs/<int(max=999999999999):run_id>/sheet")
@requires("purchase.read")
def sheet(run_id: int) -> str:
    """送货验收单: everything taken of a run, with lots, villages and who received."""
    run = lists.run(run_id, current_user.organisation_id)
    orders = lists.orders_of_run(run_id)
    ids = [order.id for order in orders]
    lines = orders_lists.lines(ids)
    return render_template(
        "orders/delivering/sheet.html", run=run, words=words, reasons=REASONS, parts=lists.accepted_parts(ids),
        orders=[(order, [line for line in lines if line.order_id == order.id]) for order in orders],
        facts=lists.door_facts(ids), photos=lists.photos(ids), degrees=exceptions.degrees,
        total_fen=sum(line.accepted_fen or 0 for line in lines))


@bp.get("/acceptance-photos/<int(max=999999999999):photo_id>")
@requires("order.read")
def photo(photo_id: int) -> Response:
    """A photo of goods that were refused, over or reduced, for both sides of the trade."""
    return file_routes.send(lists.photo(photo_id, current_user))


@bp.get("/van/<token>")
@public
def van(token: str) -> Response:
    """What the driver shows at the door: six digits, goods and lots; no prices, no names of people."""
    run = lists.run_of_token(token)
    orders = lists.orders_of_run(run.id)
    lines = orders_lists.lines([order.id for order in orders])
    door = url_for("delivering.handover", code=run.code, _external=True)
    page = render_template(
        "orders/delivering/van.html", run=run, words=words, lots=lists.packed_lots([order.id for order in orders]),
        orders=[(order, [line for line in lines if line.order_id == order.id and line.packed_milli])
                for order in orders],
        qr_svg=segno.make(door, error="m").svg_inline(omitsize=True, border=1))
    response = make_response(page)
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
