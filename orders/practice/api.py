"""The provider's API: the calls that the shop makes, form-encoded, for the account in the Stripe-Account header."""

import contextlib
import hashlib
import socket
import time
from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, current_app, jsonify, request
from stripe import params
from stripe.params import checkout

from orders.practice import keys, modes
from orders.practice.books import Thing
from orders.practice.checking import checked
from orders.practice.provider import Provider
from orders.practice.refunds import DISPUTE, REFUND
from orders.practice.refusing import Refused, declined, invalid
from orders.practice.sessions import CHARGE, INTENT, shown

bp = Blueprint("practice_api", __name__, url_prefix="/v1")
Work = Callable[[str, dict[str, Any]], Thing]


def provider() -> Provider:
    found: Provider = current_app.extensions["practice"]
    return found


@bp.post("/checkout/sessions")
def open_session() -> Response:
    return _answered("open", checkout.SessionCreateParams,
                     lambda account, asked: provider().sessions.create(account, asked, _base()))


@bp.get("/checkout/sessions/<session_id>")
def session(session_id: str) -> Response:
    return _answered("session", checkout.SessionRetrieveParams,
                     lambda account, _asked: provider().sessions.get(account, session_id))


@bp.post("/checkout/sessions/<session_id>/expire")
def expire(session_id: str) -> Response:
    return _answered("expire", checkout.SessionExpireParams,
                     lambda account, _asked: provider().sessions.expire(account, session_id))


@bp.get("/payment_intents/<intent_id>")
def intent(intent_id: str) -> Response:
    return _answered("intent", params.PaymentIntentRetrieveParams,
                     lambda account, asked: _intent(account, intent_id, asked.get("expand", [])))


def _intent(account: str, intent_id: str, expand: list[str]) -> Thing:
    books = provider().books
    found = books.get(account, INTENT, intent_id)
    for name in expand:
        if name != "latest_charge":
            raise invalid(f"This property cannot be expanded ({name}).", "", "expand")
        if found[name]:
            found[name] = books.get(account, CHARGE, found[name])
    return found


@bp.get("/charges")
def charges() -> Response:
    return _answered("charges", params.ChargeListParams, lambda account, asked: _page(account, CHARGE, asked))


@bp.get("/refunds")
def refunds() -> Response:
    return _answered("refunds", params.RefundListParams, lambda account, asked: _page(account, REFUND, asked))


@bp.get("/disputes")
def disputes() -> Response:
    return _answered("disputes", params.DisputeListParams, lambda account, asked: _page(account, DISPUTE, asked))


def _page(account: str, kind: str, asked: dict[str, Any]) -> Thing:
    found, more = provider().books.page(account, kind, asked)
    return {"object": "list", "data": [shown(thing) for thing in found], "has_more": more, "url": request.path}


@bp.post("/refunds")
def refund() -> Response:
    return _answered("refund", params.RefundCreateParams, provider().refunds.create)


@bp.post("/accounts")
def create_account() -> Response:
    return _answered("account", params.AccountCreateParams, lambda _account, asked: provider().accounts.create(asked))


@bp.get("/accounts/<account_id>")
def account(account_id: str) -> Response:
    return _answered("account", params.AccountRetrieveParams,
                     lambda _account, _asked: provider().accounts.get(account_id))


@bp.post("/account_links")
def account_link() -> Response:
    return _answered("link", params.AccountLinkCreateParams,
                     lambda _account, asked: provider().accounts.link(asked, _base()))


# ---- how a call is answered -----------------------------------------------------------------------------------------


def _answered(name: str, types: Any, work: Work) -> Response:
    """Check who asks and what; do it once per key; misbehave where the account is set to."""
    try:
        _check_key()
        account_id = provider().accounts.named(request.headers.get("Stripe-Account", ""))
        mode = provider().modes.take(account_id, name)
        misbehave_before(mode)
        asked = checked((request.form if request.method == "POST" else request.args).items(multi=True), types)
        status, body, again = _done(account_id, asked, work, mode)
    except Refused as refusal:
        return _response(refusal.status, refusal.body)
    misbehave_after(mode)
    return _response(status, body, again)


def _done(account_id: str, asked: dict[str, Any], work: Work, mode: modes.Mode | None) -> keys.Answer:
    def deed() -> Thing:
        if mode and mode.kind == modes.DECLINE:
            raise declined()
        with provider().books.deed():
            return shown(work(account_id, asked))

    key = request.headers.get("Idempotency-Key", "") if request.method == "POST" else ""
    sent = f"{request.path}?{sorted(request.form.items(multi=True))}"
    return keys.once(provider().books, account_id, key, hashlib.sha256(sent.encode()).hexdigest(), deed)


def _check_key() -> None:
    sent = request.headers.get("Authorization", "")
    if not sent.startswith(("Bearer sk_test_", "Bearer rk_test_")):
        raise Refused(401, "invalid_request_error", "Invalid API Key provided: practice takes test keys only.")


def misbehave_before(mode: modes.Mode | None) -> None:
    """Instead of, or before, the deed."""
    if mode is None:
        return
    if mode.kind == modes.SLOW:
        time.sleep(mode.seconds)
    if mode.kind == modes.BUSY:
        raise Refused(429, "rate_limit_error", "Too many requests hit the API too quickly.", "rate_limit")
    if mode.kind == modes.BROKEN:
        raise Refused(500, "api_error", "Something went wrong on our end.")


def misbehave_after(mode: modes.Mode | None) -> None:
    """The deed is done, the answer does not come, or late."""
    if mode is not None and mode.kind == modes.HANG:
        time.sleep(mode.seconds)
    if mode is not None and mode.kind == modes.CUT:
        line = request.environ.get("werkzeug.socket")
        if line is not None:
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)


def _response(status: int, body: Thing, again: bool = False) -> Response:
    answer = jsonify(body)
    answer.status_code = status
    if again:
        answer.headers["Idempotent-Replayed"] = "true"
    return answer


def _base() -> str:
    return request.host_url.rstrip("/")
