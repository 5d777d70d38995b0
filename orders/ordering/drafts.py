"""An order before it is one: goods by delivery, as last week, a list or a text brings them; looked at once more."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from types import SimpleNamespace
from typing import Any

from sqlalchemy import exists, or_, select

from catalog.models import Product
from catalog.on_sale import on_sale
from catalog.papers.refusals import PapersLapsed
from catalog.terms import reach, reading
from market import db, money
from market.errors import MarketError
from market.parties import Organisation
from orders.buying import refusals
from orders.models import Order, OrderLine
from orders.ordering.models import WeeklyList, WeeklyListLine
from orders.ordering.reading import Understood

MOST_LINES = 500  # of one draft; what a form can carry
GONE = (refusals.NoLongerSold, PapersLapsed)  # whatever the quantity and the day


@dataclass(frozen=True)
class Delivery:
    """Where, when and for whose money a part of a draft comes: one purchase each."""

    delivery_point_id: int | None
    delivery_day: date
    delivery_window: str = "dawn"
    fund_source: str = "canteen"
    budget_unit_id: int | None = None


@dataclass(frozen=True)
class Want:
    """A good and how much of it (None: left out). `was_*` is how it was ordered before, `text` what was typed.

    `read` is the piece of a text it comes from, with the other goods it may mean.
    """

    product_id: int
    milli: int | None
    was_fen: int | None = None
    was_milli: int | None = None
    text: str | None = None
    word: str = ""
    renamed: str = ""
    read: Understood | None = None


@dataclass(frozen=True)
class Part:
    """What comes together."""

    delivery: Delivery
    wants: Sequence[Want]


@dataclass(frozen=True)
class Line:
    """A want as the page shows it; `number` counts through the form."""

    number: int
    want: Want
    good: Any  # its columns; of goods no longer sold only their names
    milli: int | None
    refusal: MarketError | None

    @property
    def is_sold(self) -> bool:
        return self.good.price_fen is not None

    @property
    def text(self) -> str:
        if self.want.text is not None:
            return self.want.text
        return money.plain_decimal(self.milli) if self.milli else ""

    @property
    def field(self) -> str:
        return f"lines-{self.number}-quantity_milli"

    @property
    def amount_fen(self) -> int:
        return money.line_total(self.good.price_fen, self.milli) if self.is_sold and self.milli else 0

    @property
    def has_new_price(self) -> bool:
        return self.is_sold and self.want.was_fen is not None and self.want.was_fen != self.good.price_fen

    @property
    def at_old_price_fen(self) -> int:
        """What this quantity would have cost at the price it was ordered for before."""
        before = self.want.was_fen if self.want.was_fen is not None else self.good.price_fen
        return money.line_total(before, self.milli) if self.milli and before else 0


@dataclass(frozen=True)
class Drawn:
    """A part with its lines: those that are ordered, and those that are left out with the reason."""

    number: int
    delivery: Delivery
    lines: Sequence[Line]
    freight_fen: int = 0

    @property
    def taken(self) -> list[Line]:
        return [line for line in self.lines if line.milli]

    @property
    def total_fen(self) -> int:
        """As it will be ordered: a good that two words mean is one line of the order."""
        sums: dict[int, int] = defaultdict(int)
        prices: dict[int, int] = {}
        for line in self.lines:
            if line.is_sold and line.milli:
                sums[line.good.id] += line.milli
                prices[line.good.id] = line.good.price_fen
        return sum(money.line_total(prices[good], milli) for good, milli in sums.items())


@dataclass(frozen=True)
class Draft:
    """All parts; `passed` are those whose day is over."""

    parts: Sequence[Drawn] = ()
    passed: Sequence[Part] = field(default_factory=tuple)

    @property
    def lines(self) -> list[Line]:
        return [line for part in self.parts for line in part.lines]

    @property
    def total_fen(self) -> int:
        return sum(part.total_fen for part in self.parts)

    @property
    def freight_fen(self) -> int:
        return sum(part.freight_fen for part in self.parts)

    @property
    def at_old_prices_fen(self) -> int:
        return sum(line.at_old_price_fen for line in self.lines)

    @property
    def count(self) -> int:
        return sum(len(part.taken) for part in self.parts)


def draw(parts: Sequence[Part], unit_id: int, *, is_typed: bool = False, passed: Sequence[Part] = ()) -> Draft:
    """The draft as a page shows it, with today's prices and what speaks against each line.

    On a first look refused goods are left out (no quantity); what somebody typed stays as it was typed. Two statements
    those of refusals.by_good for each day of delivery and of the terms at each door.
    """
    parts = _bounded(parts)
    ids = {want.product_id for part in parts for want in part.wants}
    goods = _goods(ids, unit_id)
    against = wrong(parts)
    drawn: list[Drawn] = []
    number = 0
    for at, part in enumerate(parts):
        lines: list[Line] = []
        for want in part.wants:
            if want.product_id not in goods:
                continue
            refusal = against.get((at, want.product_id)) or _of_text(want)
            milli = None if refusal and not is_typed else want.milli
            lines.append(Line(number, want, goods[want.product_id], milli, refusal))
            number += 1
        drawn.append(Drawn(at, part.delivery, lines))
    ways = freight_fen([(one.delivery.delivery_point_id, [(line.good, line.milli or 0) for line in one.lines
                                                          if line.is_sold]) for one in drawn])
    drawn = [replace(one, freight_fen=fen) for one, fen in zip(drawn, ways, strict=True)]
    return Draft(drawn, tuple(passed))


def freight_fen(deliveries: Sequence[tuple[int | None, Sequence[tuple[Any, int]]]]) -> list[int]:
    """What the way costs for each delivery, given as its door and (good with id, price_fen and supplier_id; milli), in
    fen; two statements for each door."""
    doors = {point: reading.at_point(point) for point, _goods in deliveries if point}
    found = []
    for point, goods in deliveries:
        wanted: dict[tuple[int, int, int], int] = defaultdict(int)
        for good, milli in goods:
            wanted[good.supplier_id, good.id, good.price_fen] += milli
        sums: dict[int, int] = defaultdict(int)
        for (supplier_id, _good, price_fen), milli in wanted.items():
            if milli:
                sums[supplier_id] += money.line_total(price_fen, milli)
        terms = {supplier_id: doors[point].of(supplier_id) for supplier_id in sums} if point else {}
        found.append(sum(reach.freight_fen(of, sums[supplier_id]) for supplier_id, of in terms.items() if of))
    return found


def _bounded(parts: Sequence[Part]) -> list[Part]:
    left, kept = MOST_LINES, []
    for part in parts:
        kept.append(replace(part, wants=list(part.wants)[:left]))
        left -= len(kept[-1].wants)
    return kept


def _of_text(want: Want) -> MarketError | None:
    """Why a text's quantity could not be taken, as long as nobody has typed another."""
    if want.read is None or want.milli is not None:
        return None
    return next((choice.refusal for choice in want.read.choices if choice.good.id == want.product_id), None)


