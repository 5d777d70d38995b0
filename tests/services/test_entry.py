"""A supplier comes in: several offices vouch for it, each in its time and by somebody else; and how it goes out."""

from datetime import date, timedelta

import pytest
from sqlalchemy import func, select

from catalog import browse
from catalog.entry import applications, contents, jobs, lists, registration, standing, steps
from catalog.entry.models import Application, SupplierStanding
from catalog.shelves import Words
from market import clock, credentials, db, journal, logins, notices, outbox
from market.access import Visitor
from market.errors import Conflict, InvalidInput, NotAllowed, NotFound, SecondPersonNeeded
from market.notices import Notice
from market.parties import Membership
from market.users import User
from tests.entries import Entry, code
from tests.goods import list_goods, shelves
from tests.world import NOON, POMELO, TODAY, World


@pytest.fixture(autouse=True)
def noon():
    with clock.at(NOON):
        yield


@pytest.fixture
def entry(world: World) -> "Entry":
    shelves()
    return Entry(world)


# ---- the whole way --------------------------------------------------------------------------------------------------


def test_township_two_county_offices_side_by_side_then_the_platform(entry):
    entry.fill()
    entry.hand_in()
    assert set(entry.open()) == {"township"}
    entry.decide("township", "township.yan")
    assert set(entry.open()) == {"agriculture", "revitalisation"}
    entry.decide("revitalisation", "official.hua")
    assert set(entry.open()) == {"agriculture"}
    entry.decide("agriculture", "farm.luo")
    assert set(entry.open()) == {"platform"}
    assert entry.supplier().status == "applying"
    entry.decide("platform", "system.tao")

    supplier = entry.supplier()
    assert (supplier.status, supplier.supplier_type, supplier.credit_code) == ("active", "cooperative", code("93", 1))
    assert (supplier.division_id, supplier.bank_account) == (entry.application.village_id, "62000000123")
    assert entry.applicant.roles == {"manager"}
    assert db.session().scalar(select(User.mobile).where(User.login == "apply.ou")) != "13800001234"  # had one before
    told = [row["action"] for row in journal.timeline("application", entry.application.id)]
    assert told == ["application.begun", "application.submitted", *["application.passed"] * 4, "application.admitted"]


def test_each_step_is_due_in_three_working_days_and_shows_when_it_is_over(entry, world):
    entry.fill()
    entry.hand_in()  # a Monday
    assert entry.open()["township"].due_on == date(2026, 10, 15)
    city = world.person("official.jin")
    with clock.at(NOON + timedelta(days=3)):
        assert lists.open_steps(city).area_overdue == 0
    with clock.at(NOON + timedelta(days=4)):
        assert lists.open_steps(city).area_overdue == 1
        assert lists.open_steps(world.person("township.yan")).mine_overdue == 1
        late = lists.applications(city, "overdue", "", 1).rows
        assert [(row.office, row.due_on) for row in late] == [("江永演示乡镇", date(2026, 10, 15))]


def test_a_return_keeps_what_was_typed_and_the_words_of_those_who_passed_it(entry):
    entry.fill()
    entry.hand_in()
    entry.decide("township", "township.yan")
    entry.decide("agriculture", "farm.luo")
    entry.decide("revitalisation", "official.hua", "returned", "农户名单缺页")
    assert (entry.application.state, entry.application.capacity) == ("returned", "三十亩地，一个冷库")
    assert entry.open() == {}
    with db.transaction():
        applications.add_linkage(applications.held(entry.applicant),
                                 {"kind": "employment", "households": 5, "note": "务工"}, entry.paper())
    entry.hand_in()
    assert set(entry.open()) == {"revitalisation"}  # the others vouched for something else
    entry.decide("revitalisation", "official.hua")
    assert set(entry.open()) == {"platform"}


