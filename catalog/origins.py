"""Where goods come from: product pages, villages, and what the public may know of a lot."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import ColumnElement, Row, Select, and_, func, or_, select, union_all

from catalog import browse
from catalog.entry.models import Application
from catalog.models import Category, Lot, LotContribution, LotShare, Product
from catalog.on_sale import harvested, on_sale, preseason_from
from market import db, paging, places
from market.errors import NotFound
from market.files import StoredFile
from market.households import CoopMember, Household
from market.parties import Organisation
from market.places import Division, VillageDesignation

Columns = Row[*tuple[Any, ...]]

FEWEST_HOUSEHOLDS = 5  # behind fewer the public learns neither an amount nor the exact count
RECENT_LOTS = 10


def product_facts(product_id: int) -> Columns:
    """All that the page of a product on sale tells, in one statement. Raises NotFound, hidden goods included."""
    product, supplier, village = db.table(Product), db.table(Organisation), db.table(Division)
    category, photo, application = db.table(Category), db.table(StoredFile), db.table(Application)
    found = db.session().execute(
        select(product, village.c.code.label("village_code"), village.c.path, village.c.map_county,
               supplier.c.name.label("supplier"), supplier.c.about.label("about_supplier"),
               supplier.c.supplier_type, application.c.producer_name, application.c.markup_points,
               category.c.code.label("category"), category.c.name_zh.label("category_zh"),
               category.c.name_en.label("category_en"), photo.c.name.label("photo"),
               browse.in_store().label("in_store_milli"), preseason_from().label("preseason_from"))
        .select_from(product)
        .join(supplier, supplier.c.id == product.c.supplier_id)
        .join(village, village.c.id == product.c.village_id)
        .join(category, category.c.id == product.c.category_id)
        .outerjoin(application, application.c.supplier_id == supplier.c.id)
        .outerjoin(photo, and_(photo.c.id == product.c.photo_id, photo.c.visibility == "public"))
        .where(product.c.id == product_id, on_sale())
    ).first()
    if found is None:
        raise NotFound()
    return found


def recent_lots(product_id: int | None = None, village_ids: Collection[int] | None = None) -> Sequence[Columns]:
    """The newest confirmed lots of a product or of villages, newest first; `grams` is the villages' part."""
    lot, product, share = db.table(Lot), db.table(Product), db.table(LotShare)
    query = (
        select(lot.c.code, lot.c.kind, lot.c.harvested_on, product.c.id.label("product_id"), product.c.name,
               product.c.name_en, func.sum(share.c.grams).label("grams"),
               func.count(func.distinct(share.c.village_id)).label("villages"))
        .join_from(lot, product, product.c.id == lot.c.product_id)
        .join(share, share.c.lot_id == lot.c.id)
        .where(lot.c.confirmed_at.is_not(None), harvested())
        .group_by(lot.c.id, product.c.id)
        .order_by(lot.c.harvested_on.desc(), lot.c.id.desc()).limit(RECENT_LOTS)
    )
    if product_id is not None:
        query = query.where(lot.c.product_id == product_id)
    if village_ids is not None:
        query = query.where(share.c.village_id.in_(village_ids))
    return db.session().execute(query).all()


# ---- villages -------------------------------------------------------------------------------------------------------


def villages(county: str | None, township: str | None, every: bool, page: int) -> paging.Page:
    """Villages with goods on sale (or `every` village) of a county or township, in two statements."""
    village, product, supplier = db.table(Division), db.table(Product), db.table(Organisation)
    goods = (
        select(product.c.village_id, func.count().label("goods"))
        .join(supplier, supplier.c.id == product.c.supplier_id)
        .where(on_sale()).group_by(product.c.village_id).subquery()
    )
    query = select(village.c.code, village.c.path, village.c.map_county, func.coalesce(goods.c.goods, 0).label("goods"))
    query = query.select_from(village).join(goods, goods.c.village_id == village.c.id, isouter=every)
    query = query.where(village.c.level == "village", village.c.valid_to.is_(None))
    if township:
        query = query.where(village.c.code.startswith(township[:9], autoescape=True))
    elif county:
        query = query.where(village.c.map_county == county)
    total = cast(int, db.session().scalar(select(func.count()).select_from(query.subquery())))
    return paging.read(query.order_by(func.coalesce(goods.c.goods, 0).desc(), village.c.code), total, page)


