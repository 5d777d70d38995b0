"""Desk pages of a lot's life: names from the notebook, expected harvests, write-offs, wages for making goods."""

import io

import pytest
from PIL import Image
from sqlalchemy import func, select

from catalog import lots
from catalog.lot_models import LotMaking, LotSplit, LotWriteOff
from catalog.lot_parts import Contribution, Ingredient, Making
from catalog.models import Lot, LotContribution
from market import clock, db
from market.places import Division
from orders.models import IncomeDeclaration
from tests.trade import Trade
from tests.web.forms import send
from tests.world import GREENS, NOON, TODAY


@pytest.fixture(autouse=True)
def noon():
    with clock.at(NOON):
        yield


@pytest.fixture
def cabbage(trade) -> int:
    return trade.product("卷心菜")


def village_code(trade: Trade, key: str = "greens_home") -> str:
    return db.session().get_one(Division, trade.world.villages[key]).code


def in_notebook(trade: Trade, cabbage: int) -> int:
    home = trade.world.villages["greens_home"]
    with db.transaction():
        lot = lots.book(cabbage, TODAY, None, 120, [Contribution(30_000, None, home, unsplit=True)],
                        trade.world.person("clerk.zhang"))
    with db.transaction():
        lots.confirm(lot.id, trade.world.person("village.cao"))
    return lot.id


def photo(name: str = "工资表.png") -> tuple[io.BytesIO, str]:
    out = io.BytesIO()
    Image.new("RGB", (40, 30), "white").save(out, "PNG")
    return io.BytesIO(out.getvalue()), name


# ---- names from the notebook ----------------------------------------------------------------------------------------


def test_names_are_written_beside_the_photo_and_the_officer_sees_them_listed(world, trade, cabbage):
    lot, clerk = in_notebook(trade, cabbage), world.logged_in("clerk.zhang")
    assert f"/village/lots/{lot}/names" in clerk.get("/village/notebooks").text
    assert "待补" in clerk.get("/village/notebooks").text
    assert "30" in clerk.get(f"/village/lots/{lot}/names").text
    rows = {"contributions-0-member": "M001", "contributions-0-grams": "20", "contributions-1-member": "XT户2",
            "contributions-1-grams": "9"}
    wrong = send(clerk, f"/village/lots/{lot}/names", **rows)
    assert wrong.status_code == 422
    assert "29" in wrong.text
    assert 'value="XT户2"' in wrong.text
    assert db.session().scalar(select(func.count()).select_from(LotSplit)) == 0
    answer = send(clerk, f"/village/lots/{lot}/names", **rows | {"contributions-1-grams": "10"})
    assert answer.status_code == 303
    assert db.session().scalars(select(LotContribution.grams).order_by(LotContribution.id)).all() == [20_000, 10_000]
    assert "张文书" in world.logged_in("village.cao").get("/office/lots/names").text
    assert "张文书" not in world.logged_in("village.kong").get("/office/lots/names").text
    assert world.logged_in("clerk.lv").get(f"/village/lots/{lot}/names").status_code == 404


def test_the_first_page_counts_lots_without_names(world, trade, cabbage):
    clerk = world.logged_in("clerk.zhang")
    assert "/village/notebooks" not in clerk.get("/village").text
    in_notebook(trade, cabbage)
    assert "/village/notebooks" in clerk.get("/village").text


# ---- expected harvests ----------------------------------------------------------------------------------------------


def expected_form(trade: Trade, cabbage: int, **more: str) -> dict[str, str]:
    return {"product_id": str(cabbage), "expected_on": clock.days_after(TODAY, 20).isoformat(),
            "farm_gate_fen_per_kg": "1.20", "contributions-900-village": village_code(trade),
            "contributions-900-unsplit": "1", "contributions-900-grams": "100",
            "contributions-901-village": "", "contributions-901-unsplit": "1", "contributions-901-grams": "", **more}


