"""对账 at night: the card provider, bank statements and the ledger, payment by payment."""

import csv
import hashlib
import io
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from market import audit, clock, db, worker
from market.files import StoredFile
from market.journal import JournalEntry
from market.notices import Notice
from market.parties import Organisation
from orders.models import (
    BankMapping,
    BankRow,
    BankStatement,
    CardPayment,
    MoneyTask,
    ReceiptShare,
    Reconciliation,
    Refund,
)
from orders.paying import claims, tasks
from orders.paying.gateway import OutcomeUnknown
from orders.reconciling import jobs, night
from orders.reconciling.models import ReconciledPart
from tests.counting import count_statements
from tests.reconciled import Bookkeeper, Paid, pay_many
from tests.stand_in import stand_in as stand_in
from tests.world import GREENS, NOON, POMELO, TODAY

LATER = NOON + timedelta(days=1)


@pytest.fixture(autouse=True)
def noon(stand_in):
    with clock.at(NOON):
        yield


def compare(app, hands: Bookkeeper, scope: str = "card", occasion: str = "") -> Reconciliation:
    """A run from its beginning to its end."""
    with db.transaction():
        run_id = night.begin(scope, occasion or f"test {clock.now().isoformat()}")
    assert run_id is not None
    night.run(run_id, app.extensions["sijin_gateway"], hands.hands, app.extensions["sijin"].files_dir)
    return db.session().get_one(Reconciliation, run_id, populate_existing=True)


def found(state: str | None = None) -> list[tuple[str, str, str]]:
    """Every task: kind, thing, state."""
    query = select(MoneyTask.kind, MoneyTask.thing, MoneyTask.state).order_by(MoneyTask.kind, MoneyTask.thing)
    return [tuple(row) for row in db.session().execute(query) if state in {None, row.state}]


def keeper(paid: list[Paid]) -> Bookkeeper:
    return Bookkeeper({one.id: one.charge_id for one in paid})


def kept(app, file_id: int | None) -> list[dict[str, str]]:
    stored = db.session().get_one(StoredFile, file_id)
    folder: Path = app.extensions["sijin"].files_dir
    content = (folder / stored.name).read_bytes()
    assert hashlib.sha256(content).hexdigest() == stored.sha256
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


def part_of(run: Reconciliation, supplier_id: int | None = None) -> ReconciledPart:
    whose = supplier_id or ReconciledPart.supplier_id
    return db.session().scalars(select(ReconciledPart).where(
        ReconciledPart.run_id == run.id, ReconciledPart.supplier_id == whose)).one()


@pytest.mark.slow
def test_five_differences_among_a_thousand_are_found_and_three_healed(app, world, trade, stand_in) -> None:
    """Three webhooks dropped, one foreign charge, one amount changed: exactly these five, twice."""
    account = stand_in.account(GREENS)
    paid = pay_many(trade, stand_in, account, 1_000, dropped=3)
    foreign = stand_in.foreign_charge(account, 8_800)
    stand_in.change(foreign["id"], created=int((NOON - timedelta(days=1)).timestamp()))
    stand_in.change_amount(paid[500].charge_id, 77)
    hands = keeper(paid)
    with count_statements(app) as statements:
        run = compare(app, hands)
    assert len([one for one in statements if one.startswith("SELECT")]) < 120  # a handful, and a few per difference
    expected = sorted([
        *(("missing_event", one.charge_id, "healed") for one in paid[-3:]),
        ("foreign_charge", foreign["id"], "open"), ("amount_differs", paid[500].charge_id, "open")])
    assert found() == expected
    assert (run.compared, run.differences, run.healed, run.error) == (1_001, 5, 3, "")
    assert sorted(hands.booked) == sorted(one.id for one in paid[-3:])
    part = part_of(run)
    assert (part.theirs_fen - part.ours_fen) == 8_800 + 77 - paid[500].fen
    rows = kept(app, part.evidence_id)
    assert len(rows) == 1_000 + 1
    verdicts = Counter(next(row[name] for name in row if "Verdict" in name).rpartition(" ")[2] for row in rows)
    assert verdicts["Agrees"] == 996
    sealed = db.session().get_one(StoredFile, run.evidence_id)
    noted = db.session().scalars(select(JournalEntry).where(JournalEntry.action == "reconciliation.finished")).one()
    assert noted.details["sha256"] == sealed.sha256
    with clock.at(LATER):
        again = compare(app, hands)
    assert found() == expected
    assert (again.compared, again.differences, again.healed) == (1_001, 2, 0)


