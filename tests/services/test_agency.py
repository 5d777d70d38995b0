"""One accountant for many co-operatives; a whole list of transfers confirmed by one tap; the co-operative's account."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from market import access, audit, clock, db, faults, ledger, ledger_frame, logins
from market.access import Visitor
from market.errors import InvalidInput, NotFound
from market.files import StoredFile
from market.parties import Membership, Organisation
from orders.agency import account, confirming, lists
from orders.agency.confirming import ListChanged, Seen
from orders.agency.lists import Sum
from orders.delivering import returns
from orders.income import checks
from orders.models import BankMapping, BankRow, BankStatement, CardPayment, Order, PaymentClaim, Refund
from orders.papers import statements
from orders.paying import claims, desk, fees, refunds
from orders.paying import lists as payment_lists
from tests.counting import count_statements
from tests.trade import Trade
from tests.world import GREENS, HOSPITAL, NOON, POMELO, TODAY, World


@pytest.fixture(autouse=True)
def documents_are_asked(app: Flask) -> Iterator[None]:
    app.extensions.update(sijin_checks=checks.CHECKS)
    with clock.at(NOON):
        yield


def accepted(trade: Trade, supplier: str = GREENS, milli: int = 10_000) -> Order:
    """Goods for ¥20.00, received in full."""
    product = trade.product(f"{supplier}菜", supplier, price_fen=200, minimum_milli=1000)
    trade.lot(product, 100)
    order = trade.orders(trade.place({product: milli}))[0]
    trade.ship(order.id)
    trade.accept(order.id)
    return order


def several(trade: Trade, count: int, fen: int = 200) -> list[int]:
    """So many transfers of one order's parts that wait for the co-operative; returns the claims' ids."""
    order = accepted(trade, milli=count * 1_000)
    return [trade.pay(order.id, fen, confirmed=False) for _ in range(count)]


def in_bank(world: World, supplier: str, fen: int, claim_id: int | None = None, state: str = "unknown") -> int:
    """A row of an uploaded bank statement; returns its id."""
    from_bank = db.session().scalar(select(func.count()).select_from(BankRow)) or 0
    somebody = world.person("books.dong").id
    with db.transaction() as session:
        supplier_id, scan = world.organisation_id(supplier), session.scalars(select(StoredFile.id).limit(1)).one()
        mapping = session.scalar(select(BankMapping).where(BankMapping.supplier_id == supplier_id))
        if mapping is None:
            mapping = BankMapping(supplier_id=supplier_id, headings_hash="h", bank_name="农商行", columns={},
                                  changed_by=somebody, changed_at=clock.now())
            session.add(mapping)
            session.flush()
        statement = BankStatement(
            supplier_id=supplier_id, sha256=f"{from_bank:064d}", file_id=scan, mapping_id=mapping.id, rows=1,
            new_rows=1, uploaded_by=somebody, uploaded_at=clock.now())
        session.add(statement)
        session.flush()
        row = BankRow(supplier_id=supplier_id, statement_id=statement.id, line=2, checksum=f"{from_bank:064d}",
                      paid_on=TODAY, amount_fen=fen, payer_name="市财政集中支付中心", payer_account="1", remark="菜款",
                      serial=str(from_bank), state="matched" if claim_id else state, claim_id=claim_id)
        session.add(row)
        session.flush()
        return row.id


def state_of(claim_id: int) -> str:
    return db.session().get_one(PaymentClaim, claim_id, populate_existing=True).state


def confirm(world: World, ids: list[int], seen: Seen, login: str = "chair.shi") -> None:
    with db.transaction():
        confirming.confirm_all(ids, seen, world.person(login))


# ---- a whole list by one tap ---------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_chairman_confirms_sixty_transfers_at_once(app: Flask, world: World, trade: Trade) -> None:
    ids = several(trade, 60)
    with count_statements(app) as sent:
        confirm(world, ids[::-1], Seen(60, 12_000))
    assert {state_of(claim_id) for claim_id in ids} == {"received"}
    order = db.session().scalars(select(Order)).one()
    assert (order.received_fen, order.payment) == (12_000, "paid")
    assert ledger.balance_fen(f"supplier:{order.supplier_id}") == 0
    assert [p.message() for p in audit.check(heads_file=ledger_frame.heads_file())] == []
    assert len(sent) < 60 * 25


def test_each_transfer_more_costs_the_same(app: Flask, world: World, trade: Trade) -> None:
    costs = []
    for count in (2, 4, 6):
        ids = several(trade, count)
        with count_statements(app) as sent:
            confirm(world, ids, Seen(count, count * 200))
        costs.append(len(sent))
    assert costs[2] - costs[1] == costs[1] - costs[0]


@pytest.mark.parametrize("seen", [Seen(3, 401), Seen(2, 400), Seen(3, 400), Seen(0, 0)])
def test_a_list_that_was_not_seen_like_this_books_nothing(world: World, trade: Trade, seen: Seen) -> None:
    ids = several(trade, 3, 100)
    with pytest.raises(ListChanged):
        confirm(world, ids, seen)
    assert {state_of(claim_id) for claim_id in ids} == {"claimed"}


def test_a_transfer_that_was_answered_meanwhile_stops_the_whole_list(world: World, trade: Trade) -> None:
    ids = several(trade, 3)
    with db.transaction():
        claims.refuse(ids[1], "没到", world.person("chair.shi"))
    with pytest.raises(ListChanged):
        confirm(world, ids, Seen(3, 600))
    assert [state_of(claim_id) for claim_id in ids] == ["claimed", "refused", "claimed"]


def test_a_list_with_somebody_elses_transfer_is_unknown(world: World, trade: Trade) -> None:
    own, foreign = several(trade, 1)[0], trade.pay(accepted(trade, POMELO).id, 200, confirmed=False)
    for ids in ([own, foreign], [own, 999_999]):
        with pytest.raises(NotFound):
            confirm(world, ids, Seen(2, 400))
    assert (state_of(own), state_of(foreign)) == ("claimed", "claimed")


@pytest.mark.parametrize("ids", [[], list(range(1, 202))])
def test_a_list_holds_between_one_and_two_hundred(world: World, ids: list[int]) -> None:
    with pytest.raises(InvalidInput) as refused:
        confirm(world, ids, Seen(len(ids), 1))
    assert list(refused.value.fields) == ["claims[]"]


def test_what_one_has_announced_oneself_is_named_and_nothing_is_booked(world: World, trade: Trade) -> None:
    ids = several(trade, 3)
    with db.transaction() as session:
        session.get_one(PaymentClaim, ids[1]).claimed_by = world.person("chair.shi").id
        session.get_one(PaymentClaim, ids[1]).origin = "bank"
    with pytest.raises(InvalidInput) as refused:
        confirm(world, ids, Seen(3, 600))
    assert list(refused.value.fields) == [f"claim-{ids[1]}"]
    assert {state_of(claim_id) for claim_id in ids} == {"claimed"}


def test_a_list_that_breaks_off_between_two_transfers_leaves_none(world: World, trade: Trade,
                                                                  monkeypatch: pytest.MonkeyPatch) -> None:
    ids = several(trade, 3)

    def fall(name: str) -> None:
        if name == "claims_confirmed_half":
            raise KeyboardInterrupt

    monkeypatch.setattr(faults, "point", fall)
    with pytest.raises(KeyboardInterrupt):
        confirm(world, ids, Seen(3, 600))
    assert {state_of(claim_id) for claim_id in ids} == {"claimed"}
    monkeypatch.undo()
    confirm(world, ids, Seen(3, 600))
    assert {state_of(claim_id) for claim_id in ids} == {"received"}


def test_ticked_from_the_beginning_is_what_the_bank_covers(world: World, trade: Trade) -> None:
    covered, other, bare = several(trade, 3)
    in_bank(world, GREENS, 200, covered)
    in_bank(world, GREENS, 150, other)
    chair = world.person("chair.shi")
    rows = desk.claims(chair, "claimed", 1).rows
    assert [(row.id, row.bank_fen, row.bank_remark) for row in rows] == [
        (covered, 200, "菜款"), (other, 150, "菜款"), (bare, None, None)]
    found = desk.ticks(rows, chair, None)
    assert (found.ids, found.fen, found.count) == ({covered}, 200, 1)
    assert desk.ticks(rows, chair, [str(other), str(bare), "x"]) == desk.Ticks(frozenset({other, bare}), 400)
    assert [part.number for part in payment_lists.parts([covered])[covered]] == [
        db.session().scalars(select(Order.number)).one()]


# ---- one list over all co-operatives --------------------------------------------------------------------------------


def of(world: World, supplier: str, login: str = "books.dong") -> lists.Books:
    return next(one for one in lists.books(world.person(login)) if one.id == world.organisation_id(supplier))


def test_dong_sees_what_waits_in_both_co_operatives(world: World, trade: Trade) -> None:
    greens, pomelo = accepted(trade), accepted(trade, POMELO)
    claim = trade.pay(greens.id, 500, confirmed=False)
    in_bank(world, GREENS, 500, claim)
    trade.pay(greens.id, 300, confirmed=False)
    in_bank(world, POMELO, 77)
    in_bank(world, POMELO, 78, state="ignored")
    kept = lists.books(world.person("books.dong"))
    assert {one.id for one in kept} == {world.organisation_id(GREENS), world.organisation_id(POMELO)}
    one, two = of(world, GREENS), of(world, POMELO)
    assert (one.of("to_confirm"), one.of("in_bank"), one.of("no_proof")) == (Sum(2, 800), Sum(1, 500), Sum(1, 300))
    assert (one.of("owed"), one.of("overdue"), two.of("owed")) == (Sum(1, 2000), Sum(0, 0), Sum(1, 2000))
    assert (one.of("bank_unknown"), two.of("bank_unknown")) == (Sum(), Sum(1, 77))
    assert one.of("dues") == Sum(1, 1200)  # 10 kg at 1.20
    assert lists.together(kept).of("owed") == Sum(2, 4000)
    with clock.at(NOON + timedelta(days=31)):
        assert of(world, GREENS).of("overdue") == Sum(1, 2000)
        with db.transaction() as session:
            session.get_one(Order, pomelo.id).pay_by = TODAY + timedelta(days=60)
        assert of(world, POMELO).of("overdue") == Sum(0, 0)


def test_dues_payouts_declarations_refunds_and_cards_stand_in_the_list(world: World, trade: Trade) -> None:
    order, home = accepted(trade), world.villages["greens_home"]
    trade.pay_out(order.supplier_id, home, "farm_gate", 200)
    trade.pay(order.id, 2_500)
    with db.transaction():
        refunds.ask(order.id, 300, "多付", dong_of(world, GREENS))
    with db.transaction() as session:
        session.add(CardPayment(
            order_id=order.id, unit_id=order.unit_id, supplier_id=order.supplier_id, account_id="acct_1", attempt=1,
            key="k", amount_fen=900, live=False, state="open", started_by=world.person("cashier.sun").id,
            started_at=clock.now(), expires_at=clock.now(), next_look_at=clock.now()))
    one = of(world, GREENS)
    assert one.of("dues") == Sum(1, 1000)
    assert one.of("paid_out") == Sum(1, 200)
    assert one.of("refunds") == Sum(1, 300)
    assert one.of("cards") == Sum(1, 900)
    assert tuple(desk.being_checked(world.person("chair.shi"))) == (1, 900)
    with db.transaction() as session:
        session.scalars(select(Refund)).one().state = "refused"
    assert of(world, GREENS).of("refunds") == Sum()


def test_a_clerk_and_an_official_keep_nobodys_books(world: World) -> None:
    assert [lists.books(world.person(login)) for login in ("clerk.zhang", "official.jin")] == [[], []]
    assert [one.roles for one in lists.books(world.person("chair.shi"))] == [{"manager"}]


def test_the_list_costs_the_same_for_any_number_of_co_operatives(app: Flask, world: World, trade: Trade) -> None:
    accepted(trade)
    dong, costs = world.person("books.dong"), []
    for more in (0, 8):
        with db.transaction() as session:
            for number in range(more):
                coop = Organisation(kind="supplier", name=f"演示{number}社", short_name=f"演示{number}社",
                                    created_at=clock.now())
                session.add(coop)
                session.flush()
                session.add(Membership(user_id=dong.id, organisation_id=coop.id, role="accountant"))
        with count_statements(app) as sent:
            kept = lists.books(dong)
        costs.append(len(sent))
    assert len(kept) == 10
    assert costs[0] == costs[1]


# ---- what an accountant may ----------------------------------------------------------------------------------------

ACCOUNTANTS = {
    "account.own", "payment.match", "refund.ask", "refund.confirm", "supplier.money", "supplier.read", "order.read",
    "trade_paper.read", "statement.issue", "invoice.send", "reconciliation.read",
    "income.declare", "payout.prepare", "account.reveal", "report.file", "surplus.read"}


def dong_of(world: World, supplier: str) -> Visitor:
    found = logins.visitor_of_login("books.dong", world.organisation_id(supplier))
    assert found is not None
    return found


def test_an_accountant_prepares_and_decides_nothing_alone(world: World) -> None:
    """A refund has two persons, one of them a manager; an accountant may be the other."""
    dong = dong_of(world, GREENS)
    assert {verb for verb in access.RULES if access.can(dong, verb)} == ACCOUNTANTS
    managers = {verb for verb in access.RULES if access.can(world.person("chair.shi"), verb)}
    assert managers > ACCOUNTANTS
    assert {"payment.receive", "goods.manage", "payment.settings", "card.connect", "lot.book",
            "member.manage", "order.ship", "freight.lower"} <= managers - ACCOUNTANTS


def test_every_deed_open_to_an_accountant_is_known(app: Flask, world: World) -> None:
    """A new form that one of the accountant's verbs opens is looked at here first."""
    dong = dong_of(world, GREENS)
    forms = {
        rule.endpoint for rule in app.url_map.iter_rules() if "POST" in (rule.methods or ())
        and getattr(app.view_functions[rule.endpoint], "access", None) not in (None, "account.own")
        and access.can(dong, app.view_functions[rule.endpoint].access)}
    known = {"agency.visit", "statements.issue", "invoices.send", "invoices.replace", "trade_papers.ask_bundle"}
    assert known <= forms
    reminds = {"village_overdue.remind"}  # a friendly word to a unit that pays late
    others = {endpoint: app.view_functions[endpoint].access for endpoint in forms - known - reminds}
    assert {endpoint: verb for endpoint, verb in others.items() if verb not in {
        "payment.match", "refund.ask", "refund.confirm",
        # the village confirms what is declared and paid; of two who pay or set an account one is a manager
        "income.declare", "payout.prepare", "account.reveal",
        "report.file"}} == {}  # of a report that the accountant may read


