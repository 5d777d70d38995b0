"""The offices hear of a notice's steps: counties when it is open, an objector when it is answered, all in the end."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import or_, select

from market import db, notices
from market.errors import N_
from market.notices import Kind, Kinds
from market.outbox import Handler
from market.parties import Organisation
from market.places import Division
from orders.bulletins import drafting, objecting
from orders.bulletins.drafting import OFFICE, TOLD

HEARING = ("agriculture", "revitalisation", "finance")  # kinds of offices of a county that read figures
OPENED, REDRAWN = "bulletin.opened", "bulletin.redrawn"
OBJECTED, ANSWERED = "bulletin.objected", "bulletin.answered"
PUBLISHED, WITHDRAWN = "bulletin.published", "bulletin.withdrawn"
KINDS: Kinds = {
    OPENED: Kind(N_("The progress notice of %(period)s is open to the counties until %(until)s: please look at your "
                    "figures."), "bulletins.show", "bulletin_id"),
    REDRAWN: Kind(N_("Figures of the progress notice of %(period)s were corrected; it is open until %(until)s."),
                  "bulletins.show", "bulletin_id"),
    OBJECTED: Kind(N_("%(county)s objects to a figure of the progress notice of %(period)s."), "bulletins.show",
                   "bulletin_id"),
    ANSWERED: Kind(N_("Your objection to the progress notice of %(period)s is answered: %(answer)s"),
                   "bulletins.show", "bulletin_id"),
    PUBLISHED: Kind(N_("Progress notice %(number)s of %(year)s is published: %(period)s."), "bulletins.show",
                    "bulletin_id"),
    WITHDRAWN: Kind(N_("The progress notice of %(period)s was withdrawn: %(reason)s"), "bulletins.show",
                    "bulletin_id"),
}


def told(payload: Mapping[str, Any]) -> None:
    """A step of a notice: whoever it concerns hears of it, once."""
    with db.transaction():
        one, step = drafting.found(payload["bulletin_id"]), payload["step"]
        details = {"period": drafting.span_of(one).name, "until": one.open_until.isoformat() if one.open_until else "",
                   "number": one.number, "year": one.year, "reason": one.withdrawn_why}
        occasion = str(payload.get("objection_id") or payload.get("version"))
        hearers = _offices(one)
        if step in ("objected", "answered"):
            objection = objecting.find(payload["objection_id"])
            county = db.session().get_one(Division, objection.county_id)
            details |= {"county": county.name, "answer": objection.answer}
            hearers = [one.office_id] if step == "objected" else [objection.organisation_id]
        for office in hearers:
            notices.tell(office, f"bulletin.{step}", one.id, details, occasion=occasion)


def _offices(one: Any) -> list[int]:
    """Offices of counties, and once it is published those of the city's level too."""
    level = Division.level == "county"
    if one.state == "published":
        level = or_(level, Division.level == "city")
    kinds = (*HEARING, OFFICE) if one.state == "published" else HEARING
    return list(db.session().scalars(
        select(Organisation.id).join(Division, Division.id == Organisation.division_id)
        .where(Organisation.kind == "office", Organisation.status == "active", level,
               Organisation.office_kind.in_(kinds)).order_by(Organisation.id)))


HANDLERS: Mapping[str, Handler] = {TOLD: told}
