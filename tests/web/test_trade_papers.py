"""Papers of trade over the pages: a month's list, statements, invoices, frame contracts, one ZIP."""

import io
import zipfile
from collections.abc import Iterator
from datetime import timedelta

import pytest
from PIL import Image
from sqlalchemy import delete, func, select

from market import clock, db, logins, outbox
from market.parties import Membership
from orders.models import PaymentClaim
from orders.papers import bundles, jobs
from orders.papers.models import FrameContract, Invoice, InvoiceRequest, InvoiceTitle, PaperBundle, Statement
from tests.papers_of_trade import MONTH, NOVEMBER, NUMBER, OTHER, RED, TITLE, Papers
from tests.services.test_statements_of_trade import XML
from tests.trade import Trade
from tests.web.forms import send
from tests.world import HOSPITAL, NOON, POMELO, SCHOOL, TODAY, World


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    with clock.at(NOON):
        yield


@pytest.fixture
def papers(world: World) -> Papers:
    return Papers(Trade(world))


def only(table):
    return db.session().scalars(select(table).execution_options(populate_existing=True)).one()


def count(table) -> int:
    return db.session().scalar(select(func.count()).select_from(table)) or 0


def scan() -> tuple[io.BytesIO, str]:
    out = io.BytesIO()
    Image.new("RGB", (40, 30), "white").save(out, "JPEG")
    out.seek(0)
    return out, "扫描.jpg"


def xml(number: str = NUMBER) -> tuple[io.BytesIO, str]:
    return io.BytesIO(XML.format(number=number).encode()), "发票.xml"


def test_everything_of_an_order_stands_on_one_page_for_both_sides(papers, world):
    order = papers.accepted()
    for login in ("cook.chen", "clerk.zhang", "auditor.wei"):
        page = world.logged_in(login).get(f"/orders/{order.id}/papers")
        for words in ("采购合同", "送货单", "验收单", "请款证明", order.number):
            assert words in page.text, (login, words)
        assert order.number in world.logged_in(login).get(f"/documents?month={MONTH}").text
        pdf = world.logged_in(login).get(f"/orders/{order.id}/papers/contract.pdf")
        assert (pdf.mimetype, pdf.data[:5]) == ("application/pdf", b"%PDF-")
    for login in ("cook.wu", "clerk.lv"):
        assert world.logged_in(login).get(f"/orders/{order.id}/papers").status_code == 404
        assert order.number not in world.logged_in(login).get(f"/documents?month={MONTH}").text
    assert world.logged_in("cook.chen").get("/documents?month=nonsense").status_code == 200


def test_a_statement_is_issued_answered_invoiced_and_paid_as_a_whole(papers, world):
    first, second = papers.accepted(), papers.accepted(name="萝卜")
    papers.keep_title()
    with clock.at(NOVEMBER):
        chair, cashier = world.logged_in("chair.shi"), world.logged_in("cashier.sun")
        assert "永州演示第一小学" in chair.get(f"/documents/statements?month={MONTH}").text
        answer = send(chair, "/documents/statements", unit_id=world.organisation_id(SCHOOL), month=MONTH)
        row = only(Statement)
        url = f"/documents/statements/{row.id}"
        assert answer.location.endswith(url)
        outbox.drain(jobs.HANDLERS)
        assert "对账单" in cashier.get("/notices").text
        assert "40.00" in cashier.get(url).text
        assert send(cashier, f"{url}/objection", page=url, reason="").status_code == 422
        assert send(cashier, f"{url}/confirmation", page=url).status_code == 303
        assert only(Statement).state == "confirmed"
        assert send(cashier, f"{url}/invoice-requests", page=url).status_code == 303
        assert only(InvoiceRequest).amount_fen == 4_000
        pay = f"{url}/payment-claim"
        form = {f"order-{first.id}": "20.00", f"order-{second.id}": "15.50", "payer_name": "国库集中支付中心",
                "paid_on": clock.today().isoformat()}
        assert send(cashier, pay, **{**form, f"order-{first.id}": "-1"}).status_code == 422
        assert count(PaymentClaim) == 0
        assert send(cashier, pay, **form).status_code == 303
        assert only(PaymentClaim).amount_fen == 3_550
        for name in ("statement", "payment-request"):
            assert cashier.get(f"{url}/{name}.pdf").data.startswith(b"%PDF-")
        assert "没有应付款" not in cashier.get(pay).text