def test_dong_issues_the_statements_of_the_co_operative_he_acts_for(world: World, trade: Trade) -> None:
    order = accepted(trade)
    with clock.at(NOON + timedelta(days=31)):
        with db.transaction():
            made = statements.issue(order.unit_id, "2026-10", dong_of(world, GREENS))
        assert (made.closing_fen, made.supplier_id) == (2000, order.supplier_id)


def test_dong_asks_for_a_refund_and_the_chairman_confirms_it(world: World, trade: Trade) -> None:
    order = accepted(trade)
    trade.pay(order.id, 2_100)
    with db.transaction():
        asked = refunds.ask(order.id, 100, "多付", dong_of(world, GREENS))
    with db.transaction():
        refunds.confirm(asked.id, TODAY, world.person("chair.shi"))
    assert ledger.balance_fen(f"supplier:{order.supplier_id}") == 0


# ---- the co-operative's account ------------------------------------------------------------------------------------


def test_every_table_of_the_account_adds_up_to_the_ledger(world: World, trade: Trade) -> None:
    chair, supplier = world.person("chair.shi"), f"supplier:{world.organisation_id(GREENS)}"
    with db.transaction():
        fees.rule(None, 300, TODAY + timedelta(days=1), "市里定", world.person("system.tao"))
    with clock.at(NOON + timedelta(days=1)):
        first = accepted(trade)
        with db.transaction():
            returns.take_back(first.id, {trade.lines(first.id)[0].id: 2_000}, "发黄", world.person("store.wang"), chair)
        trade.pay(first.id, 1_900)
        trade.refund(first.id, 100)
    with clock.at(NOON + timedelta(days=40)):
        second = accepted(trade)
        trade.pay(second.id, 500)
        ahead = trade.orders(trade.place({trade.lines(second.id)[0].product_id: 1_000}))[0]
        trade.pay(ahead.id, 200)
        balance = -ledger.balance_fen(supplier)
        units, months, standing = account.by_unit(chair), account.by_month(chair), account.standing(chair)
        assert account.together(units).open_fen == account.together(months).open_fen == balance
        assert standing.owed_fen - standing.over_fen - standing.ahead_fen - standing.fee_fen == balance
        assert standing == account.Standing(1500, 200, 200, 48 + 60)
        assert [(line.name, line.open_fen) for line in months] == [("2026-11", 2000 - 700 - 60), ("2026-10", -200 - 48)]
        school = units[0]
        assert (school.goods_fen, school.returned_fen, school.received_fen, school.refunded_fen, school.fee_fen) == (
            4000, 400, 2600, 100, 0)
        assert (units[-1].key, units[-1].fee_fen, units[-1].open_fen) == (None, 108, -108)


