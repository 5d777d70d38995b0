"""The reserved share: who files what, what counts for whom, and which of the two bars moves."""

from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from market import clock, db, outbox
from market.errors import InvalidInput, SecondPersonNeeded
from market.message_rows import Message
from market.notices import Notice
from market.parties import DeliveryPoint, Membership, Organisation
from market.users import User
from orders.delivering import returns
from orders.models import Order
from orders.quota import figures, filing, jobs, outside, rules, single_orders, successions
from orders.quota.models import OutsideOrder, QuotaFiling, QuotaRule
from tests.quota_people import RULE, Office
from tests.trade import Trade
from tests.world import HOSPITAL, NOON, SCHOOL, World

NEW_YEARS_EVE = datetime(2026, 12, 31, 15, 30, tzinfo=UTC)  # 23:30 in Shanghai
SHEET = "订单编号,下单时间,验收时间,订单金额,退款金额,预算单位,资金来源,订单状态\n" \
        "832-1,2026-03-01,2026-03-05 10:00:00,\"1,000.50\",0.50,{unit},食堂,已完成\n" \
        "832-2,2026-04-01,,200,,{unit},工会,已完成\n832-3,2026-04-02,,999,,{unit},,已取消\n"


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    with clock.at(NOON):
        yield


@pytest.fixture
def office(app: Flask, world: World) -> Office:
    return Office(world)


def bought(trade: Trade, unit: str = SCHOOL, by: str = "cook.chen", milli: int = 10_000,
           receivers: tuple[str, str] = ("store.wang", "aunt.zhao")) -> Order:
    """Cabbage at ¥2.00 a kilo, accepted in full."""
    product = trade.product(f"白菜{milli}{by}")
    trade.lot(product)
    order = trade.orders(trade.place({product: milli}, by=by, unit=unit))[0]
    trade.ship(order.id)
    trade.accept(order.id, receivers=receivers)
    return order


def seen(unit_id: int, year: int = 2026) -> figures.Progress:
    db.session().rollback()
    return figures.progress([unit_id], year)[unit_id]


def test_the_local_bar_moves_by_what_is_accepted_less_what_goes_back_and_the_832_bar_not(
        world: World, trade: Trade, office: Office) -> None:
    office.rule()
    office.rule(duty="832", counts="832", min_points=1000)
    office.approve(office.file(world.person("admin.qian")))
    school = world.organisation_id(SCHOOL)
    order = bought(trade)
    assert (seen(school).local.amount_fen, seen(school).outside.amount_fen) == (2_000, 0)
    assert seen(school).local.points == 1_000  # of ¥200
    assert seen(school).outside.quota_fen == 10_000  # the least that its rule asks
    with db.transaction():
        returns.take_back(order.id, {trade.lines(order.id)[0].id: 2_500}, "烂叶", world.person("store.wang"),
                          world.person("clerk.zhang"))
    found = seen(school)
    assert (found.local.amount_fen, found.outside.amount_fen) == (1_500, 0)
    for figure in ("canteen", "total", "local"):
        assert sum(line["fen"] for line in single_orders.behind(school, 2026, found.day, figure)) == 1_500
    assert single_orders.behind(school, 2026, found.day, "832") == []
    assert sum(line["fen"] for line in single_orders.behind(school, 2026, found.day, "unpaid")) == found.sums.unpaid_fen


def test_a_purchase_moves_the_832_bar_where_a_rule_with_its_document_says_so(
        world: World, trade: Trade, office: Office) -> None:
    first = office.rule(duty="832", counts="832", min_points=1000)
    bought(trade)
    assert seen(world.organisation_id(SCHOOL)).outside.amount_fen == 0
    office.rule(duty="832", counts="both", min_points=1000, replaces=first)
    found = seen(world.organisation_id(SCHOOL))
    assert found.outside.amount_fen == 2_000 and found.outside.rule.document_number == "演示〔2026〕1号"
    assert db.session().get_one(QuotaRule, first).ended_at is not None  # the old row stays
    with pytest.raises(rules.RuleMoved):
        office.rule(duty="832", counts="832", replaces=first)
    with pytest.raises(InvalidInput):
        office.rule(duty="832", counts="local")
    with pytest.raises(rules.RuleThere):
        office.rule(duty="832", counts="832")


