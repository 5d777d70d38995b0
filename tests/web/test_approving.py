"""Four eyes over the wire: who approves what, papers filed, orders changed, limits and anomalies."""

import io
from datetime import timedelta

import pytest
from PIL import Image
from sqlalchemy import select

from catalog.models import Lot
from market import clock, db, worker
from market.notices import Notice
from market.parties import Membership, Organisation
from orders.anomalies.models import AnomalyCase
from orders.approving.models import ApprovalDecision, ApprovalRule, TenderLimit
from orders.models import Order, Purchase
from orders.paying import claims
from orders.paying.claims import Remittance
from tests.quota_people import Office
from tests.trade import Trade
from tests.web.forms import csrf_token, send
from tests.world import GREENS, NOON, PASSWORD, SCHOOL, TODAY, World


@pytest.fixture(autouse=True)
def noon():
    with clock.at(NOON):
        yield


@pytest.fixture
def cabbage(trade: Trade) -> int:
    product = trade.product("白菜", price_fen=1000)
    trade.lot(product, kg=9_000)
    return product


def ruled(world: World, *rows: tuple[str, str, str]):
    fields = {f"lines-{at}-{name}": value for at, row in enumerate(rows)
              for name, value in zip(("from_fen", "role", "fund_source"), row, strict=True)}
    return send(world.logged_in("admin.qian"), "/approval-rules", **fields)


def led(world: World, login: str = "store.wang") -> None:
    """Somebody of the school who also decides large purchases."""
    with db.transaction() as session:
        session.add(Membership(user_id=world.person(login).id, organisation_id=world.organisation_id(SCHOOL),
                               role="leader"))


def scan() -> tuple[io.BytesIO, str]:
    picture = io.BytesIO()
    Image.new("RGB", (40, 30), "white").save(picture, "PNG")
    picture.seek(0)
    return picture, "审批单.png"


def approval_of(placed) -> str:
    db.session().rollback()
    return db.session().scalars(select(Purchase.approval).where(Purchase.id == placed.id)).one()


def test_the_manager_says_who_approves_what_and_others_only_read(world, trade, cabbage):
    before = trade.place({cabbage: 200_000})
    assert ruled(world, ("1000", "approver", "any"), ("5000", "leader", "any"), ("", "approver", "any")
                 ).status_code == 303
    assert db.session().execute(select(ApprovalRule.step_no, ApprovalRule.from_fen, ApprovalRule.role)
                                .order_by(ApprovalRule.step_no)).all() == [
        (1, 100_000, "approver"), (2, 500_000, "leader")]
    assert approval_of(before) == "not_needed"
    page = world.logged_in("head.li").get("/approval-rules")
    assert page.status_code == 200 and "5,000.00" in page.text
    assert send(world.logged_in("head.li"), "/approval-rules", "/account").status_code == 403
    refused = ruled(world, ("1e3", "approver", "any"))
    assert refused.status_code == 422 and 'value="1e3"' in refused.text
    assert db.session().scalars(select(ApprovalRule.id)).all() != []


def test_two_steps_by_two_people(world, trade, cabbage):
    ruled(world, ("1000", "approver", "any"), ("5000", "leader", "any"))
    led(world)
    placed = trade.place({cabbage: 600_000})
    url, page = f"/purchases/{placed.id}/approval", f"/purchases/{placed.id}"
    content = db.session().get_one(Purchase, placed.id).content_hash
    yes = {"decision": "approve", "content_hash": content}
    early = send(world.logged_in("store.wang"), url, "/account", **yes)
    assert early.status_code == 409 and approval_of(placed) == "waiting"
    assert send(world.logged_in("head.li"), url, page, **yes).status_code == 303
    assert approval_of(placed) == "waiting"
    again = send(world.logged_in("head.li"), url, "/account", **yes)
    assert again.status_code == 409 and approval_of(placed) == "waiting"
    shown = world.logged_in("store.wang").get(page).text
    assert 'value="approve"' in shown and "李校长" in shown
    assert send(world.logged_in("store.wang"), url, page, **yes).status_code == 303
    assert approval_of(placed) == "approved"
    assert "王保管" in world.logged_in("cook.chen").get(page + "/sheet").text
    order = trade.orders(placed)[0]
    trade.ship(order.id)
    with pytest.raises(Exception, match="Two people"):  # every approver is barred, the first as the last
        trade.accept(order.id)


