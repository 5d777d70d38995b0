"""Notices as pages list them, with the persons' names; what a visitor may see of them, in few statements."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any

from sqlalchemy import ColumnElement, func, select

from market import clock, db, paging
from market.access import Anonymous, Visitor, can
from market.errors import NotFound
from market.files import StoredFile
from market.parties import Organisation
from market.places import Division
from market.users import User
from orders.bulletins import content, drafting
from orders.bulletins.content import Difference
from orders.bulletins.drafting import TABLE
from orders.bulletins.models import BulletinVersion, CountyDeclared
from orders.bulletins.objecting import OBJECTIONS
from orders.bulletins.spans import Span, newest

READS_DRAFTS = {"official", "auditor", "operator_audit"}


@dataclass(frozen=True)
class Sight:
    """How much a visitor sees: every notice, those the counties see, or what is published."""

    drafts: bool = False
    open: bool = False

    @property
    def holds(self) -> ColumnElement[bool]:
        """The condition on notices."""
        if self.drafts:
            return TABLE.c.id.is_not(None)
        told = TABLE.c.state.in_(("open", "published") if self.open else ("published",))
        # what the counties have seen and was withdrawn stays theirs to read
        return told | ((TABLE.c.state == "withdrawn") & TABLE.c.opened_at.is_not(None)) if self.open else told


def sight_of(visitor: Visitor | Anonymous) -> Sight:
    """The city's office and auditors see drafts, offices what is open, everybody what is published."""
    if not isinstance(visitor, Visitor) or not can(visitor, "bulletin.read"):
        return Sight()
    of_city = visitor.office_kind in (drafting.OFFICE, "platform") and bool(visitor.roles & READS_DRAFTS)
    return Sight(of_city, True)


def page(sight: Sight, number: int) -> paging.Page:
    """Notices, the newest first; two statements."""
    total = db.session().scalar(select(func.count()).select_from(TABLE).where(sight.holds)) or 0
    return paging.read(_named().where(sight.holds).order_by(TABLE.c.last_day.desc(), TABLE.c.id.desc()), total, number)


def one(bulletin_id: int, sight: Sight) -> Any:
    """A notice with names. Raises NotFound for one that is none of this visitor's business."""
    row = db.session().execute(_named().where(TABLE.c.id == bulletin_id, sight.holds)).first()
    if row is None:
        raise NotFound()
    return row


def _named() -> Any:
    people = {name: db.table(User).alias() for name in ("drafted", "drawn", "opened", "published", "withdrawn")}
    old, new = TABLE.alias(), TABLE.alias()
    query = select(
        TABLE, *(table.c.name.label(f"{name}_name") for name, table in people.items()),
        Organisation.name.label("office"), old.c.number.label("old_number"), old.c.year.label("old_year"),
        new.c.id.label("corrected_id"), new.c.number.label("new_number"), new.c.year.label("new_year")
    ).join(Organisation, Organisation.id == TABLE.c.office_id)
    for name, table in people.items():
        query = query.outerjoin(table, table.c.id == TABLE.c[f"{name}_by"])
    return (query.outerjoin(old, old.c.id == TABLE.c.corrects_id)
            .outerjoin(new, (new.c.corrects_id == TABLE.c.id) & (new.c.state == "published")))


def objections(bulletin_id: int, county_id: int | None = None) -> Sequence[Any]:
    """What counties said, the oldest first; of one county where that is named."""
    raised, answered = db.table(User).alias(), db.table(User).alias()
    query = (
        select(OBJECTIONS, Division.name.label("county"), raised.c.name.label("raised_name"),
               answered.c.name.label("answered_name"), StoredFile.name.label("file_name"))
        .join(Division, Division.id == OBJECTIONS.c.county_id).join(raised, raised.c.id == OBJECTIONS.c.raised_by)
        .outerjoin(answered, answered.c.id == OBJECTIONS.c.answered_by)
        .outerjoin(StoredFile, StoredFile.id == OBJECTIONS.c.file_id)
        .where(OBJECTIONS.c.bulletin_id == bulletin_id).order_by(OBJECTIONS.c.id))
    if county_id is not None:
        query = query.where(OBJECTIONS.c.county_id == county_id)
    return db.session().execute(query).all()


def count_objections(bulletin_id: int) -> Any:
    """How many there are (`number`), how many of them `answered`."""
    return db.session().execute(select(
        func.count().label("number"), func.count(OBJECTIONS.c.outcome).label("answered"),
    ).select_from(OBJECTIONS).where(OBJECTIONS.c.bulletin_id == bulletin_id)).one()


def changes(bulletin_id: int) -> Iterator[tuple[int, list[Difference]]]:
    """By drawing from the second on: what it says otherwise than the one before; the newest first."""
    table = db.table(BulletinVersion)
    kept = db.session().execute(select(table.c.number, table.c.content).where(
        table.c.bulletin_id == bulletin_id).order_by(table.c.number)).all()
    read = [(row.number, content.read(row.content)) for row in kept]
    for (_number, before), (number, after) in reversed(list(pairwise(read))):
        yield number, list(content.differences(before, after))


def declared(county_id: int | None, number: int) -> paging.Page:
    """What a county has declared, or all of them, the newest first; two statements."""
    table = db.table(CountyDeclared)
    chosen = table.c.county_id == county_id if county_id is not None else table.c.id.is_not(None)
    total = db.session().scalar(select(func.count()).select_from(table).where(chosen)) or 0
    query = (select(table, Division.name.label("county"), User.name.label("declared_name"),
                    StoredFile.name.label("file_name"))
             .join(Division, Division.id == table.c.county_id).join(User, User.id == table.c.declared_by)
             .outerjoin(StoredFile, StoredFile.id == table.c.file_id).where(chosen))
    return paging.read(query.order_by(table.c.id.desc()), total, number)


# ---- what waits -----------------------------------------------------------------------------------------------------


def due(visitor: Visitor) -> list[Span]:
    """Weeks and months just over about which the city's office has begun no notice yet; one statement."""
    if not drafting.may_keep(visitor):
        return []
    spans = [newest("week"), newest("month")]
    begun = {(row.kind, row.first_day) for row in db.session().execute(
        select(TABLE.c.kind, TABLE.c.first_day).where(TABLE.c.state != "withdrawn", TABLE.c.corrects_id.is_(None),
                                                      TABLE.c.first_day.in_([span.first_day for span in spans])))}
    return [span for span in spans if (span.kind, span.first_day) not in begun]


def to_publish(visitor: Visitor) -> Sequence[Any]:
    """Open notices that this person could publish now."""
    return db.session().execute(select(TABLE.c.id, TABLE.c.kind, TABLE.c.first_day, TABLE.c.last_day).where(
        TABLE.c.state == "open", TABLE.c.open_until < clock.today(), TABLE.c.unanswered == 0,
        TABLE.c.to_redraw.is_(False), TABLE.c.drawn_by != visitor.id).order_by(TABLE.c.id)).all()


def unanswered() -> Sequence[Any]:
    """Notices with objections that wait for an answer."""
    return db.session().execute(select(TABLE.c.id, TABLE.c.unanswered, TABLE.c.open_until).where(
        TABLE.c.state == "open", TABLE.c.unanswered > 0).order_by(TABLE.c.id)).all()


def open_now(today: date) -> Sequence[Any]:
    """Notices that a county may object to today."""
    return db.session().execute(select(TABLE.c.id, TABLE.c.kind, TABLE.c.first_day, TABLE.c.last_day,
                                       TABLE.c.open_until).where(
        TABLE.c.state == "open", TABLE.c.open_until >= today).order_by(TABLE.c.id)).all()
