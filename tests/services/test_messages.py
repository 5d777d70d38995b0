"""From a notice to people and chats: one row per recipient, sent once, to official hosts only, files in practice."""

import json
from collections.abc import Iterator
from dataclasses import replace
from email import message_from_bytes
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from market import clock, db, mail, messages, notices, outbox, robots
from market.errors import InvalidInput, NotFound
from market.message_rows import Message
from market.outbox import OutboxMessage
from market.users import User
from tests.services.test_mail import Server
from tests.world import HOSPITAL, NOON, SCHOOL, World

WECOM = "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=0000-demo"
DINGTALK = "https://oapi.dingtalk.com/robot/send?access_token=demo"
SHIPPED = {"supplier": "石家合作社", "number": "D1"}


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    with clock.at(NOON):
        yield


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.listening.close()


def with_addresses(world: World, *logins: str) -> None:
    with db.transaction() as session:
        for login in logins:
            session.execute(update(User).where(User.login == login).values(email=f"{login}@example.cn"))


def tell(world: World, key: str = SCHOOL, thing: int = 1) -> None:
    with db.transaction():
        notices.tell(world.organisation_id(key), "order.shipped", thing, SHIPPED)


def drain(app: Flask) -> None:
    outbox.drain(app.extensions["sijin_handlers"])


def rows() -> list[tuple[str, bool]]:
    db.session().rollback()
    return [(row.channel, row.sent_at is not None)
            for row in db.session().execute(select(Message.channel, Message.sent_at).order_by(Message.id))]


def test_news_reaches_each_recipient_once_over_a_real_conversation(
        app: Flask, world: World, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.extensions, "sijin", replace(
        app.extensions["sijin"], mail_url=server.url, mail_from="sijin@example.cn", site_url="https://sijin.example.cn"))
    with_addresses(world, "cook.chen", "head.li", "cook.wu", "admin.qian")
    with db.transaction():
        messages.choose({"mail": False}, world.person("admin.qian"))
    tell(world)
    tell(world)
    assert server.received == []
    drain(app)
    for payload in [m.payload for m in db.session().scalars(select(OutboxMessage))]:  # the worker died and comes again
        for handler in (messages.spread, mail.send):
            if ("notice_id" in payload) == (handler is messages.spread):
                handler(payload)
    drain(app)
    got = [message_from_bytes(raw) for raw in server.received]
    assert sorted(str(one["To"]) for one in got) == ["cook.chen@example.cn", "head.li@example.cn"]
    text = got[0].get_payload(decode=True).decode()  # type: ignore[union-attr]
    assert "石家合作社" in text and "https://sijin.example.cn/orders/1" in text
    assert rows() == [("mail", True), ("mail", True)]


def test_a_later_server_is_tried_again_and_nobody_gets_two(
        app: Flask, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server(refuses=1)
    monkeypatch.setitem(app.extensions, "sijin",
                        replace(app.extensions["sijin"], mail_url=server.url, mail_from="sijin@example.cn"))
    with_addresses(world, "cook.chen", "head.li")
    tell(world)
    drain(app)
    assert rows() == [("mail", False), ("mail", True)]
    with clock.at(clock.shanghai(clock.days_after(clock.today(), 1))):
        drain(app)
    assert rows() == [("mail", True), ("mail", True)]
    assert len(server.received) == 2
    server.listening.close()


def test_a_group_chat_gets_the_text_with_the_link_as_a_file_in_practice(app: Flask, world: World) -> None:
    with db.transaction():
        robot = robots.add("wecom", "食堂群", WECOM, "", world.person("admin.qian"))
    tell(world)
    tell(world, HOSPITAL)
    drain(app)
    [file] = list((app.extensions["sijin"].data_dir / "robots").iterdir())
    kept = json.loads(file.read_text())
    assert kept["text"]["content"].startswith("石家合作社已发货") or "D1" in kept["text"]["content"]
    assert "/orders/1" in kept["text"]["content"] and "key=" not in file.read_text()
    with pytest.raises(NotFound), db.transaction():
        robots.remove(robot, world.person("cook.wu"))
    with db.transaction():
        robots.remove(robot, world.person("admin.qian"))
    tell(world, thing=2)
    drain(app)
    assert rows() == [("wecom", True)]


def test_a_short_message_goes_only_to_who_asked_for_it(app: Flask, world: World) -> None:
    with db.transaction():
        messages.choose({"sms": True}, world.person("cook.chen"))
    tell(world)
    drain(app)
    [file] = list((app.extensions["sijin"].data_dir / "sms").iterdir())
    assert json.loads(file.read_text())["to"] == "13900000000"
    assert rows() == [("sms", True)]


@pytest.mark.parametrize(("kind", "url"), [
    ("wecom", "http://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=1"), ("wecom", DINGTALK), ("dingtalk", WECOM),
    ("wecom", "https://qyapi.weixin.qq.com.evil.cn/cgi-bin/webhook/send?key=1"),
    ("wecom", "https://qyapi.weixin.qq.com@127.0.0.1/cgi-bin/webhook/send?key=1"),
    ("wecom", "https://qyapi.weixin.qq.com:8443/cgi-bin/webhook/send?key=1"),
    ("wecom", "https://qyapi.weixin.qq.com/cgi-bin/webhook/send"), ("wecom", "file:///etc/passwd"),
    ("dingtalk", "https://oapi.dingtalk.com/robot/other?access_token=1"), ("wecom", "https://[::1/x?key=1"),
    ("dingtalk", "https://169.254.169.254/robot/send?access_token=1"),
])
def test_only_the_official_hosts_are_called(world: World, kind: str, url: str) -> None:
    with pytest.raises(InvalidInput) as refused, db.transaction():
        robots.add(kind, "群", url, "", world.person("admin.qian"))
    assert list(refused.value.fields) == ["url"]
    assert robots.of_organisation(world.organisation_id(SCHOOL)) == []


def test_in_production_an_answer_that_is_no_yes_is_tried_again(
        app: Flask, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def post(kind: str, url: str, body: Any) -> None:
        assert not db.session().in_transaction()
        asked.append((kind, url))
        if len(asked) == 1:
            raise robots.RobotRefused(kind)

    monkeypatch.setattr(robots, "post", post)
    monkeypatch.setitem(app.extensions, "sijin", replace(app.extensions["sijin"], production=True))
    with db.transaction():
        robots.add("dingtalk", "群", DINGTALK, "SECdemo", world.person("admin.qian"))
    tell(world)
    drain(app)
    assert rows() == [("dingtalk", False)]
    with clock.at(clock.shanghai(clock.days_after(clock.today(), 1))):
        drain(app)
    assert rows() == [("dingtalk", True)]
    assert asked[0][1].startswith(DINGTALK + "&timestamp=") and "&sign=" in asked[0][1]
    assert not (app.extensions["sijin"].data_dir / "robots").exists()
