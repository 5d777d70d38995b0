"""How often one visitor may knock: one table, counted before anything else looks at the request."""

from collections.abc import Mapping

from flask import Flask, request
from flask_limiter import Limiter

# endpoint: limit per address. Counted before CSRF is checked, so a refused token does not make a guess free. A whole
# office shares one address, so this only stops machines: five wrong tries lock the login itself, in the database.
LIMITS: Mapping[str, str] = {
    "account.login": "60 per 5 minutes",
    "account.pin_login": "60 per 5 minutes",
    "account.set_pin": "30 per 5 minutes",
    "delivering.accept_run": "120 per 5 minutes",  # each tries a second receiver's PIN
    "delivering.accept_order": "120 per 5 minutes",
    "inspection.add": "120 per 5 minutes",
    "orders_api.accept": "600 per minute",
    "account.second_factor": "5 per 5 minutes",
    "account.use_reset_code": "5 per 5 minutes",
    "entry_door.register": "20 per hour",
    "unit_door.register": "20 per hour",
    "shop.search": "300 per minute",
    "tracing.certificate_pdf": "60 per minute",  # each is typeset anew
    "open_data.file": "120 per minute",
    "open_data.feed": "60 per minute",
    "open_data.catalogue": "60 per minute",
    "open_data.schema": "60 per minute",
    "open_data.table_schema": "60 per minute",
    "webhooks.stripe": "60000 per minute",  # all from a few addresses: what is not signed costs no statement
}
READING = {"shop.search", "tracing.certificate_pdf", "open_data.file", "open_data.feed", "open_data.catalogue",
           "open_data.schema", "open_data.table_schema"}
POSTS = "3000 per minute"


def _limit_of_request() -> str:
    return LIMITS.get(request.endpoint or "", POSTS)


def _is_unlimited() -> bool:
    """Plain reading is not limited; only the endpoints in the table and everything that writes."""
    if request.method in {"GET", "HEAD", "OPTIONS"}:
        return request.endpoint not in READING
    return False


def _address() -> str:
    return f"{request.remote_addr}:{request.endpoint}"


limiter = Limiter(
    _address, default_limits=[_limit_of_request], default_limits_per_method=True,
    default_limits_exempt_when=_is_unlimited,
)


def init_app(app: Flask) -> None:
    """Must run before CSRF protection is set up."""
    limiter.init_app(app)


def seconds_to_wait() -> int:
    """After how many seconds a visitor who was refused is surely let in again."""
    limit = limiter.current_limit
    return limit.limit.get_expiry() if limit else 60
