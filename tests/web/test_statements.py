"""Every page that lists things asks the database as often for 100 rows as for 10.

The pages come from the url map: each GET address without parameters, visited by somebody its rule allows. What lists
things under an address with a parameter, or only with a query, is named in MORE.
"""

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from catalog import lots
from catalog.capacity import asking as capacity
from catalog.entry import admission, contents
from catalog.entry.models import Application
from catalog.importing import runs
from catalog.importing.models import SheetImport
from catalog.importing.table import KINDS
from catalog.lot_models import LotMaking, LotWriteOff
from catalog.lot_parts import Contribution
from catalog.members import surplus
from catalog.models import Category, Lot, Product
from catalog.papers.models import Paper
from catalog.review import listing
from catalog.review.checks import Incoming, Voucher
from catalog.review.models import ListingReview, PriceOutlier, ReferencePrice
from catalog.terms import stating
from catalog.terms.models import DeliveryBreak, DeliveryTerms
from catalog.tracing import recall
from catalog.tracing.models import RecallLot
from market import access, clock, db, message_rows, sealing, settings
from market.households import CoopMember, Household
from market.places import Division
from orders import seasons
from orders.banking import columns as bank_columns
from orders.banking import table as bank_table
from orders.banking import taking
from orders.income import wages
from orders.models import (
    AfterSale,
    BankRow,
    BankStatement,
    CardPayment,
    CreditChange,
    Order,
    OrderLine,
    PaymentClaim,
    Payout,
    Refund,
)
from orders.ordering import weekly
from orders.paying import tasks
from orders.payouts.models import HouseholdAccount, PayoutRun, PayoutRunLine
from orders.phone import calls, links
from orders.phone.calls import Said
from orders.phone.models import PhoneOrder
from orders.reconciling import night
from orders.reconciling.models import ReconciledPart
from orders.standing.models import StandingPlan
from orders.units import doors, handover, people, sheet, tree
from tests import province_forms
from tests.bank_tables import csv_of, line
from tests.bulletin_rows import archived, noticed
from tests.counting import count_statements
from tests.entries import newcomer
from tests.evidence_rows import drawn
from tests.export_rows import exported, published
from tests.goods import fill_shelf, list_goods, shelves, values
from tests.standing_plans import a_plan
from tests.terms import USUAL, state
from tests.trade import Trade
from tests.world import GREENS, HOSPITAL, NOON, PEOPLE, SCHOOL, TODAY, World, keep_paper

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]  # builds a hundred of everything
LAST_YEAR = TODAY - timedelta(days=365)  # a day whose lots all have their names
# one page, whatever there is: alive, counters, papers about the API, forms of one's own
NO_LIST = {"site.healthz", "site.readyz", "site.metrics", "site.patterns", "account.login", "account.second_factor",
           "account.bind_phone", "account.use_reset_code", "unit_door.register"}
