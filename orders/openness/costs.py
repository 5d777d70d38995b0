"""What a co-operative says of its packing, transport and loss; shown beside the farmers' share as its own word."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select

from catalog.models import Category, Product
from market import clock, db, journal
from market.access import Visitor
from market.errors import N_, InvalidInput, NotFound
from market.files import StoredFile
from orders.openness.models import SupplierCost

POINTS = ("packing_points", "transport_points", "loss_points", "share_points")
WHOLE = 10_000  # hundredths of a percent


def declare(said: Mapping[str, Any], evidence_id: int | None, by: Visitor) -> int:
    """Keep what holds for a category from a month on; the same month said again replaces it, the journal keeps both.

    `said`: category, valid_from and POINTS, share_points may be None. Returns the row's id. Raises InvalidInput.
    """
    _check(said, by)
    session = db.session()
    key = {"supplier_id": by.organisation_id, "category": said["category"], "valid_from": said["valid_from"]}
    values = {name: said[name] for name in POINTS}
    entered = {"entered_by": by.id, "entered_at": clock.now()}
    is_new = session.execute(db.insert_new(SupplierCost).values(
        key | values | entered | {"evidence_id": evidence_id}).returning(SupplierCost.id)).first()
    row = session.scalars(select(SupplierCost).filter_by(**key).with_for_update()).one()
    before = None if is_new else {name: getattr(row, name) for name in POINTS}
    for name, value in (values | entered).items():
        setattr(row, name, value)
    row.evidence_id = evidence_id or row.evidence_id
    session.flush()
    journal.record("costs.declared", "supplier_cost", row.id, by, category=row.category, month=row.valid_from,
                   before=before, after=values)
    return row.id


def _check(said: Mapping[str, Any], by: Visitor) -> None:
    if said["category"] not in dict(categories(by)):
        raise InvalidInput({"category": [N_("Please choose one of the list.")]})
    if said["valid_from"] > clock.period_of(clock.today()):
        raise InvalidInput({"valid_from": [N_("This month has not begun yet.")]})
    if sum(said[name] or 0 for name in POINTS) > WHOLE:
        raise InvalidInput({"packing_points": [N_("Together this is more than the whole price.")]})


def categories(by: Visitor) -> Sequence[tuple[str, Any]]:
    """Categories of the co-operative's own goods: code and names."""
    rows = db.session().execute(
        select(Category.code, Category.name_zh, Category.name_en)
        .where(Category.id.in_(select(Product.category_id).where(Product.supplier_id == by.organisation_id)))
        .order_by(Category.sort, Category.id))
    return [(row.code, row) for row in rows]


def declared(by: Visitor) -> Sequence[Any]:
    """All that the co-operative has said, the newest month first."""
    cost = db.table(SupplierCost)
    return db.session().execute(
        select(cost, Category.name_zh, Category.name_en).outerjoin(Category, Category.code == cost.c.category)
        .where(cost.c.supplier_id == by.organisation_id)
        .order_by(cost.c.valid_from.desc(), cost.c.category)).all()


def evidence(cost_id: int, by: Visitor) -> StoredFile:
    """The paper behind one's own costs. Raises NotFound."""
    found = db.session().scalar(
        select(StoredFile).join(SupplierCost, SupplierCost.evidence_id == StoredFile.id)
        .where(SupplierCost.id == cost_id, SupplierCost.supplier_id == by.organisation_id))
    if found is None:
        raise NotFound()
    return found
