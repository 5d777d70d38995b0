"""通报 step by step: drafted, drawn again, opened to the counties, published by a second person, or withdrawn.

The city's office keeps it. A drawing that says otherwise than what the counties have seen opens the notice anew for two
working days: nothing is published that a county could not object to. What is published never changes; an erratum is a
new notice that names the old one. Figures are drawn before the transaction (content.draw): it may take seconds.
"""

from typing import Any

from sqlalchemy import update

from market import clock, db, faults, journal, outbox
from market.access import Visitor
from market.errors import N_, Conflict, InvalidInput, NotAllowed, NotFound, SecondPersonNeeded
from market.four_eyes import need_no_cooperative
from market.working_days import working_days_after
from orders.bulletins import content
from orders.bulletins.content import Told
from orders.bulletins.models import GRADES, KINDS, Bulletin, BulletinNumber, BulletinVersion
from orders.bulletins.spans import Span, need_over

OFFICE = "city"  # the kind of office that keeps notices
DAYS_OPEN = 2  # working days
TOLD = "bulletin.told"  # the outbox message from which offices hear of a step
TABLE = db.table(Bulletin)
LIVE = ("draft", "open")


class AlreadyDrafted(Conflict):
    """One notice for each week or month."""

    code = "already_drafted"
    text = N_("There is a notice of %(period)s already. What is published is corrected by an erratum.")


class Changed(Conflict):
    """The notice is not what the page showed."""

    code = "bulletin_changed"
    text = N_("This notice has changed meanwhile. Please look at it again.")


class NotOpen(Conflict):
    """Only what is open to the counties is objected to and published."""

    code = "bulletin_not_open"
    text = N_("This notice is not open to the counties.")


class StillOpen(Conflict):
    """The counties have two working days."""

    code = "bulletin_still_open"
    text = N_("The counties may object until the end of %(day)s; it can be published after that.")


class Unanswered(Conflict):
    """Every objection is answered before a notice is published."""

    code = "bulletin_unanswered"
    text = N_("Objections not yet answered: %(count)s.")


class NotRedrawn(Conflict):
    """A correction that was promised has to be drawn."""

    code = "bulletin_not_redrawn"
    text = N_("A correction was promised: draw the figures again before publishing.")


def may_keep(by: Visitor) -> bool:
    """Whether this visitor keeps notices: an official of the city's office."""
    return by.office_kind == OFFICE and "official" in by.roles


def draft(span: Span, grade: str, drawn: tuple[Told, str], by: Visitor) -> int:
    """A new notice about a week or month that is over. Raises NotAllowed, OwnParty, NotOver, AlreadyDrafted."""
    _need_keeper(by)
    need_over(span)
    return _begin(span, grade, drawn, by)


def correct(bulletin_id: int, reason: str, drawn: tuple[Told, str], by: Visitor) -> int:
    """An erratum to a published notice: a new one about the same time. Raises InvalidInput without a reason, NotFound,
    Conflict, AlreadyDrafted where one is under way.
    """
    _need_keeper(by)
    old = found(bulletin_id)
    if old.state != "published":
        raise Conflict()
    if not reason:
        raise InvalidInput({"reason": [N_("Please say why.")]})
    return _begin(span_of(old), old.grade, drawn, by, corrects_id=bulletin_id, reason=reason)


def _begin(span: Span, grade: str, drawn: tuple[Told, str], by: Visitor, **more: Any) -> int:
    if grade not in GRADES or span.kind not in KINDS:
        raise InvalidInput({"grade": [N_("Please choose one of the list.")]})
    row = {"kind": span.kind, "first_day": span.first_day, "last_day": span.last_day, "year": span.year,
           "grade": grade, "state": "draft", "office_id": by.organisation_id, "version": 1, "drawn_by": by.id,
           "drafted_by": by.id, "drafted_at": clock.now(), "unanswered": 0, "to_redraw": False, "reason": "",
           "withdrawn_why": "", **more}
    made = db.session().scalar(db.insert_new(Bulletin).values(row).returning(TABLE.c.id))
    if made is None:
        raise AlreadyDrafted(period=span.name)
    _keep(made, 1, drawn, by)
    journal.record("bulletin.drafted", "bulletin", made, by, period=span.name, grade=grade,
                   corrects=more.get("corrects_id"))
    return int(made)


def redraw(bulletin_id: int, version: int, drawn: tuple[Told, str], by: Visitor) -> int:
    """Draw the figures again; `version` is the drawing the official looked at. Returns how many cells differ.

    What is open and says otherwise now is open anew for two working days. Raises NotAllowed, NotFound, Changed.
    """
    _need_keeper(by)
    one = found(bulletin_id)
    before, _head = kept(one.id, one.version)
    differ = sum(1 for _cell in content.differences(before, drawn[0]))
    values: dict[str, Any] = {"version": version + 1, "drawn_by": by.id, "to_redraw": False}
    if one.state == "open" and differ:
        values["open_until"] = working_days_after(clock.today(), DAYS_OPEN)
    _step(bulletin_id, LIVE, values, TABLE.c.version == version, TABLE.c.state == one.state)
    _keep(bulletin_id, version + 1, drawn, by)
    journal.record("bulletin.redrawn", "bulletin", bulletin_id, by, version=version + 1, differ=differ)
    if one.state == "open" and differ:
        outbox.enqueue(TOLD, {"bulletin_id": bulletin_id, "step": "redrawn", "version": version + 1})
    return differ


