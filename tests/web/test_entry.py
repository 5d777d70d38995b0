"""Over the pages: a stranger registers, fills in a few questions a page, offices answer, and the supplier sells."""

import re
from io import BytesIO
from typing import Any

import pytest
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from catalog import products
from catalog.entry import applications
from catalog.entry.models import Application, ApplicationGood, EntryStep
from market import clock, db
from market.parties import Organisation
from market.users import User
from tests import goods
from tests.entries import Entry, code, newcomer
from tests.goods import list_goods, shelves
from tests.web.forms import csrf_token, send
from tests.world import NOON, POMELO, TODAY, keep_paper, uploads

PASSWORD = "four-villages-sell"
WHO = {"supplier_type": "cooperative", "name": "江永县清溪种植专业合作社", "short_name": "清溪合作社"}
CONTACT = {"legal_person": "周桂香", "mobile": "13800001234", "bank_name": "演示农商行",
           "bank_account": "6200 0000 1234"}
# what people have typed, in whatever language the page is
DATA = ("演示数据", "欧大姐", "(?:江永县)?演示新社", "永州市 江永县[^<]*", "江永县[^<]*", "新社", "香芋", "叶菜",
        "四方井社区", "高价收购", "三十亩地，一个冷库", r"证\.png", "演示银行")


@pytest.fixture(autouse=True)
def noon():
    with clock.at(NOON):
        yield


@pytest.fixture
def entry(world) -> Entry:
    shelves()
    return Entry(world)


def photo() -> tuple[BytesIO, str]:
    picture = BytesIO()
    Image.new("RGB", (60, 40), "white").save(picture, "JPEG")
    picture.seek(0)
    return picture, "证.jpg"


def registered(client: FlaskClient, **more: str) -> TestResponse:
    said = {"organisation": "清溪合作社", "name": "周桂香", "mobile": "13800001234", "password": PASSWORD} | more
    return send(client, "/sell/register", **said)


def say(client: FlaskClient, section: str, **fields: Any) -> TestResponse:
    page = f"/sell/application/{section}"
    return client.post(page, data={"csrf_token": csrf_token(client, page), **fields})


def state_of(client: FlaskClient) -> str:
    db.session().rollback()
    return db.session().scalars(select(Application.state).order_by(Application.id.desc())).first() or ""


# ---- the whole story ------------------------------------------------------------------------------------------------


def test_a_new_co_operative_applies_is_returned_once_is_admitted_and_lists_goods(world, client, entry):
    assert "/sell/register" in client.get("/sell").text
    assert "/sell" in client.get("/login").text
    answer = registered(client)
    assert (answer.status_code, answer.location) == (303, "/sell/application")
    page = client.get("/sell/application").text
    login = re.search(r'id="your-login">([^<]+)<', page)
    assert login is not None
    assert login[1].startswith("周桂香")
    assert client.get("/village").status_code == 403  # not a supplier yet

    assert say(client, "who", credit_code=code("N2", 7), **WHO).location == "/sell/application/village"
    village = re.search(r'name="village" value="(\d{12})"', client.get("/sell/application/village?q=江永县").text)
    assert village is not None
    assert say(client, "village", village=village[1]).location == "/sell/application/contact"
    assert say(client, "contact", **CONTACT).location == "/sell/application/goods"
    assert say(client, "goods", name="香芋", category="leaf", yearly_grams="20000", **{
        "villages[]": village[1], "harvest_months[]": ["10", "11"]}).status_code == 303
    assert say(client, "capacity", capacity="三十亩").location == "/sell/application/linkages"
    assert say(client, "linkages", kind="buy_back", households="30", note="高价收购", file=photo()).status_code == 303
    assert say(client, "papers", kind="licence", file=photo()).status_code == 303
    assert send(client, "/sell/application/submission", page="/sell/application").status_code == 303
    assert state_of(client) == "submitted"

    decided(world, "township.yan", "returned", "执照照片看不清")
    page = client.get("/sell/application").text
    assert "执照照片看不清" in page
    assert "三十亩" in client.get("/sell/application/capacity").text  # what was typed is kept
    assert say(client, "papers", kind="licence", file=photo()).status_code == 303
    assert send(client, "/sell/application/submission", page="/sell/application").status_code == 303
    for official in ("township.yan", "official.hua", "farm.luo", "system.tao"):
        assert state_of(client) == "submitted"
        decided(world, official)
    assert state_of(client) == "admitted"

    again = world.app.test_client()
    for known in (login[1], "13800001234"):  # the township has seen whose number it is
        assert send(again, "/login", login=known, password=PASSWORD).status_code == 303
        assert again.get("/village").status_code == 200
        send(again, "/logout", page="/account")
    assert "/village/products" in client.get("/sell/application").text
    assert say_goods(client, village[1]).status_code == 303
    assert client.get("/village/products").status_code == 200


