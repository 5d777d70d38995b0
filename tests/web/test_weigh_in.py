"""Weighing in: names by number, pinyin or initials, gross less tare in 斤, a photo of the notebook, nothing lost."""

import re
from collections.abc import Iterator
from io import BytesIO

import pytest
from PIL import Image
from sqlalchemy import func, select

from catalog import weigh_in
from catalog.lot_models import LotDetail
from catalog.models import Lot, LotContribution
from market import clock, db
from market.households import CoopMember, Household
from market.places import Division
from tests.web.forms import csrf_token, send
from tests.world import GREENS, NOON, TODAY

PAGE = "/village/weigh-in"


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    with clock.at(NOON):
        yield


@pytest.fixture
def cabbage(trade):
    return trade.product("卷心菜")


@pytest.fixture
def neighbours(world):
    """Members with real names: 曾小明 and 曾晓梅 sound alike by their initials, 吕大山 has two spellings."""
    names = {"M001": "曾小明", "M002": "曾晓梅", "M003": "吕大山"}
    with db.transaction() as session:
        for household, number in session.execute(
                select(Household, CoopMember.member_no).join(CoopMember, CoopMember.household_id == Household.id)
                .where(CoopMember.supplier_id == world.organisation_id(GREENS), CoopMember.member_no.in_(names))):
            household.head_name = names[number]
    return names


def weighing(product_id, *rows, **more):
    """The form: (member, gross, tare) rows."""
    form = {}
    for number, (member, gross, tare) in enumerate(rows):
        name = f"contributions-{number}"
        form |= {f"{name}-member": member, f"{name}-gross": gross, f"{name}-tare": tare}
    return {"product_id": str(product_id), "harvested_on": TODAY.isoformat(), "farm_gate_fen_per_kg": "0.60",
            **form, **more}


def weigh(client, product_id, *rows, **more):
    return send(client, PAGE, page=f"{PAGE}?product={product_id}", **weighing(product_id, *rows, **more))


def brought():
    rows = db.session().execute(
        select(Household.head_name, LotContribution.grams)
        .join_from(LotContribution, Household, Household.id == LotContribution.household_id, isouter=True)
        .order_by(LotContribution.id))
    return [tuple(row) for row in rows]


def lots_booked():
    db.session().rollback()
    return db.session().scalar(select(func.count()).select_from(Lot))


def photo():
    file = BytesIO()
    Image.new("RGB", (40, 40), "white").save(file, "JPEG")
    return BytesIO(file.getvalue()), "本子.jpg"


def test_names_by_pinyin_initials_number_and_name_net_of_the_basket(world, cabbage, neighbours):
    clerk = world.logged_in("clerk.zhang")
    answer = weigh(clerk, cabbage, ("zengxiaoming", "50.5", "2"), ("lvdashan", "30", ""), ("M002", "20.01", "0.01"),
                   ("", "", ""), ("曾小明", "10", "1.5"))
    assert answer.status_code == 303
    assert brought() == [("曾小明", 24_250), ("吕大山", 15_000), ("曾晓梅", 10_000), ("曾小明", 4_250)]
    lot = db.session().scalars(select(Lot)).one()
    assert (lot.total_grams, lot.farm_gate_fen_per_kg, lot.confirmed_at) == (53_500, 120, None)
    page = clerk.get(answer.location).text
    assert "曹村主任" in page  # who looks at it next
    assert "64.20" in page  # 53.5 kg at 1.20
    assert "107&nbsp;" in page  # 斤


def test_whoever_is_meant():
    known = [weigh_in.Member(1, "M001", "曾小明", "一村"), weigh_in.Member(2, "M002", "曾晓梅", "一村"),
             weigh_in.Member(3, "M010", "吕大山", "二村"), weigh_in.Member(4, "M011", "XT户1", "二村")]

    def found(typed):
        return [member.household_id for member in weigh_in.fitting(typed, known)]

    assert found("m001") == found("1") == found("M001 曾小明") == found("小明") == found("Zeng Xiaoming") == [1]
    assert found("cengxiaoming") == found("zengxiaomin") == [1]
    assert found("zxm") == [1, 2]
    assert found("zeng") == [1, 2]
    assert found("ludashan") == found("lvdashan") == found("10") == found("lds") == [3]
    assert found("") == found(" ") == found("%") == found("王五") == found("99") == []


def test_a_refused_form_keeps_every_line_and_books_nothing(world, cabbage, neighbours):
    clerk = world.logged_in("clerk.zhang")
    answer = weigh(clerk, cabbage, ("zxm", "50.5", "2"), ("M003", "", ""), ("谁家", "7", "0"), ("M002", "5", "5"),
                   ("", "9.125", ""))
    assert answer.status_code == 422
    for typed in ("zxm", "50.5", "谁家", "9.125", "M003"):
        assert f'value="{typed}"' in answer.text
    assert lots_booked() == 0
    # the numbers first, then the names
    assert 'id="contributions-3-tare-error"' in answer.text
    assert 'id="contributions-4-gross-error"' in answer.text
    answer = weigh(clerk, cabbage, ("zxm", "50.5", "2"), ("谁家", "7", "0"))
    assert "M001 曾小明、M002 曾晓梅" in answer.text
    assert 'id="contributions-1-member-error"' in answer.text
    answer = weigh(clerk, cabbage, ("M001", "", "2"))
    assert (answer.status_code, lots_booked()) == (422, 0)


