"""The door seen from a browser: cookies, forms, refusals, and what a stolen cookie is worth."""

import re
from dataclasses import replace
from datetime import timedelta
from http.cookies import SimpleCookie

import pyotp
import pytest
from flask.testing import FlaskClient
from sqlalchemy import event, select

from market import clock, credentials, db, devices, journal, logins, menus, second_factor, web
from market.login_routes import PENDING
from market.users import User, UserSession
from tests import databases
from tests.web.forms import csrf_token, send
from tests.world import GREENS, NOON, PASSWORD
from wsgi import create_app

NEW = "a basket of tangerines"


def log_in(client: FlaskClient, login: str = "cook.chen", password: str = PASSWORD, url: str = "/login"):
    return send(client, url, page="/login", login=login, password=password)


def cookie(client: FlaskClient, name: str = "sijin") -> str:
    found = client.get_cookie(name)
    assert found is not None
    return found.value


def with_cookie(app, value: str, name: str = "sijin") -> FlaskClient:
    """Another browser holding a copy of a cookie."""
    thief = app.test_client()
    thief.set_cookie(name, value)
    return thief


def desk_of(app, world, login: str) -> str:
    """Where a person starts after logging in."""
    with app.test_request_context():
        return menus.desk_url(world.person(login))


def is_inside(client: FlaskClient) -> bool:
    return client.get("/account").status_code == 200


@pytest.fixture
def strict_app(app, world):
    """The same site on an installation that demands second factors."""
    asked = databases.settings(app.config["SQLALCHEMY_DATABASE_URI"], app.extensions["sijin"].data_dir,
                               SECOND_FACTOR="on")
    site = create_app(asked)
    site.test_client_class = app.test_client_class
    with site.app_context():
        yield site
        db.db.session.remove()
        db.db.engine.dispose()


# ---- in and out -----------------------------------------------------------------------------------------------------


def test_a_cook_logs_in_sees_the_account_and_logs_out(app, world, client):
    answer = log_in(client)
    assert (answer.status_code, answer.location) == (303, desk_of(app, world, "cook.chen"))
    page = client.get("/account").text
    assert "陈师傅" in page
    assert "永州演示第一小学" in page
    assert send(client, "/logout", page="/account").status_code == 303
    assert not is_inside(client)


def test_a_copied_cookie_is_dead_after_logout(app, world, client):
    log_in(client)
    thief = with_cookie(app, cookie(client))
    assert is_inside(thief)
    send(client, "/logout", page="/account")
    assert not is_inside(thief)


def test_a_copied_cookie_is_dead_after_a_password_change(app, world, client):
    log_in(client)
    elsewhere = app.test_client()
    log_in(elsewhere)
    thief = with_cookie(app, cookie(elsewhere))
    assert is_inside(thief)
    answer = send(client, "/account/password", current=PASSWORD, password=NEW)
    assert (answer.status_code, answer.location) == (303, "/account")
    assert is_inside(client)
    assert not is_inside(elsewhere)
    assert not is_inside(thief)
    assert log_in(app.test_client()).status_code == 401
    assert log_in(app.test_client(), password=NEW).status_code == 303


def test_a_planted_session_does_not_become_the_victims(app, world, client):
    planted = app.test_client()
    before = csrf_token(planted)
    victim = with_cookie(app, cookie(planted))
    assert victim.post("/login", data={"csrf_token": before, "login": "cook.chen", "password": PASSWORD}
                       ).status_code == 303
    assert is_inside(victim)
    assert cookie(victim) != cookie(planted)
    assert not is_inside(planted)
    assert victim.post("/logout", data={"csrf_token": before}).status_code == 400  # the old secret went too


def test_logging_in_twice_gives_two_sessions(app, world, client):
    log_in(client)
    first = cookie(client)
    send(client, "/logout", page="/account")
    log_in(client)
    assert cookie(client) != first
    assert db.session().scalar(select(UserSession.id).where(UserSession.ended_at.is_(None)))


