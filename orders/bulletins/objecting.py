"""Counties object to figures of an open notice; the city answers each, once."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, update

from market import clock, db, journal, outbox
from market.access import Visitor
from market.errors import N_, Conflict, InvalidInput, NotAllowed, NotFound
from market.places import Division
from orders.bulletins import content, drafting
from orders.bulletins.drafting import TABLE, TOLD, NotOpen
from orders.bulletins.models import OUTCOMES, BulletinObjection

OBJECTIONS = db.table(BulletinObjection)


class TooLate(Conflict):
    """The two working days are over."""

    code = "objection_too_late"
    text = N_("Objections were possible until the end of %(day)s.")


class AlreadyAnswered(Conflict):
    """An objection is answered once."""

    code = "already_answered"
    text = N_("This objection has been answered already.")


@dataclass(frozen=True)
class Objection:
    """What a county says: the key of a figure in its own row, its words, a file."""

    figure: str
    words: str
    file_id: int | None = None


def county_of(by: Visitor) -> int | None:
    """The county for which this visitor speaks, None for officials of other places."""
    if "official" not in by.roles or by.division_id is None:
        return None
    return db.session().scalar(select(Division.id).where(Division.id == by.division_id, Division.level == "county"))


def raise_one(bulletin_id: int, said: Objection, by: Visitor) -> int:
    """An objection by an official of a county's office to that county's row; returns its id.

    Raises NotAllowed, NotFound, InvalidInput, NotOpen, TooLate.
    """
    county = county_of(by)
    if county is None:
        raise NotAllowed()
    one = drafting.found(bulletin_id)
    if one.state == "draft" or (one.state == "withdrawn" and one.opened_at is None):
        raise NotFound()
    if said.figure not in content.FIGURES:
        raise InvalidInput({"figure": [N_("Please choose one of the list.")]})
    if one.state == "open" and one.open_until < clock.today():
        raise TooLate(day=one.open_until.isoformat())
    # the same row that publishing changes: an objection and a publication never both find it open
    version = db.session().scalar(
        update(TABLE).where(TABLE.c.id == bulletin_id, TABLE.c.state == "open", TABLE.c.open_until >= clock.today())
        .values(unanswered=TABLE.c.unanswered + 1).returning(TABLE.c.version))
    if version is None:
        raise NotOpen()
    row = BulletinObjection(
        bulletin_id=bulletin_id, version=version, county_id=county, organisation_id=by.organisation_id or 0,
        figure=said.figure, words=said.words, file_id=said.file_id, raised_by=by.id, raised_at=clock.now())
    db.session().add(row)
    db.session().flush()
    journal.record("bulletin.objected", "bulletin", bulletin_id, by, figure=said.figure, objection=row.id)
    outbox.enqueue(TOLD, {"bulletin_id": bulletin_id, "step": "objected", "objection_id": row.id})
    return row.id


def answer(objection_id: int, outcome: str, words: str, by: Visitor) -> int:
    """The city's answer: the figure is corrected, by drawing it again, or it stands; returns the notice's id.

    Raises NotAllowed, NotFound, InvalidInput, AlreadyAnswered, NotOpen.
    """
    if not drafting.may_keep(by):
        raise NotAllowed()
    row = find(objection_id)
    if outcome not in OUTCOMES:
        raise InvalidInput({"outcome": [N_("Please choose one of the list.")]})
    session = db.session()
    values: dict[str, Any] = {"unanswered": TABLE.c.unanswered - 1}
    if outcome == "corrected":  # promised: published only after the next drawing
        values["to_redraw"] = True
    is_open = session.scalar(update(TABLE).where(TABLE.c.id == row.bulletin_id, TABLE.c.state == "open",
                                                 TABLE.c.unanswered > 0).values(**values).returning(TABLE.c.id))
    if is_open is None:
        raise NotOpen() if row.outcome is None else AlreadyAnswered()
    answered = session.scalar(
        update(OBJECTIONS).where(OBJECTIONS.c.id == objection_id, OBJECTIONS.c.outcome.is_(None))
        .values(outcome=outcome, answer=words, answered_by=by.id, answered_at=clock.now()).returning(OBJECTIONS.c.id))
    if answered is None:
        raise AlreadyAnswered()
    journal.record("bulletin.answered", "bulletin", row.bulletin_id, by, objection=objection_id, outcome=outcome)
    outbox.enqueue(TOLD, {"bulletin_id": row.bulletin_id, "step": "answered", "objection_id": objection_id})
    return int(row.bulletin_id)


def find(objection_id: int) -> Any:
    """An objection by its id. Raises NotFound."""
    row = db.session().execute(select(OBJECTIONS).where(OBJECTIONS.c.id == objection_id)).first()
    if row is None:
        raise NotFound()
    return row
