"""Linkages and declared income: second persons, the same payment twice, minus entries, shares in two sessions."""

from collections.abc import Iterator
from datetime import date

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from market import audit, clock, db, ledger
from market.errors import Conflict, InvalidInput, MarketError, NotFound
from market.ledger import LedgerTransfer
from market.linkages import Linkage
from orders.income import checks, corrections, declarations, households, presence
from orders.income.declarations import Declared, SamePayment
from orders.linkages import proposals
from orders.linkages.proposals import Proposed
from orders.models import AcceptancePart, CollectiveAgreement, CollectiveProposal, IncomeCorrection, IncomeDeclaration
from tests.trade import Trade
from tests.world import GREENS, NOON, TODAY, World


@pytest.fixture(autouse=True)
def noon(app: Flask) -> Iterator[None]:
    app.extensions.update(sijin_checks=checks.CHECKS, sijin_presence=presence.things_of)
    with clock.at(NOON):
        yield


def rows_of(entity: type[db.Base]) -> int:
    return db.session().scalar(select(func.count()).select_from(entity)) or 0


def declared(trade: Trade, household: int | None, fen: int, proof: int, login: str = "clerk.zhang",
             **more: object) -> int:
    with db.transaction():
        return declarations.declare(Declared(household, "wage", "2026-10", fen, proof, **more),  # type: ignore[arg-type]
                                    trade.world.person(login)).id


def refused(work: object, *errors: type[MarketError]) -> None:
    """The deed is refused and leaves nothing behind."""
    before = [rows_of(entity) for entity in (IncomeDeclaration, IncomeCorrection, CollectiveProposal, LedgerTransfer)]
    with pytest.raises(errors or MarketError), db.transaction():
        work()  # type: ignore[operator]
    assert before == [rows_of(entity) for entity in (IncomeDeclaration, IncomeCorrection, CollectiveProposal,
                                                     LedgerTransfer)]


def test_the_same_payment_twice_asks_before_it_counts_twice(world: World, trade: Trade) -> None:
    household, zhang, cao = world.household_id("DEMO-XT-0003"), world.person("clerk.zhang"), world.person("village.cao")
    trade.tie(GREENS, household)
    proof = trade.proof()
    first = declared(trade, household, 8_000, proof)
    refused(lambda: declarations.declare(Declared(household, "wage", "2026-10", 8_000, proof), zhang), SamePayment)
    for other in ({"fen": 8_100, "proof": proof}, {"fen": 8_000, "proof": trade.proof()}):
        declared(trade, household, **other)
    second = declared(trade, household, 8_000, proof, again=True)
    third = declared(trade, household, 8_000, proof, again=True)
    assert len({first, second, third}) == 3
    with db.transaction():
        declarations.withdraw(first, zhang)
    refused(lambda: declarations.withdraw(first, zhang), Conflict)
    refused(lambda: declarations.confirm(first, cao), Conflict)
    with db.transaction():
        declarations.refuse(second, "没有做工", cao)
    refused(lambda: declarations.refuse(second, "再说一次", cao), Conflict)
    refused(lambda: declarations.refuse(third, "不在本村", world.person("village.kong")), NotFound)
    refused(lambda: declarations.withdraw(third, world.person("chair.he")), NotFound)
    with db.transaction():
        declarations.confirm_list([third, third], cao)
    again = declared(trade, household, 8_000, proof)  # the first one was withdrawn
    refused(lambda: declarations.confirm_list([again, third], cao), Conflict)  # all or nothing
    assert db.session().get_one(IncomeDeclaration, again, populate_existing=True).confirmed_at is None
    assert ledger.balance_fen(f"households:{world.villages['greens_home']}") == -8_000
    assert audit.check() == []


def test_a_list_says_at_each_row_what_is_missing(world: World, trade: Trade) -> None:
    tied, loose = world.household_id("DEMO-XT-0003"), world.household_id("DEMO-XT-0004")
    tie = trade.tie(GREENS, tied)
    land = trade.tie(GREENS, tied, "land_rights")
    proof, zhang = trade.proof(), world.person("clerk.zhang")
    with pytest.raises(InvalidInput) as wrong, db.transaction():
        declarations.declare_list({0: Declared(tied, "wage", "2026-10", 100, proof),
                                   1: Declared(loose, "wage", "2026-10", 100, proof)}, zhang)
    assert list(wrong.value.fields) == ["lines-1-member"]
    assert rows_of(IncomeDeclaration) == 0
    refused(lambda: declarations.declare(Declared(tied, "wage", "2026-11", 100, proof), zhang), InvalidInput)
    refused(lambda: declarations.declare(
        Declared(tied, "wage", "2026-10", 100, proof, linkage_id=tie + 99), zhang), InvalidInput)
    with db.transaction():
        best, chosen = declarations.declare_list({
            0: Declared(tied, "wage", "2026-10", 100, proof),
            1: Declared(tied, "wage", "2026-10", 200, proof, linkage_id=land)}, zhang)
    assert (best.linkage_id, chosen.linkage_id) == (tie, land)