def wrong(parts: Sequence[Part]) -> dict[tuple[int, int], MarketError]:
    """What speaks against goods, by (number of the part, product id); also that several parts together want too much.

    A line that is left out is looked at with the quantity it had before, so that the reason stays in sight.
    """
    found: dict[tuple[int, int], MarketError] = {}
    so_far: dict[int, int] = defaultdict(int)
    by_day: dict[date, list[int]] = defaultdict(list)
    for at, part in enumerate(parts):
        by_day[part.delivery.delivery_day].append(at)
    stocked = _stocked({want.product_id for part in parts for want in part.wants})
    for day, numbers in sorted(by_day.items()):
        asked: dict[int, int] = defaultdict(int)
        for at in numbers:
            for want in parts[at].wants:
                asked[want.product_id] += want.milli or 0
        looked_at = {at: [w for w in parts[at].wants if w.milli or w.was_milli] for at in numbers}
        goods = {w.product_id: _whole(w, asked, so_far if w.product_id in stocked else {})
                 for at in numbers for w in looked_at[at]}
        refused = refusals.by_good(sorted(goods.items()), day) if goods else {}
        found |= {(at, w.product_id): refused[w.product_id] for at in numbers for w in looked_at[at]
                  if w.product_id in refused}
        for product_id, milli in asked.items():
            so_far[product_id] += milli
    return found


def _whole(want: Want, asked: Mapping[int, int], before: Mapping[int, int]) -> int:
    """What the day wants of a good in all, with what earlier days want of the same store."""
    return (asked[want.product_id] or want.was_milli or 0) + before.get(want.product_id, 0)


def _stocked(ids: set[int]) -> set[int]:
    return set(db.session().scalars(select(Product.id).where(Product.id.in_(ids), Product.supply == "stocked")))


def _goods(ids: set[int], unit_id: int) -> dict[int, Any]:
    """Columns of goods on sale; of others only the names, where this unit has ordered or listed them: by product id."""
    product, supplier = db.table(Product).c, db.table(Organisation).c
    known = or_(
        exists(select(OrderLine.id).join(Order, Order.id == OrderLine.order_id)
               .where(OrderLine.product_id == product.id, Order.unit_id == unit_id)),
        exists(select(WeeklyListLine.id).join(WeeklyList, WeeklyList.id == WeeklyListLine.list_id)
               .where(WeeklyListLine.product_id == product.id, WeeklyList.unit_id == unit_id)))
    rows = db.session().execute(
        select(product.id, product.name, product.name_en, product.unit, product.unit_en, product.price_fen,
               product.minimum_milli, product.step_milli, product.picture, product.supplier_id,
               supplier.short_name.label("supplier_name"),
               on_sale().label("is_sold"))
        .join(db.table(Organisation), supplier.id == product.supplier_id)
        .where(product.id.in_(ids), or_(on_sale(), known))).mappings()
    return {row["id"]: SimpleNamespace(**{**row, "price_fen": row["price_fen"] if row["is_sold"] else None})
            for row in rows}