def test_unknown_wrong_and_locked_get_the_same_answer(app, world):
    def answer(login: str, password: str) -> str:
        found = log_in(app.test_client(), login, password)
        assert found.status_code == 401
        return re.sub(r'value="[^"]*"', "", found.text)

    with clock.at(NOON):
        for _ in range(5):
            credentials.examine("head.li", "x")
            with db.transaction():
                credentials.count_failure(world.person("head.li").id, "password", "")
        answers = {answer("nobody.here", "wrong-password"), answer("cook.chen", "wrong-password"),
                   answer("head.li", PASSWORD)}
    assert len(answers) == 1
    assert "陈师傅" not in answers.pop()


def test_a_refused_login_keeps_the_name_and_never_the_password(world, client):
    page = log_in(client, password="wrong-password").text
    assert 'value="cook.chen"' in page
    assert "wrong-password" not in page
    assert send(client, "/login", login="", password="").status_code == 422


def test_who_is_inside_is_not_asked_again(world, client):
    log_in(client)
    assert client.get("/login?next=/account").location == "/account"


def test_a_desk_page_leads_to_the_login_and_back(world, client):
    asked = client.get("/account?page=2")
    assert asked.location == "/login?next=/account?page%3D2"
    page = client.get(asked.location).text
    action = re.search(r'action="(/login\?next=[^"]+)"', page)[1]
    assert log_in(client, url=action).location == "/account?page=2"


def test_one_starts_at_the_desk_of_ones_organisation(app, world, client):
    desks = app.extensions["sijin_desks"]
    before = dict(desks)
    menus.add_desks(app, {"unit": "site.patterns", "platform": "account.show"})
    try:
        assert log_in(client).location == "/patterns"
        assert log_in(app.test_client(), "system.tao").location == "/account"
    finally:
        desks.clear()
        desks.update(before)


SAFE = ["/account", "/account?a=1&b=2", "/login", "/patterns#top", "/account?next=//evil.example"]
UNSAFE = ["", "account", "//evil.example", "///evil.example", "////evil.example/account", "/\t/evil.example",
          "/\r/evil.example", "/\n/evil.example", "\t//evil.example", "/\\evil.example", "\\\\evil.example", "/ /x",
          "https://evil.example/account", "http:account", "javascript:alert(1)", "//localhost/account", "/nowhere",
          "/%09/evil.example", "/%5Cevil.example", "/%2F/evil.example", "/logout", "/\x01account", "/account\x7f",
          "/account\u2028", "http:///account", "/.//evil.example"]


@pytest.mark.parametrize("target", SAFE)
def test_a_path_of_our_own_is_followed(target, app):
    with app.test_request_context():
        assert web.safe_next(target) == target


@pytest.mark.parametrize("target", UNSAFE)
def test_any_other_target_is_left(target, app, world):
    with app.test_request_context():
        assert web.safe_next(target) is None
    client = app.test_client()
    answer = client.post("/login", query_string={"next": target}, data={
        "csrf_token": csrf_token(client), "login": "cook.chen", "password": PASSWORD})
    assert (answer.status_code, answer.location) == (303, desk_of(app, world, "cook.chen"))


# ---- cookies, headers, limits ---------------------------------------------------------------------------------------


def test_cookies_are_out_of_reach_of_scripts_and_other_sites(world, client):
    morsels = SimpleCookie(log_in(client, "clerk.lv").headers["Set-Cookie"])
    assert morsels["sijin"]["httponly"]
    assert morsels["sijin"]["samesite"] == "Lax"
    phone = send(client, "/account/phone", current=PASSWORD, pin="280416").headers.getlist("Set-Cookie")
    text = next(c for c in phone if c.startswith("phone="))
    assert "HttpOnly" in text
    assert "SameSite=Lax" in text
    assert "Max-Age=7776000" in text


