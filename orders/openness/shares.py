"""The farmers' share of the last twelve months that are over: paid out with proof, divided by what was accepted.

For one co-operative and one category of goods: farm-gate money and the collective's share of these goods, paid by
payout or at weigh-in (each with its slip), over the accepted amount less what came back. Wages, rents and dividends
belong to no category and are not in it. With fewer than MONTHS_NEEDED months with purchases or ORDERS_NEEDED accepted
orders it is not yet known; then the co-operative's own word stands, labelled as such. Where fewer than 5 households of
a village were paid in any of these months, or an order of these goods is held, nothing is told at all. Only sealed
transfers are looked at.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, case, func, or_, select

from market import clock, db, money
from market.sealing import TRANSFERS, signed
from orders.anomalies import holds
from orders.openness.models import SupplierCost
from orders.reports import disclosure

SHARE_MONTHS = 12
MONTHS_NEEDED = 3  # with purchases
ORDERS_NEEDED = 10  # accepted

KNOWN, DECLARED, UNKNOWN, FEW, CHECKED = "known", "declared", "unknown", "few", "checked"
Key = tuple[int, str]  # co-operative, category


@dataclass(frozen=True)
class Told:
    """What anybody may read of a co-operative's goods of a category; shares in hundredths of a percent.

    `basis`: KNOWN, DECLARED by the co-operative, UNKNOWN as yet, or FEW households or orders CHECKED, so that nothing
    is told.
    """

    supplier_id: int
    category: str
    basis: str = UNKNOWN
    points: int | None = None
    packing_points: int | None = None
    transport_points: int | None = None
    loss_points: int | None = None
    valid_from: str = ""

    @property
    def has_costs(self) -> bool:
        return bool(self.valid_from)


def window() -> tuple[str, str]:
    """The first and the last of the twelve months that are over."""
    last = disclosure.newest_month()
    return clock.months_before(last, SHARE_MONTHS - 1), last


def told(keys: Iterable[Key]) -> dict[Key, Told]:
    """What may be told of each (co-operative, category), in five statements. Open a snapshot around."""
    wanted = sorted(set(keys))
    suppliers = {supplier for supplier, _category in wanted}
    if not suppliers:
        return {}
    first, last = window()
    sums = {(row.supplier_id, row.category): row for row in db.session().execute(_sums(first, last, suppliers))}
    cells = disclosure.small_cells(first, last, TRANSFERS.c.credit.in_([f"due:{one}" for one in suppliers])
                                   | TRANSFERS.c.debit.in_([f"due:{one}" for one in suppliers]))
    few = {(cell.supplier_id, cell.category) for cell in cells}
    hidden = dict.fromkeys(few, FEW) | dict.fromkeys(holds.goods_held(suppliers, first, last), CHECKED)
    costs = costs_of(suppliers)
    return {key: _told(key, sums.get(key), hidden.get(key), costs.get(key)) for key in wanted}


def _told(key: Key, sums: Any, hidden: str | None, cost: Any) -> Told:
    basis, points = UNKNOWN, None
    if hidden is not None:
        basis = hidden
    elif sums and sums.months >= MONTHS_NEEDED and sums.orders >= ORDERS_NEEDED and sums.bought_fen > 0:
        basis, points = KNOWN, money.in_whole_percent(money.basis_points(sums.paid_fen, sums.bought_fen))
    elif cost is not None and cost.share_points is not None:
        basis, points = DECLARED, cost.share_points
    if cost is None:
        return Told(*key, basis, points)
    return Told(*key, basis, points, cost.packing_points, cost.transport_points, cost.loss_points, cost.valid_from)


def _sums(first: str, last: str, suppliers: Collection[int]) -> Any:
    """By co-operative and category: accepted less returned, paid out, months with purchases and accepted orders."""
    row = TRANSFERS.c
    fen = signed(row.amount_fen)
    is_accepted = (row.event == "accepted") & row.backward.is_(False)
    return (
        select(row.supplier_id, row.category,
               db.sum_of(case((row.event == "accepted", fen), (row.event == "returned", -fen),
                              else_=0)).label("bought_fen"),
               db.sum_of(case((row.event == "paid_out", fen), else_=0)).label("paid_fen"),
               func.count(case((is_accepted, row.period)).distinct()).label("months"),
               func.count(case((is_accepted, row.order_ref)).distinct()).label("orders"))
        .where(_of(suppliers), row.event.in_(("accepted", "returned", "paid_out")), row.period.between(first, last),
               row.category.is_not(None))
        .group_by(row.supplier_id, row.category)
    )


def _of(suppliers: Collection[int]) -> ColumnElement[bool]:
    """The condition that a transfer is on one of the co-operatives' accounts: these have an index."""
    accounts = [f"{kind}:{one}" for one in sorted(suppliers) for kind in ("supplier", "due")]
    return or_(TRANSFERS.c.debit.in_(accounts), TRANSFERS.c.credit.in_(accounts))


def costs_of(suppliers: Collection[int]) -> dict[Key, Any]:
    """The costs that hold this month, by co-operative and category: the newest that has begun."""
    cost = db.table(SupplierCost)
    rows = db.session().execute(
        select(cost).where(cost.c.supplier_id.in_(suppliers), cost.c.valid_from <= clock.period_of(clock.today()))
        .order_by(cost.c.valid_from))
    return {(row.supplier_id, row.category): row for row in rows}
