"""E-mail: put into the outbox in the transaction of what it tells about, sent by the worker, never in a request.

At least once: a worker that dies between the mail server's "accepted" and its own note sends again. The Message-ID
follows from matter and person, so that both copies are one message to every mailbox that looks at it.
"""

import hashlib
import smtplib
import ssl
from collections.abc import Iterable, Mapping
from email.message import EmailMessage
from email.policy import SMTP as ON_THE_WIRE
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import structlog
from flask import current_app
from sqlalchemy import select

from market import clock, db, message_rows, outbox
from market.parties import Membership
from market.users import User

log = structlog.get_logger("sijin.mail")

KIND = "mail.send"
SECONDS = 20
LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class NoEncryption(Exception):
    """The mail server offers no TLS: a password is not sent to it in the clear."""


def write(organisation_id: int, roles: Iterable[str], matter: str, subject: str, text: str) -> None:
    """A message to everybody of an organisation in some roles who gave an address; one for each matter and person."""
    people = db.session().scalars(
        select(User.id).join(Membership, Membership.user_id == User.id)
        .where(Membership.organisation_id == organisation_id, Membership.role.in_(set(roles)), User.email != "")
        .distinct().order_by(User.id)).all()
    for user_id in people:
        post(organisation_id, user_id, matter, subject, text)


def post(organisation_id: int, user_id: int, matter: str, subject: str, text: str) -> None:
    """A message to one person, one for each matter however often it is written."""
    made = message_rows.keep(f"mail {user_id} {matter}", "mail", organisation_id, text, user_id=user_id)
    if made is not None:
        outbox.enqueue(KIND, {"user_id": user_id, "matter": matter, "subject": subject, "text": text,
                              "message_id": made})


def send(payload: Mapping[str, Any]) -> None:
    """The worker's part: the address is the one of today, and no transaction is open while the server is spoken to."""
    settings, kept = current_app.extensions["sijin"], payload.get("message_id")
    if kept is not None and message_rows.unsent(kept) is None:
        return
    with db.transaction() as session:
        address = session.scalar(select(User.email).where(User.id == payload["user_id"]))
    if not address:
        return
    message = compose(settings.mail_from or "sijin@localhost", address, payload)
    if settings.mail_url:
        hand_over(settings.mail_url, message)
    elif settings.production:
        log.warning("mail is not sent: MAIL_URL is not set", matter=payload["matter"], user=payload["user_id"])
        return
    else:
        _keep(settings.data_dir / "mail", message)
    if kept is not None:
        message_rows.gone(kept)


def compose(sender: str, recipient: str, payload: Mapping[str, Any]) -> EmailMessage:
    """A plain message. Headers hold one line each: whatever a name or number of paper brings along becomes a space."""
    message = EmailMessage(policy=ON_THE_WIRE)
    message["From"], message["To"] = _line(sender), _line(recipient)
    message["Subject"] = _line(payload["subject"])
    message["Date"] = format_datetime(clock.now())
    message["Message-ID"] = f"<{_digest(payload)}@{_line(sender).rpartition('@')[2].rstrip('>') or 'localhost'}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(payload["text"])
    return message


def hand_over(url: str, message: EmailMessage) -> None:
    """Give a message to the server of MAIL_URL: smtp:// with STARTTLS where offered, smtps:// encrypted from the start.

    Raises what smtplib raises: the outbox keeps the message and tries again later.
    """
    parts = urlsplit(url)
    host, trusted = parts.hostname or "localhost", ssl.create_default_context()
    server: smtplib.SMTP
    if parts.scheme == "smtps":
        server = smtplib.SMTP_SSL(host, parts.port or 465, timeout=SECONDS, context=trusted)
    else:
        server = smtplib.SMTP(host, parts.port or 587, timeout=SECONDS)
    with server:
        server.ehlo()
        if parts.scheme == "smtp" and server.has_extn("starttls"):
            server.starttls(context=trusted)
            server.ehlo()
        elif parts.scheme == "smtp" and parts.username and host not in LOOPBACK:
            raise NoEncryption(host)
        if parts.username:
            server.login(unquote(parts.username), unquote(parts.password or ""))
        server.send_message(message)


def _keep(folder: Path, message: EmailMessage) -> None:
    """Practice: what would be sent lies in a folder, one file for each message, to be looked at."""
    folder.mkdir(parents=True, exist_ok=True)
    name = str(message["Message-ID"]).strip("<>").partition("@")[0]
    (folder / f"{name}.eml").write_bytes(bytes(message))


def _digest(payload: Mapping[str, Any]) -> str:
    return hashlib.sha256(f"{payload['matter']} {payload['user_id']}".encode()).hexdigest()[:32]


def _line(text: str) -> str:
    return " ".join(text.split())


HANDLERS: Mapping[str, outbox.Handler] = {KIND: send}
