"""Collective income and risk signals over the pages: who sees and does what, what is told, what never is."""

import io
from collections.abc import Iterator
from datetime import timedelta

import pytest
from PIL import Image
from sqlalchemy import func, select

from market import clock, db
from market.journal import JournalEntry
from orders.collective import dated
from orders.collective.models import CollectiveDecision, OtherIncome
from orders.risk import finding
from orders.risk.models import RiskCase
from tests.earnings import Earnings
from tests.web.forms import send
from tests.world import NOON, TODAY, World

NOT_TOTAL = "不是家庭总收入"


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    with clock.at(NOON):
        yield


def paper() -> tuple[io.BytesIO, str]:
    content = io.BytesIO()
    Image.new("RGB", (60, 60), "white").save(content, "PNG")
    return io.BytesIO(content.getvalue()), "账页.png"


def rows() -> list[OtherIncome]:
    return list(db.session().scalars(select(OtherIncome).order_by(OtherIncome.id).execution_options(
        populate_existing=True)))


def test_a_village_declares_its_township_confirms_and_officials_read(world: World) -> None:
    village = world.villages["pomelo_home"]
    kong, yan, hua = (world.logged_in(login) for login in ("village.kong", "township.yan", "official.hua"))
    home, own = "/office/collective", f"/office/collective/{village}"
    assert "请勿把集体分成在此重复申报" in kong.get(home).text
    bad = send(kong, f"{own}/income", own, year="2026", kind="trading", amount_fen="-3", evidence=paper())
    assert bad.status_code == 422 and "amount_fen-error" in bad.text
    without = send(kong, f"{own}/income", own, year="2026", kind="trading", amount_fen="60000")
    assert without.status_code == 422 and rows() == []
    said = send(kong, f"{own}/income", own, year="2026", kind="trading", amount_fen="60000", evidence=paper())
    assert said.status_code == 303
    (row,) = rows()
    assert "等待乡镇确认" in kong.get(own).text and "未知：其他收入未申报" in kong.get(own).text
    assert "有 1 笔村集体其他收入等待确认" in yan.get("/office").text
    queue = "/office/collective/waiting"
    assert kong.get(queue).status_code == 403 and hua.get(queue).status_code == 403
    assert yan.get(f"/office/collective/income/{row.id}/evidence").status_code == 200
    assert send(yan, f"/office/collective/income/{row.id}/refusal", queue, reason="").status_code == 422
    assert send(yan, f"/office/collective/income/{row.id}/confirmation", queue).status_code == 303
    page = hua.get(own).text
    assert "一般村" in page and "60,000.00" in page
    report = hua.get("/reports/collective-income?from=2026-10&to=2026-10")
    assert "60,000.00" in report.text and "仅为测算，并非发放" in report.text
    assert world.logged_in("village.cao").get(own).status_code == 404
    for login in ("chair.he", "cook.chen"):
        assert world.logged_in(login).get(own).status_code == 403
    assert world.app.test_client().get("/reports/collective-income").status_code == 404
    fixed = send(kong, f"/office/collective/income/{row.id}/correction", own, right_fen="50000", reason="重复",
                 evidence=paper())
    assert fixed.status_code == 303 and [one.amount_fen for one in rows()] == [6_000_000, -1_000_000]
    noted = send(kong, f"{own}/decision", own, year="2026", number="村决〔2026〕3号", decided_on="2026-10-01")
    assert noted.status_code == 303 and "村决〔2026〕3号" in hua.get(own).text
    assert db.session().scalar(select(func.count()).select_from(CollectiveDecision)) == 1
    english = hua.get(f"{own}?lang=en").text
    assert "Suggested reward pool" in english and "A calculation, not a payment" in english


