"""Who vouches for an applicant, in which order, until when; what each decision leads to.

Township, then the county's two offices side by side, then the platform. Whoever was examined elsewhere (the 832
platform, a certified product) needs one confirmation of the county before the platform. Nobody decides two steps of one
application, and nobody decides about their own.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select, update

from catalog.entry import admission, contents
from catalog.entry.area import application_to_decide
from catalog.entry.contents import Contents
from catalog.entry.models import Application, EntryStep
from market import clock, db, journal, offices, outbox, working_days
from market.access import Visitor
from market.errors import N_, Conflict, SecondPersonNeeded
from market.parties import Membership, Organisation

WORKING_DAYS = 3
FULL = (("township",), ("agriculture", "revitalisation"), ("platform",))
FAST = (("confirmation",), ("platform",))
# The kinds of office that take a step: the nearest to the village in which somebody can decide. A township without a
# desk here is stood in for by the city, not by a county office, whose one official could then not decide its own step.
OFFICES: Mapping[str, tuple[str, ...]] = {
    "township": ("township", "city"), "agriculture": ("agriculture", "city"),
    "revitalisation": ("revitalisation", "city"), "confirmation": ("agriculture", "city"),
}
DECIDERS = ("township_officer", "official", "operator_system")


class NoOffice(Conflict):
    """Nobody is there who could examine."""

    code = "no_office"
    text = N_("No office for your village is on this site yet. Please call your township; what you filled in stays.")


class OtherOffice(Conflict):
    """The step waits for somebody else, or no longer waits."""

    code = "other_office"
    text = N_("This step does not wait for your office, or it has been decided meanwhile.")


def path_of(application: Application) -> tuple[tuple[str, ...], ...]:
    """The steps in order; those that stand together are taken side by side."""
    return FAST if application.is_fast else FULL


def advance(application: Application, by: Visitor | None) -> None:
    """Ask the first offices whose word is still wanted; when all have passed it, the supplier is admitted."""
    said = contents.read(application)
    for stage in path_of(application):
        wanted = [step for step in stage if not _holds(said, step)]
        if wanted:
            for step in wanted:
                _ask(application, step)
            return
    admission.admit(said, by)


def _holds(said: Contents, step: str) -> bool:
    """Whether the office's last word on a step was a pass, about what the application says now."""
    last = db.session().execute(
        select(EntryStep.decision, EntryStep.content_hash)
        .where(EntryStep.application_id == said.application.id, EntryStep.step == step,
               EntryStep.decision.in_(("passed", "returned", "refused")))
        .order_by(EntryStep.id.desc()).limit(1)).first()
    return last is not None and last.decision == "passed" and last.content_hash == contents.vouched(said, step)


def _ask(application: Application, step: str) -> None:
    """Open a step, unless it is open already, and tell the office."""
    row = {"application_id": application.id, "step": step, "office_id": _office(application, step),
           "opened_at": clock.now(), "reason": "", "content_hash": "",
           "due_on": working_days.working_days_after(clock.today(), WORKING_DAYS)}
    opened = db.session().execute(db.insert_new(EntryStep).returning(EntryStep.id), [row]).scalar()
    if opened is not None:
        outbox.enqueue("application.waiting", {"step_id": opened})


def _office(application: Application, step: str) -> int:
    """The office that takes a step. Raises NoOffice."""
    for office_id in _candidates(application, step):
        if any(offices.has_officer(office_id, role) for role in DECIDERS):
            return office_id
    raise NoOffice()


def _candidates(application: Application, step: str) -> list[int]:
    if step == "platform":
        return list(db.session().scalars(
            select(Organisation.id).where(Organisation.office_kind == "platform", Organisation.status == "active")
            .order_by(Organisation.id)))
    return list(offices.over(application.village_id or 0, *OFFICES[step]))


def decide(application_id: int, values: Mapping[str, Any], by: Visitor) -> str:
    """An office's word on its step: passed, returned (to the applicant) or refused (for good); returns the word.

    Raises NotFound, OtherOffice, SecondPersonNeeded.
    """
    application = application_to_decide(application_id, by, lock=True)
    step = db.session().scalar(select(EntryStep).where(
        EntryStep.id == values["step_id"], EntryStep.application_id == application_id, EntryStep.decision.is_(None),
        EntryStep.office_id == (by.organisation_id or 0)).execution_options(populate_existing=True))
    if step is None or application.state != "submitted":
        raise OtherOffice()
    if is_bound(application, step.step, by):
        raise SecondPersonNeeded()
    _write(step, values["decision"], values["reason"], by)
    if step.decision == "passed":
        step.content_hash = contents.vouched(contents.read(application), step.step)
        db.session().flush()
        journal.record("application.passed", "application", application.id, by, step=step.step, reason=step.reason)
        advance(application, by)
    else:
        application.state = values["decision"]
        db.session().flush()
        set_aside(application.id)
        journal.record(f"application.{values['decision']}", "application", application.id, by, step=step.step,
                       reason=step.reason)
    outbox.enqueue("application.decided", {"step_id": step.id})
    return str(values["decision"])


def is_bound(application: Application, step: str, by: Visitor) -> bool:
    """Whether a person may not decide this step: it is their own application, or they decided another of its steps."""
    own = select(Membership.id).where(Membership.user_id == by.id,
                                      Membership.organisation_id == application.supplier_id)
    other = select(EntryStep.id).where(EntryStep.application_id == application.id, EntryStep.decided_by == by.id,
                                       EntryStep.step != step)
    read = db.session().scalar
    return by.id == application.applicant_id or read(own.limit(1)) is not None or read(other.limit(1)) is not None


def _write(step: EntryStep, decision: str, reason: str, by: Visitor) -> None:
    step.decision, step.reason, step.decided_by, step.decided_at = decision, reason, by.id, clock.now()
    db.session().flush()


def set_aside(application_id: int) -> None:
    """Steps that nobody has decided yet need no decision now; handed in again, they are opened anew."""
    db.session().execute(
        update(EntryStep).where(EntryStep.application_id == application_id, EntryStep.decision.is_(None))
        .values(decision="set_aside", decided_at=clock.now()))