def test_a_statement_is_refused_where_the_form_is_and_changes_nothing(papers, world):
    papers.accepted()
    chair = world.logged_in("chair.shi")
    answer = send(chair, "/documents/statements", unit_id=world.organisation_id(SCHOOL), month=MONTH)
    assert answer.status_code == 422 and "当月结束后" in answer.text
    assert count(Statement) == 0


def test_an_invoice_goes_from_title_to_replacement(papers, world):
    order = papers.accepted()
    cashier, chair = world.logged_in("cashier.sun"), world.logged_in("chair.shi")
    papers_page = f"/orders/{order.id}/papers"
    refused = send(cashier, f"/orders/{order.id}/invoice-requests", page=papers_page)
    assert refused.status_code == 409 and "发票抬头" in refused.text
    wrong_title = send(cashier, "/documents/invoice-title", **{**TITLE, "tax_number": "123"})
    assert (wrong_title.status_code, count(InvoiceTitle)) == (422, 0)
    papers.keep_title()
    assert send(cashier, f"/orders/{order.id}/invoice-requests", page=papers_page).status_code == 303
    request = only(InvoiceRequest)
    url = f"/documents/invoice-requests/{request.id}"
    assert request.number in chair.get("/documents/invoices").text
    contradicted = send(chair, f"{url}/invoices", page=url, file=xml(), amount_fen="19.00")
    assert contradicted.status_code == 422 and "文件本身" in contradicted.text
    for bad in ({"file": (io.BytesIO(b"text"), "a.txt")}, {}, {"file": scan(), "number": "12"}):
        assert send(chair, f"{url}/invoices", page=url, **bad).status_code == 422
    assert count(Invoice) == 0
    assert send(chair, f"{url}/invoices", page=url, file=xml()).status_code == 303
    invoice = only(Invoice)
    assert (invoice.number, invoice.amount_fen, invoice.state) == (NUMBER, 2_000, "matched")
    file = cashier.get(f"/documents/invoices/{invoice.id}/file")
    assert (file.status_code, file.mimetype) == (200, "application/xml")
    assert "attachment" in file.headers["Content-Disposition"]
    assert send(cashier, f"/documents/invoices/{invoice.id}/refusal", page=url, reason="抬头错了").status_code == 303
    outbox.drain(jobs.HANDLERS)
    assert "抬头错了" in chair.get("/notices").text
    new = f"/documents/invoices/{invoice.id}/replacement"
    assert send(chair, new, page=url, file=xml(OTHER)).status_code == 422
    assert send(chair, new, page=url, file=xml(OTHER), red_number=RED).status_code == 303
    assert OTHER in cashier.get(url).text and RED in cashier.get(url).text
    assert cashier.get(f"{url}/request.pdf").data.startswith(b"%PDF-")


def test_a_frame_contract_is_signed_by_both_sides(papers, world):
    admin, chair = world.logged_in("admin.qian"), world.logged_in("chair.shi")
    form = {"partner_id": papers.greens, "year": 2026, "first_day": "2026-01-01", "last_day": "2026-12-31",
            "payment_days": 30, "price_rule": "按周报价"}
    too_long = send(admin, "/documents/frames", **{**form, "payment_days": 61})
    assert (too_long.status_code, count(FrameContract)) == (422, 0)
    assert send(admin, "/documents/frames", **form).status_code == 303
    url = f"/documents/frames/{only(FrameContract).id}"
    assert send(admin, f"{url}/signature", page=url).status_code == 422
    for browser in (admin, chair):
        assert send(browser, f"{url}/signature", page=url, scan=scan()).status_code == 303
    assert only(FrameContract).state == "signed"
    assert chair.get(f"{url}/scans/unit").status_code == 200
    assert world.logged_in("chair.he").get(url).status_code == 404
    order = papers.accepted()
    outbox.drain(world.app.extensions["sijin_handlers"])
    assert order.number in chair.get(url).text
    assert chair.get(f"{url}/contract.pdf").data.startswith(b"%PDF-")
    assert send(chair, f"{url}/end", page=url, reason="不再供货").status_code == 303
    assert only(FrameContract).state == "ended"


