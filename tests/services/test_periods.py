"""关账: who closes a month and in which order, what is filed, and that it is the same whenever it is rendered again."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from market import audit, clock, db, filings, journal, ledger, ledger_frame, notices, outbox, sealing, villages
from market.errors import Conflict, InvalidInput, NotAllowed, NotFound, SecondPersonNeeded
from market.households import Household
from market.ledger import LedgerPeriod, Transfer
from market.notices import Notice
from orders.periods import checklist, closing, lists, news
from orders.periods.models import PeriodProposal
from tests.attacker import attack
from tests.bare_ledger import by_itself
from tests.world import GREENS, POMELO, World

JANUARY = datetime(2027, 1, 5, 4, 0, tzinfo=UTC)
OCTOBER, NOVEMBER, DECEMBER = date(2026, 10, 12), date(2026, 11, 3), date(2026, 12, 1)


@pytest.fixture(autouse=True)
def new_year(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    by_itself(app, monkeypatch)
    with clock.at(JANUARY):
        yield


def post(source: str, village: int, amount_fen: int = 1000, day: date = OCTOBER, **more: Any) -> None:
    with db.transaction():
        ledger.post([Transfer("accepted", source, "unit:1", "supplier:3", amount_fen, day, village_id=village,
                              grams=500, **more)])


def propose(world: World, period: str, who: str = "official.jin", findings: int = 0) -> int:
    with db.transaction():
        return closing.propose_close(period, {}, findings, world.person(who))


def confirm(world: World, proposal: int, who: str = "official.liang") -> None:
    with db.transaction():
        closing.confirm(proposal, world.person(who))


def close(world: World, period: str) -> None:
    confirm(world, propose(world, period))


def reopen(world: World, period: str) -> None:
    with db.transaction():
        proposal = closing.propose_reopen(period, "漏记一张磅单", world.person("official.jin"))
    confirm(world, proposal)


def render(period: str, nth: int | None = None) -> str:
    with db.snapshot():
        return filings.render(period, nth)


def acts() -> list[tuple[str, int]]:
    return [tuple(row) for row in db.session().execute(
        select(LedgerPeriod.period, LedgerPeriod.number).order_by(LedgerPeriod.period, LedgerPeriod.number))]


def test_two_officials_of_the_city_close_the_oldest_month_and_file_its_figures(world: World) -> None:
    home, following, greens = (world.villages[name] for name in ("pomelo_home", "pomelo_next", "greens_home"))
    post("a", home, 1000, certified=True, order_ref="D1", supplier_id=world.organisation_id(POMELO))
    post("b", following, 700, order_ref="D1", supplier_id=world.organisation_id(POMELO))
    post("c", greens, 50, order_ref="D2", supplier_id=world.organisation_id(GREENS))
    post("d", home, 9, NOVEMBER)
    proposal = propose(world, "2026-10")
    assert acts() == []  # one person closes nothing
    confirm(world, proposal)
    assert acts() == [("2026-10", 1)]
    kept = filings.filed("2026-10", 1)
    rows = filings.rows_of(kept.filed)
    by_code = {(level, row["code"]): row for (level, _place), row in rows.items()}
    assert {level: len([1 for of, _code in by_code if of == level]) for level in filings.LEVELS} == {
        "village": 3, "township": 2, "county": 2, "city": 1}
    city = by_code["city", "431100000000"]
    assert (city["path"], city["accepted_fen"], city["accepted_grams"], city["certified_fen"]) == (
        "永州市", "1750", "1500", "1000")
    assert (city["orders"], city["suppliers"], city["households"]) == ("2", "2", "0")
    jiangyong = by_code["county", "431125000000"]
    assert (jiangyong["accepted_fen"], jiangyong["orders"]) == ("1700", "1")  # one order, in two villages
    assert kept.filed.endswith("\n")
    assert "\r" not in kept.filed
    assert kept.sha256 == filings.sha256_of(kept.filed)
    assert kept.head_number == 1  # sealed first
    assert render("2026-10") == kept.filed
    assert audit.check(heads_file=ledger_frame.heads_file()) == []
    assert [act["action"] for act in journal.timeline("period", "2026-10")] == [
        "period.close_proposed", "period.closed"]


def test_who_may_not_and_what_may_not(world: World) -> None:
    home = world.villages["pomelo_home"]
    post("a", home)
    post("b", home, 5, NOVEMBER)
    for who in ("official.hua", "auditor.wei", "farm.luo"):
        with pytest.raises(NotAllowed):
            propose(world, "2026-10", who)
    with pytest.raises(closing.NotOldest, match="2026-10"):
        propose(world, "2026-11")
    with pytest.raises(closing.NotOver):
        propose(world, "2027-01")
    with pytest.raises(closing.LedgerNotGreen):
        propose(world, "2026-10", findings=1)
    with pytest.raises(closing.NotClosed), db.transaction():
        closing.propose_reopen("2026-10", "x", world.person("official.jin"))
    assert db.session().scalar(select(func.count()).select_from(PeriodProposal)) == 0
    proposal = propose(world, "2026-10")
    with pytest.raises(closing.AlreadyProposed):
        propose(world, "2026-10", "official.liang")
    with pytest.raises(SecondPersonNeeded):
        confirm(world, proposal, "official.jin")
    with pytest.raises(NotAllowed):
        confirm(world, proposal, "official.hua")
    with pytest.raises(NotFound):
        confirm(world, proposal + 1)
    with db.transaction():
        closing.withdraw(proposal, world.person("official.jin"))
    with pytest.raises(Conflict):
        confirm(world, proposal)
    assert acts() == []
    proposal = propose(world, "2026-10")  # again, after a withdrawal
    confirm(world, proposal)
    with pytest.raises(Conflict):
        confirm(world, proposal)
    with pytest.raises(closing.NotOldest, match="2026-11"):
        propose(world, "2026-10")
    with pytest.raises(InvalidInput), db.transaction():
        closing.propose_reopen("2026-10", " ", world.person("official.jin"))
    assert acts() == [("2026-10", 1)]


def test_late_entries_carry_a_mark_and_are_listed(world: World) -> None:
    home = world.villages["pomelo_home"]
    post("a", home)
    close(world, "2026-10")
    close(world, "2026-11")  # a month without entries is closed in its turn
    post("late", home, 7, order_ref="D7")
    post("other", home, 3, DECEMBER)
    sealing.seal_all()
    assert lists.late_sums("2026-12") == [(("2026-10", "accepted"), (1, 7))]
    assert [(row.order_ref, row.amount_fen) for row in lists.late("2026-12", 1, 1).rows] == [("D7", 7)]
    assert lists.late_sums("2026-10") == []
    assert render("2026-10") == filings.filed("2026-10", 1).filed


def test_reopening_lets_entries_in_and_the_second_filing_says_what_changed(world: World) -> None:
    home, greens = world.villages["pomelo_home"], world.villages["greens_home"]
    post("a", home, order_ref="D1")
    close(world, "2026-10")
    first = filings.filed("2026-10", 1)
    post("late", home, 7)  # before the reopening: stays in November
    reopen(world, "2026-10")
    assert closing.oldest_open() == "2026-10"
    with db.snapshot():
        assert lists.month("2026-10").state == "reopened"
    post("after", greens, 30, order_ref="D3")
    sealing.seal_all()
    assert render("2026-10") == first.filed  # an open month renders as it was last filed
    close(world, "2026-10")
    second = filings.filed("2026-10", 2)
    assert filings.filed("2026-10", 1) == first
    assert [render("2026-10", nth) for nth in (1, 2)] == [first.filed, second.filed]
    changed = {(row["level"], column): (old, new) for row, column, old, new in filings.changes(
        first.filed, second.filed)}
    assert changed["city", "accepted_fen"] == (1000, 1030)
    assert changed["village", "accepted_fen"] == (0, 30)
    assert changed["city", "orders"] == (1, 2)
    assert [nth for nth, _changes in lists.changes_of("2026-10")] == [2]
    assert lists.late_sums("2026-11") == [(("2026-10", "accepted"), (1, 7))]
    assert acts() == [("2026-10", 1), ("2026-10", 2), ("2026-10", 3)]
    with pytest.raises(NotFound):
        render("2026-10", 3)
    assert audit.check(heads_file=ledger_frame.heads_file()) == []


def test_what_changes_afterwards_changes_no_filed_byte(world: World) -> None:
    home, following = world.villages["pomelo_home"], world.villages["pomelo_next"]
    post("a", home, order_ref="D1")
    post("b", following, 20, order_ref="D1")
    close(world, "2026-10")
    kept = filings.filed("2026-10", 1).filed
    officer, day = world.person("official.jin"), clock.today()
    with db.transaction() as session:
        villages.rename(home, "改名村", day, "更名", officer, ())
        for household in session.scalars(select(Household)):
            household.people, household.head_name = 9, "改名户"
    renamed = db.session().scalar(select(Household.village_id).where(Household.register_code == "DEMO-JY-0001"))
    with db.transaction():
        villages.merge([renamed, following], "合并村", day, "合并", officer, ())
    assert render("2026-10") == kept
    assert audit.check() == []


@pytest.mark.parametrize(("tampering", "finding"), [
    ("UPDATE ledger_period SET filed = 'x'", "do not give their checksum"),
    ("UPDATE ledger_period SET head_number = 7", "another hash"),
    ("UPDATE division SET path = '别处' WHERE level = 'township'", "rendered again"),
    ("UPDATE village_presence SET closing = 9", "rendered again"),
    ("UPDATE ledger_period SET number = 3", "number 3 is missing"),
])
def test_the_audit_finds_a_filing_that_was_changed(world: World, tampering: str, finding: str) -> None:
    post("a", world.villages["pomelo_home"], order_ref="D1")
    close(world, "2026-10")
    attack(tampering)
    assert any(finding in problem.message() for problem in audit.check())


def test_the_offices_hear_of_it_once_each_time(world: World) -> None:
    post("a", world.villages["pomelo_home"])
    close(world, "2026-10")
    for _again in range(2):
        outbox.drain(news.HANDLERS)
        news.told({"period": "2026-10", "number": 1})
    heard = db.session().scalars(
        select(Notice.kind).where(Notice.organisation_id == world.organisation_id("city"))).all()
    assert heard == ["period.closed"]
    assert notices.unread(world.organisation_id("jiangyong")) == 1
    assert notices.unread(world.organisation_id("village")) == 0
    reopen(world, "2026-10")
    outbox.drain(news.HANDLERS)
    newest = notices.newest(world.organisation_id("city"))[0]
    assert (newest.kind, newest.details["reason"]) == ("period.reopened", "漏记一张磅单")


def test_the_checklist_counts_what_waits(world: World) -> None:
    post("a", world.villages["pomelo_home"])
    assert {item.key: item.count for item in checklist.items("2026-10")} == {
        "unsealed": 1, "declarations": 0, "lots": 0, "notebooks": 0}
    sealing.seal_all()
    assert sum(item.count for item in checklist.items("2026-10")) == 0