def test_a_statement_tells_what_of_it_is_still_open(world: World, trade: Trade) -> None:
    chair, order = world.person("chair.shi"), accepted(trade)
    with clock.at(NOON + timedelta(days=31)):
        with db.transaction():
            statements.issue(order.unit_id, "2026-10", chair)
        trade.pay(order.id, 700)
        row = account.statements(chair, 1).rows[0]
        assert (row.earned_fen, row.paid_fen, row.closing_fen, row.open_fen) == (2000, 0, 2000, 1300)
        assert [one.number for one in account.every_statement(chair)] == [row.number]


def test_the_orders_of_a_unit_are_the_co_operatives_own(world: World, trade: Trade) -> None:
    order = accepted(trade)
    unit, found = account.unit_orders(order.unit_id, world.person("chair.shi"), 1)
    assert (unit.orders, [row.number for row in found.rows]) == (1, [order.number])
    for login, unit_id in (("chair.he", order.unit_id), ("chair.shi", world.organisation_id(HOSPITAL))):
        with pytest.raises(NotFound):
            account.unit_orders(unit_id, world.person(login), 1)


def test_the_account_costs_the_same_for_any_number_of_orders(app: Flask, world: World, trade: Trade) -> None:
    chair, costs = world.person("chair.shi"), []
    for more in (1, 5):
        for _ in range(more):
            trade.pay(accepted(trade).id, 100)
        with count_statements(app) as sent:
            account.by_unit(chair)
            account.by_month(chair)
            account.standing(chair)
            account.statements(chair, 1)
        costs.append(len(sent))
    assert costs[0] == costs[1]
