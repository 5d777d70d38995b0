"""What a person keeps of a report, and what is then shown where the address asks for nothing itself."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import delete, select, update

from market import clock, db, journal
from market.access import Anonymous, Visitor
from orders.reports.models import ReportWish

WISHES = db.table(ReportWish)


def of(visitor: Visitor | Anonymous, report: str) -> Any:
    """A person's wishes for a report; None where there are none, or nobody is logged in."""
    if not isinstance(visitor, Visitor):
        return None
    return db.session().execute(select(WISHES).where(
        WISHES.c.user_id == visitor.id, WISHES.c.report == report)).first()


def kept(wish: Any) -> dict[str, str]:
    """Kept filters and columns as an address would hold them."""
    if wish is None:
        return {}
    return {**(wish.filters or {}), **({"columns": ",".join(wish.columns)} if wish.columns else {})}


def starred(visitor: Visitor | Anonymous) -> set[str]:
    """Names of the reports that stand among a person's own."""
    if not isinstance(visitor, Visitor):
        return set()
    return set(db.session().scalars(select(WISHES.c.report).where(
        WISHES.c.user_id == visitor.id, WISHES.c.starred)))


def keep_columns(report: str, columns: Sequence[str], by: Visitor) -> None:
    """These columns from now on; none for all of them."""
    _keep(report, by, columns=list(columns) or None)


def keep_filters(report: str, filters: Mapping[str, str], by: Visitor) -> None:
    """These filters from now on, by their names in an address."""
    _keep(report, by, filters=dict(filters) or None)


def star(report: str, is_own: bool, by: Visitor) -> None:
    """Among a person's own, or no longer."""
    _keep(report, by, starred=is_own)


def forget(report: str, by: Visitor) -> None:
    """Everything kept of a report, but that it is among one's own."""
    _keep(report, by, columns=None, filters=None)
    db.session().execute(delete(WISHES).where(
        WISHES.c.user_id == by.id, WISHES.c.report == report, ~WISHES.c.starred))


def _keep(report: str, by: Visitor, **values: Any) -> None:
    """Whoever comes first makes the row; what two tabs keep of different things both stays."""
    db.session().execute(db.insert_new(ReportWish), [
        {"user_id": by.id, "report": report, "columns": None, "filters": None, "starred": False,
         "changed_at": clock.now()}])
    db.session().execute(update(WISHES).where(WISHES.c.user_id == by.id, WISHES.c.report == report).values(
        **values, changed_at=clock.now()))
    journal.record("report.kept", "report", report[:32], by, what=sorted(values))
