"""对账 on the desks: nights, differences, lists to keep; each co-operative its own, the platform and auditors all."""

import hashlib

import pytest
from sqlalchemy import func, select

from market import clock, db, worker
from market.files import StoredFile
from market.journal import JournalEntry
from orders.models import MoneyTask, Reconciliation
from orders.models.reconciling import TASK_KINDS
from orders.paying import tasks
from orders.reconciling import evidence, night
from orders.reconciling.models import ReconciledPart
from tests.reconciled import Bookkeeper
from tests.stand_in import stand_in as stand_in
from tests.web.counting import statements
from tests.web.forms import send
from tests.world import GREENS, NOON, POMELO

HOUSE, ABOUT = "/reconciliation", {"theirs_fen": 500, "ours_fen": None, "ledger_fen": None, "why": "unknown",
                                  "said": "alipay", "at": "2026-10-11T04:00:00+00:00"}


@pytest.fixture(autouse=True)
def noon():
    with clock.at(NOON):
        yield


def task(world, thing: str = "ch_1", supplier: str = GREENS, kind: str = "foreign_charge", **facts) -> int:
    with db.transaction():
        found = tasks.find(kind, thing, world.organisation_id(supplier), amount_fen=500, **{**ABOUT, **facts})
    assert found is not None
    return found


def part(app, world, supplier: str, differences: int = 0) -> tuple[int, int]:
    """A finished run with one part; returns run and part."""
    folder = app.extensions["sijin"].files_dir
    with db.transaction() as session:
        run_id = night.begin("card", f"{supplier} {differences}") or 0
        stored = evidence.keep(f"{supplier}的清单\r\n".encode(), f"{supplier}.csv", world.organisation_id(supplier),
                               folder)
        row = ReconciledPart(run_id=run_id, supplier_id=world.organisation_id(supplier), account_id=f"acct_{supplier}",
                             since=NOON, until=NOON, compared=7, differences=differences, healed=0, theirs_fen=1_500,
                             ours_fen=1_500, evidence_id=stored.id)
        session.add(row)
        session.flush()
        run = session.get_one(Reconciliation, run_id)
        run.finished_at, run.evidence_id = clock.now(), stored.id
        return run_id, row.id


def test_a_cooperative_sees_its_own_nights_and_lists_only(app, world) -> None:
    (own, own_part), (foreign, foreign_part) = part(app, world, GREENS), part(app, world, POMELO)
    for login in ("chair.shi", "books.dong"):
        desk = world.logged_in(login)
        mine, theirs = ((own, own_part), (foreign, foreign_part))
        if login == "books.dong":  # acts for the other one
            mine, theirs = theirs, mine
        assert "2026-10-12" in desk.get(HOUSE).text
        assert desk.get(f"{HOUSE}/runs/{mine[0]}").status_code == 200
        assert desk.get(f"{HOUSE}/parts/{mine[1]}/list.csv").status_code == 200
        closed = [f"{HOUSE}/runs/{theirs[0]}", f"{HOUSE}/parts/{theirs[1]}/list.csv",
                  f"{HOUSE}/runs/{mine[0]}/list.csv"]
        assert [desk.get(path).status_code for path in closed] == [404, 404, 404]


def test_platform_and_auditors_see_all_and_units_and_clerks_nothing(app, world) -> None:
    (own, own_part), found = part(app, world, GREENS), task(world)
    paths = [HOUSE, f"{HOUSE}/tasks", f"{HOUSE}/runs/{own}", f"{HOUSE}/runs/{own}/list.csv",
             f"{HOUSE}/parts/{own_part}/list.csv", f"{HOUSE}/tasks/{found}"]
    for login in ("system.tao", "security.jiang", "audit.qi", "auditor.wei"):
        assert {world.logged_in(login).get(path).status_code for path in paths} == {200}, login
    for login in ("admin.qian", "cashier.sun", "clerk.zhang", "official.jin", "village.kong"):
        assert {world.logged_in(login).get(path).status_code for path in paths} == {403}, login


def test_the_kept_list_comes_back_byte_by_byte(app, world) -> None:
    _run, own_part = part(app, world, GREENS)
    answer = world.logged_in("auditor.wei").get(f"{HOUSE}/parts/{own_part}/list.csv")
    assert answer.data == "greens的清单\r\n".encode()
    assert hashlib.sha256(answer.data).hexdigest() == db.session().scalars(
        select(StoredFile.sha256).join(ReconciledPart, ReconciledPart.evidence_id == StoredFile.id)).one()
    assert "attachment" in answer.headers["Content-Disposition"]
    name = db.session().scalars(select(StoredFile.name).where(StoredFile.original_name == "greens.csv")).one()
    assert world.logged_in("cook.chen").get(f"/files/{name}").status_code == 404


