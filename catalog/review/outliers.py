"""Goods that cost far more than like goods: found every hour, explained by the county, agreed by a second person.

Like goods are those of one category on sale in the whole market, by price per kilo as listed (not as ordered). Fewer
than four of them make no median. A row stands for one price in one month; another price in the month is another row.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import median_high

from sqlalchemy import ColumnElement, and_, case, func, or_, select

from catalog.models import Category, Product
from catalog.on_sale import on_sale
from catalog.review import decisions
from catalog.review.models import PriceOutlier
from catalog.review.references import need_office
from market import clock, db, journal, money, paging
from market.access import Visitor
from market.errors import N_, Conflict, InvalidInput, NotFound, SecondPersonNeeded
from market.four_eyes import need_outsider
from market.parties import Organisation
from market.places import Division
from market.users import User
from market.working_days import working_days_after

LIMIT_POINTS = 15_000  # hundredths of a percent of the median
FEWEST_ALIKE = 4
DAYS_TO_EXPLAIN = 5  # working days
STATES = ("open", "second", "agreed", "sent_back")


class NotExplained(Conflict):
    code = "not_explained"
    text = N_("The county has to say first why these goods cost more.")


@dataclass(frozen=True)
class Priced:
    """Goods on sale with their price per kilo."""

    product_id: int
    category_id: int
    price_fen: int
    fen_per_kg: int


@dataclass(frozen=True)
class Outlier:
    """Goods far above the median of like goods."""

    goods: Priced
    median_fen_per_kg: int
    compared_with: int


def find(goods: Iterable[Priced]) -> list[Outlier]:
    """Which of these goods cost more than 1.5 times the median of their category.

    >>> shelf = [Priced(number, 1, fen, fen) for number, fen in enumerate((200, 210, 220, 331))]
    >>> [(one.goods.product_id, one.median_fen_per_kg) for one in find(shelf)]
    [(3, 220)]
    >>> find(shelf[1:])  # three goods make no median
    []
    """
    alike: defaultdict[int, list[Priced]] = defaultdict(list)
    for one in goods:
        alike[one.category_id].append(one)
    found = []
    for some in alike.values():
        middle = median_high([one.fen_per_kg for one in some])
        if len(some) >= FEWEST_ALIKE:
            limit = money.part_of(middle, LIMIT_POINTS)
            found += [Outlier(one, middle, len(some)) for one in some if one.fen_per_kg > limit]
    return found


def watch() -> int:
    """Note today's outliers, in two statements; what is noted already stays as it is. Returns how many there are."""
    product, supplier = db.table(Product), db.table(Organisation)
    rows = db.session().execute(
        select(product.c.id, product.c.category_id, product.c.price_fen, product.c.grams_per_unit)
        .select_from(product).join(supplier, supplier.c.id == product.c.supplier_id)
        .where(on_sale()).order_by(product.c.id))
    found = find(Priced(row.id, row.category_id, row.price_fen, money.price_of_kg(row.price_fen, row.grams_per_unit))
                 for row in rows)
    now = clock.now()
    if found:
        db.session().execute(db.insert_new(PriceOutlier), [{
            "product_id": one.goods.product_id, "period": clock.period_of(clock.today()),
            "price_fen": one.goods.price_fen, "fen_per_kg": one.goods.fen_per_kg,
            "median_fen_per_kg": one.median_fen_per_kg, "compared_with": one.compared_with, "found_at": now,
            "due_on": working_days_after(clock.today(), DAYS_TO_EXPLAIN), "reason": "",
        } for one in found])
    return len(found)


def explain(outlier_id: int, reason: str, by: Visitor) -> PriceOutlier:
    """The county says why the goods cost more; a new reason needs a new second person."""
    need_office(by)
    if not reason:
        raise InvalidInput({"reason": [N_("Please fill this in.")]})
    row = _open(outlier_id, by)
    row.reason, row.reasoned_by, row.reasoned_at = reason, by.id, clock.now()
    db.session().flush()
    journal.record("outlier.explained", "product", row.product_id, by, outlier=row.id, reason=reason)
    return row


