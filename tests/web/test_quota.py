"""The reserved share at the door: a school files, its bureau and finance answer; nobody sees what is not theirs."""

import csv
import io
from collections.abc import Iterator

import pytest
from flask import Flask, current_app
from flask.testing import FlaskClient
from sqlalchemy import func, select

from market import clock, db
from market.parties import Organisation
from orders.quota import routes
from orders.quota.models import OutsideOrder, QuotaFiling, QuotaRule, QuotaSuccession
from tests.counting import count_statements
from tests.quota_people import Office
from tests.services.test_quota import SHEET
from tests.trade import Trade
from tests.web.forms import send
from tests.web.test_capacity import picture
from tests.world import NOON, SCHOOL, World

FORM = {"year": "2026", "canteen": "own", "canteen_base": "1000000", "canteen_ratio": "20", "contact": "钱主任",
        "phone": "13900001234", "submit": "1"}


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    with clock.at(NOON):
        yield


@pytest.fixture
def office(app: Flask, world: World) -> Office:
    return Office(world)


def test_a_filing_is_returned_corrected_and_approved_and_its_phone_is_masked(world: World, office: Office) -> None:
    office.rule()
    bureau = office.join("永州演示教育局", "bureau.tang", "唐科长", "manager", unit_type="agency")
    office.supervise(bureau)
    school, above, money = (world.logged_in(login) for login in ("admin.qian", "bureau.tang", "budget.ma"))
    assert "尚未填报" in school.get("/quota").text
    low = send(school, "/quota/filing", **{**FORM, "canteen_ratio": "19.99"})
    assert low.status_code == 422 and "演示〔2026〕1号" in low.text and 'value="19.99"' in low.text
    for year in ("²²²²", "２０２６", "0000", ""):
        assert send(school, "/quota/filing", **{**FORM, "year": year}).status_code == 422, year
    assert db.session().scalar(select(func.count()).select_from(QuotaFiling)) == 0
    saved = send(school, "/quota/filing", **FORM)
    number = db.session().scalars(select(QuotaFiling.id)).one()
    page = f"/quota/filings/{number}"
    assert saved.location == page and "13900001234" in school.get(page).text
    assert "139****1234" in above.get(page).text and "13900001234" not in above.get(page).text
    assert "1 份预留份额填报待审核" in _waiting(world, "bureau.tang")
    answer = {"revision": "1", "decision": "return", "reason": "基数不对"}
    assert send(above, page + "/review", page, **answer).status_code == 303
    assert "基数不对" in school.get("/quota/filing").text and "1000000.00" in school.get("/quota/filing").text
    send(school, "/quota/filing", **{**FORM, "canteen_base": "1200000"})
    assert send(above, page + "/review", page, revision="2", decision="approve").status_code == 303
    office_page = f"/office/quota/filings/{number}"
    assert "永州演示第一小学" in money.get("/office/quota").text
    decided = send(money, office_page + "/decision", office_page, revision="2", decision="approve")
    assert decided.status_code == 303 and "240,000.00" in school.get("/quota").text
    assert "永州演示第一小学" in above.get("/quota/below").text


def _waiting(world: World, login: str) -> str:
    with current_app.test_request_context():
        return " ".join(line.text for line in routes.waiting_here(world.person(login)))


def test_foreign_filings_and_units_answer_like_unknown_ones(world: World, office: Office) -> None:
    office.rule()
    number = office.file(world.person("admin.qian"))
    other = world.logged_in("cook.wu")
    for address in (f"/quota/filings/{number}", "/quota/filings/999999", "/quota?unit=999999",
                    f"/quota?unit={world.organisation_id(SCHOOL)}",
                    f"/quota/units/{world.organisation_id(SCHOOL)}/lines"):
        assert other.get(address).status_code == 404, address
    assert send(other, f"/quota/filings/{number}/review", "/quota/filing", revision="1",
                decision="approve").status_code == 404
    county = world.logged_in("official.hua")  # of Jiangyong; the school is the city's
    for address in (f"/office/quota/filings/{number}", f"/office/quota/units/{world.organisation_id(SCHOOL)}",
                    f"/office/quota/units/{world.organisation_id(SCHOOL)}/lines"):
        assert county.get(address).status_code == 404, address
    assert office.row(number).state == "submitted"
    city = world.logged_in("official.jin")  # reads, but is no finance office
    page = f"/office/quota/filings/{number}"
    assert city.get(page).status_code == 200
    assert send(city, page + "/decision", "/office/quota/rules", revision="1", decision="approve").status_code == 403