def test_what_agrees_makes_no_task_and_the_second_night_begins_before_the_end_of_the_first(
        app, trade, stand_in) -> None:
    account = stand_in.account(GREENS)
    paid = pay_many(trade, stand_in, account, 3)
    first = compare(app, keeper(paid))
    assert (first.compared, first.differences, found()) == (3, 0, [])
    with clock.at(NOON + timedelta(days=30)):
        second = compare(app, keeper(paid))
        part = part_of(second)
    assert (second.compared, second.differences, second.error) == (3, 0, "")
    assert part.since == part_of(first).until - night.AGAIN
    assert compare_count() == 2


def work(app) -> None:
    """The worker's turn; what this test has read ends before it looks again."""
    worker.run_once(app)
    db.session().rollback()


def compare_count() -> int:
    return db.session().scalar(select(func.count()).select_from(Reconciliation)) or 0


def test_a_charge_at_the_edge_of_the_time_is_looked_up_before_it_is_missed(app, trade, stand_in) -> None:
    account = stand_in.account(GREENS)
    paid = pay_many(trade, stand_in, account, 2)
    stand_in.change(paid[0].charge_id, created=int((NOON - timedelta(days=90)).timestamp()))
    run = compare(app, keeper(paid))
    assert (run.compared, run.differences, found()) == (2, 0, [])
    stand_in.change(paid[1].charge_id, paid=False)
    with clock.at(LATER):
        compare(app, keeper(paid))
    assert [(kind, state) for kind, _thing, state in found()] == [("books_differ", "open")]


def test_money_of_the_last_minutes_is_left_for_the_next_night(app, trade, stand_in) -> None:
    account = stand_in.account(GREENS)
    paid = pay_many(trade, stand_in, account, 1, dropped=1)
    stand_in.change(paid[0].charge_id, created=int(NOON.timestamp()) - 60)
    hands = keeper(paid)
    assert compare(app, hands).differences == 0
    assert hands.booked == []
    with clock.at(LATER):
        assert compare(app, hands).healed == 1


def test_a_provider_that_does_not_answer_says_nothing_about_anybody(app, trade, stand_in) -> None:
    account = stand_in.account(GREENS)
    paid = pay_many(trade, stand_in, account, 3, dropped=1)
    stand_in.misbehave(account, "500", times=1, on="refunds")
    hands = keeper(paid)
    run = compare(app, hands)
    assert (run.error, run.differences, found(), hands.booked) == ("unanswered", 0, [], [])
    assert run.finished_at is not None
    with clock.at(NOON + timedelta(days=20)):
        after = compare(app, hands)
    assert (after.error, after.compared, after.healed) == ("", 3, 1)


def test_a_booking_that_does_not_succeed_stays_a_task_and_heals_later(app, world, trade, stand_in) -> None:
    account = stand_in.account(GREENS)
    paid = pay_many(trade, stand_in, account, 1, dropped=1)
    run = compare(app, _idle())
    assert (run.differences, run.healed) == (1, 0)
    assert [state for _kind, _thing, state in found()] == ["open"]
    work(app)
    assert told() == {"platform", GREENS}
    with clock.at(LATER):
        assert compare(app, keeper(paid)).healed == 1
    assert [state for _kind, _thing, state in found()] == ["healed"]


class _Idle(Bookkeeper):
    def book(self, payment_id, gateway):
        self.booked.append(payment_id)


def _idle() -> Bookkeeper:
    return _Idle({})


def told() -> set[str]:
    """Which organisations heard of a difference."""
    names = {"平台": "platform", "新田县演示蔬菜合作社": GREENS, "江永县演示香柚合作社": POMELO}
    return {names[name] for name in db.session().scalars(
        select(Organisation.name).join(Notice, Notice.organisation_id == Organisation.id)
        .where(Notice.kind == tasks.FOUND))}


def test_what_heals_at_once_is_told_to_nobody(app, world, trade, stand_in) -> None:
    account = stand_in.account(GREENS)
    paid = pay_many(trade, stand_in, account, 2, dropped=1)
    compare(app, keeper(paid))
    work(app)
    assert told() == set()


def test_a_refund_made_in_the_dashboard_and_a_dispute_are_for_a_person(app, world, trade, stand_in) -> None:
    account = stand_in.account(GREENS)
    paid = pay_many(trade, stand_in, account, 3)
    with clock.at(NOON - timedelta(hours=1)):
        given = stand_in.refund_in_dashboard(paid[0].charge_id, 300)
        asked = stand_in.dispute(paid[1].charge_id)
    run = compare(app, keeper(paid))
    assert found() == [("dispute", asked["id"], "open"), ("provider_refund", given["id"], "open")]
    assert (run.compared, run.differences) == (5, 2)
    row = db.session().scalars(select(MoneyTask).where(MoneyTask.kind == "provider_refund")).one()
    assert (row.amount_fen, row.order_id, row.card_payment_id) == (300, paid[0].order_id, paid[0].id)
    stand_in.provider.books.keep(asked | {"status": "won"})
    with clock.at(LATER):
        compare(app, keeper(paid))
    assert found("healed") == [("dispute", asked["id"], "healed")]


