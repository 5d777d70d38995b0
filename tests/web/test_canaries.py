"""No page, export, API answer, log, mail or message shows anybody's name, phone or account to who may not see it.

Canaries stand in the data of both sides; then every GET route of the url map is walked, with one's own things and with
the other side's, and every body is searched: pages, JSON, CSV, spreadsheets and the text of PDFs. New routes and new
tables are in by themselves.
"""

import io
import logging
import zipfile
from collections.abc import Iterator

import pytest
from flask import Flask
from pypdf import PdfReader
from sqlalchemy import select
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from market import access, clock, db, outbox
from market.journal import JournalEntry
from market.message_rows import Message
from market.notices import Notice
from market.outbox import OutboxMessage
from tests import canaries
from tests.canaries import FAR, NEAR, Canary
from tests.stand_in import StandIn
from tests.trade import Trade
from tests.web.test_access_matrix import Caller, Things, ask, routes, traded
from tests.world import GREENS, HOSPITAL, NOON, POMELO, SCHOOL, World

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600),
              pytest.mark.parametrize("backend", ["sqlite"], indirect=True)]  # words are the same on both
# who walks, and on which side they stand; officials' areas are their own matter below
SIDES = {"admin.qian": NEAR, "chair.shi": NEAR, "cook.wu": FAR, "cashier.feng": FAR, "chair.he": FAR}
UNIT_PEOPLE = ("admin.qian", "cook.wu", "cashier.feng")
# an organisation's own account stands on its contracts and invoices, which auditors read
ON_PAPERS = {"organisation.bank_account", "invoice_request.bank_account", "invoice_title.bank_account"}
BY_SECRET = {"delivering.van", "phone.open_link"}  # whoever holds the link in their hand is meant to read it
OFFICIALS = ("official.hua", "farm.luo", "township.yan", "official.jin", "auditor.wei", "system.tao", "security.jiang")


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    with clock.at(NOON):
        yield


@pytest.fixture
def planted(app: Flask, world: World, monkeypatch: pytest.MonkeyPatch, stand_in: StandIn,
            caplog: pytest.LogCaptureFixture) -> tuple[dict[str, Things], list[Canary]]:
    """Both sides' trade with canaries in it: people's from the beginning, so that every copy of a name holds one."""
    caplog.set_level(logging.DEBUG)
    monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", False)
    words = canaries.of_people(world)
    trade = Trade(world)
    sides = {NEAR: traded(trade, SCHOOL, GREENS, "cook.chen", "cashier.sun", "clerk.zhang", "official.jin"),
             FAR: traded(trade, HOSPITAL, POMELO, "cook.wu", "cashier.feng", "clerk.lv", "official.hua")}
    return sides, words + canaries.of_the_rest(world)


def walked(app: Flask, world: World, login: str | None, sides: dict[str, Things]) -> Iterator[tuple[str, str]]:
    """Every GET route with either side's things: its address and the text of its answer."""
    caller = Caller(world, login, app) if login else None
    stranger = app.test_client()
    for rule, method in routes(app):
        if method != "GET" or rule.endpoint in BY_SECRET:
            continue
        if caller is None and app.view_functions[rule.endpoint].access is not None:
            continue  # a stranger is sent to the login: test_access_matrix
        for things in sides.values() if rule.arguments else (sides[NEAR],):
            answer = caller.ask(rule, method, things) if caller else ask(stranger, rule, method, things)
            yield answer.request.path, text_of(answer)


def text_of(answer: TestResponse) -> str:
    """What a person can read of an answer, whatever its form."""
    if answer.mimetype == "application/pdf" and answer.data.startswith(b"%PDF"):
        return "".join(page.extract_text() for page in PdfReader(io.BytesIO(answer.data)).pages)
    if answer.data.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(answer.data)) as parts:
            return "".join(parts.read(name).decode("utf-8", "ignore") for name in parts.namelist())
    return answer.data.decode("utf-8", "ignore")


