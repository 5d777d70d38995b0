"""Paid at weigh-in: the clerk's page for a lot that waits, the signed slips for both desks."""

from typing import Any

from flask import Blueprint, Response, flash, render_template, request
from flask_login import current_user
from marshmallow import fields

from catalog import lot_desk, lot_payments
from catalog.lot_models import PAYMENT_WAYS
from catalog.lot_payments import Handing, Mark
from catalog.lot_routes import LOT, PAYMENT_WAY_LABELS
from catalog.lot_schemas import FilledRows
from market import clock, file_routes, uploads
from market.access import requires
from market.errors import N_
from market.i18n import gettext as _
from market.schemas import Choice, Day, Fen, Input, Whole
from market.web import once, parse, see_other, shows_again, unflatten

bp = Blueprint("lot_payments", __name__)

PAYMENT = "<int(max=999999999999):lot_payment_id>"


class MarkSchema(Input):
    """One household that was paid."""

    contribution_id = Whole(required=True)
    paid = fields.String(required=True)
    amount_fen = Fen(required=True)


class PaymentsSchema(FilledRows):
    """Who of a lot was paid, when and how; the photo of the slip comes beside it."""

    rows, needs = "lines", "paid"

    lines = fields.List(fields.Nested(MarkSchema), required=True)
    paid_on = Day(required=True)
    way = Choice(PAYMENT_WAYS, required=True)



@bp.get(f"/village/lots/{LOT}/payments")
@requires("lot.book")
def show(lot_id: int) -> str:
    story = lot_desk.story(lot_id, current_user)
    sent = unflatten(request.form.to_dict()).get("lines", []) if request.method == "POST" else []
    rows = [row for row in sent if isinstance(row, dict)] if isinstance(sent, list) else []
    ticked = {row.get("contribution_id"): number for number, row in enumerate(row for row in rows if row.get("paid"))}
    return render_template(
        "catalog/lots/payments.html", story=story, lot=story.lot, earned=lot_payments.earnings(story.lot),
        ways=PAYMENT_WAY_LABELS, today_is=clock.today(), ticked=ticked, is_sent=request.method == "POST",
        typed={row.get("contribution_id"): row.get("amount_fen") for row in rows})


@bp.post(f"/village/lots/{LOT}/payments")
@requires("lot.book")
@shows_again(show)
def mark(lot_id: int) -> Any:
    lot_desk.story(lot_id, current_user)
    values = parse(PaymentsSchema)
    slip = uploads.needed("proof", N_("Please photograph the signed slip."), pictures_only=True)
    marks = [Mark(row["contribution_id"], row["amount_fen"]) for row in values["lines"]]

    def work() -> Response:
        lot_payments.mark(lot_id, marks, Handing(values["paid_on"], values["way"], slip.keep().id), current_user)
        flash(_("Marked as paid. The village confirms it with the lot."), "good")
        return see_other("lots.show", lot_id=lot_id)

    return once(work)


@bp.post(f"/village/lots/{LOT}/payments/{PAYMENT}/removal")
@requires("lot.book")
@shows_again(lambda lot_id, lot_payment_id: show(lot_id))
def remove(lot_id: int, lot_payment_id: int) -> Response:
    def work() -> Response:
        lot_payments.unmark(lot_id, lot_payment_id, current_user)
        flash(_("The mark is taken away."), "good")
        return see_other("lot_payments.show", lot_id=lot_id)

    return once(work)


@bp.get(f"/village/lots/{LOT}/payments/{PAYMENT}/slip")
@requires("lot.book")
def slip(lot_id: int, lot_payment_id: int) -> Response:
    return file_routes.send(lot_payments.proof(lot_id, lot_payment_id, current_user))


@bp.get(f"/office/lots/{LOT}/payments/{PAYMENT}/slip")
@requires("lot.confirm")
def examine_slip(lot_id: int, lot_payment_id: int) -> Response:
    return file_routes.send(lot_payments.proof(lot_id, lot_payment_id, current_user))
