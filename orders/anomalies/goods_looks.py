"""Looks at goods: prices far above like goods, more sold than a season or a village can bring."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from typing import Any

from sqlalchemy import BigInteger, cast, select
from sqlalchemy.orm import aliased

from catalog.capacity.models import SeasonCapacity, VillageCapacity
from catalog.models import Lot, LotShare, Product
from catalog.review.models import PriceOutlier
from market import clock, db, money
from market.errors import N_
from market.figures import Where
from market.parties import Organisation
from market.places import Division
from orders.anomalies.found import Found, told
from orders.models import Acceptance, AcceptanceLine, AcceptancePart, Order, OrderLine
from orders.seasons import counted_grams

TOLERANCE = 105  # percent: what a scale and a van may bring too much; sales themselves are bounded to the gram


def prices(begin: date, end: date, where: Where) -> Iterator[Found]:
    """What the price monitor found and nobody has explained, with the month's orders at that price."""
    found = db.session().execute(
        select(PriceOutlier.id, PriceOutlier.period, PriceOutlier.fen_per_kg, PriceOutlier.median_fen_per_kg,
               PriceOutlier.found_at, PriceOutlier.price_fen, Product.id.label("product_id"), Product.name,
               Product.supplier_id, Organisation.short_name)
        .join(Product, Product.id == PriceOutlier.product_id)
        .join(Organisation, Organisation.id == Product.supplier_id)
        .where(where.holds(Product.village_id), PriceOutlier.period >= clock.period_of(begin),
               PriceOutlier.period < clock.period_of(end), PriceOutlier.approved_at.is_(None),
               PriceOutlier.sent_back_at.is_(None)).order_by(PriceOutlier.id)).all()
    sold: dict[tuple[int, int, str], dict[int, Any]] = defaultdict(dict)
    for order in db.session().execute(
            select(Order.id, Order.number, Order.placed_fen, Order.business_date, OrderLine.product_id,
                   OrderLine.price_fen)
            .join(OrderLine, OrderLine.order_id == Order.id)
            .where(OrderLine.product_id.in_({row.product_id for row in found}), Order.business_date >= begin,
                   Order.business_date < end, Order.state != "cancelled").order_by(Order.id)):
        sold[order.product_id, order.price_fen, clock.period_of(order.business_date)][order.id] = order
    for row in found:
        orders = sold[row.product_id, row.price_fen, row.period]
        yield Found("price", str(row.id), f"{row.short_name} · {row.name}",
                    N_("¥%(price)s a kilo, median ¥%(median)s"),
                    {"price": money.yuan(row.fen_per_kg), "median": money.yuan(row.median_fen_per_kg)},
                    clock.business_date(row.found_at), None, row.supplier_id, tuple(orders), told(orders.values()))


def over_capacity(begin: date, end: date, where: Where) -> Iterator[Found]:
    """Seasons that lie in the months asked for, and villages in them. Touched are the orders that went above it."""
    yield from _seasons(begin, end, where)
    yield from _villages(begin, end, where)


def _seasons(begin: date, end: date, where: Where) -> Iterator[Found]:
    season, order, line, accepted = (db.table(e) for e in (SeasonCapacity, Order, OrderLine, AcceptanceLine))
    sums = (
        select(season.c.id, db.sum_of(counted_grams()).label("grams"))
        .join_from(season, line, line.c.product_id == season.c.product_id)
        .join(order, (order.c.id == line.c.order_id)
              & order.c.delivery_day.between(season.c.first_day, season.c.last_day))
        .outerjoin(accepted, accepted.c.order_line_id == line.c.id)
        .where(season.c.approved_grams > 0, season.c.first_day < end, season.c.last_day >= begin)
        .group_by(season.c.id).subquery())
    above = {row.id: row for row in db.session().execute(
        select(SeasonCapacity.id, SeasonCapacity.name, SeasonCapacity.approved_grams, Product.name.label("product"),
               Product.supplier_id, Organisation.short_name, sums.c.grams)
        .join(sums, sums.c.id == SeasonCapacity.id).join(Product, Product.id == SeasonCapacity.product_id)
        .join(Organisation, Organisation.id == Product.supplier_id)
        .where(where.holds(Product.village_id), sums.c.grams > SeasonCapacity.approved_grams))}
    lines = defaultdict(list)
    for row in db.session().execute(
            select(season.c.id.label("season"), order.c.id, order.c.number, order.c.placed_fen, order.c.business_date,
                   cast(counted_grams(), BigInteger).label("grams"))
            .join_from(season, line, line.c.product_id == season.c.product_id)
            .join(order, (order.c.id == line.c.order_id)
                  & order.c.delivery_day.between(season.c.first_day, season.c.last_day))
            .outerjoin(accepted, accepted.c.order_line_id == line.c.id)
            .where(season.c.id.in_(above), order.c.state != "cancelled").order_by(order.c.delivery_day, order.c.id)):
        lines[row.season].append(row)
    for number, found in above.items():
        late = _beyond(lines[number], found.approved_grams)
        yield Found("over_capacity", f"season/{number}", f"{found.short_name} · {found.product} · {found.name}",
                    N_("%(sold)s kg sold, %(approved)s kg approved"),
                    {"sold": money.plain_decimal(found.grams), "approved": money.plain_decimal(found.approved_grams)},
                    max(row.business_date for row in late), None, found.supplier_id,
                    tuple({row.id: 0 for row in late}), told(late))


