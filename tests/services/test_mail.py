"""Mail: a real SMTP conversation, header lines that stay one line, files in practice, silence told in production."""

import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from email import message_from_bytes
from email.header import decode_header, make_header
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from market import clock, db, mail, outbox
from market.outbox import OutboxMessage
from market.users import User
from tests.world import NOON, POMELO, World


class Server:
    """As much of a mail server as one conversation needs; it keeps what it was told."""

    def __init__(self, refuses: int = 0) -> None:
        self.said: list[str] = []
        self.received: list[bytes] = []
        self.refuses = refuses
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"smtp://clerk:p%40ss@127.0.0.1:{self.listening.getsockname()[1]}"
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self) -> None:
        while True:
            try:
                connection, _address = self.listening.accept()
            except OSError:
                return
            with connection, connection.makefile("rwb", buffering=0) as line:
                self.talk(line)

    def talk(self, line: Any) -> None:
        line.write(b"220 mail.example ready\r\n")
        while (asked := line.readline()):
            words = asked.decode().strip()
            self.said.append(words)
            verb = words[:4].upper()
            if verb == "DATA":
                line.write(b"354 go on\r\n")
                body = b""
                while not body.endswith(b"\r\n.\r\n"):
                    body += line.readline()
                self.received.append(body[:-5])
                line.write(b"250 kept\r\n")
            elif verb == "EHLO":
                line.write(b"250-mail.example\r\n250 AUTH PLAIN\r\n")
            elif verb == "AUTH":
                line.write(b"235 come in\r\n")
            elif verb == "RCPT" and self.refuses:
                self.refuses -= 1
                line.write(b"451 later\r\n")
            elif verb == "QUIT":
                line.write(b"221 bye\r\n")
                return
            else:
                line.write(b"250 ok\r\n")


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.listening.close()


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    with clock.at(NOON):
        yield


@pytest.fixture
def chair(world: World) -> int:
    """社长何 with an address; the clerk has none."""
    with db.transaction() as session:
        session.execute(update(User).where(User.login == "chair.he").values(email="he@example.cn"))
    return world.person("chair.he").id


def set_mail(app: Flask, monkeypatch: pytest.MonkeyPatch, **changes: Any) -> None:
    monkeypatch.setitem(app.extensions, "sijin", replace(app.extensions["sijin"], **changes))


def post(world: World, subject: str = "证照到期", matter: str = "paper 1 ends 7") -> None:
    with db.transaction():
        mail.write(world.organisation_id(POMELO), ("manager", "clerk"), matter, subject, "营业执照将到期。\n.\n再见\n")


def waiting() -> list[OutboxMessage]:
    return list(db.session().scalars(select(OutboxMessage).where(OutboxMessage.kind == mail.KIND)
                                     .execution_options(populate_existing=True)))


def test_the_worker_sends_one_mail_over_a_real_conversation(
        app: Flask, world: World, chair: int, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    set_mail(app, monkeypatch, mail_url=server.url, mail_from="四进 <sijin@example.cn>")
    post(world)
    post(world)  # the same matter once more
    assert server.received == []  # nothing is sent where it is written
    outbox.drain(mail.HANDLERS)
    assert len(server.received) == 1
    assert any(line.upper().startswith("MAIL FROM:<SIJIN@EXAMPLE.CN>") for line in server.said)
    assert any(line.startswith("AUTH PLAIN") for line in server.said)
    got = message_from_bytes(server.received[0])
    assert got["To"] == "he@example.cn"
    assert str(make_header(decode_header(got["Subject"]))) == "证照到期"
    assert "营业执照将到期" in got.get_payload(decode=True).decode()  # type: ignore[union-attr]
    outbox.drain(mail.HANDLERS)
    assert len(server.received) == 1


def test_a_server_that_says_later_gets_it_again(
        app: Flask, world: World, chair: int, monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server(refuses=1)
    set_mail(app, monkeypatch, mail_url=server.url, mail_from="sijin@example.cn")
    post(world)
    outbox.drain(mail.HANDLERS)
    assert server.received == []
    assert "451" in waiting()[0].last_error
    with clock.at(NOON.replace(hour=6)):
        outbox.drain(mail.HANDLERS)
    assert len(server.received) == 1
    server.listening.close()


@pytest.mark.parametrize("subject", ["到期\r\nBcc: thief@example.com", "到期\nX: y\n\nbody", "a\u2028Bcc: b\x0bc\x1ed"])
def test_no_name_or_number_becomes_a_header(subject: str) -> None:
    message = mail.compose("sijin@example.cn", "he@example.cn",
                           {"user_id": 1, "matter": "m", "subject": subject, "text": "x"})
    read = message_from_bytes(bytes(message))
    assert set(read.keys()) == {"From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted",
                                "Content-Type", "Content-Transfer-Encoding", "MIME-Version"}
    assert read.get_all("To") == ["he@example.cn"]


def test_the_second_copy_after_a_dead_worker_is_the_same_message() -> None:
    told = {"user_id": 1, "matter": "paper 1 ends 7", "subject": "s", "text": "x"}
    first, second = (mail.compose("sijin@example.cn", "he@example.cn", told) for _ in range(2))
    assert first["Message-ID"] == second["Message-ID"]
    assert first["Message-ID"].endswith("@example.cn>")


def test_a_password_is_not_sent_in_the_clear(monkeypatch: pytest.MonkeyPatch, server: Server) -> None:
    monkeypatch.setattr(mail, "LOOPBACK", set())
    message = mail.compose("sijin@example.cn", "he@example.cn", {"user_id": 1, "matter": "m", "subject": "s",
                                                                 "text": "x"})
    with pytest.raises(mail.NoEncryption):
        mail.hand_over(server.url, message)
    assert not any(line.startswith("AUTH") for line in server.said)
    assert server.received == []


def test_practice_writes_a_file(app: Flask, world: World, chair: int) -> None:
    post(world)
    outbox.drain(mail.HANDLERS)
    files = list((app.extensions["sijin"].data_dir / "mail").glob("*.eml"))
    assert len(files) == 1
    assert message_from_bytes(files[0].read_bytes())["To"] == "he@example.cn"


def test_production_without_a_server_says_that_nothing_is_sent(
        app: Flask, world: World, chair: int, monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str]) -> None:
    set_mail(app, monkeypatch, production=True)
    post(world)
    outbox.drain(mail.HANDLERS)
    assert "mail is not sent" in capsys.readouterr().out
    assert not (app.extensions["sijin"].data_dir / "mail").exists()
    assert waiting()[0].done_at is not None


def test_nobody_with_an_address_no_mail(app: Flask, world: World) -> None:
    post(world)
    assert waiting() == []
