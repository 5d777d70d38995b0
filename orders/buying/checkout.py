"""Placing a purchase: one 采购单, a sub-order per co-operative, goods held, all or nothing, in a dozen statements."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any

from sqlalchemy import bindparam, select

from catalog import stock
from catalog.terms import reach, reading
from catalog.terms.reach import Terms
from market import clock, db, faults, journal, money, outbox
from market.access import Visitor
from market.errors import N_, Conflict, InvalidInput, MarketError, NotFound
from market.parties import DeliveryPoint, Organisation
from orders import numbers, seasons
from orders.approving import rules
from orders.buying import cart
from orders.models import Order, OrderLine, Purchase
from orders.paying import fees
from orders.paying import terms as payment_terms
from orders.states import FUND_SOURCES, METHODS, PAYMENT_TERMS, WINDOWS
from orders.units import admission, contractors

FARTHEST_DAYS = 60
MOST_LINES = 200


@dataclass(frozen=True)
class Wish:
    """What the buyer decides about a purchase, apart from the goods."""

    delivery_point_id: int
    delivery_day: date
    delivery_window: str
    fund_source: str = "canteen"
    method: str = "direct_online"
    budget_unit_id: int | None = None  # the credited unit; the buyer's own unless said
    note: str = ""
    expected_total_fen: int | None = None  # goods and freight that the buyer saw; another total is refused
    payment_terms: str = "as_set"  # or 'pay_first' where the buyer wants it; never less strict than what is set


@dataclass(frozen=True)
class Placed:
    """A purchase as it stands after placing it, now or by an earlier try with the same token.

    `total_fen` are the goods; what the purchase costs is `total_fen + freight_fen`.
    """

    id: int
    number: str
    approval: str
    total_fen: int
    order_numbers: tuple[str, ...]
    freight_fen: int = 0


class PricesChanged(Conflict):
    """Between looking and ordering a price has changed."""

    code = "prices_changed"
    text = N_("Prices have changed: the total is now ¥%(total)s. Please look again.")


class NotInSeason(MarketError):
    """The good is not harvested in the month of delivery."""

    status = 422
    code = "not_in_season"
    text = N_("%(name)s is not harvested in the month of delivery.")


class OutsideTerms(InvalidInput):
    """Co-operatives do not deliver like this; each one's refusals stand at 'supplier-<id>'."""

    code = "outside_terms"
    text = N_("Not every co-operative delivers like this: please look at the marked ones.")


