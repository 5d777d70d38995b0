"""Which units a report about units looks at, and what it says of each: shared by progress and register."""

from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import aliased

from market import clock, db
from market.errors import NotFound
from market.parties import Organisation
from market.places import Division
from orders.quota.models import QuotaFiling
from orders.reports.frame import Asked
from orders.reports.readers import Area, Reader


def units(area: Area, reader: Reader) -> Any:
    """Units of the area that were ever let in, with their place and supervising unit. Raises NotFound for the public.
    """
    if not reader.sees_all:
        raise NotFound()
    parent = aliased(Organisation)
    query = (
        select(Organisation.id, Organisation.name, Organisation.unit_type, Division.level, Division.name.label("place"),
               parent.name.label("parent"))
        .outerjoin(Division, Division.id == Organisation.division_id)
        .outerjoin(parent, parent.id == Organisation.parent_id)
        .where(Organisation.kind == "unit", Organisation.status != "applying"))
    where = area.where
    if where.county_id is not None:
        query = query.where((Division.county_id == where.county_id) | (Division.id == where.county_id))
    if where.township_id is not None:
        query = query.where(Division.township_id == where.township_id)
    if where.village_ids is not None:
        query = query.where(Division.id.in_(where.village_ids))
    return db.session().execute(query.order_by(Organisation.id)).all()


def year_of(asked: Asked) -> tuple[int, date]:
    """The year of the last month asked for, and that month's last day."""
    following = date.fromisoformat(clock.months_before(asked.last, -1) + "-01")
    return int(asked.last[:4]), clock.days_after(following, -1)


def filings(year: int) -> dict[int, Any]:
    """The filings of a year by unit, with the representative's name."""
    representative = aliased(Organisation)
    table = db.table(QuotaFiling)
    return {row.unit_id: row for row in db.session().execute(
        select(table, representative.name.label("representative"))
        .outerjoin(representative, representative.id == table.c.representative_id).where(table.c.year == year))}
