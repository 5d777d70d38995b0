"""Getting in: what is proved, what is counted, what ends."""

import threading
from datetime import timedelta

import pyotp
import pytest
from flask import Flask
from sqlalchemy import func, select, update

from market import clock, credentials, db, devices, journal, logins, passwords, resets, second_factor
from market.errors import InvalidInput, NotAllowed, NotFound, SecondPersonNeeded
from market.parties import Organisation
from market.users import BoundDevice, ResetCode, User
from tests.world import GREENS, NOON, PASSWORD, World

NEW = "a basket of tangerines"


def tries(login: str, password: str) -> bool:
    examined = credentials.examine(login, password)
    with db.transaction():
        return credentials.settle(examined, "127.0.0.1")


def tries_pin(phone: str, pin: str) -> bool:
    examined = devices.examine_pin(phone, pin)
    with db.transaction():
        return devices.settle_pin(examined, "127.0.0.1")


def bound_phone(world: World, login: str = "clerk.lv", pin: str = "280416") -> str:
    with db.transaction():
        return devices.bind_own(world.person(login), pin, "phone")


def in_parallel(app: Flask, count: int, work):
    """Run the same work in rival threads that start together; returns what each gave, or its error."""
    start, results = threading.Barrier(count), [None] * count

    def rival(number: int) -> None:
        with app.app_context():
            start.wait()
            try:
                results[number] = work()
            except Exception as error:  # noqa: BLE001 - the test looks at it
                results[number] = error
            db.db.session.remove()

    threads = [threading.Thread(target=rival, args=(n,)) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


# ---- passwords ------------------------------------------------------------------------------------------------------


def test_login_name_or_mobile_number_opens(world):
    mobile = db.session().scalar(select(User.mobile).where(User.login == "cook.chen"))
    assert tries("cook.chen", PASSWORD)
    assert tries(" Cook.Chen ", PASSWORD)
    assert tries(mobile, PASSWORD)
    assert not tries("cook.chen", PASSWORD + "!")
    assert not tries("nobody", PASSWORD)


def test_five_wrong_tries_lock_for_a_quarter_of_an_hour(world):
    with clock.at(NOON):
        for _ in range(5):
            assert not tries("cook.chen", "wrong")
        assert not tries("cook.chen", PASSWORD)
    with clock.at(NOON + timedelta(minutes=14, seconds=59)):
        assert not tries("cook.chen", PASSWORD)
    with clock.at(NOON + timedelta(minutes=15)):
        assert tries("cook.chen", PASSWORD)
    actions = [e["action"] for e in journal.timeline("user", world.person("cook.chen").id)]
    assert actions.count("login.locked") == 1
    assert "wrong" not in str(journal.timeline("user", world.person("cook.chen").id))


def test_a_lock_taken_while_the_password_was_being_checked_still_holds(world):
    examined = credentials.examine("cook.chen", PASSWORD)
    for _ in range(5):
        tries("cook.chen", "wrong")
    with db.transaction():
        assert not credentials.settle(examined, "127.0.0.1")


def test_parallel_wrong_tries_are_all_counted(app, world):
    in_parallel(app, 5, lambda: tries("cook.chen", "wrong"))
    assert not tries("cook.chen", PASSWORD)


def test_entering_forgets_earlier_failures_and_is_journalled(world):
    user_id = world.person("cook.chen").id
    for _ in range(4):
        tries("cook.chen", "wrong")
    with db.transaction():
        token = credentials.enter(user_id, "password", "127.0.0.1", "Chrome")
    assert logins.visitor_of_session(token).login == "cook.chen"
    assert db.session().scalar(select(User.failed_count).where(User.id == user_id)) == 0
    entry = journal.timeline("user", user_id)[-1]
    assert (entry["action"], entry["details"]["roles"]) == ("login.entered", ["requester"])


def test_an_unknown_login_is_checked_against_a_dummy(world, monkeypatch):
    checked = []
    monkeypatch.setattr(passwords, "matches", lambda kept, secret: checked.append(kept) or False)
    credentials.examine("nobody", "something")
    credentials.examine("cook.chen", "something")
    assert checked[0] is None
    assert checked[1].startswith("$argon2id$")


def test_a_missing_hash_costs_a_verification_and_never_matches(monkeypatch):
    assert not passwords.matches(None, "a password that nobody has")
    assert not passwords.matches("no hash at all", "x")


def test_a_password_kept_at_lower_cost_is_hashed_anew_at_login(world):
    user_id = world.person("cook.chen").id
    passwords.choose_cost(low=False)
    try:
        assert tries("cook.chen", PASSWORD)
    finally:
        passwords.choose_cost(low=True)
    assert "m=65536" in db.session().scalar(select(User.password_hash).where(User.id == user_id))


def test_a_changed_password_ends_everything_else(world):
    cook = world.person("clerk.lv")
    with db.transaction():
        here = logins.open_session(cook.id, cook.organisation_id)
        elsewhere = logins.open_session(cook.id, cook.organisation_id)
        api = logins.issue_api_token(cook.id, cook.organisation_id)
    phone = bound_phone(world)
    with db.transaction():
        credentials.change_password(logins.visitor_of_session(here), NEW)
    assert logins.visitor_of_session(here)
    assert logins.visitor_of_session(elsewhere) is None
    assert logins.visitor_of_token(api) is None
    assert devices.owner(phone) is None
    assert tries("clerk.lv", NEW)
    assert not tries("clerk.lv", PASSWORD)


@pytest.mark.parametrize("easy", ["short", "aaaaaaaaaaaa", "1234567890", "qwertyuiop", "cook.chen2026", "Password123",
                                  "x" * 129, "13900000000"])
def test_easy_passwords_are_refused(easy):
    with pytest.raises(passwords.TooEasy):
        passwords.refuse_easy_password(easy, "cook.chen", "13900000000")


def test_people_are_made_once_with_roles_that_their_organisation_knows(world):
    with db.transaction():
        user_id = credentials.create_person("Cook.Xu", "徐师傅", PASSWORD, "13911112222")
        credentials.add_role(user_id, world.organisation_id(GREENS), "clerk")
        credentials.add_role(user_id, world.organisation_id(GREENS), "clerk")
    assert tries("cook.xu", PASSWORD)
    assert world.person("cook.xu").roles == {"clerk"}
    for taken in (("cook.xu", None), ("other", "13911112222"), ("13911112222", None), (" ", None)):
        with pytest.raises(InvalidInput), db.transaction():
            credentials.create_person(taken[0], "x", PASSWORD, taken[1])
    with pytest.raises(InvalidInput), db.transaction():
        credentials.add_role(user_id, world.organisation_id(GREENS), "operator_security")


# ---- sessions -------------------------------------------------------------------------------------------------------


def test_one_acts_only_for_ones_own_organisations(world):
    clerk = world.person("clerk.lv")
    with db.transaction():
        credentials.add_role(clerk.id, world.organisation_id(GREENS), "clerk")
        token = logins.open_session(clerk.id, clerk.organisation_id)
    visitor = logins.visitor_of_session(token)
    with db.transaction():
        logins.switch_organisation(visitor, world.organisation_id(GREENS))
    assert logins.visitor_of_session(token).organisation_id == world.organisation_id(GREENS)
    for foreign in (world.organisation_id("city"), 999_999):
        with pytest.raises(NotFound), db.transaction():
            logins.switch_organisation(visitor, foreign)


def test_nobody_ends_a_foreign_session(world):
    with db.transaction():
        token = logins.open_session(world.person("cook.chen").id, None)
    session_id = logins.visitor_of_session(token).session_id
    with pytest.raises(NotFound), db.transaction():
        logins.end_own(world.person("clerk.lv"), "session", session_id)
    assert logins.visitor_of_session(token)
    with db.transaction():
        logins.end_own(world.person("cook.chen"), "session", session_id)
    assert logins.visitor_of_session(token) is None


def test_sessions_and_api_tokens_expire(world):
    cook = world.person("cook.chen")
    with clock.at(NOON), db.transaction():
        session_token = logins.open_session(cook.id, cook.organisation_id)
        api = logins.issue_api_token(cook.id, cook.organisation_id, days=2)
    with clock.at(NOON + timedelta(hours=11)):
        assert logins.visitor_of_session(session_token)
    with clock.at(NOON + timedelta(hours=12)):
        assert logins.visitor_of_session(session_token) is None
        assert logins.visitor_of_token(api)
    with clock.at(NOON + timedelta(days=2)):
        assert logins.visitor_of_token(api) is None


# ---- PIN ------------------------------------------------------------------------------------------------------------


def test_a_pin_opens_only_on_the_bound_phone(world):
    phone = bound_phone(world)
    assert tries_pin(phone, "280416")
    assert not tries_pin("another phone", "280416")
    assert not tries_pin("", "280416")
    other = bound_phone(world, "clerk.zhang", "739105")
    assert not tries_pin(other, "280416")


def test_five_wrong_pins_end_the_binding(world):
    phone = bound_phone(world)
    for _ in range(4):
        assert not tries_pin(phone, "739105")
    assert tries_pin(phone, "280416")  # and begins to count anew
    for _ in range(5):
        assert not tries_pin(phone, "739105")
    assert not tries_pin(phone, "280416")
    assert devices.owner(phone) is None
    assert tries("clerk.lv", PASSWORD)


def test_a_locked_password_leaves_the_bound_phone_open(world):
    phone = bound_phone(world)
    for _ in range(5):
        tries("clerk.lv", "wrong")
    assert tries_pin(phone, "280416")


def test_a_binding_lasts_ninety_days(world):
    with clock.at(NOON):
        phone = bound_phone(world)
    with clock.at(NOON + timedelta(days=89)):
        assert tries_pin(phone, "280416")
    with clock.at(NOON + timedelta(days=90)):
        assert not tries_pin(phone, "280416")


def test_easy_pins_are_refused(world):
    for pin in ("111111", "123456", "000001", "390000", "28041", "2804160", "２８０４１６", "28041a"):
        with pytest.raises(passwords.TooEasy), db.transaction():
            devices.bind_own(world.person("clerk.lv"), pin, "phone")
    assert db.session().scalar(select(func.count()).select_from(BoundDevice)) == 0


@pytest.mark.parametrize("login", ["cashier.sun", "official.hua", "township.yan", "security.jiang", "cook.chen"])
def test_only_village_people_log_in_by_pin(world, login):
    with pytest.raises(NotAllowed), db.transaction():
        devices.bind_own(world.person(login), "280416", "phone")


def test_a_pin_ends_with_the_first_role_that_needs_more(world):
    phone = bound_phone(world)
    with db.transaction():
        credentials.add_role(world.person("clerk.lv").id, world.organisation_id("city"), "official")
    assert not tries_pin(phone, "280416")


# ---- reset by the township ------------------------------------------------------------------------------------------


def issued(world: World, login: str = "clerk.lv") -> resets.Sheet:
    with db.transaction():
        return resets.issue(world.person("township.yan"), world.person(login).id)


def test_the_township_lets_its_own_people_in_again(world):
    assert {p.login for p in resets.people_of(world.person("township.yan"))} == {"chair.he", "clerk.lv", "village.kong"}
    clerk = world.person("clerk.lv")
    with db.transaction():
        old = logins.open_session(clerk.id, clerk.organisation_id)
    old_phone = bound_phone(world)
    for _ in range(5):
        tries("clerk.lv", "wrong")
    sheet = issued(world)
    with db.transaction():
        phone = resets.use(sheet.code.lower().replace("-", " "), NEW, "739105", "phone", "127.0.0.1")
    assert tries("clerk.lv", NEW)
    assert not tries("clerk.lv", PASSWORD)
    assert tries_pin(phone, "739105")
    assert devices.owner(old_phone) is None
    assert logins.visitor_of_session(old) is None
    done = [(e["action"], e["actor_name"]) for e in journal.timeline("user", clerk.id)]
    assert ("login.reset_issued", "严干事") in done
    assert ("login.reset_used", "system") in done
    assert sheet.code not in str(journal.timeline("user", clerk.id))


@pytest.mark.parametrize("login", ["clerk.zhang", "village.cao", "cook.chen", "official.hua", "township.yan"])
def test_beyond_the_township_people_are_unknown(world, login):
    with pytest.raises(NotFound), db.transaction():
        resets.issue(world.person("township.yan"), world.person(login).id)
    with pytest.raises(NotFound), db.transaction():
        resets.issue(world.person("township.yan"), 999_999)


def test_who_also_holds_an_office_elsewhere_is_not_for_the_township(world):
    with db.transaction():
        credentials.add_role(world.person("clerk.lv").id, world.organisation_id("city"), "official")
    with pytest.raises(NotFound):
        issued(world)


def test_an_office_without_a_place_lets_nobody_in(world):
    with db.transaction() as session:
        session.execute(update(Organisation).where(Organisation.id == world.organisation_id("township"))
                        .values(division_id=None))
    assert resets.people_of(world.person("township.yan")) == []


def test_a_code_is_good_for_a_day_and_the_newest_alone(world):
    with clock.at(NOON):
        first, second = issued(world), issued(world)
        with pytest.raises(resets.WrongResetCode), db.transaction():
            resets.use(first.code, NEW, "", "", "")
    with clock.at(NOON + timedelta(hours=24)), pytest.raises(resets.WrongResetCode), db.transaction():
        resets.use(second.code, NEW, "", "", "")
    assert tries("clerk.lv", PASSWORD)


def test_a_refused_password_leaves_the_code_good(world):
    sheet = issued(world)
    with pytest.raises(passwords.TooEasy), db.transaction():
        resets.use(sheet.code, "1234567890", "", "", "")
    with db.transaction():
        resets.use(sheet.code, NEW, "", "", "")


def test_of_rivals_with_one_code_exactly_one_gets_in(app, world):
    sheet = issued(world)

    def use() -> str | None:
        with db.transaction():
            return resets.use(sheet.code, NEW, "280416", "phone", "")

    results = in_parallel(app, 6, use)
    assert sum(isinstance(r, str) for r in results) == 1
    assert sum(isinstance(r, resets.WrongResetCode) for r in results) == 5
    assert db.session().scalar(select(func.count()).select_from(BoundDevice)) == 1
    assert db.session().scalar(select(func.count()).select_from(ResetCode).where(ResetCode.used_at.is_(None))) == 0


def test_looking_before_writing_would_let_several_in(app, world):
    """The negative control of the test above. SQLite's writers stand in line, so there looking first is no danger."""
    issued(world)
    rivals = 3
    meet = threading.Barrier(rivals if db.dialect() == "postgresql" else 1)

    def use_carelessly() -> bool:
        with db.transaction() as session:
            code_id = session.scalar(select(ResetCode.id).where(ResetCode.used_at.is_(None)))
            meet.wait()
            if code_id is not None:
                session.execute(update(ResetCode).where(ResetCode.id == code_id).values(used_at=clock.now()))
            return code_id is not None

    assert in_parallel(app, rivals, use_carelessly).count(True) == meet.parties


# ---- second factor --------------------------------------------------------------------------------------------------


def enrolled(world: World, login: str = "official.hua") -> pyotp.TOTP:
    app = pyotp.TOTP(second_factor.new_secret())
    with db.transaction():
        second_factor.enrol(world.person(login).id, app.secret, app.at(NOON - timedelta(seconds=30)), by=None)
    return app


def proves(world: World, code: str, login: str = "official.hua") -> bool:
    with db.transaction():
        return second_factor.prove(world.person(login).id, code, "127.0.0.1")


def test_a_code_is_good_once(world):
    with clock.at(NOON):
        app = enrolled(world)
        assert not proves(world, app.at(NOON - timedelta(seconds=30)))  # used up by enrolling
        assert proves(world, app.at(NOON))
        assert not proves(world, app.at(NOON))
    with clock.at(NOON + timedelta(seconds=30)):
        assert not proves(world, app.at(NOON))
        assert proves(world, app.at(NOON + timedelta(seconds=30)))


def test_of_rivals_with_one_code_exactly_one_proves_it(app, world):
    with clock.at(NOON):
        authenticator = enrolled(world)

    def prove() -> bool:
        with clock.at(NOON):
            return proves(world, authenticator.at(NOON))

    assert sorted(in_parallel(app, 4, prove)) == [False, False, False, True]


def test_old_and_early_codes_are_wrong(world):
    with clock.at(NOON):
        app = enrolled(world)
        for seconds in (-90, 90, 3600):
            assert not proves(world, app.at(NOON + timedelta(seconds=seconds)))


def test_five_wrong_codes_lock_even_if_the_password_is_given_again(world):
    with clock.at(NOON):
        app = enrolled(world)
        for _ in range(5):
            assert tries("official.hua", PASSWORD)
            assert not proves(world, "000000" if app.at(NOON) != "000000" else "000001")
        assert not tries("official.hua", PASSWORD)
        assert not proves(world, app.at(NOON))


def test_enrolling_twice_or_with_a_wrong_code_changes_nothing(world):
    with clock.at(NOON):
        app = enrolled(world)
        other = pyotp.TOTP(second_factor.new_secret())
        for login, code in (("official.hua", other.at(NOON)), ("official.jin", "12"), ("official.jin", "汉字码")):
            with pytest.raises(second_factor.WrongCode), db.transaction():
                second_factor.enrol(world.person(login).id, other.secret, code, by=None)
        assert proves(world, app.at(NOON))
    assert not second_factor.is_enrolled(world.person("official.jin").id)


def test_who_must_have_a_second_factor(world):
    must = {p for p in ("official.hua", "township.yan", "auditor.wei", "cashier.sun", "system.tao", "security.jiang",
                        "audit.qi", "cook.chen", "clerk.lv", "village.kong")
            if second_factor.required_of(world.person(p).id)}
    assert must == {"official.hua", "township.yan", "auditor.wei", "cashier.sun", "system.tao", "security.jiang",
                    "audit.qi"}


def test_the_security_operator_takes_a_lost_second_factor_away(world):
    official = world.person("official.hua")
    with clock.at(NOON):
        enrolled(world)
        enrolled(world, "security.jiang")
    with db.transaction():
        token = logins.open_session(official.id, official.organisation_id)
    security = world.person("security.jiang")
    with db.transaction():
        second_factor.reset("official.hua", security)
    assert not second_factor.is_enrolled(official.id)
    assert logins.visitor_of_session(token) is None
    assert journal.timeline("user", official.id)[-1]["actor_name"] == "姜安全"
    with pytest.raises(SecondPersonNeeded), db.transaction():
        second_factor.reset("security.jiang", security)
    for unknown in ("nobody", "cook.chen"):
        with pytest.raises(InvalidInput), db.transaction():
            second_factor.reset(unknown, security)
