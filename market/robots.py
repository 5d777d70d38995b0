"""Robots of group chats (企业微信, 钉钉): an organisation names a webhook, its news is posted there by the worker.

Only the two official hosts are ever called, by https, and no answer leads us elsewhere. In practice mode nothing is
called: what would be posted lies in DATA_DIR/robots.
"""

import base64
import hashlib
import hmac
import json
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from flask import current_app
from sqlalchemy import ForeignKey, Row, String, UniqueConstraint, select, update
from sqlalchemy.orm import Mapped, mapped_column

from market import clock, db, journal, message_rows, outbox
from market.access import Visitor
from market.db import Base, choice
from market.errors import N_, InvalidInput, MarketError, NotFound

KIND = "robot.send"
SECONDS = 10
MOST_BYTES = 10_000  # of an answer
MOST_ROBOTS = 5


@dataclass(frozen=True)
class Service:
    """A chat service: the one host and path its webhooks have, and the name of the key in them."""

    host: str
    path: str
    key: str


SERVICES: Mapping[str, Service] = {
    "wecom": Service("qyapi.weixin.qq.com", "/cgi-bin/webhook/send", "key"),
    "dingtalk": Service("oapi.dingtalk.com", "/robot/send", "access_token"),
}


class Robot(Base):
    """A group chat's robot. The address holds its key, so it is shown to nobody again."""

    __tablename__ = "robot"
    __table_args__ = (UniqueConstraint("organisation_id", "url"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    kind: Mapped[str] = mapped_column(choice("kind", *SERVICES))
    name: Mapped[str] = mapped_column(String(40))
    url: Mapped[str] = mapped_column(String(500))
    secret: Mapped[str] = mapped_column(String(200), default="")  # of DingTalk robots that want a signature
    added_by: Mapped[int] = mapped_column(ForeignKey("user.id"))
    added_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]


class RobotRefused(Exception):
    """The chat service did not take the message; the outbox tries again."""


class NotAWebhook(MarketError):
    """Another host, path or scheme than the service's own."""

    text = N_("Please paste the whole webhook address as the chat shows it; only %(host)s is called.")


def add(kind: str, name: str, url: str, secret: str, by: Visitor) -> int:
    """Have the organisation's news posted into a group chat. Raises InvalidInput."""
    check_address(kind, url)
    organisation = by.organisation_id or 0
    if len(of_organisation(organisation)) >= MOST_ROBOTS:
        raise InvalidInput({"url": [N_("There are five robots already; please take one out first.")]})
    row = {"organisation_id": organisation, "kind": kind, "name": name, "url": url, "secret": secret,
           "added_by": by.id, "added_at": clock.now()}
    made = db.session().execute(db.insert_new(Robot).returning(Robot.id), [row]).scalar()
    if made is None:  # it was here before: it comes back
        made = db.session().execute(
            update(Robot).where(Robot.organisation_id == organisation, Robot.url == url)
            .values(removed_at=None, name=name, secret=secret, kind=kind).returning(Robot.id)).scalar_one()
    journal.record("robot.added", "robot", made, by, service=kind, name=name)
    return int(made)


def remove(robot_id: int, by: Visitor) -> None:
    """Nothing more is posted there. Raises NotFound for somebody else's."""
    removed = db.session().execute(
        update(Robot).where(Robot.id == robot_id, Robot.organisation_id == by.organisation_id,
                            Robot.removed_at.is_(None)).values(removed_at=clock.now()).returning(Robot.id)).first()
    if removed is None:
        raise NotFound()
    journal.record("robot.removed", "robot", robot_id, by)


def of_organisation(organisation_id: int) -> Sequence[Row[*tuple[Any, ...]]]:
    """Where an organisation's news is posted (id, kind, name, added_at)."""
    return db.session().execute(
        select(Robot.id, Robot.kind, Robot.name, Robot.added_at)
        .where(Robot.organisation_id == organisation_id, Robot.removed_at.is_(None)).order_by(Robot.id)).all()


def check_address(kind: str, url: str) -> None:
    """Raises InvalidInput for anything but a webhook of the service's own host."""
    service = SERVICES[kind]
    try:
        parts = urlsplit(url)
        official = (parts.scheme == "https" and parts.netloc == service.host and parts.path == service.path
                    and len(parse_qs(parts.query).get(service.key, [])) == 1 and not parts.fragment)
    except ValueError:
        official = False
    if not official or not url.isascii() or any(ord(letter) < 33 for letter in url):
        raise InvalidInput({"url": [NotAWebhook(host=service.host)]})


# ---- the worker's side ----------------------------------------------------------------------------------------------


def send(payload: Mapping[str, Any]) -> None:
    """Post one message into a chat; no transaction is open meanwhile. Raises RobotRefused, OSError: tried again."""
    message = message_rows.unsent(payload["message_id"])
    if message is None:
        return
    with db.transaction() as session:
        robot = session.execute(select(Robot.kind, Robot.url, Robot.secret).where(
            Robot.id == message.robot_id, Robot.removed_at.is_(None))).first()
    if robot is None:
        return
    body = {"msgtype": "text", "text": {"content": message.text}}
    settings = current_app.extensions["sijin"]
    if settings.production:
        post(robot.kind, signed(robot.url, robot.secret), body)
    else:
        _stand_in(settings.data_dir / "robots", message.id, robot.kind, body)
    message_rows.gone(message.id)


def signed(url: str, secret: str) -> str:
    """DingTalk's signature where the robot wants one: HMAC-SHA256 over moment and secret."""
    if not secret:
        return url
    moment = str(int(clock.now().timestamp() * 1000))
    mark = hmac.new(secret.encode(), f"{moment}\n{secret}".encode(), hashlib.sha256).digest()
    return f"{url}&{urlencode({'timestamp': moment, 'sign': base64.b64encode(mark).decode()})}"


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """An answer that points elsewhere is a refusal."""

    def redirect_request(self, *_: Any) -> None:
        return None


def post(kind: str, url: str, body: Mapping[str, Any]) -> None:
    """Speak to the chat service. Raises RobotRefused, or OSError where it cannot be reached."""
    check_address(kind, url)
    head = {"Content-Type": "application/json"}
    request = urllib.request.Request(url, json.dumps(body).encode(), head)  # noqa: S310 - https, one of two hosts
    opener = urllib.request.build_opener(_NoRedirect())
    try:
        with opener.open(request, timeout=SECONDS) as answer:
            said = json.loads(answer.read(MOST_BYTES))
    except (urllib.error.HTTPError, ValueError) as wrong:
        raise RobotRefused(kind) from wrong
    if not isinstance(said, dict) or said.get("errcode") != 0:
        raise RobotRefused(kind)


def _stand_in(folder: Path, message_id: int, kind: str, body: Mapping[str, Any]) -> None:
    """Practice: what would be posted, one file for each message; the key of the chat is not in it."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"service": kind, **body}, ensure_ascii=False)
    (folder / f"{message_id}.json").write_text(text, encoding="utf-8")


HANDLERS: Mapping[str, outbox.Handler] = {KIND: send}
