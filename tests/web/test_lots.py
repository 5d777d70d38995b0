"""Lots at the village desk: booked with contributions, made out of others, confirmed by an officer of the village."""

import io
import re

import pytest
from PIL import Image
from sqlalchemy import func, select

from catalog.models import Lot, LotContribution, LotShare
from market import clock, db
from market.households import Household
from market.parties import Organisation
from market.places import Division
from tests.web.counting import statements
from tests.web.forms import send
from tests.world import NOON, POMELO, TODAY


@pytest.fixture(autouse=True)
def noon():
    with clock.at(NOON):
        yield


def harvest(product_id: int, *given: tuple[str, str], **more: str) -> dict[str, str]:
    """The form of a harvest: (member, kilograms) rows."""
    rows = {}
    for number, (member, weight) in enumerate(given):
        rows |= {f"contributions-{number}-member": member, f"contributions-{number}-grams": weight}
    return {"product_id": str(product_id), "harvested_on": TODAY.isoformat(), "farm_gate_fen_per_kg": "1.20",
            **rows, **more}


def only_lot() -> Lot:
    return db.session().scalars(select(Lot)).one()


def village_code(world, key: str) -> str:
    return db.session().get_one(Division, world.villages[key]).code


def test_a_clerk_books_what_members_brought_and_what_the_own_base_grew(world, trade):
    cabbage = trade.product("卷心菜")
    clerk = world.logged_in("clerk.zhang")
    base = {"contributions-997-village": village_code(world, "greens_home"), "contributions-997-grams": "10"}
    answer = send(clerk, "/village/lots", page="/village/lots/new",
                  **harvest(cabbage, ("M001", "12.5"), ("", ""), ("XT户2", "7.5"), **base))
    assert answer.status_code == 303
    lot = only_lot()
    assert (lot.total_grams, lot.total_milli, lot.farm_gate_fen_per_kg, lot.confirmed_at) == (30_000, 30_000, 120, None)
    brought = db.session().execute(select(LotContribution.household_id, LotContribution.grams)
                                   .order_by(LotContribution.id)).all()
    first, second = (world.household_id(f"DEMO-XT-000{n}") for n in (1, 2))
    assert [tuple(row) for row in brought] == [(first, 12_500), (second, 7500), (None, 10_000)]
    shares = db.session().execute(select(LotShare.own_base, LotShare.grams, LotShare.farm_gate_fen_per_kg)
                                  .order_by(LotShare.own_base)).all()
    assert [tuple(row) for row in shares] == [(False, 20_000, 120), (True, 10_000, 0)]
    page = clerk.get(answer.location).text
    assert "XT户1" in page
    assert "24.00" in page  # 20 kg of members at 1.20


def test_more_rows_come_without_javascript_and_keep_what_was_typed(world, trade):
    cabbage = trade.product("卷心菜")
    clerk = world.logged_in("clerk.zhang")
    answer = send(clerk, "/village/lots", page="/village/lots/new", more="1", shown="6",
                  **harvest(cabbage, ("M001", "12.5"), ("", ""), ("M003", "8")))
    assert answer.status_code == 200
    assert len(re.findall(r'name="contributions-\d+-member"', answer.text)) == 12
    assert 'value="M003"' in answer.text
    assert 'value="12.5"' in answer.text
    assert db.session().scalar(select(func.count()).select_from(Lot)) == 0


@pytest.mark.parametrize(("fields", "at"), [
    ({"contributions-0-member": "M777"}, "contributions-0-member"),
    ({"contributions-0-member": "JY户1"}, "contributions-0-member"),  # a member of another co-operative
    ({"contributions-0-grams": "12,5"}, "contributions-0-grams"),
    ({"contributions-0-grams": "１２"}, "contributions-0-grams"),
    ({"contributions-0-grams": "-1"}, "contributions-0-grams"),
    ({"contributions-0-member": ""}, "contributions-0-member"),
    ({"contributions-0-grams": ""}, "contributions"),
    ({"harvested_on": "2026-10-13"}, "harvested_on"),
    ({"best_before": "2026-10-11"}, "best_before"),
    ({"farm_gate_fen_per_kg": "10000.01"}, "farm_gate_fen_per_kg"),
    ({"milli": "11"}, "milli"),
    ({"product_id": "0"}, "product_id"),
])
def test_what_is_wrong_is_said_at_its_field_and_nothing_is_booked(world, trade, fields, at):
    cabbage = trade.product("卷心菜")
    clerk = world.logged_in("clerk.zhang")
    answer = send(clerk, "/village/lots", page="/village/lots/new", **(harvest(cabbage, ("M001", "10")) | fields))
    assert answer.status_code == 422
    assert f'href="#{at}"' in answer.text
    assert db.session().scalar(select(func.count()).select_from(Lot)) == 0


