"""What is still open of orders, less what has been found at the bank for them and waits for the manager's yes."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Select, func, select

from market import db
from orders.buying.lists import open_fen
from orders.models import Acceptance, BankRow, ClaimPart, Order, PaymentClaim

PAYABLE = ("placed", "shipped", "accepted")


@dataclass
class OpenOrder:
    """An order as a transfer may pay it; `open_fen` falls as transfers are laid on it, below zero too."""

    id: int
    number: str
    unit_id: int
    state: str
    due: date
    open_fen: int

    @property
    def payable(self) -> bool:
        return self.state in PAYABLE


def columns() -> Select[Any]:
    """Orders with `due` (accepted, or to be delivered, on) and `left_fen`: what nobody has paid, nor found."""
    due = func.coalesce(Acceptance.business_date, Order.delivery_day).label("due")
    left = (open_fen() - _found_fen()).label("left_fen")
    return (select(Order.id, Order.number, Order.unit_id, Order.state, due, left)
            .outerjoin(Acceptance, Acceptance.order_id == Order.id))


def of(order_ids: Collection[int]) -> dict[int, OpenOrder]:
    """By id; who writes has locked them before."""
    return {row.id: OpenOrder(*row) for row in db.session().execute(columns().where(Order.id.in_(order_ids)))}


def _found_fen() -> Any:
    """Parts of claims that stand on a bank statement and are not yet confirmed; a unit's mere word does not count."""
    return (
        select(db.sum_of(ClaimPart.amount_fen)).join(PaymentClaim, PaymentClaim.id == ClaimPart.claim_id)
        .join(BankRow, BankRow.claim_id == PaymentClaim.id)
        .where(ClaimPart.order_id == Order.id, PaymentClaim.state == "claimed").correlate(Order).scalar_subquery())