def test_same_as_last_time_stands_there_already(world, cabbage, neighbours):
    clerk = world.logged_in("clerk.zhang")
    first = clerk.get(f"{PAGE}?product={cabbage}").text
    assert "M001 曾小明" not in re.findall(r'data-member[^>]*', first)
    weigh(clerk, cabbage, ("M003", "8", "0"), ("M001", "10", "0"), farm_gate_fen_per_kg="0.625")
    page = clerk.get(f"{PAGE}?product={cabbage}").text
    rows = re.findall(r'name="contributions-\d+-member" value="([^"]*)"', page)
    assert rows[:2] == ["M003 吕大山", "M001 曾小明"]
    assert not any(rows[2:])
    assert 'value="0.625"' in page


def test_goods_used_last_come_first_and_foreign_ones_never(world, trade, cabbage):
    radish = trade.product("萝卜")
    pomelo = trade.product("香柚", "pomelo")
    clerk = world.logged_in("clerk.zhang")
    weigh(clerk, radish, ("M001", "8", "0"))
    page = clerk.get(PAGE).text
    assert page.index("萝卜") < page.index("卷心菜")
    assert "香柚" not in page
    assert clerk.get(f"{PAGE}?product={pomelo}").status_code == 404
    answer = send(clerk, PAGE, page=f"{PAGE}?product={radish}", **weighing(pomelo, ("M001", "8", "0")))
    assert answer.status_code == 404
    assert lots_booked() == 1


def test_a_foreign_member_is_nobody(world, cabbage):
    foreign = "JY户1"
    clerk = world.logged_in("clerk.zhang")
    answer = weigh(clerk, cabbage, (foreign, "8", "0"))
    assert (answer.status_code, lots_booked()) == (422, 0)
    assert foreign not in clerk.get(f"{PAGE}?product={cabbage}").text


def test_sent_twice_is_booked_once(world, cabbage):
    clerk = world.logged_in("clerk.zhang")
    answers = [weigh(clerk, cabbage, ("M001", "8", "0"), submit_token="one-tap") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [303, 303]
    assert answers[0].location == answers[1].location
    assert lots_booked() == 1


def test_goods_counted_in_boxes_need_their_number(world, trade):
    eggs = trade.product("鸡蛋", unit="箱", grams_per_unit=10_000, by_weight=False)
    clerk = world.logged_in("clerk.zhang")
    assert weigh(clerk, eggs, ("M001", "40", "0")).status_code == 422
    assert weigh(clerk, eggs, ("M001", "40", "0"), milli="2").status_code == 303
    assert db.session().scalars(select(Lot.total_milli)).one() == 2000


def test_one_photo_is_enough_today(world, cabbage):
    clerk = world.logged_in("clerk.zhang")
    village = db.session().get_one(Division, world.villages["greens_home"]).code
    form = {"product_id": str(cabbage), "harvested_on": TODAY.isoformat(), "farm_gate_fen_per_kg": "0.60",
            "village": village, "gross": "200.5", "tare": "10"}
    page = f"{PAGE}?product={cabbage}&way=notebook"
    answer = send(clerk, f"{PAGE}/notebook", page=page, **form)
    assert (answer.status_code, lots_booked()) == (422, 0)
    assert 'value="200.5"' in answer.text
    answer = send(clerk, f"{PAGE}/notebook", page=page, **form | {"tare": "200.5"}, notebook=photo())
    assert (answer.status_code, lots_booked()) == (422, 0)
    answer = send(clerk, f"{PAGE}/notebook", page=page, **form, notebook=photo())
    assert answer.status_code == 303
    given = db.session().scalars(select(LotContribution)).one()
    assert (given.grams, given.unsplit, given.household_id) == (95_250, True, None)
    assert db.session().scalars(select(LotDetail.notebook_id)).one()
    assert "还要补填姓名" in clerk.get(answer.location).text


def test_a_village_without_members_is_refused(world, cabbage):
    clerk = world.logged_in("clerk.zhang")
    foreign = db.session().get_one(Division, world.villages["pomelo_home"]).code
    answer = send(clerk, f"{PAGE}/notebook", page=f"{PAGE}?product={cabbage}&way=notebook", product_id=str(cabbage),
                  harvested_on=TODAY.isoformat(), farm_gate_fen_per_kg="0.60", village=foreign, gross="9",
                  notebook=photo())
    assert (answer.status_code, lots_booked()) == (422, 0)


def test_more_rows_without_javascript(world, cabbage):
    answer = weigh(world.logged_in("clerk.zhang"), cabbage, ("M001", "8", "0"), ("", "", ""), more="1")
    assert answer.status_code == 200
    assert len(re.findall(r'name="contributions-\d+-gross"', answer.text)) == 7
    assert 'value="M001"' in answer.text
    assert lots_booked() == 0


@pytest.mark.parametrize("rows", [[["x"]], [1], ["x"], [None], "x"])
def test_rows_that_are_no_rows_are_refused(world, cabbage, rows):
    clerk = world.logged_in("clerk.zhang")
    answer = clerk.post(PAGE, headers={"X-CSRFToken": csrf_token(clerk, "/account")}, json={
        "product_id": cabbage, "harvested_on": TODAY.isoformat(), "farm_gate_fen_per_kg": 120, "contributions": rows})
    assert (answer.status_code, lots_booked()) == (422, 0)
