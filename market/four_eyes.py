"""Four eyes: who acts for a co-operative, in whatever role, is not the one who decides about it in an office."""

from collections.abc import Collection

from sqlalchemy import ColumnElement, select

from market import db
from market.access import Visitor
from market.errors import N_, Conflict, SecondPersonNeeded
from market.parties import Membership, Organisation


class OwnParty(Conflict):
    """The official acts for one of those whom it is about."""

    code = "own_party"
    text = N_("You act yourself for somebody whom this is about: somebody else has to decide here.")


class OwnCooperative(Conflict):
    """The official acts for this very co-operative too."""

    code = "own_cooperative"
    text = N_("You act for this co-operative yourself: somebody else has to decide here.")


class ManagerNeeded(SecondPersonNeeded):
    """Two persons, but none of them answers for the co-operative."""

    code = "manager_needed"
    text = N_("One of the two persons must be a manager of the co-operative.")


def need_second(supplier_id: int, first_id: int | None, by: Visitor) -> None:
    """Somebody of a co-operative else than the first person, and one of the two a manager: agents and clerks prepare.

    Raises SecondPersonNeeded, ManagerNeeded.
    """
    if first_id == by.id:
        raise SecondPersonNeeded()
    if "manager" not in by.roles and db.session().scalar(select(Membership.id).where(
            Membership.user_id == first_id, Membership.organisation_id == supplier_id,
            Membership.role == "manager")) is None:
        raise ManagerNeeded()


def need_no_party(organisations: Collection[int], by: Visitor) -> None:
    """Raises OwnParty where this person acts for one of these, buyer or co-operative."""
    if _acts_for(Membership.organisation_id.in_(organisations), by):
        raise OwnParty()


def need_no_cooperative(by: Visitor) -> None:
    """Raises OwnParty where this person acts for any co-operative: what is decided is about all of them."""
    suppliers = select(Organisation.id).where(Organisation.kind == "supplier")
    if _acts_for(Membership.organisation_id.in_(suppliers), by):
        raise OwnParty()


def _acts_for(condition: ColumnElement[bool], by: Visitor) -> bool:
    return db.session().scalar(select(Membership.id).where(
        Membership.user_id == by.id, condition).limit(1)) is not None


def need_outsider(supplier_id: int, by: Visitor) -> None:
    """Raises OwnCooperative where this person acts for the supplier too, whatever office they are here for now."""
    if _acts_for(Membership.organisation_id == supplier_id, by):
        raise OwnCooperative()
