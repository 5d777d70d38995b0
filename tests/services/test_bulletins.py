"""通报: three grades side by side, ranks with ties, the whole road of a notice, and what nobody may do to it."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from market import audit, clock, db, journal, ledger, ledger_frame, notices, outbox, sealing
from market.errors import InvalidInput, NotAllowed, NotFound, SecondPersonNeeded
from market.four_eyes import OwnParty
from market.ledger import Transfer
from market.parties import Membership
from market.places import Division
from orders.anomalies.models import AnomalyCase, OrderHold
from orders.bulletins import checks, content, drafting, lists, news, objecting, reading, spans, stating
from orders.bulletins.content import Audience
from orders.bulletins.objecting import Objection
from orders.quota.models import OutsideOrder, QuotaUpload
from tests.attacker import attack
from tests.bare_ledger import by_itself
from tests.world import GREENS, POMELO, SCHOOL, World

NEXT_MONDAY = datetime(2026, 10, 19, 4, 0, tzinfo=UTC)
WEEK = spans.week_of(date(2026, 10, 12))
JIANGYONG, XINTIAN = "431125000000", "431128000000"


@pytest.fixture(autouse=True)
def bare(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    by_itself(app, monkeypatch)
    with clock.at(NEXT_MONDAY):
        yield


def post(source: str, village: int, fen: int, day: date = WEEK.first_day, event: str = "accepted", **more: Any) -> None:
    sides = {"attributed": ("due:3", "households:1"), "returned": ("supplier:3", "unit:1")}.get(
        event, ("unit:1", "supplier:3"))
    with db.transaction():
        ledger.post([Transfer(event, source, *sides, fen, day, village_id=village, grams=500, **more)])


def by_code(span: spans.Span = WEEK) -> dict[str, reading.County]:
    with db.snapshot():
        return {one.code: one for one in reading.counties(span, reading.Where())[0]}


def at(day: int, hour: int = 12, month: int = 10) -> Any:
    return clock.at(clock.shanghai(date(2026, month, day), hour))


def person(world: World, login: str) -> Any:
    return world.person(login)


def county_id(code: str) -> int:
    return db.session().scalars(select(Division.id).where(Division.code == code)).one()


def drafted(world: World, who: str = "official.jin", grade: str = "proven", span: spans.Span = WEEK) -> int:
    drawn = content.draw(span, grade)
    with db.transaction():
        return drafting.draft(span, grade, drawn, person(world, who))


def opened(world: World) -> int:
    made = drafted(world)
    with db.transaction():
        drafting.open_up(made, 1, person(world, "official.jin"))
    return made


def object_to(world: World, bulletin: int, figure: str = "proven", words: str = "少算了一车") -> int:
    with db.transaction():
        return objecting.raise_one(bulletin, Objection(figure, words), person(world, "official.hua"))


def publish(world: World, bulletin: int, who: str = "official.liang", version: int = 1) -> str:
    with db.transaction():
        return drafting.publish(bulletin, version, person(world, who))


def row_of(bulletin: int, code: str, version: int = 1) -> dict[str, Any]:
    told, _head = drafting.kept(bulletin, version)
    return next(row["values"] for row in told["rows"] if row["place"] == code)


def test_a_week_is_added_up_by_its_own_days_and_each_grade_stands_by_itself(world: World) -> None:
    home, following, greens = (world.villages[name] for name in ("pomelo_home", "pomelo_next", "greens_home"))
    post("before", home, 300, date(2026, 10, 11), order_ref="D0")
    post("a", home, 1000, order_ref="D1", supplier_id=world.organisation_id(POMELO))
    post("b", following, 700, date(2026, 10, 18), order_ref="D2", supplier_id=world.organisation_id(POMELO))
    post("back", home, 200, date(2026, 10, 14), "returned", order_ref="D1")
    post("income", home, 400, date(2026, 10, 14), "attributed", income_kind="farm_gate",
         household_id=world.household_id("DEMO-JY-0001"))
    sealing.seal_all()
    post("held", greens, 9000, date(2026, 10, 15), order_ref="D3")
    post("c", greens, 1500, date(2026, 10, 16), order_ref="D4", supplier_id=world.organisation_id(GREENS))
    post("after", greens, 40, date(2026, 10, 19), order_ref="D5")
    with db.transaction() as session:
        hold("D3")
        upload = QuotaUpload(unit_id=world.organisation_id(SCHOOL), kind="orders", file_name="832.csv", rows=1,
                             new_rows=1, changed_rows=0, sent_at=clock.now())
        session.add(upload)
        session.flush()
        session.add(OutsideOrder(unit_id=world.organisation_id(SCHOOL), number="832-1", counted_on=WEEK.first_day,
                                 amount_fen=5000, returned_fen=500, fund_source="canteen", upload_id=upload.id))
        stating.set_target(JIANGYONG, 2026, 3600, "永政发〔2026〕1号", person(world, "official.jin"))
        stating.declare(WEEK, 8800, "线下直播", None, person(world, "official.hua"))
    found = by_code()
    near, far = found[JIANGYONG], found[XINTIAN]
    assert near.amounts == {"proven": 1500, "uploaded": 0, "declared": 8800}
    assert (near.change_fen("proven"), near.change_points("proven")) == (1200, 40_000)
    assert (near.villages, near.designated, near.suppliers, near.households) == (2, 1, 1, 1)
    assert (near.income_fen, near.year_fen, near.completion) == (400, 1800, 5000)
    assert near.public_fen is None  # of a week nobody outside learns an income
    assert far.amounts == {"proven": 1500, "uploaded": 0, "declared": None}
    assert (far.held_fen, far.year_fen, far.completion) == (9000, 1500, None)
    told, _head = content.draw(WEEK, "proven")
    assert [(row["values"]["rank"], row["place"]) for row in told["rows"]][:3] == [
        (1, JIANGYONG), (1, XINTIAN), (3, "431102000000")]  # equal amounts share a rank
    assert told["totals"]["proven"] == 3000
    assert [note for note in told["notes"] if note[1].get("yuan") == "45.00"]  # the school lies in no county
    declared, _head = content.draw(WEEK, "declared")
    assert [row["values"]["rank"] for row in declared["rows"]][:3] == [1, None, None]
    public = content.for_audience(told, Audience())
    other = content.for_audience(told, Audience(county=XINTIAN, names=True))
    own = content.for_audience(told, Audience(county=JIANGYONG, names=True))
    income = [next(row for row in notice["rows"] if row["place"] == JIANGYONG)["values"]["income"]
              for notice in (public, other, own, told)]
    assert income == [None, None, 400, 400]
    assert (public["totals"]["income"], told["totals"]["income"]) == (None, 400)
    # the month agrees with its days, whatever is sealed
    with at(2, month=11):
        month = by_code(spans.months("2026-10", "2026-10"))
        assert [month[code].amounts["proven"] for code in (JIANGYONG, XINTIAN)] == [1800, 1540]
        assert (month[XINTIAN].held_fen, month[JIANGYONG].public_fen) == (9000, None)  # one household behind it


def test_what_is_frozen_tells_the_public_no_income_that_may_still_change(world: World) -> None:
    home = world.villages["pomelo_home"]
    post("a", home, 9000, order_ref="D1")
    for number in range(1, 6):
        post(f"income {number}", home, 100, event="attributed", income_kind="farm_gate", order_ref="D1",
             household_id=world.household_id(f"DEMO-JY-000{number}"))
    october = spans.months("2026-10", "2026-10")
    with at(2, month=11):
        assert by_code(october)[JIANGYONG].public_fen == 500  # the live report tells it, and changes with it
        open_still, _head = content.draw(october, "proven")
        with db.transaction():
            sealing.close_month("2026-10")
        closed, _head = content.draw(october, "proven")
    shown = [content.for_audience(told, Audience()) for told in (open_still, closed)]
    assert [next(row["values"]["income"] for row in told["rows"] if row["place"] == JIANGYONG)
            for told in (*shown, open_still)] == [None, 500, 500]
    assert [told["totals"]["income"] for told in shown] == [None, 500]


def hold(number: str) -> None:
    """An order under check, with a case behind it."""
    case = AnomalyCase(kind="circle", key=number, grave=True, object=number, value="", facts={}, evidence=[],
                       day=WEEK.first_day, rule_version=1, found_at=clock.now(), due_on=WEEK.last_day)
    db.session().add(case)
    db.session().flush()
    db.session().add(OrderHold(order_number=number, held_at=clock.now(), case_id=case.id))


def test_the_whole_road_of_a_notice(world: World) -> None:
    home, greens = world.villages["pomelo_home"], world.villages["greens_home"]
    post("a", home, 1000, order_ref="D1")
    post("c", greens, 1500, order_ref="D4")
    sealing.seal_all()
    assert lists.due(person(world, "official.jin"))[0].name == WEEK.name
    assert lists.due(person(world, "official.hua")) == []
    one = drafted(world)
    assert lists.due(person(world, "official.jin"))[0].kind == "month"
    for refused in (NotFound,):  # a county sees no draft
        with pytest.raises(refused):
            lists.one(one, lists.sight_of(person(world, "official.hua")))
        with pytest.raises(refused):
            object_to(world, one)
    with db.transaction():
        assert drafting.open_up(one, 1, person(world, "official.jin")) == date(2026, 10, 21)
    outbox.drain(news.HANDLERS)
    assert [news_row.kind for news_row in notices.newest(world.organisation_id("jiangyong"))] == ["bulletin.opened"]
    assert notices.newest(world.organisation_id("village")) == []
    with pytest.raises(drafting.StillOpen):
        publish(world, one)
    post("lorry", home, 900, date(2026, 10, 17), order_ref="D9")  # entered late, dated into the week
    with at(21, 23):  # the last hour of the second working day
        objection = object_to(world, one)
    with at(22):
        with pytest.raises(objecting.TooLate):
            object_to(world, one)
        with pytest.raises(drafting.Unanswered):
            publish(world, one)
        with pytest.raises(NotAllowed), db.transaction():
            objecting.answer(objection, "kept", "不改", person(world, "official.hua"))
        with db.transaction():
            objecting.answer(objection, "corrected", "补记一车", person(world, "official.jin"))
        with pytest.raises(objecting.AlreadyAnswered), db.transaction():
            objecting.answer(objection, "kept", "不改", person(world, "official.jin"))
        with pytest.raises(drafting.NotRedrawn):
            publish(world, one)
        drawn = content.draw(WEEK, "proven")
        with db.transaction():
            assert drafting.redraw(one, 1, drawn, person(world, "official.jin")) > 0
        [(number, differ)] = list(lists.changes(one))
        assert number == 2
        assert [(cell.before, cell.after) for cell in differ if cell.row == "江永县" and cell.heading == "Proven here"
                ] == [(1000, 1900)]
        with pytest.raises(drafting.StillOpen):  # the counties have not seen the new figures yet
            publish(world, one, version=2)
    with at(27):
        with pytest.raises(drafting.Changed):
            publish(world, one, version=1)
        with pytest.raises(SecondPersonNeeded):
            publish(world, one, "official.jin", version=2)
        with pytest.raises(NotAllowed):
            publish(world, one, "official.hua", version=2)
        assert [row.id for row in lists.to_publish(person(world, "official.liang"))] == [one]
        assert publish(world, one, version=2) == "1/2026"
        before = drafting.found(one), drafting.kept_text(one, 2)
        outbox.drain(news.HANDLERS)
        assert {row.kind for row in notices.newest(world.organisation_id("jiangyong"))} == {
            "bulletin.opened", "bulletin.redrawn", "bulletin.answered", "bulletin.published"}
        post("later", home, 70_000, date(2026, 10, 17), order_ref="D10")
        sealing.seal_all()
        assert (drafting.found(one), drafting.kept_text(one, 2)) == before
        assert row_of(one, JIANGYONG, 2)["proven"] == 1900
        for refused, act in ((drafting.NotOpen, lambda: publish(world, one, version=2)),
                             (drafting.NotOpen, lambda: object_to(world, one)),
                             (drafting.AlreadyDrafted, lambda: drafted(world))):
            with pytest.raises(refused):
                act()
        erratum_of(world, one)
    assert [entry["action"] for entry in journal.timeline("bulletin", one)] == [f"bulletin.{act}" for act in (
        "drafted", "opened", "objected", "answered", "redrawn", "published")]


def erratum_of(world: World, one: int) -> None:
    """What is published is corrected by a new notice that names it."""
    drawn = content.draw(WEEK, "proven")
    with pytest.raises(InvalidInput), db.transaction():
        drafting.correct(one, "", drawn, person(world, "official.jin"))
    with db.transaction():
        new = drafting.correct(one, "漏计一单", drawn, person(world, "official.jin"))
    assert drafting.found(new).corrects_id == one
    assert row_of(new, JIANGYONG)["proven"] == 71_900
    with pytest.raises(drafting.AlreadyDrafted), db.transaction():
        drafting.correct(one, "再更正", drawn, person(world, "official.liang"))
    with pytest.raises(InvalidInput), db.transaction():
        drafting.withdraw(new, "", person(world, "official.jin"))
    with db.transaction():
        drafting.withdraw(new, "重写", person(world, "official.jin"))
    assert drafting.found(new).state == "withdrawn"


def test_who_may_not_keep_a_notice_and_of_what(world: World) -> None:
    drawn = content.draw(WEEK, "proven")
    for login, span, refusal in (("official.hua", WEEK, NotAllowed), ("auditor.wei", WEEK, NotAllowed),
                                 ("official.jin", spans.week_of(date(2026, 10, 19)), spans.NotOver)):
        with pytest.raises(refusal), db.transaction():
            drafting.draft(span, "proven", drawn, person(world, login))
    with db.transaction() as session:
        session.add(Membership(user_id=person(world, "official.liang").id, role="clerk",
                               organisation_id=world.organisation_id(GREENS)))
    one = opened(world)
    with at(26), pytest.raises(OwnParty):
        publish(world, one)  # Liang keeps the books of a co-operative that stands in it
    for login in ("township.yan", "official.jin", "chair.he"):
        with pytest.raises(NotAllowed), db.transaction():
            objecting.raise_one(one, Objection("proven", "不对"), person(world, login))
    with pytest.raises(InvalidInput):
        object_to(world, one, figure="rank")
    assert drafting.found(one).unanswered == 0
    with pytest.raises(NotAllowed), db.transaction():
        stating.set_target(JIANGYONG, 2026, 1, "无", person(world, "official.hua"))
    with pytest.raises(NotAllowed), db.transaction():
        stating.declare(WEEK, 1, "无", None, person(world, "official.jin"))


def test_the_database_itself_keeps_what_is_published(world: World) -> None:
    post("a", world.villages["pomelo_home"], 1000, order_ref="D1")
    sealing.seal_all()
    one = opened(world)
    with pytest.raises(DBAPIError), db.transaction() as session:  # one person alone
        session.execute(text("UPDATE bulletin SET state = 'published', number = 9, published_by = drawn_by, "
                             "published_at = '2026-10-26', published_on = '2026-10-26', sha256 = 'x', head = ''"))
    with at(26):
        publish(world, one)
    assert list(checks.problems()) == []
    for statement in ("UPDATE bulletin SET grade = 'declared'", "DELETE FROM bulletin",
                      "UPDATE bulletin_version SET content = '{}'", "DELETE FROM bulletin_version"):
        with pytest.raises(DBAPIError, match="only grows"), db.transaction() as session:
            session.execute(text(statement))
    attack("UPDATE bulletin_version SET content = replace(content, '1000', '9000')")
    assert [problem.details["number"] for problem in checks.problems()] == [1]
    assert audit.check(heads_file=ledger_frame.heads_file(), limit=5) == []