def test_figures_open_to_their_orders_and_files(world: World, office: Office) -> None:
    office.rule()
    trade = Trade(world)
    product = trade.product("白菜")
    trade.lot(product)
    order = trade.orders(trade.place({product: 10_000}))[0]
    trade.ship(order.id)
    trade.accept(order.id)
    browser, own = world.logged_in("cook.chen"), f"/quota/units/{world.organisation_id(SCHOOL)}/lines"
    page = browser.get(own + "?figure=canteen").text
    assert order.number in page and page.count("20.00") >= 2
    rows = list(csv.reader(io.StringIO(browser.get(own + ".csv?figure=local").data.decode("utf-8-sig"))))
    assert [row[-1] for row in rows[1:3]] == ["20.00", "20.00"]
    for figure in ("832", "open", "unpaid", "total", "outside"):
        assert browser.get(f"{own}?figure={figure}").status_code == 200
    assert browser.get(own + "?figure=nothing").status_code == 404
    assert browser.get("/quota/below?format=xlsx").status_code == 200
    official = world.logged_in("official.jin")
    report = official.get("/reports/unit-progress.json?period=2026-10").get_json()
    assert report["totals"]["canteen"] == 2_000 == sum(row["canteen"] for row in report["rows"])
    assert f"/office/quota/units/{world.organisation_id(SCHOOL)}/lines" in official.get(
        "/reports/unit-progress?period=2026-10").text
    assert browser.get("/reports/unit-progress").status_code == 404


def test_the_register_shows_filings_with_masked_phones(world: World, office: Office) -> None:
    office.rule()
    office.file(world.person("admin.qian"))
    official = world.logged_in("official.jin")
    for kind in ("", ".csv", ".json", "?format=print"):
        text = official.get(f"/reports/quota-filings{kind}").text
        assert "139****1234" in text and "13900001234" not in text, kind
    assert official.get("/reports/quota-filings.xlsx").status_code == 200


def test_units_not_yet_let_in_and_drafts_stay_out_of_both_reports(world: World, office: Office) -> None:
    """[832] Only real units enter statistics; a draft is nobody's business yet."""
    office.rule()
    office.file(office.join("永州演示新校", "head.he", "何校长", "manager", unit_type="school", status="applying"))
    office.file(world.person("admin.qian"), submit=False)
    official = world.logged_in("official.jin")
    for name in ("unit-progress", "quota-filings"):
        report = official.get(f"/reports/{name}.json?period=2026-10").get_json()
        assert (report["rows"], report["totals"]["base"] or 0) == ([], 0), name
        whole = official.get(f"/reports/{name}.json?period=2026-10&every=1").get_json()
        assert {row["unit"]: row["base"] for row in whole["rows"]} == {
            "永州演示第一小学": None, "永州演示医院": None}, name
    school = world.organisation_id(SCHOOL)
    assert "草稿" not in official.get(f"/office/quota/units/{school}").text
    assert "草稿" in world.logged_in("admin.qian").get("/quota").text


def test_an_export_with_a_wrong_row_is_not_taken_at_all(world: World, office: Office) -> None:
    browser = world.logged_in("cashier.sun")
    wrong = SHEET.format(unit="永州演示第一小学").replace("200,", "两百,")
    refused = _sent(browser, wrong)
    assert refused.status_code == 422 and "订单金额" in refused.text
    assert db.session().scalar(select(func.count()).select_from(OutsideOrder)) == 0
    for _turn in range(2):
        assert _sent(browser, SHEET.format(unit="永州演示第一小学")).status_code == 303
    assert db.session().scalar(select(func.count()).select_from(OutsideOrder)) == 2
    assert "孙会计" in browser.get("/quota/832").text
    assert "1,200.00" in browser.get("/quota").text
    filing = "预算单位,年度,采购总额,预留比例,预留份额\n永州演示第一小学,2026,10000,10%,1000\n"
    assert _sent(browser, filing, kind="filing").status_code == 303
    assert "120.0%" in browser.get("/quota").text
    assert _sent(browser, "x").status_code == 422


