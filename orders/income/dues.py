"""What a co-operative still owes the households and collectives of a village, by the ledger."""

from sqlalchemy import select

from market import db
from market.ledger import INCOME_EVENTS, LedgerAccount, LedgerTransfer


def lock(supplier_id: int) -> None:
    """Returns and payouts of one co-operative take turns: both depend on what is still unpaid."""
    db.session().execute(
        select(LedgerAccount.name).where(LedgerAccount.name == f"due:{supplier_id}").with_for_update())


def unpaid_fen(supplier_id: int, village_id: int, income_kind: str) -> int:
    """Income attributed and not yet paid out by a co-operative in a village, in fen."""
    return sum(unpaid_by_category(supplier_id, village_id, income_kind).values())


def unpaid_by_category(supplier_id: int, village_id: int, income_kind: str) -> dict[str | None, int]:
    """The same by category of goods; None: declared income, which comes from none."""
    table = db.table(LedgerTransfer)
    rows = db.session().execute(
        select(table.c.category, table.c.event, table.c.backward, db.sum_of(table.c.amount_fen).label("fen"))
        .where(table.c.village_id == village_id, table.c.supplier_id == supplier_id,
               table.c.income_kind == income_kind, table.c.event.in_(INCOME_EVENTS))
        .group_by(table.c.category, table.c.event, table.c.backward)
        .order_by(table.c.category, table.c.event, table.c.backward))
    sums: dict[str | None, int] = {}
    for row in rows:
        sign = 1 if (row.event == "attributed") != row.backward else -1
        sums[row.category] = sums.get(row.category, 0) + sign * row.fen
    return sums
