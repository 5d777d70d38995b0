"""What of an order counts against its goods' season capacity: said once, for the gate, the way back and the audit.

A line counts what was ordered from placing on; nothing once its order is cancelled; once accepted, what was accepted,
but never more than was ordered (a van may bring a little too much; that is no new order). Goods that go back later did
grow and still count. The season is the one in which the delivery day falls.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import case, func, select

from catalog.capacity import gates
from catalog.capacity.models import SeasonCapacity
from market import db, money
from market.errors import N_
from market.problem import Problem
from orders.models import AcceptanceLine, Order, OrderLine

_line, _order, _accepted, _season = (db.table(e) for e in (OrderLine, Order, AcceptanceLine, SeasonCapacity))
_milli: Any = _line.c.ordered_milli
_per_unit: Any = _line.c.grams_per_unit
_ORDERED: Any = money.grams_of(_milli, _per_unit)  # the same rounding, as SQL
_COUNTED = case(
    (_order.c.state == "cancelled", 0),
    (_accepted.c.accepted_grams.is_(None) | (_accepted.c.accepted_grams > _ORDERED), _ORDERED),
    else_=_accepted.c.accepted_grams)


def counted_grams() -> Any:
    """The expression of what a line counts, over order_line, order and (outer) acceptance_line."""
    return _COUNTED


def count_placed(rows: Iterable[Mapping[str, Any]]) -> None:
    """Order lines just placed, each with its season_id (None: no season of the good holds the delivery day)."""
    grams: dict[int, int] = defaultdict(int)
    for row in rows:
        if row["season_id"] is not None:
            grams[row["season_id"]] += money.grams_of(row["ordered_milli"], row["grams_per_unit"])
    gates.sell(grams)


def of(product_ids: Sequence[int], day: date) -> dict[int, int]:
    """The season in which a day falls, by product; products without one are left out."""
    rows = db.session().execute(select(_season.c.product_id, _season.c.id).where(
        _season.c.product_id.in_(product_ids), _season.c.first_day <= day, _season.c.last_day >= day))
    return {row.product_id: row.id for row in rows}


def count_more(grams_by_product: Mapping[int, int], day: date) -> None:
    """More is ordered of goods for a day. Raises AboveCapacity."""
    found = of(sorted(grams_by_product), day)
    gates.sell({season: grams_by_product[product] for product, season in found.items() if grams_by_product[product]})


def count_less(grams_by_product: Mapping[int, int], day: date) -> None:
    """Less is ordered of goods for a day."""
    gates.give_back([gates.Change(product, day, grams) for product, grams in grams_by_product.items()])


def give_back_cancelled(line_ids: Sequence[int]) -> None:
    """Lines of cancelled orders no longer count."""
    gates.give_back([gates.Change(row.product_id, row.delivery_day, row.grams) for row in db.session().execute(
        select(_line.c.product_id, _order.c.delivery_day, _ORDERED.label("grams"))
        .join_from(_line, _order, _order.c.id == _line.c.order_id).where(_line.c.id.in_(line_ids)))])


def give_back_short(lines: Mapping[int, OrderLine], accepted_grams: Mapping[int, int], day: date) -> None:
    """What was ordered and not accepted no longer counts; both by order line."""
    gates.give_back([
        gates.Change(line.product_id, day, max(
            0, money.grams_of(line.ordered_milli, line.grams_per_unit) - accepted_grams[line.id]))
        for line in lines.values()])


def sold_grams(product_id: int, first: date, last: date) -> int:
    """What counts of a good for the delivery days from first to last, from the order lines themselves."""
    return db.session().scalar(
        select(db.sum_of(_COUNTED)).select_from(_line).join(_order, _order.c.id == _line.c.order_id)
        .outerjoin(_accepted, _accepted.c.order_line_id == _line.c.id)
        .where(_line.c.product_id == product_id, _order.c.delivery_day.between(first, last))) or 0


def counted() -> Iterator[Problem]:
    """Every bounded season has counted what its order lines say."""
    said = (
        select(_season.c.id, db.sum_of(_COUNTED).label("grams"))
        .join_from(_season, _line, _line.c.product_id == _season.c.product_id)
        .join(_order, (_order.c.id == _line.c.order_id)
              & _order.c.delivery_day.between(_season.c.first_day, _season.c.last_day))
        .outerjoin(_accepted, _accepted.c.order_line_id == _line.c.id).group_by(_season.c.id).subquery())
    right = func.coalesce(said.c.grams, 0)
    for row in db.session().execute(
        select(_season.c.id, _season.c.sold_grams, right.label("grams")).outerjoin(said, said.c.id == _season.c.id)
        .where(_season.c.approved_grams > 0, _season.c.sold_grams != right).order_by(_season.c.id)
    ):
        yield Problem(N_("Season %(id)s: %(kept)s g are counted as sold, the orders say %(right)s g."),
                      id=row.id, kept=row.sold_grams, right=row.grams)


CHECKS = (counted,)