def test_in_production_cookies_need_https(app, world):
    asked = databases.settings(app.config["SQLALCHEMY_DATABASE_URI"], app.extensions["sijin"].data_dir,
                               SIJIN_ENV="production", TRUSTED_HOSTS="sijin.example", ARGON2_COST="",
                               CARD_PAYMENTS="off")
    site = create_app(asked)
    try:
        client = site.test_client()
        answer = client.get("/login", base_url="https://sijin.example")
        assert "Secure" in answer.headers["Set-Cookie"]
        assert client.get("/login", base_url="https://evil.example").status_code == 400
    finally:
        create_app(app.extensions["sijin"])  # back to low cost
        with site.app_context():
            db.db.engine.dispose()


def test_private_pages_are_kept_by_no_cache_and_framed_by_nobody(world):
    answer = world.logged_in("cook.chen").get("/account")
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "Cookie" in answer.headers["Vary"]
    assert "style=" not in answer.text


def test_an_anonymous_page_needs_neither_database_nor_cookie(app, client):
    for path in ("/healthz", "/patterns"):
        client.get(path)  # what is asked once in a while is asked now
    statements, client = [], app.test_client()
    listen = (db.db.engine, "before_cursor_execute", lambda *arguments: statements.append(arguments[2]))
    event.listen(*listen)
    try:
        for path in ("/healthz", "/patterns"):
            answer = client.get(path)
            assert answer.status_code == 200
            assert "Set-Cookie" not in answer.headers or path == "/patterns"  # it shows forms, which need a token
        assert "Cookie" not in client.get("/healthz").headers.get("Vary", "")
    finally:
        event.remove(*listen)
    assert statements == []


def test_guesses_are_counted_even_when_csrf_refuses_first(world, client):
    codes = [client.post("/login", data={"login": "cook.chen", "password": "x"}).status_code for _ in range(61)]
    assert codes == [400] * 60 + [429]
    assert log_in(client).status_code == 429


@pytest.mark.parametrize(("path", "limit"), [("/login/pin", 60), ("/login/code", 5), ("/login/reset", 5)])
def test_every_way_in_is_limited(client, path, limit):
    codes = [client.post(path).status_code for _ in range(limit + 1)]
    assert codes == [400] * limit + [429]


@pytest.mark.parametrize("path", ["/login", "/login/pin", "/logout", "/account/password", "/account/phone",
                                  "/account/end-all", "/office/logins/1/code"])
def test_no_form_is_taken_without_its_token(world, path):
    assert world.logged_in("township.yan").post(path, data={"login": "x"}).status_code == 400


# ---- own account ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/account", "/account/password", "/account/phone", "/account/second-factor"])
def test_the_account_is_closed_to_strangers(client, path):
    assert client.get(path).location.startswith("/login?next=")


@pytest.mark.parametrize("path", ["/account", "/account/password", "/account/phone", "/account/second-factor",
                                  "/account/second-factor/removal"])
def test_every_page_of_the_account_opens_in_both_languages(world, path):
    client = world.logged_in("clerk.lv")
    assert client.get(path).status_code == 200
    english = re.sub(r"<nav class=\"languages\".*?</nav>", "", client.get(path + "?lang=en").text, flags=re.DOTALL)
    assert not re.search(r"[\u4e00-\u9fff]", re.sub("吕文书|江永县演示香柚合作社|四进", "", english))


def test_a_session_left_open_is_not_enough_to_change_the_password(world):
    client = world.logged_in("cook.chen")
    answers = [send(client, "/account/password", current="wrong", password=NEW) for _ in range(5)]
    assert {a.status_code for a in answers} == {422}
    assert send(client, "/account/password", current=PASSWORD, password=NEW).status_code == 422  # locked now


def test_one_ends_single_sessions_tokens_and_phones(app, world, client):
    log_in(client, "clerk.lv")
    other = app.test_client()
    log_in(other, "clerk.lv")
    token = world.api_headers("clerk.lv")["Authorization"].removeprefix("Bearer ")
    send(client, "/account/phone", current=PASSWORD, pin="280416")
    ends = set(re.findall(r'action="(/account/\w+/\d+/end)"', client.get("/account").text))
    assert len(ends) == 3
    for path in ends:
        assert send(client, path, page="/account").status_code == 303
    assert is_inside(client)
    assert not is_inside(other)
    assert logins.visitor_of_token(token) is None
    assert devices.owner(cookie(client, "phone")) is None


