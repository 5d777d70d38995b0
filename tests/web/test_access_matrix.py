"""Every route, every role, and things that are one's own, somebody else's, or nobody's.

The routes come from the url map and the rules from market/access.py, so a new route is covered the day it appears. A
route with a parameter that PARAMETERS does not know fails: say there how to make one's own and somebody else's.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from catalog import lots, products
from catalog.capacity import asking as capacity
from catalog.entry.models import ApplicationPaper
from catalog.importing import runs
from catalog.importing.table import KINDS
from catalog.lot_models import LotDetail, LotMaking, LotWriteOff
from catalog.lot_parts import Contribution
from catalog.members import surplus
from catalog.models import Category, Lot
from catalog.papers.models import Paper
from catalog.review import listing
from catalog.review.models import PriceOutlier
from catalog.tracing import certificates, gs1, recall
from catalog.tracing.models import Certificate
from market import access, clock, db
from market.files import StoredFile
from market.households import CoopMember
from market.places import Division
from market.users import User
from orders import seasons
from orders.approving import amending
from orders.income import declarations
from orders.models import DeliveryRun, Purchase
from orders.paying import claims
from orders.paying.claims import Remittance
from tests.entries import newcomer
from tests.trade import Trade
from tests.world import GREENS, HOSPITAL, NOON, PASSWORD, PEOPLE, POMELO, SCHOOL, TODAY, World

NOBODYS = 999_999_999


@dataclass(frozen=True)
class Things:
    """What one side of the county trades: ids and codes, by the name of the route's parameter."""

    import_id: int
    office_import_id: int
    order_id: int
    purchase_id: int
    run_id: int
    claim_id: int
    lot_id: int
    product_id: int
    village_id: int
    user_id: int
    lot_code: str
    village_code: str
    token: str
    file_name: str
    line_id: int
    application_id: int
    file_id: int
    supplier_id: int
    capacity_id: int
    request_id: int
    household_id: int
    return_id: int
    certificate: str
    review_id: int
    outlier_id: int
    recall_id: int
    expected_id: int
    write_off_id: int
    declaration_id: int
    paper_id: int
    amendment_id: int


Make = Callable[[Things], Any]
# parameter, or endpoint.parameter: (how to make one of a side's, one that nobody has)
PARAMETERS: dict[str, tuple[Make, Any]] = {
    **{name: (lambda things, name=name: getattr(things, name), NOBODYS) for name in (
        "application_id", "file_id", "supplier_id",
        "import_id", "order_id", "purchase_id", "run_id", "claim_id", "lot_id", "product_id", "village_id", "user_id",
        "review_id", "outlier_id", "recall_id", "write_off_id", "declaration_id",
        "paper_id", "amendment_id", "capacity_id", "request_id", "household_id", "return_id")},
    "lot_life.arrive.lot_id": (lambda things: things.expected_id, NOBODYS),
    "lot_life.close.lot_id": (lambda things: things.expected_id, NOBODYS),
    "shop.village.code": (lambda things: things.village_code, "999999999999"),
    **{f"{name}.code": (lambda things: things.lot_code, "L000000-00000") for name in (
        "shop.trace", "tracing.events", "tracing.digital_link")},
    "gtin": (lambda things: gs1.number_of(things.product_id), "02000000000007"),
    "number": (lambda things: things.certificate, "H000000-0000000"),
    "files.show.name": (lambda things: things.file_name, "0" * 32 + ".webp"),
    "delivering.van.token": (lambda things: things.token, "nobodys-token"),
    "name": (lambda _things: "village-income", "no-such-report"),
    "kind": (lambda _things: "csv", "csv"),
    "ending": (lambda _things: "csv", "csv"),
    "sheet": (lambda _things: "products", "no-such-table"),
    **{f"office_imports.{name}.sheet": (lambda _things: "designations", "products") for name in ("template", "export")},
    **{f"office_imports.{name}.import_id": (lambda things: things.office_import_id, NOBODYS)
       for name in ("show", "confirm", "cancel", "faults")},
    "account.end_session.kind": (lambda _things: "session", "session"),
    "account.end_session.door_id": (lambda things: things.user_id, NOBODYS),
}
# these show the same to everybody who may come in: somebody else's is as good as one's own
SHARED = {"shop.product", "catalog_api.product", "shop.village", "shop.trace", "delivering.van", "reports.show",
          "tracing.events", "tracing.digital_link", "tracing.certificate", "tracing.certificate_pdf",
          "reports.download", "reports_api.report"}
