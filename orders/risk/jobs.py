"""What the worker does every night: find signals, and tell offices of what has passed its day."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import date

from sqlalchemy import or_, update

from market import clock, db, notices
from market.errors import N_
from market.notices import Kind, Kinds
from market.outbox import Handler
from orders.overdue.reminding import offices_over
from orders.risk import finding
from orders.risk.models import RiskCase

KINDS: Kinds = {
    "risk.due": Kind(N_("Risk signals past their day: %(count)s. Please handle or close them."),
                     "risk.index", "office"),
}
HANDLERS: Mapping[str, Handler] = {}


def follow_night() -> None:
    """Run twice, or by two workers, it adds nothing."""
    today = clock.today()
    finding.follow(today)
    with db.transaction():
        tell_due(today)


def tell_due(today: date) -> None:
    """Each office hears once of every day that has passed: the handler's, else the township's, else the county's."""
    late = db.session().execute(
        update(RiskCase).where(RiskCase.state != "closed", RiskCase.due_on < today,
                               or_(RiskCase.told_for.is_(None), RiskCase.told_for != RiskCase.due_on))
        .values(told_for=RiskCase.due_on).returning(RiskCase.id, RiskCase.village_id, RiskCase.office_id)
        .execution_options(synchronize_session=False)).all()
    places = {row.village_id for row in late if row.office_id is None}
    near = offices_over(places, "revitalisation") | offices_over(places, "township") if places else {}
    count: defaultdict[int, int] = defaultdict(int)
    for row in late:
        office = row.office_id or near.get(row.village_id)
        if office is not None:
            count[office] += 1
    for office, number in sorted(count.items()):
        notices.tell(office, "risk.due", office, {"count": number}, occasion=today.isoformat())