def test_a_difference_is_told_in_plain_words_and_settled_once(world) -> None:
    found = task(world)
    desk, page = world.logged_in("chair.shi"), f"{HOUSE}/tasks/{found}"
    text = desk.get(page).text
    assert "无对应订单的收款" in text
    assert "5.00" in text
    assert "ch_1" in text
    assert "Money that no order asked for" in desk.get(f"{page}?lang=en").text
    assert send(desk, f"{page}/settlement", page, remark=" ").status_code == 422
    assert db.session().get_one(MoneyTask, found).state == "open"
    assert send(desk, f"{page}/settlement", page, remark="门店收款，与订单无关").status_code == 303
    db.session().expire_all()
    row = db.session().get_one(MoneyTask, found)
    assert (row.state, row.remark, row.settled_by) == ("settled", "门店收款，与订单无关", world.person("chair.shi").id)
    assert "门店收款，与订单无关" in desk.get(page).text
    assert send(desk, f"{page}/settlement", "/account", remark="再来").status_code == 409
    noted = db.session().scalars(select(JournalEntry).where(JournalEntry.action == "money.settled")).one()
    assert noted.actor_name == "石社长"


def test_who_may_not_settle_changes_nothing(world) -> None:
    found = task(world)
    page = f"{HOUSE}/tasks/{found}"
    answers = {login: send(world.logged_in(login), f"{page}/settlement", "/account", remark="算了").status_code
               for login in ("chair.he", "books.dong", "auditor.wei", "audit.qi", "admin.qian", "clerk.zhang")}
    assert answers == {"chair.he": 404, "books.dong": 403, "auditor.wei": 403, "audit.qi": 403, "admin.qian": 403,
                       "clerk.zhang": 403}
    assert world.logged_in("chair.he").get(page).status_code == 404
    assert db.session().get_one(MoneyTask, found).state == "open"
    assert send(world.logged_in("system.tao"), f"{page}/settlement", page, remark="已核").status_code == 303


def test_every_kind_of_difference_has_a_page(world) -> None:
    desk = world.logged_in("chair.shi")
    for kind in TASK_KINDS:
        facts = {"asked": {"amount_fen": "100", "order": "S1"}, "found": {"amount_fen": "99", "order": "S2"},
                 "theirs_fen": 99} if kind == "charge_differs" else {"why": "card expired"}
        found = task(world, f"thing {kind}", kind=kind, **facts)
        for language in ("zh", "en"):
            assert desk.get(f"{HOUSE}/tasks/{found}?lang={language}").status_code == 200, kind
    assert desk.get(f"{HOUSE}/tasks?kind=dispute").text.count("thing ") == 1


def test_differences_are_listed_by_state_and_counted(world) -> None:
    one, _other = task(world), task(world, "ch_2", POMELO)
    with db.transaction():
        tasks.settle(one, "查清了", world.person("chair.shi"))
    task(world, "ch_3")
    desk = world.logged_in("chair.shi")
    assert "ch_3" in desk.get(f"{HOUSE}/tasks").text
    assert "ch_1" not in desk.get(f"{HOUSE}/tasks").text
    assert "查清了" in desk.get(f"{HOUSE}/tasks?state=settled").text
    assert "ch_2" not in desk.get(f"{HOUSE}/tasks").text
    assert "ch_2" in world.logged_in("auditor.wei").get(f"{HOUSE}/tasks").text
    for odd in ("state=odd&kind=odd", "page=99", "page=-1", "kind="):
        assert desk.get(f"{HOUSE}/tasks?{odd}").status_code == 200
    assert "有 1 项款项差异待您处理" in desk.get("/village").text


def test_the_platform_begins_a_run_and_the_worker_ends_it(app, world, stand_in, monkeypatch) -> None:
    monkeypatch.setitem(app.extensions, "sijin_hands", Bookkeeper({}).hands)
    operator = world.logged_in("system.tao")
    answer = send(operator, f"{HOUSE}/runs", HOUSE, submit_token="a")
    assert answer.status_code == 303
    assert runs() == 0  # nothing to compare
    stand_in.account(GREENS)
    assert {send(operator, f"{HOUSE}/runs", HOUSE, submit_token="b").status_code for _ in range(2)} == {303}
    assert runs() == 1
    assert "进行中" in operator.get(HOUSE).text
    worker.run_once(app)
    db.session().rollback()
    assert db.session().scalars(select(Reconciliation.finished_at)).first() is not None
    for login in ("chair.shi", "auditor.wei", "audit.qi", "admin.qian"):
        assert send(world.logged_in(login), f"{HOUSE}/runs", "/account", submit_token=login).status_code == 403
    assert "sijin_reconciliation_age_seconds" in operator.get("/metrics").text


def runs() -> int:
    db.session().rollback()
    return db.session().scalar(select(func.count()).select_from(Reconciliation)) or 0


def test_pages_cost_the_same_whatever_there_is(app, world) -> None:
    desk, auditor = world.logged_in("chair.shi"), world.logged_in("auditor.wei")
    paths = (HOUSE, f"{HOUSE}/tasks")
    part(app, world, GREENS)
    task(world)
    before = [statements(client, path) for client in (desk, auditor) for path in paths]
    for number in range(30):
        part(app, world, GREENS, number + 1)
        task(world, f"ch_more_{number}", kind="dispute" if number % 2 else "foreign_charge")
    assert [statements(client, path) for client in (desk, auditor) for path in paths] == before
