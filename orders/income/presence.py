"""What occurs in a village's month: orders, goods, co-operatives, and the households that the income was for."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from sqlalchemy import select

from catalog.models import LotContribution, LotShare
from market import db
from market.ledger_frame import Rows, Thing
from orders.models import OrderLine


def things_of(rows: Rows) -> Iterator[Thing]:
    """The things each transfer lets occur; what they are read from only grows, and then they are noted again."""
    rows = [row for row in rows if not row["backward"] and row["event"] in {"accepted", "attributed"}]
    products = _products({int(row["line_ref"]) for row in rows if row["event"] == "accepted" and row["line_ref"]})
    brought = growers({row["lot_id"] for row in rows if row["event"] == "attributed" and row["lot_id"]})
    for row in rows:
        if row["event"] == "attributed":
            for household in _households(row["income_kind"], row["household_id"],
                                         brought.get((row["lot_id"], row["village_id"]), ())):
                yield row["id"], "household", str(household)
            continue
        if row["line_ref"] and int(row["line_ref"]) in products:
            yield row["id"], "product", str(products[int(row["line_ref"])])
        for kind, column in (("order", "order_ref"), ("supplier", "supplier_id")):
            if row[column] is not None:
                yield row["id"], kind, str(row[column])


def _households(income_kind: str, declared_for: int | None, growers: Sequence[int]) -> Sequence[int]:
    """A declared wage names its household; farm-gate income is for all who brought to the lot; a collective is none."""
    if declared_for is not None:
        return (declared_for,)
    return growers if income_kind == "farm_gate" else ()


def _products(line_ids: set[int]) -> dict[int, int]:
    found: dict[int, int] = {}
    for some in db.chunks(sorted(line_ids)):
        found.update((row.id, row.product_id) for row in db.session().execute(
            select(OrderLine.id, OrderLine.product_id).where(OrderLine.id.in_(some))))
    return found


def growers(lot_ids: set[int]) -> dict[tuple[int, int], list[int]]:
    """By lot and village: households of that village that brought goods to the harvests the lot goes back to."""
    found: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
    for some in db.chunks(sorted(lot_ids)):
        query = (
            select(LotShare.lot_id, LotShare.village_id, LotContribution.household_id)
            .join(LotContribution, (LotContribution.lot_id == LotShare.origin_lot_id)
                  & (LotContribution.village_id == LotShare.village_id))
            .where(LotShare.lot_id.in_(some), LotShare.own_base.is_(False),
                   LotContribution.household_id.is_not(None))
            .distinct()
        )
        for lot_id, village_id, household_id in db.session().execute(query):
            found[lot_id, village_id].append(int(household_id or 0))
    return found
