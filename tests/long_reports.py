"""A report of as many rows as there are places, read one by one from the database, for tests of long files."""

from collections.abc import Iterator

from sqlalchemy import func, select

from market import db
from market.places import Division
from orders.reports.frame import Asked, Column, Content, Report, Row
from orders.reports.readers import Area, Reader

COLUMNS = (Column("code", "Village code", "code"), Column("village", "Village", "text"),
           Column("number", "Orders", "count", sums=True))
PLACES = db.table(Division)


def read(_asked: Asked, _area: Area, _reader: Reader) -> Content:
    """What stands around the rows; of the rows themselves only a first page."""
    total = db.session().scalar(select(func.sum(PLACES.c.id))) or 0
    return Content(COLUMNS, [Row({"code": "not", "village": "these", "number": 1})], Row({"number": int(total)}))


def rows_of(_asked: Asked, _area: Area, _reader: Reader) -> Iterator[Row]:
    """By key, a thousand at a time."""
    last = 0
    while found := db.session().execute(
            select(PLACES.c.id, PLACES.c.code, PLACES.c.path).where(PLACES.c.id > last).order_by(PLACES.c.id)
            .limit(1000)).all():
        for row in found:
            yield Row({"code": row.code, "village": row.path, "number": row.id}, place=str(row.id))
        last = found[-1].id


REPORT = Report("all-places", "Villages", "Every place.", read, "report.read", by_village=False, rows_of=rows_of)
