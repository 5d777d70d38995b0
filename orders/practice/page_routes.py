"""The pages that a payer and a co-operative see at the practice provider: no script, Chinese or English."""

from typing import Any
from urllib.parse import quote

from flask import Blueprint, Response, current_app, make_response, redirect, render_template, request

from market import money
from orders.practice import modes
from orders.practice.api import misbehave_after, misbehave_before
from orders.practice.page_words import WORDS
from orders.practice.provider import Provider
from orders.practice.refusing import Refused
from orders.practice.sessions import DECLINED_CARD, GOOD_CARD, Closed

bp = Blueprint("practice_pages", __name__, url_prefix="/c", template_folder="templates")
HEADERS = {"Content-Security-Policy": "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'",
           "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def provider() -> Provider:
    found: Provider = current_app.extensions["practice"]
    return found


@bp.get("/pay/<session_id>")
def pay_page(session_id: str) -> Response:
    try:
        account = provider().books.owner(session_id)
        session = provider().sessions.get(account, session_id)
    except Refused:
        return _page("practice_told.html", 404, told="unknown")
    if session["status"] != "open":
        return _closed(session)
    return _pay_page(session)


@bp.post("/pay/<session_id>")
def pay(session_id: str) -> Response:
    try:
        account = provider().books.owner(session_id)
        session = provider().sessions.get(account, session_id)
    except Refused:
        return _page("practice_told.html", 404, told="unknown")
    mode = provider().modes.take(account, "pay")
    way, card = request.form.get("way", ""), "".join(request.form.get("number", "").split())
    try:
        misbehave_before(mode)
        session = provider().sessions.pay(session_id, way, card, mode is not None and mode.kind == modes.DECLINE)
    except Closed as closed:
        return _closed(closed.session)
    except Refused as refusal:
        if refusal.status >= 429:
            return _page("practice_told.html", refusal.status, told="busy")
        return _pay_page(session, refusal.status, "declined" if refusal.status == 402 else "no_such_way")
    misbehave_after(mode)
    return make_response(redirect(session["success_url"].replace("{CHECKOUT_SESSION_ID}", quote(session_id)), 303))


@bp.get("/connect/<account_id>")
def connect_page(account_id: str) -> Response:
    try:
        account = provider().accounts.get(account_id)
    except Refused:
        return _page("practice_told.html", 404, told="unknown")
    return _page("practice_connect.html", 200, account=account)


@bp.post("/connect/<account_id>")
def connect(account_id: str) -> Response:
    try:
        account = provider().accounts.connect(account_id)
    except Refused:
        return _page("practice_told.html", 404, told="unknown")
    return make_response(redirect(account.get("_return_url") or "/c/connect/" + quote(account_id), 303))


@bp.get("/practice.css")
def style() -> Response:
    return Response(render_template("practice.css"), mimetype="text/css")


def _pay_page(session: dict[str, Any], status: int = 200, wrong: str = "") -> Response:
    merchant = provider().accounts.get(provider().books.owner(session["id"]))["business_profile"]["name"]
    ways = sorted(session["allowed_payment_method_types"], key=lambda way: bool(way == "card"))  # nothing to type first
    return _page("practice_pay.html", status, session=session, ways=ways, wrong=wrong, good=GOOD_CARD,
                 bad=DECLINED_CARD, amount=money.yuan(session["amount_total"]), merchant=merchant)


def _closed(session: dict[str, Any]) -> Response:
    back = session["success_url"].replace("{CHECKOUT_SESSION_ID}", quote(session["id"]))
    return _page("practice_told.html", 410 if session["status"] == "expired" else 200, told=session["status"],
                 back=session["cancel_url"] if session["status"] == "expired" else back)


def _page(template: str, status: int, **facts: Any) -> Response:
    language = request.args.get("lang") or request.accept_languages.best_match(["zh", "en"]) or "zh"
    language = language if language in WORDS else "zh"
    page = make_response(render_template(template, language=language, words=WORDS[language], **facts), status)
    page.headers.update(HEADERS)
    return page