def seen(pages: Iterator[tuple[str, str]], words: list[Canary]) -> list[str]:
    return sorted({f"{path}: {one.where} ({one.kind})" for path, text in pages for one in words if one.word in text})


def of(words: list[Canary], *kinds: str, side: str | None = None) -> list[Canary]:
    return [one for one in words if (not kinds or one.kind in kinds) and side in (None, one.side)]


def test_nobody_sees_what_is_the_other_sides_nor_strangers_anything(
        app: Flask, world: World, planted: tuple[dict[str, Things], list[Canary]],
        caplog: pytest.LogCaptureFixture) -> None:
    sides, words = planted
    kinds = {one.kind for one in words}
    assert kinds == {"household", "person", "phone", "account", "payer"} and {one.side for one in words} == {NEAR, FAR}
    wrong = seen(walked(app, world, None, sides), words)
    shown = 0
    for login, side in SIDES.items():
        pages = list(walked(app, world, login, sides))
        others = of(words, side=FAR if side == NEAR else NEAR)
        own_households = of(words, "household") if login in UNIT_PEOPLE else []
        wrong += [f"{login} {line}" for line in seen(iter(pages), others + own_households)]
        shown += len(seen(iter(pages), of(words, side=side)))
    assert "\n".join(wrong) == ""
    assert shown > 50, "a walk that meets no canary at all proves nothing"
    assert spoken(app, of(words, "household", "phone", "account", "payer")) == []
    logged = [one.where for one in words for record in caplog.records
              if record.name != "sqlalchemy.engine.Engine" and one.word in record.getMessage()]
    assert logged == []


def spoken(app: Flask, words: list[Canary]) -> list[str]:
    """Canaries in what leaves the site: waiting messages, notices, and mails and chats once all is delivered."""
    handlers = app.extensions["sijin_handlers"]
    while outbox.drain(handlers):
        pass
    with db.snapshot() as session:
        told = [*(repr(row) for row in session.execute(select(db.table(OutboxMessage)))),
                *(repr(row) for row in session.execute(select(db.table(Notice)))),
                *(repr(row) for row in session.execute(select(db.table(Message))))]
    folder = app.extensions["sijin"].data_dir
    told += [path.read_text("utf-8", "ignore") for path in folder.rglob("*") if path.suffix in (".eml", ".txt", ".log")]
    return [one.where for one in words for text in told if one.word in text]


@pytest.mark.parametrize("login", OFFICIALS)
def test_offices_read_codes_and_masked_names(app: Flask, world: World, login: str,
                                             planted: tuple[dict[str, Things], list[Canary]]) -> None:
    sides, words = planted
    hidden = [one for one in of(words, "household", "account")
              if one.where not in ON_PAPERS | {"household.register_code"}]
    assert "\n".join(seen(walked(app, world, login, sides), hidden)) == ""


def test_every_reveal_is_journalled(app: Flask, world: World,
                                    planted: tuple[dict[str, Things], list[Canary]]) -> None:
    """A route that reveals is a POST, says so in its name, and leaves a line in the journal."""
    sides, _words = planted
    reveals = [rule for rule, method in routes(app) if method == "POST" and is_reveal(rule)]
    assert not [rule for rule, method in routes(app) if method == "GET" and is_reveal(rule)]
    people = SIDES | dict.fromkeys(OFFICIALS, FAR) | {"village.cao": NEAR, "village.kong": FAR}
    for rule in reveals:
        verb = app.view_functions[rule.endpoint].access
        for login, side in people.items():
            if verb is None or not access.can(world.person(login), verb):
                continue
            before = acts()
            answer = Caller(world, login, app).ask(rule, "POST", sides[side])
            assert answer.status_code >= 400 or acts() > before, rule


def is_reveal(rule: Rule) -> bool:
    return any(word in f"{rule.endpoint} {rule.rule}" for word in ("reveal", "full_name", "full-name", "unmask"))


def acts() -> int:
    with db.snapshot() as session:
        return len(session.scalars(select(JournalEntry.id)).all())

