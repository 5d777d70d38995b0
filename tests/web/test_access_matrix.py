"""Every route, every role, and things that are one's own, somebody else's, or nobody's.

The routes come from the url map and the rules from market/access.py, so a new route is covered the day it appears. A
route with a parameter that PARAMETERS does not know fails: say there how to make one's own and somebody else's.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from catalog import lots, products
from catalog.capacity import asking as capacity
from catalog.entry.models import ApplicationPaper
from catalog.importing import runs
from catalog.importing.table import KINDS
from catalog.lot_models import LotDetail, LotMaking, LotPayment, LotWriteOff
from catalog.lot_parts import Contribution
from catalog.members import surplus
from catalog.models import Category, Lot, LotContribution
from catalog.papers.models import Paper
from catalog.review import listing
from catalog.review.models import PriceOutlier
from catalog.terms import stating
from catalog.tracing import certificates, gs1, recall
from catalog.tracing.models import Certificate
from market import access, clock, db, logins, robots, sealing
from market.files import StoredFile
from market.households import CoopMember
from market.parties import Organisation
from market.places import Division
from market.users import User
from orders import seasons
from orders.anomalies import cases as anomaly_cases
from orders.anomalies.found import EARLIER, Found
from orders.anomalies.models import AnomalyCase
from orders.approving import amending
from orders.banking import columns as bank_columns
from orders.banking import table as bank_table
from orders.banking import taking
from orders.buying.checkout import Placed
from orders.collective.models import OtherIncome
from orders.households import classes
from orders.households import sheet as household_sheet
from orders.households.classes import Said as ClassSaid
from orders.households.models import HouseholdClassChange
from orders.income import corrections, declarations
from orders.income import linkages as ties
from orders.inspection import recording
from orders.linkages import proposals
from orders.models import (
    Acceptance,
    AcceptanceLine,
    AcceptancePhoto,
    AfterSale,
    AfterSalePhoto,
    BankRow,
    CardPayment,
    CreditChange,
    DeliveryRun,
    Order,
    Payout,
    Purchase,
    Reconciliation,
    Refund,
)
from orders.openness import costs
from orders.ordering import weekly
from orders.papers.models import (
    FrameContract,
    Invoice,
    InvoiceRequest,
    InvoiceRequestOrder,
    PaperBundle,
    Statement,
    StatementLine,
)
from orders.paying import claims, tasks
from orders.paying.claims import Remittance
from orders.paying.payer_models import DeclaredPayer
from orders.payouts.models import HouseholdAccount, PayoutRun, PayoutRunLine
from orders.periods.models import PeriodProposal
from orders.phone import calls
from orders.phone.calls import Link, Said
from orders.quota import filing, successions
from orders.reconciling import evidence, night
from orders.reconciling.models import ReconciledPart
from orders.risk.models import RiskCase, RiskSignal
from orders.standing.models import StandingRun
from orders.units import doors, handover, people, sheet, tree
from orders.units.models import UnitApplication
from tests import province_forms
from tests.bank_tables import csv_of, line
from tests.bulletin_rows import noticed
from tests.entries import newcomer
from tests.evidence_rows import drawn
from tests.export_rows import exported, published
from tests.quota_people import FILED
from tests.stand_in import StandIn
from tests.standing_plans import a_plan
from tests.terms import USUAL, county_of
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
    case_id: int
    change_id: int
    paper_file_id: int
    terms_id: int
    break_id: int
    sub_unit_id: int
    unit_application_id: int
    member_id: int
    leaver_id: int
    other_leaver_id: int
    door_id: int
    handover_id: int
    robot_id: int
    unit_import_id: int
    plan_id: int
    standing_run_id: int
    phone_order_id: int
    phone_token: str
    statement_id: int
    contract_id: int
    bundle_id: int
    invoice_id: int
    invoice_request_id: int
    photo_id: int
    record_id: int
    list_id: int
    filing_id: int
    unit_id: int
    succession_id: int
    amendment_id: int
    reconciliation_id: int
    part_id: int
    task_id: int
    refund_id: int
    bank_file_id: int
    upload_id: int
    row_id: int
    payment_id: int
    payer_id: int
    package_id: int
    draw_id: int
    export_id: int
    form_id: int
    linkage_id: int
    proposal_id: int
    correction_id: int
    income_id: int
    risk_id: int
    lot_payment_id: int
    payout_id: int
    payout_run_id: int
    payout_run_line_id: int
    household_account_id: int
    cost_id: int
    anomaly_id: int
    class_change_id: int
    household_import_id: int
    bulletin_id: int
    open_bulletin_id: int
    objection_id: int
    month_proposal_id: int = 0


Make = Callable[[Things], Any]
# parameter, or endpoint.parameter: (how to make one of a side's, one that nobody has)
PARAMETERS: dict[str, tuple[Make, Any]] = {
    **{name: (lambda things, name=name: getattr(things, name), NOBODYS) for name in (
        "application_id", "file_id", "supplier_id",
        "import_id", "order_id", "purchase_id", "run_id", "claim_id", "lot_id", "product_id", "village_id", "user_id",
        "review_id", "outlier_id", "recall_id", "write_off_id", "declaration_id",
        "paper_id", "list_id", "filing_id", "unit_id", "succession_id", "amendment_id", "capacity_id", "request_id",
        "household_id", "return_id", "case_id", "change_id", "terms_id", "break_id", "plan_id", "phone_order_id",
        "statement_id", "contract_id", "bundle_id", "invoice_id", "photo_id", "record_id", "part_id", "task_id",
        "refund_id", "payment_id", "payer_id", "package_id", "draw_id", "export_id", "form_id", "linkage_id",
        "proposal_id",
        "correction_id", "income_id", "risk_id", "cost_id", "anomaly_id", "lot_payment_id", "payout_id",
        "payout_run_id", "payout_run_line_id",
        "household_account_id")},
    # months of the ledger: everybody of the offices reads any; one that never was answers like an unknown one
    **{f"periods.{name}.number": (lambda _things: 202608, NOBODYS)
       for name in ("show", "late", "filed", "propose_close", "propose_reopen")},
    "periods.filed.nth": (lambda _things: 1, NOBODYS),
    **{f"periods.{name}.proposal_id": (lambda things: things.month_proposal_id, NOBODYS)
       for name in ("confirm", "withdraw")},
    **{f"reconciliation.{name}.run_id": (lambda things: things.reconciliation_id, NOBODYS)
       for name in ("run", "list_of_run")},
    **{f"office_overdue.{view}.kind": (lambda _things: "csv", "exe") for view in ("index_as", "not_accepted_as")},
    **{name: (lambda things, name=name: getattr(things, name), NOBODYS) for name in (
        "bank_file_id", "upload_id", "row_id")},
    "banking.export.ending": (lambda _things: "csv", "pdf"),
    "aftersale.photo.file_id": (lambda things: things.paper_file_id, NOBODYS),
    "standing.run.run_id": (lambda things: things.standing_run_id, NOBODYS),
    "phone.open_link.token": (lambda things: things.phone_token, "nobodys-token"),
    **{f"invoices.{name}.request_id": (lambda things: things.invoice_request_id, NOBODYS)
       for name in ("show", "pdf", "cancel", "send")},
    "trade_papers.pdf.paper": (lambda _things: "contract", "no-such-paper"),
    "frames.scan.side": (lambda _things: "unit", "neither"),
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
    **{f"open_data.{view}.set_name": (lambda _things: "village-income", "no-such-set")
       for view in ("file", "schema", "table_schema")},
    "open_data.file.month": (lambda _things: "2026-08", "2026-13"),
    "kind": (lambda _things: "csv", "csv"),
    "ending": (lambda _things: "csv", "csv"),
    "inspection.download.ending": (lambda _things: "csv", "pdf"),
    "accounts.download.ending": (lambda _things: "csv", "pdf"),
    "payout_runs.export.ending": (lambda _things: "csv", "pdf"),
    "sheet": (lambda _things: "products", "no-such-table"),
    **{f"office_imports.{name}.sheet": (lambda _things: "designations", "products") for name in ("template", "export")},
    **{f"office_imports.{name}.import_id": (lambda things: things.office_import_id, NOBODYS)
       for name in ("show", "confirm", "cancel", "faults")},
    **{name: (lambda things, name=name: getattr(things, name), NOBODYS) for name in (
        "door_id", "handover_id", "robot_id")},
    **{f"units.{name}.unit_id": (lambda things: things.sub_unit_id, NOBODYS) for name in ("sub_unit", "vouch")},
    **{f"{name}.user_id": (lambda things: things.member_id, NOBODYS) for name in (
        "units.person", "units.set_roles", "units.print_code")},
    "units.end.user_id": (lambda things: things.leaver_id, NOBODYS),
    "unit_api.end.user_id": (lambda things: things.other_leaver_id, NOBODYS),
    **{f"unit_office.{name}.application_id": (lambda things: things.unit_application_id, NOBODYS)
       for name in ("application", "decide")},
    **{f"unit_imports.{name}.sheet": (lambda _things: "unit_people", "no-such-table")
       for name in ("template", "export")},
    **{f"unit_imports.{name}.import_id": (lambda things: things.unit_import_id, NOBODYS)
       for name in ("show", "confirm", "cancel", "faults")},
    "households.index_as.kind": (lambda _things: "csv", "exe"),
    "household_classes.refuse.change_id": (lambda things: things.class_change_id, NOBODYS),
    **{f"household_imports.{name}.sheet": (lambda _things: "household_classes", "products")
       for name in ("template", "export")},
    **{f"household_imports.{name}.import_id": (lambda things: things.household_import_id, NOBODYS)
       for name in ("show", "confirm", "cancel", "faults")},
    **{name: (lambda things, name=name: getattr(things, name), NOBODYS) for name in ("bulletin_id", "objection_id")},
    **{f"office_bulletins.{name}.bulletin_id": (lambda things: things.open_bulletin_id, NOBODYS)
       for name in ("redraw", "open_up", "withdraw", "publish", "correct", "object_to")},
    "account.end_session.kind": (lambda _things: "session", "session"),
    "account.end_session.door_id": (lambda things: things.user_id, NOBODYS),
}
# these show the same to everybody who may come in: somebody else's is as good as one's own
SHARED = {"shop.product", "catalog_api.product", "shop.village", "shop.trace", "delivering.van", "reports.show",
          "tracing.events", "tracing.digital_link", "tracing.certificate", "tracing.certificate_pdf",
          "reports.download", "reports.keep", "reports_api.report", "inspection.download", "accounts.download",
          "office_overdue.index_as",
          "office_overdue.not_accepted_as", "banking.export", "exports.ask", "open_data.file", "open_data.schema",
          "open_data.table_schema"}
SHARED |= {f"{desk}_imports.{file}" for desk in ("village", "office", "unit", "household")
           for file in ("template", "export")}
SHARED |= {f"periods.{view}" for view in ("show", "late", "filed", "propose_close", "propose_reopen", "confirm",
                                          "withdraw")}  # one ledger, one calendar
# one city, one notice for all: the published one for everybody, the open one for every office
BULLETIN_ACTS = {f"office_bulletins.{act}" for act in ("redraw", "open_up", "withdraw", "publish", "correct",
                                                       "object_to", "answer")}
SHARED |= {"bulletins.show", "bulletins.pdf", "bulletins.download", *BULLETIN_ACTS}
# papers under their random names are read by officials and auditors wherever they are
OPEN_TO_READERS = {"files.show"}
# an agency's accountant sees them of every co-operative whose books they keep: here both sides'
OF_ALL_BOOKS = {"agency.payout_proof"}
# what a form must hold before the thing is looked for, and what an address must ask for
BODIES: dict[str, Callable[[Things], dict[str, Any]]] = {
    "exports.ask": lambda _things: {"kind": "csv"},
    "anomalies.decide": lambda _things: {"decision": "cleared", "note": "查过"},
    "anomalies.confirm": lambda _things: {"decision": "cleared"},
    "anomalies.refuse": lambda _things: {"note": "再查"},
    "village_anomalies.answer": lambda _things: {"words": "说明"},
    "weekly_lists.change": lambda _things: {"name": "周一菜单"},
    "reconciliation.settle": lambda _things: {"remark": "查清了"},
    "household_accounts.enter": lambda _things: {"holder": "户主", "bank": "农商行", "number": "62170000"},
    "papers.refuse": lambda _things: {"reason": "看不清"},
    "members.confirm": lambda _things: {"decision_no": "3号", "decided_on": TODAY.isoformat()},
    "linkages.end": lambda _things: {"last_day": TODAY.isoformat()},
    "declaring.correct": lambda _things: {"reason": "多写", "amount_fen": "0.01"},
    **{name: lambda _things: {"reason": "不属实"} for name in (
        "office_linkages.refuse", "office_linkages.refuse_share", "confirming.refuse",
        "confirming.refuse_correction")},
    "packing.lower_freight": lambda _things: {"freight_fen": "0"},
    "terms.change": lambda _things: {"weekdays[]": ["1"], "windows[]": ["dawn"], "cut_off_hour": "16",
                                     "cut_off_days": "1"},
    "village.set_state": lambda _things: {"state": "listed"},
    **{f"refunds.{name}": lambda _things: {"reason": "多付"} for name in ("ask_whole", "refuse")},
    "reports.keep": lambda _things: {"deed": "star"},
    "households.reveal": lambda _things: {"purpose": "核对"},
    "refunds.ask": lambda _things: {"reason": "多付", "what": "whole"},
    "refunds.confirm": lambda _things: {"paid_on": TODAY.isoformat()},
    "prices.explain": lambda _things: {"reason": "礼盒装"},
    "units.end": lambda _things: {"reason": "调走"},
    "unit_api.end": lambda _things: {"reason": "调走"},
    "units.set_roles": lambda _things: {"roles[]": ["receiver"]},
    "units.vouch": lambda _things: {"decision": "return", "reason": "核对"},
    "unit_office.decide": lambda _things: {"decision": "return", "reason": "核对"},
    "unit_doors.change": lambda _things: {"name": "门"},
    "phone_api.confirm": lambda _things: {"delivery_point_id": 1, "expected_total_fen": 1},
    "orders_api.claim": lambda _things: {"amount_fen": 100, "payer_name": "食堂", "paid_on": TODAY.isoformat()},
    "orders_api.accept": lambda things: {
        "lines": [{"line_id": things.line_id, "accepted_grams": 10_000}],
        "second_receiver": {"login": "aunt.zhao", "password": PASSWORD}},
}
QUERIES: dict[str, Callable[[Things], dict[str, str]]] = {
    "households.index_as": lambda things: {"place": things.village_code},
    "reports.lines": lambda things: {"village": things.village_code, "figure": "orders",
                                     "from": "2026-10", "to": "2026-10"},
}
# a person's own, not an organisation's: tests/web/test_account.py
OWN_ELSEWHERE = {"account.end_session"}
# a role is not all that the view asks: a PIN is offered only to people who can move little,
# papers are decided upon by agriculture offices only, a lot of one township's villages is not the county's to confirm
# months are closed and notices kept by the city's office, a county's officials object and declare
PERSONAL = {*BULLETIN_ACTS, "office_bulletins.draft", "office_bulletins.set_target", "office_bulletins.declared",
            "office_bulletins.declare",
            "account.bind_phone", "account.set_pin", "periods.propose_close", "periods.propose_reopen",
            "periods.confirm", "periods.withdraw",
            "papers.mark_checked", "papers.refuse", "lots.confirm", "catalog_api.confirm"}
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
def sides(app: Flask, world: World, monkeypatch: pytest.MonkeyPatch, stand_in: StandIn) -> tuple[Things, Things]:
    """The same trade twice, near and far, between people who have nothing to do with each other."""
    monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", False)  # tested elsewhere; here nothing may hide behind it
    trade = Trade(world)
    near = traded(trade, SCHOOL, GREENS, "cook.chen", "cashier.sun", "clerk.zhang", "official.jin")
    far = traded(trade, HOSPITAL, POMELO, "cook.wu", "cashier.feng", "clerk.lv", "official.hua")
    asked = month_closed(world)
    published("2026-08")
    return replace(near, month_proposal_id=asked), replace(far, month_proposal_id=asked)


def month_closed(world: World) -> int:
    """August is closed; somebody has proposed to close September."""
    with db.transaction() as session:
        sealing.close_month("2026-08")
        proposal = PeriodProposal(period="2026-09", number=1, reason="", waiting={}, proposed_at=clock.now(),
                                  proposed_by=world.person("official.jin").id)
        session.add(proposal)
        session.flush()
        return proposal.id


def traded(trade: Trade, unit: str, supplier: str, cook: str, cashier: str, clerk: str,
           official: str) -> Things:
    world = trade.world
    product = trade.product(f"{supplier}白菜", supplier)
    lot = trade.lot(product)
    with db.transaction():
        certificates.issue(lot, ["self_check"], world.person(clerk))
    placed = trade.place({product: 10_000}, by=cook, unit=unit)
    second = trade.place({product: 1_000}, by=cook, unit=unit)  # before the co-operative says where it delivers
    changed = amended(trade, product, cook, unit)
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
        payer = DeclaredPayer(unit_id=world.organisation_id(unit), name="国库", kind="treasury",
                              declared_at=clock.now(), declared_by=world.person(cashier).id)
        session.add(payer)
        session.flush()
    case, change = disputed(world, order.id, unit, supplier, paper.id)
    unit_things = kept_unit(world, unit, cook)
    folder = world.app.extensions["sijin"].files_dir
    folder.mkdir(exist_ok=True)
    (folder / paper.name).write_bytes(b"paper")
    with db.transaction():
        unit_things["unit_import_id"] = runs.begin(sheet.KIND, b"sent", "sent.csv", manager_of(world, unit), folder)
        imports = [runs.begin(KINDS[kind], b"sent", "sent.csv", world.person(sender), folder)
                   for kind, sender in (("products", clerk), ("designations", official))]
    review, outlier = reviewed(world, trade.product(f"{supplier}菜心", supplier), supplier)
    plan, standing_run, phone_order = ordered_ahead(world, unit, supplier, product, cook, clerk)
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
    with db.transaction():
        terms_id = stating.add(county_of(world, "greens_home" if near else "pomelo_home").code, USUAL,
                               world.person(clerk))
        break_id = stating.pause(clock.days_after(TODAY, 300), clock.days_after(TODAY, 301), "", world.person(clerk))
    somebody = world.person("system.tao").id
    filed, succession = filings(world, unit, cashier, paper.id)
    member = read(select(CoopMember.household_id).where(CoopMember.supplier_id == world.organisation_id(supplier)))
    papers = papers_of(order, somebody, world, paper.id)
    with db.transaction():
        cost_id = costs.declare({"category": "vegetables", "valid_from": "2026-10", "packing_points": 1,
                                 "transport_points": 1, "loss_points": 1, "share_points": 1}, paper.id,
                                world.person(clerk))
        menu = weekly.make("周一菜单", [weekly.Entry(product, 10_000)], world.person(cook))
    return Things(
        **tied(trade, supplier, village, paper.id), **noticed(world),
        case_id=case, change_id=change, paper_file_id=paper.id,
        terms_id=terms_id, break_id=break_id,
        **unit_things,
        **papers, **bank_upload(world, "chair.shi" if near else "chair.he"), list_id=menu,
        cost_id=cost_id, anomaly_id=checked(order, TODAY),
        capacity_id=asked.village_capacity_id, request_id=asked.id,
        household_id=member or 0, return_id=returned.id,
        amendment_id=changed, **reconciled(world, supplier), **drawn(world, official, 1),
        **exported(world, official), **province_forms.kept(world, official),
        refund_id=owed_back(order.id, somebody, paper.id),
        payment_id=paid_by_card(order, world.person(cashier).id), payer_id=payer.id,
        **classed(world, member or 0, official),
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
        filing_id=filed, unit_id=world.organisation_id(unit), succession_id=succession,
        paper_id=read(select(Paper.id).where(Paper.supplier_id == world.organisation_id(supplier))) or 0,
        **handed_on(trade, supplier, lot, village, paper.id),
        plan_id=plan, standing_run_id=standing_run, phone_order_id=phone_order, phone_token=f"{unit}s-token",
        **noted(world, village, member or 0, paper.id), **received(trade, second, paper.id))


def handed_on(trade: Trade, supplier: str, lot: int, village: int, paper: int) -> dict[str, int]:
    """What a grower was paid at weigh-in, a payout, a run of which a line is paid, an account that waits."""
    whose, somebody = trade.world.organisation_id(supplier), trade.world.person("system.tao").id
    household, day = trade.members(supplier, village)[0], {"paid_on": TODAY, "proof_id": paper}
    with db.transaction() as session:
        brought = session.scalars(select(LotContribution.id).where(LotContribution.lot_id == lot).limit(1)).one()
        at_once = LotPayment(contribution_id=brought, amount_fen=1, way="cash", marked_by=somebody,
                             marked_at=clock.now(), **day)
        payout = Payout(number=f"F{whose}", supplier_id=whose, village_id=village, income_kind="wage",
                        made_by=somebody, confirmed_by=trade.officer_of(village).id, business_date=TODAY, **day)
        run = PayoutRun(number=f"B{whose}", supplier_id=whose, built_by=somebody, built_at=clock.now(),
                        approved_by=trade.chair_of(whose).id, approved_at=clock.now())
        waiting = HouseholdAccount(supplier_id=whose, household_id=household, holder="户主", bank="农商行",
                                   number="6217000012345678", entered_by=somebody, entered_at=clock.now())
        session.add_all([at_once, payout, run, waiting])
        session.flush()
        line = PayoutRunLine(run_id=run.id, village_id=village, household_id=household, income_kind="wage",
                             amount_fen=1, way="cash", state="paid", **day)
        session.add(line)
        session.flush()
        return {"lot_payment_id": at_once.id, "payout_id": payout.id, "payout_run_id": run.id,
                "payout_run_line_id": line.id, "household_account_id": waiting.id}


def checked(order: Order, day: date) -> int:
    """A grave case about an order."""
    with db.transaction():
        anomaly_cases.open_found([Found("round_trip", str(order.id), order.number, EARLIER, {}, day, order.unit_id,
                                        order.supplier_id, (order.id,))])
    return db.session().scalars(select(AnomalyCase.id).where(AnomalyCase.key == str(order.id))).one()


def classed(world: World, household: int, official: str) -> dict[str, int]:
    """A class of a household that waits for a second person, and a table of classes."""
    by, folder = world.person(official), world.app.extensions["sijin"].files_dir
    with db.transaction() as session:
        classes.say(ClassSaid(household, 2027, "unstable", "名单"), by)
        change = session.scalars(select(HouseholdClassChange.id).where(
            HouseholdClassChange.household_id == household)).one()
        return {"class_change_id": change, "household_import_id": runs.begin(
            household_sheet.CLASSES, b"sent", "sent.csv", by, folder)}


def reconciled(world: World, supplier: str) -> dict[str, int]:
    """A night's comparison with its list, and a difference."""
    whose, folder = world.organisation_id(supplier), world.app.extensions["sijin"].files_dir
    with db.transaction() as session:
        run_id = night.begin("card", supplier) or 0
        kept = evidence.keep(b"list", "list.csv", whose, folder)
        part = ReconciledPart(run_id=run_id, supplier_id=whose, account_id=supplier, since=clock.now(),
                              until=clock.now(), evidence_id=kept.id)
        session.add(part)
        session.get_one(Reconciliation, run_id).evidence_id = kept.id
        found = tasks.find("foreign_charge", supplier, whose)
        session.flush()
        return {"reconciliation_id": run_id, "part_id": part.id, "task_id": found or 0}


