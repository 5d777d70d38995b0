"""A world of honest orders with planted frauds, written straight into the real tables; the labels stand apart.

20,000 orders of one year by default: units that order by the week, seasons, prices that move, payers with names of
their own, sound refunds, short ways, crowded weeks before holidays. Among them frauds of eight kinds, five each. The
detector reads the tables alone; `Planted` tells which orders belong to which fraud.

`python -m tests.frauds --seeds 1-6` measures each seed in a database of its own.
"""

import argparse
import hashlib
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import insert, select, text

from catalog.capacity.models import SeasonCapacity, VillageCapacity
from catalog.models import Category, Lot, LotShare, Product
from catalog.review import outliers
from market import clock, db
from market.figures import EVERYWHERE
from market.files import StoredFile
from market.parties import DeliveryPoint, Membership, Organisation
from market.places import Division
from market.users import User
from orders.anomalies import looks
from orders.anomalies.found import Found
from orders.models import (
    Acceptance,
    AcceptanceLine,
    AcceptancePart,
    BankMapping,
    BankRow,
    BankStatement,
    ClaimPart,
    DeliveryRun,
    Order,
    OrderLine,
    PaymentClaim,
    Purchase,
    ReceiptShare,
    Refund,
    Shipment,
    ShipmentLine,
)
from tests import databases
from wsgi import create_app

FIRST, LAST = date(2025, 9, 1), date(2026, 8, 31)
TODAY = date(2026, 8, 31)
KINDS = ("splitting", "round_trip", "self_dealing", "payment_circle", "over_capacity", "price", "hasty_acceptance",
         "stuffing")
EACH = 5
GOODS = (  # name, category, fen a kilo, months of harvest
    ("白菜", "cabbages", 260, range(1, 13)), ("萝卜", "radishes", 220, (10, 11, 12, 1, 2, 3)),
    ("香芋", "taros", 620, (9, 10, 11, 12, 1)), ("辣椒", "peppers", 780, (5, 6, 7, 8, 9, 10)),
    ("鸡蛋", "eggs", 1_150, range(1, 13)), ("香柚", "pomelos", 640, (10, 11, 12, 1)),
    ("脐橙", "oranges", 700, (11, 12, 1, 2)), ("大米", "rice", 560, range(1, 13)),
    ("豆腐", "tofu", 480, range(1, 13)), ("黄豆", "beans", 720, (9, 10, 11, 12, 1, 2, 3)),
    ("猪肉", "pork", 2_600, range(1, 13)), ("香菇", "mushrooms", 1_900, (10, 11, 12, 1, 2, 3, 4)))
SURNAMES, GIVEN = "王李张刘陈杨黄周吴徐孙胡朱高林何郭马罗梁", "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超霞平刚桂英"


@dataclass
class Planted:
    """The labels: each fraud by its kind and the orders it is made of."""

    frauds: list[tuple[str, set[int]]] = field(default_factory=list)
    orders: int = 0

    @property
    def guilty(self) -> set[int]:
        return set().union(*(orders for _kind, orders in self.frauds))


@dataclass
class Measured:
    """What the detector found of it: missed frauds, honest orders touched, by kind of look."""

    found: int
    of: int
    missed: list[str]
    touched: int
    honest: int
    by_kind: dict[str, int]

    @property
    def share(self) -> float:
        return self.touched / self.honest


def measure(planted: Planted, found: Sequence[Found]) -> Measured:
    """A fraud is found where a case of its kind touches one of its orders; an honest order is alarmed at by any case.
    """
    touched = defaultdict(set)
    for one in found:
        touched[one.kind].update(one.order_ids)
    missed = [f"{kind} #{number // len(KINDS) + 1}" for number, (kind, orders) in enumerate(planted.frauds)
              if not touched[kind] & orders]
    honest = {kind: orders - planted.guilty for kind, orders in touched.items()}
    return Measured(len(planted.frauds) - len(missed), len(planted.frauds), missed,
                    len(set().union(*honest.values())), planted.orders - len(planted.guilty),
                    {kind: len(orders) for kind, orders in sorted(honest.items()) if orders})


def look() -> list[Found]:
    """The whole year, everywhere."""
    with clock.at(datetime(2026, 8, 31, 10, tzinfo=UTC)), db.snapshot():
        return looks.found(clock.period_of(FIRST), clock.period_of(LAST), EVERYWHERE)


