"""What the evidence pages list: one's own packages, draws, and the places one may ask for."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from market import db, paging
from market.access import Visitor
from market.errors import InvalidInput, MarketError, NotFound
from market.figures import Where
from market.paging import Page
from market.places import Division
from market.users import User
from market.village_months import VillageMonth
from orders.evidence import asking
from orders.evidence.models import EvidencePackage, SampleDraw
from orders.reports.readers import READS_ALL, Area, Reader, area_of

PLACES_AT_MOST = 2000
NO_SUCH_PLACE = NotFound.text


def packages(by: Visitor, page: int) -> Page:
    """The visitor's own packages, the newest first."""
    total = db.session().scalar(select(func.count()).select_from(EvidencePackage).where(asking.owned_by(by))) or 0
    return paging.read(select(db.table(EvidencePackage)).where(asking.owned_by(by)).order_by(EvidencePackage.id.desc()),
                       total, page)


def draws(by: Visitor, page: int) -> Page:
    """Every draw of the visitor's office, of all offices for auditors: who drew, and how often."""
    query = select(db.table(SampleDraw), User.name.label("drawer")).join(User, User.id == SampleDraw.drawn_by).where(
        _seen(by))
    total = db.session().scalar(select(func.count()).select_from(SampleDraw).where(_seen(by))) or 0
    return paging.read(query.order_by(SampleDraw.id.desc()), total, page)


def draw(draw_id: int, by: Visitor) -> SampleDraw:
    """One of these draws. Raises NotFound."""
    row = db.session().scalar(select(SampleDraw).where(SampleDraw.id == draw_id, _seen(by)))
    if row is None:
        raise NotFound()
    return row


def drawer_of(row: SampleDraw) -> str:
    """Who drew it."""
    return db.session().scalars(select(User.name).where(User.id == row.drawn_by)).one()


def villages(reader: Reader) -> Sequence[Any]:
    """Villages of the area that have figures, former ones by id: (place, path)."""
    traded = select(VillageMonth.village_id).distinct()
    rows = db.session().execute(
        select(Division.id, Division.code, Division.path, Division.valid_to)
        .where(Division.id.in_(traded), reader.where.holds(Division.id)).order_by(Division.code, Division.id)
        .limit(PLACES_AT_MOST)).all()
    return [(row.code if row.valid_to is None else str(row.id), row.path) for row in rows]


def areas(reader: Reader) -> Sequence[Any]:
    """Counties and townships of the reader's area that hold villages with figures: ('county:431125', path)."""
    traded = aliased(Division)
    where = reader.where.holds(traded.id)
    found = []
    for column, level in ((traded.county_id, "county"), (traded.township_id, "township")):
        ids = select(column).where(traded.id.in_(select(VillageMonth.village_id)), where)
        found += [(f"{level}:{row.code}", row.path) for row in db.session().execute(
            select(Division.code, Division.path).where(
                Division.id.in_(ids), Division.valid_to.is_(None)).order_by(Division.code))]
    return found


def asked_area(reader: Reader, area: str, codes: str) -> tuple[Where, str]:
    """The area of a draw and its name. Raises InvalidInput at the field for places unknown or not the reader's."""
    if codes.split():
        asked = dict.fromkeys(codes.replace(",", " ").split())
        found = [_place(reader, "villages", None, None, code) for code in asked]
        ids = {number for one in found for number in one.where.village_ids or ()}
        return (Where(reader.where.county_id, reader.where.township_id, sorted(ids)),
                "；".join(one.path for one in found))
    level, _colon, code = area.partition(":")
    if not area:
        return reader.where, _whole_of(reader)
    if level not in ("county", "township"):
        raise InvalidInput({"area": [NO_SUCH_PLACE]})
    one = _place(reader, "area", code if level == "county" else None, code if level == "township" else None, None)
    return one.where, one.path


def _place(reader: Reader, field: str, county: str | None, township: str | None, village: str | None) -> Area:
    try:
        return area_of(reader, county, township, village)
    except MarketError as refusal:
        raise InvalidInput({field: [refusal]}) from refusal


def _whole_of(reader: Reader) -> str:
    """The name of all that a reader may see."""
    ids = reader.where.village_ids or [reader.where.township_id or reader.where.county_id or 0]
    paths = db.session().scalars(select(Division.path).where(Division.id.in_(ids)).order_by(Division.code)).all()
    return "；".join(paths) or db.session().scalar(
        select(Division.path).where(Division.level == "city").order_by(Division.id).limit(1)) or ""


def reads_all(by: Visitor) -> bool:
    """Whether a visitor sees the draws of all offices."""
    return bool(by.roles & READS_ALL)


def _seen(by: Visitor) -> Any:
    return SampleDraw.id.is_not(None) if reads_all(by) else SampleDraw.organisation_id == by.organisation_id
