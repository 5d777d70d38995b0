"""What is read of frame contracts: columns, a fixed number of statements, the visitor's own only."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, Select, func, select

from market import db, paging
from market.access import UNIT, Visitor
from market.errors import NotFound
from market.files import StoredFile
from market.parties import Organisation
from orders.models import Order
from orders.papers import walls
from orders.papers.models import FrameCallOff, FrameContract

Columns = Row[*tuple[Any, ...]]
MOST_PARTNERS = 500


def contract(contract_id: int, by: Visitor) -> Columns:
    """One contract's facts. Raises NotFound for anybody else's."""
    found = db.session().execute(_columns().where(
        FrameContract.id == contract_id, walls.seen_by(by, FrameContract.unit_id, FrameContract.supplier_id))).first()
    if found is None:
        raise NotFound()
    return found


def contracts(by: Visitor, page: int) -> paging.Page:
    """Contracts of the visitor's side, the newest year first, each with what was called off; two statements."""
    mine = walls.seen_by(by, FrameContract.unit_id, FrameContract.supplier_id)
    total = db.session().scalar(select(func.count()).select_from(FrameContract).where(mine)) or 0
    called = (
        select(FrameCallOff.contract_id, func.count().label("orders"), db.sum_of(Order.placed_fen).label("placed_fen"))
        .join(Order, Order.id == FrameCallOff.order_id).group_by(FrameCallOff.contract_id).subquery())
    return paging.read(
        _columns().add_columns(called.c.orders, called.c.placed_fen)
        .outerjoin(called, called.c.contract_id == FrameContract.id).where(mine)
        .order_by(FrameContract.year.desc(), FrameContract.id.desc()), total, page)


def call_offs(contract_id: int) -> Sequence[Columns]:
    """The orders of a contract, the oldest first. The caller has checked whose it is."""
    return db.session().execute(
        select(db.table(Order)).join(FrameCallOff, FrameCallOff.order_id == Order.id)
        .where(FrameCallOff.contract_id == contract_id).order_by(Order.id)).all()


def scan(contract_id: int, side: str, by: Visitor) -> StoredFile:
    """The signed scan of a side ('unit' or 'supplier'), which both may read. Raises NotFound."""
    held = {"unit": FrameContract.unit_scan_id, "supplier": FrameContract.supplier_scan_id}.get(side)
    found = None if held is None else db.session().scalar(
        select(StoredFile).join(FrameContract, StoredFile.id == held)
        .where(FrameContract.id == contract_id,
               walls.seen_by(by, FrameContract.unit_id, FrameContract.supplier_id)))
    if found is None:
        raise NotFound()
    return found


def partners(by: Visitor) -> Sequence[Columns]:
    """With whom the visitor's side may draft a contract (id, name)."""
    other = "supplier" if by.organisation_kind == UNIT else "unit"
    return db.session().execute(
        select(Organisation.id, Organisation.name)
        .where(Organisation.kind == other, Organisation.status == "active").order_by(Organisation.name)
        .limit(MOST_PARTNERS)).all()


def _columns() -> Select[Any]:
    unit, supplier = db.table(Organisation).alias(), db.table(Organisation).alias()
    return (
        select(db.table(FrameContract), unit.c.name.label("unit_name"), supplier.c.name.label("supplier_name"))
        .join(unit, unit.c.id == FrameContract.unit_id).join(supplier, supplier.c.id == FrameContract.supplier_id))
