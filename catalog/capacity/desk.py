"""What a co-operative sees of its capacities, an office of those in its area; a fixed number of reads for each list."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, case, exists, func, or_, select

from catalog.capacity.models import CapacityPhoto, CapacityRequest, SeasonCapacity, VillageCapacity
from catalog.models import Product
from catalog.on_sale import TODAY, on_sale
from market import clock, db, paging, places
from market.access import Visitor
from market.errors import NotFound
from market.files import StoredFile
from market.parties import Organisation
from market.places import Division
from market.users import User

WARN_PERCENT = 80
TABS = ("waiting", "near", "all", "none")
Columns = Row[*tuple[Any, ...]]
_capacity, _season, _product, _village, _supplier, _request = (
    db.table(e) for e in (VillageCapacity, SeasonCapacity, Product, Division, Organisation, CapacityRequest))


def is_near(used: int, approved: int) -> bool:
    """Whether 80 % or more of an approved figure is used.

    >>> is_near(80, 100), is_near(799, 1000), is_near(5, 0)
    (True, False, False)
    """
    return approved > 0 and used * 100 >= approved * WARN_PERCENT


# the season still runs, and its sales or what the village brought have come to 80 %
_NEAR = and_(
    _season.c.last_day >= TODAY,
    or_(and_(_season.c.approved_grams > 0, _season.c.sold_grams * 100 >= _season.c.approved_grams * WARN_PERCENT),
        and_(_capacity.c.approved_grams > 0,
             _capacity.c.booked_grams * 100 >= _capacity.c.approved_grams * WARN_PERCENT)))
_WAITING = _request.c.id.is_not(None)
_CONDITIONS: Mapping[str, ColumnElement[bool]] = {
    "waiting": _WAITING, "near": _NEAR, "all": _capacity.c.id.is_not(None)}


@dataclass(frozen=True)
class Story:
    """One village's capacity for a season, with everything asked and answered, the newest first."""

    capacity: Columns
    requests: Sequence[Columns]
    photos: Mapping[int, Sequence[str]]  # file names by request

    @property
    def open(self) -> Columns | None:
        return next((row for row in self.requests if row.decided_at is None), None)


def of(by: Visitor) -> ColumnElement[bool]:
    """Capacities of the visitor's co-operative; of an office the ones of villages in its area."""
    if by.organisation_kind == "office":
        return _capacity.c.village_id.in_(select(Division.id).where(places.lies_in(by.division_id)))
    return _product.c.supplier_id == by.organisation_id


def capacities(by: Visitor, tab: str, page: int) -> paging.Page:
    """One tab of the visitor's list, in three statements; with the number of rows of each tab."""
    without = select(func.count()).select_from(_without(by).subquery())
    counts = counted(by) | {"none": db.session().scalar(without) or 0}
    if tab == "none":
        return paging.read(_without(by).order_by(_product.c.name, _product.c.id), counts["none"], page, counts=counts)
    waits_first = [_request.c.due_on] if tab == "waiting" else []
    query = _rows().where(of(by), _CONDITIONS[tab]).order_by(
        *waits_first, _season.c.last_day.desc(), _product.c.name, _season.c.id, _capacity.c.id)
    return paging.read(query, counts[tab], page, counts=counts)


def counted(by: Visitor) -> dict[str, int]:
    """How many capacities each tab has, and how many answers are overdue, in one statement."""
    conditions = {**_CONDITIONS, "overdue": _request.c.due_on < clock.today()}
    sums = {name: db.sum_of(case((condition, 1), else_=0)).label(name) for name, condition in conditions.items()}
    row = db.session().execute(_joined(select(*sums.values())).where(of(by))).one()
    return dict(row._mapping)


def story(capacity_id: int, by: Visitor) -> Story:
    """Raises NotFound for a capacity of somebody else, or outside an office's area."""
    read = db.session().execute
    found = read(_rows().where(_capacity.c.id == capacity_id, of(by))).first()
    if found is None:
        raise NotFound()
    asker, decider = db.table(User).alias("asker"), db.table(User).alias("decider")
    requests = read(
        select(_request, asker.c.name.label("asked_by_name"), decider.c.name.label("decided_by_name"))
        .join(asker, asker.c.id == _request.c.asked_by).outerjoin(decider, decider.c.id == _request.c.decided_by)
        .where(_request.c.village_capacity_id == capacity_id).order_by(_request.c.id.desc())).all()
    return Story(found, requests, _photos(row.id for row in requests))


def own_seasons(supplier_id: int | None) -> Sequence[Columns]:
    """Seasons of the co-operative's goods that have not ended, to declare another village in."""
    return db.session().execute(
        select(_season.c.id, _season.c.product_id, _season.c.name, _season.c.first_day, _season.c.last_day,
               _product.c.name.label("product"), _product.c.name_en)
        .join(_product, _product.c.id == _season.c.product_id)
        .where(_product.c.supplier_id == supplier_id, _season.c.last_day >= clock.today())
        .order_by(_season.c.first_day, _season.c.id)).all()


def _photos(request_ids: Iterable[int]) -> Mapping[int, Sequence[str]]:
    photo, file = db.table(CapacityPhoto), db.table(StoredFile)
    found: dict[int, list[str]] = defaultdict(list)
    for row in db.session().execute(
        select(photo.c.request_id, file.c.name).join(file, file.c.id == photo.c.file_id)
        .where(photo.c.request_id.in_(list(request_ids))).order_by(photo.c.id)
    ):
        found[row.request_id].append(row.name)
    return found


def _rows() -> Select[Any]:
    return _joined(select(
        _capacity.c.id, _capacity.c.approved_grams, _capacity.c.booked_grams, _season.c.id.label("season_id"),
        _season.c.name.label("season"), _season.c.first_day, _season.c.last_day,
        _season.c.approved_grams.label("season_approved_grams"), _season.c.sold_grams,
        _product.c.id.label("product_id"), _product.c.name, _product.c.name_en, _village.c.name.label("village"),
        _village.c.path, _supplier.c.short_name.label("supplier"), _request.c.id.label("request_id"), _request.c.kind,
        _request.c.asked_grams, _request.c.due_on))


def _joined(query: Select[Any]) -> Select[Any]:
    return (query.select_from(_capacity).join(_season, _season.c.id == _capacity.c.season_id)
            .join(_product, _product.c.id == _season.c.product_id)
            .join(_village, _village.c.id == _capacity.c.village_id)
            .join(_supplier, _supplier.c.id == _product.c.supplier_id)
            .outerjoin(_request, (_request.c.village_capacity_id == _capacity.c.id) & _request.c.decided_at.is_(None)))


def _without(by: Visitor) -> Select[Any]:
    """Goods on sale for which nothing is approved for today: their sales are not bounded."""
    approved = exists().where(_season.c.product_id == _product.c.id, _season.c.approved_grams > 0,
                              _season.c.first_day <= TODAY, _season.c.last_day >= TODAY)
    mine = (_village.c.id.in_(select(Division.id).where(places.lies_in(by.division_id)))
            if by.organisation_kind == "office" else _product.c.supplier_id == by.organisation_id)
    return (
        select(_product.c.id, _product.c.name, _product.c.name_en, _village.c.path, _village.c.name.label("village"),
               _supplier.c.short_name.label("supplier"))
        .select_from(_product).join(_village, _village.c.id == _product.c.village_id)
        .join(_supplier, _supplier.c.id == _product.c.supplier_id).where(mine, on_sale(), ~approved))