SHARED |= {f"{desk}_imports.{file}" for desk in ("village", "office") for file in ("template", "export")}
# papers under their random names are read by officials and auditors wherever they are
OPEN_TO_READERS = {"files.show"}
# what a form must hold before the thing is looked for, and what an address must ask for
BODIES: dict[str, Callable[[Things], dict[str, Any]]] = {
    "papers.refuse": lambda _things: {"reason": "看不清"},
    "village.set_state": lambda _things: {"state": "listed"},
    "prices.explain": lambda _things: {"reason": "礼盒装"},
    "orders_api.claim": lambda _things: {"amount_fen": 100, "payer_name": "食堂", "paid_on": TODAY.isoformat()},
    "orders_api.accept": lambda things: {
        "lines": [{"line_id": things.line_id, "accepted_grams": 10_000}],
        "second_receiver": {"login": "aunt.zhao", "password": PASSWORD}},
}
QUERIES: dict[str, Callable[[Things], dict[str, str]]] = {
    "reports.lines": lambda things: {"village": things.village_code, "figure": "orders",
                                     "from": "2026-10", "to": "2026-10"},
}
# a person's own, not an organisation's: tests/web/test_account.py
OWN_ELSEWHERE = {"account.end_session"}
# a role is not all that the view asks: a PIN is offered only to people who can move little,
# papers are decided upon by agriculture offices only, a lot of one township's villages is not the county's to confirm
PERSONAL = {"account.bind_phone", "papers.mark_checked", "papers.refuse", "lots.confirm", "catalog_api.confirm"}
# at which side people stand; the others (city, platform) stand above both
NEAR = {SCHOOL, GREENS, "greens_village"}
FAR = {HOSPITAL, POMELO, "village", "township", "jiangyong", "agriculture", "newcomers"}


def one_of_each_role() -> Iterator[str]:
    """A login for every pair of organisation kind and role in the world."""
    seen = set()
    for login, (_name, organisation, roles) in PEOPLE.items():
        kind = (organisation if organisation not in {SCHOOL, HOSPITAL, POMELO, GREENS} else
                "unit" if organisation in {SCHOOL, HOSPITAL} else "supplier", tuple(roles))
        if kind not in seen:
            seen.add(kind)
            yield login


LOGINS = list(one_of_each_role())


pytestmark = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)  # walls are the same code on both


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    with clock.at(NOON):
        yield


@pytest.fixture
def sides(app: Flask, world: World, monkeypatch: pytest.MonkeyPatch) -> tuple[Things, Things]:
    """The same trade twice, near and far, between people who have nothing to do with each other."""
    monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", False)  # tested elsewhere; here nothing may hide behind it
    trade = Trade(world)
    near = traded(trade, SCHOOL, GREENS, "cook.chen", "cashier.sun", "clerk.zhang", "official.jin")
    far = traded(trade, HOSPITAL, POMELO, "cook.wu", "cashier.feng", "clerk.lv", "official.hua")
    return near, far


