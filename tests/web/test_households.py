"""Income cards, the register, classes and figures over HTTP: who sees what, masked names, second persons."""

import csv
import io
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from market import clock, db
from market.households import Household, HouseholdClass
from market.journal import JournalEntry
from market.places import Division
from orders.households.models import CostRatio, HouseholdClassChange, MonitoringLine, NameReveal
from tests.services.test_household_shares import eaten
from tests.trade import Trade
from tests.web.forms import csrf_token, send
from tests.world import GREENS, NOON, World

LIST, CHANGES, FIGURES = "/office/households", "/office/household-classes", "/office/household-figures"


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    with clock.at(NOON):
        yield


def sold(world: World, trade: Trade) -> int:
    """A household that sold cabbage and earned a wage; returns its id."""
    cabbage = trade.product("白菜")
    trade.lot(cabbage, 20)
    eaten(trade, cabbage, 10_000)
    household = world.household_id("DEMO-XT-0001")
    trade.wage(GREENS, household, 8_000)
    return household


def card_of(household: int) -> str:
    return f"{LIST}/{household}"


def count(entity: type[db.Base], *where: object) -> int:
    return db.session().scalar(select(func.count()).select_from(entity).where(*where)) or 0  # type: ignore[arg-type]


def test_a_card_is_read_in_its_area_with_a_masked_name(world: World, trade: Trade, client: FlaskClient) -> None:
    household = sold(world, trade)
    for login in ("village.cao", "official.jin", "auditor.wei"):
        page = world.logged_in(login).get(card_of(household)).text
        assert "XT户1" not in page and "X＊" in page and "DEMO-XT-0001" in page
        assert "86.00" in page and "本卡仅为通过本平台取得的收入，不是家庭总收入" in page and "贫困" not in page
    for login in ("village.kong", "township.yan", "official.hua"):  # another village, township, county
        far = world.logged_in(login)
        assert far.get(card_of(household)).status_code == 404 == far.get(f"{card_of(household)}.csv").status_code
        assert send(far, f"{card_of(household)}/name", LIST, purpose="看看").status_code == 404
    assert client.get(card_of(household)).status_code == 302
    assert world.logged_in("cook.chen").get(card_of(household)).status_code == 403
    assert world.logged_in("chair.shi").get(card_of(household)).status_code == 403
    assert count(NameReveal) == 0


def test_print_and_files_say_the_same_as_the_page(world: World, trade: Trade) -> None:
    household = sold(world, trade)
    official = world.logged_in("official.jin")
    sheet = official.get(f"{card_of(household)}.print").text
    assert "第一书记" in sheet and "帮扶责任人" in sheet and "签" in sheet and "XT户1" not in sheet and "86.00" in sheet
    rows = list(csv.reader(io.StringIO(official.get(f"{card_of(household)}.csv").data.decode("utf-8-sig"))))
    assert [(row[4], row[5], row[6]) for row in rows[1:3]] == [("5", "1.20", "6.00"), ("", "", "80.00")]
    assert "XT户1" not in str(rows) and "不是家庭总收入" in str(rows)
    assert official.get(f"{card_of(household)}.xlsx").status_code == 200
    assert official.get(f"{card_of(household)}.exe").status_code == 404
    assert "86.00" not in official.get(f"{card_of(household)}?year=2026").text


def test_a_full_name_is_shown_once_and_every_look_is_kept(world: World, trade: Trade) -> None:
    household = sold(world, trade)
    officer = world.logged_in("village.cao")
    refused = send(officer, f"{card_of(household)}/name", card_of(household))
    assert refused.status_code == 422 and "XT户1" not in refused.text and count(NameReveal) == 0
    page = send(officer, f"{card_of(household)}/name", card_of(household), purpose="核对户册")
    assert "XT户1" in page.text and page.headers["Cache-Control"] == "private, no-store"
    sheet = send(officer, f"{card_of(household)}/name", card_of(household), purpose="入户核对、签字", sheet="1")
    assert "XT户1" in sheet.text and "sheet-page" in sheet.text
    assert "XT户1" not in officer.get(card_of(household)).text
    assert count(NameReveal) == 2 == count(JournalEntry, JournalEntry.action == "household.revealed")
    for login in ("security.jiang", "audit.qi", "official.jin", "village.cao", "auditor.wei"):
        listed = world.logged_in(login).get(f"{LIST}/names").text
        assert listed.count("曹村主任") >= 2 and "核对户册" in listed and "XT户1" not in listed, login
    assert "核对户册" not in world.logged_in("official.hua").get(f"{LIST}/names").text  # another county
    assert world.logged_in("system.tao").get(f"{LIST}/names").status_code == 403


