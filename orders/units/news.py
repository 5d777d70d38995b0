"""What the worker tells about units: who has to decide hears of a new one, the unit hears what was decided."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from market import db, notices
from market.errors import N_
from market.notices import Kind, Kinds
from market.outbox import Handler
from market.parties import Organisation
from orders.units import admission
from orders.units.models import UnitApplication

KINDS: Kinds = {
    "unit.applied": Kind(N_("%(name)s wants to be admitted as a buying unit."), "unit_office.application",
                         "application_id"),
    "unit.applied_below": Kind(N_("%(name)s wants to be admitted as your sub-unit."), "units.sub_unit", "unit_id"),
    "unit.admitted": Kind(N_("Your unit is admitted. You can order now."), "units.show", "application"),
    "unit.returned": Kind(N_("Your unit's application came back: %(reason)s"), "units.show", "application"),
}


def application_changed(payload: Mapping[str, Any]) -> None:
    """Sent, sent back or admitted. The handler may run twice; the notice's unique key makes it tell once."""
    with db.transaction() as session:
        one = session.execute(
            select(UnitApplication.id, UnitApplication.unit_id, UnitApplication.reason, UnitApplication.sent_at,
                   Organisation.name, Organisation.division_id, Organisation.parent_id)
            .join(Organisation, Organisation.id == UnitApplication.unit_id)
            .where(UnitApplication.id == payload["application_id"])).one()
        sent = one.sent_at.isoformat()  # sent back, it may be sent again
        if payload["state"] != "waiting":
            notices.tell(one.unit_id, f"unit.{payload['state']}", one.id, {"reason": one.reason}, sent)
            return
        for office in admission.deciders(one.division_id, None):
            notices.tell(office, "unit.applied", one.id, {"name": one.name}, sent)
        if one.parent_id is not None:
            notices.tell(one.parent_id, "unit.applied_below", one.unit_id, {"name": one.name}, sent)


HANDLERS: Mapping[str, Handler] = {admission.CHANGED: application_changed}
