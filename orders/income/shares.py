"""The village collective's dated share of what is accepted: agreed by two people, followed when a village changes."""

from datetime import date

from sqlalchemy import select, update

from market import clock, db, journal, places
from market.access import Visitor
from market.errors import N_, InvalidInput, SecondPersonNeeded
from market.four_eyes import need_outsider
from market.linkages import Linkage
from orders.income.areas import in_area
from orders.models import CollectiveAgreement


def agree_collective(village_id: int, basis_points: int, valid_from: date, by: Visitor,
                     confirmed_by: Visitor) -> CollectiveAgreement:
    """Both are here: set the collective's share (hundredths of a percent, 0 to 5000) from a day on.

    Raises as agree() does.
    """
    if by.organisation_id is None:
        raise InvalidInput({"basis_points": [N_("This number is outside what is possible here.")]})
    return agree((by.organisation_id, by.id), village_id, basis_points, valid_from, confirmed_by)


def agree(proposer: tuple[int, int], village_id: int, basis_points: int, valid_from: date, confirmed_by: Visitor,
          evidence_id: int | None = None, note: str = "") -> CollectiveAgreement:
    """What (co-operative, its person) proposed, a person of the village confirms; a former share ends on that day.

    It holds for what the village has become since it was proposed.

    Raises SecondPersonNeeded, OwnCooperative, InvalidInput.
    """
    supplier_id, person_id = proposer
    if not in_area(village_id, confirmed_by) or confirmed_by.id == person_id:
        raise SecondPersonNeeded()
    if not 0 <= basis_points <= 5000:
        raise InvalidInput({"basis_points": [N_("This number is outside what is possible here.")]})
    need_outsider(supplier_id, confirmed_by)
    village_id = places.today_of(village_id)
    session = db.session()
    tie = _tie(proposer, village_id, valid_from, confirmed_by, evidence_id, note)
    session.execute(
        update(CollectiveAgreement)
        .where(CollectiveAgreement.supplier_id == supplier_id, CollectiveAgreement.village_id == village_id,
               CollectiveAgreement.valid_to.is_(None)).values(valid_to=valid_from))
    row = CollectiveAgreement(supplier_id=supplier_id, village_id=village_id, basis_points=basis_points,
                              valid_from=valid_from, agreed_by=person_id, confirmed_by=confirmed_by.id, linkage_id=tie)
    session.add(row)
    session.flush()
    journal.record("collective.agreed", "collective_agreement", row.id, confirmed_by, basis_points=basis_points,
                   proposed_by=person_id)
    return row


def _tie(proposer: tuple[int, int], village_id: int, since: date, confirmed_by: Visitor, evidence_id: int | None,
         note: str) -> int:
    """The tie behind the collective's share; the one of a former share ends with it."""
    supplier_id, person_id = proposer
    session = db.session()
    session.execute(
        update(Linkage).where(Linkage.supplier_id == supplier_id, Linkage.village_id == village_id,
                              Linkage.form == "collective_share", Linkage.until.is_(None), Linkage.since <= since)
        .values(until=since))
    row = Linkage(supplier_id=supplier_id, village_id=village_id, kind="shareholding", form="collective_share",
                  since=since, entered_by=person_id, entered_at=clock.now(), confirmed_by=confirmed_by.id,
                  confirmed_at=clock.now(), evidence_id=evidence_id, note=note)
    session.add(row)
    session.flush()
    return row.id


def follow_village(old_id: int, new_id: int) -> None:
    """A village has become another one: its agreements hold for the new one too; old lots keep the old one's."""
    agreement = db.table(CollectiveAgreement)
    rows = db.session().execute(select(agreement).where(
        agreement.c.village_id == old_id,
        agreement.c.valid_to.is_(None) | (agreement.c.valid_to > clock.today()))
        .order_by(agreement.c.id)).mappings().all()
    db.insert_rows(CollectiveAgreement, [
        {**{name: value for name, value in row.items() if name != "id"}, "village_id": new_id} for row in rows])
