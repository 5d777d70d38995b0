"""The ledger: one debit, one credit, an amount. Rows are only ever added; a sum is never stored as a truth.

A transfer is posted once per (event, source), so a repeated command finds its first result. What a report groups by
or drills to stands in columns of its own. The ledger knows no orders: `line_ref` and `order_ref` are opaque to it.
Sealing into blocks and auditing live in `sealing.py` and `audit.py`.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, func, schema, select, text
from sqlalchemy.orm import Mapped, mapped_column

from market import clock, db
from market.db import Base, choice
from market.errors import N_, Conflict

INCOME_KINDS = ("farm_gate", "wage", "land", "dividend", "collective")
INCOME_EVENTS = ("attributed", "withdrawn", "paid_out")
ACCOUNT_KINDS = ("unit", "supplier", "due", "households", "collective", "fees")

# event: which kind of account is debited and which credited. Nothing else can be posted.
RULES: Mapping[str, Sequence[tuple[str, str]]] = {
    "accepted": (("unit", "supplier"),),
    "attributed": (("due", "households"), ("due", "collective")),
    "freight": (("unit", "supplier"),),
    "received": (("supplier", "unit"),),
    "fee": (("supplier", "fees"),),
    "returned": (("supplier", "unit"),),
    "allowance": (("supplier", "unit"),),
    "withdrawn": (("households", "due"), ("collective", "due")),
    "refunded": (("unit", "supplier"),),
    "paid_out": (("households", "due"), ("collective", "due")),
}


class LedgerAccount(Base):
    """An account, by its name: 'unit:7', 'supplier:3', 'due:3', 'households:120', 'collective:120', 'fees'."""

    __tablename__ = "ledger_account"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    kind: Mapped[str] = mapped_column(choice("kind", *ACCOUNT_KINDS))


class LedgerBlock(Base):
    """A sealed run of transfers; `hash` covers the previous hash and every row in it."""

    __tablename__ = "ledger_block"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    previous_hash: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))
    transfer_count: Mapped[int]
    sealed_at: Mapped[datetime]


class LedgerTransfer(Base):
    """One movement. `backward` marks a part taken back: debit and credit are those of the event, exchanged."""

    __tablename__ = "ledger_transfer"
    __table_args__ = (
        UniqueConstraint("event", "source"),
        CheckConstraint("amount_fen > 0", name="amount"),
        CheckConstraint("debit <> credit", name="two_sides"),
        CheckConstraint("(block_no IS NULL) = (period IS NULL)", name="sealed_together"),
        Index("ix_ledger_transfer_unsealed", "id", sqlite_where=text("block_no IS NULL"),
              postgresql_where=text("block_no IS NULL")),
        Index("ix_ledger_transfer_village", "village_id", "period"),
        Index("ix_ledger_transfer_paid", "period", "village_id", sqlite_where=text("event = 'paid_out'"),
              postgresql_where=text("event = 'paid_out'")),
        Index("ix_ledger_transfer_debit", "debit"),
        Index("ix_ledger_transfer_credit", "credit"),
        Index("ix_ledger_transfer_order", "order_ref"),
        Index("ix_ledger_transfer_day", "business_date"),  # a week's notice reads the rows of its days
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    digest: Mapped[str] = mapped_column(String(64))  # over this row's content with its id: names a changed row
    event: Mapped[str] = mapped_column(choice("event", *RULES))
    source: Mapped[str] = mapped_column(String(80))
    backward: Mapped[bool]
    debit: Mapped[str] = mapped_column(ForeignKey("ledger_account.name"))
    credit: Mapped[str] = mapped_column(ForeignKey("ledger_account.name"))
    amount_fen: Mapped[int]
    business_date: Mapped[date]
    posted_at: Mapped[datetime]
    village_id: Mapped[int | None] = mapped_column(ForeignKey("division.id"))
    supplier_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"))
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"))
    unit_type: Mapped[str | None]
    method: Mapped[str | None]
    fund_source: Mapped[str | None]
    category: Mapped[str | None]
    certified: Mapped[bool]
    grams: Mapped[int]
    income_kind: Mapped[str | None] = mapped_column(choice("income_kind", *INCOME_KINDS))
    linkage_id: Mapped[int | None]
    household_id: Mapped[int | None] = mapped_column(ForeignKey("household.id"))
    lot_id: Mapped[int | None]
    order_ref: Mapped[str | None] = mapped_column(String(24))
    line_ref: Mapped[str | None] = mapped_column(String(40))
    reverses_id: Mapped[int | None] = mapped_column(ForeignKey("ledger_transfer.id"), unique=True)
    block_no: Mapped[int | None] = mapped_column(ForeignKey("ledger_block.number"), index=True)
    period: Mapped[str | None] = mapped_column(String(7))


TRANSFER_NUMBER = schema.Sequence("ledger_transfer_number", metadata=Base.metadata)  # PostgreSQL only


class LedgerPeriod(Base):
    """An act on a month, for ever: odd numbers close it and file its figures, even ones open it again.

    A month is closed while its last number is odd; rows of a closed month fall into the first open one. `filed` is
    what market/filings.py rendered then, `head_*` the last sealed block at that moment (0 before the first).
    """

    __tablename__ = "ledger_period"
    __table_args__ = (
        CheckConstraint("number > 0", name="number"),
        CheckConstraint("(number % 2 = 1) = (filed IS NOT NULL)", name="filed"),
        CheckConstraint("(filed IS NULL) = (sha256 IS NULL)", name="sha256"),
    )

    period: Mapped[str] = mapped_column(String(7), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    filed: Mapped[str | None]
    sha256: Mapped[str | None] = mapped_column(String(64))
    head_number: Mapped[int]
    head_hash: Mapped[str] = mapped_column(String(64))


@dataclass(frozen=True)
class Transfer:
    """What a caller posts. Amounts in fen (> 0), weights in grams (>= 0)."""

    event: str
    source: str
    debit: str
    credit: str
    amount_fen: int
    business_date: date
    village_id: int | None = None
    supplier_id: int | None = None
    unit_id: int | None = None
    unit_type: str | None = None
    method: str | None = None
    fund_source: str | None = None
    category: str | None = None
    certified: bool = False
    grams: int = 0
    income_kind: str | None = None
    linkage_id: int | None = None
    household_id: int | None = None
    lot_id: int | None = None
    order_ref: str | None = None
    line_ref: str | None = None
    reverses_id: int | None = None

    def exchanged(self, source: str) -> "Transfer":
        """The same movement taken back, under a source of its own."""
        return replace(self, debit=self.credit, credit=self.debit, source=source)


class UnknownMovement(Conflict):
    """A programming error made harmless: the ledger takes only declared movements."""

    code = "unknown_movement"
    text = N_("The ledger does not know this movement.")


# the columns a digest and a block hash cover, in this order; never reorder, only append with a new format number
CANONICAL = (
    "id", "event", "source", "backward", "debit", "credit", "amount_fen", "business_date", "posted_at", "village_id",
    "supplier_id", "unit_id", "unit_type", "method", "fund_source", "category", "certified", "grams", "income_kind",
    "linkage_id", "household_id", "lot_id", "order_ref", "line_ref", "reverses_id",
)


def canonical(row: Mapping[Any, Any]) -> str:
    """A transfer as one line of text, the same on both databases."""
    return json.dumps(["1", *(canonical_value(row[name]) for name in CANONICAL)], ensure_ascii=False,
                      separators=(",", ":"))


def canonical_value(value: Any) -> Any:
    """A value as JSON holds it."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    return value


