"""What is read for the review: the county's queue and one listing on one screen; what the co-operative is told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Select, and_, case, func, select

from catalog.models import Category, Product
from catalog.on_sale import on_sale
from catalog.review import decisions, monitor, rules
from catalog.review.models import ListingReview, PriceVoucher
from catalog.review.rules import Reference
from market import clock, db, money, paging
from market.access import Visitor
from market.errors import NotFound
from market.files import StoredFile
from market.paging import Columns
from market.parties import Organisation
from market.places import Division
from market.users import User

DUE_DAYS = 3  # days after which a listing that waits stands out
MOST_LIKE, MOST_PAST = 12, 20
TABS: Mapping[str, tuple[str, ...]] = {"waiting": ("waiting",), "decided": ("approved", "returned")}


def queue(by: Visitor, tab: str, page: int) -> paging.Page:
    """Listings of an official's area: those that wait, the oldest first, or those decided, the newest first."""
    review = db.table(ListingReview)
    counts = {row.decision: row.reviews for row in db.session().execute(
        select(review.c.decision, func.count().label("reviews"))
        .select_from(review.join(db.table(Product), db.table(Product).c.id == review.c.product_id))
        .where(decisions.in_area(by)).group_by(review.c.decision))}
    by_tab = {name: sum(counts.get(one, 0) for one in some) for name, some in TABS.items()}
    order = (review.c.submitted_at, review.c.id) if tab == "waiting" else (review.c.decided_at.desc(), review.c.id)
    query = _reviews().where(decisions.in_area(by), review.c.decision.in_(TABS[tab])).order_by(*order)
    return paging.read(query, by_tab[tab], page, counts=by_tab)


def _reviews() -> Select[Any]:
    review, product, supplier = db.table(ListingReview), db.table(Product), db.table(Organisation)
    village, photo = db.table(Division), db.table(StoredFile)
    return (
        select(review, product.c.name, product.c.name_en, product.c.unit, product.c.unit_en, product.c.price_fen,
               product.c.picture, photo.c.name.label("photo"), supplier.c.short_name.label("supplier"), village.c.path)
        .select_from(review).join(product, product.c.id == review.c.product_id)
        .join(supplier, supplier.c.id == product.c.supplier_id)
        .join(village, village.c.id == product.c.village_id)
        .outerjoin(photo, and_(photo.c.id == product.c.photo_id, photo.c.visibility == "public"))
    )


def waiting(by: Visitor) -> tuple[int, date | None]:
    """How many listings of an area wait, and since when the oldest one does, in one statement."""
    review, product = db.table(ListingReview), db.table(Product)
    row = db.session().execute(
        select(func.count().label("reviews"), func.min(review.c.submitted_at).label("oldest"))
        .select_from(review.join(product, product.c.id == review.c.product_id))
        .where(review.c.decision == "waiting", decisions.in_area(by))).one()
    return row.reviews, clock.business_date(row.oldest) if row.oldest else None


def returned(supplier_id: int | None) -> int:
    """How many of a co-operative's goods were sent back and wait for it."""
    product = db.table(Product)
    return db.session().scalar(select(func.count()).select_from(product).where(
        product.c.supplier_id == supplier_id, product.c.state == "returned")) or 0


@dataclass(frozen=True)
class Story:
    """One submission with all that a reviewer has to see."""

    review: Columns
    product: Columns
    wanted: Mapping[str, Any]  # what is asked for: the product itself, or the edit that waits
    changed: Sequence[str]  # of an edit: the names of what it changes
    wanted_photo: str | None
    villages: Mapping[str, str]  # path by code, of the village now and the one asked for
    shelves: Mapping[str, Columns]
    vouchers: Sequence[Columns]
    history: Sequence[Columns]
    alike: Sequence[Columns]
    reference: Reference | None
    following: int | None  # the next listing that waits

    @property
    def fen_per_kg(self) -> int:
        return money.price_of_kg(self.wanted["price_fen"], self.wanted["grams_per_unit"])

    @property
    def difference(self) -> int | None:
        return rules.difference(self.fen_per_kg, self.reference.fen_per_kg) if self.reference else None