def traded(trade: Trade, unit: str, supplier: str, cook: str, cashier: str, clerk: str,
           official: str) -> Things:
    world = trade.world
    product = trade.product(f"{supplier}白菜", supplier)
    lot = trade.lot(product)
    with db.transaction():
        certificates.issue(lot, ["self_check"], world.person(clerk))
    placed = trade.place({product: 10_000}, by=cook, unit=unit)
    order = trade.orders(placed)[0]
    trade.ship(order.id)
    other = trade.lot(product)
    with db.transaction() as session:
        paper = StoredFile(name=f"{order.id:032x}.webp", original_name="凭证.webp", content_type="image/webp",
                           size_bytes=5, sha256="0" * 64, visibility="parties", uploaded_at=clock.now(),
                           organisation_id=world.organisation_id(unit))
        session.add(paper)
        session.flush()
        code = session.scalars(select(Lot.code).where(Lot.id == other)).one()
        stopped = recall.recall(code, "农残超标", trade.chair_of(world.organisation_id(supplier)))
        claim = claims.claim({order.id: 1_000}, Remittance(unit, TODAY, paper.id), world.person(cashier))
    folder = world.app.extensions["sijin"].files_dir
    folder.mkdir(exist_ok=True)
    (folder / paper.name).write_bytes(b"paper")
    with db.transaction():
        imports = [runs.begin(KINDS[kind], b"sent", "sent.csv", world.person(sender), folder)
                   for kind, sender in (("products", clerk), ("designations", official))]
    review, outlier = reviewed(world, trade.product(f"{supplier}菜心", supplier), supplier)
    village = world.villages["greens_home" if supplier == GREENS else "pomelo_home"]
    expected, write_off, declaration = lived(trade, supplier, product, lot, village, paper.id)
    read = db.session().scalar
    near = supplier == GREENS
    applicant = newcomer(world, 1 if near else 2, county="新田县" if near else "江永县",
                         category=read(select(Category.code).limit(1)) or "").application.id
    run = db.session().execute(select(DeliveryRun.id, DeliveryRun.token).order_by(DeliveryRun.id.desc())).first()
    assert run is not None
    assert read(select(Purchase.id).where(Purchase.id == placed.id))
    with db.transaction():
        season = capacity.Season("2026 秋", TODAY, TODAY)
        asked = capacity.declare(product, village, season, capacity.Asked(1_000, "地"), [], seasons.sold_grams,
                                 world.person(clerk))
    with db.transaction():
        returned = surplus.draw_up(surplus.Plan(TODAY, TODAY, 1_000, 0, 6_000), world.person(clerk))
    member = read(select(CoopMember.household_id).where(CoopMember.supplier_id == world.organisation_id(supplier)))
    return Things(
        capacity_id=asked.village_capacity_id, request_id=asked.id,
        household_id=member or 0, return_id=returned.id,
        amendment_id=amended(trade, product, cook, unit),
        import_id=imports[0], office_import_id=imports[1],
        order_id=order.id, purchase_id=placed.id, run_id=run.id, claim_id=claim.id, lot_id=lot, product_id=product,
        village_id=village, user_id=read(select(User.id).where(User.login == clerk)) or 0,
        lot_code=read(select(Lot.code).where(Lot.id == lot)) or "",
        village_code=read(select(Division.code).where(Division.id == village)) or "",
        token=run.token, file_name=paper.name, line_id=trade.lines(order.id)[0].id,
        application_id=applicant, supplier_id=world.organisation_id(supplier),
        file_id=read(select(ApplicationPaper.file_id).where(ApplicationPaper.application_id == applicant)) or 0,
        certificate=read(select(Certificate.number).where(Certificate.lot_id == lot)) or "",
        review_id=review, outlier_id=outlier, recall_id=stopped.id,
        expected_id=expected, write_off_id=write_off, declaration_id=declaration,
        paper_id=read(select(Paper.id).where(Paper.supplier_id == world.organisation_id(supplier))) or 0)


def amended(trade: Trade, product: int, cook: str, unit: str) -> int:
    """A change of an order still to be packed."""
    order = trade.orders(trade.place({product: 2_000}, by=cook, unit=unit))[0]
    with db.transaction():
        return amending.amend(order.id, {trade.lines(order.id)[0].id: 1_000}, [], "", trade.world.person(cook)) or 0