def _sent(browser, text, kind="orders"):  # type: ignore[no-untyped-def]
    return send(browser, "/quota/832", kind=kind, file=(io.BytesIO(text.encode()), "832.csv"))


def test_rules_are_entered_and_replaced_with_their_document(world: World, office: Office) -> None:
    browser = world.logged_in("budget.ma")
    form = {"year": "2026", "unit_type": "school", "fund_source": "canteen", "duty": "local", "counts": "local",
            "least": "20", "encouraged": "30", "base": "食堂采购", "document_name": "通知", "document_number": "1号"}
    assert send(browser, "/office/quota/rules", **{**form, "document_number": ""}).status_code == 422
    assert send(browser, "/office/quota/rules", **form).status_code == 303
    assert send(browser, "/office/quota/rules", **form).status_code == 409
    first = db.session().scalars(select(QuotaRule.id)).one()
    assert send(browser, "/office/quota/rules", **{**form, "least": "25", "replaces": first}).status_code == 303
    assert "已替换" in browser.get("/office/quota/rules").text
    assert db.session().scalar(select(func.count()).select_from(QuotaRule)) == 2
    assert send(browser, "/office/quota/term", "/office/quota/rules", year="2026",
                deadline="2026-12-01").status_code == 303
    assert "填报截止日" in world.logged_in("admin.qian").get("/quota").text
    farm = world.logged_in("farm.luo")
    assert send(farm, "/office/quota/rules", **form).status_code == 403


def test_a_merger_is_declared_with_evidence_and_confirmed(world: World, office: Office) -> None:
    browser = world.logged_in("admin.qian")
    sent = send(browser, "/quota/succession", kind="merged", successor="永州演示医院", from_day="2026-10-13",
                evidence=picture())
    assert sent.status_code == 303
    number = db.session().scalars(select(QuotaSuccession.id)).one()
    money = world.logged_in("budget.ma")
    assert "永州演示医院" in money.get("/office/quota").text
    assert send(money, f"/office/quota/successions/{number}/decision", "/office/quota",
                decision="approve").status_code == 303
    assert db.session().scalars(select(QuotaSuccession.state)).one() == "confirmed"


def test_more_units_cost_no_more_statements(app: Flask, world: World, office: Office) -> None:
    office.rule()
    bureau = office.join("永州演示教育局", "bureau.tang", "唐科长", "manager", unit_type="agency")
    office.file(bureau)
    browsers = {login: world.logged_in(login) for login in ("bureau.tang", "official.jin")}
    pages = [("bureau.tang", "/quota"), ("bureau.tang", "/quota/below"),
             *(("official.jin", path) for path in (
                 "/office/quota?tab=all", "/office/quota/rules", *(
                     f"/reports/{name}?from=2026-10&to=2026-10&every=1" for name in (
                         "unit-progress", "quota-filings", "reconciliation"))))]
    costs = []
    for numbers in (range(2), range(2, 9)):
        for number in numbers:
            name = f"永州演示{number}校"
            office.file(office.join(name, f"head{number}.he", "何校长", "manager", unit_type="school"))
            with db.transaction() as session:
                session.scalars(select(Organisation).where(Organisation.name == name)).one().parent_id = (
                    bureau.organisation_id)
            office.rule(unit_type="any", fund_source="canteen", year=2030 + number)
            office.rule(unit_type=("school", "hospital", "agency", "enterprise", "community")[number % 5],
                        fund_source=("union", "staff")[number // 5])
        costs.append({page: _cost(app, browsers[login], page) for login, page in pages})
    assert costs[0] == costs[1]


def _cost(app: Flask, browser: FlaskClient, page: str) -> int:
    assert browser.get(page).status_code == 200, page
    with count_statements(app) as statements:
        browser.get(page)
    return len(statements)
