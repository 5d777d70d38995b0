"""Random order histories: the report must equal a second, independent working-out of the same documents, to the fen.

HISTORIES sets how many per database (default 20); `HISTORIES=1000` makes two thousand over both.
"""

import csv
import io
import os
import random
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from html.parser import HTMLParser
from typing import Any

import openpyxl
import pytest
from flask import Flask
from sqlalchemy import select

from catalog import lot_write_offs, lots
from catalog.lot_parts import Contribution
from catalog.models import Lot, Product
from catalog.stock import OutOfStock
from market import audit, clock, db, ledger, ledger_frame, sealing
from market.access import Visitor
from market.households import Household
from market.ledger import LedgerAccount
from market.places import Division
from orders.buying import approval
from orders.delivering import returns
from orders.delivering.acceptance import Taken
from orders.income import checks, declarations, dues, households, presence
from orders.models import AcceptanceLine, AcceptancePart, Order, OrderLine, ShipmentLine
from orders.paying import refunds
from tests.replay import KINDS, MONEY, Account, Replay, half_up
from tests.trade import Trade
from tests.world import GREENS, POMELO, World

HISTORIES = int(os.environ.get("HISTORIES", "20"))
LOOKS = 4  # how often the report is looked at on the way
BEGIN = datetime(2026, 9, 28, 15, 30, tzinfo=UTC)  # close to midnight in Shanghai


@pytest.fixture(autouse=True)
def documents_are_asked(app: Flask) -> None:
    app.extensions.update(sijin_checks=checks.CHECKS, sijin_presence=presence.things_of)