def reviewed(world: World, product_id: int, supplier: str) -> tuple[int, int]:
    """A higher price that waits for the county, and one that stands out."""
    with db.transaction() as session:
        listing.change_price(products.own_product(product_id, world.organisation_id(supplier)), 900, None)
        review = listing.newest_review(product_id)
        outlier = PriceOutlier(product_id=product_id, period="2026-10", price_fen=200, fen_per_kg=200,
                               median_fen_per_kg=100, compared_with=4, found_at=clock.now(), due_on=TODAY)
        session.add(outlier)
        session.flush()
        assert review is not None
        return review.id, outlier.id


def lived(trade: Trade, supplier: str, product: int, lot: int, village: int, paper: int) -> tuple[int, int, int]:
    """A life for a lot: a notebook, wages for its making, an expected one beside it, a write-off, a declaration."""
    somebody, clerk = trade.world.person("system.tao").id, trade.clerk_of(product)
    with db.transaction() as session:
        session.add(LotDetail(lot_id=lot, test="passed", notebook_id=paper))
        session.add(LotMaking(lot_id=lot, input_grams=1000, plant_village_id=village, wage_fen=100))
        expected = lots.expect(product, clock.days_after(TODAY, 9), None, 120,
                               [Contribution(1000, None, village, unsplit=True)], clerk)
        write_off = LotWriteOff(lot_id=lot, milli=1, reason="lost", proposed_by=somebody, proposed_at=clock.now())
        session.add(write_off)
    with db.transaction():
        lots.confirm(expected.id, trade.officer_of(village))
        declaration = declarations.declare(declarations.Declared(
            trade.members(supplier, village)[0], "wage", "2026-10", 100, paper, lot), clerk)
    return expected.id, write_off.id, declaration.id


def routes(app: Flask) -> list[tuple[Rule, str]]:
    """Every rule with each method that it answers to."""
    rules = sorted(app.url_map.iter_rules(), key=lambda rule: (rule.endpoint, rule.rule))
    return [(rule, method) for rule in rules if rule.endpoint not in {"static", "site.readyz"}
            for method in sorted({"GET", "POST"} & set(rule.methods or ()))]


def test_every_route_says_what_it_requires_and_every_parameter_is_known(app: Flask) -> None:
    undeclared = [rule.endpoint for rule, _method in routes(app)
                  if not hasattr(app.view_functions[rule.endpoint], "access")]
    assert undeclared == []
    unknown = [f"{rule.endpoint}.{name}" for rule, _method in routes(app) for name in rule.arguments
               if name not in PARAMETERS and f"{rule.endpoint}.{name}" not in PARAMETERS]
    assert unknown == []
    used = {app.view_functions[rule.endpoint].access for rule, _method in routes(app)}
    assert used - {None} <= set(access.RULES)


def test_strangers_get_in_nowhere(app: Flask, sides: tuple[Things, Things]) -> None:
    stranger = app.test_client()
    for rule, method in routes(app):
        if app.view_functions[rule.endpoint].access is not None:
            answer = ask(stranger, rule, method, sides[0])
            expected = 401 if rule.rule.startswith("/api/") else 302
            assert answer.status_code == expected, (rule.endpoint, method)
            assert expected == 401 or answer.location.startswith("/login"), rule.endpoint


@pytest.mark.parametrize("login", LOGINS)
def test_a_role_gets_in_where_its_rule_says_and_to_its_own_things_only(
        app: Flask, world: World, sides: tuple[Things, Things], login: str) -> None:
    visitor = world.person(login)
    own, foreign = own_and_foreign(login, sides)
    wrong = []
    browser = Caller(world, login, app)
    for rule, method in routes(app):
        verb = app.view_functions[rule.endpoint].access
        if rule.endpoint.startswith("account."):
            browser = Caller(world, login, app)  # it may have ended its own session
        if verb is not None and not access.can(visitor, verb):
            if (status := browser.ask(rule, method, own).status_code) != 403:
                wrong.append(f"{method} {rule}: {status} although {verb} is not theirs")
        else:
            no_wall = rule.endpoint in SHARED or (
                rule.endpoint in OPEN_TO_READERS and access.can(visitor, "report.read"))
            wrong += walls(browser, rule, method, own, None if no_wall else foreign)
    assert "\n".join(wrong) == ""


