"""The offices hear that a month was closed or opened again."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from market import db, filings, notices
from market.errors import N_
from market.notices import Kind, Kinds
from market.outbox import Handler
from market.parties import Organisation
from orders.periods.closing import PROPOSALS, TOLD

HEARING = ("agriculture", "revitalisation", "finance", "city")  # kinds of offices that read figures of months
CLOSED, REOPENED = "period.closed", "period.reopened"
KINDS: Kinds = {
    CLOSED: Kind(N_("%(month)s is closed: its figures are filed, what comes later counts in the first open month."),
                 "periods.show", "number"),
    REOPENED: Kind(N_("%(month)s was opened again: %(reason)s"), "periods.show", "number"),
}


def told(payload: Mapping[str, Any]) -> None:
    """An act on a month: every office that reads its figures hears of it, once."""
    period, number = payload["period"], payload["number"]
    with db.transaction() as session:
        reason = session.scalar(select(PROPOSALS.c.reason).where(
            PROPOSALS.c.period == period, PROPOSALS.c.number == number, PROPOSALS.c.outcome == "confirmed"))
        offices = session.scalars(select(Organisation.id).where(
            Organisation.kind == "office", Organisation.status == "active",
            Organisation.office_kind.in_(HEARING)).order_by(Organisation.id)).all()
        for office in offices:
            notices.tell(office, CLOSED if filings.is_closed(number) else REOPENED, int(period.replace("-", "")),
                         {"month": period, "reason": reason or ""}, occasion=str(number))


HANDLERS: Mapping[str, Handler] = {TOLD: told}