MORE = ("/village/weigh-in?product=1", "/village/weigh-in?product=1&way=notebook", "/office/capacity?tab=all",
        "/office/capacity?tab=none", "/village/capacity?tab=near", "/orders?tab=to_ship", "/goods?category=vegetables",
        "/search?q=白菜", "/village/orders?tab=to_pay", "/village/refunds?tab=asked",
        "/village/account?by=month", "/village/account?by=statement", "/village/bank?state=all",
        "/village/bank/rows.csv?state=all", "/office/linkages?state=all", "/village/declarations/new?kind=collective",
        "/reports/helped-households?from=2026-10&to=2026-10",
        "/office/listings?tab=decided", "/office/anomalies?show=undecided&kind=round_trip",
        "/reports/anomalies?from=2026-10&to=2026-10", "/office/prices?show=above", "/office/price-outliers?state=open",
        "/village/products?state=waiting", "/village/payout-runs/new?kind=wage", "/office/payout-runs?tab=all",
        "/village/household-accounts?tab=waiting", "/reports/income-unpaid?from=2026-10&to=2026-10",
        "/village/lots?state=waiting", "/village/write-offs?state=waiting", "/office/applications?tab=all",
        "/office/suppliers?status=active", "/village/papers?tab=former", "/office/papers?tab=soon",
        "/reports/village-income?from=2026-10&to=2026-10&every=1",
        "/reports/village-income?from=2026-10&to=2026-10&unit_type=school&compare=ytd,yoy", "/reports?q=a",
        "/reports/village-income?from=2026-10&to=2026-10&format=print",
        "/reports/village-income/lines?figure=orders&village=431128001200&from=2026-10&to=2026-10",
        "/office/households?place=431128001200", "/office/household-classes?tab=set",
        "/reports/household-income?from=2026-10&to=2026-10",
        *(f"/reports/{name}?from=2026-10&to=2026-10" for name in (
            "by-place-and-method", "purchase-detail", "supplier-ledger", "price-monitor")),
        "/reports/by-place-and-method/lines?from=2026-10&to=2026-10&row=school&figure=all-fen",
        "/reports/by-place-and-method/lines?from=2026-10&to=2026-10&row=school&figure=all-villages",
        *(f"/reports/{name}?from=2026-10&to=2026-10" for name in (
            "purchase-inspections", "delivery-notes", "complaints", "certified-products", "school-supply",
            "co-op-return")),
        "/bulletins/1", "/bulletins/2", "/reports/county-notice?from=2026-10&to=2026-10",
        "/reports/county-notice/lines?from=2026-10&to=2026-10&row=431128000000&figure=proven",
        "/office/dashboard?period=2026-10&county=431128000000",
        "/reports/recalls?from=2026-10&to=2026-10", "/reconciliation/tasks?kind=foreign_charge",
        "/reports/village-income/lines?figure=accepted_grams&village=431128001200&from=2026-10&to=2026-10")


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    with clock.at(NOON):
        yield


