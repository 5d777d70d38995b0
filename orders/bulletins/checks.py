"""The audit of progress notices: every drawing gives its checksum, and what is published is the drawing it was."""

from collections.abc import Iterator

from sqlalchemy import select

from market import db
from market.errors import N_
from market.problem import Problem
from orders.bulletins import content
from orders.bulletins.drafting import TABLE
from orders.bulletins.models import BulletinVersion
from orders.bulletins.objecting import OBJECTIONS


def problems() -> Iterator[Problem]:
    """Three statements, whatever there is."""
    version = db.table(BulletinVersion)
    rows = db.session().execute(select(version.c.bulletin_id, version.c.number, version.c.content, version.c.head,
                                       version.c.sha256).order_by(version.c.id).execution_options(yield_per=50))
    drawn = {}
    for row in rows:
        drawn[row.bulletin_id, row.number] = row.sha256, row.head
        if content.checksum(row.content, row.head) != row.sha256:
            yield Problem(N_("Progress notice %(id)s, drawing %(number)s: the figures do not give their checksum."),
                          id=row.bulletin_id, number=row.number)
    published = select(TABLE.c.id, TABLE.c.version, TABLE.c.sha256, TABLE.c.head).where(TABLE.c.state == "published")
    for one in db.session().execute(published.order_by(TABLE.c.id)):
        if drawn.get((one.id, one.version)) != (one.sha256, one.head):
            yield Problem(N_("Progress notice %(id)s: what was published is not its drawing %(number)s."),
                          id=one.id, number=one.version)
    late = select(OBJECTIONS.c.bulletin_id, OBJECTIONS.c.id).join(TABLE, TABLE.c.id == OBJECTIONS.c.bulletin_id).where(
        TABLE.c.state == "published", OBJECTIONS.c.outcome.is_(None) | (OBJECTIONS.c.raised_at > TABLE.c.published_at))
    for objection in db.session().execute(late.order_by(OBJECTIONS.c.id)):
        yield Problem(N_("Progress notice %(id)s is published, and objection %(objection)s came after that or was "
                         "never answered."), id=objection.bulletin_id, objection=objection.id)


CHECKS = (problems,)