def test_who_approved_takes_nothing_in_by_form_and_api(world, trade, cabbage):
    ruled(world, ("10", "approver", "any"))
    with db.transaction() as session:
        session.add(Membership(user_id=world.person("store.wang").id, organisation_id=world.organisation_id(SCHOOL),
                               role="approver"))
    placed = trade.place({cabbage: 20_000})
    keeper, page = world.logged_in("store.wang"), f"/purchases/{placed.id}"
    content = db.session().get_one(Purchase, placed.id).content_hash
    assert send(keeper, f"{page}/approval", page, decision="approve", content_hash=content).status_code == 303
    order = trade.orders(placed)[0]
    trade.ship(order.id)
    line = trade.lines(order.id)[0].id
    form = {"lines-0-line_id": line, "lines-0-grams": "20", "documents_seen": "1", "second_password": PASSWORD,
            "second_id": world.person("aunt.zhao").id, "submit_token": "once"}
    assert send(keeper, f"/orders/{order.id}/acceptance", "/account", **form).status_code == 409
    told = {"lines": [{"line_id": line, "accepted_grams": 20_000}], "documents_seen": True,
            "second_receiver": {"login": "aunt.zhao", "password": PASSWORD}}
    answer = world.app.test_client().post(f"/api/v1/orders/{order.id}/acceptance", json=told,
                                          headers=world.api_headers("store.wang") | {"Idempotency-Key": "once"})
    assert (answer.status_code, answer.json["error"]["code"]) == (409, "two_receivers")
    db.session().rollback()
    assert db.session().get_one(Order, order.id).state == "shipped"


def test_the_cook_approves_nothing_by_form_and_api(world, trade, cabbage):
    ruled(world, ("10", "approver", "any"))
    with db.transaction() as session:
        session.add(Membership(user_id=world.person("cook.chen").id, organisation_id=world.organisation_id(SCHOOL),
                               role="approver"))
    placed = trade.place({cabbage: 20_000})
    content = db.session().get_one(Purchase, placed.id).content_hash
    assert send(world.logged_in("cook.chen"), f"/purchases/{placed.id}/approval", "/account", decision="approve",
                content_hash=content).status_code == 409
    answer = world.app.test_client().post(f"/api/v1/purchases/{placed.id}/approval", json={},
                                          headers=world.api_headers("cook.chen"))
    assert (answer.status_code, answer.json["error"]["code"]) == (409, "second_person")
    assert approval_of(placed) == "waiting"
    assert db.session().scalars(select(ApprovalDecision.id)).all() == []


def test_a_paper_is_filed_by_a_second_person_who_then_neither_receives_nor_pays(world, trade, cabbage):
    ruled(world, ("10", "leader", "any"))
    placed = trade.place({cabbage: 20_000})
    url = f"/purchases/{placed.id}/paper-approval"

    def filed(login: str, **changes):
        client = world.logged_in(login)
        fields = {"step_no": "1", "signed_by": "周局长", "signed_on": TODAY.isoformat(), **changes}
        return client.post(url, data={"csrf_token": csrf_token(client, "/account"), **fields, "file": scan()})

    assert filed("cook.chen").status_code == 409
    assert filed("admin.qian", signed_by="陈师傅").status_code == 422
    assert filed("admin.qian", signed_on=(TODAY + timedelta(days=1)).isoformat()).status_code == 422
    assert approval_of(placed) == "waiting"
    assert world.logged_in("cashier.sun").get(url).status_code == 200
    assert filed("cashier.sun").status_code == 303
    assert approval_of(placed) == "approved"
    for page in (f"/purchases/{placed.id}", f"/purchases/{placed.id}/sheet"):
        assert "周局长" in world.logged_in("head.li").get(page).text
    order = trade.orders(placed)[0]
    with pytest.raises(Exception, match="second person"):
        trade.pay(order.id, 100)