def owed_back(order_id: int, somebody: int, slip: int) -> int:
    """A refund that waits for its second person."""
    with db.transaction() as session:
        row = Refund(number=f"R{order_id}", order_id=order_id, amount_fen=1, way="bank", state="asked",
                     made_by=somebody, made_at=clock.now(), voucher_id=slip)
        session.add(row)
        session.flush()
        return row.id


def ordered_ahead(world: World, unit: str, supplier: str, product: int, cook: str, clerk: str) -> tuple[int, int, int]:
    """A standing order with a run behind it, and a phone order to confirm."""
    unit_id = world.organisation_id(unit)
    plan = a_plan(world, {product: 1_000}, by=cook, budget_unit_id=unit_id,
                  delivery_point_id=world.delivery_point_id(unit))
    with db.transaction():
        run = StandingRun(plan_id=plan, day=TODAY, outcome="missed", made_at=clock.now())
        db.session().add(run)
        said = Said(unit_id, clock.days_after(TODAY, 1), "morning", [(product, 1_000)])
        link = Link(unit, logins.token_hash(f"{unit}s-token"))
        phone_order = calls.type_in(said, link, world.person(clerk))
    return plan, run.id, phone_order


def disputed(world: World, order_id: int, unit: str, supplier: str, paper: int) -> tuple[int, int]:
    """A case about an order with a photo, mediated where the county has an office; and a change of its unit."""
    somebody, now = world.person("system.tao").id, clock.now()
    with db.transaction() as session:
        case = AfterSale(number=f"A{order_id}", order_id=order_id, kind="return", state="mediation", reason="wilted",
                         opened_by=somebody, opened_at=now, business_date=TODAY, due_on=TODAY,
                         office_id=world.organisation_id("agriculture") if supplier == POMELO else None)
        units = [world.organisation_id(key) for key in ((SCHOOL, HOSPITAL) if unit == SCHOOL else (HOSPITAL, SCHOOL))]
        change = CreditChange(order_id=order_id, from_unit_id=units[0], from_unit_type="school", to_unit_id=units[1],
                              reason="订错了", evidence_id=paper, state="asked", asked_by=somebody, asked_at=now)
        session.add_all([case, change])
        session.flush()
        session.add(AfterSalePhoto(case_id=case.id, file_id=paper))
        return case.id, change.id


