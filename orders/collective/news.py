"""What a village hears: the township has decided about what it declared."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from market import db, notices
from market.errors import N_
from market.notices import Kind, Kinds
from market.outbox import Handler
from market.parties import Organisation
from orders.collective.declaring import DECIDED
from orders.collective.models import OtherIncome

KINDS: Kinds = {
    "collective.confirmed": Kind(N_("The township has confirmed the collective's income of %(year)s."),
                                 "collective.show", "village_id"),
    "collective.refused": Kind(N_("The township has refused the collective's income of %(year)s: %(why)s"),
                               "collective.show", "village_id"),
}


def tell_village(payload: Mapping[str, Any]) -> None:
    """The office of the village that declared hears of it."""
    with db.transaction() as session:
        row = session.get_one(OtherIncome, payload["id"])
        office = session.scalar(select(Organisation.id).where(
            Organisation.kind == "office", Organisation.office_kind == "village",
            Organisation.division_id == row.village_id).order_by(Organisation.id).limit(1))
        if office is not None:
            what = "confirmed" if row.confirmed_at is not None else "refused"
            notices.tell(office, f"collective.{what}", row.village_id, {"year": row.year, "why": row.refusal},
                         occasion=str(row.id))


HANDLERS: Mapping[str, Handler] = {DECIDED: tell_village}