def test_who_passed_it_is_asked_again_when_what_they_vouched_for_has_changed(entry):
    entry.fill()
    entry.hand_in()
    entry.decide("township", "township.yan")
    entry.decide("revitalisation", "official.hua", "returned")
    assert {row.step: row.decision for row in lists.steps_of([entry.application.id])[entry.application.id]} == {
        "township": "passed", "agriculture": "set_aside", "revitalisation": "returned"}
    with db.transaction():
        applications.say_who(applications.held(entry.applicant),
                             {"supplier_type": "cooperative", "name": "江永县另名社", "short_name": "",
                              "credit_code": code("93", 2)})
    entry.hand_in()
    assert set(entry.open()) == {"township"}


def test_a_firm_examined_elsewhere_needs_one_confirmation(entry):
    entry.fill()
    with db.transaction():
        application = applications.held(entry.applicant)
        applications.say(application, {"proof_kind": "platform_832", "proof_no": "832-77"})
    with pytest.raises(applications.Incomplete) as refused:
        entry.hand_in()
    assert set(refused.value.fields) == {"proof"}
    assert entry.application.state == "draft"
    with db.transaction():
        applications.add_paper(applications.held(entry.applicant), "proof", entry.paper())
    entry.hand_in()
    assert set(entry.open()) == {"confirmation"}
    entry.decide("confirmation", "farm.luo")
    assert set(entry.open()) == {"platform"}
    entry.decide("platform", "system.tao")
    assert entry.supplier().status == "active"


# ---- refusals -------------------------------------------------------------------------------------------------------


def test_nothing_goes_out_that_is_not_filled_in(entry):
    with pytest.raises(applications.Incomplete) as refused:
        entry.hand_in()
    assert {"who", "village", "contact", "goods", "capacity", "linkages", "papers"} == set(refused.value.fields)
    assert entry.application.state == "draft"
    assert entry.open() == {}


def test_a_trader_without_the_producers_letter_stays_outside(entry):
    entry.fill(supplier_type="trader")
    with db.transaction():
        applications.say(applications.held(entry.applicant), {"producer_name": "某村合作社", "markup_points": 850})
    with pytest.raises(applications.Incomplete) as refused:
        entry.hand_in()
    assert set(refused.value.fields) == {"producer"}
    assert (entry.application.state, entry.open()) == ("draft", {})
    with db.transaction():
        applications.add_paper(applications.held(entry.applicant), "commission_letter", entry.paper())
    entry.hand_in()
    assert set(entry.open()) == {"township"}


def test_a_trader_has_no_shorter_way(entry):
    entry.fill()
    with db.transaction():
        application = applications.held(entry.applicant)
        applications.say(application, {"proof_kind": "certified", "proof_no": "9"})
        applications.say_who(application, {"supplier_type": "trader", "name": "贸易行", "short_name": "",
                                           "credit_code": code("91", 3)})
        assert steps.path_of(application) == steps.FULL
        assert "producer" in contents.sections(application)


def test_the_same_person_does_not_decide_two_steps(entry, world):
    entry.fill()
    entry.hand_in()
    with db.transaction() as session:  # 罗科长 helps out in the township
        row = entry.open()["township"]
        row.office_id = world.organisation_id("agriculture")
        session.flush()
    entry.decide("township", "farm.luo")
    with pytest.raises(SecondPersonNeeded):
        entry.decide("agriculture", "farm.luo")
    assert set(entry.open()) == {"agriculture", "revitalisation"}


def test_who_applies_does_not_decide(entry, world):
    entry.fill()
    entry.hand_in()
    with db.transaction():
        user_id = entry.applicant.id
        credentials.add_role(user_id, world.organisation_id("township"), "township_officer")
    row = entry.open()["township"]
    both = logins.visitor_of_login("apply.ou", world.organisation_id("township"))
    with pytest.raises(SecondPersonNeeded), db.transaction():
        steps.decide(row.application_id, {"step_id": row.id, "decision": "passed", "reason": "ok"}, both)
    assert set(entry.open()) == {"township"}


def test_another_office_of_the_county_does_not_decide_a_step(entry):
    entry.fill()
    entry.hand_in()
    with pytest.raises(steps.OtherOffice):
        entry.decide("township", "farm.luo")
    assert set(entry.open()) == {"township"}