def manager_of(world: World, unit: str) -> Any:
    return world.person("admin.qian" if unit == SCHOOL else "cook.wu")


def kept_unit(world: World, unit: str, cook: str) -> dict[str, int]:
    """A sub-unit that waits, a newcomer among the people, a hand-over to come, a second door, a group chat."""
    by, near = manager_of(world, unit), unit == SCHOOL
    with db.transaction() as session:
        session.execute(update(Organisation).where(Organisation.id == by.organisation_id).values(
            division_id=world.person("official.hua").division_id if not near else by.division_id))
        by = manager_of(world, unit)
        sub = tree.add_sub_unit({"name": f"{unit}分部", "credit_code": f"12431100{by.id:010d}", "unit_type": "school"},
                                people.Person("方老师", f"1392000{by.id:04d}"), by)
        member, other, leaver, other_leaver = (
            people.add(people.Person(name, f"139210{number}{by.id:04d}"), ["receiver"], by)
            for number, name in enumerate(("卢师傅", "周师傅", "贺师傅", "唐师傅")))
        door = doors.add({"name": "南门"}, by)
        robot = robots.add("wecom", "群", f"https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={by.id}", "", by)
        planned = handover.plan(other, world.person(cook).id, clock.days_after(TODAY, 30), "", by)
        application = session.scalars(select(UnitApplication.id).where(UnitApplication.unit_id == sub)).one()
    return {"sub_unit_id": sub, "unit_application_id": application, "member_id": member, "leaver_id": leaver,
            "other_leaver_id": other_leaver, "door_id": door,
            "handover_id": planned, "robot_id": robot}


