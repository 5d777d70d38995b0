"""The pages of linkages and declared income: at the village desk on a phone, and on the officer's side."""

import io
import re
from collections.abc import Iterator
from datetime import date

import pytest
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from market import clock, db, villages
from market.linkages import Linkage
from orders.income import households
from orders.income import linkages as ties
from orders.linkages import helped
from orders.models import CollectiveAgreement, CollectiveProposal, IncomeCorrection, IncomeDeclaration
from tests.trade import Trade
from tests.world import GREENS, NOON, POMELO, TODAY, World

pytestmark = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    with clock.at(NOON):
        yield


def post(client: FlaskClient, path: str, page: str, **data: object) -> TestResponse:
    """Send a form with the tokens of the page that it stands on."""
    text = client.get(page).text
    tokens = {name: re.search(f'name="{name}" value="([^"]+)"', text)[1]  # type: ignore[index]
              for name in ("csrf_token", "submit_token")}
    return client.post(path, data={**tokens, **data}, content_type="multipart/form-data")


def photo() -> tuple[io.BytesIO, str]:
    out = io.BytesIO()
    Image.new("RGB", (40, 30), "white").save(out, "PNG")
    return io.BytesIO(out.getvalue()), "协议.png"


def rows_of(entity: type[db.Base]) -> int:
    return db.session().scalar(select(func.count()).select_from(entity)) or 0


def agreed(**other: object) -> dict[str, object]:
    return {"whom": "household", "member": "M003", "kind": "direct_support", "form": "employment",
            "since": "2026-01-01", "evidence": photo(), **other}


def test_a_linkage_is_entered_by_the_clerk_and_confirmed_by_the_village(world: World, trade: Trade) -> None:
    clerk, cao, kong = (world.logged_in(login) for login in ("clerk.zhang", "village.cao", "village.kong"))
    new, office = "/village/linkages/new", "/office/linkages"
    village = world.villages["greens_home"]
    for wrong in ({"member": "谁"}, {"member": ""}, {"last_day": "2025-12-31"}, {"form": "delivery"}, {"evidence": ""},
                  {"whom": "village"}, {"bears_returns": "1"}, {"form": "collective_share"}):
        answer = post(clerk, "/village/linkages", new, **agreed(**wrong))
        assert answer.status_code == 422, wrong
    assert rows_of(Linkage) == 0
    assert post(clerk, "/village/linkages", new, **agreed(last_day="2026-12-31")).status_code == 303
    code = world.household_id("DEMO-XT-0004")
    assert post(clerk, "/village/linkages", new, **agreed(member="demo-xt-0004")).status_code == 303
    rows = db.session().scalars(select(Linkage).order_by(Linkage.id)).all()
    assert [(row.household_id, row.village_id, row.until) for row in rows] == [
        (world.household_id("DEMO-XT-0003"), village, date(2027, 1, 1)), (code, village, None)]
    first, second = (row.id for row in rows)
    assert "XT户3" in clerk.get("/village/linkages").text
    page = cao.get(office).text
    assert "X＊" in page and "XT户3" not in page and "DEMO-XT-0003" in page
    assert "DEMO-XT-0003" not in kong.get(office).text
    assert kong.get(f"{office}/{first}/evidence").status_code == 404
    assert cao.get(f"{office}/{first}/evidence").status_code == 200
    assert world.logged_in("chair.he").get(f"/village/linkages/{first}/evidence").status_code == 404
    assert post(kong, f"{office}/{first}/confirmation", "/account").status_code == 404
    assert post(cao, f"{office}/{first}/confirmation", office).status_code == 303
    assert post(cao, f"{office}/{second}/refusal", office, reason="").status_code == 422
    assert post(cao, f"{office}/{second}/refusal", office, reason="没有签字").status_code == 303
    assert "没有签字" in clerk.get("/village/linkages?state=refused").text
    assert post(clerk, f"/village/linkages/{second}/end", "/village/linkages/new",
                last_day="2026-11-01").status_code == 409
    readers = world.logged_in("official.jin").get(f"{office}?state=all").text
    assert "XT户3" not in readers and "DEMO-XT-0003" in readers and f"{office}/{first}/confirmation" not in readers