def test_a_co_operative_reads_the_cards_of_its_own_members(world: World, trade: Trade) -> None:
    household = sold(world, trade)
    page = world.logged_in("clerk.zhang").get(f"/village/members/{household}/card")
    assert "XT户1" in page.text and "86.00" in page.text
    assert "XT户1" in world.logged_in("chair.shi").get(f"/village/members/{household}/card.print").text
    for kind in ("", ".csv", ".print"):
        assert world.logged_in("clerk.lv").get(f"/village/members/{household}/card{kind}").status_code == 404
    assert world.logged_in("official.jin").get(f"/village/members/{household}/card").status_code == 403


def test_villages_and_households_are_listed_with_sums(world: World, trade: Trade) -> None:
    sold(world, trade)
    official = world.logged_in("official.jin")
    page = official.get(LIST).text
    assert "92.00" in page  # 12.00 of cabbage and a wage of 80.00
    code = _code(world, "greens_home")
    rows = official.get(f"{LIST}?place={code}&sort=gross&order=desc").text
    assert rows.index("DEMO-XT-0001") < rows.index("DEMO-XT-0002") and "92.00" in rows and "XT户" not in rows
    table = official.get(f"{LIST}/list.csv?place={code}").data.decode("utf-8-sig")
    assert "92.00" in table and "XT户" not in table and "不是家庭总收入" in table
    assert official.get(f"{LIST}?place={code[:9]}000").status_code == 200  # the township
    assert official.get(f"{LIST}?place={code}&class=stable&year=2027").text.count("DEMO-XT-000") > 0
    assert official.get(f"{LIST}/list.csv").status_code == 404
    far = world.logged_in("official.hua")
    assert far.get(f"{LIST}?place={code}").status_code == 404 and "92.00" not in far.get(LIST).text
    report = official.get("/reports/household-income.csv?from=2026-10&to=2026-10").data.decode("utf-8-sig")
    assert "DEMO-XT-0001" in report and "92.00" in report and "XT户" not in report
    assert world.app.test_client().get("/reports/household-income").status_code == 404
    assert world.logged_in("chair.shi").get("/reports/household-income").status_code == 404


def _code(world: World, village: str) -> str:
    return db.session().scalars(select(Division.code).where(Division.id == world.villages[village])).one()


# ---- the register ---------------------------------------------------------------------------------------------------


def test_a_household_is_entered_and_corrected_in_the_own_area(world: World) -> None:
    officer, home = world.logged_in("village.cao"), world.villages["greens_home"]
    facts = {"register_code": "DEMO-XT-0099", "village_id": str(home), "head_name": "蒋新民", "people": "4"}
    for wrong in ({"people": "31"}, {"people": "0"}, {"village_id": str(world.villages["pomelo_home"])},
                  {"register_code": "DEMO-XT-0001"}, {"register_code": "DEMO-JY-0001"}, {"head_name": ""}):
        assert send(officer, LIST, f"{LIST}/new", **(facts | wrong)).status_code == 422, wrong
    assert count(Household, Household.head_name == "蒋新民") == 0
    assert send(officer, LIST, f"{LIST}/new", **facts).status_code == 303
    household = world.household_id("DEMO-XT-0099")
    assert "蒋新民" not in officer.get(card_of(household)).text
    corrected = facts | {"head_name": "", "people": "5"}
    assert send(officer, f"{card_of(household)}/facts", card_of(household), **corrected).status_code == 303
    taken = facts | {"register_code": "DEMO-XT-0002"}
    assert send(officer, f"{card_of(household)}/facts", card_of(household), **taken).status_code == 422
    row = db.session().get_one(Household, household)
    assert (row.head_name, row.people, row.register_code) == ("蒋新民", 5, "DEMO-XT-0099")
    far = world.logged_in("village.kong")
    assert send(far, f"{card_of(household)}/facts", f"{LIST}/new", **corrected).status_code == 404
    acts = db.session().scalars(
        select(JournalEntry.action).where(JournalEntry.thing_kind == "household",
                                          JournalEntry.thing_id == str(household)).order_by(JournalEntry.id)).all()
    assert acts == ["household.entered", "household.corrected"]


