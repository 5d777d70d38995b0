"""From a notice to the people: a ready text with a link, as mail, into group chats, as short message.

The notice's row is written first; the worker then makes one message row per recipient, each with an outbox row of its
own, so that one refused mailbox keeps nobody else waiting.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from flask import current_app
from flask_babel import force_locale
from sqlalchemy import ForeignKey, Row, UniqueConstraint, select
from sqlalchemy.orm import Mapped, mapped_column

from market import clock, db, journal, mail, message_rows, notices, outbox, robots, sms
from market.access import Visitor
from market.db import Base, choice
from market.errors import N_
from market.i18n import gettext as _
from market.message_rows import Message
from market.notices import Notice
from market.parties import Membership
from market.users import User

PERSONAL = {"mail": True, "sms": False}  # by channel: whether somebody who has not chosen is written to
SUBJECT = N_("News for you on Sijin")


class NewsSwitch(Base):
    """A person's choice to be told, or not, of one organisation's news by one channel."""

    __tablename__ = "news_switch"
    __table_args__ = (UniqueConstraint("user_id", "organisation_id", "channel"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    channel: Mapped[str] = mapped_column(choice("channel", *PERSONAL))
    is_on: Mapped[bool]
    set_at: Mapped[datetime]


def choose(wanted: Mapping[str, bool], by: Visitor) -> None:
    """Be told, or not, by these channels, of the news of the organisation one acts for."""
    db.session().execute(db.insert_or_update(NewsSwitch, "user_id", "organisation_id", "channel"), [
        {"user_id": by.id, "organisation_id": by.organisation_id, "channel": channel, "is_on": is_on,
         "set_at": clock.now()} for channel, is_on in wanted.items()])
    journal.record("news.chosen", "user", by.id, by, **wanted)


def chosen(by: Visitor) -> dict[str, bool]:
    """By which channels a person is told."""
    rows = db.session().execute(select(NewsSwitch.channel, NewsSwitch.is_on).where(
        NewsSwitch.user_id == by.id, NewsSwitch.organisation_id == by.organisation_id)).all()
    return {**PERSONAL, **{row.channel: row.is_on for row in rows}}


def recent(organisation_id: int, limit: int = 20) -> Sequence[Row[*tuple[Any, ...]]]:
    """What has left the site for an organisation's people and chats, the newest first."""
    return db.session().execute(
        select(Message.channel, Message.text, Message.created_at, Message.sent_at, User.name.label("person"),
               robots.Robot.name.label("chat"))
        .outerjoin(User, User.id == Message.user_id).outerjoin(robots.Robot, robots.Robot.id == Message.robot_id)
        .where(Message.organisation_id == organisation_id).order_by(Message.id.desc()).limit(limit)).all()


# ---- the ready text -------------------------------------------------------------------------------------------------


def sentence(kind: notices.Kind, details: Mapping[str, Any]) -> str:
    """What a notice says in the reader's language."""
    return str(_(kind.text, **{**details, **{name: _(details[name]) for name in kind.words}}))


def ready_text(kind: notices.Kind, details: Mapping[str, Any], link: str) -> str:
    """The sentence and the whole address below it, as one pastes it into a chat."""
    return f"{sentence(kind, details)}\n{link}"


def link_to(kind: notices.Kind, thing_id: int) -> str:
    """The whole address of a notice's thing, also outside a request."""
    scheme, _sep, host = current_app.extensions["sijin"].site_url.partition("://")
    adapter = current_app.url_map.bind(host, url_scheme=scheme)
    return adapter.build(kind.endpoint, {kind.argument: thing_id}, force_external=True)


# ---- the worker's side ----------------------------------------------------------------------------------------------


def spread(payload: Mapping[str, Any]) -> None:
    """One message row for each recipient of a notice; run twice it finds its own rows."""
    with db.transaction() as session:
        table = db.table(Notice)
        notice = session.execute(select(table).where(table.c.id == payload["notice_id"])).first()
        kind = current_app.extensions["sijin_notices"].get(notice.kind) if notice else None
        if notice is None or kind is None:
            return
        link = link_to(kind, notice.thing_id)
        text = ready_text(kind, notice.details, link)
        matter = f"notice {notice.id} {notice.details.get('occasion', '')}".strip()
        for person in _people(notice.organisation_id):
            if "mail" in person["by"] and not kind.mailed:
                mail.post(notice.organisation_id, person["id"], matter, *_letter(kind, notice.details, link))
            if "sms" in person["by"]:
                _send(sms.KIND, "sms", notice.organisation_id, matter, text, user_id=person["id"])
        for robot in robots.of_organisation(notice.organisation_id):
            _send(robots.KIND, robot.kind, notice.organisation_id, matter, text, robot_id=robot.id)


def _people(organisation_id: int) -> list[dict[str, Any]]:
    """The organisation's people with the channels by which each is told, in one statement."""
    rows = db.session().execute(
        select(User.id, User.email, User.mobile, NewsSwitch.channel, NewsSwitch.is_on)
        .join(Membership, Membership.user_id == User.id)
        .outerjoin(NewsSwitch, (NewsSwitch.user_id == User.id) & (NewsSwitch.organisation_id == organisation_id))
        .where(Membership.organisation_id == organisation_id).distinct().order_by(User.id)).all()
    people: dict[int, dict[str, Any]] = {}
    for row in rows:
        one = people.setdefault(row.id, {"id": row.id, "email": row.email, "mobile": row.mobile, **PERSONAL})
        if row.channel:
            one[row.channel] = row.is_on
    return [{"id": one["id"], "by": {name for name, address in (("mail", one["email"]), ("sms", one["mobile"]))
                                     if address and one[name]}} for one in people.values()]


def _letter(kind: notices.Kind, details: Mapping[str, Any], link: str) -> tuple[str, str]:
    """Subject and text in both languages, Chinese first: nobody has told us which one they read."""
    subjects, bodies = [], []
    for language in ("zh", "en"):
        with force_locale(language):
            subjects.append(str(_(SUBJECT)))
            bodies.append(sentence(kind, details))
    return " / ".join(subjects), "\n\n".join([*bodies, link]) + "\n"


def _send(outbox_kind: str, channel: str, organisation_id: int, matter: str, text: str, **to: int) -> None:
    recipient = next(iter(to.values()))
    made = message_rows.keep(f"{channel} {recipient} {matter}", channel, organisation_id, text, **to)
    if made is not None:
        outbox.enqueue(outbox_kind, {"message_id": made})


HANDLERS: Mapping[str, outbox.Handler] = {notices.TOLD: spread, **robots.HANDLERS, **sms.HANDLERS}
