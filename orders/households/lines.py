"""防返贫监测线 as an office enters it for its area and year: shown on a card, compared with nothing."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from market import clock, db, journal
from market.access import Visitor
from market.errors import NotAllowed
from market.parties import Organisation
from market.places import Division
from orders.households.models import MonitoringLine

LEVELS = ("county", "city")


def put(year: int, amount_fen: int, source: str, by: Visitor) -> None:
    """Enter the line of the office's own county or city. Raises NotAllowed."""
    level = db.session().scalar(select(Division.level).where(Division.id == by.division_id))
    if level not in LEVELS:
        raise NotAllowed()
    row = MonitoringLine(division_id=by.division_id, year=year, amount_fen=amount_fen, source=source,
                         organisation_id=by.organisation_id, set_by=by.id, set_at=clock.now())
    db.session().add(row)
    db.session().flush()
    journal.record("monitoring_line.set", "division", by.division_id or 0, by, year=year, amount_fen=amount_fen,
                   source=source)


def kept(by: Visitor) -> Sequence[Any]:
    """Every line entered for a place this office lies in or that lies in it, the newest first."""
    return db.session().execute(
        _lines().where((Division.id == by.division_id) | (Division.parent_id == by.division_id)
                       | Division.id.in_(select(Division.parent_id).where(Division.id == by.division_id)))
        .order_by(MonitoringLine.id.desc())).all()


def of_village(village_id: int, year: int) -> Any | None:
    """The line of a village's county in a year, else of its city: amount_fen, place, office; None where none is."""
    village, county = db.table(Division).alias("village"), db.table(Division).alias("county")
    county_id = select(village.c.county_id).where(village.c.id == village_id).scalar_subquery()
    city_id = (select(county.c.parent_id).join(village, village.c.county_id == county.c.id)
               .where(village.c.id == village_id).scalar_subquery())
    rows = db.session().execute(
        _lines().where(MonitoringLine.year == year, MonitoringLine.division_id.in_([county_id, city_id]))
        .order_by(MonitoringLine.id)).all()
    newest = {row.level: row for row in rows}
    return newest.get("county") or newest.get("city")


def _lines() -> Any:
    return (select(db.table(MonitoringLine), Division.name.label("place"), Division.level,
                   Organisation.name.label("office"))
            .join(Division, Division.id == MonitoringLine.division_id)
            .join(Organisation, Organisation.id == MonitoringLine.organisation_id))