def test_a_ratio_under_the_minimum_is_refused_with_its_document_and_nothing_changes(
        world: World, office: Office) -> None:
    office.rule(min_points=1000)
    office.rule(unit_type="school", document_name="学校通知")
    with pytest.raises(InvalidInput) as refused:
        office.file(world.person("admin.qian"), canteen_points=1999)
    assert refused.value.field_messages() == {
        "canteen_ratio": ["At least 20.0% by 学校通知 (演示〔2026〕1号)."]}
    assert db.session().scalar(select(func.count()).select_from(QuotaFiling)) == 0
    office.file(world.person("admin.qian"), canteen_points=2000)
    office.file(world.person("cook.wu"), canteen_points=1000)  # a hospital: the rule for all
    with pytest.raises(InvalidInput) as refused:
        office.file(world.person("admin.qian"), year=2027)
    assert list(refused.value.fields) == ["canteen_ratio"]  # no rule yet


def test_the_nearest_places_rule_wins(world: World, office: Office) -> None:
    office.rule(unit_type="school", min_points=5000, encouraged_points=5000)
    with db.transaction() as session:
        county = world.person("official.hua")  # of the county's revitalisation office
        rules.keep({**RULE, "min_points": 1500, "document_number": "县1号"}, county)
        school = session.get_one(Organisation, world.organisation_id(SCHOOL))
        school.division_id = county.division_id
    book = rules.Book(2026)
    assert book.of(school.division_id, "school", "canteen", "local").min_points == 1500


def test_the_hospital_files_for_the_clinic_and_each_purchase_counts_once(
        world: World, trade: Trade, office: Office) -> None:
    office.rule()
    clinic = office.join("永州演示诊所", "doctor.lin", "林医生", "requester", "receiver", "manager",
                         unit_type="hospital")
    office.join("永州演示诊所", "nurse.xu", "许护士", "receiver")
    office.join("永州演示诊所", "cook.shao", "邵师傅", "requester")
    hospital = world.organisation_id(HOSPITAL)
    office.file(world.person("cook.wu"), contact="吴师傅")
    office.file(clinic, canteen="shared", representative="永州演示医院")
    with db.transaction() as session:
        session.execute(db.table(Organisation).update().where(Organisation.id == clinic.organisation_id)
                        .values(parent_id=hospital))
    point = _point(clinic.organisation_id)
    world.delivery_point_id = lambda key=SCHOOL: point  # type: ignore[method-assign]
    bought(trade, by="cook.shao", receivers=("doctor.lin", "nurse.xu"))
    both = figures.progress([hospital, clinic.organisation_id or 0], 2026)
    assert [both[unit].sums.total_fen for unit in (hospital, clinic.organisation_id)] == [2_000, 0]
    assert both[hospital].local.quota_fen == 20_000 and both[clinic.organisation_id or 0].local.quota_fen == 0
    assert [line["unit"] for line in single_orders.behind(hospital, 2026, clock.today(), "canteen")] == ["永州演示诊所"]
    with pytest.raises(InvalidInput) as refused:  # whoever is named names nobody
        office.file(world.person("cook.wu"), 2026, canteen="shared", representative="永州演示诊所")
    assert set(refused.value.fields) == {"canteen", "representative"}
    with pytest.raises(InvalidInput) as refused:
        office.file(world.person("admin.qian"), canteen="shared", representative="永州演示诊所")
    assert list(refused.value.fields) == ["representative"]


def _point(unit_id: int | None) -> int:
    return db.session().scalars(select(DeliveryPoint.id).where(DeliveryPoint.unit_id == unit_id)).one()


def test_a_contractors_orders_count_once_in_a_column_of_their_own(
        world: World, trade: Trade, office: Office) -> None:
    office.rule()
    agency = office.join("永州演示机关", "head.gu", "顾主任", "manager", "receiver", unit_type="agency")
    office.join("永州演示机关", "caterer.bao", "包老板", "contractor")
    office.join("永州演示机关", "store.pan", "潘保管", "receiver")
    office.join("永州演示机关", "cook.shao", "邵师傅", "requester")
    office.file(agency, canteen="outsourced", contractor="演示餐饮公司")
    point = _point(agency.organisation_id)
    world.delivery_point_id = lambda key=SCHOOL: point  # type: ignore[method-assign]
    bought(trade, by="caterer.bao", receivers=("head.gu", "store.pan"))
    bought(trade, by="cook.shao", milli=5_000, receivers=("head.gu", "store.pan"))
    found = seen(agency.organisation_id or 0)
    assert (found.sums.of["contractor"], found.sums.of["canteen"]) == (2_000, 1_000)
    assert found.local.amount_fen == 3_000 and found.local.quota_fen == 20_000