def open_up(bulletin_id: int, version: int, by: Visitor) -> Any:
    """Show a draft to the counties for two working days; returns the last of them. Raises NotAllowed, NotFound,
    Changed.
    """
    _need_keeper(by)
    found(bulletin_id)
    until = working_days_after(clock.today(), DAYS_OPEN)
    _step(bulletin_id, ("draft",), {"state": "open", "opened_by": by.id, "opened_at": clock.now(),
                                    "open_until": until}, TABLE.c.version == version)
    journal.record("bulletin.opened", "bulletin", bulletin_id, by, until=until, version=version)
    outbox.enqueue(TOLD, {"bulletin_id": bulletin_id, "step": "opened", "version": version})
    return until


def withdraw(bulletin_id: int, reason: str, by: Visitor) -> None:
    """Give up a draft or an open notice; it stays to be read by the city. Raises NotAllowed, NotFound, InvalidInput,
    Changed.
    """
    _need_keeper(by)
    one = found(bulletin_id)
    if not reason:
        raise InvalidInput({"reason": [N_("Please say why.")]})
    _step(bulletin_id, LIVE, {"state": "withdrawn", "withdrawn_by": by.id, "withdrawn_at": clock.now(),
                              "withdrawn_why": reason})
    journal.record("bulletin.withdrawn", "bulletin", bulletin_id, by, reason=reason)
    if one.state == "open":
        outbox.enqueue(TOLD, {"bulletin_id": bulletin_id, "step": "withdrawn", "version": one.version})


def publish(bulletin_id: int, version: int, by: Visitor) -> str:
    """The second person's word on the drawing they looked at; returns the notice's number, '3/2026'.

    Raises NotAllowed, OwnParty, NotFound, NotOpen, SecondPersonNeeded, StillOpen, Unanswered, NotRedrawn, Changed.
    """
    _need_keeper(by)
    one = found(bulletin_id)
    _check_ready(one, by)
    told, head = kept_text(bulletin_id, version)
    today = clock.today()
    number = _next_number(one.year)
    # the objection that comes in this very moment counts up `unanswered` on the same row: one of the two waits
    _step(bulletin_id, ("open",), {
        "state": "published", "published_by": by.id, "published_at": clock.now(), "published_on": today,
        "number": number, "sha256": content.checksum(told, head), "head": head},
        TABLE.c.version == version, TABLE.c.unanswered == 0, TABLE.c.to_redraw.is_(False),
        TABLE.c.open_until < today, TABLE.c.drawn_by != by.id)
    journal.record("bulletin.published", "bulletin", bulletin_id, by, number=number, year=one.year, head=head,
                   drawn_by=one.drawn_by)
    outbox.enqueue(TOLD, {"bulletin_id": bulletin_id, "step": "published", "version": version})
    faults.point("bulletin_published")
    return f"{number}/{one.year}"


def _check_ready(one: Any, by: Visitor) -> None:
    if one.state != "open":
        raise NotOpen()
    if one.drawn_by == by.id:
        raise SecondPersonNeeded()
    if one.open_until >= clock.today():
        raise StillOpen(day=one.open_until.isoformat())
    if one.unanswered:
        raise Unanswered(count=one.unanswered)
    if one.to_redraw:
        raise NotRedrawn()


def _next_number(year: int) -> int:
    """Without gaps: who takes a number and does not publish gives it back with the transaction."""
    numbers = db.table(BulletinNumber)
    session = db.session()
    session.execute(db.insert_new(BulletinNumber).values({"year": year, "last": 0}))
    return int(session.execute(update(numbers).where(numbers.c.year == year).values(last=numbers.c.last + 1)
                               .returning(numbers.c.last)).scalar_one())


def _need_keeper(by: Visitor) -> None:
    """Raises NotAllowed, OwnParty for an official who acts for a co-operative too: it is about all of them."""
    if not may_keep(by):
        raise NotAllowed()
    need_no_cooperative(by)


def _step(bulletin_id: int, states: tuple[str, ...], values: dict[str, Any], *conditions: Any) -> None:
    """One conditional change; only one of several at once finds its state. Raises Changed."""
    done = db.session().scalar(update(TABLE).where(TABLE.c.id == bulletin_id, TABLE.c.state.in_(states), *conditions)
                               .values(**values).returning(TABLE.c.id))
    if done is None:
        raise Changed()


# ---- what is there --------------------------------------------------------------------------------------------------


def found(bulletin_id: int) -> Any:
    """A notice by its id. Raises NotFound."""
    from_table = db.session().execute(TABLE.select().where(TABLE.c.id == bulletin_id)).first()
    if from_table is None:
        raise NotFound()
    return from_table


def span_of(one: Any) -> Span:
    """The time a notice is about."""
    return Span(one.kind, one.first_day, one.last_day)


def kept_text(bulletin_id: int, version: int) -> tuple[str, str]:
    """A drawing's text and the ledger's head below it. Raises NotFound."""
    table = db.table(BulletinVersion)
    row = db.session().execute(table.select().where(
        table.c.bulletin_id == bulletin_id, table.c.number == version)).first()
    if row is None:
        raise NotFound()
    return row.content, row.head


def kept(bulletin_id: int, version: int) -> tuple[Told, str]:
    """A drawing as it is shown, and its head. Raises NotFound."""
    text, head = kept_text(bulletin_id, version)
    return content.read(text), head


def _keep(bulletin_id: int, version: int, drawn: tuple[Told, str], by: Visitor) -> None:
    text, head = content.canonical(drawn[0]), drawn[1]
    db.insert_rows(BulletinVersion, [{
        "bulletin_id": bulletin_id, "number": version, "content": text, "head": head, "drawn_by": by.id,
        "sha256": content.checksum(text, head), "drawn_at": clock.now()}])