def agree(outlier_id: int, by: Visitor) -> PriceOutlier:
    """A second person agrees with the reason. Raises NotExplained, SecondPersonNeeded, OwnCooperative."""
    need_office(by)
    row = _open(outlier_id, by)
    if row.reasoned_by is None:
        raise NotExplained()
    if row.reasoned_by == by.id:
        raise SecondPersonNeeded()
    row.approved_by, row.approved_at = by.id, clock.now()
    db.session().flush()
    journal.record("outlier.agreed", "product", row.product_id, by, outlier=row.id)
    return row


def send_back(outlier_id: int, remark: str, by: Visitor) -> PriceOutlier:
    """There is no good reason: the goods go off the shelf and back to the co-operative."""
    row = _open(outlier_id, by)
    decisions.take_off(row.product_id, ["price"], remark, by)
    row.sent_back_at = clock.now()
    db.session().flush()
    return row


def _open(outlier_id: int, by: Visitor) -> PriceOutlier:
    """An outlier of the official's area that is still to be decided, locked."""
    row = db.session().scalar(
        select(PriceOutlier).join(Product, Product.id == PriceOutlier.product_id)
        .where(PriceOutlier.id == outlier_id, decisions.in_area(by))
        .with_for_update(of=PriceOutlier).execution_options(populate_existing=True))
    if row is None:
        raise NotFound()
    need_outsider(db.session().scalars(select(Product.supplier_id).where(Product.id == row.product_id)).one(), by)
    if row.approved_at is not None or row.sent_back_at is not None:
        raise decisions.AlreadyDecided()
    return row


# ---- the officials' list --------------------------------------------------------------------------------------------


def in_month(by: Visitor, period: str, state: str | None, page: int) -> paging.Page:
    """A month's outliers of an area: what is open first, the dearest first, in two statements."""
    outlier, product, supplier = db.table(PriceOutlier), db.table(Product), db.table(Organisation)
    village, category = db.table(Division), db.table(Category)
    first, second = db.table(User).alias("first"), db.table(User).alias("second")
    told = _state()
    base = (outlier.join(product, product.c.id == outlier.c.product_id))
    here = and_(outlier.c.period == period, decisions.in_area(by))
    counts: Mapping[str, int] = {row.state: row.outliers for row in db.session().execute(
        select(told.label("state"), func.count().label("outliers")).select_from(base).where(here).group_by(told))}
    query = (
        select(outlier, told.label("state"), product.c.name, product.c.name_en, product.c.unit, product.c.unit_en,
               product.c.state.label("product_state"), supplier.c.short_name.label("supplier"), village.c.path,
               category.c.name_zh, category.c.name_en.label("category_en"), first.c.name.label("reasoned_name"),
               second.c.name.label("approved_name"))
        .select_from(base.join(supplier, supplier.c.id == product.c.supplier_id)
                     .join(village, village.c.id == product.c.village_id)
                     .join(category, category.c.id == product.c.category_id)
                     .outerjoin(first, first.c.id == outlier.c.reasoned_by)
                     .outerjoin(second, second.c.id == outlier.c.approved_by))
        .where(here, *([told == state] if state else []))
        .order_by(case((told.in_(("open", "second")), 0), else_=1), (outlier.c.fen_per_kg * 10_000
                  / outlier.c.median_fen_per_kg).desc(), outlier.c.id)
    )
    return paging.read(query, counts.get(state, 0) if state else sum(counts.values()), page, counts=counts)


def waiting(by: Visitor) -> tuple[int, int]:
    """How many outliers of an area are still to decide, and how many of them are late, in one statement."""
    outlier, product = db.table(PriceOutlier), db.table(Product)
    row = db.session().execute(
        select(func.count().label("open"),
               func.count(case((outlier.c.due_on < clock.today(), 1))).label("late"))
        .select_from(outlier).join(product, product.c.id == outlier.c.product_id)
        .where(outlier.c.approved_at.is_(None), outlier.c.sent_back_at.is_(None),
               or_(outlier.c.reasoned_by.is_(None), outlier.c.reasoned_by != by.id), decisions.in_area(by))).one()
    return row.open, row.late


def _state() -> ColumnElement[str]:
    outlier = db.table(PriceOutlier).c
    return case((outlier.sent_back_at.is_not(None), "sent_back"), (outlier.approved_at.is_not(None), "agreed"),
                (outlier.reasoned_at.is_not(None), "second"), else_="open")