def test_a_refund_of_ours_is_followed_and_one_the_provider_does_not_know_is_named(app, world, trade, stand_in) -> None:
    account = stand_in.account(GREENS)
    paid = pay_many(trade, stand_in, account, 2)
    before = NOON - timedelta(hours=1)
    gateway = app.extensions["sijin_gateway"]
    sent, invented = a_refund(world, paid[0], "sending"), a_refund(world, paid[1], "done")
    intent = db.session().scalars(select(CardPayment.intent_id).where(CardPayment.id == paid[0].id)).one()
    with clock.at(before):
        gateway.refund(account, intent, 100, sent)
    hands = keeper(paid)
    compare(app, hands)
    assert hands.followed == [sent]
    kinds = [(kind, state) for kind, _thing, state in found()]
    assert kinds == [("books_differ", "open"), ("missing_event", "open")]  # these hands do not book
    assert db.session().scalars(select(MoneyTask.refund_id).where(MoneyTask.kind == "books_differ")).one() == invented


def a_refund(world, paid: Paid, state: str) -> int:
    with db.transaction() as session:
        row = Refund(number=f"R{paid.id}", order_id=paid.order_id, amount_fen=100, way="card", state=state,
                     card_payment_id=paid.id, made_by=world.person("clerk.zhang").id, made_at=clock.now(),
                     confirmed_by=world.person("chair.shi").id, confirmed_at=NOON - timedelta(hours=2),
                     business_date=TODAY if state == "done" else None)
        session.add(row)
        session.flush()
        return row.id


def test_an_account_that_is_gone_is_said_once_and_heals(app, world, trade, stand_in) -> None:
    account = stand_in.account(GREENS)
    paid = pay_many(trade, stand_in, account, 1)
    stand_in.account(POMELO)
    stand_in.misbehave(account, "decline", times=1, on="charges")
    run = compare(app, keeper(paid))
    assert found() == [("account_lost", account, "open")]
    assert (run.error, part_of(run, world.organisation_id(POMELO)).error) == ("", "")
    with clock.at(LATER):
        assert compare(app, keeper(paid)).compared == 1
    assert found() == [("account_lost", account, "healed")]


def test_what_somebody_settled_stays_settled(app, world, trade, stand_in) -> None:
    account = stand_in.account(GREENS)
    paid = pay_many(trade, stand_in, account, 1)
    with clock.at(NOON - timedelta(hours=1)):
        stand_in.foreign_charge(account, 500)
    compare(app, keeper(paid))
    task = db.session().scalars(select(MoneyTask)).one()
    with db.transaction():
        tasks.settle(task.id, "合作社门店的收款", world.person("chair.shi"))
    with clock.at(LATER):
        compare(app, keeper(paid))
    assert [state for _kind, _thing, state in found()] == ["settled"]


def test_a_night_begins_once_and_the_worker_does_it(app, world, trade, stand_in) -> None:
    jobs.begin_night()
    assert compare_count() == 0  # nothing to compare
    stand_in.account(GREENS)
    for _worker in range(3):
        jobs.begin_night()
    assert compare_count() == 1
    work(app)
    assert db.session().scalars(select(Reconciliation)).one().finished_at is not None


def test_a_run_cut_off_is_begun_anew_and_a_finished_one_never(app, trade, stand_in, monkeypatch) -> None:
    account = stand_in.account(GREENS)
    paid = pay_many(trade, stand_in, account, 2, dropped=1)
    hands = keeper(paid)
    with db.transaction():
        run_id = night.begin("card", "cut")
    folder, gateway = app.extensions["sijin"].files_dir, app.extensions["sijin_gateway"]

    class Cut(Exception):
        pass

    def cut(name: str) -> None:
        if name in armed:
            raise Cut

    armed: set[str] = set()
    monkeypatch.setattr(night.faults, "point", cut)
    for name in ("reconcile_healed", "reconcile_found", "reconcile_kept"):
        armed.add(name)
        with pytest.raises(Cut):
            night.run(run_id, gateway, hands.hands, folder)
        armed.clear()
    night.run(run_id, gateway, hands.hands, folder)
    assert [(kind, state) for kind, _thing, state in found()] == [("missing_event", "healed")]
    row = db.session().get_one(Reconciliation, run_id, populate_existing=True)
    assert row.finished_at is not None
    assert hands.booked == [paid[-1].id]
    before = db.session().scalar(select(func.count()).select_from(StoredFile))
    night.run(run_id, gateway, hands.hands, folder)
    assert db.session().scalar(select(func.count()).select_from(StoredFile)) == before