def test_a_foreign_session_is_unknown(world):
    theirs = world.logged_in("cook.wu")
    session_id = db.session().scalar(select(UserSession.id))
    client = world.logged_in("cook.chen")
    assert send(client, f"/account/session/{session_id}/end", page="/account").status_code == 404
    assert send(client, "/account/session/999999/end", page="/account").status_code == 404
    assert is_inside(theirs)


def test_logging_out_everywhere_ends_this_device_too(app, world, client):
    log_in(client)
    other = app.test_client()
    log_in(other)
    send(client, "/account/end-all", page="/account")
    assert not is_inside(client)
    assert not is_inside(other)


def test_one_switches_to_ones_other_organisation_only(world):
    clerk = world.person("clerk.lv")
    with db.transaction():
        credentials.add_role(clerk.id, world.organisation_id(GREENS), "clerk")
    client = world.logged_in("clerk.lv")
    greens, city = world.organisation_id(GREENS), world.organisation_id("city")
    assert send(client, "/account/organisation", page="/account", organisation_id=city).status_code == 404
    assert send(client, "/account/organisation", page="/account", organisation_id=greens).status_code == 303
    assert "新田县演示蔬菜合作社</strong>" in client.get("/account").text
    assert journal.timeline("organisation", greens)[-1]["actor_name"] == "吕文书"


# ---- PIN ------------------------------------------------------------------------------------------------------------


def test_a_clerk_logs_in_by_pin_on_the_bound_phone_only(app, world, client):
    log_in(client, "clerk.lv")
    send(client, "/account/phone", current=PASSWORD, pin="280416")
    send(client, "/logout", page="/account")
    assert "吕文书" in client.get("/login").text
    assert send(client, "/login/pin", page="/login", pin="739105").status_code == 401
    assert send(client, "/login/pin", page="/login", pin="280416").status_code == 303
    assert is_inside(client)
    stranger = app.test_client()
    assert "吕文书" not in stranger.get("/login").text
    assert send(stranger, "/login/pin", page="/login", pin="280416").status_code == 401


def test_binding_a_phone_again_ends_its_earlier_binding(world):
    client = world.logged_in("clerk.lv")
    send(client, "/account/phone", current=PASSWORD, pin="739105")
    first = cookie(client, "phone")
    send(client, "/account/phone", current=PASSWORD, pin="280416")
    assert devices.owner(first) is None
    assert devices.owner(cookie(client, "phone")).name == "吕文书"


def test_an_easy_pin_is_refused_at_its_field(world):
    answer = send(world.logged_in("clerk.lv"), "/account/phone", current=PASSWORD, pin="123456")
    assert answer.status_code == 422
    assert 'id="pin-error"' in answer.text


def test_a_cashier_cannot_bind_a_phone(world):
    client = world.logged_in("cashier.sun")
    assert client.get("/account/phone").status_code == 403
    assert send(client, "/account/phone", page="/account", current=PASSWORD, pin="280416").status_code == 403


# ---- reset ----------------------------------------------------------------------------------------------------------


def test_the_township_prints_a_code_and_the_clerk_is_in_again(app, world, client):
    township = world.logged_in("township.yan")
    desk = township.get("/office/logins").text
    assert "吕文书" in desk
    assert "张文书" not in desk
    clerk = world.person("clerk.lv")
    sheet = send(township, f"/office/logins/{clerk.id}/code", page="/office/logins")
    assert sheet.headers["Cache-Control"] == "private, no-store"
    code = re.search(r"[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}", sheet.text)[0]
    assert code not in township.get("/office/logins").text
    inside = world.logged_in("clerk.lv")
    assert send(client, "/login/reset", code=code, password="short", pin="").status_code == 422
    assert send(client, "/login/reset", code=code, password=NEW, pin="280416").location == "/login"
    assert not is_inside(inside)
    assert send(client, "/login/reset", code=code, password=NEW, pin="").status_code == 422
    assert send(client, "/login/pin", page="/login", pin="280416").status_code == 303
    assert log_in(app.test_client(), "clerk.lv").status_code == 401
    assert log_in(app.test_client(), "clerk.lv", NEW).status_code == 303


