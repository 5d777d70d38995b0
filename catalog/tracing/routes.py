"""Certificates and labels: the co-operative's pages, and what anybody may read by a number or a code on a box."""

import hashlib
import io
import json
import re
from typing import Any

import segno
from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_login import current_user

from catalog import lot_desk
from catalog.tracing import certificates, desk, epcis, gs1, rules
from catalog.tracing.schemas import IssueSchema, LabelsSchema, VoidSchema
from market import typeset
from market.access import public, requires
from market.errors import NotFound
from market.i18n import gettext as _
from market.i18n import locale
from market.page_cache import cached_page
from market.page_words import installation_is_demo
from market.web import load, once, parse, see_other, shows_again

bp = Blueprint("tracing", __name__)

LOT = "<int(max=999999999999):lot_id>"
NUMBER, CODE = re.compile(r"H[0-9]{6}-[0-9A-Z]{7}"), re.compile(r"[0-9A-Za-z-]{1,24}")


# ---- for everybody --------------------------------------------------------------------------------------------------


@bp.get("/01/<gtin>/10/<code>")
@public
def digital_link(gtin: str, code: str) -> Any:
    """What is printed on a box leads to the trace page, where number and lot belong together."""
    if not CODE.fullmatch(code) or gs1.product_of(gtin) is None:
        raise NotFound()
    lot = desk.public_lot(code)
    if lot.product_id != gs1.product_of(gtin):
        raise NotFound()
    return redirect(url_for("shop.trace", code=lot.code), 302)


@bp.get("/trace/<code>/events.json")
@public
def events(code: str) -> Response:
    """A lot's events for other programs; unchanged ones are not sent twice."""
    if not CODE.fullmatch(code):
        raise NotFound()
    lot = desk.public_lot(code)
    body = json.dumps(epcis.document(lot, desk.events_of(lot.id), _address), ensure_ascii=False, indent=1).encode()
    response = Response(body, mimetype="application/json")
    response.set_etag(hashlib.sha256(body).hexdigest())
    response.headers["Cache-Control"] = "public, no-cache"
    response.make_conditional(request)
    return response


@bp.get("/certificates/<number>")
@public
@cached_page()
def certificate(number: str) -> str:
    """What the driver shows on the phone, and what the code on a paper leads to."""
    paper = _paper(number)
    return render_template("catalog/tracing/certificate.html", paper=paper, facts=paper.facts, bases=rules.BASES,
                           promise=rules.PROMISE, order_number=rules.ORDER_NUMBER, qr=qr(_certificate_url(number)))


@bp.get("/certificates/<number>.pdf")
@public
def certificate_pdf(number: str) -> Response:
    """Made anew only for a reader who has not got what it says today."""
    paper, address = _paper(number), _certificate_url(number)
    said = repr((tuple(paper.facts), paper.sources, paper.newer, address, locale(), installation_is_demo()))
    tag = hashlib.sha256(said.encode()).hexdigest()
    if request.if_none_match.contains(tag):
        response = Response(status=304)
    else:
        response = _pdf(typeset.pdf(
            "certificate.typ", paper=paper, facts=paper.facts, bases=rules.BASES, promise=rules.PROMISE,
            order_number=rules.ORDER_NUMBER, qr=_drawn(address)), paper.facts.number)
    response.set_etag(tag)
    response.headers["Cache-Control"] = "private, no-cache"
    return response


def _paper(number: str) -> desk.Paper:
    if not NUMBER.fullmatch(number):
        raise NotFound()
    return desk.paper(number)


# ---- the co-operative's -----------------------------------------------------------------------------------------


@bp.get(f"/village/lots/{LOT}/certificate")
@requires("lot.book")
def of_lot(lot_id: int) -> str:
    story = lot_desk.story(lot_id, current_user)
    papers = desk.of_lot(lot_id)
    return render_template("catalog/tracing/of_lot.html", lot=story.lot, papers=papers, bases=rules.BASES,
                           holds=next((row for row in papers if row.voided_at is None), None),
                           usual=[rules.USUAL_BASIS], promise=rules.PROMISE, order_number=rules.ORDER_NUMBER)


@bp.post(f"/village/lots/{LOT}/certificate")
@requires("lot.book")
@shows_again(of_lot)
def issue(lot_id: int) -> Response:
    lot_desk.story(lot_id, current_user)
    values = parse(IssueSchema)

    def work() -> Response:
        made = certificates.issue(lot_id, values["bases"], current_user)
        flash(_("Certificate %(number)s is issued.", number=made.number), "good")
        return see_other("tracing.of_lot", lot_id=lot_id)

    return once(work)


@bp.post(f"/village/lots/{LOT}/certificate/void")
@requires("lot.book")
@shows_again(of_lot)
def void(lot_id: int) -> Response:
    lot_desk.story(lot_id, current_user)
    values = parse(VoidSchema)

    def work() -> Response:
        certificates.void(lot_id, values["reason"], current_user)
        flash(_("The certificate no longer holds. Issue a new one before these goods are packed."), "info")
        return see_other("tracing.of_lot", lot_id=lot_id)

    return once(work)


@bp.get(f"/village/lots/{LOT}/labels.pdf")
@requires("lot.book")
def labels(lot_id: int) -> Response:
    """Labels for the boxes of a lot, eight on a sheet."""
    story = lot_desk.story(lot_id, current_user)
    values = load(LabelsSchema(), request.args)
    holding = certificates.valid([lot_id]).get(lot_id)
    return _pdf(typeset.pdf(
        "labels.typ", lot=story.lot, villages=list(dict.fromkeys(row.path for row in story.shares)),
        copies=values["copies"], number=holding.number if holding else "", gtin=gs1.number_of(story.lot.product_id),
        qr=_drawn(link(story.lot.product_id, story.lot.code))), story.lot.code)


# ---- codes ----------------------------------------------------------------------------------------------------------


def link(product_id: int, code: str) -> str:
    """A lot's address on labels, in GS1 Digital Link form."""
    return _address(gs1.number_of(product_id), code)


def _address(gtin: str, code: str) -> str:
    return url_for("tracing.digital_link", gtin=gtin, code=code, _external=True)


def _certificate_url(number: str) -> str:
    return url_for("tracing.certificate", number=number, _external=True)


def qr(address: str) -> str:
    """An address as an SVG without style."""
    return segno.make(address, error="m").svg_inline(omitsize=True, border=1)


def _drawn(address: str) -> str:
    """An address as an SVG file for paper."""
    drawing = io.BytesIO()
    segno.make(address, error="m").save(drawing, kind="svg", border=1, xmldecl=False)
    return drawing.getvalue().decode()


def _pdf(content: bytes, name: str) -> Response:
    """Opened in the browser, from where it is printed."""
    response = Response(content, mimetype="application/pdf")
    response.headers["Content-Disposition"] = f'inline; filename="{name}.pdf"'
    return response
