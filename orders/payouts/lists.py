"""Payment runs as the desks show them: own runs by name and member number, an officer's by code and masked name.

A run's state is read from its moments and lines. Of account numbers only the last four digits leave the database.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, case, func, select
from sqlalchemy.orm import aliased

from market import db, paging, places
from market.access import Visitor
from market.errors import N_, NotFound
from market.files import StoredFile
from market.households import CoopMember, Household
from market.parties import Organisation
from market.places import Division
from market.users import User
from orders.payouts.models import LINE_STATES, HouseholdAccount, PayoutRun, PayoutRunLine

Columns = Row[*tuple[Any, ...]]
RUN_STATES: Mapping[str, tuple[str, str]] = {  # words and tone
    "waiting": (N_("Waits for a second person"), "waiting"), "approved": (N_("Approved, to be paid"), "info"),
    "sent": (N_("Bank list taken"), "info"), "village": (N_("Waits for the village"), "waiting"),
    "done": (N_("Done"), "good"), "cancelled": (N_("Cancelled"), "quiet"),
}
STATE_LABELS: Mapping[str, tuple[str, str]] = {
    "open": (N_("to be paid"), "info"), "paid": (N_("paid, waits for the village"), "waiting"),
    "disputed": (N_("the village objects"), "wrong"), "failed": (N_("did not arrive"), "wrong"),
    "confirmed": (N_("arrived, confirmed"), "good"), "cancelled": (N_("Cancelled"), "quiet"),
}
WAY_LABELS: Mapping[str, str] = {"bank": N_("by bank list"), "cash": N_("in cash, with slip"),
                                 "other": N_("by a transfer of its own")}
FAILURE_LABELS: Mapping[str, str] = {
    "wrong_account": N_("Name or account wrong"), "returned": N_("Returned by the bank"),
    "not_sent": N_("Not sent"), "other": N_("Other"),
}


def _sums() -> Any:
    """By run: lines and fen, all of them and by state."""
    line = PayoutRunLine
    columns = [column for state in LINE_STATES for column in (
        func.count().filter(line.state == state).label(f"{state}_lines"),
        db.sum_of(case((line.state == state, line.amount_fen), else_=0)).label(f"{state}_fen"))]
    return (select(line.run_id, func.count().label("lines"), db.sum_of(line.amount_fen).label("fen"), *columns)
            .group_by(line.run_id).subquery())


def _runs() -> Select[Any]:
    sums, run, builder, second = _sums(), PayoutRun, aliased(User), aliased(User)
    state = case(
        (run.cancelled_at.is_not(None), "cancelled"), (run.approved_at.is_(None), "waiting"),
        ((sums.c.open_lines > 0) & run.exported_at.is_(None), "approved"), (sums.c.open_lines > 0, "sent"),
        (sums.c.paid_lines + sums.c.disputed_lines > 0, "village"), else_="done")
    return (
        select(db.table(run), state.label("state"), *(column for column in sums.c if column.key != "run_id"),
               builder.name.label("builder"), second.name.label("second"))
        .join(sums, sums.c.run_id == run.id).join(builder, builder.id == run.built_by)
        .outerjoin(second, second.id == run.approved_by))


def own_runs(by: Visitor, page: int) -> paging.Page:
    """The co-operative's runs, the newest first; two statements."""
    mine = PayoutRun.supplier_id == by.organisation_id
    total = db.session().scalar(select(func.count()).select_from(PayoutRun).where(mine)) or 0
    return paging.read(_runs().where(mine).order_by(PayoutRun.id.desc()), total, page)


def own_run(run_id: int, by: Visitor) -> Columns:
    """Raises NotFound for somebody else's."""
    found = db.session().execute(
        _runs().where(PayoutRun.id == run_id, PayoutRun.supplier_id == by.organisation_id)).first()
    if found is None:
        raise NotFound()
    return found