class Crowd:
    """So many of everything: goods, lots that wait, orders to ship, on the way and accepted, transfers claimed."""

    def __init__(self, world: World) -> None:
        self.world, self.trade = world, Trade(world)
        shelves()
        with db.transaction() as session:
            session.add(Category(code="tofu", name_zh="豆制品", name_en="Tofu", sort=90))
        self.product = self.trade.product("白菜")
        self.trade.lot(self.product, 9_000)
        self.trade.lot(self.product, 1, harvested_on=LAST_YEAR)
        self.made = 0
        state(world)
        noticed(world)

    def grow(self, size: int) -> None:
        fill_shelf(self.world, size - self.made)
        for number in range(self.made, size):
            self.send_table(number)
            self.apply(number)
        for number in range(self.made, size):
            self.trade.lot(self.product, 1, confirmed=False)
            self.declare(TODAY + timedelta(days=100 + number))
            self.recall_one()
            self.lives()
            self.pause(number)
            self.order_ahead()
            self.keep_list(number)
            list_goods(self.world, category="tofu", name="豆腐")  # its papers are missing
            with db.transaction():
                keep_paper(self.world.organisation_id(GREENS), "licence", TODAY + timedelta(days=60))
            for steps in range(3):
                order = self.trade.orders(self.trade.place({self.product: 1_000}))[0].id
                if steps:
                    self.trade.ship(order)
                if steps == 2:
                    self.trade.accept(order)
                    self.trade.pay(order, 200, confirmed=False)
                    self.complain(order)
        self.list_and_note(range(self.made, size))
        self.reconcile(range(self.made, size))
        self.send_bank_statements(range(self.made, size))
        self.hand_on(range(self.made, size))
        self.pay_by_card(range(self.made, size))
        self.people_units(range(self.made, size))
        for number in range(self.made, size):
            drawn(self.world, "township.yan", number + 1)
            exported(self.world, "cook.chen")
            province_forms.kept(self.world, "official.jin", name=f"月报{number}")
            archived(self.world, number)
            published(f"{2016 + number // 12}-{number % 12 + 1:02d}")
        self.made = size
        sealing.seal_all()  # the worker does so every few seconds


    def reconcile(self, numbers: range) -> None:
        """Nights of the co-operative, each with a difference."""
        supplier = self.world.organisation_id(GREENS)
        for number in numbers:
            with db.transaction() as session:
                run_id = night.begin("card", f"night {number}") or 0
                session.add(ReconciledPart(run_id=run_id, supplier_id=supplier, account_id="acct", since=clock.now(),
                                           until=clock.now()))
                tasks.find("foreign_charge", f"ch_{number}", supplier)

    def send_bank_statements(self, numbers: range) -> None:
        """Uploads of one payment each, that nobody could place; suggestions of all kinds."""
        by = self.world.person("chair.shi")
        for number in numbers:
            content = csv_of(line(f"{number + 2}.00", "伙食费", serial=f"{number}"))
            opened = bank_table.open_table(content)
            chosen = bank_columns.guess(opened.headings)
            with db.transaction():
                kept = taking.keep(content, "流水.csv", by, self.world.app.extensions["sijin"].files_dir)
                mapping = taking.remember(opened.signature, chosen, "", by)
                taking.take(kept, bank_table.read(opened, chosen), mapping, by)

    def hand_on(self, numbers: range) -> None:
        """Payment runs of one line, some of them paid; payouts; accounts that wait."""
        supplier, home = self.world.organisation_id(GREENS), self.world.villages["greens_home"]
        member, proof = self.trade.members(GREENS, home)[0], self.trade.proof()
        somebody, officer = (self.world.person(login).id for login in ("clerk.zhang", "village.cao"))
        for number in numbers:
            with db.transaction() as session:
                run = PayoutRun(number=f"B{number}", supplier_id=supplier, built_by=somebody, built_at=clock.now(),
                                approved_by=officer if number % 2 else None,
                                approved_at=clock.now() if number % 2 else None)
                session.add(run)
                session.flush()
                session.add(PayoutRunLine(run_id=run.id, village_id=home, household_id=member, income_kind="wage",
                                          amount_fen=1, way="cash", state="paid" if number % 2 else "open",
                                          paid_on=TODAY, proof_id=proof))
                session.add(Payout(number=f"F{number}", supplier_id=supplier, village_id=home, income_kind="wage",
                                   paid_on=TODAY, proof_id=proof, made_by=somebody, confirmed_by=officer,
                                   business_date=TODAY))
                newcomer_household = Household(village_id=home, head_name=f"新户{number}", people=3)
                session.add(newcomer_household)
                session.flush()
                session.add(CoopMember(supplier_id=supplier, household_id=newcomer_household.id,
                                       member_no=f"N{number:04d}"))
                session.add(HouseholdAccount(
                    supplier_id=supplier, household_id=newcomer_household.id, holder="户主", bank="农商行",
                    number="62170000", entered_by=somebody, entered_at=clock.now()))

    def complain(self, order: int) -> None:
        """A case about an accepted order, and a wish that it count for another unit."""
        somebody, now = self.world.person("system.tao").id, clock.now()
        with db.transaction() as session:
            session.add(AfterSale(number=f"A{order}", order_id=order, kind="complaint", state="open", reason="late",
                                  opened_by=somebody, opened_at=now, business_date=TODAY, due_on=TODAY))
            session.add(CreditChange(
                order_id=order, from_unit_id=self.world.organisation_id(SCHOOL), from_unit_type="school",
                to_unit_id=self.world.organisation_id(HOSPITAL), reason="订错了", state="asked", asked_by=somebody,
                asked_at=now))
            session.add(Refund(number=f"R{order}", order_id=order, amount_fen=1, way="bank", state="asked",
                               made_by=somebody, made_at=now))

    def pay_by_card(self, numbers: range) -> None:
        """Attempts that came to nothing."""
        now = clock.now()
        with db.transaction() as session:
            order = session.scalars(select(Order).order_by(Order.id).limit(1)).one()
            session.add_all(CardPayment(
                order_id=order.id, unit_id=order.unit_id, supplier_id=order.supplier_id, account_id="acct_1",
                attempt=number + 1, key=f"order-{number}", amount_fen=100, live=False, state="expired",
                started_by=self.world.person("cashier.sun").id, started_at=now, expires_at=now, next_look_at=now)
                for number in numbers)

    def pause(self, number: int) -> None:
        """One more area of both co-operatives, and a break far ahead."""
        code = db.session().scalars(select(Division.code).where(Division.level == "township").order_by(Division.code)
                                    .offset(number).limit(1)).one()
        with db.transaction():
            for login in ("chair.he", "chair.shi"):
                stating.add(code, USUAL, self.world.person(login))
            ahead = clock.days_after(TODAY, 300 + number)
            stating.pause(ahead, ahead, "", self.world.person("chair.shi"))

    def people_units(self, numbers: range) -> None:
        """Sub-units that wait, people, doors, hand-overs, group chats' news, tables."""
        qian = self.world.person("admin.qian")
        chen = self.world.person("cook.chen").id
        for number in numbers:
            with db.transaction():
                tree.add_sub_unit({"name": f"分校{number}", "credit_code": f"124311{number:012d}",
                                   "unit_type": "school"}, people.Person("方老师", f"1397{number:07d}"), qian)
                one = people.add(people.Person("卢师傅", f"1396{number:07d}"), ["receiver"], qian)
                gone = people.add(people.Person("周师傅", f"1395{number:07d}"), ["receiver"], qian)
                people.end(gone, "调走", qian)
                handover.plan(one, chen, clock.days_after(TODAY, 30), "", qian)
                if number < doors.MOST_DOORS - 2:
                    doors.add({"name": f"门{number}"}, qian)
                message_rows.keep(f"mail {number}", "mail", qian.organisation_id or 0, "消息", user_id=qian.id)
                runs.begin(sheet.KIND, f"{number}".encode(), "人员.csv", qian, self.world.app.extensions[
                    "sijin"].files_dir)

    def keep_list(self, number: int) -> None:
        with db.transaction():
            weekly.make(f"菜单{number}", [weekly.Entry(self.product, 1_000)], self.world.person("cook.chen"))

    def recall_one(self) -> None:
        """A lot that reached the school."""
        lot = self.trade.lot(self.product, 2)
        order = self.trade.orders(self.trade.place({self.product: 1_000}))[0].id
        self.trade.ship(order, {self.trade.lines(order)[0].id: [(lot, 1_000)]})
        with db.transaction() as session:
            recall.recall(session.get_one(Lot, lot).code, "农残超标", self.world.person("chair.shi"))

    def order_ahead(self) -> None:
        """A standing order, and a phone order to confirm."""
        a_plan(self.world, {self.product: 1_000})
        said = Said(self.world.organisation_id(SCHOOL), clock.days_after(TODAY, 1), "morning", [(self.product, 1_000)])
        with db.transaction():
            calls.type_in(said, links.new("key"), self.world.person("clerk.zhang"))

    def apply(self, number: int) -> None:
        """Somebody who wants to sell: half of them admitted, half still waiting."""
        applicant = newcomer(self.world, number)
        if number % 2:
            with db.transaction():
                admission.admit(contents.read(applicant.application), None)

    def send_table(self, number: int) -> None:
        """A co-operative and an office each send one."""
        for kind, sender in (("products", "clerk.zhang"), ("designations", "official.jin")):
            with db.transaction():
                content = f"{number}".encode()
                runs.begin(KINDS[kind], content, "sent.csv", self.world.person(sender),
                           self.world.app.extensions["sijin"].files_dir)

    def list_and_note(self, numbers: range) -> None:
        """Listings that wait for the county, references to compare with, and prices that stand out."""
        with db.transaction() as session:
            county = session.scalar(select(Division.county_id).where(
                Division.id == self.world.villages["greens_home"]))
            leaf = session.scalar(select(Category.id).where(Category.code == "leaf"))
            incoming = [Incoming(values(self.world, name=f"待审{n}甲", price_fen=9_000), voucher=Voucher("shop.cn"))
                        for n in numbers]
            for number, outcome in zip(numbers, listing.submit_many(
                    incoming, self.world.organisation_id(GREENS), self.world.person("clerk.zhang")), strict=True):
                session.add(PriceOutlier(
                    product_id=outcome.product_id, period="2026-10", price_fen=9_000, fen_per_kg=18_000,
                    median_fen_per_kg=400, compared_with=9, found_at=clock.now(), due_on=TODAY))
                session.add(ReferencePrice(division_id=county, category_id=leaf, word=f"货品{number}", fen_per_kg=250,
                                           source="周报", day=TODAY, entered_at=clock.now()))

    def lives(self) -> None:
        """A lot whose names follow, one expected, one made with wages, something written off and declared."""
        home, clerk = self.world.villages["greens_home"], self.world.person("clerk.zhang")
        member = self.trade.members(GREENS, home)[0]
        proof = self.trade.proof()
        self.trade.tie(GREENS, member)
        from_notebook = [Contribution(1000, None, home, unsplit=True)]
        with db.transaction() as session:
            for named in (False, True):
                lot = lots.book(self.product, TODAY, None, 120, from_notebook, clerk)
                session.add(LotMaking(lot_id=lot.id, input_grams=1000, plant_village_id=home, wage_fen=100))
                session.add(LotWriteOff(lot_id=lot.id, milli=1, reason="lost", proposed_by=clerk.id,
                                        proposed_at=clock.now()))
                if named:
                    lots.split(lot.id, [Contribution(1000, member)], clerk)
                wages.declare(lot.id, [(member, 50)], "2026-10", proof, clerk)
            lots.expect(self.product, clock.days_after(TODAY, 9), None, 120, from_notebook, clerk)

    def declare(self, day: date) -> None:
        """What the village can bring in a season of one day; and a surplus return."""
        clerk = self.world.person("clerk.zhang")
        with db.transaction():
            capacity.declare(self.product, self.world.villages["greens_home"], capacity.Season("一天", day, day),
                             capacity.Asked(1_000, "地"), [], seasons.sold_grams, clerk)
            surplus.draw_up(surplus.Plan(LAST_YEAR, LAST_YEAR, 1_000, 0, 6_000), clerk)


