"""Refusals in the provider's own form: {"error": {"type": …, "code": …, "message": …, "param": …}}."""

from typing import Any


class Refused(Exception):
    """The answer to a call that the provider does not do."""

    def __init__(self, status: int, kind: str, message: str, code: str = "", param: str = "", **more: Any) -> None:
        super().__init__(message)
        self.status = status
        error = {"type": kind, "message": message, **more}
        self.body = {"error": error | ({"code": code} if code else {}) | ({"param": param} if param else {})}


def invalid(message: str, code: str = "", param: str = "") -> Refused:
    """400: the request itself is wrong."""
    return Refused(400, "invalid_request_error", message, code, param)


def missing(what: str, thing_id: str) -> Refused:
    """404: there is no such thing in this account, whatever there may be in others."""
    return Refused(404, "invalid_request_error", f"No such {what}: '{thing_id}'", "resource_missing", "id")


def declined() -> Refused:
    """402: the payer's bank says no."""
    return Refused(402, "card_error", "Your card was declined.", "card_declined", decline_code="generic_decline")