@pytest.mark.parametrize("login", ["clerk.zhang", "cook.chen", "official.hua"])
def test_a_code_for_somebody_elsewhere_is_for_nobody(world, login):
    township = world.logged_in("township.yan")
    unknown = send(township, "/office/logins/999999/code", page="/office/logins")
    foreign = send(township, f"/office/logins/{world.person(login).id}/code", page="/office/logins")
    assert foreign.status_code == unknown.status_code == 404
    assert re.sub("[0-9a-f]{16}", "", foreign.text) == re.sub("[0-9a-f]{16}", "", unknown.text)


@pytest.mark.parametrize("login", ["clerk.lv", "village.kong", "official.hua", "security.jiang", "cook.chen"])
def test_only_townships_print_codes(world, login):
    client = world.logged_in(login)
    assert client.get("/office/logins").status_code == 403
    path = f"/office/logins/{world.person('clerk.lv').id}/code"
    assert send(client, path, page="/account").status_code == 403


# ---- second factor --------------------------------------------------------------------------------------------------


def enrolment(client: FlaskClient, page: str) -> tuple[str, pyotp.TOTP]:
    """What a phone takes from the enrolling page: the ticket of the form and the authenticator of the picture's key."""
    text = client.get(page).text
    assert '<div class="qr-code"' in text
    key = re.search(r"<code>([A-Z2-7 ]+)</code>", text)[1]
    return re.search(r'name="ticket" value="([^"]+)"', text)[1], pyotp.TOTP(key.replace(" ", ""))


def test_without_the_setting_the_app_is_ones_own_choice(app, world, client):
    assert log_in(client, "official.hua").location == desk_of(app, world, "official.hua")
    with clock.at(NOON):
        ticket, authenticator = enrolment(client, "/account/second-factor")
        wrong = send(client, "/account/second-factor", ticket=ticket, code="12", current=PASSWORD)
        assert wrong.status_code == 422
        assert authenticator.secret in wrong.text.replace(" ", "")  # the same picture again
        assert send(client, "/account/second-factor", ticket=ticket, code=authenticator.at(NOON),
                    current=PASSWORD).status_code == 303
    later, client = NOON + timedelta(seconds=60), app.test_client()
    with clock.at(later):
        assert log_in(client, "official.hua", url="/login?next=/account").location == "/login/code?next=/account"
        assert not is_inside(client)
        assert send(client, "/login/code?next=/account", code=authenticator.at(later)).location == "/account"
        assert is_inside(client)
        again = app.test_client()
        log_in(again, "official.hua")
        assert send(again, "/login/code", code=authenticator.at(later)).status_code == 422  # replayed
        assert not is_inside(again)
    later += timedelta(seconds=60)
    with clock.at(later):
        assert send(client, "/account/second-factor/removal", current=PASSWORD,
                    code=authenticator.at(later)).status_code == 303
    assert log_in(app.test_client(), "official.hua").location == desk_of(app, world, "official.hua")


def test_where_it_is_demanded_an_official_enrols_before_getting_in(strict_app, world):
    client = strict_app.test_client()
    with clock.at(NOON):
        assert log_in(client, "official.hua").location == "/login/code"
        assert not is_inside(client)
        ticket, authenticator = enrolment(client, "/login/code")
        assert send(client, "/login/code", ticket=ticket, code=authenticator.at(NOON)).status_code == 303
        assert is_inside(client)
        assert client.get("/account/second-factor/removal").status_code == 403
        assert log_in(strict_app.test_client(), "cook.chen").location == desk_of(strict_app, world, "cook.chen")