def places_to_choose(county: str | None) -> tuple[dict[str, str], dict[str, str]]:
    """Counties by the six digits of the map, and the townships of one by code, in one statement."""
    division = db.table(Division)
    open_places = division.c.valid_to.is_(None)
    columns = (division.c.level, division.c.code, division.c.map_county, division.c.name)
    counties = select(*columns).where(open_places, division.c.level == "county",
                                      division.c.code == division.c.map_county + "000000")
    townships = select(*columns).where(open_places, division.c.level == "township", division.c.map_county == county)
    rows = db.session().execute(union_all(counties, townships).order_by("code")).all()
    return ({row.map_county: row.name for row in rows if row.level == "county"},
            {row.code: row.name for row in rows if row.level == "township"})


def village_facts(code: str) -> Columns:
    """A village as it is today, with its newest designation. Raises NotFound."""
    village, designation = db.table(Division), db.table(VillageDesignation)
    found = db.session().execute(
        select(village.c.id, village.c.code, village.c.path, village.c.map_county, designation.c.year)
        .select_from(village)
        .outerjoin(designation, and_(designation.c.village_id == village.c.id, designation.c.designated.is_(True)))
        .where(village.c.code == code, village.c.level == "village", village.c.valid_to.is_(None))
        .order_by(designation.c.year.desc()).limit(1)
    ).first()
    if found is None:
        raise NotFound()
    return found


def predecessors(village_id: int) -> Sequence[Columns]:
    """What a village came from by new names and mergers, the last to end first: id, name, valid_to."""
    village = db.table(Division)
    line = select(village.c.id).where(village.c.successor_id == village_id).cte(recursive=True)
    line = line.union(select(village.c.id).where(village.c.successor_id == line.c.id))
    return db.session().execute(
        select(village.c.id, village.c.name, village.c.valid_to).where(village.c.id.in_(select(line.c.id)))
        .order_by(village.c.valid_to.desc(), village.c.id)).all()


def today_of(code: str) -> str:
    """The code of the village that a former one has become. Raises NotFound."""
    former = db.session().scalar(
        select(Division.id).where(Division.code == code, Division.level == "village",
                                  Division.successor_id.is_not(None)).order_by(Division.id.desc()).limit(1))
    if former is None:
        raise NotFound()
    return db.session().scalars(select(Division.code).where(Division.id == places.today_of(former))).one()


# ---- lots -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Trace:
    """What anybody may know of a lot: villages with weights, how many households; never who, never what they earned."""

    lot: Columns
    villages: Sequence[Columns]  # code, path, grams, households
    inputs: Sequence[Columns]  # of a processed lot: code, harvested_on, name, name_en, grams

    @property
    def households(self) -> int:
        return sum(row.households for row in self.villages)


def trace(code: str) -> Trace:
    """A lot's way back, in three statements. Raises NotFound, also while nobody at the village has confirmed it."""
    lot, product, supplier, category = map(db.table, (Lot, Product, Organisation, Category))
    found = db.session().execute(
        select(lot.c.id, lot.c.code, lot.c.kind, lot.c.harvested_on, lot.c.best_before, lot.c.confirmed_at,
               lot.c.recalled_at,
               lot.c.total_milli, lot.c.total_grams, product.c.id.label("product_id"), product.c.name,
               product.c.name_en, product.c.unit, product.c.unit_en, product.c.picture, product.c.state,
               product.c.certified, product.c.supplier_id, category.c.code.label("category"),
               supplier.c.name.label("supplier"))
        .join_from(lot, product, product.c.id == lot.c.product_id)
        .join(category, category.c.id == product.c.category_id)
        .join(supplier, supplier.c.id == lot.c.supplier_id)
        .where(lot.c.code == code, lot.c.confirmed_at.is_not(None), harvested())
    ).first()
    if found is None:
        raise NotFound()
    session = db.session()
    return Trace(found, session.execute(_villages_of(found.id)).all(), session.execute(_inputs_of(found.id)).all())