def papers_of(order: Order, somebody: int, world: World, paper: int) -> dict[str, int]:
    """A statement, a frame contract and a sent invoice between the two, and the unit's bundle of a month."""
    unit, supplier, title = order.unit_id, order.supplier_id, dict.fromkeys(
        ("name", "tax_number", "address", "phone", "bank_name", "bank_account"), "")
    with db.transaction() as session:
        statement = Statement(number=f"D{order.id}", unit_id=unit, supplier_id=supplier, month="2026-09", opening_fen=0,
                              closing_fen=0, state="issued", issued_by=somebody, issued_at=clock.now())
        contract = FrameContract(number=f"F{order.id}", unit_id=unit, supplier_id=supplier, year=2026, first_day=TODAY,
                                 last_day=TODAY, payment_days=30, price_rule="报价", state="drafted",
                                 drafted_by=somebody, drafted_at=clock.now(), unit_scan_id=paper)
        bundle = PaperBundle(organisation_id=unit, month="2026-10", state="done", file_id=paper, asked_by=somebody,
                             asked_at=clock.now())
        session.add_all([statement, contract, bundle])
        session.flush()
        session.add(StatementLine(statement_id=statement.id, event="accepted", business_date=TODAY, order_id=order.id,
                                  amount_fen=100))
        asked = InvoiceRequest(number=f"P{order.id}", unit_id=unit, supplier_id=supplier, amount_fen=100, exempt=True,
                               state="invoiced", asked_by=somebody, asked_at=clock.now(), **title)
        session.add(asked)
        session.flush()
        session.add(InvoiceRequestOrder(request_id=asked.id, order_id=order.id, amount_fen=100))
        invoice = Invoice(number=f"{order.id:020d}", request_id=asked.id, unit_id=unit, supplier_id=supplier,
                          amount_fen=100, issued_on=TODAY, exempt=True, file_id=paper, state="matched",
                          sent_by=somebody, sent_at=clock.now(), replace_by=TODAY)
        session.add(invoice)
        session.flush()
        return {"statement_id": statement.id, "contract_id": contract.id, "bundle_id": bundle.id,
                "invoice_id": invoice.id, "invoice_request_id": asked.id}