def test_a_class_that_changes_needs_a_second_person(world: World) -> None:
    household = world.household_id("DEMO-JY-0001")  # stable in 2026
    hua, jin = world.logged_in("official.hua"), world.logged_in("official.jin")
    same = {"year": "2027", "household_class": "stable", "source": "2027 年名单"}
    assert send(hua, f"{card_of(household)}/class", card_of(household), **same).status_code == 303
    other = same | {"household_class": "unstable"}
    assert send(hua, f"{card_of(household)}/class", card_of(household), **other).status_code == 303
    assert _class(household, 2027) == "stable"  # not yet
    assert send(jin, f"{card_of(household)}/class", card_of(household), **other).status_code == 409
    change = db.session().scalars(select(HouseholdClassChange.id).where(HouseholdClassChange.state == "waiting")).one()
    confirm = {"changes[]": str(change)}
    assert send(hua, f"{CHANGES}/confirmations", CHANGES, **confirm).status_code == 422  # proposed it
    assert send(hua, f"{CHANGES}/{change}/refusal", CHANGES, reason="不对").status_code == 409
    assert _class(household, 2027) == "stable"
    assert "等待第二人确认" in jin.get("/office").text
    assert send(jin, f"{CHANGES}/confirmations", CHANGES, **confirm).status_code == 303
    assert _class(household, 2027) == "unstable"
    assert send(jin, f"{CHANGES}/confirmations", CHANGES, **confirm).status_code == 409  # once
    page = hua.get(card_of(household)).text
    assert "脱贫不稳定" in page and "2027 年名单" in page and "华科长" in page
    for tab in ("confirmed", "set", "refused"):
        assert hua.get(f"{CHANGES}?tab={tab}").status_code == 200
    assert send(world.logged_in("village.kong"), f"{card_of(household)}/class", card_of(household),
                **same).status_code == 403


def _class(household: int, year: int) -> str | None:
    return db.session().scalar(select(HouseholdClass.household_class).where(
        HouseholdClass.household_id == household, HouseholdClass.year == year))


def test_somebody_elses_change_is_unknown(world: World) -> None:
    household = world.household_id("DEMO-XT-0001")
    jin, hua = world.logged_in("official.jin"), world.logged_in("official.hua")
    send(jin, f"{card_of(household)}/class", card_of(household), year="2027", household_class="marginal", source="名单")
    change = db.session().scalars(select(HouseholdClassChange.id)).one()
    assert send(hua, f"{CHANGES}/confirmations", CHANGES, **{"changes[]": str(change)}).status_code == 404
    assert send(hua, f"{CHANGES}/{change}/refusal", CHANGES, reason="不对").status_code == 404
    assert send(hua, f"{card_of(household)}/class", LIST, year="2027", household_class="stable",
                source="名单").status_code == 404
    assert _class(household, 2027) is None


# ---- figures --------------------------------------------------------------------------------------------------------


def test_ratios_are_kept_by_agriculture_and_city_offices(world: World, trade: Trade) -> None:
    sold(world, trade)
    ratio = {"category": "vegetables", "percent": "25", "valid_from": "2027", "source": "2026 年测算表"}
    hua = world.logged_in("official.hua")  # a revitalisation office
    token = csrf_token(hua, FIGURES)
    assert hua.post(f"{FIGURES}/ratios", data={"csrf_token": token, **ratio}).status_code == 403
    luo = world.logged_in("farm.luo")
    assert send(luo, f"{FIGURES}/ratios", FIGURES, **(ratio | {"percent": "101"})).status_code == 422
    assert send(luo, f"{FIGURES}/ratios", FIGURES, **(ratio | {"category": "moon"})).status_code == 422
    assert count(CostRatio) == 0
    assert "楚雄州" in luo.get(FIGURES).text
    assert send(luo, f"{FIGURES}/ratios", FIGURES, **ratio).status_code == 303
    page = world.logged_in("official.jin").get(card_of(world.household_id("DEMO-XT-0001"))).text
    assert "25.0%" in page and "84.50" in page and "86.00" in page  # 6.00 less a quarter, and the wage whole


def test_a_monitoring_line_is_only_a_note(world: World, trade: Trade) -> None:
    household = sold(world, trade)
    jin = world.logged_in("official.jin")
    line = {"line_year": "2027", "amount_fen": "8800", "line_source": "演示文件"}
    assert send(jin, f"{FIGURES}/lines", FIGURES, **(line | {"amount_fen": "0"})).status_code == 422
    assert "监测线" not in jin.get(card_of(household)).text and count(MonitoringLine) == 0
    assert send(jin, f"{FIGURES}/lines", FIGURES, **line).status_code == 303
    page = jin.get(card_of(household)).text
    assert "永州市演示乡村振兴局登记的 2027 年监测线" in page and "8,800.00" in page and "不与其比较" in page
    assert world.logged_in("village.cao").get(FIGURES).status_code == 200