def test_a_harvest_is_expected_ordered_ahead_and_taken_over(world, trade, cabbage):
    clerk, officer, cook = (world.logged_in(who) for who in ("clerk.zhang", "village.cao", "cook.chen"))
    answer = send(clerk, "/village/lots/expected", page="/village/lots/expected/new", **expected_form(trade, cabbage))
    assert answer.status_code == 303
    lot = db.session().scalars(select(Lot.id)).one()
    assert send(officer, f"/office/lots/{lot}/confirmation", page=f"/office/lots/{lot}").status_code == 303
    shown = cook.get(f"/products/{cabbage}").text
    assert "预售，2026-11-01" in shown, shown[2000:7000]
    assert "预售，2026-11-01" in cook.get("/").text or "预售，2026-11-01" in cook.get("/search?q=卷心菜").text
    code = db.session().scalars(select(Lot.code)).one()
    assert cook.get(f"/trace/{code}").status_code == 404  # nothing is there yet
    order = trade.orders(trade.place({cabbage: 40_000}, day=clock.days_after(TODAY, 21)))[0]
    page = clerk.get(f"/village/lots/{lot}").text
    assert order.number in page
    real = trade.lot(cabbage, 30)
    taken = send(clerk, f"/village/lots/{lot}/arrival", page=f"/village/lots/{lot}", real_lot_id=str(real))
    assert taken.status_code == 303
    assert trade.stock_of(real) == (30_000, 30_000)
    assert send(clerk, f"/village/lots/{lot}/closing", page=f"/village/lots/{lot}").status_code == 303
    short = clerk.get(f"/village/lots/{lot}").text
    assert order.number in short
    assert "短少" in short
    assert trade.stock_of(lot) == (10_000, 10_000)


@pytest.mark.parametrize(("change", "at"), [
    ({"expected_on": TODAY.isoformat()}, "expected_on"),
    ({"contributions-900-grams": ""}, "contributions"),
    ({"contributions-900-village": ""}, "contributions-0-member"),
    ({"farm_gate_fen_per_kg": ""}, "farm_gate_fen_per_kg"),
])
def test_what_is_wrong_is_said_at_its_field_and_nothing_is_expected(world, trade, cabbage, change, at):
    answer = send(world.logged_in("clerk.zhang"), "/village/lots/expected", page="/village/lots/expected/new",
                  **expected_form(trade, cabbage, **change))
    assert answer.status_code == 422
    assert f'href="#{at}"' in answer.text
    assert db.session().scalar(select(func.count()).select_from(Lot)) == 0


# ---- written off ----------------------------------------------------------------------------------------------------


def test_goods_are_written_off_by_two_people(world, trade, cabbage):
    lot = trade.lot(cabbage, 100)
    clerk, chair = world.logged_in("clerk.zhang"), world.logged_in("chair.shi")
    form = {"milli": "5", "reason": "spoiled", "note": "冷库停电"}
    wrong = send(clerk, f"/village/lots/{lot}/write-offs", page=f"/village/lots/{lot}", **form | {"milli": "500"})
    assert wrong.status_code == 409
    assert db.session().scalar(select(func.count()).select_from(LotWriteOff)) == 0
    answer = send(clerk, f"/village/lots/{lot}/write-offs", page=f"/village/lots/{lot}", **form)
    assert answer.status_code == 303
    one = db.session().scalars(select(LotWriteOff.id)).one()
    own = send(clerk, f"/village/write-offs/{one}/confirmation", page="/account")
    assert own.status_code in (403, 409)
    assert trade.stock_of(lot) == (100_000, 0)
    assert "/village/write-offs" in chair.get("/village").text
    assert "冷库停电" in chair.get("/village/write-offs?state=waiting").text
    assert send(chair, f"/village/write-offs/{one}/confirmation", page="/village/write-offs").status_code == 303
    assert trade.stock_of(lot) == (95_000, 0)
    again = send(world.logged_in("village.cao"), f"/office/write-offs/{one}/confirmation", page="/account")
    assert again.status_code == 409
    assert trade.stock_of(lot) == (95_000, 0)
    assert "冷库停电" in clerk.get(f"/village/lots/{lot}").text


