"""What is told about bank statements: the co-operative hears that found money waits for its manager's yes."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select

from market import db, money, notices
from market.errors import N_
from market.notices import Kind, Kinds
from market.outbox import Handler
from orders.banking import taking
from orders.models import BankRow, BankStatement, PaymentClaim

KINDS: Kinds = {
    taking.FOUND: Kind(N_("%(count)s payments of ¥%(yuan)s together were found on the bank statement. The manager "
                          "confirms them."), "banking.upload_shown", "upload_id"),
}


def found(payload: Mapping[str, Any]) -> None:
    """Found: claims of an upload that wait for the manager."""
    with db.transaction() as session:
        statement = session.get_one(BankStatement, payload["statement_id"])
        told = session.execute(
            select(func.count().label("claims"), db.sum_of(PaymentClaim.amount_fen).label("fen"))
            .join(BankRow, BankRow.claim_id == PaymentClaim.id)
            .where(BankRow.statement_id == statement.id, PaymentClaim.state == "claimed")).one()
        if told.claims:
            notices.tell(statement.supplier_id, taking.FOUND, statement.id,
                         {"count": told.claims, "yuan": money.yuan(told.fen)})


HANDLERS: Mapping[str, Handler] = {taking.FOUND: found}