def say_goods(client: FlaskClient, village: str) -> TestResponse:
    typed = {"name": "香芋", "category": "leaf", "village": village, "supply": "daily", "unit": "斤",
             "grams_per_unit": "0.5", "minimum_milli": "5", "step_milli": "1", "price_fen": "2.50"}
    return send(client, "/village/products", page="/village/products/new", **typed)


def decided(world, login: str, decision: str = "passed", reason: str = "实地看过") -> None:
    """This person finds the application on the desk and answers it."""
    desk = world.logged_in(login)
    assert desk.get("/office/applications").status_code == 200
    page = re.search(r'href="(/office/applications/\d+)"', desk.get("/office/applications").text)
    assert page is not None, login
    step = re.search(r'name="step_id" value="(\d+)"', desk.get(page[1]).text)
    assert step is not None, login
    answer = send(desk, page[1] + "/decision", page=page[1], step_id=step[1], decision=decision, reason=reason)
    assert answer.status_code == 303, answer.text


# ---- the door -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("field", "value"), [
    ("mobile", "12345"), ("password", "short"), ("password", "周桂香周桂香周桂香1"), ("name", ""),
    ("organisation", " "),
])
def test_bad_input_at_the_door_is_told_at_its_place(world, client, field, value):
    before = db.session().scalar(select(func.count()).select_from(User))
    answer = registered(client, **{field: value})
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text
    assert db.session().scalar(select(func.count()).select_from(User)) == before


def test_the_door_tells_nobody_which_logins_and_numbers_exist(world, client):
    """何社长's mobile number is taken; the answer is the same as for any other."""
    taken = db.session().scalar(select(User.mobile).where(User.login == "chair.he"))
    for number, mobile in enumerate((taken, "13812340000")):
        other = world.app.test_client()
        answer = registered(other, mobile=mobile, name="何社长", organisation=f"社{number}")
        assert (answer.status_code, answer.location) == (303, "/sell/application")


def test_a_button_pressed_twice_registers_once(world, client):
    token, before = csrf_token(client, "/sell/register"), db.session().scalar(select(func.count()).select_from(User))
    said = {"csrf_token": token, "submit_token": "monday", "organisation": "清溪合作社", "name": "周桂香",
            "mobile": "13800001234", "password": PASSWORD}
    first = client.post("/sell/register", data=said)
    assert first.status_code == 303
    other = world.app.test_client()
    said["csrf_token"] = csrf_token(other, "/sell/register")
    assert other.post("/sell/register", data=said).status_code == 303
    assert db.session().scalar(select(func.count()).select_from(User)) == before + 1
    stranger = world.app.test_client()  # who knows the token but not the password gets nowhere
    said |= {"csrf_token": csrf_token(stranger, "/sell/register"), "password": "another-password-here"}
    assert stranger.post("/sell/register", data=said).status_code == 401
    assert stranger.get("/sell/application").status_code == 302


# ---- sections -------------------------------------------------------------------------------------------------------


def test_an_n2_code_is_taken_and_a_wrong_check_digit_is_not(world, entry):
    client = world.logged_in("apply.ou")
    right = code("N2", 5)
    wrong = right[:-1] + ("A" if right[-1] != "A" else "B")
    answer = say(client, "who", credit_code=wrong, **WHO)
    assert answer.status_code == 422
    assert 'id="credit_code-error"' in answer.text
    assert WHO["name"] in answer.text  # what was typed is kept
    assert entry.application.credit_code is None
    assert say(client, "who", credit_code=right, **WHO).status_code == 303
    assert entry.application.credit_code == right