def test_the_villages_officer_decides_in_the_own_area_only(world, trade, cabbage):
    lot = trade.lot(cabbage, 100)
    send(world.logged_in("clerk.zhang"), f"/village/lots/{lot}/write-offs", page=f"/village/lots/{lot}",
         milli="5", reason="lost")
    one = db.session().scalars(select(LotWriteOff.id)).one()
    stranger, officer = world.logged_in("village.kong"), world.logged_in("village.cao")
    assert send(stranger, f"/office/write-offs/{one}/refusal", page="/account").status_code == 404
    assert send(officer, f"/office/write-offs/{one}/refusal", page="/office/write-offs").status_code == 303
    assert trade.stock_of(lot) == (100_000, 0)
    assert db.session().scalars(select(LotWriteOff.state)).one() == "refused"


# ---- made out of others ---------------------------------------------------------------------------------------------


def test_making_goods_states_yield_and_wages(world, trade, cabbage):
    lot, pickle = trade.lot(cabbage, 100), trade.product("腌菜", price_fen=900)
    clerk = world.logged_in("clerk.zhang")
    form = {"product_id": str(pickle), "made_on": TODAY.isoformat(), "grams": "40", "ingredients-0-lot_id": str(lot),
            "ingredients-0-milli": "100", "wage_fen": "60"}
    wrong = send(clerk, "/village/lots/process", **form)
    assert wrong.status_code == 422
    assert 'href="#plant_village"' in wrong.text
    answer = send(clerk, "/village/lots/process", **form, plant_village=village_code(trade))
    assert answer.status_code == 303
    kept = db.session().scalars(select(LotMaking)).one()
    assert (kept.input_grams, kept.wage_fen, kept.plant_village_id) == (100_000, 6000, world.villages["greens_home"])
    assert "60.00" in clerk.get(answer.location).text
    assert "60.00" in clerk.get("/village/income/making").text


def test_wages_are_declared_with_the_pay_list_and_confirmed_by_the_village(world, trade, cabbage):
    lot, pickle = trade.lot(cabbage, 100), trade.product("腌菜", price_fen=900)
    with db.transaction():
        made = lots.process(pickle, TODAY, None, 40_000, [Ingredient(lot, 100_000)], world.person("clerk.zhang"),
                            making=Making("", world.villages["greens_home"], 6000))
    clerk, officer = world.logged_in("clerk.zhang"), world.logged_in("village.cao")
    first, second = trade.members(GREENS, world.villages["greens_home"])[:2]
    address = f"/village/income/making/{made.id}"
    form = {"month": "2026-10", "lines-300-household_id": str(first), "lines-300-amount_fen": "40",
            "lines-301-household_id": str(second), "lines-301-amount_fen": ""}
    assert 'href="#proof"' in send(clerk, address, **form).text
    too_much = send(clerk, address, **form | {"lines-300-amount_fen": "60.01"}, proof=photo())
    assert too_much.status_code == 409
    assert db.session().scalar(select(func.count()).select_from(IncomeDeclaration)) == 0
    assert send(clerk, address, **form, proof=photo()).status_code == 303
    row = db.session().scalars(select(IncomeDeclaration)).one()
    assert (row.lot_id, row.amount_fen, row.kind, row.confirmed_at) == (made.id, 4000, "wage", None)
    assert f"/office/declarations/{row.id}/confirmation" in officer.get("/office/declarations").text
    assert officer.get(f"/office/declarations/{row.id}/proof").status_code == 200
    stranger = world.logged_in("village.kong")
    assert stranger.get(f"/office/declarations/{row.id}/proof").status_code == 404
    assert send(stranger, f"/office/declarations/{row.id}/confirmation", page="/account").status_code == 404
    assert send(officer, f"/office/declarations/{row.id}/confirmation", page="/office/declarations").status_code == 303
    db.session().refresh(row)
    assert row.confirmed_at is not None
    assert world.logged_in("clerk.lv").get(address).status_code == 404