def _villages(begin: date, end: date, where: Where) -> Iterator[Found]:
    """What was accepted of harvests of a village in a season; for made goods by what went into them."""
    origin, supplier = aliased(Lot), aliased(Organisation)
    harvest = (
        select(AcceptancePart.id.label("part"), VillageCapacity.id.label("capacity"),
               (cast(AcceptancePart.grams, BigInteger) * LotShare.input_grams / LotShare.grams).label("grams"))
        .join(LotShare, LotShare.id == AcceptancePart.lot_share_id).join(origin, origin.id == LotShare.origin_lot_id)
        .join(SeasonCapacity, (SeasonCapacity.product_id == origin.product_id)
              & origin.harvested_on.between(SeasonCapacity.first_day, SeasonCapacity.last_day))
        .join(VillageCapacity, (VillageCapacity.season_id == SeasonCapacity.id)
              & (VillageCapacity.village_id == LotShare.village_id))
        .where(VillageCapacity.approved_grams > 0, SeasonCapacity.first_day < end, SeasonCapacity.last_day >= begin,
               where.holds(LotShare.village_id)).subquery())
    sums = select(harvest.c.capacity, db.sum_of(harvest.c.grams).label("grams")).group_by(
        harvest.c.capacity).subquery()
    above = {row.id: row for row in db.session().execute(
        select(VillageCapacity.id, VillageCapacity.approved_grams, SeasonCapacity.name, Product.name.label("product"),
               Product.supplier_id, supplier.short_name, Division.name.label("village"), sums.c.grams)
        .join(sums, sums.c.capacity == VillageCapacity.id)
        .join(SeasonCapacity, SeasonCapacity.id == VillageCapacity.season_id)
        .join(Product, Product.id == SeasonCapacity.product_id).join(supplier, supplier.id == Product.supplier_id)
        .join(Division, Division.id == VillageCapacity.village_id)
        .where(sums.c.grams * 100 > VillageCapacity.approved_grams * TOLERANCE))}
    parts = defaultdict(list)
    for row in db.session().execute(
            select(harvest.c.capacity, harvest.c.grams, Order.id, Order.number, Order.placed_fen,
                   Acceptance.business_date)
            .join(AcceptancePart, AcceptancePart.id == harvest.c.part)
            .join(AcceptanceLine, AcceptanceLine.id == AcceptancePart.acceptance_line_id)
            .join(Acceptance, Acceptance.id == AcceptanceLine.acceptance_id)
            .join(Order, Order.id == Acceptance.order_id)
            .where(harvest.c.capacity.in_(above)).order_by(Acceptance.accepted_at, AcceptancePart.id)):
        parts[row.capacity].append(row)
    for number, found in above.items():
        late = _beyond(parts[number], found.approved_grams)
        yield Found("over_capacity", f"village/{number}",
                    f"{found.short_name} · {found.product} · {found.village} · {found.name}",
                    N_("%(sold)s kg accepted from the village, %(approved)s kg approved"),
                    {"sold": money.plain_decimal(int(found.grams)),
                     "approved": money.plain_decimal(found.approved_grams)},
                    max(row.business_date for row in late), None, found.supplier_id,
                    tuple({row.id: 0 for row in late}), told(late))


def _beyond(rows: list[Any], approved: int) -> list[Any]:
    """The rows from the one on that went above what was approved."""
    total, late = 0, []
    for row in rows:
        total += int(row.grams)
        if total > approved:
            late.append(row)
    return late