def test_a_name_that_two_members_have_needs_a_number(world, trade):
    cabbage = trade.product("卷心菜")
    with db.transaction() as session:
        session.get_one(Household, world.household_id("DEMO-XT-0002")).head_name = "XT户1"
    clerk = world.logged_in("clerk.zhang")
    form = harvest(cabbage, ("XT户1", "10"))
    assert send(clerk, "/village/lots", page="/village/lots/new", **form).status_code == 422
    assert send(clerk, "/village/lots", page="/village/lots/new", **form | {"contributions-0-member": "M002"}
                ).status_code == 303


def test_foreign_goods_villages_and_lots_are_unknown(world, trade):
    cabbage, pomelo = trade.product("卷心菜"), trade.product("香柚", POMELO)
    lot = trade.lot(cabbage)
    waiting = trade.lot(cabbage, confirmed=False)
    stranger = world.logged_in("clerk.lv")
    assert send(stranger, "/village/lots", page="/village/lots/new", **harvest(cabbage, ("M001", "10"))
                ).status_code == 404
    for path in (f"/village/lots/{lot}", f"/village/lots/{lot}/label"):
        assert stranger.get(path).status_code == stranger.get("/village/lots/987654").status_code == 404
    form = {"product_id": str(pomelo), "made_on": TODAY.isoformat(), "grams": "5", "ingredients-0-lot_id": str(lot),
            "ingredients-0-milli": "10"}
    assert send(stranger, "/village/lots/process", **form).status_code == 404
    officer = world.logged_in("village.kong")
    assert officer.get(f"/office/lots/{waiting}").status_code == 404
    assert send(officer, f"/office/lots/{waiting}/confirmation", page="/account").status_code == 404
    assert db.session().get_one(Lot, waiting, populate_existing=True).confirmed_at is None


def test_a_booked_lot_sent_twice_is_one(world, trade):
    cabbage = trade.product("卷心菜")
    clerk = world.logged_in("clerk.zhang")
    form = harvest(cabbage, ("M001", "10"), submit_token="one token")
    first = send(clerk, "/village/lots", page="/village/lots/new", **form)
    again = send(clerk, "/village/lots", page="/village/lots/new", **form)
    assert first.location == again.location
    assert only_lot().total_grams == 10_000


def test_goods_are_made_out_of_confirmed_lots(world, trade):
    seed, oil = trade.product("油茶籽"), trade.product("茶油", unit="瓶", grams_per_unit=500, by_weight=False)
    lot, waiting = trade.lot(seed, kg=100), trade.lot(seed, kg=100, confirmed=False)
    clerk = world.logged_in("clerk.zhang")
    page = clerk.get("/village/lots/process").text
    assert f'-lot_id" value="{lot}"' in page
    assert f'-lot_id" value="{waiting}"' not in page
    form = {"product_id": str(oil), "made_on": TODAY.isoformat(), "grams": "20", "milli": "40",
            "ingredients-300-lot_id": str(lot), "ingredients-300-milli": "80", "ingredients-301-lot_id": str(waiting),
            "ingredients-301-milli": ""}
    too_much = send(clerk, "/village/lots/process", **form | {"ingredients-300-milli": "101"})
    assert too_much.status_code == 409
    assert 'value="101"' in too_much.text
    assert send(clerk, "/village/lots/process", **form).status_code == 303
    made = db.session().scalars(select(Lot).where(Lot.kind == "processed")).one()
    assert (made.total_milli, made.total_grams) == (40_000, 20_000)
    assert trade.stock_of(lot) == (20_000, 0)
    assert world.logged_in("clerk.zhang").get(f"/village/lots/{made.id}").status_code == 200


# ---- the officer ----------------------------------------------------------------------------------------------------


def test_an_officer_of_the_village_confirms_and_reads_no_names(world, trade):
    cabbage = trade.product("卷心菜")
    lot = trade.lot(cabbage, confirmed=False)
    officer = world.logged_in("village.cao")
    assert "卷心菜" in officer.get("/office/lots").text
    page = officer.get(f"/office/lots/{lot}").text
    assert "M001" in page
    assert "XT户1" not in page
    assert "X＊" in page
    assert send(officer, f"/office/lots/{lot}/confirmation", page=f"/office/lots/{lot}").status_code == 303
    assert db.session().get_one(Lot, lot, populate_existing=True).confirmed_by == world.person("village.cao").id
    again = send(officer, f"/office/lots/{lot}/confirmation", page="/account")
    assert again.status_code == 409
    assert "卷心菜" not in officer.get("/office/lots").text
    assert "卷心菜" in officer.get("/office/lots?state=confirmed").text


def test_the_township_sees_its_villages_lots_and_no_others(world, trade):
    trade.lot(trade.product("卷心菜"), confirmed=False)
    trade.lot(trade.product("香柚", POMELO), confirmed=False)
    page = world.logged_in("township.yan").get("/office/lots").text
    assert "香柚" in page
    assert "卷心菜" not in page