def test_a_refusal_is_final(entry):
    entry.fill()
    entry.hand_in()
    entry.decide("township", "township.yan", "refused", "没有这家")
    with pytest.raises(applications.NotInYourHands):
        entry.hand_in()
    assert (entry.application.state, entry.supplier().status) == ("refused", "applying")


def test_nothing_is_changed_while_the_offices_examine(entry):
    entry.fill()
    entry.hand_in()
    with pytest.raises(applications.NotInYourHands), db.transaction():
        applications.say(applications.held(entry.applicant), {"capacity": "十倍"})
    assert entry.application.capacity == "三十亩地，一个冷库"
    with db.transaction():
        applications.withdraw(entry.applicant)
    assert (entry.application.state, entry.open()) == ("withdrawn", {})
    entry.hand_in()
    assert set(entry.open()) == {"township"}


def test_a_credit_code_comes_in_once(entry, world):
    entry.fill()
    entry.hand_in()
    with db.transaction():
        other = registration.register(registration.Newcomer("别社", "周桂香", "13911112222", "x"), None)
    second = Visitor(**vars(logins.visitor_of_login(_login(other))))
    with pytest.raises(applications.CodeTaken), db.transaction():
        applications.say_who(applications.held(second), {
            "supplier_type": "cooperative", "name": "别社", "short_name": "", "credit_code": code("93", 1)})
    assert applications.own(second).credit_code is None


def _login(user_id: int) -> str:
    return logins.login_of(user_id)


def test_the_database_too_holds_a_code_once(entry):
    """Should two hand in at the same moment, the second is told."""
    entry.fill()
    entry.hand_in()
    with db.transaction() as session:
        other = registration.register(registration.Newcomer("别社", "周桂香", "13911112222", "x"), None)
        rival = session.scalars(select(Application).where(Application.applicant_id == other)).one()
        rival.credit_code = code("93", 1)
    with pytest.raises(Exception, match=r"(?i)unique"), db.transaction() as session:
        session.scalars(select(Application).where(Application.applicant_id == other)).one().state = "submitted"


# ---- registration ---------------------------------------------------------------------------------------------------


def test_a_form_sent_twice_registers_once(entry):
    newcomer = registration.Newcomer("新社", "周桂香", "13911112222", "x")
    with db.transaction():
        first = registration.register(newcomer, "token")
    before = db.session().scalar(select(func.count()).select_from(User))
    with pytest.raises(registration.AlreadyRegistered) as repeated, db.transaction():
        registration.register(newcomer, "token")
    assert repeated.value.user_id == first
    assert db.session().scalar(select(func.count()).select_from(User)) == before


def test_a_login_name_is_given_never_chosen_so_none_is_found_out(entry):
    with db.transaction():
        names = {_login(registration.register(registration.Newcomer("社", "何 社长", "13900000009", "x"), None))
                 for _ in range(3)}
    assert len(names) == 3
    assert all(name.startswith("何社长") and name[3:].isdigit() for name in names)
    assert db.session().scalar(select(func.count()).select_from(User).where(User.mobile == "13900000009")) <= 1


def test_an_admitted_newcomer_can_log_in_by_mobile_too(entry, world):
    with db.transaction() as session:
        session.scalars(select(User).where(User.login == "apply.ou")).one().mobile = None
    entry.fill()
    assert db.session().scalar(select(User.mobile).where(User.login == "apply.ou")) is None
    entry.admit()
    assert db.session().scalar(select(User.mobile).where(User.login == "apply.ou")) == "13800001234"


def test_a_number_named_after_the_township_has_looked_lets_nobody_in(entry, world):
    """Ou hands in with her own number; once the township has passed it, she puts a stranger's in its place."""
    with db.transaction() as session:
        session.scalars(select(User).where(User.login == "apply.ou")).one().mobile = None
    entry.fill()
    entry.hand_in()
    entry.decide("township", "township.yan")
    entry.decide("agriculture", "farm.luo")
    entry.decide("revitalisation", "official.hua", "returned")
    with db.transaction():
        applications.say(applications.held(entry.applicant), {"mobile": "13700009999"})
    entry.hand_in()
    assert set(entry.open()) == {"township"}, "the township is asked whose number that is"
    assert entry.supplier().status == "applying"
    assert db.session().scalar(select(User.mobile).where(User.login == "apply.ou")) is None


