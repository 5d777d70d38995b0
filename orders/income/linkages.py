"""利益联结 as a co-operative enters it and a person at the village confirms it."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select

from market import clock, db, journal, linkages, places
from market.access import Visitor
from market.errors import N_, Conflict, InvalidInput, NotFound, SecondPersonNeeded
from market.four_eyes import need_outsider
from market.households import CoopMember, Household
from market.linkages import FORMS, KINDS, Linkage
from market.places import Division
from orders.income.areas import in_area


class NoLinkage(Conflict):
    """Income needs a tie it comes from."""

    code = "no_linkage"
    text = N_("Nothing ties this receiver to your co-operative in %(month)s: enter the linkage and its evidence first.")


@dataclass(frozen=True)
class Tie:
    """What is agreed: with a household, or with a village as a whole; `until` is the first day it no longer holds."""

    village_id: int
    household_id: int | None
    kind: str
    form: str
    since: date
    evidence_id: int
    until: date | None = None
    note: str = ""
    bears_returns: bool = False


def enter(tie: Tie, by: Visitor) -> Linkage:
    """Keep a linkage of this co-operative; it holds once the village confirms it.

    The household is a registered one or a member. Raises NotFound, InvalidInput.
    """
    if by.organisation_kind != "supplier" or by.organisation_id is None:
        raise NotFound()
    if tie.kind not in KINDS or tie.form not in FORMS or tie.form == "delivery":
        raise InvalidInput({"form": [N_("Choose how the two are tied.")]})
    if tie.until is not None and tie.until <= tie.since:
        raise InvalidInput({"until": [N_("The last day lies before the first.")]})
    if tie.bears_returns and tie.household_id is not None:
        raise InvalidInput({"bears_returns": [N_("Who bears returned goods is agreed with the village as a whole.")]})
    if tie.form == "collective_share" and tie.household_id is not None:
        raise InvalidInput({"form": [N_("The share of the collective is agreed with the village as a whole.")]})
    _check_place(tie, by.organisation_id)
    row = Linkage(
        supplier_id=by.organisation_id, village_id=tie.village_id, household_id=tie.household_id, kind=tie.kind,
        form=tie.form, since=tie.since, until=tie.until, note=tie.note, bears_returns=tie.bears_returns,
        evidence_id=tie.evidence_id, entered_by=by.id, entered_at=clock.now())
    db.session().add(row)
    db.session().flush()
    journal.record("linkage.entered", "linkage", row.id, by, form=row.form, village=row.village_id)
    return row


def _check_place(tie: Tie, supplier_id: int) -> None:
    session = db.session()
    if tie.household_id is None:
        if session.scalar(select(Division.id).where(Division.id == tie.village_id, Division.level == "village",
                                                    Division.valid_to.is_(None))) is None:
            raise NotFound()
        return
    known = session.execute(
        select(Household.village_id, Household.register_code, CoopMember.id)
        .outerjoin(CoopMember, (CoopMember.household_id == Household.id) & (CoopMember.supplier_id == supplier_id))
        .where(Household.id == tie.household_id)).first()
    if known is None or known.village_id != tie.village_id or (known.register_code is None and known.id is None):
        raise NotFound()


def confirm(linkage_id: int, by: Visitor) -> None:
    """A person at the village says that it is so. Raises NotFound, SecondPersonNeeded, OwnCooperative, Conflict."""
    row = _waiting(linkage_id, by)
    row.confirmed_by, row.confirmed_at = by.id, clock.now()
    row.village_id = places.today_of(row.village_id)  # it may have become another one while this waited
    db.session().flush()
    journal.record("linkage.confirmed", "linkage", row.id, by)


def refuse(linkage_id: int, why: str, by: Visitor) -> None:
    """A person at the village says that it is not so, and why. Raises as confirm() does."""
    row = _waiting(linkage_id, by)
    row.refused_at, row.refusal = clock.now(), why
    db.session().flush()
    journal.record("linkage.refused", "linkage", row.id, by, why=why)


def _waiting(linkage_id: int, by: Visitor) -> Linkage:
    row = db.session().scalar(select(Linkage).where(Linkage.id == linkage_id).with_for_update())
    if row is None or not in_area(row.village_id, by):
        raise NotFound()
    if row.entered_by == by.id:
        raise SecondPersonNeeded()
    need_outsider(row.supplier_id, by)
    if row.confirmed_at is not None or row.refused_at is not None:
        raise Conflict()
    return row


def end(linkage_id: int, day: date, by: Visitor) -> None:
    """It no longer holds from a day on; income of before keeps it. Raises NotFound, Conflict, InvalidInput."""
    row = db.session().scalar(select(Linkage).where(
        Linkage.id == linkage_id, Linkage.supplier_id == by.organisation_id).with_for_update())
    if row is None:
        raise NotFound()
    if row.form == "delivery" or row.until is not None or row.refused_at is not None:
        raise Conflict()
    if day < row.since:
        raise InvalidInput({"until": [N_("The last day lies before the first.")]})
    row.until = day
    db.session().flush()
    journal.record("linkage.ended", "linkage", row.id, by, until=day)


def behind(supplier_id: int, village_id: int, household_id: int | None, income_kind: str, month: str,
           chosen: int | None = None) -> int:
    """The linkage that an income entry points to: the best one, or the `chosen` one of those that fit.

    Raises NoLinkage, InvalidInput.
    """
    found = [row.id for row in linkages.under_income(supplier_id, village_id, household_id, income_kind, month)]
    if not found:
        raise NoLinkage(month=month)
    if chosen is not None and chosen not in found:
        raise InvalidInput({"linkage_id": [N_("Please choose one of the list.")]})
    return chosen or found[0]