def test_a_code_that_is_here_already_is_answered_plainly(world, entry):
    newcomer(world, 1)
    answer = say(world.logged_in("apply.ou"), "who", credit_code=code("93", 1), **WHO)
    assert answer.status_code == 422
    assert 'id="credit_code-error"' in answer.text
    assert entry.application.credit_code is None


@pytest.mark.parametrize(("section", "fields", "wrong"), [
    ("village", {"village": "999999999999"}, "village"),
    ("contact", CONTACT | {"bank_account": "abc"}, "bank_account"),
    ("goods", {"name": "芋", "category": "nothing", "yearly_grams": "5", "villages[]": "431125100001"}, "category"),
    ("capacity", {"capacity": ""}, "capacity"),
    ("linkages", {"kind": "buy_back", "households": "0", "note": "x"}, "households"),
    ("linkages", {"kind": "buy_back", "households": "3", "note": "x"}, "file"),
    ("papers", {"kind": "licence"}, "file"),
    ("proof", {"proof_kind": "certified", "proof_no": "7"}, "file"),
])
def test_bad_input_in_a_section_is_told_at_its_place_and_changes_nothing(world, entry, section, fields, wrong):
    client = world.logged_in("apply.ou")
    with db.transaction():
        applications.say_village(applications.held(entry.applicant), entry.village_code())
    answer = say(client, section, **fields)
    assert answer.status_code == 422
    assert f'id="{wrong}-error"' in answer.text
    assert (entry.application.capacity, entry.application.bank_account, entry.application.proof_kind) == ("", "", None)
    assert db.session().scalar(select(func.count()).select_from(ApplicationGood)) == 0


def test_a_page_named_as_a_photo_is_refused(world, entry):
    client = world.logged_in("apply.ou")
    answer = say(client, "papers", kind="licence", file=(BytesIO(b"<html><script>"), "licence.jpg"))
    assert answer.status_code == 422
    assert 'id="file-error"' in answer.text


def test_handing_in_too_early_says_what_is_missing(world, entry):
    client = world.logged_in("apply.ou")
    answer = send(client, "/sell/application/submission", page="/sell/application")
    assert answer.status_code == 422
    for section in ("who", "contact", "goods", "capacity", "linkages", "papers"):
        assert f'href="#{section}"' in answer.text
    assert entry.application.state == "draft"


def test_a_form_sent_twice_hands_in_once(world, entry):
    entry.fill()
    client = world.logged_in("apply.ou")
    said = {"csrf_token": csrf_token(client, "/sell/application"), "submit_token": "tuesday"}
    for _ in range(2):
        assert client.post("/sell/application/submission", data=said).status_code == 303
    assert db.session().scalar(select(func.count()).select_from(EntryStep)) == 1
    said["submit_token"] = "wednesday"  # pressed again on an old page
    assert client.post("/sell/application/submission", data=said).status_code == 409
    assert db.session().scalar(select(func.count()).select_from(EntryStep)) == 1


# ---- offices --------------------------------------------------------------------------------------------------------


def test_another_countys_application_is_not_there(world, entry):
    foreign = newcomer(world, 1, county="新田县").application.id
    desk = world.logged_in("official.hua")
    unknown = desk.get("/office/applications/999999")
    for path in (f"/office/applications/{foreign}", f"/office/suppliers/{world.organisation_id('greens')}"):
        answer = desk.get(path)
        assert (answer.status_code, len(answer.text)) == (404, len(unknown.text) + len(path) * 0), path
    assert send(desk, f"/office/applications/{foreign}/decision", page="/account").status_code == 404
    assert "演示新社1" not in desk.get("/office/applications?tab=all").text
    assert "演示新社1" in world.logged_in("official.jin").get("/office/applications?tab=all").text


def test_a_step_of_another_county_is_answered_like_one_that_is_not_there(world, entry):
    newcomer(world, 1, county="新田县")
    step = entry.open()["township"].id
    hua, jin = world.logged_in("official.hua"), world.logged_in("official.jin")
    for number in (step, 999999):
        answer = hua.get(f"/office/applications?step={number}")
        assert answer.status_code == 404 and "Location" not in answer.headers
    assert jin.get(f"/office/applications?step={step}").status_code == 303


