"""Short messages: a port with nothing behind it yet. In practice mode they are files in DATA_DIR/sms.

A gateway needs a contract and a template approved by the carrier. Whoever has one hands a function in as `GATEWAY`;
until then production says in its log that a message was not sent, and the page where people choose says so too.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

import structlog
from flask import current_app
from sqlalchemy import select

from market import db, message_rows, outbox
from market.users import User

log = structlog.get_logger("sijin.sms")

KIND = "sms.send"
Gateway = Callable[[str, str], None]  # mobile number and text; raises where it was not taken
GATEWAY: Gateway | None = None


def is_real() -> bool:
    """Whether a gateway stands behind the port."""
    return GATEWAY is not None


def send(payload: Mapping[str, Any]) -> None:
    """The worker's part, to the number of today; no transaction is open while a gateway is spoken to."""
    message = message_rows.unsent(payload["message_id"])
    if message is None:
        return
    with db.transaction() as session:
        mobile = session.scalar(select(User.mobile).where(User.id == message.user_id))
    if not mobile:
        return
    settings = current_app.extensions["sijin"]
    if GATEWAY is not None:
        GATEWAY(mobile, message.text)
    elif settings.production:
        log.warning("short message is not sent: no gateway", message=message.id)
        return
    else:
        folder = settings.data_dir / "sms"
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps({"to": mobile, "text": message.text}, ensure_ascii=False)
        (folder / f"{message.id}.json").write_text(text, encoding="utf-8")
    message_rows.gone(message.id)


HANDLERS: Mapping[str, outbox.Handler] = {KIND: send}