def test_rules_of_the_area_are_set_by_county_and_city(world: World) -> None:
    hua, page = world.logged_in("official.hua"), "/office/area-rules"
    assert "永扶字〔2020〕2号" in hua.get(page).text
    rule = {"name": "reward_ratio", "since": "2026-10-12", "value": "15", "document": "江发〔2026〕9号"}
    assert send(hua, page, **rule | {"value": "80"}).status_code == 422
    assert send(hua, page, **rule | {"name": "stopped_months", "value": "2.5"}).status_code == 422
    assert send(hua, page, **rule).status_code == 303
    assert send(hua, page, **rule | {"name": "stopped_months", "value": "4"}).status_code == 303
    assert dated.Rules("reward_ratio", TODAY).of_county(world.person("official.hua").division_id).value == 1_500
    assert dated.Rules("stopped_months", TODAY).of_county(world.person("official.hua").division_id).value == 4
    assert "江发〔2026〕9号" in hua.get(page).text
    assert world.logged_in("township.yan").post(page, data=rule).status_code in (400, 403)


def test_a_signal_is_handled_over_the_pages_and_names_stay_masked(world: World) -> None:
    earnings = Earnings(world)
    earnings.earn(world.household_id("DEMO-XT-0001"), TODAY - timedelta(days=90), 800, paid=False)
    finding.follow(TODAY)
    case = db.session().scalars(select(RiskCase.id)).one()
    cao, jin, page = world.logged_in("village.cao"), world.logged_in("official.jin"), f"/office/risk/{case}"
    for path in ("/office/risk", page):
        text = cao.get(path).text
        assert "DEMO-XT-0001" in text and "XT户1" not in text and "X＊" in text and NOT_TOTAL in text
        assert "贫困户" not in text
        for login in ("chair.shi", "clerk.zhang", "cook.chen"):
            assert world.logged_in(login).get(path).status_code == 403
        assert world.app.test_client().get(path).status_code == 302
    for login in ("village.kong", "township.yan", "official.hua"):
        assert world.logged_in(login).get(page).status_code == 404
        assert "DEMO-XT-0001" not in world.logged_in(login).get("/office/risk").text
    shown = send(cao, f"{page}/name", page)
    assert shown.status_code == 200 and "XT户1" in shown.text
    assert db.session().scalar(select(func.count()).where(JournalEntry.action == "risk.name_shown")) == 1
    assert "XT户1" not in cao.get(page).text
    bad = send(cao, f"{page}/handling", page, handler_id=str(world.person("village.cao").id), due_on="2026-10-01",
               measures="上门")
    assert bad.status_code == 422 and "due_on-error" in bad.text
    assert send(cao, f"{page}/handling", page, handler_id=str(world.person("village.cao").id), due_on="2026-10-30",
                measures="上门核实").status_code == 303
    assert send(cao, f"{page}/closing", page, outcome="已付清").status_code == 303
    assert send(cao, f"{page}/closure", page).status_code == 409
    assert "等待第二人确认清零" in jin.get("/office").text
    assert send(jin, f"{page}/closure", page).status_code == 303
    assert "已付清" in cao.get("/office/risk?state=closed").text
    report = jin.get("/reports/risk-signals?from=2026-10&to=2026-10").text
    assert "DEMO-XT-0001" in report and "XT户1" not in report and NOT_TOTAL in report
    assert world.app.test_client().get("/reports/risk-signals").status_code == 404
    table = jin.get("/reports/risk-signals.csv?from=2026-10&to=2026-10").data.decode("utf-8-sig")
    assert "800.00" not in table and "8.00" in table and NOT_TOTAL in table


def test_an_overdue_signal_stands_out_on_the_first_page(world: World) -> None:
    Earnings(world).earn(world.household_id("DEMO-XT-0002"), TODAY - timedelta(days=90), 800, paid=False)
    finding.follow(TODAY)
    cao = world.logged_in("village.cao")
    assert "有 1 条防返贫线索未清零" in cao.get("/office").text
    with clock.at(NOON + timedelta(days=31)):
        cao = world.logged_in("village.cao")
        assert "有 1 条防返贫线索已超期" in cao.get("/office").text
        assert "DEMO-XT-0002" in cao.get("/office/risk?state=overdue").text
