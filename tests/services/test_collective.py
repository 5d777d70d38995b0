"""Collective income: what the platform counts, what villages declare beside it, bands, increment, suggested pool."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from market import audit, clock, db, villages
from market.errors import InvalidInput, MarketError, NotAllowed, NotFound, SecondPersonNeeded
from market.figures import EVERYWHERE, Where
from market.journal import JournalEntry
from market.notices import Notice
from market.outbox import OutboxMessage
from orders.collective import dated, declaring, figures, lists, news, report
from orders.collective.declaring import Said
from orders.collective.models import OtherIncome
from orders.income import declarations
from orders.reports.frame import Asked, fill
from orders.reports.readers import PUBLIC, WHOLE
from tests.counting import count_statements
from tests.trade import Trade
from tests.world import NOON, POMELO, TODAY, World


@pytest.fixture(autouse=True)
def noon(app: Flask) -> Iterator[None]:
    with clock.at(NOON):
        yield


@pytest.fixture
def home(world: World, trade: Trade) -> int:
    """A village whose collective shares in sales since 2023."""
    trade.agree_collective(POMELO, world.villages["pomelo_home"], 500, date(2023, 1, 1))
    return world.villages["pomelo_home"]


def shared(trade: Trade, village: int, fen: int, day: date = TODAY) -> None:
    """The collective's part of a co-operative's income, declared and confirmed on a day."""
    with clock.at(clock.shanghai(day, 12)):
        proof = trade.proof()
        with db.transaction():
            row = declarations.declare(declarations.Declared(None, "collective", clock.period_of(day), fen, proof,
                                                             village_id=village), trade.world.person("chair.he"))
        with db.transaction():
            declarations.confirm(row.id, trade.world.person("village.kong"))


def declare(trade: Trade, village: int, fen: int, year: int = 2026, kind: str = "trading",
            confirmed: bool = True) -> int:
    proof = trade.proof()
    with db.transaction():
        row = declaring.declare(village, Said(year, kind, fen, "", proof), trade.world.person("village.kong"))
    if confirmed:
        with db.transaction():
            declaring.confirm(row.id, trade.world.person("township.yan"))
    return row.id


def of(village: int, year: int = 2026) -> figures.VillageYear:
    with db.snapshot():
        return figures.of_village(village, year)


def test_a_village_is_known_once_its_township_has_confirmed_what_it_declared(
        world: World, trade: Trade, home: int) -> None:
    shared(trade, home, 1_000_000)
    assert of(home).now.platform_fen == 1_000_000
    assert of(home).now.operating_fen is None and of(home).now.band is None
    row = declare(trade, home, 3_999_999, confirmed=False)
    assert of(home).now.operating_fen is None
    with db.transaction():
        declaring.confirm(row, world.person("township.yan"))
    assert (of(home).now.operating_fen, of(home).now.band) == (4_999_999, "weak")
    declare(trade, home, 1, kind="contract")
    assert (of(home).now.operating_fen, of(home).now.band) == (5_000_000, "ordinary")
    declare(trade, home, 15_000_001, kind="other")
    assert of(home).now.band == "rich"
    with db.snapshot():
        assert sum(part.fen for part in lists.share(home, 2026)) == 1_000_000
        assert lists.share(home, 2025) == []
    assert audit.check() == []


def test_only_the_village_declares_and_only_its_township_confirms(world: World, trade: Trade, home: int) -> None:
    proof = trade.proof()
    said = Said(2026, "trading", 100, "", proof)
    for login in ("village.cao", "chair.he", "official.hua", "township.yan"):
        with pytest.raises(NotFound), db.transaction():
            declaring.declare(home, said, world.person(login))
    for wrong in (Said(2027, "trading", 100, "", proof), Said(2026, "wages", 100, "", proof),
                  Said(2026, "trading", -1, "", proof)):
        with pytest.raises(InvalidInput), db.transaction():
            declaring.declare(home, wrong, world.person("village.kong"))
    assert count(OtherIncome) == 0
    row = declare(trade, home, 100, confirmed=False)
    for login in ("village.kong", "village.cao", "official.hua", "chair.he"):
        with pytest.raises(MarketError), db.transaction():
            declaring.confirm(row, world.person(login))
    assert db.session().get_one(OtherIncome, row).confirmed_at is None
    with db.transaction():
        declaring.refuse(row, "没有合同", world.person("township.yan"))
    with pytest.raises(MarketError), db.transaction():
        declaring.confirm(row, world.person("township.yan"))
    assert of(home).now.declared_fen is None
    message = db.session().scalars(select(OutboxMessage.payload).where(OutboxMessage.kind == declaring.DECIDED)).one()
    for _again in range(2):
        news.tell_village(message)
    told = db.session().scalars(select(Notice)).one()
    assert told.kind == "collective.refused" and told.details["why"] == "没有合同"


def test_who_declared_never_confirms_in_another_hat(world: World, trade: Trade, home: int) -> None:
    row = declare(trade, home, 100, confirmed=False)
    kong = world.person("village.kong")
    yan = world.person("township.yan")
    both = type(yan)(**{**yan.__dict__, "id": kong.id})
    with pytest.raises(SecondPersonNeeded), db.transaction():
        declaring.confirm(row, both)


def test_a_correction_is_a_further_row(world: World, trade: Trade, home: int) -> None:
    row, kong = declare(trade, home, 6_000_000), world.person("village.kong")
    proof = trade.proof()
    with db.transaction():
        further = declaring.correct(row, 4_000_000, "重复记账", proof, kong).id
    with pytest.raises(declaring.CorrectionWaits), db.transaction():
        declaring.correct(row, 3_000_000, "再改", proof, kong)
    assert of(home).now.declared_fen == 6_000_000
    with db.transaction():
        declaring.confirm(further, world.person("township.yan"))
    assert of(home).now.declared_fen == 4_000_000
    with pytest.raises(declaring.NothingToCorrect), db.transaction():
        declaring.correct(row, 4_000_000, "一样", proof, kong)
    for wrong in (further, 999):  # a correction is not corrected, its row is
        with pytest.raises(NotFound), db.transaction():
            declaring.correct(wrong, 1, "改", proof, kong)
    first, second = db.session().scalars(select(OtherIncome).order_by(OtherIncome.id)).all()
    assert (first.amount_fen, second.amount_fen, second.corrects_id) == (6_000_000, -2_000_000, row)


def test_the_pool_is_the_ratio_of_an_increment_that_is_known(world: World, trade: Trade, home: int) -> None:
    shared(trade, home, 100_000, date(2025, 5, 1))
    shared(trade, home, 400_005)
    declare(trade, home, 1_000_000, 2026)
    assert (of(home).increment_fen, of(home).pool_fen) == (None, None)
    declare(trade, home, 1_000_000, 2025)
    assert (of(home).increment_fen, of(home).pool_fen) == (300_005, 60_001)
    assert (of(home, 2027).increment_fen, of(home, 2025).increment_fen) == (None, None)
    declare(trade, home, 900_000, 2025)
    assert (of(home).increment_fen, of(home).pool_fen) == (-599_995, None)


def test_the_ratio_is_set_from_a_day_on_by_county_and_city(world: World, home: int) -> None:
    hua, jin = world.person("official.hua"), world.person("official.jin")
    assert (of(home).ratio.value, of(home).ratio.document) == (2_000, "永扶字〔2020〕2号")
    with db.transaction():
        dated.put("reward_ratio", date(2026, 1, 1), 1_000, "市发〔2026〕1号", jin)
    assert of(home).ratio.value == 1_000 and of(home, 2025).ratio.value == 2_000
    with db.transaction():
        dated.put("reward_ratio", date(2026, 10, 1), 1_500, "江发〔2026〕9号", hua)
        dated.put("reward_ratio", date(2026, 12, 1), 500, "江发〔2026〕12号", hua)
    assert of(home).ratio.value == 1_500  # the county's own; what begins in December is still to come
    assert of(world.villages["greens_home"]).ratio.value == 1_000
    for login in ("township.yan", "village.kong", "auditor.wei", "chair.he"):
        with pytest.raises(NotAllowed), db.transaction():
            dated.put("reward_ratio", TODAY, 3_000, "文", world.person(login))
    with pytest.raises(InvalidInput), db.transaction():
        dated.put("reward_ratio", TODAY, 9_000, "文", hua)
    assert of(home).ratio.value == 1_500
    assert db.session().scalar(select(func.count()).where(JournalEntry.action == "area_rule.set")) == 3


def test_the_decision_record_stands_beside_the_year(world: World, home: int) -> None:
    kong = world.person("village.kong")
    for day in (date(2026, 10, 13), date(2025, 12, 31)):
        with pytest.raises(InvalidInput), db.transaction():
            declaring.record_decision(home, 2026, "村决〔2026〕1号", day, kong)
    with pytest.raises(NotFound), db.transaction():
        declaring.record_decision(home, 2026, "村决〔2026〕1号", TODAY, world.person("township.yan"))
    assert of(home).decision is None
    for number in (1, 2):
        with db.transaction():
            declaring.record_decision(home, 2026, f"村决〔2026〕{number}号", TODAY, kong)
    assert of(home).decision.number == "村决〔2026〕2号"
    assert of(home, 2025).decision is None


def test_merged_villages_stand_in_their_successors_row(world: World, trade: Trade, home: int) -> None:
    other, official = world.villages["pomelo_next"], world.person("official.jin")
    shared(trade, home, 100_000, date(2025, 5, 1))
    declare(trade, home, 700_000, 2025)
    with db.transaction():
        merged = villages.merge([home, other], "合村", date(2026, 10, 1), "合并", official, ()).id
    shared_before = of(merged, 2026)
    assert shared_before.before.platform_fen == 100_000
    assert shared_before.before.operating_fen is None  # of the other one nothing was declared
    assert set(shared_before.former) == {db.session().get_one(villages.Division, one).name for one in (home, other)}
    declare(trade, merged, 0, 2025)  # the officer sits in the new village now and speaks for all of it
    declare(trade, merged, 1_000_000, 2026)
    assert of(merged).before.operating_fen == 800_000
    assert of(merged).increment_fen == 200_000
    with db.snapshot():
        assert [one.village.id for one in figures.of_area(EVERYWHERE, 2026)] == [merged]
        assert sum(part.fen for part in lists.share(merged, 2025)) == 100_000
    assert lists.find_village(home, world.person("village.kong")) == merged


def test_the_report_is_for_officials_and_says_what_is_not_known(world: World, trade: Trade, home: int) -> None:
    shared(trade, home, 100_000)
    asked = Asked("2026-03", "2026-03")
    with pytest.raises(NotFound):
        fill(report.REPORT, asked, PUBLIC, False)
    filled = fill(report.REPORT, asked, WHOLE, False)
    (row,) = filled.content.rows
    assert row.values["platform_fen"] == 100_000 and row.values["ratio"] == 2_000
    for key in ("this_year_fen", "last_year_fen", "band"):
        assert row.values[key] is None and row.instead[key]
    assert any("2026" in note for note in filled.content.notes)
    declare(trade, home, 4_000_000, 2025)
    declare(trade, home, 5_000_000, 2026)
    values = fill(report.REPORT, asked, WHOLE, False).content.rows[0].values
    assert {key: values[key] for key in ("last_year_fen", "this_year_fen", "increment_fen", "pool_fen")} == {
        "last_year_fen": 4_000_000, "this_year_fen": 5_100_000, "increment_fen": 1_100_000, "pool_fen": 220_000}


def test_a_county_costs_as_many_statements_as_a_village(app: Flask, world: World, trade: Trade, home: int) -> None:
    def cost(where: Where) -> int:
        with count_statements(app) as statements, db.snapshot():
            figures.of_area(where, 2026, every=True)
        return len(statements)

    declare(trade, home, 100)
    assert cost(EVERYWHERE) == cost(Where(village_ids=(home,))) < 12


def count(entity: type[db.Base]) -> Any:
    return db.session().scalar(select(func.count()).select_from(entity))


def test_a_figure_of_a_running_day_is_dated_in_shanghai(world: World, trade: Trade, home: int) -> None:
    with clock.at(datetime(2026, 12, 31, 16, 30, tzinfo=UTC)):  # New Year has begun in Yongzhou
        assert declare(trade, home, 1, 2027) and of(home, 2027).now.declared_fen == 1