def story(review_id: int, by: Visitor) -> Story:
    """One listing of an official's area, in a fixed number of statements. Raises NotFound for any other."""
    review = db.table(ListingReview)
    found = db.session().execute(_reviews().where(review.c.id == review_id, decisions.in_area(by))).first()
    if found is None:
        raise NotFound()
    product = _product(found.product_id)
    now = dict(product._mapping)
    wanted = {**now, **(found.proposed or {})}
    changed = [name for name in found.proposed or {} if name in now and found.proposed[name] != now[name]
               and (name != "photo_id" or found.proposed[name] is not None)]
    return Story(
        found, product, wanted, changed, _photo_name(wanted.get("photo_id") or product.photo_id),
        _paths({product.village, wanted["village"]}), _shelves(), vouchers(found.product_id),
        history(found.product_id), _alike(product), monitor.reference_of(found.product_id), next_waiting(by, found.id))


def _product(product_id: int) -> Columns:
    product, supplier, village = db.table(Product), db.table(Organisation), db.table(Division)
    category = db.table(Category)
    return db.session().execute(
        select(product, supplier.c.name.label("supplier"), village.c.path, village.c.code.label("village"),
               village.c.county_id, category.c.code.label("category"))
        .select_from(product).join(supplier, supplier.c.id == product.c.supplier_id)
        .join(village, village.c.id == product.c.village_id).join(category, category.c.id == product.c.category_id)
        .where(product.c.id == product_id)).one()


def _photo_name(file_id: int | None) -> str | None:
    public = StoredFile.visibility == "public"
    return db.session().scalar(select(StoredFile.name).where(StoredFile.id == file_id, public))


def _paths(codes: set[str]) -> dict[str, str]:
    return {row.code: row.path for row in db.session().execute(
        select(Division.code, Division.path).where(Division.code.in_(codes), Division.valid_to.is_(None)))}


def _shelves() -> dict[str, Columns]:
    return {row.code: row for row in db.session().execute(select(Category.code, Category.name_zh, Category.name_en))}


def vouchers(product_id: int) -> Sequence[Columns]:
    """The price vouchers of a product, newest first; the caller has checked who asks."""
    voucher, file = db.table(PriceVoucher), db.table(StoredFile)
    return db.session().execute(
        select(voucher.c.link, voucher.c.given_at, file.c.name.label("file"), file.c.original_name)
        .select_from(voucher).outerjoin(file, file.c.id == voucher.c.file_id)
        .where(voucher.c.product_id == product_id).order_by(voucher.c.id.desc()).limit(MOST_PAST)).all()


def history(product_id: int) -> Sequence[Columns]:
    """Every submission of a product with who decided, newest first."""
    review, first, second = db.table(ListingReview), db.table(User).alias("first"), db.table(User).alias("second")
    return db.session().execute(
        select(review, first.c.name.label("submitted_name"), second.c.name.label("decided_name"))
        .select_from(review).outerjoin(first, first.c.id == review.c.submitted_by)
        .outerjoin(second, second.c.id == review.c.decided_by)
        .where(review.c.product_id == product_id).order_by(review.c.id.desc()).limit(MOST_PAST)).all()


def _alike(product: Columns) -> Sequence[Columns]:
    """Goods of the same category on sale, those of the same name and of other counties first."""
    other, supplier, village = db.table(Product), db.table(Organisation), db.table(Division)
    return db.session().execute(
        select(other.c.id, other.c.name, other.c.name_en, other.c.price_fen, other.c.unit, other.c.unit_en,
               other.c.grams_per_unit, supplier.c.short_name.label("supplier"), village.c.path)
        .select_from(other).join(supplier, supplier.c.id == other.c.supplier_id)
        .join(village, village.c.id == other.c.village_id)
        .where(other.c.category_id == product.category_id, other.c.id != product.id, on_sale())
        .order_by(case((other.c.name == product.name, 0), else_=1),
                  case((village.c.county_id != product.county_id, 0), else_=1), other.c.id)
        .limit(MOST_LIKE)).all()


def next_waiting(by: Visitor, but_review_id: int) -> int | None:
    """The oldest listing of an area that waits, other than this one."""
    review, product = db.table(ListingReview), db.table(Product)
    return db.session().scalar(
        select(review.c.id).select_from(review.join(product, product.c.id == review.c.product_id))
        .where(review.c.decision == "waiting", review.c.id != but_review_id, decisions.in_area(by))
        .order_by(review.c.submitted_at, review.c.id).limit(1))


def own_review(review_id: int, supplier_id: int | None) -> Columns:
    """A submission of a co-operative's own goods. Raises NotFound for anybody else's."""
    review, product = db.table(ListingReview), db.table(Product)
    found = db.session().execute(
        select(review).select_from(review.join(product, product.c.id == review.c.product_id))
        .where(review.c.id == review_id, product.c.supplier_id == supplier_id)).first()
    if found is None:
        raise NotFound()
    return found