def bank_upload(world: World, manager: str) -> dict[str, int]:
    """A bank statement with one payment that nobody could place."""
    by, content = world.person(manager), csv_of(line("12.08", "结息", payer=""))
    opened = bank_table.open_table(content)
    chosen = bank_columns.guess(opened.headings)
    with db.transaction() as session:
        kept = taking.keep(content, "流水.csv", by, world.app.extensions["sijin"].files_dir)
        mapping = taking.remember(opened.signature, chosen, "", by)
        upload = taking.take(kept, bank_table.read(opened, chosen), mapping, by)
        row = session.scalars(select(BankRow.id).where(BankRow.statement_id == upload)).one()
    return {"bank_file_id": kept, "upload_id": upload, "row_id": row}


def noted(world: World, village: int, household: int, paper: int) -> dict[str, int]:
    """Other income of a collective that waits for the township, and a risk signal about a household."""
    with db.transaction() as session:
        income = OtherIncome(village_id=village, year=2026, kind="trading", amount_fen=100, note="", evidence_id=paper,
                             business_date=TODAY, declared_by=world.person("system.tao").id, declared_at=clock.now())
        case = RiskCase(kind="unpaid", subject=f"household:{household}", village_id=village, household_id=household,
                        state="open", opened_on=TODAY, due_on=TODAY)
        session.add_all([income, case])
        session.flush()
        session.add(RiskSignal(case_id=case.id, kind=case.kind, subject=case.subject, period="2026-10", now_fen=100,
                               before_fen=0, first_month="2026-08", last_month="2026-08", found_on=TODAY))
        return {"income_id": income.id, "risk_id": case.id}