def digest_of(row: Mapping[Any, Any]) -> str:
    """SHA-256 of a row's canonical text."""
    return hashlib.sha256(canonical(row).encode()).hexdigest()


def post(transfers: Sequence[Transfer]) -> None:
    """Write transfers in the caller's transaction.

    Raises UnknownMovement for a movement that RULES does not declare; the unique key (event, source) refuses doubles.
    Rows go in with few statements, whatever their number.
    """
    if not transfers:
        return
    rows = [_row_of(transfer) for transfer in transfers]
    _open_accounts({name for t in transfers for name in (t.debit, t.credit)})
    for row, new_id in zip(rows, _take_ids(len(rows)), strict=True):
        row["id"] = new_id
        row["digest"] = digest_of(row)
    db.insert_rows(LedgerTransfer, rows)


def reverse(transfer_id: int, source: str, business_date: date) -> None:
    """Undo one whole transfer, once; Conflict when it has been undone before."""
    session = db.session()
    table = db.table(LedgerTransfer)
    row = session.execute(select(table).where(table.c.id == transfer_id)).mappings().one()
    if session.scalar(select(func.count()).where(table.c.reverses_id == transfer_id)):
        raise Conflict()
    names = Transfer.__dataclass_fields__
    original = Transfer(**{name: row[name] for name in names})
    post([replace(original.exchanged(source), business_date=business_date, reverses_id=transfer_id)])