def _villages_of(lot_id: int) -> Select[Any]:
    """Weights by village from the shares; households counted over the harvests that the lot goes back to."""
    share, contribution, village = db.table(LotShare), db.table(LotContribution), db.table(Division)
    origins = select(share.c.origin_lot_id).where(share.c.lot_id == lot_id)
    households = (
        select(func.count(func.distinct(contribution.c.household_id)))
        .where(contribution.c.lot_id.in_(origins), contribution.c.village_id == share.c.village_id)
        .correlate(share).scalar_subquery()
    )
    return (
        select(village.c.code, village.c.path, village.c.map_county, func.sum(share.c.grams).label("grams"),
               households.label("households"))
        .join_from(share, village, village.c.id == share.c.village_id)
        .where(share.c.lot_id == lot_id)
        .group_by(village.c.id, share.c.village_id).order_by(func.sum(share.c.grams).desc(), village.c.code)
    )


def _inputs_of(lot_id: int) -> Select[Any]:
    """The harvests inside a processed lot, with the weight of this lot that goes back to each."""
    share, origin, product = db.table(LotShare), db.table(Lot), db.table(Product)
    return (
        select(origin.c.code, origin.c.harvested_on, product.c.name, product.c.name_en,
               func.sum(share.c.grams).label("grams"))
        .join_from(share, origin, origin.c.id == share.c.origin_lot_id)
        .join(product, product.c.id == origin.c.product_id)
        .where(share.c.lot_id == lot_id, share.c.origin_lot_id != lot_id)
        .group_by(origin.c.id, product.c.id).order_by(origin.c.harvested_on, origin.c.code)
    )


def villages_of_supplier(supplier_id: int, chosen_id: int | None = None) -> dict[str, str]:
    """Villages a co-operative may name as the origin of its goods: of its township and of its members, by code."""
    village = db.table(Division)
    rows = db.session().execute(
        select(village.c.code, village.c.path)
        .where(or_(_is_own(supplier_id), and_(village.c.id == chosen_id, village.c.valid_to.is_(None))))
        .order_by(village.c.code))
    return {row.code: row.path for row in rows}


def own_villages(supplier_id: int | None, village_ids: Iterable[int | None]) -> set[int]:
    """Those of some villages that a co-operative may name as the origin of its goods."""
    village = db.table(Division)
    return set(db.session().scalars(
        select(village.c.id).where(village.c.id.in_(set(village_ids)), _is_own(supplier_id))))


def _is_own(supplier_id: int | None) -> ColumnElement[bool]:
    """The condition that a Division is a village of today in the co-operative's township, or of one of its members.

    Whom it names a member beyond its county counts only as a registered household: the register knows where it lives.
    """
    village, member = db.table(Division), db.table(Household)
    home = select(Organisation.division_id).where(Organisation.id == supplier_id).scalar_subquery()
    home_township = select(Division.township_id).where(Division.id == home).scalar_subquery()
    home_county = select(Division.county_id).where(Division.id == home).scalar_subquery()
    of_members = select(member.c.village_id).join(CoopMember, CoopMember.household_id == member.c.id).where(
        CoopMember.supplier_id == supplier_id,
        or_(village.c.county_id == home_county, member.c.register_code.is_not(None)))
    return and_(village.c.level == "village", village.c.valid_to.is_(None),
                or_(village.c.township_id == home_township, village.c.id.in_(of_members)))
