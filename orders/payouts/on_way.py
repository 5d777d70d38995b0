"""Money that stands in payment runs and is not yet booked: it cannot be paid, or taken back, a second time."""

from collections.abc import Collection

from sqlalchemy import select

from market import db
from orders.payouts.models import RESERVING, PayoutRun, PayoutRunLine

Key = tuple[int, int, int | None, str]  # co-operative, village, household, kind of income


def sums(*, supplier_id: int | None = None, villages: Collection[int] | None = None,
         sent_only: bool = False) -> dict[Key, int]:
    """Fen by key. `sent_only`: what the bank has been told or a household has signed for; one statement."""
    line, run = PayoutRunLine, PayoutRun
    query = (
        select(run.supplier_id, line.village_id, line.household_id, line.income_kind,
               db.sum_of(line.amount_fen).label("fen"))
        .join(run, run.id == line.run_id).where(line.state.in_(RESERVING))
        .group_by(run.supplier_id, line.village_id, line.household_id, line.income_kind))
    if supplier_id is not None:
        query = query.where(run.supplier_id == supplier_id)
    if villages is not None:
        query = query.where(line.village_id.in_(villages))
    if sent_only:
        query = query.where(run.exported_at.is_not(None) | (line.state != "open"))
    return {(row.supplier_id, row.village_id, row.household_id, row.income_kind): row.fen
            for row in db.session().execute(query)}