def place(goods: Sequence[tuple[int, int]], wish: Wish, token: str, by: Visitor, *, source: str = "cart",
          approved_by: int | None = None, at_prices: Mapping[int, int] | None = None,
          substitutes: Collection[int] = ()) -> Placed:
    """Order goods, given as (product id, thousandths of its unit), for one delivery point, day and window.

    `source` is one of states.SOURCES; `approved_by` is the second person who said yes to it beforehand, as to the plan
    of a standing order; `at_prices` are prices (fen, by product id) that both sides agreed on for a replacement: they
    hold instead of today's, and of the terms neither minimum nor freight do; `substitutes` are goods (by id) instead of
    which others of their kind may be sent. The same token of the same person is answered with
    the first purchase. The freight follows from the terms of this moment; approval limit and expected total are
    compared with goods and freight together.
    Raises OutOfStock, NotThisQuantity, AboveCapacity, NotInSeason, OutsideTerms, PricesChanged, InvalidInput,
    NotFound; then nothing has been placed.
    """
    moment = clock.now()
    unit = _credited_unit(wish, by)
    products = cart.sellable([product_id for product_id, _milli in goods], wish.delivery_day)
    _check(goods, products, wish)
    by_supplier: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for product_id, milli in goods:
        line = _line(products[product_id], milli, (at_prices or {}).get(product_id))
        line["substitute_ok"] = product_id in substitutes
        by_supplier[line["supplier_id"]].append(line)
    lines = [line for group in by_supplier.values() for line in group]
    promised = _promised(by_supplier, wish, moment) if at_prices is None else dict.fromkeys(by_supplier, AGREED)
    total, freight = sum(line["amount_fen"] for line in lines), sum(row["freight_fen"] for row in promised.values())
    if wish.expected_total_fen is not None and wish.expected_total_fen != total + freight:
        raise PricesChanged(total=money.yuan(total + freight))
    asked = rules.needed(unit, wish.fund_source, lines, total + freight) if approved_by is None else ()
    waits = bool(asked)
    yes = "approved" if approved_by is not None else "waiting" if waits else "not_needed"
    purchase_id, number = _write_purchase(
        unit, wish, lines, {"ordered_by": by.id, "submit_token": token, "source": source, "approval": yes,
                            "by_contractor": "contractor" in by.roles, "approved_by": approved_by, "total_fen": total,
                            "freight_fen": freight}, moment)
    if purchase_id is None:
        return earlier(token, by)
    faults.point("purchase_written")
    rules.ask(purchase_id, asked, by)
    paid = (payment_terms.agreed(by_supplier) if at_prices is not None else payment_terms.at_placing(
        unit.id, by_supplier, clock.today(), wish.payment_terms, waits=waits))
    promised = {supplier_id: promise | paid[supplier_id] for supplier_id, promise in promised.items()}
    orders = _write_orders(purchase_id, unit, wish, by_supplier, products, promised, waits, moment)
    _write_lines(list(by_supplier.values()), [order["id"] for order in orders], wish)
    journal.record_many(
        [("purchase.placed", "purchase", purchase_id, {"total_fen": total, "freight_fen": freight,
                                                       "orders": len(orders)})]
        + [("order.placed", "order", order["id"], {"total_fen": order["placed_fen"],
                                                   "freight_fen": order["freight_fen"]}) for order in orders], by)
    outbox.enqueue("purchase.placed", {"purchase_id": purchase_id})
    faults.point("purchase_placed")
    return Placed(purchase_id, number, yes, total,
                  tuple(order["number"] for order in orders), freight)


def earlier(token: str, by: Visitor) -> Placed:
    """The purchase that this person placed with this token before."""
    row = db.session().execute(
        select(Purchase.id, Purchase.number, Purchase.approval, Purchase.total_fen, Purchase.freight_fen)
        .where(Purchase.ordered_by == by.id, Purchase.submit_token == token)
    ).one()
    order_numbers = db.session().scalars(select(Order.number).where(Order.purchase_id == row.id).order_by(Order.id))
    return Placed(row.id, row.number, row.approval, row.total_fen, tuple(order_numbers), row.freight_fen)