def test_a_wrong_declaration_is_taken_back_by_two_people_and_never_what_was_paid(world: World, trade: Trade) -> None:
    household, home = world.household_id("DEMO-XT-0003"), world.villages["greens_home"]
    greens, cao, zhang = world.organisation_id(GREENS), world.person("village.cao"), world.person("clerk.zhang")
    row = trade.wage(GREENS, household, 10_000)
    trade.pay_out(greens, home, "wage", 3_000)
    refused(lambda: corrections.ask(row, 7_001, "算错了", zhang), corrections.MoreThanLeft)
    refused(lambda: corrections.ask(row, 100, "算错了", world.person("chair.he")), NotFound)
    with db.transaction():
        part = corrections.ask(row, 2_000, "多写了", zhang).id
    refused(lambda: corrections.ask(row, 100, "再改", zhang), Conflict)  # one waits
    refused(lambda: corrections.confirm(part, zhang), NotFound)
    refused(lambda: corrections.confirm(part, world.person("village.kong")), NotFound)
    with db.transaction():
        corrections.confirm(part, cao)
    refused(lambda: corrections.confirm(part, cao), Conflict)
    with db.transaction():
        other = corrections.ask(row, 5_000, "还是多", zhang).id
    trade.pay_out(greens, home, "wage", 1_000)  # meanwhile
    refused(lambda: corrections.confirm(other, cao), corrections.MoreThanLeft)
    with db.transaction():
        corrections.refuse(other, "没有多", cao)
    due = households.dues(greens, [home])[home, household, "wage"]
    assert (due.earned_fen, due.paid_fen) == (8_000, 4_000)
    assert db.session().get_one(IncomeDeclaration, row, populate_existing=True).amount_fen == 10_000
    whole = trade.wage(GREENS, world.household_id("DEMO-XT-0004"), 6_000)
    with db.transaction():
        asked = corrections.ask(whole, 6_000, "记错人", zhang).id
    with db.transaction():
        corrections.confirm(asked, cao)
    refused(lambda: corrections.ask(whole, 1, "再来", zhang), corrections.MoreThanLeft)
    reverses = select(LedgerTransfer.reverses_id).where(LedgerTransfer.source == f"correction:{asked}")
    assert db.session().scalar(reverses) is not None
    assert audit.check() == []
    with db.transaction():
        db.session().execute(update(IncomeCorrection).where(IncomeCorrection.id == part).values(amount_fen=1_999))
    assert any("correction:" in str(problem) for problem in audit.check())


def test_a_collective_share_is_agreed_in_two_sessions(world: World, trade: Trade) -> None:
    home, shi, cao = world.villages["greens_home"], world.person("chair.shi"), world.person("village.cao")
    wish = Proposed(home, 300, TODAY, "村民会议 2026-7", trade.proof())
    with db.transaction():
        first = proposals.propose(wish, shi).id
    refused(lambda: proposals.propose(wish, shi), Conflict)
    for login in ("chair.shi", "village.kong", "official.hua"):
        refused(lambda login=login: proposals.confirm(first, world.person(login)))
    with db.transaction():
        proposals.refuse(first, "没有开会", cao)
    with db.transaction():
        second = proposals.propose(wish, shi).id
    with db.transaction():
        agreement = proposals.confirm(second, cao)
        tie = db.session().get_one(Linkage, agreement.linkage_id)
        assert (agreement.basis_points, tie.evidence_id, tie.note) == (300, wish.evidence_id, "村民会议 2026-7")
    refused(lambda: proposals.confirm(second, cao), Conflict)
    refused(lambda: proposals.propose(Proposed(home, 100, date(2026, 1, 1), "旧", wish.evidence_id), shi), InvalidInput)
    with db.transaction():
        third = proposals.propose(Proposed(home, 500, date(2026, 11, 1), "新", wish.evidence_id), shi).id
    refused(lambda: proposals.withdraw(third, world.person("chair.he")), NotFound)
    with db.transaction():
        proposals.withdraw(third, shi)
    refused(lambda: proposals.confirm(third, cao), Conflict)
    assert rows_of(CollectiveAgreement) == 1


def test_income_without_a_linkage_is_named_by_the_audit(world: World, trade: Trade) -> None:
    order = trade.cabbage()
    trade.ship(order.id)
    trade.accept(order.id)
    assert audit.check() == []
    wrong = ledger.Transfer("attributed", "declaration:99", f"due:{order.supplier_id}",
                            f"households:{world.villages['greens_home']}", 5, TODAY,
                            village_id=world.villages["greens_home"], supplier_id=order.supplier_id, income_kind="wage")
    with db.transaction():
        ledger.post([wrong])
    assert any("no linkage" in str(problem) for problem in audit.check())
    with db.transaction():
        db.session().execute(update(AcceptancePart).values(linkage_id=None))
        db.session().execute(update(Linkage).values(entered_at=clock.shanghai(date(2027, 1, 1))))
    assert not any("no linkage" in str(problem) for problem in audit.check())  # older than any linkage