def test_a_list_is_declared_row_by_row_and_confirmed_by_one_tap(world: World, trade: Trade) -> None:
    clerk, cao = world.logged_in("clerk.zhang"), world.logged_in("village.cao")
    third, fourth = (world.household_id(f"DEMO-XT-000{n}") for n in (3, 4))
    trade.tie(GREENS, third)
    new, path = "/village/declarations/new", "/village/declarations"
    assert "M003 XT户3" in clerk.get(new).text  # whom a wage is agreed with stands there already
    rows = {"kind": "wage", "month": "2026-10", "lines-0-member": "M003", "lines-0-amount_fen": "80.00",
            "lines-1-member": "M004", "lines-1-amount_fen": "50"}
    answer = post(clerk, path, new, **rows, proof=photo())
    assert answer.status_code == 422
    assert 'id="lines-1-member-error"' in answer.text and 'id="lines-0-member-error"' not in answer.text
    assert rows_of(IncomeDeclaration) == 0
    trade.tie(GREENS, fourth, "land_rights")
    more = post(clerk, path, new, **rows, more="1")
    assert more.status_code == 200 and 'name="lines-1-linkage_id"' in more.text
    assert post(clerk, path, new, **rows, proof=photo()).status_code == 303
    again = post(clerk, path, new, **rows, proof=photo())
    assert again.status_code == 422 and 'name="lines-0-again"' in again.text
    assert rows_of(IncomeDeclaration) == 2
    ticked = {**rows, "lines-0-again": "1", "lines-1-amount_fen": "", "lines-1-member": ""}
    assert post(clerk, path, new, **ticked, proof=photo()).status_code == 303
    ids = list(db.session().scalars(select(IncomeDeclaration.id).order_by(IncomeDeclaration.id)))
    assert post(clerk, f"{path}/{ids[2]}/withdrawal", path).status_code == 303
    page = cao.get("/office/declarations")
    assert page.text.count('name="ids[]"') == 2 and "XT户3" not in page.text
    assert post(cao, "/office/declarations/confirmation", "/office/declarations",
                **{"ids[]": [str(ids[0]), str(ids[1]), str(ids[2])]}).status_code == 409
    assert post(cao, "/office/declarations/confirmation", "/office/declarations",
                **{"ids[]": [str(ids[0]), str(ids[1])]}).status_code == 303
    assert post(clerk, f"{path}/{ids[0]}/correction", path, amount_fen="81", reason="多").status_code == 409
    assert post(clerk, f"{path}/{ids[0]}/correction", path, amount_fen="20", reason="多写").status_code == 303
    correction = db.session().scalars(select(IncomeCorrection.id)).one()
    assert "多写" in cao.get("/office/declarations").text
    assert post(cao, f"/office/corrections/{correction}/confirmation", "/office/declarations").status_code == 303
    due = households.dues(world.organisation_id(GREENS), [world.villages["greens_home"]])
    assert due[world.villages["greens_home"], third, "wage"].unpaid_fen == 6_000
    assert "20.00" in clerk.get(path).text


def test_a_table_is_taken_whole_or_not_at_all(world: World, trade: Trade) -> None:
    clerk, path = world.logged_in("clerk.zhang"), "/village/declarations/sheet"
    for number in (3, 4):
        trade.tie(GREENS, world.household_id(f"DEMO-XT-000{number}"))

    def send(text: str) -> TestResponse:
        return post(clerk, path, "/village/declarations/new", kind="wage", month="2026-10", proof=photo(),
                    sheet=(io.BytesIO(text.encode()), "表.csv"))

    for wrong in ("社员,金额\nM003,12.50\nM005,3\n", "社员,金额\nM003,一元\n", "谁,金额\nM003,1\n", "社员,金额\n"):
        assert send(wrong).status_code == 422, wrong
    assert "3" in send("社员,金额\nM003,12.50\nM005,3\n").text
    assert rows_of(IncomeDeclaration) == 0
    assert send("社员,金额\nM003,12.50\nDEMO-XT-0004,3\n").status_code == 303
    assert list(db.session().scalars(select(IncomeDeclaration.amount_fen).order_by(IncomeDeclaration.id))) == [
        1250, 300]


