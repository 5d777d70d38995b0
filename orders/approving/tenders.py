"""From a yearly amount on a category must be put out to tender: a warning from 80 % on, never a block."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select

from catalog.models import Category
from market import clock, db, journal
from market.access import Visitor
from market.errors import N_, InvalidInput, NotAllowed
from market.figures import Where
from market.parties import Membership, Organisation
from market.places import Division
from orders.approving.models import TenderLimit
from orders.models import Order, OrderLine

KEEPERS = ("finance", "city")  # kinds of offices


@dataclass(frozen=True)
class Warning:
    """A category whose year, with what is being ordered, comes near its limit or lies above it, in fen."""

    category: str
    name: str
    name_en: str
    total_fen: int
    limit_fen: int
    document: str

    @property
    def is_above(self) -> bool:
        return self.total_fen > self.limit_fen


def warnings(unit_id: int | None, ordering_fen: Mapping[str, int], day: date | None = None) -> list[Warning]:
    """What to tell somebody who orders {category: fen} for a unit now, or who looks at an order of `day` (then 0 fen:
    it is in the year's sum already); three statements."""
    day = day or clock.today()
    limits = _limits_over(unit_id, day.year)
    if not ordering_fen or not limits:
        return []
    totals = _year(unit_id, day.year, list(ordering_fen))
    names = {row.code: row for row in db.session().execute(
        select(Category.code, Category.name_zh, Category.name_en).where(Category.code.in_(ordering_fen)))}
    found = []
    for category, fen in ordering_fen.items():
        limit = limits.get(category) or limits.get("")
        total = totals.get(category, 0) + fen
        if limit is not None and total * 5 >= limit.limit_fen * 4:
            named = names.get(category)
            found.append(Warning(category, named.name_zh if named else category, named.name_en if named else category,
                                 total, limit.limit_fen, limit.document))
    return found


@dataclass(frozen=True)
class Above(Warning):
    """A unit whose year lies above a limit."""

    unit_id: int = 0
    unit_name: str = ""


def above(day: date, where: Where) -> list[Above]:
    """Units of an area whose purchases of one category since New Year, up to a day, lie above its limit."""
    places = {row.id: row.parent_id for row in db.session().execute(select(Division.id, Division.parent_id).where(
        Division.level.in_(("county", "city", "province"))))}
    limits = db.session().execute(select(db.table(TenderLimit)).where(TenderLimit.year <= day.year)
                                  .order_by(TenderLimit.year)).all()
    by_place: dict[int, dict[str, Any]] = defaultdict(dict)
    for limit in limits:
        by_place[limit.division_id][limit.category] = limit
    if not by_place:
        return []
    found = []
    for row in db.session().execute(
            select(Order.unit_id, Organisation.short_name, Organisation.division_id, OrderLine.category,
                   Category.name_zh, Category.name_en, db.sum_of(OrderLine.amount_fen).label("fen"))
            .join(Order, Order.id == OrderLine.order_id).join(Organisation, Organisation.id == Order.unit_id)
            .outerjoin(Category, Category.code == OrderLine.category)
            .where(Order.state != "cancelled", Order.business_date.between(date(day.year, 1, 1), day),
                   where.holds(Organisation.division_id))
            .group_by(Order.unit_id, Organisation.short_name, Organisation.division_id, OrderLine.category,
                      Category.name_zh, Category.name_en).order_by(Order.unit_id, OrderLine.category)):
        limit = _nearest(row.division_id, row.category, places, by_place)
        if limit is not None and row.fen > limit.limit_fen:
            found.append(Above(row.category, row.name_zh or row.category, row.name_en or row.category, row.fen,
                               limit.limit_fen, limit.document, row.unit_id, row.short_name))
    return found


def _nearest(place: int | None, category: str, places: Mapping[int, int | None],
             by_place: Mapping[int, Mapping[str, Any]]) -> Any:
    while place is not None:
        limits = by_place.get(place, {})
        if category in limits or "" in limits:
            return limits.get(category) or limits[""]
        place = places.get(place)
    return None


def _limits_over(unit_id: int | None, year: int) -> dict[str, Any]:
    """The limit of each category ('' for all) over a unit: the nearest area's, of the newest year that has begun."""
    home, parent, top = (db.table(Division).alias() for _ in range(3))
    places = db.session().execute(
        select(home.c.id, parent.c.id.label("parent"), parent.c.parent_id.label("top"), top.c.parent_id.label("above"))
        .select_from(db.table(Organisation)).join(home, home.c.id == Organisation.division_id)
        .outerjoin(parent, parent.c.id == home.c.parent_id).outerjoin(top, top.c.id == parent.c.parent_id)
        .where(Organisation.id == unit_id)).first()
    if places is None:
        return {}
    near = [place for place in places if place is not None]
    rows = db.session().execute(select(db.table(TenderLimit)).where(
        TenderLimit.division_id.in_(near), TenderLimit.year <= year)).all()
    ordered = sorted(rows, key=lambda row: (-near.index(row.division_id), row.year))
    return {row.category: row for row in ordered}  # the nearest and newest comes last and stays


def _year(unit_id: int | None, year: int, categories: Sequence[str]) -> dict[str, int]:
    rows = db.session().execute(
        select(OrderLine.category, db.sum_of(OrderLine.amount_fen).label("fen"))
        .join(Order, Order.id == OrderLine.order_id)
        .where(Order.unit_id == unit_id, Order.state != "cancelled", OrderLine.category.in_(categories),
               Order.business_date.between(date(year, 1, 1), date(year, 12, 31))).group_by(OrderLine.category))
    return {row.category: row.fen for row in rows}


# ---- the officials' table -------------------------------------------------------------------------------------------


def listed() -> Sequence[Any]:
    """Every limit, newest year first."""
    return db.session().execute(
        select(db.table(TenderLimit), Division.name.label("place"), Category.name_zh, Category.name_en)
        .join(Division, Division.id == TenderLimit.division_id)
        .outerjoin(Category, Category.code == TenderLimit.category)
        .order_by(TenderLimit.year.desc(), TenderLimit.division_id, TenderLimit.category).limit(300)).all()


def categories() -> Sequence[Any]:
    """The shelves a limit may be about."""
    return db.session().execute(select(Category.code, Category.name_zh, Category.name_en)
                                .order_by(Category.sort, Category.code)).all()


def areas(by: Visitor) -> Sequence[Any]:
    """Where this office may set limits: its own area and those above it, whose rules it copies in."""
    ids: list[int] = []
    place = by.division_id
    while place is not None and len(ids) < 4:
        ids.append(place)
        place = db.session().scalar(select(Division.parent_id).where(Division.id == place))
    return db.session().execute(select(Division.id, Division.name).where(Division.id.in_(ids))
                                .order_by(Division.code)).all()


def put(values: Mapping[str, Any], by: Visitor) -> None:
    """Enter or correct a limit (division_id, year, category, limit_fen, document). Raises NotAllowed, InvalidInput."""
    if by.office_kind not in KEEPERS:
        raise NotAllowed()
    if values["division_id"] not in {row.id for row in areas(by)}:
        raise InvalidInput({"division_id": [N_("Please choose one of the list.")]})
    if values["category"] and values["category"] not in {row.code for row in categories()}:
        raise InvalidInput({"category": [N_("Please choose one of the list.")]})
    _check_not_anothers(values, by)
    row = {**values, "entered_by": by.id, "entered_at": clock.now()}
    db.session().execute(db.insert_or_update(TenderLimit, "division_id", "year", "category"), [row])
    journal.record("tender_limit.set", "division", values["division_id"], by, **{
        name: values[name] for name in ("year", "category", "limit_fen", "document")})


def _check_not_anothers(values: Mapping[str, Any], by: Visitor) -> None:
    """A limit of an area above holds for others too: who did not enter it does not change it. Raises InvalidInput."""
    if values["division_id"] == by.division_id:
        return
    ours = select(Membership.user_id).where(Membership.organisation_id == by.organisation_id)
    if db.session().scalar(select(TenderLimit.id).where(
            TenderLimit.division_id == values["division_id"], TenderLimit.year == values["year"],
            TenderLimit.category == values["category"], TenderLimit.entered_by.not_in(ours))) is not None:
        raise InvalidInput({"division_id": [N_("Another office has entered this limit; only that one changes it.")]})


def of_categories(lines: Sequence[Any]) -> dict[str, int]:
    """The amounts (fen) of order lines or cart lines by category, as warnings() takes them."""
    sums: dict[str, int] = defaultdict(int)
    for line in lines:
        sums[line.category] += line.amount_fen
    return dict(sums)