def test_a_unit_without_a_canteen_files_as_well_and_its_purchases_count(
        world: World, trade: Trade, office: Office) -> None:
    office.file(world.person("admin.qian"), canteen="none", canteen_base_fen=None, canteen_points=None)
    row = db.session().scalars(select(QuotaFiling)).one()
    assert (row.remark, row.canteen_quota_fen, row.state) == ("无食堂", 0, "submitted")
    bought(trade)
    assert seen(world.organisation_id(SCHOOL)).local.amount_fen == 2_000


def test_a_filing_goes_up_step_by_step_and_nobody_reviews_their_own(world: World, office: Office) -> None:
    office.rule()
    bureau = office.join("永州演示教育局", "bureau.tang", "唐科长", "manager", unit_type="agency")
    office.supervise(bureau)
    number = office.file(world.person("admin.qian"))
    with pytest.raises(filing.FilingMoved), db.transaction():  # finance waits for the supervising unit
        filing.decide(office.row(number), 1, True, "", office.finance)
    with pytest.raises(InvalidInput), db.transaction():
        filing.review(number, 1, False, "", bureau)
    with db.transaction():
        filing.review(number, 1, False, "基数偏低", bureau)
    assert (office.row(number).state, office.row(number).reason) == ("returned", "基数偏低")
    office.file(world.person("admin.qian"), canteen_base_fen=200_000)
    with pytest.raises(filing.FilingMoved), db.transaction():  # what the bureau looked at is no more
        filing.review(number, 1, True, "", bureau)
    with db.transaction():
        filing.review(number, 2, True, "", bureau)
    office.approve(number)
    assert (office.row(number).state, office.row(number).revision) == ("approved", 2)
    with pytest.raises(filing.FilingMoved):
        office.file(world.person("admin.qian"))
    with db.transaction() as session:  # the same person on both sides
        session.execute(db.table(QuotaFiling).update().values(state="submitted", submitted_by=bureau.id))
    with pytest.raises(SecondPersonNeeded), db.transaction():
        filing.review(number, 2, True, "", bureau)


def test_an_export_of_832_sent_twice_counts_once(world: World, office: Office) -> None:
    office.rule(duty="832", counts="832", min_points=1000)
    school, cashier = world.organisation_id(SCHOOL), world.person("cashier.sun")
    content = SHEET.format(unit="永州演示第一小学").encode()
    for expected in ((2, 0), (0, 0)):
        rows, errors = outside.read_orders(content, rules.unit(school))
        assert not errors
        with db.transaction():
            assert outside.keep_orders(rows, "832.csv", cashier) == expected
        assert seen(school).outside.amount_fen == 120_000
        assert seen(school).local.amount_fen == 0
    rows, _errors = outside.read_orders(content.replace(b"0.50,", b"100.50,", 1), rules.unit(school))
    lines = single_orders.behind(school, 2026, clock.today(), "832")
    assert [line["number"] for line in lines] == ["832-1", "832-2"]
    _rows, errors = outside.read_orders(content.replace("第一小学".encode(), "别校".encode(), 1), rules.unit(school))
    assert [(error.number, error.field) for error in errors] == [(2, "unit")]
    assert db.session().scalar(select(func.count()).select_from(OutsideOrder)) == 2


def test_the_last_half_hour_of_the_year_belongs_to_it(world: World, trade: Trade, office: Office) -> None:
    with clock.at(NEW_YEARS_EVE):
        product = trade.product("萝卜")
        trade.lot(product)
        order = trade.orders(trade.place({product: 10_000}))[0]
        trade.ship(order.id)
        trade.accept(order.id)
    with clock.at(datetime(2027, 1, 20, tzinfo=UTC)):
        school = world.organisation_id(SCHOOL)
        assert (seen(school, 2026).local.amount_fen, seen(school, 2027).local.amount_fen) == (2_000, 0)
        assert seen(school, 2027).forecast_fen is None and seen(school, 2026).time_points == 10_000