def rows_of(entity: type[db.Base]) -> int:
    return db.session().scalar(select(func.count()).select_from(entity)) or 0


def test_lists_cost_as_many_statements_for_100_rows_as_for_10(app: Flask, world: World) -> None:
    crowd = Crowd(world)
    pages = list(pages_of(app, world))
    assert len(pages) > 40
    costs = []
    for size in (10, 100):
        crowd.grow(size)
        assert min(rows_of(entity) for entity in (
            Application, Product, Lot, Order, OrderLine, PaymentClaim, SheetImport, ListingReview, ReferencePrice,
            PriceOutlier, RecallLot, Paper, DeliveryTerms, DeliveryBreak, StandingPlan, PhoneOrder,
            BankRow, BankStatement)) >= size
        costs.append({(login, path): cost(app, visitor(world, login), headers(world, login, path), path)
                      for login, path in pages})
    assert {page: (costs[0][page], costs[1][page]) for page in costs[0] if costs[0][page] != costs[1][page]} == {}


def pages_of(app: Flask, world: World) -> Iterator[tuple[str, str]]:
    """(login, path); no login for what is public."""
    for rule in app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()) or rule.arguments - set(rule.defaults or ()) or rule.endpoint == "static":
            continue
        if rule.endpoint in NO_LIST or rule.endpoint.startswith("api-docs"):
            continue
        verb = getattr(app.view_functions[rule.endpoint], "access", None)
        yield (allowed(world, verb) if verb else "", rule.rule)
    for path in MORE:
        view = app.view_functions[app.url_map.bind("").match(path.partition("?")[0])[0]]
        verb = getattr(view, "access", None)
        official = "official.jin" if path.startswith(("/reports", "/bulletins")) else ""
        yield (allowed(world, verb) if verb else official, path)


def allowed(world: World, verb: str) -> str:
    """Somebody of the busy side whom the rule allows."""
    first = ("cook.chen", "store.wang", "cashier.sun", "head.li", "chair.shi", "clerk.zhang", "village.cao",
             "official.jin")
    return next(login for login in (*first, *PEOPLE) if access.can(world.person(login), verb))


def visitor(world: World, login: str) -> FlaskClient:
    return world.logged_in(login) if login else world.app.test_client()


def headers(world: World, login: str, path: str) -> dict[str, str]:
    return world.api_headers(login or "cook.chen") if path.startswith("/api/") else {}


def cost(app: Flask, client: FlaskClient, sent: dict[str, str], path: str) -> int:
    """Statements of a second visit with nothing kept from the first."""
    first = client.get(path, headers=sent)
    assert first.status_code == 200, (path, first.status_code)
    app.extensions["sijin_pages"].clear()
    settings.demo_flag()
    with count_statements(app) as statements:
        client.get(path, headers=sent)
    return len(statements)

