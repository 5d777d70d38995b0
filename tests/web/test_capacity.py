"""Capacity on both desks: declared with photos, answered by the county, raised, warned about at 80 %."""

import io
import re
from datetime import timedelta

import pytest
from PIL import Image
from sqlalchemy import func, select

from catalog.capacity.models import CapacityPhoto, CapacityRequest, VillageCapacity
from market import clock, db, worker
from market.places import Division
from tests.web.counting import statements
from tests.web.forms import send
from tests.world import NOON, POMELO


@pytest.fixture(autouse=True)
def noon():
    with clock.at(NOON):
        yield


@pytest.fixture
def pomelo(trade) -> int:
    return trade.product("香柚", POMELO)


def picture() -> tuple[io.BytesIO, str]:
    content = io.BytesIO()
    Image.new("RGB", (40, 30), "green").save(content, "PNG")
    return io.BytesIO(content.getvalue()), "地.png"


def village_code(world, key: str = "pomelo_home") -> str:
    return db.session().get_one(Division, world.villages[key]).code


def form(world, product: int, **changes) -> dict:
    return {"product_id": str(product), "village": village_code(world), "season": "2026 秋", "first_day": "2026-09-01",
            "last_day": "2026-11-30", "grams": "1000", "area": "2", "yield_per_mu": "500", "basis": "两户的柚子地",
            **changes}


def declared(world, product: int, **changes) -> str:
    """Declared by the clerk; returns the address of its page."""
    answer = send(world.logged_in("clerk.lv"), "/village/capacity", page="/village/capacity/new",
                  **form(world, product, **changes))
    assert answer.status_code == 303, answer.text
    return answer.location


def answered(world, address: str, **fields):
    number = address.rsplit("/", 1)[1]
    return send(world.logged_in("farm.luo"), f"/office/capacity/{number}/answers", page=f"/office/capacity/{number}",
                **{"decision": "approved", "grams": "1000", **fields})


def test_a_village_is_declared_with_a_photo_and_approved(world, pomelo):
    address = declared(world, pomelo, photos=[picture(), picture()])
    clerk, officer = world.logged_in("clerk.lv"), world.logged_in("farm.luo")
    page = clerk.get(address).text
    assert "两户的柚子地" in page
    photo = re.search(r'href="(/files/[^"]+)"', page)[1]
    assert officer.get(photo).status_code == 200
    assert world.logged_in("clerk.zhang").get(photo).status_code == 404
    assert "香柚" in officer.get("/office/capacity").text
    assert "href=\"/office/capacity\"" in officer.get("/office").text
    assert answered(world, address).status_code == 303
    assert db.session().scalars(select(VillageCapacity.approved_grams)).one() == 1_000_000
    assert "香柚" not in re.sub("<nav.*?</nav>", "", officer.get("/office/capacity").text, flags=re.DOTALL)
    assert "香柚" in officer.get("/office/capacity?tab=all").text
    assert answered(world, address).status_code == 409


@pytest.mark.parametrize(("fields", "at"), [
    ({"grams": "1001"}, "grams"), ({"grams": "-1"}, "grams"), ({"area": ""}, "area"), ({"basis": ""}, "basis"),
    ({"last_day": "2026-08-31"}, "last_day"), ({"last_day": "2027-09-02"}, "last_day"), ({"season": ""}, "season"),
    ({"photos": b"<svg onload=alert(1)>"}, "photos")])
def test_what_is_wrong_is_said_at_its_field_and_nothing_is_declared(world, pomelo, fields, at):
    if "photos" in fields:
        fields = {"photos": (io.BytesIO(fields["photos"]), "a.jpg")}
    answer = send(world.logged_in("clerk.lv"), "/village/capacity", page="/village/capacity/new",
                  **form(world, pomelo, **fields))
    assert answer.status_code == 422
    assert f'href="#{at}"' in answer.text
    assert db.session().scalar(select(func.count()).select_from(CapacityRequest)) == 0


def test_a_lower_figure_and_a_refusal_need_a_reason_at_its_field(world, pomelo):
    address = declared(world, pomelo)
    for fields in ({"grams": "900"}, {"decision": "refused"}):
        answer = answered(world, address, **fields)
        assert answer.status_code == 422
        assert 'href="#reason"' in answer.text
    assert answered(world, address, grams="900", reason="只见到 18 分地").status_code == 303
    assert "只见到 18 分地" in world.logged_in("clerk.lv").get(address).text


