"""A year of trade in the demo world, every step through the verbs that people use, by a fixed seed on a set clock."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from random import Random

from sqlalchemy import select

from catalog import lot_confirmers, lots
from catalog.lot_parts import Contribution, Ingredient
from market import clock, db, money
from market.access import Visitor
from orders.buying import checkout
from orders.buying.checkout import Wish
from orders.delivering import acceptance, cold, returns, shipments
from orders.delivering.acceptance import Documents, Taken
from orders.delivering.shipments import Packed
from orders.demo import certificates
from orders.demo.fact_rows import Facts, Good, MenuLine, Unit
from orders.demo.settlers import Settlement
from orders.models import AcceptanceLine, Order, OrderLine
from orders.paying import claims
from orders.paying.claims import Remittance

SEASONS = {12: "winter", 1: "winter", 2: "winter", 3: "spring", 4: "spring", 5: "spring", 6: "summer", 7: "summer",
           8: "summer", 9: "autumn", 10: "autumn", 11: "autumn"}
KEEPS_DAYS = 90  # stocked goods of the demo keep this long, so that the shop still has something next month


@dataclass
class Book:
    """What the demo remembers while it trades."""

    facts: Facts
    settled: Settlement
    products: dict[str, int]
    proofs: dict[str, int]  # co-operative key: file id
    scans: dict[str, int]  # the same for certificates
    chance: Random
    last: date  # the day on which the demo's year ends
    free: dict[str, list[list[int]]] = field(default_factory=dict)  # good key: [lot id, milli left, best before]
    key_of: dict[int, str] = field(default_factory=dict)  # product id: good key
    made: int = 0  # orders so far
    turn: int = 0  # purchases tried so far

    def __post_init__(self) -> None:
        self.key_of = {product: key for key, product in self.products.items()}


def trade(book: Book, first: date, last: date, orders: int, tell: Callable[[int], None]) -> None:
    """Trade from first to last until so many orders have been made in all, spread evenly over the working days."""
    days = [day for day in _days(first, last) if day.isoweekday() < 6 and _next_working_day(day) < book.last]
    units = list(book.facts.units.values())
    before = book.made
    for number, day in enumerate(days, 1):
        while book.made - before < (orders - before) * number // len(days):
            book.turn += 1
            unit = units[book.turn % len(units)] if book.turn % 4 else units[0]  # the showcase school orders most
            _one_purchase(book, unit, day)
            tell(book.made)


def leave_open(book: Book) -> None:
    """What the desks find today: orders to pack, a van on its way, a transfer waiting to be confirmed."""
    units = list(book.facts.units.values())[:6]
    for number, unit in enumerate(units):
        book.turn += 1  # a purchase of its own, also where the same unit ordered last
        with clock.at(clock.shanghai(book.last, 6, number)):
            goods = _basket(book, unit, book.last)
            for key, milli in goods.items():
                if book.facts.goods[key].supply == "stocked":
                    _make_sure(book, key, milli)
            for order in _place(book, unit, goods, _next_working_day(book.last)):
                if number % 2 == 0:
                    _ship(book, order)
    _claim_oldest(book)


def _claim_oldest(book: Book) -> None:
    """The showcase school has transferred money for its oldest unpaid order; the co-operative has not looked yet."""
    unit = next(iter(book.facts.units.values()))
    order = db.session().scalars(
        select(Order).where(Order.unit_id == book.settled.organisations[unit.key], Order.state == "accepted",
                            Order.payment == "unpaid").order_by(Order.id).limit(1)).first()
    if order is not None:
        with clock.at(clock.shanghai(book.last, 7)), db.transaction():
            claims.claim({order.id: order.accepted_fen - order.returned_fen}, Remittance(unit.name, book.last),
                         book.settled.person(unit.key, "finance"))


def stock_up(book: Book, today: date) -> None:
    """Fresh lots of everything that is on sale this month."""
    with clock.at(clock.shanghai(today, 5)):
        for key, good in book.facts.goods.items():
            if good.supply == "stocked" and today.month in book.facts.sale_months(good):
                _lot_of(book, key, good, 400_000 * 1000 // good.grams_per_unit)


def _days(first: date, last: date) -> Iterator[date]:
    while first <= last:
        yield first
        first += timedelta(days=1)


def _one_purchase(book: Book, unit: Unit, day: date) -> None:
    """From Monday's list to the money: placed on `day`, delivered the next working day, paid some weeks later."""
    goods = _basket(book, unit, day)
    if not goods:
        return
    delivery = _next_working_day(day)
    with clock.at(clock.shanghai(day, 5, 30)):
        for key, milli in goods.items():
            if book.facts.goods[key].supply == "stocked":
                _make_sure(book, key, milli)
    with clock.at(clock.shanghai(day, 9, book.chance.randrange(60))):
        orders = _place(book, unit, goods, delivery)
    for order in orders:
        with clock.at(clock.shanghai(delivery, 5, book.chance.randrange(50))):
            _ship(book, order)
        with clock.at(clock.shanghai(delivery, 6, 30 + book.chance.randrange(29))):
            _accept(book, unit, order)
        _afterwards(book, unit, order, delivery)
    book.made += len(orders)