def test_an_order_is_changed_by_form_and_the_cooperative_hears_of_it(world, trade, cabbage):
    ruled(world, ("100", "approver", "any"))
    placed = trade.place({cabbage: 8_000})
    order = trade.orders(placed)[0]
    line = trade.lines(order.id)[0].id
    client, url = world.logged_in("cook.chen"), f"/orders/{order.id}/amendment"
    assert client.get(url).status_code == 200
    bad = send(client, url, **{"lines-0-line_id": str(line), "lines-0-ordered_milli": "１e2"})
    assert bad.status_code == 422
    less = send(client, url, **{"lines-0-line_id": str(line), "lines-0-ordered_milli": "5", "new-0-product_id": "",
                                "new-0-ordered_milli": "", "reason": "少来几个人"})
    assert less.status_code == 303
    db.session().rollback()
    assert db.session().get_one(Order, order.id, populate_existing=True).placed_fen == 5000
    worker.drain_outbox()
    kinds = db.session().execute(select(Notice.kind, Notice.thing_id).where(
        Notice.organisation_id == world.organisation_id(GREENS))).all()
    assert "order.amended" in {row.kind for row in kinds}
    change = next(row.thing_id for row in kinds if row.kind == "order.amended")
    clerk = world.logged_in("clerk.zhang")
    assert order.number in clerk.get(f"/village/order-changes/{change}").text
    assert world.logged_in("clerk.lv").get(f"/village/order-changes/{change}").status_code == 404
    assert "少来几个人" in clerk.get(f"/village/orders/{order.id}").text
    more = world.app.test_client().post(f"/api/v1/orders/{order.id}/amendment", headers=world.api_headers("cook.chen"),
                                        json={"lines": [{"line_id": line, "ordered_milli": 20_000}]})
    assert (more.status_code, more.json["state"]) == (201, "waiting")
    assert clerk.get(f"/village/orders/{order.id}").status_code == 404
    assert approval_of(placed) == "waiting"
    assert "¥100.00" in world.logged_in("head.li").get(f"/purchases/{placed.id}").text.replace(
        '<span class="money-sign">¥</span>', "¥")
    with clock.at(clock.shanghai(TODAY, 17)):
        late = send(client, url, f"/orders/{order.id}", **{"lines-0-line_id": str(line), "lines-0-ordered_milli": "5"})
        assert late.status_code == 409 and "2026-10-12 16:00" in late.text


def test_the_packing_page_sends_the_rest_later(world, trade, cabbage):
    placed = trade.place({cabbage: 10_000})
    order = trade.orders(placed)[0]
    line = trade.lines(order.id)[0].id
    lot = world.logged_in("clerk.zhang")
    page = f"/village/orders/{order.id}/shipment"
    from_store = {"lines-0-line_id": str(line), "lines-0-lot_id": str(_lot()), "lines-0-packed_milli": "6"}
    refused = send(lot, page, rest_on=(TODAY + timedelta(days=1)).isoformat(), **from_store)
    assert refused.status_code == 422 and len(trade.orders(placed)) == 1
    assert send(lot, page, rest_on=(TODAY + timedelta(days=4)).isoformat(), **from_store).status_code == 303
    db.session().rollback()
    first, rest = trade.orders(placed)
    assert (first.state, first.placed_fen, rest.state, rest.placed_fen) == ("shipped", 6000, "placed", 4000)
    worker.drain_outbox()
    assert rest.number in world.logged_in("cook.chen").get("/notices").text


def _lot() -> int:
    return db.session().scalars(select(Lot.id).order_by(Lot.id)).first() or 0