@pytest.mark.parametrize("how", ["returned", "withdrawn"])
def test_nobody_reads_along_while_the_applicant_types_again(world, entry, how):
    """Ou has her application back and rewrites it; the offices see it again when she hands it in."""
    entry.fill()
    entry.hand_in()
    desk, page = world.logged_in("township.yan"), f"/office/applications/{entry.application.id}"
    step = entry.open()["township"].id
    paper = re.search(rf'href="({page}/papers/\d+)"', desk.get(page).text)
    assert paper is not None
    typed = {"page": page, "step_id": step, "decision": "returned", "reason": "缺页", "submit_token": "typed-once"}
    if how == "returned":
        assert send(desk, page + "/decision", **typed).status_code == 303
        again = send(desk, page + "/decision", **typed | {"page": "/account"})
        assert (again.status_code, again.location) == (303, "/office/applications"), "pressed twice, answered once"
    else:
        with db.transaction():
            applications.withdraw(entry.applicant)
        late = send(desk, page + "/decision", **typed | {"page": "/account"})
        assert (late.status_code, "三十亩地" in late.text) == (404, False)
    with db.transaction():
        applications.say(applications.held(entry.applicant), {"capacity": "还没想好"})
    for address in (page, paper[1], f"/office/applications?step={step}"):
        assert desk.get(address).status_code == 404, address
    assert page not in desk.get("/office/applications?tab=all").text
    assert entry.application.state == how
    entry.hand_in()
    assert "还没想好" in desk.get(page).text
    assert page in desk.get("/office/applications?tab=all").text


def test_a_draft_is_nobodys_but_the_applicants(world, entry):
    draft = entry.application.id
    desk = world.logged_in("township.yan")
    assert desk.get(f"/office/applications/{draft}").status_code == 404
    assert "演示新社" not in desk.get("/office/applications?tab=all").text


def test_the_citys_desk_names_the_office_that_is_late(world, entry):
    entry.fill()
    entry.hand_in()
    assert "tab=overdue" not in world.logged_in("official.jin").get("/office").text
    with clock.at(NOON.replace(day=16)):
        city, township = world.logged_in("official.jin"), world.logged_in("township.yan")
        assert "is-overdue" in city.get("/office").text
        assert "江永演示乡镇" in city.get("/office/applications?tab=overdue").text
        assert "is-overdue" in township.get("/office").text
        assert "chip-wrong" in world.logged_in("apply.ou").get("/sell/application").text  # the applicant sees it too


def test_a_file_for_which_there_is_no_room_is_not_kept(app, world, entry, monkeypatch):
    entry.fill()
    client, folder = world.logged_in("apply.ou"), app.extensions["sijin"].files_dir
    before, rows = set(folder.iterdir()), len(uploads())
    monkeypatch.setattr(applications, "MOST_ROWS", 1)
    for section, more in (("papers", {"kind": "licence"}),
                          ("linkages", {"kind": "buy_back", "households": "3", "note": "收购"})):
        assert say(client, section, file=photo(), **more).status_code == 409
    monkeypatch.setattr(applications, "MOST_ROWS", 50)
    monkeypatch.setattr(applications, "MOST_BYTES", sum(file.size_bytes for file in uploads()) + 10)
    answer = say(client, "papers", kind="licence", file=photo())
    assert answer.status_code == 409
    assert "合计已超过" in answer.text
    assert (set(folder.iterdir()), len(uploads())) == (before, rows)


def test_who_replaced_many_papers_is_not_stuck(world, entry, monkeypatch):
    entry.fill()
    client = world.logged_in("apply.ou")
    monkeypatch.setattr(applications, "MOST_ROWS", 2)
    for _ in range(3):
        with db.transaction():
            applications.add_paper(applications.held(entry.applicant), "proof", entry.paper(), only=True)
    assert say(client, "papers", kind="licence", file=photo()).status_code == 409
    with db.transaction():
        applications._remove_papers(entry.application.id, "proof")
    assert say(client, "papers", kind="licence", file=photo()).status_code == 303


def test_papers_are_read_by_the_offices_that_examine_and_by_nobody_else(world, entry):
    entry.fill()
    entry.hand_in()
    page = f"/office/applications/{entry.application.id}"
    desk = world.logged_in("system.tao")
    paper = re.search(rf'href="({page}/papers/\d+)"', desk.get(page).text)
    assert paper is not None
    assert desk.get(paper[1]).mimetype == "image/webp"
    assert world.logged_in("chair.he").get(paper[1]).status_code == 403


