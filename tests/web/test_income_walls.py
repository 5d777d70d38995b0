"""Who of the offices may not decide, and what nobody outside learns, in the rooms about income."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from flask import Flask
from sqlalchemy import delete, select

from market import clock, db, sealing
from market.errors import Conflict, SecondPersonNeeded
from market.figures import EVERYWHERE
from market.four_eyes import OwnParty
from market.parties import Membership
from orders.anomalies import cases
from orders.anomalies.found import EARLIER, Found
from orders.anomalies.models import AnomalyCase
from orders.income import checks, presence
from orders.payouts import runs
from orders.periods import closing
from orders.periods.models import PeriodProposal
from orders.reports.routes import REPORTS
from tests.bare_ledger import by_itself
from tests.services.test_payout_runs import approved, earned, lines, paid_fen
from tests.services.test_periods import post
from tests.trade import Trade
from tests.web.test_money_walls import join
from tests.world import GREENS, NOON, POMELO, SCHOOL, TODAY, World

JANUARY = datetime(2027, 1, 5, 4, 0, tzinfo=UTC)


@pytest.fixture
def noon(app: Flask) -> Iterator[None]:
    app.extensions.update(sijin_checks=checks.CHECKS, sijin_presence=presence.things_of)
    with clock.at(NOON):
        yield


def test_who_marked_a_payment_paid_does_not_confirm_it_for_the_village(
        world: World, trade: Trade, noon: None) -> None:
    """The village's officer kept the co-operative's books that morning, and has left it since."""
    earned(trade)
    run = approved(world)
    join(world, "village.cao", GREENS, "clerk")
    supplier = world.organisation_id(GREENS)
    as_clerk = replace(world.person("village.cao"), organisation_id=supplier, organisation_kind="supplier")
    ids, proof = [line.id for line in lines(run, "open")], trade.proof()
    with db.transaction() as session:
        runs.mark_paid(run, ids, TODAY, proof, as_clerk)
        session.execute(delete(Membership).where(Membership.user_id == as_clerk.id,
                                                 Membership.organisation_id == supplier))
    with pytest.raises(SecondPersonNeeded), db.transaction():
        runs.confirm(run, ids, world.person("village.cao"))
    assert {line.state for line in lines(run)} == {"paid"} and paid_fen(world) == 0
    with db.transaction():
        runs.confirm(run, ids, world.person("official.jin"))
    assert {line.state for line in lines(run)} == {"confirmed"}


@pytest.mark.parametrize("party", [SCHOOL, GREENS])
def test_who_acts_for_a_party_does_not_decide_about_its_orders(
        world: World, trade: Trade, noon: None, party: str) -> None:
    product = trade.product("白菜")
    trade.lot(product)
    order = trade.orders(trade.place({product: 1_000}))[0]
    with db.transaction():
        cases.open_found([Found("round_trip", "one", order.number, EARLIER, {}, TODAY, None, None, (order.id,))])
    case = db.session().scalars(select(AnomalyCase.id).where(AnomalyCase.key == "one")).one()
    join(world, "official.liang", party, "manager")
    with pytest.raises(Conflict), db.transaction():
        cases.propose(case, "cleared", "查过", EVERYWHERE, world.person("official.liang"))
    with db.transaction():
        cases.propose(case, "cleared", "查过", EVERYWHERE, world.person("official.jin"))
    for again in (lambda by: cases.confirm(case, "cleared", EVERYWHERE, by),
                  lambda by: cases.refuse(case, "不", EVERYWHERE, by)):
        with pytest.raises(Conflict), db.transaction():
            again(world.person("official.liang"))
    db.session().rollback()
    assert db.session().scalars(select(AnomalyCase.state)).one() == "open"
    with db.transaction():
        cases.confirm(case, "cleared", EVERYWHERE, world.person("official.hua"))


def test_who_acts_for_a_co_operative_closes_no_month(
        app: Flask, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    by_itself(app, monkeypatch)
    with clock.at(JANUARY):
        post("a", world.villages["pomelo_home"])
        join(world, "official.liang", POMELO, "accountant")
        with pytest.raises(OwnParty), db.transaction():
            closing.propose_close("2026-10", {}, 0, world.person("official.liang"))
        with db.transaction():
            proposal = closing.propose_close("2026-10", {}, 0, world.person("official.jin"))
        for act in (closing.confirm, closing.withdraw):
            with pytest.raises(OwnParty), db.transaction():
                act(proposal, world.person("official.liang"))
        db.session().rollback()
        assert db.session().scalars(select(PeriodProposal.outcome)).all() == [None]


def test_a_county_reads_late_entries_of_its_own_villages_alone(
        app: Flask, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """One entry may be one household's income."""
    by_itself(app, monkeypatch)
    with clock.at(JANUARY):
        with db.transaction():
            sealing.close_month("2026-10")
        post("a", world.villages["greens_home"], 12_345)
        sealing.seal_all()
        for login, sees in (("official.hua", False), ("official.jin", True)):
            for page in ("/office/months/202611/late", "/office/months/202611"):
                assert ("123.45" in world.logged_in(login).get(page).text) == sees, (login, page)


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_of_all_reports_the_public_and_buyers_read_the_villages_alone(
        app: Flask, world: World, trade: Trade, noon: None) -> None:
    """In every format, and as JSON for programs."""
    earned(trade)
    stranger = app.test_client()
    open_to_all = {"village-income"}
    for name in set(REPORTS) - open_to_all:
        for client in (stranger, world.logged_in("admin.qian")):
            for ending in ("", ".csv", ".xlsx", ".json", ".pdf", ".print", "/lines", "/lines.csv"):
                answer = client.get(f"/reports/{name}{ending}?from=2026-09&to=2026-09")
                assert answer.status_code in (302, 401, 403, 404), (name, ending)
        answer = stranger.get(f"/api/v1/reports/{name}", headers=world.api_headers("admin.qian"))
        assert answer.status_code in (401, 403, 404), name