def test_a_foreign_ticket_enrols_nobody(strict_app, world):
    with clock.at(NOON):
        attacker, victim = strict_app.test_client(), strict_app.test_client()
        log_in(attacker, "official.jin")
        ticket, authenticator = enrolment(attacker, "/login/code")
        log_in(victim, "official.hua")
        assert send(victim, "/login/code", ticket=ticket, code=authenticator.at(NOON)).status_code == 422
        assert not second_factor.is_enrolled(world.person("official.hua").id)


def test_a_half_login_ends_after_five_minutes_and_with_the_password(strict_app, world):
    client = strict_app.test_client()
    with clock.at(NOON):
        log_in(client, "official.hua")
        assert client.get("/login/code").status_code == 200
    with clock.at(NOON + timedelta(seconds=301)):
        assert client.get("/login/code").location == "/login"
    with clock.at(NOON):
        log_in(client, "official.hua")
        with client.session_transaction() as signed:
            assert db.session().scalar(select(User.password_hash)) not in str(signed[PENDING])
        with db.transaction():
            credentials.set_password(world.person("official.hua").id, NEW)
        assert client.get("/login/code").location == "/login"
        assert client.post("/login/code", data={"csrf_token": csrf_token(client), "code": "123456"}
                           ).location == "/login"


def test_the_security_operator_resets_and_nobody_else(world):
    with clock.at(NOON):
        authenticator = pyotp.TOTP(second_factor.new_secret())
        with db.transaction():
            second_factor.enrol(world.person("official.hua").id, authenticator.secret, authenticator.at(NOON), by=None)
    official = world.logged_in("official.hua")
    for login in ("system.tao", "audit.qi", "official.jin", "township.yan"):
        assert world.logged_in(login).get("/office/logins/second-factors").status_code == 403
    client = world.logged_in("security.jiang")
    assert send(client, "/office/logins/second-factors", login="nobody").status_code == 422
    assert send(client, "/office/logins/second-factors", login="official.hua").status_code == 303
    assert not is_inside(official)


# ---- commands -------------------------------------------------------------------------------------------------------


def test_commands_make_a_login_set_its_password_and_print_a_token(app, world):
    run = app.test_cli_runner().invoke
    group = app.cli.commands["users"]
    made = run(group, ["create", "clerk.new", "--name", "新文书", "--organisation",
                       str(world.organisation_id(GREENS)), "--role", "clerk", "--password", NEW])
    assert made.exit_code == 0, made.output
    token = run(group, ["token", "clerk.new", "--days", "3"]).output.strip()
    assert logins.visitor_of_token(token).login == "clerk.new"
    assert run(group, ["password", "clerk.new", "--password", "1234567890"]).exit_code == 1
    assert run(group, ["password", "clerk.new", "--password", PASSWORD]).exit_code == 0
    assert logins.visitor_of_token(token) is None
    assert log_in(app.test_client(), "clerk.new").status_code == 303
    for wrong in (["token", "nobody"], ["password", "nobody", "--password", NEW],
                  ["create", "clerk.new", "--name", "x", "--password", NEW]):
        answer = run(group, wrong)
        assert answer.exit_code == 1
        assert "Traceback" not in answer.output


def test_in_production_a_token_costs_a_code(app, world, monkeypatch):
    authenticator = pyotp.TOTP(second_factor.new_secret())
    with clock.at(NOON), db.transaction():
        second_factor.enrol(world.person("official.hua").id, authenticator.secret, authenticator.at(NOON), by=None)
    monkeypatch.setitem(app.extensions, "sijin", replace(app.extensions["sijin"], production=True))
    run, group = app.test_cli_runner().invoke, app.cli.commands["users"]
    assert run(group, ["token", "official.hua"], input="000\n").exit_code == 1
    assert run(group, ["token", "cook.chen"], input="000000\n").exit_code == 1
    later = NOON + timedelta(seconds=30)
    with clock.at(later):
        printed = run(group, ["token", "official.hua"], input=authenticator.at(later) + "\n").output.split()[-1]
        assert logins.visitor_of_token(printed).login == "official.hua"