def balance_fen(account: str) -> int:
    """Debits less credits of an account, in fen; positive: a debit balance."""
    table = db.table(LedgerTransfer)
    debits = select(func.coalesce(func.sum(table.c.amount_fen), 0)).where(table.c.debit == account)
    credits_ = select(func.coalesce(func.sum(table.c.amount_fen), 0)).where(table.c.credit == account)
    return int(db.session().execute(select(debits.scalar_subquery() - credits_.scalar_subquery())).scalar_one())


def statement(account: str, limit: int = 200, before_id: int | None = None, *, other: str | None = None,
              days: tuple[date, date] | None = None) -> list[dict[str, Any]]:
    """The newest movements of an account, each with its signed amount in fen (debit positive).

    With `other` only those between the two accounts, with `days` those from the first day to before the second.
    """
    table = db.table(LedgerTransfer)
    query = select(table).where((table.c.debit == account) | (table.c.credit == account))
    if before_id is not None:
        query = query.where(table.c.id < before_id)
    if other is not None:
        query = query.where((table.c.debit == other) | (table.c.credit == other))
    if days is not None:
        query = query.where(table.c.business_date >= days[0], table.c.business_date < days[1])
    rows = db.session().execute(query.order_by(table.c.id.desc()).limit(limit)).mappings()
    return [{**row, "signed_fen": row["amount_fen"] * (1 if row["debit"] == account else -1)} for row in rows]


def _row_of(transfer: Transfer) -> dict[str, Any]:
    sides = (kind_of(transfer.debit), kind_of(transfer.credit))
    allowed = RULES.get(transfer.event, ())
    backward = sides not in allowed and sides[::-1] in allowed
    if (sides not in allowed and not backward) or not names_its_income(transfer.event, sides, transfer.income_kind):
        raise UnknownMovement()
    values = {name: getattr(transfer, name) for name in Transfer.__dataclass_fields__}
    return {**values, "backward": backward, "posted_at": clock.now()}


def names_its_income(event: str, sides: Sequence[str], income_kind: str | None) -> bool:
    """Income says its kind, and only collective income goes through a collective's account."""
    if event not in INCOME_EVENTS:
        return income_kind is None
    return income_kind is not None and (income_kind == "collective") == ("collective" in sides)


def kind_of(account: str) -> str:
    """The kind of account, by its name: 'unit:7' is a 'unit'."""
    return account.partition(":")[0]


def _open_accounts(names: set[str]) -> None:
    session = db.session()
    known = set(session.scalars(select(LedgerAccount.name).where(LedgerAccount.name.in_(names))))
    new = [{"name": name, "kind": kind_of(name)} for name in sorted(names - known)]
    if new:
        session.execute(db.insert_new(LedgerAccount), new)


def _take_ids(count: int) -> list[int]:
    """Ids known before the insert, so that a row's digest covers its own id."""
    session = db.session()
    if db.dialect() == "postgresql":
        numbers = select(TRANSFER_NUMBER.next_value()).select_from(func.generate_series(1, count))
        return [int(n) for n in session.scalars(numbers)]
    last = session.scalar(select(func.coalesce(func.max(LedgerTransfer.id), 0))) or 0
    return list(range(last + 1, last + 1 + count))