class Year:
    """Builds rows in lists and writes them table by table; ids are given here."""

    def __init__(self, seed: int, orders: int) -> None:
        self.chance = Random(seed)
        self.wanted = orders
        self.rows: dict[Any, list[dict[str, Any]]] = defaultdict(list)
        self.next: dict[Any, int] = {}
        self.planted = Planted()
        self.lots: dict[tuple[int, str], tuple[int, int]] = {}

    def add(self, entity: Any, **values: Any) -> int:
        """A row to be written; its id."""
        if entity not in self.next:
            self.next[entity] = (db.session().scalar(select(db.table(entity).c.id).order_by(
                db.table(entity).c.id.desc()).limit(1)) or 0) + 1
        number = self.next[entity]
        self.next[entity] += 1
        self.rows[entity].append({"id": number, **values})
        return number

    def write(self) -> Planted:
        """Everything at once."""
        with clock.at(datetime(2026, 8, 31, 10, tzinfo=UTC)), db.transaction() as session:
            self._people()
            self._honest()
            for number in range(EACH):
                for kind in KINDS:
                    getattr(self, f"_plant_{kind}")(number)
            self._fill_lots()
            self._approve_seasons()
            by_table = {db.table(entity): rows for entity, rows in self.rows.items()}
            for table in db.Base.metadata.sorted_tables:  # what others point to comes first
                rows = by_table.get(table, [])
                for start in range(0, len(rows), 5_000):
                    session.execute(insert(table), rows[start:start + 5_000])
            self._bump(session)
            outliers.watch()
        self.planted.orders = len(self.rows[Order])
        return self.planted

    def _bump(self, session: Any) -> None:
        if db.dialect() == "postgresql":
            for entity in self.rows:
                name = db.table(entity).name
                session.execute(text(  # names of our own tables
                    f"SELECT setval(pg_get_serial_sequence('\"{name}\"', 'id'), (SELECT max(id) FROM \"{name}\"))"))

    # ---- who and what ----------------------------------------------------------------------------------------------

    def _name(self) -> str:
        return self.chance.choice(SURNAMES) + "".join(self.chance.sample(GIVEN, self.chance.choice((1, 2, 2))))

    def _person(self, organisation: int, role: str, name: str = "", mobile: str = "") -> int:
        number = self.add(User, login=f"planted{len(self.rows[User])}", name=name or self._name(),
                          mobile=mobile or f"137{len(self.rows[User]):08d}", email="", password_hash="-",
                          totp_last_step=0, failed_count=0, created_at=_at(FIRST))
        self.add(Membership, user_id=number, organisation_id=organisation, role=role)
        return number

    def _organisation(self, kind: str, name: str, **more: Any) -> int:
        number = len(self.rows[Organisation])
        values = {"unit_type": None, "supplier_type": None, "approval_limit_fen": None, "contact_name": self._name(),
                  "phone": f"0746-{5_000_000 + number * 7:07d}", "bank_account": f"6217{10**12 + number * 7919:015d}",
                  **more}
        return self.add(Organisation, kind=kind, name=name, short_name=name, about="", bank_name="农商行",
                        receiving_scheme="two_receivers", over_tolerance_points=500, status="active",
                        created_at=_at(FIRST), **values)

    def _people(self) -> None:
        session = db.session()
        self.villages = list(session.scalars(
            select(Division.id).where(Division.level == "village", Division.valid_to.is_(None))
            .order_by(Division.code).limit(60)))
        categories = {row.code: row.id for row in session.execute(select(Category.code, Category.id))}
        for code in dict.fromkeys(good[1] for good in GOODS):
            if code not in categories:
                categories[code] = self.add(Category, code=code, name_zh=code, name_en=code, parent_id=None, sort=50)
        size = max(24, self.wanted // 160)
        self.units: list[dict[str, Any]] = []
        for number in range(size):
            unit = {"big": self.chance.choice((1, 1, 2, 3, 6)), "type": self.chance.choice(
                ("school", "school", "agency", "hospital", "enterprise"))}
            unit["limit"] = 300_000 * unit["big"] if number % 3 else None
            unit["id"] = self._organisation(
                "unit", f"演示单位{number}号", unit_type=unit["type"], approval_limit_fen=unit["limit"],
                division_id=self.chance.choice(self.villages))
            unit["people"] = [self._person(unit["id"], role) for role in (
                "requester", "receiver", "receiver", "finance", "approver")]
            unit["point"] = self.add(DeliveryPoint, unit_id=unit["id"], name="食堂后门",
                                     address=f"演示县演示路{number * 3 + 1}号", contact="", phone="", window_note="")
            # some are paid for by the county's treasury centre, some are written short
            own = (f"演示单位{number}号",) * 6
            unit["payer"] = self.chance.choice((*own, "演示县国库集中支付中心", f"演示{number}"))
            self.units.append(unit)
        self.suppliers: list[dict[str, Any]] = []
        for number in range(max(12, size // 4)):
            supplier: dict[str, Any] = {"id": self._organisation(
                "supplier", f"演示合作社{number}号", supplier_type="cooperative",
                division_id=self.villages[number % len(self.villages)])}
            supplier["village"] = self.villages[number % len(self.villages)]
            supplier["name"] = f"演示合作社{number}号"
            supplier["account"] = self.rows[Organisation][-1]["bank_account"]
            supplier["people"] = [self._person(supplier["id"], role) for role in ("manager", "clerk")]
            supplier["goods"] = [self._good(supplier, GOODS[at % len(GOODS)], categories)
                                 for at in range(number, number + 6)]
            self.suppliers.append(supplier)
        for unit in self.units:
            unit["suppliers"] = self.chance.sample(self.suppliers, 6)
            unit["weights"] = [self.chance.uniform(0.8, 1.6) for _ in range(6)]

    def _good(self, supplier: dict[str, Any], good: Any, categories: dict[str, int], times: float = 0.0
              ) -> dict[str, Any]:
        name, category, fen, months = good
        price = int(fen * (times or self.chance.uniform(0.88, 1.15)))
        number = self.add(
            Product, supplier_id=supplier["id"], category_id=categories[category], village_id=supplier["village"],
            name=name, name_en="", aliases="", description="", description_en="", supply="stocked", unit="公斤",
            unit_en="kg", grams_per_unit=1_000, by_weight=True, minimum_milli=500, step_milli=500,
            harvest_months="all", price_fen=price, daily_capacity_milli=0, certified=False, picture="cabbage",
            state="listed", papers_until=date(9999, 12, 31), sold_milli=0, created_at=_at(FIRST))
        return {"id": number, "name": name, "category": f"{category}/{name}", "price": price, "months": set(months)}

    # ---- one order -------------------------------------------------------------------------------------------------

    def order(self, unit: dict[str, Any], supplier: dict[str, Any], day: date, lines: Sequence[tuple[Any, int]], *,
              minutes: float | None = None, accepted_on: date | None = None, paid: bool = True, payer: str = "",
              account: str = "", at: datetime | None = None, village: int | None = None) -> dict[str, Any]:
        """Placed, shipped two days later, accepted, mostly paid; lines are (good, kilos)."""
        chance, number = self.chance, len(self.rows[Order])
        fens = [good["price"] * kilos for good, kilos in lines]
        total = sum(fens)
        delivered = accepted_on or day + timedelta(days=chance.choice((1, 1, 2)))
        placed = _at(day, 9, chance.randrange(60))
        purchase = self.add(
            Purchase, number=f"PF{number:07d}", unit_id=unit["id"], ordered_by=unit["people"][0],
            submit_token=f"f{number}", source="cart", by_contractor=False, fund_source="canteen",
            method="direct_online", delivery_point_id=unit["point"], delivery_day=delivered,
            delivery_window="morning", note="", total_fen=total, freight_fen=0, approval="not_needed",
            content_hash="-", placed_at=placed, business_date=day)
        order = self.add(
            Order, number=f"OF{number:07d}", purchase_id=purchase, unit_id=unit["id"], unit_type=unit["type"],
            supplier_id=supplier["id"], supplier_name=supplier["name"], fund_source="canteen", method="direct_online",
            state="accepted", payment="paid" if paid else "unpaid", placed_fen=total, accepted_fen=total,
            returned_fen=0, received_fen=total if paid else 0, refunded_fen=0, delivery_point_id=unit["point"],
            delivery_day=delivered, delivery_window="morning", terms_area="", minimum_fen=0, freight_agreed_fen=0,
            freight_fen=0, payment_terms="goods_first", payment_days=30, pay_extended=False, fee_points=0,
            placed_at=placed, business_date=day)
        taken_at = at or _at(delivered, 6 + chance.randrange(4), chance.randrange(60), chance.randrange(60))
        # the way takes half an hour to three; now and then somebody notes the departure only on arriving
        way = minutes if minutes is not None else 1 if chance.random() < 0.001 else chance.uniform(25, 180)
        run = self.add(DeliveryRun, number=f"RF{number:07d}", unit_id=unit["id"], delivery_point_id=unit["point"],
                       day=delivered, delivery_window="morning", code=f"{number % 1_000_000:06d}",
                       token=hashlib.sha256(f"run {number}".encode()).hexdigest()[:43], state="handed_over",
                       opened_at=placed)
        shipment = self.add(Shipment, order_id=order, run_id=run, shipped_by=supplier["people"][1],
                            shipped_at=taken_at - timedelta(minutes=way), business_date=delivered, note="")
        receivers = unit["people"][1:3]
        acceptance = self.add(Acceptance, order_id=order, first_receiver=receivers[0], second_receiver=receivers[1],
                              scheme="two_receivers", accepted_at=taken_at, business_date=delivered, note="",
                              documents_seen=True, documents_note="")
        for (good, kilos), fen in zip(lines, fens, strict=True):
            line = self.add(
                OrderLine, order_id=order, product_id=good["id"], product_name=good["name"], product_name_en="",
                supply="stocked", unit="公斤", unit_en="kg", grams_per_unit=1_000, by_weight=True,
                category=good["category"], certified=False, price_fen=good["price"], ordered_milli=kilos * 1_000,
                amount_fen=fen, substitute_ok=False, substitute_name="", substitute_name_en="")
            taken = self.add(AcceptanceLine, acceptance_id=acceptance, order_line_id=line, outcome="accepted",
                             accepted_milli=kilos * 1_000, accepted_grams=kilos * 1_000, price_fen=good["price"],
                             amount_fen=fen, reason="", returned_milli=0)
            grown_in = village or supplier["village"]
            lot, share = self._lot(supplier, good, delivered, grown_in)
            packed = self.add(ShipmentLine, shipment_id=shipment, order_line_id=line, lot_id=lot,
                              packed_milli=kilos * 1_000, packed_grams=kilos * 1_000)
            self.add(AcceptancePart, acceptance_line_id=taken, shipment_line_id=packed, lot_id=lot, lot_share_id=share,
                     village_id=grown_in, grams=kilos * 1_000, amount_fen=fen, farm_gate_fen=fen * 6 // 10,
                     collective_fen=0, weigh_paid_fen=0, income_held=False, returned_grams=0, returned_fen=0,
                     withdrawn_farm_gate_fen=0, withdrawn_collective_fen=0, received_fen=0)
        told = {"id": order, "number": f"OF{number:07d}", "fen": total, "unit": unit, "supplier": supplier,
                "accepted": delivered, "row": self.rows[Order][-1]}
        if paid:
            told["paid_on"] = self.pay(told, payer or unit["payer"], account)
        return told

    def _lot(self, supplier: dict[str, Any], good: dict[str, Any], day: date, village: int) -> tuple[int, int]:
        key = (good["id"], f"{clock.period_of(day)}/{village}")
        if key not in self.lots:
            number = len(self.rows[Lot])
            lot = self.add(Lot, code=f"LF{number:06d}", supplier_id=supplier["id"], product_id=good["id"],
                           kind="harvest", harvested_on=day.replace(day=1), best_before=day + timedelta(days=60),
                           total_milli=1, total_grams=1, on_hand_milli=0, held_milli=0, farm_gate_fen_per_kg=100,
                           booked_at=_at(day))
            share = self.add(LotShare, lot_id=lot, origin_lot_id=lot, village_id=village, own_base=False, grams=1,
                             input_grams=1, farm_gate_fen_per_kg=100, accepted_grams=0)
            self.lots[key] = lot, share
        return self.lots[key]

    def pay(self, order: dict[str, Any], payer: str, account: str = "", day: date | None = None) -> date:
        """A claim for the order, received, sometimes found in the bank's statement; the day."""
        day = day or min(TODAY, order["accepted"] + timedelta(days=self.chance.randrange(3, 30)))
        unit, supplier = order["unit"], order["supplier"]
        claim = self.add(
            PaymentClaim, number=f"CF{len(self.rows[PaymentClaim]):07d}", unit_id=unit["id"],
            supplier_id=supplier["id"], payer_name=payer, paid_on=day, amount_fen=order["fen"], state="received",
            origin="unit", claimed_by=unit["people"][3], claimed_at=_at(day, 10), business_date=day, reason="")
        part = self.add(ClaimPart, claim_id=claim, order_id=order["id"], amount_fen=order["fen"])
        self.add(ReceiptShare, order_id=order["id"], claim_part_id=part, amount_fen=order["fen"], business_date=day)
        if account:
            self._bank_row(order, claim, payer, account, day)
        return day

    def _bank_row(self, order: dict[str, Any], claim: int, payer: str, account: str, day: date) -> None:
        number = len(self.rows[BankRow])
        self.add(BankRow, supplier_id=order["supplier"]["id"], statement_id=self._statement(order["supplier"]), line=2,
                 checksum=hashlib.sha256(f"row {number}".encode()).hexdigest(), paid_on=day, amount_fen=order["fen"],
                 payer_name=payer, payer_account=account, remark=order["number"], serial=str(number), state="matched",
                 claim_id=claim, reason="")

    def _statement(self, supplier: dict[str, Any]) -> int:
        if "statement" not in supplier:
            number = len(self.rows[BankStatement])
            mark = hashlib.sha256(f"statement {number}".encode()).hexdigest()
            file = self.add(StoredFile, name=f"{mark[:32]}.pdf", original_name="流水.csv",
                            content_type="application/pdf", size_bytes=1, sha256=mark, visibility="own",
                            uploaded_at=_at(FIRST))
            mapping = self.add(BankMapping, supplier_id=supplier["id"], headings_hash=mark, bank_name="农商行",
                               columns={}, changed_by=supplier["people"][0], changed_at=_at(FIRST))
            supplier["statement"] = self.add(
                BankStatement, supplier_id=supplier["id"], sha256=mark, file_id=file, mapping_id=mapping, rows=1,
                new_rows=1, out_rows=0, uploaded_by=supplier["people"][0], uploaded_at=_at(FIRST))
        return int(supplier["statement"])

    def refund(self, order: dict[str, Any], fen: int, day: date) -> None:
        """Money given back by bank."""
        self.add(Refund, number=f"FF{len(self.rows[Refund]):07d}", order_id=order["id"], amount_fen=fen, way="bank",
                 state="done", reason="", answer="", paid_on=day, made_by=order["supplier"]["people"][1],
                 made_at=_at(day), confirmed_by=order["supplier"]["people"][0], confirmed_at=_at(day, 12),
                 business_date=day)
        order["row"]["refunded_fen"] += fen

    # ---- an honest year --------------------------------------------------------------------------------------------

    def _honest(self) -> None:
        days = [FIRST + timedelta(days=n) for n in range((LAST - FIRST).days - 3)]
        while len(self.rows[Order]) < self.wanted:
            unit, day = self.chance.choice(self.units), self.chance.choice(days)
            busy = 0.15 if unit["type"] == "school" and day.month in (2, 7, 8) else 1.3 if day.month in (
                9, 1) else 1.0  # holidays; before the new year and at the beginning of term more
            if day.weekday() >= 5 or self.chance.random() > busy / 1.3:
                continue
            supplier = self.chance.choices(unit["suppliers"], unit["weights"])[0]
            in_season = [good for good in supplier["goods"] if day.month in good["months"]]
            lines = [(good, max(2, int(self.chance.lognormvariate(2.6, 0.5) * unit["big"])))
                     for good in self.chance.sample(in_season, min(len(in_season), self.chance.choice((1, 2, 3))))]
            # a farmer's market, a parents' committee, a colleague pays now and then
            payer = self._name() if self.chance.random() < 0.01 else ""
            order = self.order(unit, supplier, day, lines, paid=self.chance.random() < 0.93, payer=payer)
            luck = self.chance.random()
            if order.get("paid_on") and luck < 0.02:  # a tenth given back for bad goods; rarely nearly all
                part = self.chance.uniform(0.55, 0.9) if luck < 0.0008 else self.chance.uniform(0.03, 0.3)
                self.refund(order, max(1, int(order["fen"] * part)),
                            min(TODAY, order["paid_on"] + timedelta(days=self.chance.randrange(2, 25))))

    def _fill_lots(self) -> None:
        """Lots are as heavy as what was taken of them."""
        grams: dict[int, int] = defaultdict(int)
        for part in self.rows[AcceptancePart]:
            grams[part["lot_id"]] += part["grams"]
        for lot in self.rows[Lot]:
            lot["total_milli"] = lot["total_grams"] = grams[lot["id"]]
        for share in self.rows[LotShare]:
            share["grams"] = share["input_grams"] = share["accepted_grams"] = grams[share["lot_id"]]

    def _approve_seasons(self) -> None:
        """Half of the goods have a season with a capacity that their honest sales keep to, some closely."""
        sold: dict[tuple[int, int], int] = defaultdict(int)
        lots = {lot["id"]: lot for lot in self.rows[Lot]}
        for part in self.rows[AcceptancePart]:
            sold[lots[part["lot_id"]]["product_id"], part["village_id"]] += part["grams"]
        have = {row["product_id"] for row in self.rows[SeasonCapacity]}
        for (product, village), grams in sorted(sold.items()):
            if product not in have and product % 2:
                have.add(product)
                approved = int(grams * self.chance.choice((1.0, 1.02, 1.2, 1.6, 2.0)))
                season = self.add(SeasonCapacity, product_id=product, name="2025-2026", first_day=FIRST, last_day=LAST,
                                  approved_grams=approved, ceiling_grams=approved, sold_grams=grams)
                self.add(VillageCapacity, season_id=season, village_id=village, approved_grams=approved,
                         ceiling_grams=approved, booked_grams=grams)

    # ---- frauds ----------------------------------------------------------------------------------------------------

    def _day(self) -> date:
        day = FIRST + timedelta(days=self.chance.randrange(20, 320))
        return day.replace(day=min(day.day, 20))

    def _pair(self) -> tuple[dict[str, Any], dict[str, Any]]:
        unit = self.chance.choice(self.units)
        return unit, self.chance.choice(unit["suppliers"])

    def _lines(self, supplier: dict[str, Any], fen: int) -> list[tuple[Any, int]]:
        good = self.chance.choice(supplier["goods"])
        return [(good, max(1, fen // good["price"]))]

    def _label(self, kind: str, orders: Sequence[dict[str, Any]]) -> None:
        self.planted.frauds.append((kind, {order["id"] for order in orders}))

    def _plant_splitting(self, _number: int) -> None:
        """Two to four purchases of one good within a week, each under the unit's limit, together above it."""
        unit = self.chance.choice([unit for unit in self.units if unit["limit"]])
        supplier, day, count = self.chance.choice(unit["suppliers"]), self._day(), self.chance.choice((2, 3, 4))
        good = self.chance.choice(supplier["goods"])
        each = int(unit["limit"] * self.chance.uniform(1.08, 1.6) / count)
        kilos = min(-(-each // good["price"]) + 1, unit["limit"] // good["price"])
        self._label("splitting", [self.order(unit, supplier, day + timedelta(days=at), [(good, kilos)])
                                  for at in range(count)])

    def _plant_round_trip(self, _number: int) -> None:
        """Paid, and within days most of it given back, in one to three orders; once a bit more than half."""
        unit, supplier = self._pair()
        orders = []
        for at in range(self.chance.choice((1, 2, 3))):
            order = self.order(unit, supplier, self._day() + timedelta(days=at), self._lines(supplier, 200_000))
            parts = self.chance.choice((1, 2))
            back = int(order["fen"] * self.chance.uniform(0.52, 0.98))
            for part in range(parts):
                self.refund(order, back // parts + 1, min(TODAY, order["paid_on"] + timedelta(
                    days=self.chance.randrange(1, 12) + part * 9)))
            orders.append(order)
        self._label("round_trip", orders)

    def _plant_self_dealing(self, number: int) -> None:
        """A unit and a co-operative of its own: the same phone, account, address, person, or name and phone."""
        at = len(self.units)
        supplier = dict(self.chance.choice(self.suppliers))
        host = next(row for row in self.rows[Organisation] if row["id"] == supplier["id"])
        more: dict[str, Any] = {"division_id": supplier["village"], "unit_type": "enterprise"}
        if number == 0:
            more["phone"] = host["phone"].replace("-", " ")
        elif number == 1:
            more["bank_account"] = " ".join(host["bank_account"][at:at + 4] for at in range(0, 19, 4))
        unit: dict[str, Any] = {"type": "enterprise", "big": 2, "limit": None, "payer": f"自办企业{at}号",
                                "id": self._organisation("unit", f"自办企业{at}号", **more)}
        unit["people"] = [self._person(unit["id"], role) for role in (
            "requester", "receiver", "receiver", "finance", "approver")]
        point: dict[str, Any] = {"address": f"自办路{at}号", "contact": "", "phone": ""}
        if number == 2:
            unit["people"][0] = supplier["people"][0]
            self.add(Membership, user_id=supplier["people"][0], organisation_id=unit["id"], role="requester")
        elif number == 3:  # the co-operative's clerk, by name and phone, stands at the unit's door
            clerk = next(row for row in self.rows[User] if row["id"] == supplier["people"][1])
            point |= {"contact": clerk["name"], "phone": clerk["mobile"]}
        elif number == 4:  # the unit's own cashier has the phone that the co-operative gives as its own
            cashier = next(row for row in self.rows[User] if row["id"] == unit["people"][3])
            host["phone"] = cashier["mobile"]
        unit["point"] = self.add(DeliveryPoint, unit_id=unit["id"], name="后门", window_note="", **point)
        self._label("self_dealing", [self.order(unit, supplier, self._day(), self._lines(supplier, 90_000))
                                     for _ in range(self.chance.choice((2, 4, 6)))])

    def _plant_payment_circle(self, number: int) -> None:
        """A co-operative gives a unit money back, the unit pays a second one, which pays for the unit at the first."""
        unit, first = self._pair()
        second = self.chance.choice([one for one in self.suppliers if one["id"] != first["id"]])
        day, fen = self._day(), self.chance.randrange(150_000, 400_000)
        one = self.order(unit, first, day, self._lines(first, fen), paid=False)
        two = self.order(unit, second, day + timedelta(days=3), self._lines(second, fen), paid=False)
        by_account = number % 2 == 0  # told by the name, or by the account alone
        self.pay(one, "某商贸部" if by_account else second["name"], second["account"] if by_account else "",
                 day + timedelta(days=6))
        one["row"].update(received_fen=one["fen"], payment="paid")
        self.pay(two, unit["payer"] if "国库" not in unit["payer"] else self._unit_name(unit), day=day + timedelta(
            days=self.chance.randrange(15, 50)))
        two["row"].update(received_fen=two["fen"], payment="paid")
        # less than half in one refund is no round trip by itself: the circle has to be seen
        orders = [one, two]
        if number % 3:
            other = self.order(unit, first, day + timedelta(days=2), self._lines(first, fen * 5), paid=True)
            self.refund(other, fen, other["paid_on"] + timedelta(days=2))
            orders.append(other)
        else:
            self.refund(one, int(one["fen"] * 0.8), day + timedelta(days=self.chance.randrange(45, 60)))
        self._label("payment_circle", orders)

    def _unit_name(self, unit: dict[str, Any]) -> str:
        return next(str(row["name"]) for row in self.rows[Organisation] if row["id"] == unit["id"])

    def _plant_over_capacity(self, number: int) -> None:
        """More of a good than its season or its village can bring: bought elsewhere and sold as the village's own."""
        supplier = self.chance.choice(self.suppliers)
        good = self._good(supplier, (f"特产{number}", "cabbages", 300, range(1, 13)), {
            "cabbages": self.rows[Product][0]["category_id"]}, 1.0)
        orders = [self.order(self.chance.choice(self.units), supplier, FIRST + timedelta(days=30 * at + 10),
                             [(good, self.chance.randrange(80, 120))]) for at in range(8)]
        sold = sum(order["fen"] for order in orders) // good["price"] * 1_000
        approved = int(sold / self.chance.uniform(1.12, 1.5))
        season_wide = number % 2 == 0
        limit = approved if season_wide else sold * 2
        season = self.add(SeasonCapacity, product_id=good["id"], name="2025-2026", first_day=FIRST, last_day=LAST,
                          approved_grams=limit, ceiling_grams=max(sold, limit), sold_grams=sold)
        self.add(VillageCapacity, season_id=season, village_id=supplier["village"], approved_grams=approved,
                 ceiling_grams=max(approved, sold), booked_grams=approved)
        total, beyond = 0, []
        for order in orders:
            total += order["fen"] // good["price"] * 1_000
            if total > approved:
                beyond.append(order)
        self._label("over_capacity", beyond)

    def _plant_price(self, _number: int) -> None:
        """Goods at 1.7 to 3 times the price of the like, bought by a friendly unit in the month of the watch."""
        unit, supplier = self._pair()
        like = self.chance.choice([row for row in self.rows[Product] if row["price_fen"] < 1_000])
        same = sorted(row["price_fen"] for row in self.rows[Product] if row["category_id"] == like["category_id"])
        price = int(same[len(same) // 2] * self.chance.uniform(1.7, 3.0))
        codes = {row["id"]: row["code"] for row in self.rows[Category]}
        code = codes.get(like["category_id"], "cabbages")
        good = self._good(supplier, (like["name"], code, price, range(1, 13)), {code: like["category_id"]}, 1.0)
        self._label("price", [self.order(unit, supplier, TODAY - timedelta(days=self.chance.randrange(5, 28)),
                                         [(good, self.chance.randrange(20, 60))]) for _ in range(3)])

    def _plant_hasty_acceptance(self, number: int) -> None:
        """Taken a minute or four after leaving; or a whole pile of notes signed in one minute."""
        unit, supplier = self._pair()
        day = self._day()
        if number % 2:
            moment = _at(day, 16, 20)
            orders = [self.order(unit, one, day - timedelta(days=1 + at), self._lines(one, 30_000),
                                 at=moment + timedelta(seconds=9 * at), accepted_on=day)
                      for at, one in enumerate(unit["suppliers"][:5])]
        else:
            orders = [self.order(unit, supplier, day + timedelta(days=at), self._lines(supplier, 60_000),
                                 minutes=self.chance.uniform(0.3, 4.5)) for at in range(self.chance.choice((1, 3)))]
        self._label("hasty_acceptance", orders)

    def _plant_stuffing(self, _number: int) -> None:
        """Eight to twelve orders accepted on the last days of a month, to fill a share that was filed."""
        unit = self.chance.choice(self.units)
        month = clock.period_of(self._day())
        last = clock.last_day(month)
        some = self.chance.choices(unit["suppliers"], k=self.chance.randrange(8, 13))
        self._label("stuffing", [
            self.order(unit, one, last - timedelta(days=4), self._lines(one, 120_000 * unit["big"]),
                       accepted_on=last - timedelta(days=self.chance.randrange(3))) for one in some])


def _at(day: date, hour: int = 8, minute: int = 0, second: int = 0) -> datetime:
    return clock.shanghai(day, hour, minute) + timedelta(seconds=second)


# ---- by hand --------------------------------------------------------------------------------------------------------


def seeds_of(text: str) -> Iterator[int]:
    """'1-3,6' as 1, 2, 3, 6."""
    for part in text.split(","):
        first, _dash, last = part.partition("-")
        yield from range(int(first), int(last or first) + 1)


def main() -> None:
    """Measure seeds, each in a copy of an empty database."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--seeds", default="1-6")
    asked.add_argument("--orders", type=int, default=20_000)
    given = asked.parse_args()
    with databases.templates(postgres=False) as known:
        template = Path(known["SIJIN_TEST_FOLDER"]) / "template.db"
        sys.stdout.write("seed  found  false alarms        written  looked  missed\n")
        for seed in seeds_of(given.seeds):
            with tempfile.TemporaryDirectory() as folder:
                url = databases.fresh_sqlite(template, Path(folder) / "sijin.db")
                app = create_app(databases.settings(url, Path(folder)))
                with app.app_context():
                    begun = time.perf_counter()
                    planted = Year(seed, given.orders).write()
                    written = time.perf_counter()
                    told = measure(planted, look())
                    looked = time.perf_counter()
                    db.db.engine.dispose()
            sys.stdout.write(
                f"{seed:4}  {told.found:2}/{told.of}  {told.touched:4}/{told.honest} {told.share:6.2%}  "
                f"{written - begun:6.1f} s  {looked - written:5.1f} s  {', '.join(told.missed) or '-'}"
                f"   {told.by_kind}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