def _basket(book: Book, unit: Unit, day: date) -> dict[str, int]:
    """Some of the season's menu for the people who eat there, in whole steps, from two to four co-operatives."""
    delivery = _next_working_day(day)
    by_coop: dict[str, list[MenuLine]] = {}
    for line in book.facts.menu(unit.type, SEASONS[day.month]):
        good = book.facts.goods[line.goods_key]
        if {day.month, delivery.month} <= set(book.facts.sale_months(good)):
            by_coop.setdefault(good.coop_key, []).append(line)
    coops = sorted(by_coop, key=lambda key: -len(by_coop[key]) * book.chance.random())[:book.chance.randint(2, 4)]
    return {line.goods_key: _quantity(book, line, unit) for key in coops for line in by_coop[key]}


def _quantity(book: Book, line: MenuLine, unit: Unit) -> int:
    good = book.facts.goods[line.goods_key]
    wanted = line.quantity_milli_per_100 * unit.people // 100
    return max(wanted // good.step_milli, -(-good.minimum_milli // good.step_milli)) * good.step_milli


def _next_working_day(day: date) -> date:
    following = day + timedelta(days=1)
    while following.isoweekday() > 5:
        following += timedelta(days=1)
    return following


def _place(book: Book, unit: Unit, goods: dict[str, int], delivery: date) -> list[Order]:
    fund = book.chance.choices(list(unit.fund_mix), weights=list(unit.fund_mix.values()))[0]
    wish = Wish(book.settled.points[unit.key], delivery, "dawn", fund_source=fund)
    with db.transaction() as session:
        placed = checkout.place([(book.products[key], milli) for key, milli in goods.items()], wish,
                                f"demo {book.turn} {unit.key}", book.settled.person(unit.key, "requester"))
        return session.query(Order).filter(Order.purchase_id == placed.id).order_by(Order.id).all()


# ---- supply ---------------------------------------------------------------------------------------------------------


def _make_sure(book: Book, key: str, milli: int) -> None:
    """Book another lot when the ones in store do not reach."""
    today = clock.today()
    lots_left = [lot for lot in book.free.get(key, []) if date.fromordinal(lot[2]) > today + timedelta(days=10)]
    book.free[key] = lots_left
    if sum(lot[1] for lot in lots_left) < milli:
        good = book.facts.goods[key]
        _lot_of(book, key, good, max(milli * 4, good.minimum_milli * 20))
    left = milli
    for lot in book.free[key]:
        taken = min(left, lot[1])
        lot[1] -= taken
        left -= taken


def _lot_of(book: Book, key: str, good: Good, milli: int) -> int:
    """A confirmed lot of about this quantity, grown by some households of one village, or made from another good."""
    if good.processed_from:
        lot_id, milli = _process(book, key, good, milli)
    else:
        lot_id, milli = _harvest(book, good, book.products[key], milli)
    book.free.setdefault(key, []).append([lot_id, milli, (clock.today() + timedelta(days=KEEPS_DAYS)).toordinal()])
    return lot_id


def _harvest(book: Book, good: Good, product_id: int, milli: int) -> tuple[int, int]:
    milli -= milli % 1000
    coop = book.facts.coops[good.coop_key]
    code = book.chance.choice(coop.village_codes)
    grams = money.grams_of(milli, good.grams_per_unit)
    clerk = book.settled.person(good.coop_key, "clerk")
    contributions = _contributions(book, good, code, grams)
    with db.transaction():
        lot = lots.book(product_id, clock.today(), milli, good.farm_gate_fen_per_kg, contributions, clerk,
                        best_before=clock.today() + timedelta(days=KEEPS_DAYS))
        certificates.of_lot(book.settled, good.coop_key, book.scans[good.coop_key], lot.id)
    with db.transaction():
        lots.confirm(lot.id, book.settled.visitor(book.settled.officers[code]))
    return lot.id, milli


def _contributions(book: Book, good: Good, code: str, grams: int) -> list[Contribution]:
    """Three to seven households, and in one lot of eight the co-operative's own base as well."""
    households = book.settled.households[good.coop_key, code]
    givers: list[int | None] = list(book.chance.sample(households, min(len(households), book.chance.randint(3, 7))))
    if book.chance.random() < 0.125:
        givers.append(None)
    weights = money.allocate(grams, [book.chance.randint(2, 9) for _ in givers])
    village = book.settled.villages[code]
    return [Contribution(weight, household, None if household else village)
            for household, weight in zip(givers, weights, strict=True) if weight]


def _process(book: Book, key: str, good: Good, milli: int) -> tuple[int, int]:
    """Make goods out of a lot harvested for it; what the harvest weighs follows from the yield."""
    raw = book.facts.goods[good.processed_from]
    milli -= milli % 1000
    grams = money.grams_of(milli, good.grams_per_unit)
    raw_grams = grams * 100 // good.yield_percent + 1000
    raw_milli = -(-raw_grams // raw.grams_per_unit) * 1000
    raw_lot, raw_milli = _harvest(book, raw, book.products[good.processed_from], raw_milli)
    clerk = book.settled.person(good.coop_key, "clerk")
    with db.transaction():
        lot = lots.process(book.products[key], clock.today(), milli, grams, [Ingredient(raw_lot, raw_milli)], clerk,
                           best_before=clock.today() + timedelta(days=KEEPS_DAYS))
    with db.transaction():
        code = book.facts.coops[good.coop_key].home_village_code
        lots.confirm(lot.id, _officer_for(book, lot.id, good, code))
    return lot.id, milli


def _officer_for(book: Book, lot_id: int, good: Good, home: str) -> Visitor:
    """An officer whose area holds all the villages in the lot."""
    for code in (home, *book.facts.coops[good.coop_key].village_codes):
        officer = book.settled.visitor(book.settled.officers[code])
        if lot_confirmers.may(lot_id, officer):
            return officer
    raise LookupError(lot_id)


# ---- delivery and money ---------------------------------------------------------------------------------------------


def _ship(book: Book, order: Order) -> None:
    """Pack what is held; harvest what is sold fresh."""
    lines = _lines(order)
    packed = [Packed(h["line_id"], h["lot_id"], h["milli"]) for h in shipments.suggestion(order.id)]
    for line in lines:
        if line.supply == "daily":
            good = book.facts.goods[book.key_of[line.product_id]]
            milli = -(-line.ordered_milli // 1000) * 1000
            lot_id, _ = _harvest(book, good, line.product_id, milli)
            packed.append(Packed(line.id, lot_id, line.ordered_milli))
    with db.transaction():
        shipments.ship(order.id, packed, _clerk_of(book, order))


def _clerk_of(book: Book, order: Order, role: str = "clerk") -> Visitor:
    key = next(key for key, number in book.settled.organisations.items() if number == order.supplier_id)
    return book.settled.person(key, role)


def _lines(order: Order) -> list[OrderLine]:
    return db.session().query(OrderLine).filter(OrderLine.order_id == order.id).order_by(OrderLine.id).all()


def _accept(book: Book, unit: Unit, order: Order) -> None:
    """Mostly in full; now and then short, a little over, at a reduced price, or refused."""
    lines = _lines(order)
    kinds = cold.kinds_of({line.category for line in lines})
    taken = [replace(_taken(book, line), temperature_tenths=_measured(kinds.get(line.category), line.id))
             for line in lines]
    first = book.settled.person(unit.key, "receiver")
    reduced = unit.receiving_scheme == "reduced" and len(book.settled.people[unit.key, "receiver"]) == 1
    second = book.settled.person(unit.key, "requester") if reduced else book.settled.person(unit.key, "receiver", 1)
    with db.transaction():
        acceptance.accept(order.id, taken, (first, second), documents=Documents(seen=True))


def _measured(kind: str | None, number: int) -> int | None:
    """A temperature well below the limit of cold goods, in tenths of a degree."""
    return cold.LIMITS[kind].tenths - 20 - number % 30 if kind else None


def _taken(book: Book, line: OrderLine) -> Taken:
    luck = book.chance.random()
    milli, price, reason = line.ordered_milli, None, ""
    if luck < 0.08 and line.by_weight:
        milli = line.ordered_milli * book.chance.randint(92, 99) // 100
    elif luck < 0.10 and line.by_weight:
        milli = line.ordered_milli * book.chance.randint(101, 104) // 100
    elif luck < 0.11:
        price, reason = line.price_fen * 9 // 10, "品相稍差"
    elif luck < 0.115:
        milli, reason = 0, "运输途中压坏"
    if line.by_weight:
        return Taken(line.id, grams=money.grams_of(milli, line.grams_per_unit), price_fen=price, reason=reason)
    return Taken(line.id, milli=milli - milli % 1000 if milli else 0, price_fen=price, reason=reason)


def _afterwards(book: Book, unit: Unit, order: Order, delivery: date) -> None:
    """Some goods go back; most orders are paid within six weeks, as far as the year has come."""
    if order.accepted_fen and book.chance.random() < 0.02:
        with clock.at(clock.shanghai(delivery, 10)):
            _send_back(book, unit, order)
    paid_on = delivery + timedelta(days=book.chance.randint(4, 40))
    open_fen = order.accepted_fen - order.returned_fen
    if not open_fen or paid_on >= book.last:
        return
    with clock.at(clock.shanghai(paid_on, 15)):
        with db.transaction():
            claim = claims.claim({order.id: open_fen}, Remittance(unit.name, paid_on),
                                 book.settled.person(unit.key, "finance"))
        with db.transaction():
            claims.confirm(claim.id, _clerk_of(book, order, "manager"))


def _send_back(book: Book, unit: Unit, order: Order) -> None:
    line = _lines(order)[0]
    accepted = db.session().scalars(
        select(AcceptanceLine.accepted_milli).where(AcceptanceLine.order_line_id == line.id)).one()
    back = accepted // 5 // 1000 * 1000
    if back:
        with db.transaction():
            returns.take_back(order.id, {line.id: back}, "开箱后发现有坏的",
                              book.settled.person(unit.key, "receiver"), _clerk_of(book, order))


def trade_fresh(book: Book, unit: Unit, day: date, *, accepted: bool) -> None:
    """A purchase of fresh goods alone, delivered on a day of the past or the working day after; never paid for."""
    delivery = _next_working_day(day - timedelta(days=1))
    placed_on = delivery - timedelta(days=1)
    goods = {key: milli for key, milli in _basket(book, unit, placed_on).items()
             if book.facts.goods[key].supply == "daily"}
    if not goods:
        return
    book.turn += 1
    with clock.at(clock.shanghai(placed_on, 9)):
        orders = _place(book, unit, goods, delivery)
    for order in orders:
        with clock.at(clock.shanghai(delivery, 5, 30)):
            _ship(book, order)
        if accepted:
            with clock.at(clock.shanghai(delivery, 6, 45)):
                _accept(book, unit, order)