def test_without_a_reason_nothing_is_decided(world, entry):
    entry.fill()
    entry.hand_in()
    step, page = entry.open()["township"], f"/office/applications/{entry.application.id}"
    answer = send(world.logged_in("township.yan"), page + "/decision", page=page, step_id=step.id, decision="passed")
    assert answer.status_code == 422
    assert 'id="reason-error"' in answer.text
    assert set(entry.open()) == {"township"}


def test_a_decision_sent_again_later_finds_the_step_decided(world, entry):
    entry.fill()
    entry.hand_in()
    step, page = entry.open()["township"], f"/office/applications/{entry.application.id}"
    desk = world.logged_in("township.yan")
    said = {"step_id": step.id, "decision": "passed", "reason": "看过"}
    assert send(desk, page + "/decision", page=page, **said).status_code == 303
    assert send(desk, page + "/decision", page="/account", **said).status_code == 409
    assert set(entry.open()) == {"agriculture", "revitalisation"}


def test_a_traders_mark_up_stands_on_its_goods(world, client, entry):
    entry.fill(supplier_type="trader")
    with db.transaction():
        application = applications.held(entry.applicant)
        applications.say(application, {"producer_name": "桐口村合作社", "markup_points": 850})
        applications.add_paper(application, "commission_letter", entry.paper())
    entry.admit()
    with db.transaction():
        keep_paper(entry.supplier().id, "licence")
        said = goods.values(world, POMELO)
        product = products.create_product(said, entry.supplier().id, None)
    page = client.get(f"/products/{product.id}").text
    assert "桐口村合作社" in page
    assert "8.5" in page
    other = list_goods(world, POMELO, category="citrus")
    assert "桐口村合作社" not in client.get(f"/products/{other}").text


# ---- how a supplier stands ------------------------------------------------------------------------------------------


def test_an_official_suspends_and_lifts_and_the_shop_follows(world, client, entry):
    pomelo = list_goods(world, POMELO, category="citrus")
    page = f"/office/suppliers/{world.organisation_id(POMELO)}"
    desk = world.logged_in("official.hua")
    said = {"from_day": TODAY.isoformat(), "reason": "抽检不合格"}
    assert send(desk, page + "/standing", page=page, status="suspended", **said).status_code == 303
    assert client.get(f"/products/{pomelo}").status_code == 404
    assert "抽检不合格" in world.logged_in("chair.he").get("/sell/application").text
    assert send(desk, page + "/standing", page=page, status="suspended", **said).status_code == 409
    assert send(desk, page + "/standing", page=page, status="active", **said).status_code == 303
    world.app.extensions["sijin_pages"].clear()
    assert client.get(f"/products/{pomelo}").status_code == 200
    assert db.session().get_one(Organisation, world.organisation_id(POMELO)).status == "active"


def test_the_register_lists_every_supplier_of_the_county(world, entry):
    page = world.logged_in("official.hua").get("/office/suppliers").text
    assert "江永县演示香柚合作社" in page
    assert "新田县演示蔬菜合作社" not in page
    assert "演示新社" not in page


@pytest.mark.parametrize("path", ["/sell", "/sell/register"])
def test_public_pages_are_complete_in_english(client, path):
    page = client.get(path + "?lang=en").text
    plain = re.sub(r'<nav class="languages".*?</nav>', "", page, flags=re.DOTALL)
    assert not re.search(r"[\u4e00-\u9fff]", plain)


@pytest.mark.parametrize("section", ["", "/who", "/village", "/contact", "/producer", "/goods", "/proof", "/capacity",
                                     "/linkages", "/papers"])
def test_an_applicants_pages_are_complete_in_english(world, entry, section):
    entry.fill(supplier_type="trader" if section == "/producer" else "cooperative")
    page = world.logged_in("apply.ou").get(f"/sell/application{section}?lang=en")
    assert page.status_code == 200
    words = re.sub(r'<nav class="languages".*?</nav>|<label class="choice">.*?</label>|<option.*?</option>', "",
                   page.text, flags=re.DOTALL)
    words = re.sub("|".join(DATA), "", words)
    assert not re.search(r"[\u4e00-\u9fff]", words), re.findall(r".{30}[\u4e00-\u9fff]+", words)