def content_hash(lines: Sequence[Mapping[str, Any]], purchase: Mapping[str, Any]) -> str:
    """What an approval binds: goods, quantities, prices, freight, place, day, unit and money; SHA-256.

    No freight is left out of it, so that the hash of a purchase from before there was freight is still the same.
    """
    content = {
        "lines": [[x["product_id"], x["ordered_milli"], x["price_fen"], x["amount_fen"]] for x in lines],
        **{name: str(purchase[name]) for name in (
            "unit_id", "fund_source", "method", "delivery_point_id", "delivery_day", "delivery_window", "total_fen")},
        **({"freight_fen": str(purchase["freight_fen"])} if purchase["freight_fen"] else {}),
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _credited_unit(wish: Wish, by: Visitor) -> Any:
    """The budget unit the purchase counts for: the buyer's own or one it supervises; and an open door of the buyer's.

    Raises NotFound, UnitNotAdmitted, TermOver, InvalidInput.
    """
    unit_id = wish.budget_unit_id or by.organisation_id
    row = db.session().execute(_CREDITED_UNIT, {
        "unit": unit_id, "buyer": by.organisation_id, "point": wish.delivery_point_id}).one_or_none()
    if row is None or by.organisation_id not in {row.id, row.parent_id}:
        raise NotFound()
    if row.status != "active" or row.buyer_status != "active":
        raise admission.refusal(row.id if row.status != "active" else by.organisation_id or 0)
    contractors.need_term(by)
    if row.point is None:
        raise InvalidInput({"delivery_point_id": [N_("Please choose one of your delivery points.")]})
    return row


_unit, _point = db.table(Organisation).c, db.table(DeliveryPoint).c
_buyer = db.table(Organisation).alias("buyer").c
_CREDITED_UNIT = (
    select(_unit.id, _unit.unit_type, _unit.approval_limit_fen, _unit.parent_id, _unit.status, _point.id.label("point"),
           select(_buyer.status).where(_buyer.id == bindparam("buyer")).scalar_subquery().label("buyer_status"))
    .outerjoin(db.table(DeliveryPoint), (_point.id == bindparam("point")) & _point.closed_at.is_(None)
               & ((_point.unit_id == _unit.id) | (_point.unit_id == bindparam("buyer"))))
    .where(_unit.id == bindparam("unit"), _unit.kind == "unit")
)


def _check(goods: Sequence[tuple[int, int]], products: Mapping[int, Any], wish: Wish) -> None:
    problems: dict[str, list[str | MarketError]] = {}
    if not goods or len(goods) > MOST_LINES:
        problems["lines"] = [N_("An order holds between 1 and 200 goods.")]
    if len({product_id for product_id, _ in goods}) != len(goods):
        problems["lines"] = [N_("A good is listed twice.")]
    today = clock.today()
    if not today < wish.delivery_day <= clock.days_after(today, FARTHEST_DAYS):
        problems["delivery_day"] = [N_("Delivery is possible from tomorrow on, up to 60 days ahead.")]
    for name, allowed in (("fund_source", FUND_SOURCES), ("method", METHODS), ("delivery_window", WINDOWS)):
        if getattr(wish, name) not in allowed:
            problems[name] = [N_("Please choose one of the list.")]
    if wish.payment_terms not in {"as_set", *PAYMENT_TERMS}:
        problems["payment_terms"] = [N_("Please choose one of the list.")]
    if problems:
        raise InvalidInput(problems)
    for product_id, milli in goods:
        product = products.get(product_id)
        if product is None:
            raise NotFound()
        cart.check_quantity(product, milli)
        if product.supply == "daily" and not in_season(product.harvest_months, wish.delivery_day.month):
            raise NotInSeason(name=product.name)


def in_season(months: str, month: int) -> bool:
    """Whether 'all' or '10,11,12' names a month."""
    return months == "all" or str(month) in months.split(",")


def _promised(by_supplier: Mapping[int, list[dict[str, Any]]], wish: Wish,
              moment: datetime) -> dict[int, dict[str, Any]]:
    """What each co-operative promises for this door, day and window, as its order keeps it; two statements.

    Raises OutsideTerms with everything that speaks against it, by co-operative.
    """
    stated = reading.at_point(wish.delivery_point_id, list(by_supplier))
    promised: dict[int, dict[str, Any]] = {}
    problems: dict[str, list[str | MarketError]] = {}
    for supplier_id, lines in by_supplier.items():
        goods_fen, terms = sum(line["amount_fen"] for line in lines), stated.of(supplier_id)
        against = reach.refusals(terms, moment, wish.delivery_day, wish.delivery_window, goods_fen)
        if against or terms is None:
            problems[at_supplier(supplier_id)] = list(against)
        else:
            promised[supplier_id] = _promise(terms, wish.delivery_day, goods_fen)
    if problems:
        raise OutsideTerms(problems)
    return promised


def at_supplier(supplier_id: int) -> str:
    """The field at which a co-operative's refusals stand."""
    return f"supplier-{supplier_id}"


AGREED: dict[str, Any] = {"terms_id": None, "terms_area": "", "minimum_fen": 0, "free_from_fen": None,
                             "freight_agreed_fen": 0, "freight_fen": 0, "cut_off_at": None}


def _promise(terms: Terms, day: date, goods_fen: int) -> dict[str, Any]:
    freight = reach.freight_fen(terms, goods_fen)
    return {"terms_id": terms.id, "terms_area": terms.area, "minimum_fen": terms.minimum_fen,
            "free_from_fen": terms.free_from_fen, "freight_agreed_fen": freight, "freight_fen": freight,
            "cut_off_at": reach.closes_at(terms, day) if terms.id is not None else None}


def _line(product: Any, milli: int, agreed_fen: int | None = None) -> dict[str, Any]:
    """The good as it is called and measured now, at its price of now or at the one agreed on."""
    price_fen = agreed_fen or product.price_fen
    amount = money.line_total(price_fen, milli)
    if amount > money.MAX_FEN:
        raise InvalidInput({"lines": [N_("This number is outside what is possible here.")]})
    return {
        "supplier_id": product.supplier_id, "product_id": product.id, "product_name": product.name,
        "product_name_en": product.name_en, "supply": product.supply, "unit": product.unit,
        "unit_en": product.unit_en, "grams_per_unit": product.grams_per_unit, "by_weight": product.by_weight,
        "category": product.category, "certified": product.certified, "price_fen": price_fen,
        "ordered_milli": milli, "amount_fen": amount, "capacity_milli": product.daily_capacity_milli,
        "season_id": product.season_id,
    }


def _write_purchase(unit: Any, wish: Wish, lines: list[dict[str, Any]],
                    decided: Mapping[str, Any], now: datetime) -> tuple[int | None, str]:
    """The purchase's row, with what is decided about it; no id where this person sent this token before."""
    row = {
        "number": numbers.new("C", clock.today()), "unit_id": unit.id,
        "fund_source": wish.fund_source, "method": wish.method, "delivery_point_id": wish.delivery_point_id,
        "delivery_day": wish.delivery_day, "delivery_window": wish.delivery_window, "note": wish.note,
        "approved_at": now if decided["approved_by"] is not None else None, "placed_at": now,
        "business_date": clock.business_date(now), **decided,
    }
    row["content_hash"] = content_hash(sorted(lines, key=lambda x: x["product_id"]), row)
    taken = db.session().execute(_insert_purchase(db.dialect()), row).scalar()
    return taken, str(row["number"])


@cache
def _insert_purchase(_dialect: str) -> Any:
    return db.insert_new(Purchase).returning(db.table(Purchase).c.id)


def _write_orders(purchase_id: int, unit: Any, wish: Wish, by_supplier: Mapping[int, list[dict[str, Any]]],
                  products: Mapping[int, Any], promised: Mapping[int, dict[str, Any]], waits: bool,
                  now: datetime) -> list[dict[str, Any]]:
    fee_points = fees.points_of(list(by_supplier), clock.business_date(now))
    rows: list[dict[str, Any]] = [
        {
            "number": numbers.new("S", clock.today()), "purchase_id": purchase_id, "unit_id": unit.id,
            "unit_type": unit.unit_type, "supplier_id": supplier_id,
            "supplier_name": products[lines[0]["product_id"]].supplier_name, "fund_source": wish.fund_source,
            "method": wish.method, "state": "waiting" if waits else "placed", "payment": "unpaid",
            "placed_fen": sum(line["amount_fen"] for line in lines), "accepted_fen": 0, "returned_fen": 0,
            "received_fen": 0, "refunded_fen": 0, "delivery_point_id": wish.delivery_point_id,
            "delivery_day": wish.delivery_day, "delivery_window": wish.delivery_window, "placed_at": now,
            "business_date": clock.business_date(now), "fee_points": fee_points[supplier_id],
            **promised[supplier_id],
        }
        for supplier_id, lines in by_supplier.items()
    ]
    ids = db.insert_returning_ids(Order, rows)
    return [{**row, "id": order_id} for row, order_id in zip(rows, ids, strict=True)]


def _write_lines(groups: Sequence[list[dict[str, Any]]], order_ids: Sequence[int], wish: Wish) -> None:
    rows = [{**line, "order_id": order_id} for lines, order_id in zip(groups, order_ids, strict=True) for line in lines]
    columns = set(db.table(OrderLine).c.keys())
    line_ids = db.insert_returning_ids(
        OrderLine, [{name: value for name, value in row.items() if name in columns} for row in rows])
    stock.hold([
        stock.Wanted(line_id, row["product_id"], row["product_name"], row["supply"], row["ordered_milli"],
                     row["capacity_milli"])
        for row, line_id in zip(rows, line_ids, strict=True)
    ], wish.delivery_day)
    seasons.count_placed(rows)