def _lines() -> Select[Any]:
    line, account = PayoutRunLine, HouseholdAccount
    return (
        select(db.table(line), Division.path, PayoutRun.number, PayoutRun.supplier_id, PayoutRun.exported_at,
               Household.register_code, CoopMember.member_no, account.bank, last_four().label("last_four"),
               account.state.label("account_state"))
        .join(PayoutRun, PayoutRun.id == line.run_id).join(Division, Division.id == line.village_id)
        .outerjoin(Household, Household.id == line.household_id)
        .outerjoin(CoopMember, (CoopMember.household_id == line.household_id)
                   & (CoopMember.supplier_id == PayoutRun.supplier_id))
        .outerjoin(account, account.id == line.account_id))


def last_four() -> Any:
    """The end of an account number: all that screens show."""
    return func.substr(HouseholdAccount.number, func.length(HouseholdAccount.number) - 3)


def own_lines(run_id: int, page: int, per_page: int = 200) -> paging.Page:
    """Lines of an own run with members' names, in their order; two statements."""
    mine = PayoutRunLine.run_id == run_id
    total = db.session().scalar(select(func.count()).select_from(PayoutRunLine).where(mine)) or 0
    name = case((CoopMember.id.is_not(None), Household.head_name)).label("name")  # of members only
    return paging.read(_lines().add_columns(name).where(mine).order_by(PayoutRunLine.id), total, page, per_page)


def bank_list(run_id: int) -> Sequence[Columns]:
    """What the bank is still to pay, whole numbers and all: only for runs.export(), which journals it."""
    line, account = PayoutRunLine, HouseholdAccount
    return db.session().execute(
        select(line.id, line.amount_fen, account.holder, account.bank, account.number, Division.name.label("village"),
               CoopMember.member_no, PayoutRun.number.label("run"))
        .join(PayoutRun, PayoutRun.id == line.run_id).join(account, account.id == line.account_id)
        .join(Division, Division.id == line.village_id)
        .outerjoin(CoopMember, (CoopMember.household_id == line.household_id)
                   & (CoopMember.supplier_id == PayoutRun.supplier_id))
        .where(line.run_id == run_id, line.way == "bank", line.state == "open").order_by(line.id)).all()


def own_proof(line_id: int, by: Visitor) -> StoredFile:
    """The receipt or slip of a line of an own run. Raises NotFound."""
    return _proof(line_id, PayoutRun.supplier_id == by.organisation_id)


def to_do(by: Visitor) -> Columns:
    """What waits at the co-operative: runs to approve (not one's own), lines failed and owed, lines disputed."""
    line, run = PayoutRunLine, PayoutRun
    mine = run.supplier_id == by.organisation_id
    to_approve = (select(func.count()).select_from(run).where(
        mine, run.approved_at.is_(None), run.cancelled_at.is_(None), run.built_by != by.id).scalar_subquery())
    later, next_run = aliased(line), aliased(run)
    again = select(later.id).join(next_run, next_run.id == later.run_id).where(
        later.id > line.id, next_run.supplier_id == run.supplier_id, later.village_id == line.village_id,
        later.income_kind == line.income_kind, later.state != "cancelled",
        func.coalesce(later.household_id, 0) == func.coalesce(line.household_id, 0))
    failed = (select(func.count()).select_from(line).join(run, run.id == line.run_id)
              .where(mine, line.state == "failed", ~again.exists()).scalar_subquery())
    disputed = (select(func.count()).select_from(line).join(run, run.id == line.run_id)
                .where(mine, line.state == "disputed").scalar_subquery())
    accounts = (select(func.count()).select_from(HouseholdAccount).where(
        HouseholdAccount.supplier_id == by.organisation_id, HouseholdAccount.state == "waiting",
        HouseholdAccount.entered_by != by.id).scalar_subquery())
    return db.session().execute(select(
        to_approve.label("to_approve"), failed.label("failed"), disputed.label("disputed"),
        accounts.label("accounts"))).one()


def on_way_fen(by: Visitor) -> int:
    """What of the co-operative stands in open runs."""
    return db.session().scalar(
        select(db.sum_of(PayoutRunLine.amount_fen)).join(PayoutRun, PayoutRun.id == PayoutRunLine.run_id)
        .where(PayoutRun.supplier_id == by.organisation_id,
               PayoutRunLine.state.in_(("open", "paid", "disputed")))) or 0