@pytest.mark.parametrize(("login", "path"), [
    ("cook.chen", "/village/lots"), ("village.cao", "/village/lots"), ("clerk.zhang", "/office/lots"),
    ("auditor.wei", "/office/lots")])
def test_others_have_no_business_here(world, login, path):
    assert world.logged_in(login).get(path).status_code == 403


def test_an_officer_without_a_place_sees_nothing(world, trade):
    trade.lot(trade.product("卷心菜"), confirmed=False)
    with db.transaction() as session:
        session.get_one(Organisation, world.person("village.cao").organisation_id).division_id = None
    assert "卷心菜" not in world.logged_in("village.cao").get("/office/lots?state=confirmed").text


# ---- lists ----------------------------------------------------------------------------------------------------------


def test_lists_cost_the_same_for_few_and_many_lots(world, trade):
    cabbage = trade.product("卷心菜")
    clerk, officer = world.logged_in("clerk.zhang"), world.logged_in("village.cao")
    pages = [(clerk, "/village/lots"), (clerk, "/village/lots?state=in_store"), (clerk, "/village/lots/process"),
             (officer, "/office/lots"), (officer, "/office/lots?state=confirmed")]
    trade.lot(cabbage)
    trade.lot(cabbage, confirmed=False)
    few = [statements(client, path) for client, path in pages]
    for number in range(60):
        trade.lot(cabbage, kg=10, confirmed=number % 2 == 0)
    assert [statements(client, path) for client, path in pages] == few
    assert 'rel="next"' in clerk.get("/village/lots").text
    assert clerk.get("/village/lots?page=2").status_code == clerk.get("/village/lots?page=99").status_code == 200


def test_lots_are_filtered_by_state_and_goods(world, trade):
    cabbage, bean = trade.product("卷心菜"), trade.product("豆角")
    codes = {name: db.session().get_one(Lot, lot).code for name, lot in (
        ("cabbage", trade.lot(cabbage)), ("bean", trade.lot(bean, confirmed=False)))}
    clerk = world.logged_in("clerk.zhang")
    assert codes["bean"] not in clerk.get(f"/village/lots?product={cabbage}").text
    assert codes["cabbage"] not in clerk.get("/village/lots?state=waiting").text
    both = clerk.get("/village/lots").text
    assert codes["bean"] in both
    assert codes["cabbage"] in both


@pytest.mark.parametrize("path", ["/village", "/village/lots", "/village/lots/new", "/village/lots/process"])
def test_every_page_is_complete_in_english(world, trade, path):
    page = world.logged_in("clerk.zhang").get(path + "?lang=en").text
    plain = re.sub(r'<nav class="languages".*?</nav>', "", page, flags=re.DOTALL)
    plain = re.sub("张文书|新田县演示蔬菜合作社|四进|演示数据", "", plain)
    assert not re.search(r"[\u4e00-\u9fff]", re.sub(r"<datalist.*?</datalist>|<option.*?</option>", "", plain,
                                                     flags=re.DOTALL))


def test_a_harvest_is_received_with_test_notebook_and_names_to_follow(world, trade):
    cabbage, clerk = trade.product("卷心菜"), world.logged_in("clerk.zhang")
    form = harvest(cabbage, received_at="龙泉收购点", area_mu_hundredths="2.5", test="passed", test_note="速测 12 号")
    unsplit = {"contributions-995-village": village_code(world, "greens_home"), "contributions-995-unsplit": "1",
               "contributions-995-grams": "40", "contributions-996-village": "", "contributions-996-unsplit": "1",
               "contributions-996-grams": ""}
    answer = send(clerk, "/village/lots", page="/village/lots/new", **form, **unsplit,
                  notebook=(io.BytesIO(picture()), "记录本.png"))
    assert answer.status_code == 303
    page = clerk.get(answer.location).text
    for words in ("龙泉收购点", "2.5 亩", "速测 12 号", "农户（见记录本）", "48.00"):
        assert words in page
    lot = only_lot()
    assert clerk.get(f"/village/lots/{lot.id}/notebook").content_type == "image/webp"
    officer = world.logged_in("village.cao")
    assert officer.get(f"/office/lots/{lot.id}/notebook").status_code == 200
    assert "龙泉收购点" in officer.get(f"/office/lots/{lot.id}").text
    assert world.logged_in("clerk.lv").get(f"/village/lots/{lot.id}/notebook").status_code == 404


def test_a_paper_that_is_no_photo_is_said_at_its_field(world, trade):
    cabbage, clerk = trade.product("卷心菜"), world.logged_in("clerk.zhang")
    answer = send(clerk, "/village/lots", page="/village/lots/new", **harvest(cabbage, ("M001", "10")),
                  notebook=(io.BytesIO(b"%PDF-1.4"), "记录本.pdf"))
    assert answer.status_code == 422
    assert 'href="#notebook"' in answer.text
    assert db.session().scalar(select(func.count()).select_from(Lot)) == 0


def picture() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (40, 30), "white").save(out, "PNG")
    return out.getvalue()