def test_somebody_gets_to_each_thing(app: Flask, world: World, sides: tuple[Things, Things]) -> None:
    """Else a closed door would look like a wall."""
    callers = {login: Caller(world, login, app) for login in PEOPLE}
    shut = [f"{method} {rule}" for rule, method in routes(app)
            if rule.arguments and rule.endpoint not in OWN_ELSEWHERE
            and not any(gets_in(callers[login], login, rule, method, sides) for login in PEOPLE)]
    assert "\n".join(shut) == ""


def gets_in(caller: "Caller", login: str, rule: Rule, method: str, sides: tuple[Things, Things]) -> bool:
    return caller.ask(rule, method, own_and_foreign(login, sides)[0]).status_code not in {401, 403, 404}


def own_and_foreign(login: str, sides: tuple[Things, Things]) -> tuple[Things, Things | None]:
    near, far = sides
    organisation = PEOPLE[login][1]
    if organisation in NEAR:
        return near, far
    return (far, near) if organisation in FAR else (near, None)


def walls(browser: "Caller", rule: Rule, method: str, own: Things, foreign: Things | None) -> Iterator[str]:
    """What is wrong with this route's answers to somebody who may use it."""
    if rule.arguments:
        unknown = browser.ask(rule, method, own, nobodys=True)
        if unknown.status_code != 404:
            yield f"{method} {rule}: {unknown.status_code} for what does not exist"
        if foreign is not None:
            closed = browser.ask(rule, method, foreign)
            if (closed.status_code, plain(closed)) != (unknown.status_code, plain(unknown)):
                yield f"{method} {rule}: {closed.status_code} for somebody else's, {unknown.status_code} for nobody's"
    answer = browser.ask(rule, method, own)
    closed_for_all = answer.status_code in {401, 403} and rule.endpoint not in PERSONAL
    if closed_for_all or answer.status_code >= 500 or (answer.status_code == 404 and sees(rule)):
        yield f"{method} {rule}: {answer.status_code} for one's own"


def sees(rule: Rule) -> bool:
    """Whether everybody who may use a route sees the own side's things; else the rooms' own tests say who does."""
    return rule.endpoint in SHARED or not rule.arguments


class Caller:
    """A person at a browser, and at a program for the API."""

    def __init__(self, world: World, login: str, app: Flask) -> None:
        self.client, self.program = world.logged_in(login), app.test_client()
        self.headers = world.api_headers(login)

    def ask(self, rule: Rule, method: str, things: Things, nobodys: bool = False) -> TestResponse:
        if rule.rule.startswith("/api/"):
            return ask(self.program, rule, method, things, nobodys, headers=self.headers, json={})
        return ask(self.client, rule, method, things, nobodys)


def ask(client: FlaskClient, rule: Rule, method: str, things: Things, nobodys: bool = False,
        **more: Any) -> TestResponse:
    """Call a route with a side's things in its address, or with things that nobody has."""
    values = {}
    for name in rule.arguments:
        make, unknown = PARAMETERS.get(f"{rule.endpoint}.{name}") or PARAMETERS[name]
        values[name] = unknown if nobodys else make(things)
    path = re.sub(r"<(?:[^<>]*:)?(\w+)>", lambda found: str(values[found[1]]), rule.rule)
    body = BODIES.get(rule.endpoint, lambda _things: {})(things)
    if method == "POST" and "json" in more:
        more["json"] = body
    elif method == "POST":
        more["data"] = body
    else:
        more.pop("json", None)
    query = QUERIES.get(rule.endpoint, lambda _things: {})(things)
    return client.open(path, method=method, query_string=query, **more)


def plain(answer: TestResponse) -> str:
    """The body without what differs between any two answers: its own address and the tokens of its forms."""
    path = re.escape(answer.request.path)
    return re.sub(rf'{path}|{path.replace("/", "%2F")}|name="(?:csrf|submit)_token" value="[^"]*"', "", answer.text)