class Trader:
    """Does something plausible, over and over; every choice comes from one seeded source."""

    def __init__(self, world: World, seed: int) -> None:
        self.world, self.trade, self.random = world, Trade(world), random.Random(seed)
        self.now = BEGIN
        self.orders: list[int] = []
        self.notebooks: list[tuple[int, list[tuple[int, int]], Visitor]] = []  # lots whose names are to follow
        with self.at():
            self.goods = [
                self.trade.product("白菜", price_fen=233, certified=True, step_milli=1, minimum_milli=1),
                self.trade.product("鸡蛋", price_fen=1999, unit="盒", grams_per_unit=1500, by_weight=False),
                self.trade.product("香柚", POMELO, price_fen=5803, unit="箱", grams_per_unit=10_000, by_weight=False,
                                   certified=True),
                self.trade.product("香芋", POMELO, price_fen=481, unit="斤", grams_per_unit=500, step_milli=1,
                                   minimum_milli=1),
            ]
            self.sauce = self.trade.product("芋泥", POMELO, price_fen=3607, unit="瓶", grams_per_unit=400,
                                            by_weight=False)

    @contextmanager
    def at(self) -> Iterator[None]:
        with clock.at(self.now):
            yield

    def passes(self, most_hours: int) -> None:
        self.now += timedelta(minutes=self.random.randrange(most_hours * 60))

    def chance(self, likely: float) -> bool:
        return self.random.random() < likely

    def history(self) -> None:
        """One order's life, and things that happen beside it; some are left open and taken up later."""
        self.passes(60)
        with self.at():
            self.beside()
            order = self.placed()
        if order is None:
            return
        self.orders.append(order)
        steps = [self.sent, self.taken, self.paid, self.sent_back, self.paid, self.given_back, self.handed_on]
        if self.chance(0.3):
            steps.insert(0, self.paid)
        for step in steps:
            self.passes(30)
            with self.at():
                step(order)
        if self.chance(0.3):
            with self.at():
                earlier = self.random.choice(self.orders)
                self.random.choice([self.paid, self.sent_back, self.given_back])(earlier)

    def beside(self) -> None:
        """Wages, rents, a new share for the collective, names from a notebook, what an officer clears."""
        if self.chance(0.25):
            coop = self.random.choice([GREENS, POMELO])
            household = self.random.choice(self.trade.members(coop, self.village_of(coop)))
            self.trade.wage(coop, household, self.random.randrange(1, 90_000), clock.period_of(clock.today()),
                            self.random.choice(["wage", "land", "dividend"]))
        if self.chance(0.08):
            coop = self.random.choice([GREENS, POMELO])
            self.trade.agree_collective(coop, self.village_of(coop), self.random.randrange(1000), clock.today())
        if self.notebooks and self.chance(0.3):
            self.named()
        if self.chance(0.1):
            self.spoiled()
        held = db.session().scalar(select(AcceptancePart).where(
            AcceptancePart.income_held, AcceptancePart.cleared_on.is_(None)).limit(1))
        if held is not None and self.chance(0.5):
            with db.transaction():
                declarations.clear(held.id, self.trade.officer_of(held.village_id))

    def village_of(self, coop: str) -> int:
        names = ("greens_home",) if coop == GREENS else ("pomelo_home", "pomelo_next")
        return self.world.villages[self.random.choice(names)]

    def booked(self, product: int) -> int:
        """A small lot: households, an own base, or both."""
        coop = POMELO if product in self.goods[2:] else GREENS
        home = "pomelo_home" if coop == POMELO else "greens_home"
        members = self.trade.members(coop, self.world.villages[home])
        givers: list[int | None] = list(self.random.sample(members, self.random.randrange(1, 5)))
        if coop == POMELO and self.chance(0.6):
            givers += self.random.sample(self.trade.members(coop, self.world.villages["pomelo_next"]), 3)
        if self.chance(0.3):
            givers = [*givers, None] if self.chance(0.6) else [None]
        facts = db.session().get_one(Product, product)
        milli = self.random.randrange(4, 16) * (1000 if not facts.by_weight else self.random.randrange(900, 1100))
        total = milli * facts.grams_per_unit // 1000
        milli = total * 1000 // facts.grams_per_unit
        cuts = sorted(self.random.sample(range(1, total), len(givers) - 1))
        grams = [b - a for a, b in zip([0, *cuts], [*cuts, total], strict=True)]
        per_kg = facts.price_fen * 1000 // facts.grams_per_unit
        price = self.random.randrange(per_kg // 5, per_kg if self.chance(0.85) else per_kg * 5 // 4)
        if set(givers) <= set(members) and self.chance(0.4):
            return self.from_notebook(product, [(h, g) for h, g in zip(givers, grams, strict=True) if h], milli, price)
        return self.trade.lot(product, grams=grams, households=givers, farm_gate_fen=price, milli=milli)

    def from_notebook(self, product: int, names: list[tuple[int, int]], milli: int, price: int) -> int:
        """A village's goods whose names follow from the notebook, later or never."""
        home = db.session().get_one(Household, names[0][0]).village_id
        clerk = self.trade.clerk_of(product)
        with db.transaction():
            lot = lots.book(product, clock.today(), milli, price,
                            [Contribution(sum(grams for _h, grams in names), None, home, unsplit=True)], clerk,
                            best_before=clock.days_after(clock.today(), 40))
        with db.transaction():
            lots.confirm(lot.id, self.trade.officer_of(home))
        self.notebooks.append((lot.id, names, clerk))
        return lot.id

    def named(self) -> None:
        """Somebody writes the names of one notebook's page."""
        lot, names, clerk = self.notebooks.pop(self.random.randrange(len(self.notebooks)))
        with db.transaction():
            lots.split(lot, [Contribution(grams, household) for household, grams in names], clerk)

    def spoiled(self) -> None:
        """A little of some lot is written off by two people."""
        lot = db.session().scalar(select(Lot).where(Lot.on_hand_milli > Lot.held_milli).limit(1))
        if lot is not None:
            milli = self.random.randrange(1, lot.on_hand_milli - lot.held_milli + 1)
            with db.transaction():
                row = lot_write_offs.propose(lot.id, milli, "spoiled", "", self.trade.clerk_of(lot.product_id))
            with db.transaction():
                lot_write_offs.confirm(row.id, self.trade.chair_of(lot.supplier_id))

    def made(self) -> None:
        """Taro mash out of two lots of taro."""
        lots = {self.booked(self.goods[3]): 0 for _ in range(2)}
        for lot in lots:
            lots[lot] = self.trade.stock_of(lot)[0] * self.random.randrange(3, 11) // 10
        self.trade.processed(self.sauce, self.random.randrange(6, 15) * 400, lots)

    def placed(self) -> int | None:
        """An order of one co-operative's goods, what is missing booked first."""
        goods = self.random.choice([self.goods[:2], [*self.goods[2:], self.sauce]])
        wanted = {}
        for product in self.random.sample(goods, self.random.randrange(1, len(goods) + 1)):
            by_weight = db.session().get_one(Product, product).by_weight
            wanted[product] = self.random.randrange(500, 7000) if by_weight else self.random.randrange(1, 12) * 500
            if product == self.sauce:
                if self.chance(0.7):
                    self.made()
            elif self.chance(0.8):
                self.booked(product)
        try:
            order = self.trade.orders(self.trade.place(wanted))[0].id
        except OutOfStock:
            return None
        if self.chance(0.05):
            with db.transaction():
                approval.cancel(order, "改菜单", self.world.person("cook.chen"))
        return order

    def state(self, order: int) -> Order:
        return db.session().get_one(Order, order, populate_existing=True)

    def sent(self, order: int) -> None:
        """What is held, or another lot of the same good where one holds enough."""
        if self.state(order).state != "placed":
            return
        packed: dict[int, list[tuple[int, int]]] = {}
        for line in self.trade.lines(order):
            lots = list(db.session().scalars(select(Lot).where(
                Lot.product_id == line.product_id, Lot.confirmed_at.is_not(None),
                Lot.best_before >= self.state(order).delivery_day,
                Lot.on_hand_milli - Lot.held_milli >= line.ordered_milli)))
            if lots and self.chance(0.5):
                first, second = self.random.choice(lots), self.random.choice(lots)
                some = self.random.randrange(1, line.ordered_milli) if first is not second else line.ordered_milli
                packed[line.id] = [(first.id, some), *([(second.id, line.ordered_milli - some)]
                                                       if some < line.ordered_milli else [])]
        self.trade.ship(order, packed if len(packed) == len(self.trade.lines(order)) else None)

    def taken(self, order: int) -> None:
        if self.state(order).state == "shipped":
            self.trade.accept(order, [replace(self.weighed(line), short_shipment_line_id=self.bears(line))
                                      for line in self.trade.lines(order)])

    def bears(self, line: OrderLine) -> int | None:
        """Now and then the receivers say which packed lot was short."""
        boxes = list(db.session().scalars(select(ShipmentLine.id).where(ShipmentLine.order_line_id == line.id)))
        return self.random.choice(boxes) if boxes and self.chance(0.3) else None

    def weighed(self, line: OrderLine) -> Taken:
        """In full, short, a little over, at a lower price, or refused."""
        outcome = self.random.choice(["full", "full", "short", "over", "cheap", "none"])
        price = line.price_fen * self.random.randrange(30, 100) // 100 if outcome == "cheap" else None
        share = {"short": self.random.randrange(1, 1000), "over": 1040, "none": 0}.get(outcome, 1000)
        milli = line.ordered_milli * share // 1000
        if line.by_weight:
            return Taken(line.id, grams=milli * line.grams_per_unit // 1000, price_fen=price, reason="不好")
        return Taken(line.id, milli=milli // 500 * 500, price_fen=price, reason="不好")

    def paid(self, order: int) -> None:
        row = self.state(order)
        if row.state in {"cancelled", "rejected", "waiting"} or self.chance(0.2):
            return
        owed = (row.accepted_fen - row.returned_fen if row.state == "accepted" else row.placed_fen) - row.received_fen
        fen = self.random.choice([owed, owed, owed // 2, owed + self.random.randrange(500)])
        if fen > 0:
            self.trade.pay(order, fen, confirmed=not self.chance(0.05))

    def sent_back(self, order: int) -> None:
        if self.state(order).state != "accepted" or self.chance(0.6):
            return
        lines = {line.order_line_id: line for line in db.session().scalars(
            select(AcceptanceLine).join(OrderLine, OrderLine.id == AcceptanceLine.order_line_id)
            .where(OrderLine.order_id == order))}
        back = {}
        for line_id, line in lines.items():
            left = line.accepted_milli - line.returned_milli
            if left and self.chance(0.6):
                back[line_id] = left if self.chance(0.3) else self.random.randrange(1, left + 1)
        if back:
            with db.transaction():
                returns.take_back(order, back, "发黄", self.world.person("store.wang"),
                                  self.trade.chair_of(self.state(order).supplier_id))

    def given_back(self, order: int) -> None:
        owed = refunds.owed_fen(self.state(order))
        if owed and self.chance(0.7):
            self.trade.refund(order, owed if self.chance(0.7) else self.random.randrange(1, owed + 1))

    def handed_on(self, order: int, whole: bool = False) -> None:
        supplier = self.state(order).supplier_id
        for village in self.world.villages.values():
            for kind in KINDS:
                left = sum(due.unpaid_fen for (_village, household, of_kind), due in
                           households.dues(supplier, [village]).items() if household and of_kind == kind
                           ) if kind != "collective" else dues.unpaid_fen(supplier, village, kind)
                if left > 0 and (whole or self.chance(0.3)):
                    self.trade.pay_out(supplier, village, kind,
                                       left if whole or self.chance(0.5) else self.random.randrange(1, left + 1))

    def settle(self) -> None:
        """Deliver, pay, refund, clear and hand on whatever is open."""
        with self.at():
            for order in self.orders:
                self.sent(order)
                self.taken(order)
                row = self.state(order)
                open_fen = row.accepted_fen - row.returned_fen - row.received_fen + row.refunded_fen
                if row.state == "accepted" and open_fen > 0:
                    self.trade.pay(order, open_fen)
                if refunds.owed_fen(self.state(order)):
                    self.trade.refund(order, refunds.owed_fen(self.state(order)))
            while self.notebooks:  # nobody can be paid who has no name
                self.named()
            for supplier in {self.state(order).supplier_id: order for order in self.orders}.values():
                self.handed_on(supplier, whole=True)


# ---- what the report must say ---------------------------------------------------------------------------------------


def expected(account: Account, first: str, last: str, people: dict[int, int]) -> dict[str, dict[str, Any]]:
    """The report's rows by village code, worked out from the replayed documents."""
    codes = village_codes()
    rows = {}
    for village in {v for v, month in account.months if first <= month <= last}:
        sums = summed(account, village, first, last)
        things = {kind: set().union(*(found for (v, month, k), found in account.things.items()
                                      if v == village and k == kind and first <= month <= last))
                  for kind in ("order", "product", "household")}
        heads = sum(people[household] for household in things["household"])
        bought, own = sums["accepted"] - sums["returned"], sum(sums[kind] for kind in KINDS[:4])
        income = own + sums["collective"]
        row = {
            "products": len(things["product"]), "orders": len(things["order"]), "accepted_grams": sums["grams"],
            "purchase_fen": bought, "certified_fen": sums["certified"], "returned_fen": sums["returned"],
            "received_fen": sums["received"], "unpaid_fen": bought - sums["received"], "income_fen": income,
            "income_ratio": half_up(Fraction(income * 10_000, bought)) if bought > 0 else None,
            "farmers_share": share_of(account, village, last), "households": len(things["household"]), "people": heads,
            "per_household_fen": half_up(Fraction(own, len(things["household"]))) if things["household"] else None,
            "per_head_fen": half_up(Fraction(own, heads)) if heads else None,
            **{f"{kind}_fen": sums[kind] for kind in KINDS},
            # nobody looks for anomalies here, so nothing is held
            "under_check_fen": 0, "under_check_orders": 0, "under_check_days": None, "left_out_fen": 0,
            "clear_purchase_fen": bought, "clear_income_fen": income,
        }
        if any(sums.values()) or any(things.values()):
            rows[codes[village]] = row
    return rows


def summed(account: Account, village: int, first: str, last: str) -> dict[str, int]:
    return {name: sum(amounts[name] for (v, month), amounts in account.months.items()
                      if v == village and first <= month <= last) for name in MONEY}


def share_of(account: Account, village: int, last: str) -> int | None:
    year, month = int(last[:4]), int(last[5:])
    first = f"{year}-01" if month == 12 else f"{year - 1}-{month + 1:02d}"
    bought = [a["accepted"] - a["returned"] for (v, m), a in account.months.items()
              if v == village and first <= m <= last]
    sums = summed(account, village, first, last)
    if sum(fen > 0 for fen in bought) < 3 or sum(bought) <= 0:
        return None
    return half_up(Fraction(sums["paid_out"] * 10_000, sum(bought)))


def village_codes() -> dict[int, str]:
    return dict(db.session().execute(select(Division.id, Division.code).where(Division.level == "village")).all())


# ---- what the report says -------------------------------------------------------------------------------------------


class Cells(HTMLParser):
    """The text of every cell of the first table in a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.cell: list[str] | None = None
        self.tables = 0
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tables += tag == "table"
        if self.tables == 1 and tag == "tr":
            self.rows.append([])
        if self.tables == 1 and tag in ("td", "th"):
            self.cell = []

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th") and self.cell is not None:
            self.rows[-1].append("".join(self.cell).strip())
            self.cell = None
        if tag == "table":
            self.tables += 1

    def handle_data(self, text: str) -> None:
        if self.cell is not None:
            self.cell.append(text)


def as_written(kind: str, value: Any) -> str:
    """A number as people read it, by arithmetic of our own."""
    if value is None:
        return ""
    if kind == "fen":
        return f"{'-' if value < 0 else ''}{abs(value) // 100}.{abs(value) % 100:02d}"
    if kind == "grams":
        return f"{value // 1000}.{value % 1000:03d}".rstrip("0").rstrip(".")
    if kind == "percent":
        return f"{'-' if value < 0 else ''}{half_up(Fraction(abs(value), 10)) / 10:.1f}%"
    return str(value)


def bare(text: str) -> str:
    """A number out of a page's cell: no signs of money, units or thousands."""
    text = text.replace("−", "-").replace(",", "").replace("\xa0", "").replace("¥", "").replace("公斤", "").strip()
    return text if re.fullmatch(r"-?[0-9.]+%?", text) else ""


def look(client: Any, right: dict[str, dict[str, Any]], first: str, last: str) -> None:
    """All five outputs, cell by cell, and totals that are the sums of the rows."""
    address = f"/reports/village-income{{}}?from={first}&to={last}"
    told = client.get(address.format(".json")).get_json()
    numbers = [c for c in told["columns"] if c["kind"] not in ("text", "code")]
    found = {row["code"]: {c["key"]: row[c["key"]] for c in numbers} for row in told["rows"]}
    assert found.keys() == right.keys()
    assert [(first, last, code, key, found[code][key], value) for code, row in right.items()
            for key, value in row.items() if found[code][key] != value] == []
    for column in numbers:
        if column["sums"]:
            assert told["totals"][column["key"]] == sum(row[column["key"]] for row in right.values())
    written = {code: [as_written(c["kind"], row[c["key"]]) for c in numbers] for code, row in right.items()}
    places = [at for at, c in enumerate(told["columns"]) if c["kind"] not in ("text", "code")]
    code_at = next(at for at, c in enumerate(told["columns"]) if c["key"] == "code")
    lines = list(csv.reader(io.StringIO(client.get(address.format(".csv")).data.decode("utf-8-sig"))))
    assert {row[code_at]: [bare(row[at]) for at in places] for row in lines[1:len(right) + 1]} == written
    for page in (client.get(address.format("")).text, client.get(address.format("") + "&format=print").text):
        rows = [row for row in Cells(page).rows if len(row) > code_at and row[code_at] in right]
        assert {row[code_at]: [bare(row[at]) for at in places] for row in rows} == written
    sheet = openpyxl.load_workbook(io.BytesIO(client.get(address.format(".xlsx")).data)).active
    for row in sheet.iter_rows(values_only=True):
        if row[code_at] in right:
            for column, at in zip(numbers, places, strict=True):
                value = right[row[code_at]][column["key"]]
                scale = {"fen": 100, "grams": 1000, "percent": 10_000}.get(column["kind"], 1)
                shown = None if value is None else float(Fraction(value, scale))
                assert (row[at] if isinstance(row[at], (int, float)) else None) == shown, column


@pytest.mark.timeout(3600)
def test_the_report_equals_a_second_working_out_of_the_documents(world: World, backend: str) -> None:
    trader = Trader(world, seed={"sqlite": 832, "postgresql": 833}[backend])
    for number in range(1, HISTORIES + 1):
        trader.history()
        if number % max(1, HISTORIES // LOOKS) == 0:
            with trader.at():
                compare(trader)
                if trader.chance(0.7):
                    sealing.seal(limit=trader.random.randrange(1, 400))
    trader.settle()
    with trader.at():
        compare(trader)
        sealing.seal_all()
        compare(trader)
    assert [p.message() for p in audit.check(heads_file=ledger_frame.heads_file())] == []
    accounts = db.session().scalars(select(LedgerAccount.name)).all()
    assert {name: fen for name in accounts if (fen := ledger.balance_fen(name))} == {}


def compare(trader: Trader) -> None:
    client = trader.world.logged_in("official.jin")
    account = Replay().run()
    people = dict(db.session().execute(select(Household.id, Household.people)).all())
    months = sorted({month for _village, month in account.months})
    if not months:
        return
    chosen = trader.random.choice(months)
    for first, last in {(months[0], months[-1]), (chosen, chosen), (chosen, months[-1])}:
        look(client, expected(account, first, last, people), first, last)