def names(supplier_id: int | None, households: Collection[int]) -> dict[int, tuple[str, str]]:
    """Member number and name of the co-operative's own members."""
    found: dict[int, tuple[str, str]] = {}
    for some in db.chunks(sorted(households)):
        found |= {row.id: (row.member_no, row.head_name) for row in db.session().execute(
            select(Household.id, CoopMember.member_no, Household.head_name)
            .join(CoopMember, CoopMember.household_id == Household.id)
            .where(CoopMember.supplier_id == supplier_id, Household.id.in_(some)))}
    return found


def paths(villages: Collection[int]) -> dict[int, str]:
    """Villages by their whole names."""
    return {row.id: row.path for row in db.session().execute(
        select(Division.id, Division.path).where(Division.id.in_(villages)).order_by(Division.code))}


# ---- the village's side ---------------------------------------------------------------------------------------------


def _in_area(by: Visitor) -> ColumnElement[bool]:
    return PayoutRunLine.village_id.in_(select(Division.id).where(places.lies_in(by.division_id)))


def runs_in_area(by: Visitor, page: int, *, waiting: bool) -> paging.Page:
    """Runs with lines of an officer's area: those that wait for the village's yes, or all; two statements."""
    line, run = PayoutRunLine, PayoutRun
    of_area = (
        select(line.run_id, func.count().label("lines"), db.sum_of(line.amount_fen).label("fen"),
               func.count().filter(line.state == "paid").label("paid_lines"),
               db.sum_of(case((line.state == "paid", line.amount_fen), else_=0)).label("paid_fen"),
               func.count().filter(line.state == "confirmed").label("confirmed_lines"),
               func.count().filter(line.state == "disputed").label("disputed_lines"))
        .where(_in_area(by), line.state != "cancelled").group_by(line.run_id).subquery())
    query = (
        select(run.id, run.number, run.built_at, Organisation.short_name.label("supplier"),
               *(column for column in of_area.c if column.key != "run_id"))
        .join(of_area, of_area.c.run_id == run.id).join(Organisation, Organisation.id == run.supplier_id)
        .where(run.approved_at.is_not(None), *([of_area.c.paid_lines > 0] if waiting else [])))
    total = db.session().scalar(select(func.count()).select_from(query.subquery())) or 0
    return paging.read(query.order_by(run.id.desc()), total, page)


def lines_in_area(run_id: int, by: Visitor, page: int, per_page: int = 200) -> tuple[Columns, paging.Page]:
    """A run's co-operative and its lines of an officer's area, names masked. Raises NotFound; three statements."""
    conditions = (PayoutRunLine.run_id == run_id, _in_area(by), PayoutRun.approved_at.is_not(None),
                  PayoutRunLine.state != "cancelled")
    total = db.session().scalar(select(func.count()).select_from(PayoutRunLine).join(
        PayoutRun, PayoutRun.id == PayoutRunLine.run_id).where(*conditions)) or 0
    if not total:
        raise NotFound()
    run = db.session().execute(
        select(PayoutRun.id, PayoutRun.number, Organisation.name.label("supplier"))
        .join(Organisation, Organisation.id == PayoutRun.supplier_id).where(PayoutRun.id == run_id)).one()
    first = func.substr(Household.head_name, 1, 1).label("first_character")
    return run, paging.read(_lines().add_columns(first).where(*conditions).order_by(PayoutRunLine.id), total, page,
                            per_page)


def proof_in_area(line_id: int, by: Visitor) -> StoredFile:
    """The receipt or slip of a line of an officer's area. Raises NotFound."""
    return _proof(line_id, _in_area(by))


def _proof(line_id: int, condition: ColumnElement[bool]) -> StoredFile:
    found = db.session().scalar(
        select(StoredFile).join(PayoutRunLine, PayoutRunLine.proof_id == StoredFile.id)
        .join(PayoutRun, PayoutRun.id == PayoutRunLine.run_id).where(PayoutRunLine.id == line_id, condition))
    if found is None:
        raise NotFound()
    return found


def lines_to_confirm(by: Visitor) -> int:
    """How many lines wait for this officer's yes."""
    return db.session().scalar(select(func.count()).select_from(PayoutRunLine).where(
        _in_area(by), PayoutRunLine.state == "paid")) or 0