# ---- news -----------------------------------------------------------------------------------------------------------


def test_offices_and_applicant_hear_of_each_word_once(entry, world):
    entry.fill()
    entry.hand_in()
    entry.decide("township", "township.yan", "returned", "缺照片")
    outbox.drain(jobs.HANDLERS)
    entry.hand_in()
    outbox.drain(jobs.HANDLERS)
    kinds = db.session().execute(select(Notice.organisation_id, Notice.kind).order_by(Notice.id)).all()
    township, own = world.organisation_id("township"), entry.applicant.organisation_id
    assert [tuple(row) for row in kinds] == [
        (township, "application.waiting"), (own, "application.returned"), (township, "application.waiting")]
    assert notices.newest(own)[0].details == {"reason": "缺照片"}


# ---- how a supplier stands ------------------------------------------------------------------------------------------


def stand(world: World, status: str, day: date = TODAY, login: str = "official.hua", key: str = POMELO) -> None:
    with db.transaction():
        standing.change(world.organisation_id(key), {"status": status, "from_day": day, "reason": "抽检不合格"},
                        world.person(login))


def on_shelf(product_id: int) -> bool:
    db.session().rollback()
    return bool(browse.cards_of([product_id]))


def test_suspended_goods_leave_the_shelves_and_come_back_by_themselves(entry, world):
    pomelo = list_goods(world, POMELO, category="citrus")
    stand(world, "suspended")
    assert not on_shelf(pomelo)
    assert browse.cards(browse.Filters(), Words(), 10) == []
    stand(world, "active")
    assert on_shelf(pomelo)


def test_a_day_to_come_holds_from_that_day_on(entry, world):
    pomelo = list_goods(world, POMELO, category="citrus")
    stand(world, "suspended", TODAY + timedelta(days=2))
    assert on_shelf(pomelo)
    jobs.apply_standings()
    assert on_shelf(pomelo)
    with clock.at(NOON + timedelta(days=2)):
        jobs.apply_standings()
        assert not on_shelf(pomelo)
        jobs.apply_standings()  # harmless when run twice
    assert db.session().scalar(select(func.count()).select_from(SupplierStanding)) == 1


def test_leaving_is_final(entry, world):
    pomelo = list_goods(world, POMELO, category="citrus")
    stand(world, "left")
    with pytest.raises(standing.HasLeft):
        stand(world, "active")
    assert not on_shelf(pomelo)
    assert world.person("chair.he").roles == {"manager"}  # orders placed before are still to be finished


@pytest.mark.parametrize(("values", "login", "refusal"), [
    ({"day": TODAY - timedelta(days=1)}, "official.hua", InvalidInput),
    ({"status": "active"}, "official.hua", standing.StandsSo),
    ({"key": "greens"}, "official.hua", NotFound),  # another county
    ({"key": "newcomers"}, "official.hua", NotFound),  # not admitted yet
    ({}, "township.yan", NotAllowed),
])
def test_what_cannot_be_changes_nothing(entry, world, values, login, refusal):
    pomelo = list_goods(world, POMELO, category="citrus")
    with pytest.raises(refusal):
        stand(world, **{"status": "suspended", "login": login} | values)
    assert on_shelf(pomelo)
    assert db.session().scalar(select(func.count()).select_from(SupplierStanding)) == 0


def test_the_register_names_who_recommended_whom(entry, world):
    entry.fill()
    entry.admit()
    page, recommended = lists.suppliers(world.person("official.hua"), None, "新社", 1)
    assert [row.status for row in page.rows] == ["active"]
    said = recommended[page.rows[0].id]
    assert [one.step for one in said] == ["township", "agriculture", "revitalisation", "platform"]
    assert {one.day for one in said} == {TODAY}
    assert issubclass(standing.HasLeft, Conflict)
    assert db.session().scalar(select(Membership.role).where(
        Membership.organisation_id == entry.applicant.organisation_id)) == "manager"