def test_a_merged_units_purchases_count_for_the_successor_from_the_day_on(
        world: World, trade: Trade, office: Office) -> None:
    office.rule()
    number = office.file(world.person("admin.qian"))
    bought(trade)
    scan = office.scan()
    with db.transaction():
        step = successions.declare("merged", "永州演示医院", date(2026, 10, 13), scan, world.person(
            "admin.qian"))
    assert office.row(number).state == "submitted"
    with db.transaction():
        successions.decide(step, True, "", office.finance)
    assert office.row(number).state == "closed"
    with clock.at(datetime(2026, 10, 14, 4, tzinfo=UTC)):
        bought(trade, milli=5_000)
        school, hospital = world.organisation_id(SCHOOL), world.organisation_id(HOSPITAL)
        assert seen(school).sums.total_fen == 2_000
        assert seen(hospital).sums.total_fen == 1_000
        with db.transaction():
            back = successions.declare("merged", "永州演示第一小学", date(2026, 10, 14), scan,
                                       world.person("cook.wu"))
        with pytest.raises(successions.InACircle), db.transaction():
            successions.decide(back, True, "", office.finance)


def test_a_shared_canteen_goes_on_under_the_successor_of_whoever_filed_it(
        world: World, trade: Trade, office: Office) -> None:
    office.rule()
    office.file(world.person("cook.wu"), contact="吴师傅")
    office.file(world.person("admin.qian"), canteen="shared", representative="永州演示医院")
    merged = office.join("永州演示新院", "head.gu", "顾院长", "manager", unit_type="hospital").organisation_id or 0
    scan = office.scan()
    with db.transaction():
        step = successions.declare("merged", "永州演示新院", date(2026, 10, 13), scan, world.person("cook.wu"))
    with db.transaction():
        successions.decide(step, True, "", office.finance)
    bought(trade)
    with clock.at(datetime(2026, 10, 14, 4, tzinfo=UTC)):
        bought(trade, milli=5_000)
        units = [world.organisation_id(SCHOOL), world.organisation_id(HOSPITAL), merged]
        found = figures.progress(units, 2026)
        assert [found[unit].sums.total_fen for unit in units] == [0, 2_000, 1_000]
        assert sum(line["fen"] for line in single_orders.behind(merged, 2026, clock.today(), "total")) == 1_000


def test_what_is_still_unpaid_has_its_freight(world: World, trade: Trade, office: Office) -> None:
    order = bought(trade)
    with db.transaction() as session:
        session.execute(update(Order).where(Order.id == order.id).values(freight_agreed_fen=500,
                                                                               freight_fen=500))
    assert seen(world.organisation_id(SCHOOL)).sums.unpaid_fen == 2_500


def test_reminders_go_out_once(world: World, office: Office, trade: Trade) -> None:
    office.rule()
    with db.transaction():
        rules.set_deadline(2026, date(2026, 10, 18), office.finance)
    for _turn in range(2):
        with db.transaction():
            jobs.remind_of_deadlines(clock.today())
    told = [(row.kind, row.organisation_id) for row in db.session().scalars(select(Notice))]
    assert sorted(told) == sorted([("quota.due_7", world.organisation_id(SCHOOL)),
                                   ("quota.due_7", world.organisation_id(HOSPITAL))])
    office.approve(office.file(world.person("admin.qian")))
    for _turn in range(2):
        with db.transaction():
            jobs.remind_of_lags(date(2026, 10, 2))
    kinds = [row.kind for row in db.session().scalars(select(Notice))]
    assert kinds.count("quota.lags_q3") == 1


def test_a_reminder_is_one_letter_for_each_unit_and_person(app: Flask, world: World, office: Office) -> None:
    """孙会计 keeps the books of two units; 王师傅 receives and has nothing to file."""
    with db.transaction() as session:
        session.execute(update(User).where(User.login.in_(("cashier.sun", "store.wang"))).values(
            email=User.login + "@example.cn"))
        session.add(Membership(user_id=world.person("cashier.sun").id, organisation_id=world.organisation_id(HOSPITAL),
                               role="finance"))
        rules.set_deadline(2026, date(2026, 10, 18), office.finance)
    with db.transaction():
        jobs.remind_of_deadlines(clock.today())
    outbox.drain(app.extensions["sijin_handlers"])
    told = db.session().execute(select(User.login, Message.organisation_id).join(User, User.id == Message.user_id))
    assert sorted(map(tuple, told)) == sorted(("cashier.sun", world.organisation_id(key)) for key in (SCHOOL, HOSPITAL))


def test_late_filings_are_marked(world: World, office: Office) -> None:
    office.rule()
    with db.transaction():
        rules.set_deadline(2026, date(2026, 3, 31), office.finance)
    assert office.row(office.file(world.person("admin.qian"))).is_late