def received(trade: Trade, placed: Placed, file: int) -> dict[str, int]:
    """A line that was taken with a photo, and goods bought elsewhere."""
    order = trade.orders(placed)[0]
    line = trade.lines(order.id)[0].id
    school = order.unit_id == trade.world.organisation_id(SCHOOL)
    first, second = map(trade.world.person, ("store.wang", "aunt.zhao") if school else ("store.zheng", "cook.wu"))
    with db.transaction() as session:
        taken = Acceptance(order_id=order.id, first_receiver=first.id, second_receiver=second.id,
                           scheme="two_receivers", accepted_at=clock.now(), business_date=TODAY)
        session.add(taken)
        session.flush()
        of_line = AcceptanceLine(acceptance_id=taken.id, order_line_id=line, outcome="rejected", accepted_milli=0,
                                 accepted_grams=0, price_fen=1, amount_fen=0, reason="other")
        session.add(of_line)
        session.flush()
        photo = AcceptancePhoto(acceptance_line_id=of_line.id, file_id=file)
        session.add(photo)
        session.flush()
        record = recording.add(recording.Bought(TODAY, "酱油", "瓶", 1_000, "店"), file, (first, second))
        return {"photo_id": photo.id, "record_id": record}


def filings(world: World, unit: str, cashier: str, paper: int) -> tuple[int, int]:
    """A filing of the unit, submitted; and that it goes on under the other unit."""
    other = "永州演示医院" if unit == SCHOOL else "永州演示第一小学"
    with db.transaction():
        filed = filing.save(2026, FILED | {"canteen": "none"}, world.person(cashier), submit=True)
        return filed, successions.declare("merged", other, TODAY, paper, world.person(cashier))


