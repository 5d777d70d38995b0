"""Who reads a report, and of which area: offices their own, the city and auditors all, others the public part."""

from dataclasses import dataclass, replace

from sqlalchemy import select

from market import db
from market.access import SUPPLIER, Anonymous, Visitor, can
from market.errors import NotFound
from market.figures import EVERYWHERE, Where
from market.places import Division

READS_ALL = {"auditor", "operator_audit"}


@dataclass(frozen=True)
class Reader:
    """`sees_all`: every figure of the area, documents behind it, any months; the public sees one month, masked.

    `supplier_id`: a co-operative, which reads of reports that are not public its own rows and nothing else.
    """

    sees_all: bool
    where: Where = EVERYWHERE
    supplier_id: int | None = None


PUBLIC = Reader(False)
WHOLE = Reader(True)
NOWHERE = Where(village_ids=())


def reader_of(visitor: Visitor | Anonymous, verb: str = "report.read") -> Reader:
    """What this visitor may read; `verb` decides who is more than the public."""
    if not isinstance(visitor, Visitor) or not can(visitor, verb):
        return PUBLIC if visitor.organisation_kind != SUPPLIER else Reader(False, supplier_id=visitor.organisation_id)
    if visitor.roles & READS_ALL:
        return WHOLE
    level = db.session().scalar(select(Division.level).where(Division.id == visitor.division_id))
    area = {"county": Where(county_id=visitor.division_id), "township": Where(township_id=visitor.division_id),
            "village": Where(village_ids=(visitor.division_id or 0,)), "city": EVERYWHERE, "province": EVERYWHERE}
    return Reader(True, area.get(level or "", NOWHERE))


@dataclass(frozen=True)
class Area:
    """Where a report looks, and the path of that place ('' for all that the reader may see)."""

    where: Where
    path: str = ""


def area_of(reader: Reader, county: str | None, township: str | None, village: str | None) -> Area:
    """The reader's area, narrowed to the smallest place named. Raises NotFound for places unknown or not theirs."""
    code, level = (village, "village") if village else (township, "township") if township else (county, "county")
    if not code:
        return Area(reader.where)
    place = find_place(reader, code, level)
    narrowed = {
        "county": replace(reader.where, county_id=place.id), "township": replace(reader.where, township_id=place.id),
        "village": replace(reader.where, village_ids=(place.id,)),
    }
    return Area(narrowed[level], place.path)


def number_of(text: str | None) -> int | None:
    """An id as it stands in an address. Raises NotFound for what is none."""
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 12):
        raise NotFound()
    return int(text)


@dataclass(frozen=True)
class Place:
    """A division as reports name it."""

    id: int
    code: str
    path: str


def find_place(reader: Reader, code: str, level: str) -> Place:
    """A place of the reader's area by its code (12 digits), or a former village by its id. Raises NotFound."""
    if not (code.isascii() and code.isdigit() and len(code) <= 12):
        raise NotFound()
    named = (Division.code == code) & Division.valid_to.is_(None) if len(code) == 12 else Division.id == int(code)
    found = db.session().execute(
        select(Division.id, Division.code, Division.path, Division.county_id, Division.township_id)
        .where(named, Division.level == level)).first()
    if found is None or not _lies_in(reader.where, found.id, found.county_id, found.township_id):
        raise NotFound()
    return Place(found.id, found.code, found.path)


def _lies_in(where: Where, place_id: int, county_id: int | None, township_id: int | None) -> bool:
    return (where.county_id in (None, county_id) and where.township_id in (None, township_id)
            and (where.village_ids is None or place_id in where.village_ids))


Choices = list[tuple[str, str]]


def choices(reader: Reader, county: str | None) -> tuple[Choices, Choices]:
    """Counties, and townships of the chosen one, that this reader may choose from: (code, name), in one statement."""
    counties, townships, _none = places_to_choose(reader, county, None)
    return counties, townships


def places_to_choose(reader: Reader, county: str | None,
                     township: str | None) -> tuple[Choices, Choices, Choices]:
    """Counties, townships of the chosen one, and villages of the chosen township, that this reader may choose from:
    (code, name), in one statement.
    """
    where = reader.where
    query = select(Division.code, Division.name, Division.level).where(
        Division.valid_to.is_(None), Division.level.in_(("county", "township", "village")))
    if where.county_id is not None:
        query = query.where(Division.county_id == where.county_id)
    if where.township_id is not None:
        query = query.where((Division.id == where.township_id) | (Division.township_id == where.township_id))
    elif where.village_ids is not None:
        query = query.where(Division.id.in_(where.village_ids))
    named = (
        (Division.level == "county")
        | ((Division.level == "township") & Division.code.startswith((county or "none")[:6], autoescape=True))
        | ((Division.level == "village") & Division.code.startswith((township or "none")[:9], autoescape=True)))
    rows = db.session().execute(query.where(named).order_by(Division.code)).all()
    counties, townships, villages = ([(row.code, row.name) for row in rows if row.level == level]
                                     for level in ("county", "township", "village"))
    return counties, townships, villages
