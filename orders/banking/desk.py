"""Rows and uploads of bank statements as the desk shows them: the co-operative's own, a fixed number of statements."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, func, or_, select

from market import clock, db, money, paging
from market.access import Visitor
from market.errors import N_, NotFound
from market.files import StoredFile
from market.parties import Organisation
from market.sheets import Heading, Table
from market.users import User
from orders.models import BankMapping, BankRow, BankStatement, Order, PaymentClaim
from orders.models.banking import ROW_STATES
from orders.paying import lists as payments

STATE_LABELS: Mapping[str, tuple[str, str]] = {  # words and tone, what waits for somebody first
    "unknown": (N_("Not recognised"), "waiting"), "duplicate": (N_("Paid twice?"), "wrong"),
    "closed": (N_("Order closed"), "wrong"), "matched": (N_("Fits"), "good"), "part": (N_("Less than open"), "info"),
    "over": (N_("More than open"), "wrong"), "ignored": (N_("Put aside"), "quiet"),
}
EXPLAINED: Mapping[str, str] = {
    "unknown": N_("No number of ours was found in the text, or orders of several units are named."),
    "duplicate": N_("The same payer has sent the same amount before: on the same day, or the order is paid."),
    "closed": N_("The order named was cancelled or refused, or still waits for approval."),
    "matched": N_("The amount is what was open, or what the unit has announced."),
    "part": N_("The orders named stay open with the rest."),
    "over": N_("What is too much lies on the last order and is to be given back."),
    "ignored": N_("Somebody has said that this pays for no order."),
}
CLAIM_LABELS: Mapping[str, str] = {
    "claimed": N_("Waits for the manager's yes"), "received": N_("Booked as received"),
    "refused": N_("Refused by the manager"),
}
MOST_EXPORTED = 20_000
Columns = Row[*tuple[Any, ...]]


@dataclass(frozen=True)
class Tab:
    """How many rows are in a state, and what they sum to, in fen."""

    rows: int = 0
    fen: int = 0


def tabs(by: Visitor, query: str) -> dict[str, Tab]:
    """By state, with 'all'; one statement."""
    found = {state: Tab() for state in ROW_STATES}
    for row in db.session().execute(
            select(BankRow.state, func.count().label("rows"), db.sum_of(BankRow.amount_fen).label("fen"))
            .where(*_conditions(by, "all", query)).group_by(BankRow.state)):
        found[row.state] = Tab(row.rows, row.fen)
    found["all"] = Tab(sum(tab.rows for tab in found.values()), sum(tab.fen for tab in found.values()))
    return found


def rows(by: Visitor, state: str, query: str, page: int, total: int) -> paging.Page:
    """Rows in a state, the newest movement first; one statement."""
    return paging.read(_rows().where(*_conditions(by, state, query))
                       .order_by(BankRow.paid_on.desc(), BankRow.id.desc()), total, page)


def row(row_id: int, by: Visitor) -> Columns:
    """One row. Raises NotFound for anybody else's."""
    found = db.session().execute(
        _rows().where(BankRow.id == row_id, BankRow.supplier_id == by.organisation_id)).first()
    if found is None:
        raise NotFound()
    return found


def units(by: Visitor) -> Sequence[Columns]:
    """Units that have ordered here (id, name), for a choice."""
    return db.session().execute(
        select(Organisation.id, Organisation.name).where(Organisation.id.in_(
            select(Order.unit_id).where(Order.supplier_id == by.organisation_id)))
        .order_by(Organisation.name, Organisation.id)).all()


def uploads(by: Visitor, page: int) -> paging.Page:
    """What was uploaded, the newest first; two statements."""
    mine = BankStatement.supplier_id == by.organisation_id
    total = db.session().scalar(select(func.count()).select_from(BankStatement).where(mine)) or 0
    return paging.read(_uploads().where(mine).order_by(BankStatement.id.desc()), total, page)


def upload(statement_id: int, by: Visitor) -> tuple[Columns, dict[str, Tab]]:
    """One upload and what its new rows became. Raises NotFound for anybody else's."""
    found = db.session().execute(_uploads().where(
        BankStatement.id == statement_id, BankStatement.supplier_id == by.organisation_id)).first()
    if found is None:
        raise NotFound()
    states = {row.state: Tab(row.rows, row.fen) for row in db.session().execute(
        select(BankRow.state, func.count().label("rows"), db.sum_of(BankRow.amount_fen).label("fen"))
        .where(BankRow.statement_id == statement_id).group_by(BankRow.state))}
    return found, states


def export(by: Visitor, state: str, query: str, say: Any) -> Table:
    """Rows as a table, amounts in yuan, accounts and numbers as text."""
    found = db.session().execute(_rows().where(*_conditions(by, state, query))
                                 .order_by(BankRow.paid_on, BankRow.id).limit(MOST_EXPORTED)).all()
    of_claims = payments.parts(sorted({one.claim_id for one in found if one.claim_id}))
    headings = [Heading(say(text), kind) for text, kind in (
        (N_("Day"), "text"), (N_("Amount"), "fen"), (N_("Payer"), "text"), (N_("Payer's account"), "code"),
        (N_("Remark"), "text"), (N_("Serial number"), "code"), (N_("State"), "text"), (N_("Unit"), "text"),
        (N_("Orders"), "text"), (N_("Claim"), "code"), (N_("Reason"), "text"))]
    lines = [[one.paid_on.isoformat(), one.amount_fen, one.payer_name, one.payer_account, one.remark, one.serial,
              say(STATE_LABELS[one.state][0]), one.unit_name or "",
              " ".join(f"{part.number} {money.plain_yuan(part.amount_fen)}"
                       for part in of_claims.get(one.claim_id, ())),
              one.claim_number or "", one.reason] for one in found]
    totals = [say(N_("Together")), sum(one.amount_fen for one in found), *[""] * (len(headings) - 2)]
    return Table(headings, lines, totals, above=(say(N_("Money that came in, by the bank")), clock.today().isoformat()))


def _rows() -> Select[Any]:
    return (
        select(db.table(BankRow), PaymentClaim.number.label("claim_number"), PaymentClaim.state.label("claim_state"),
               PaymentClaim.origin.label("claim_origin"), PaymentClaim.claimed_by,
               Organisation.short_name.label("unit_name"), User.name.label("decider"))
        .outerjoin(PaymentClaim, PaymentClaim.id == BankRow.claim_id)
        .outerjoin(Organisation, Organisation.id == PaymentClaim.unit_id)
        .outerjoin(User, User.id == BankRow.decided_by))


def _conditions(by: Visitor, state: str, query: str) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [BankRow.supplier_id == by.organisation_id]
    if state != "all":
        found.append(BankRow.state == state)
    if query:
        try:
            amount = [BankRow.amount_fen == money.parse_fen(query)]
        except ValueError:
            amount = []
        found.append(or_(*(column.icontains(query, autoescape=True) for column in (
            BankRow.payer_name, BankRow.payer_account, BankRow.remark, BankRow.serial)), *amount))
    return found


def _uploads() -> Select[Any]:
    return (
        select(db.table(BankStatement), StoredFile.original_name, User.name.label("uploader"), BankMapping.bank_name)
        .join(StoredFile, StoredFile.id == BankStatement.file_id)
        .join(User, User.id == BankStatement.uploaded_by)
        .join(BankMapping, BankMapping.id == BankStatement.mapping_id))