def test_a_months_papers_come_in_one_zip_made_by_the_worker(papers, world):
    order = papers.accepted()
    papers.request(order.id)
    cashier = world.logged_in("cashier.sun")
    answer = send(cashier, "/documents/bundles", page="/documents", month=MONTH)
    url = f"/documents/bundles/{only(PaperBundle).id}"
    assert answer.location.endswith(url)
    for nobody in (world.organisation_id(POMELO), world.organisation_id(HOSPITAL), 999_999):
        refused = send(cashier, "/documents/bundles", page="/documents", month=MONTH, partner_id=str(nobody))
        assert refused.status_code == 422, nobody
    assert cashier.get(url).headers["Refresh"] == "3"
    assert cashier.get(f"{url}/papers.zip").status_code == 404
    for _twice in range(2):
        jobs.make_bundle({"bundle_id": only(PaperBundle).id})
    assert only(PaperBundle).state == "done" and "Refresh" not in cashier.get(url).headers
    with zipfile.ZipFile(io.BytesIO(cashier.get(f"{url}/papers.zip").data)) as archive:
        names = archive.namelist()
        assert all(archive.read(name).startswith(b"%PDF-") for name in names)
    assert len(names) == 5 and f"{order.number}/contract.pdf" in names
    assert world.logged_in("chair.shi").get(url).status_code == 404
    assert bundles.zipped([("a", b"1")]) == bundles.zipped([("a", b"1")])


def test_each_side_sees_the_people_of_the_other_by_their_organisation_alone(papers, world):
    order = papers.accepted()
    page = world.logged_in("chair.shi").get(f"/village/orders/{order.id}").text
    assert "永州演示第一小学" in page
    assert [name for name in ("陈师傅", "王保管", "赵阿姨") if name in page] == []
    with clock.at(NOVEMBER):
        chair, cashier = world.logged_in("chair.shi"), world.logged_in("cashier.sun")
        url = send(chair, "/documents/statements", unit_id=world.organisation_id(SCHOOL), month=MONTH).location
        assert send(cashier, f"{url}/objection", page=url, reason="少了一笔").status_code == 303
        theirs, ours = chair.get(url).text, cashier.get(url).text
    assert "少了一笔" in theirs and "孙会计" not in theirs and "石社长" in theirs
    assert "孙会计" in ours and "石社长" not in ours


def test_a_bundle_is_for_the_unit_one_acts_for_and_for_nobody_who_has_left(papers, world):
    papers.accepted()
    sun, hospital = world.person("cashier.sun"), world.organisation_id(HOSPITAL)
    with db.transaction() as session:
        session.add(Membership(user_id=sun.id, organisation_id=hospital, role="finance"))
    made = {}
    for name, unit in (("school", sun.organisation_id), ("hospital", hospital)):
        with db.transaction():
            made[name] = bundles.ask(MONTH, None, logins.visitor_of_login("cashier.sun", unit)).id
        jobs.make_bundle({"bundle_id": made[name]})
    rows = {row.id: row for row in db.session().scalars(select(PaperBundle))}
    assert {name: rows[made[name]].state for name in made} == dict.fromkeys(made, "done")
    assert rows[made["school"]].whole > rows[made["hospital"]].whole == 0
    with db.transaction() as session:
        late = bundles.ask(MONTH, None, sun).id
        session.execute(delete(Membership).where(Membership.user_id == sun.id))
    jobs.make_bundle({"bundle_id": late})
    assert db.session().get_one(PaperBundle, late, populate_existing=True).state == "failed"


def test_report_15_says_what_is_overdue_and_what_it_costs(papers, world):
    order = papers.accepted()
    request = papers.request(order.id)
    papers.send(request.id, 2_000)
    papers.trade.pay(order.id, 500)
    with clock.at(NOON + timedelta(days=50)):
        page = world.logged_in("official.jin").get(
            "/reports/reconciliation.json?from=2026-10&to=2026-10").get_json()
    (row,) = page["rows"]
    assert {key: row[key] for key in ("accepted_fen", "invoiced_fen", "paid_fen", "open_fen", "due_on", "overdue_days",
                                      "interest_fen")} == {
        "accepted_fen": 2_000, "invoiced_fen": 2_000, "paid_fen": 500, "open_fen": 1_500,
        "due_on": (TODAY + timedelta(days=30)).isoformat(), "overdue_days": 20, "interest_fen": 15}
    assert world.logged_in("cook.chen").get("/reports/reconciliation").status_code == 404