def test_a_collectives_share_and_its_money(world: World, trade: Trade) -> None:
    chair, cao = world.logged_in("chair.shi"), world.logged_in("village.cao")
    code = "431128001200"
    wish = {"village": code, "basis_points": "3", "valid_from": "2026-10-01", "decision_no": "2026-7"}
    path, office = "/village/collective-shares", "/office/collective-shares"
    assert post(chair, path, path, **{**wish, "basis_points": "51"}, evidence=photo()).status_code == 422
    assert post(chair, path, path, **wish, evidence=photo()).status_code == 303
    proposal = db.session().scalars(select(CollectiveProposal.id)).one()
    declared = {"kind": "collective", "month": "2026-10", "lines-0-member": code, "lines-0-amount_fen": "500"}
    new = "/village/declarations/new?kind=collective"
    assert post(chair, "/village/declarations", new, **declared, proof=photo()).status_code == 422  # not agreed yet
    assert post(world.logged_in("village.kong"), f"{office}/{proposal}/confirmation", "/account").status_code == 404
    assert cao.get(f"{office}/{proposal}/evidence").status_code == 200
    assert post(cao, f"{office}/{proposal}/confirmation", office).status_code == 303
    assert rows_of(CollectiveAgreement) == 1
    assert "3.0" in chair.get(path).text
    assert post(chair, "/village/declarations", new, **declared, proof=photo()).status_code == 303
    row = db.session().scalars(select(IncomeDeclaration)).one()
    assert (row.household_id, row.amount_fen) == (None, 50_000)
    assert post(cao, f"/office/declarations/{row.id}/confirmation", "/office/declarations").status_code == 303


def test_households_helped_are_counted_from_entries(world: World, trade: Trade) -> None:
    home = world.villages["greens_home"]
    first, second, third = trade.members(GREENS, home)[:3]
    order = trade.cabbage()  # first and second bring the goods
    trade.ship(order.id)
    trade.accept(order.id)
    trade.tie(GREENS, first, "guaranteed_purchase")
    trade.wage(GREENS, third, 5_000)
    entries = households.entries(supplier_id=world.organisation_id(GREENS))
    found = helped.count(helped.tied(entries), "2026-10", "2026-10")
    assert found.all.households == {first, second, third}
    assert {form: group.households for form, group in found.by_form.items()} == {
        "guaranteed_purchase": {first}, "delivery": {second}, "employment": {third}}
    assert found.all.income_fen == 1_200 + 5_000
    assert not helped.count(helped.tied(entries), "2026-09", "2026-09").all.households
    assert "3" in world.logged_in("clerk.zhang").get("/village/linkages?time=month").text
    path = "/reports/helped-households"
    report = world.logged_in("official.jin").get(f"{path}.json?from=2026-10&to=2026-10")
    assert {key: report.json["totals"][key] for key in ("households", "people", "income_fen", "new")} == {  # type: ignore[index]
        "households": 3, "people": 2 + 3 + 4, "income_fen": 6_200, "new": 3}
    assert sum(row["income_fen"] for row in report.json["rows"]) == 6_200  # type: ignore[index]
    assert world.logged_in("official.jin").get(path).status_code == 200
    jiangyong = world.logged_in("official.hua").get(f"{path}.json?from=2026-10&to=2026-10")
    assert jiangyong.json["rows"] == []  # type: ignore[index]
    for stranger in (world.app.test_client(), world.logged_in("chair.shi"), world.logged_in("cook.chen")):
        assert stranger.get(path).status_code in (302, 403, 404)


def test_a_merged_village_keeps_its_ties(world: World, trade: Trade) -> None:
    old, into = world.villages["pomelo_next"], world.villages["pomelo_home"]
    household = world.household_id("DEMO-JN-0001")
    proof = trade.proof()
    with db.transaction():
        whole = ties.enter(ties.Tie(old, None, "direct_support", "guaranteed_purchase", TODAY, proof,
                                    bears_returns=True), world.person("chair.he")).id
    with db.transaction():
        ties.confirm(whole, world.person("township.yan"))
    trade.tie(POMELO, household)
    followers = world.app.extensions["sijin_place_followers"]
    with db.transaction():
        became = villages.merge([old, into], "新合村", TODAY, "批复", world.person("official.hua"), followers).id
    rows = db.session().execute(select(Linkage.household_id, Linkage.form, Linkage.bears_returns).where(
        Linkage.village_id == became)).all()
    assert (None, "guaranteed_purchase", True) in [tuple(row) for row in rows]
    assert trade.wage(POMELO, household, 4_000)  # its income still has a tie, wherever it lives now
    row = db.session().scalars(select(IncomeDeclaration)).one()
    assert (row.village_id, row.linkage_id is not None) == (became, True)
