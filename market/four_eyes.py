"""Four eyes: who acts for a co-operative, in whatever role, is not the one who decides about it in an office."""

from sqlalchemy import select

from market import db
from market.access import Visitor
from market.errors import N_, Conflict
from market.parties import Membership


class OwnCooperative(Conflict):
    """The official acts for this very co-operative too."""

    code = "own_cooperative"
    text = N_("You act for this co-operative yourself: somebody else has to decide here.")


def need_outsider(supplier_id: int, by: Visitor) -> None:
    """Raises OwnCooperative where this person acts for the supplier too, whatever office they are here for now."""
    if db.session().scalar(select(Membership.id).where(
            Membership.user_id == by.id, Membership.organisation_id == supplier_id).limit(1)) is not None:
        raise OwnCooperative()