def amended(trade: Trade, product: int, cook: str, unit: str) -> int:
    """A change of an order still to be packed."""
    order = trade.orders(trade.place({product: 2_000}, by=cook, unit=unit))[0]
    with db.transaction():
        return amending.amend(order.id, {trade.lines(order.id)[0].id: 1_000}, [], "", trade.world.person(cook)) or 0


def paid_by_card(order: Order, cashier: int) -> int:
    """An attempt to pay by card that came to nothing."""
    with db.transaction() as session:
        payment = CardPayment(
            order_id=order.id, unit_id=order.unit_id, supplier_id=order.supplier_id, account_id=f"acct_{order.id}",
            attempt=1, key=f"order-{order.number}-1", amount_fen=1_000, live=False, state="expired", started_by=cashier,
            started_at=clock.now(), expires_at=clock.now(), next_look_at=clock.now())
        session.add(payment)
        session.flush()
        return payment.id


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
    trade.tie(supplier, trade.members(supplier, village)[0])
    with db.transaction():
        lots.confirm(expected.id, trade.officer_of(village))
        declaration = declarations.declare(declarations.Declared(
            trade.members(supplier, village)[0], "wage", "2026-10", 100, paper, lot), clerk)
    return expected.id, write_off.id, declaration.id


def tied(trade: Trade, supplier: str, village: int, paper: int) -> dict[str, int]:
    """A linkage, a share and a minus entry that wait for the village."""
    chair = trade.chair_of(trade.world.organisation_id(supplier))
    member = trade.members(supplier, village)[0]
    wage = trade.wage(supplier, member, 100)
    with db.transaction():
        tie = ties.enter(ties.Tie(village, member, "direct_support", "guidance", TODAY, paper), chair)
        proposal = proposals.propose(proposals.Proposed(village, 300, TODAY, "2026-7", paper), chair)
        return {"linkage_id": tie.id, "proposal_id": proposal.id,
                "correction_id": corrections.ask(wage, 50, "多写", chair).id}


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
                rule.endpoint in OPEN_TO_READERS and access.can(visitor, "report.read")) or (
                rule.endpoint in OF_ALL_BOOKS and "accountant" in visitor.roles)
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