def test_a_raise_needs_a_photo_and_is_answered(world, pomelo):
    address = declared(world, pomelo)
    answered(world, address)
    clerk = world.logged_in("clerk.lv")
    more = {"grams": "1200", "area": "", "yield_per_mu": "", "basis": "新挂果 20 棵"}
    answer = send(clerk, address + "/raise", page=address, **more)
    assert answer.status_code == 422
    assert 'href="#photos"' in answer.text
    assert send(clerk, address + "/raise", page=address, photos=[picture()], **more).status_code == 303
    assert send(clerk, address + "/raise", page="/village/capacity/new", photos=[picture()], **more
                ).status_code == 409
    assert answered(world, address, grams="1200").status_code == 303
    assert db.session().scalars(select(VillageCapacity.approved_grams)).one() == 1_200_000
    assert db.session().scalar(select(func.count()).select_from(CapacityPhoto)) == 1


def test_a_late_answer_stands_out_and_both_sides_are_told(world, app, pomelo):
    address = declared(world, pomelo)
    with clock.at(NOON + timedelta(days=5)):
        officer = world.logged_in("farm.luo")
        assert "is-overdue" in officer.get("/office").text
        assert "已超期" in officer.get("/office/capacity").text
        worker.run_once(app)
        assert "1000" in officer.get("/notices").text
        answered(world, address)
        worker.run_once(app)
        news = world.logged_in("clerk.lv").get("/notices").text
        link = re.search(r'href="(/capacity/requests/\d+)"', news)[1]
        assert world.logged_in("clerk.lv").get(link).location.endswith(address)
        assert world.logged_in("clerk.zhang").get(link).status_code == 404


def test_the_desks_warn_at_80_percent(world, trade, pomelo):
    address = declared(world, pomelo, grams="100")
    answered(world, address, grams="100")
    trade.lot(pomelo, kg=80)
    clerk, officer = world.logged_in("clerk.lv"), world.logged_in("farm.luo")
    assert "tab=near" in clerk.get("/village").text
    assert "香柚" in clerk.get("/village/capacity?tab=near").text
    assert "香柚" in officer.get("/office/capacity?tab=near").text
    other = world.logged_in("clerk.zhang")
    assert "香柚" not in other.get("/village/capacity?tab=near").text


def test_a_buyer_reads_how_much_is_left(world, trade, pomelo):
    trade.lot(pomelo, kg=200)
    answered(world, declared(world, pomelo, grams="100"), grams="100")
    answer = world.app.test_client().post(
        "/api/v1/purchases", headers=world.api_headers("cook.chen"),
        json={"delivery_point_id": world.delivery_point_id(), "delivery_day": "2026-10-13",
              "delivery_window": "morning", "fund_source": "canteen",
              "lines": [{"product_id": pomelo, "ordered_milli": 100_500}]})
    assert answer.status_code == 409, answer.json
    assert "香柚" in answer.json["error"]["message"]
    assert "100" in answer.json["error"]["message"]


def test_goods_without_a_capacity_are_listed_for_the_county(world, pomelo):
    officer = world.logged_in("farm.luo")
    assert "香柚" in officer.get("/office/capacity?tab=none").text
    answered(world, declared(world, pomelo))
    assert "香柚" not in re.sub("<nav.*?</nav>", "", officer.get("/office/capacity?tab=none").text, flags=re.DOTALL)


def test_other_offices_read_and_others_have_no_business_here(world, pomelo):
    address = declared(world, pomelo)
    number = address.rsplit("/", 1)[1]
    page = world.logged_in("official.hua").get(f"/office/capacity/{number}")
    assert page.status_code == 200
    assert 'name="decision"' not in page.text
    assert world.logged_in("village.cao").get(f"/office/capacity/{number}").status_code == 403
    assert world.logged_in("clerk.zhang").get(address).status_code == 404
    assert world.logged_in("cook.chen").get("/village/capacity").status_code == 403


def test_lists_cost_the_same_for_few_and_many(world, trade, pomelo):
    clerk, officer = world.logged_in("clerk.lv"), world.logged_in("farm.luo")
    pages = [(clerk, "/village/capacity"), (officer, "/office/capacity"), (officer, "/office/capacity?tab=all"),
             (officer, "/office/capacity?tab=none"), (clerk, "/village"), (officer, "/office")]
    declared(world, pomelo)
    few = [statements(client, path) for client, path in pages]
    for number in range(12):
        declared(world, trade.product(f"香柚{number}", POMELO))
    assert [statements(client, path) for client, path in pages] == few


@pytest.mark.parametrize("path", ["/village/capacity", "/village/capacity/new", "/village/capacity?tab=none"])
def test_every_page_is_complete_in_english(world, path):
    page = world.logged_in("clerk.lv").get(path + ("&" if "?" in path else "?") + "lang=en").text
    plain = re.sub(r'<nav class="languages".*?</nav>|<option.*?</option>', "", page, flags=re.DOTALL)
    assert not re.search(r"[\u4e00-\u9fff]", re.sub("吕文书|江永县演示香柚合作社|四进|演示数据", "", plain))