def test_a_small_unit_declares_the_reduced_scheme_and_every_sheet_says_so(world, trade, cabbage):
    client = world.logged_in("admin.qian")
    fields = {"scheme": "reduced", "reason": "全校只有三名职工", "decided_on": TODAY.isoformat()}
    assert send(client, "/approval-rules/scheme", "/approval-rules", **(fields | {"reason": ""})).status_code == 422
    assert send(client, "/approval-rules/scheme", "/approval-rules", **fields).status_code == 303
    assert send(client, "/approval-rules/scheme", "/approval-rules", **fields).status_code == 409
    db.session().rollback()
    assert db.session().get_one(Organisation, world.organisation_id(SCHOOL)).receiving_scheme == "reduced"
    placed = trade.place({cabbage: 1_000})
    order = trade.orders(placed)[0]
    trade.ship(order.id)
    trade.accept(order.id, receivers=("store.wang", "cook.chen"))
    assert "精简" in client.get(f"/purchases/{placed.id}/sheet").text or "reduced" in client.get(
        f"/purchases/{placed.id}/sheet?lang=en").text
    assert "全校只有三名职工" in client.get("/approval-rules").text
    with pytest.raises(Exception, match="second person"):
        _pay_as_cook(trade, order.id)


def _pay_as_cook(trade: Trade, order_id: int) -> None:
    with db.transaction():
        claims.claim({order_id: 100}, Remittance("学校", TODAY), trade.world.person("cook.chen"))


def test_limits_warn_and_anomalies_are_looked_into(world, trade, cabbage):
    city = world.logged_in("official.jin")
    division = world.person("official.jin").division_id
    fields = {"division_id": str(division), "year": "2025", "category": "", "limit_fen": "100",
              "document": "演示文件1号"}
    assert send(city, "/office/tender-limits", **(fields | {"division_id": "1234567"})).status_code == 422
    assert send(city, "/office/tender-limits", **fields).status_code == 303
    assert send(world.logged_in("official.hua"), "/office/tender-limits", **fields).status_code == 403
    office = Office(world)
    with db.transaction() as session:  # a county's finance office copies in what is missing, and changes only that
        session.get_one(Organisation, office.finance.organisation_id).division_id = world.person(
            "official.hua").division_id
    county = world.logged_in("budget.ma")
    refused = send(county, "/office/tender-limits", **(fields | {"limit_fen": "99999"}))
    assert refused.status_code == 422 and "由其他部门录入" in refused.text
    for amount in ("300", "200"):
        told = fields | {"year": "2024", "limit_fen": amount}
        assert send(county, "/office/tender-limits", **told).status_code == 303
    assert sorted(db.session().scalars(select(TenderLimit.limit_fen))) == [10_000, 20_000]
    near = trade.place({cabbage: 8_000})
    assert "演示文件1号" in world.logged_in("cook.chen").get(f"/purchases/{near.id}").text
    trade.place({cabbage: 8_000})
    assert send(city, "/office/anomalies/look", page="/office/anomalies", month="2026-10").status_code == 303
    page = city.get("/office/anomalies?lang=en")
    assert page.status_code == 200 and "Above a tender limit" in page.text
    assert "演示文件1号" in city.get("/reports/anomalies.csv?from=2026-10&to=2026-10").text
    key = f"{world.organisation_id(SCHOOL)}/2026/vegetables"
    case = db.session().scalars(select(AnomalyCase.id).where(AnomalyCase.key == key)).one()
    told = {"decision": "upheld", "note": "已约谈"}
    assert send(city, "/office/anomalies/999999/decision", page=f"/office/anomalies/{case}", **told).status_code == 404
    assert send(city, f"/office/anomalies/{case}/decision", page=f"/office/anomalies/{case}", **told).status_code == 303
    assert "已约谈" in city.get(f"/office/anomalies/{case}").text
    assert "金局长" in city.get("/reports/anomalies.csv?from=2026-10&to=2026-10").text
    assert world.logged_in("cook.chen").get("/reports/anomalies").status_code == 404
