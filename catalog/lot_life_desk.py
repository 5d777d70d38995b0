"""What happens to a lot between its booking and its end, as desks show it: names, promises, making, write-offs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Select, func, select
from sqlalchemy.orm import aliased

from catalog import lot_arrivals, lot_splitting, lot_yields
from catalog.lot_arrivals import Promise
from catalog.lot_models import LotMaking, LotSplit, LotWriteOff
from catalog.lot_write_offs import seen_by
from catalog.lots import touches_area
from catalog.models import Category, Lot, LotContribution, Product
from catalog.on_sale import harvested, usable
from market import clock, db, paging
from market.access import Visitor
from market.places import Division
from market.users import User

Columns = Row[*tuple[Any, ...]]


@dataclass(frozen=True)
class Around:
    """Beside a lot's story: what is still open about it, and what was decided."""

    open_villages: Sequence[Any]  # village_id, path, grams: names still in the notebook
    splits: Sequence[Columns]
    write_offs: Sequence[Columns]
    making: Columns | None
    promises: Sequence[tuple[Promise, int]]  # of an expected lot: order, milli
    takers: Sequence[Columns]  # real lots that may take the promises over: id, code, free_milli

    @property
    def kilo(self) -> int | None:
        """Grams of goods out of a kilogram of input."""
        return lot_yields.out_of_a_kilo(self.making.total_grams, self.making.input_grams) if self.making else None

    @property
    def usual(self) -> lot_yields.Usual | None:
        return lot_yields.usual(self.making.category) if self.making else None


NameLines = Callable[[Sequence[int]], Mapping[int, Promise]]  # order lines by id, which the orders' storey knows


def around(lot: Columns, by: Visitor, name_lines: NameLines) -> Around:
    """What belongs to one lot that this visitor may see; at most seven statements."""
    read = db.session().execute
    expected = lot.expected_on is not None
    own = by.organisation_kind == "supplier"
    return Around(
        lot_splitting.open_villages(lot.id), read(_splits().where(LotSplit.lot_id == lot.id)).all(),
        read(_write_offs().where(LotWriteOff.lot_id == lot.id).order_by(LotWriteOff.id.desc())).all(),
        read(_making(lot.id)).first(),
        _promised(lot.id, name_lines) if expected and own else (),
        read(_takers(lot)).all() if expected and own and lot.closed_at is None else ())


def _promised(lot_id: int, name_lines: NameLines) -> list[tuple[Promise, int]]:
    rows = lot_arrivals.promises(lot_id)
    names = name_lines([row.line_id for row in rows]) if rows else {}
    return [(names[row.line_id], row.milli) for row in rows if row.line_id in names]


def _takers(lot: Columns) -> Any:
    free = Lot.on_hand_milli - Lot.held_milli
    return (select(Lot.id, Lot.code, Lot.harvested_on, free.label("free_milli"))
            .where(Lot.product_id == lot.product_id, Lot.supplier_id == lot.supplier_id, usable(), harvested(),
                   free > 0)
            .order_by(Lot.id.desc()).limit(50))


def _making(lot_id: int) -> Select[Any]:
    return (
        select(db.table(LotMaking), Lot.total_grams, Category.code.label("category"), Division.path)
        .join_from(LotMaking, Lot, Lot.id == LotMaking.lot_id).join(Product, Product.id == Lot.product_id)
        .join(Category, Category.id == Product.category_id)
        .outerjoin(Division, Division.id == LotMaking.plant_village_id).where(LotMaking.lot_id == lot_id))


# ---- written off ----------------------------------------------------------------------------------------------------


def write_offs(by: Visitor, state: str | None, page: int) -> paging.Page:
    """Write-offs of the co-operative's lots, or of an officer's area, newest first, in two statements."""
    counts: dict[str, int] = {row.state: row.number for row in db.session().execute(
        select(LotWriteOff.state, func.count().label("number")).join(Lot, Lot.id == LotWriteOff.lot_id)
        .where(seen_by(by)).group_by(LotWriteOff.state))}
    query = _write_offs().where(seen_by(by), *([LotWriteOff.state == state] if state else []))
    total = counts.get(state, 0) if state else sum(counts.values())
    return paging.read(query.order_by(LotWriteOff.id.desc()), total, page, counts=counts)


def _write_offs() -> Select[Any]:
    proposer, second = aliased(User), aliased(User)
    return (
        select(db.table(LotWriteOff), Lot.code, Product.name, Product.name_en, Product.unit, Product.unit_en,
               proposer.name.label("proposer"), second.name.label("second"))
        .join_from(LotWriteOff, Lot, Lot.id == LotWriteOff.lot_id).join(Product, Product.id == Lot.product_id)
        .join(proposer, proposer.id == LotWriteOff.proposed_by)
        .outerjoin(second, second.id == LotWriteOff.decided_by))


def write_offs_to_decide(by: Visitor) -> int:
    """How many wait for this person: proposed by somebody else."""
    return db.session().scalar(
        select(func.count()).select_from(LotWriteOff).join(Lot, Lot.id == LotWriteOff.lot_id)
        .where(seen_by(by), LotWriteOff.state == "waiting", LotWriteOff.proposed_by != by.id)) or 0


# ---- names from the notebook ----------------------------------------------------------------------------------------


def splits(by: Visitor, page: int) -> paging.Page:
    """Names that followed in an officer's area, newest first, in two statements."""
    of_area = _splits().where(touches_area(by))
    total = db.session().scalar(select(func.count()).select_from(of_area.subquery())) or 0
    return paging.read(of_area.order_by(LotSplit.id.desc()), total, page)


def _splits() -> Select[Any]:
    return (
        select(db.table(LotSplit), Lot.code, Product.name, Product.name_en, Division.path, User.name.label("person"))
        .join_from(LotSplit, Lot, Lot.id == LotSplit.lot_id).join(Product, Product.id == Lot.product_id)
        .join(Division, Division.id == LotSplit.village_id).join(User, User.id == LotSplit.split_by))


def without_names(by: Visitor) -> Sequence[Columns]:
    """The co-operative's harvests whose names are still in the notebook, the oldest first: id, code, name, grams."""
    return db.session().execute(
        select(Lot.id, Lot.code, Lot.harvested_on, Product.name, Product.name_en,
               db.sum_of(LotContribution.grams).label("grams"))
        .join_from(Lot, LotContribution, LotContribution.lot_id == Lot.id)
        .join(Product, Product.id == Lot.product_id)
        .where(Lot.supplier_id == by.organisation_id, LotContribution.unsplit.is_(True), harvested())
        .group_by(Lot.id, Product.id).order_by(Lot.harvested_on, Lot.id).limit(100)).all()


def late_harvests(by: Visitor) -> int:
    """Expected lots whose day is past and that nobody has closed."""
    return db.session().scalar(select(func.count()).select_from(Lot).where(
        Lot.supplier_id == by.organisation_id, Lot.expected_on < clock.today(), Lot.closed_at.is_(None))) or 0