def test_a_claim_that_the_bank_does_not_show_is_asked_about(app, world, trade, stand_in) -> None:
    cabbage = trade.product("白菜", price_fen=200)
    trade.lot(cabbage, 100)
    order = trade.orders(trade.place({cabbage: 10_000}))[0]
    shown, hidden = trade.pay(order.id, 600), trade.pay(order.id, 700)
    supplier = world.organisation_id(GREENS)
    assert compare(app, _idle(), "bank").compared == 0  # nobody uploads statements
    statement(world, supplier, [(600, shown, "matched", TODAY), (900, None, "unknown", TODAY - timedelta(days=5)),
                                (50, None, "ignored", TODAY)])
    with clock.at(LATER):
        run = compare(app, _idle(), "bank")
    number = db.session().get_one(claims.PaymentClaim, hidden).number
    assert found() == [("claim_without_bank", number, "open")]
    part = part_of(run)
    assert (part.compared, part.differences, part.unknown, part.theirs_fen, part.ours_fen) == (3, 1, 1, 1_500, 1_300)
    assert len(kept(app, part.evidence_id)) == 3
    with db.transaction() as session:
        session.execute(update(BankRow).where(BankRow.amount_fen == 900).values(
            claim_id=hidden, state="matched", amount_fen=700))
    with clock.at(LATER + timedelta(hours=1)):
        compare(app, _idle(), "bank")
    assert found() == [("claim_without_bank", number, "healed")]


def statement(world, supplier: int, rows: list) -> None:
    """An uploaded statement of the last ten days."""
    somebody = world.person("books.dong").id
    with db.transaction() as session:
        file = StoredFile(name="s" * 32 + ".csv", original_name="流水.csv", content_type="text/csv", size_bytes=1,
                          sha256="1" * 64, visibility="own", uploaded_at=clock.now(), organisation_id=supplier)
        mapping = BankMapping(supplier_id=supplier, headings_hash="h", bank_name="农行", columns={},
                              changed_by=somebody, changed_at=clock.now())
        session.add_all([file, mapping])
        session.flush()
        sheet = BankStatement(supplier_id=supplier, sha256="1" * 64, file_id=file.id, mapping_id=mapping.id,
                              first_day=TODAY - timedelta(days=10), last_day=TODAY, rows=len(rows), new_rows=len(rows),
                              uploaded_by=somebody, uploaded_at=clock.now())
        session.add(sheet)
        session.flush()
        session.add_all([
            BankRow(supplier_id=supplier, statement_id=sheet.id, line=number, checksum=str(number), paid_on=day,
                    amount_fen=fen, payer_name="财政", payer_account="", remark="", serial=f"B{number}", state=state,
                    claim_id=claim)
            for number, (fen, claim, state, day) in enumerate(rows, 2)])


def test_after_healing_the_ledger_agrees_with_its_documents(app, world, trade, stand_in) -> None:
    account = stand_in.account(GREENS)
    paid = pay_many(trade, stand_in, account, 2, dropped=1)
    compare(app, keeper(paid))
    said = [problem.message() for problem in audit.check()]
    assert [text for text in said if "ard payment" in text or "received" in text] == []


def test_the_audit_names_money_of_a_card_payment_on_another_order(app, trade, stand_in) -> None:
    account = stand_in.account(GREENS)
    paid = pay_many(trade, stand_in, account, 2)
    with db.transaction() as session:
        session.execute(update(ReceiptShare).where(ReceiptShare.card_payment_id == paid[0].id)
                        .values(order_id=paid[1].order_id))
    said = [problem.message() for problem in audit.check()]
    assert len([text for text in said if "lies on another one" in text]) == 1


def test_the_command_compares_and_says_what_came_of_it(app, trade, stand_in, monkeypatch) -> None:
    account = stand_in.account(GREENS)
    paid = pay_many(trade, stand_in, account, 3, dropped=1)
    monkeypatch.setitem(app.extensions, "sijin_hands", keeper(paid).hands)
    answer = app.test_cli_runner().invoke(args=["payments", "reconcile", "--since", "2026-10-01"])
    assert (answer.exit_code, answer.output.strip()) == (0, "card: 3 compared, 1 differ, 1 right again")
    stand_in.misbehave(account, "500", times=9)
    with clock.at(LATER):
        failed = app.test_cli_runner().invoke(args=["payments", "reconcile"])
    assert (failed.exit_code, "unanswered" in failed.output) == (1, True)
    assert OutcomeUnknown.status == 503
