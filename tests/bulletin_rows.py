"""Progress notices without the trade behind them: a published one, an open one that is objected to, an archive."""

from datetime import date

from sqlalchemy import select

from market import clock, db
from orders.bulletins import content, drafting, objecting, spans, stating
from orders.bulletins.models import Bulletin, BulletinObjection
from orders.bulletins.objecting import Objection
from orders.bulletins.spans import Span
from tests.world import TODAY, World

OVER = spans.week_of(date(2026, 9, 7))
ARCHIVE = clock.days_after(OVER.first_day, -7)  # weeks before this one are told by archived()


def noticed(world: World) -> dict[str, int]:
    """Ids by the names of the routes' parameters; the same ones for whoever asks later."""
    read = db.session().scalar
    if read(select(Bulletin.id).limit(1)) is None:
        with clock.at(clock.shanghai(date(2026, 9, 14), 9)):
            publish(world, OVER)
        _object(world, _opened(world, spans.week_of(TODAY).before()))
    return {"bulletin_id": read(select(Bulletin.id).where(Bulletin.state == "published")) or 0,
            "open_bulletin_id": read(select(Bulletin.id).where(Bulletin.state == "open")) or 0,
            "objection_id": read(select(BulletinObjection.id).limit(1)) or 0}


def publish(world: World, span: Span) -> int:
    """Drawn by Jin, published by Liang fifteen days later: whatever holidays lie between."""
    one = _opened(world, span)
    with clock.at(clock.shanghai(clock.days_after(clock.today(), 15), 9)), db.transaction():
        drafting.publish(one, 1, world.person("official.liang"))
    return one


def archived(world: World, number: int) -> None:
    """A published week of long ago; a county says a figure and objects to the open notice."""
    span = spans.week_of(clock.days_after(ARCHIVE, -7 * number))
    with clock.at(clock.shanghai(clock.days_after(span.last_day, 1), 9)):
        with db.transaction():
            stating.declare(span, number + 1, "线下", None, world.person("official.hua"))
        publish(world, span)
    _object(world, noticed(world)["open_bulletin_id"])


def _opened(world: World, span: Span) -> int:
    drawn = content.draw(span, "proven")
    with db.transaction():
        made = drafting.draft(span, "proven", drawn, world.person("official.jin"))
        drafting.open_up(made, 1, world.person("official.jin"))
    return made


def _object(world: World, bulletin_id: int) -> None:
    with db.transaction():
        objecting.raise_one(bulletin_id, Objection("proven", "少算了一车"), world.person("official.hua"))
