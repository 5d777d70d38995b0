"""Our side of the comparison: card payments, what their shares brought in, what the ledger says; few statements."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import String, case, cast, func, or_, select

from market import db
from market.ledger import LedgerTransfer
from orders.models import CardPayment, ClaimPart, ConnectedAccount, Order, ReceiptShare, Refund, RefundShare
from orders.paying.gateway import Charge, Dispute, GivenBack
from orders.reconciling.comparing import OurPayment, OurRefund

SLACK = timedelta(days=1)  # between what the provider and we call the moment of a payment


def accounts() -> list[Any]:
    """Every connected account and every one that has card payments: account_id, supplier_id, since."""
    connected = {row.account_id: row for row in db.session().execute(select(
        ConnectedAccount.account_id, ConnectedAccount.supplier_id, ConnectedAccount.connected_at.label("since")))}
    used = db.session().execute(
        select(CardPayment.account_id, CardPayment.supplier_id, func.min(CardPayment.started_at).label("since"))
        .group_by(CardPayment.account_id, CardPayment.supplier_id).order_by(CardPayment.account_id))
    for row in used:
        connected.setdefault(row.account_id, row)
    return [connected[name] for name in sorted(connected)]


def payments(account_id: str, since: datetime, until: datetime, charges: Sequence[Charge],
             given: Sequence[GivenBack], disputes: Sequence[Dispute]) -> list[OurPayment]:
    """Payments of an account in a time, and those that the provider's lists name, whenever they were."""
    of_time = ((CardPayment.account_id == account_id) & (CardPayment.started_at >= since - SLACK)
               & (CardPayment.started_at < until))
    settled = ((CardPayment.account_id == account_id) & (CardPayment.settled_at >= since)
               & (CardPayment.settled_at < until))
    found: dict[int, Any] = {row.id: row for row in db.session().execute(_payments().where(or_(of_time, settled)))}
    named = (
        (CardPayment.charge_id, [*(c.id for c in charges), *(d.charge_id for d in disputes),
                                 *(g.charge_id for g in given)], {row.charge_id for row in found.values()}),
        (CardPayment.intent_id, [*(c.intent_id for c in charges), *(g.intent_id for g in given)],
         {row.intent_id for row in found.values()}),
        (CardPayment.id, _ids(c.reference for c in charges), set(found)),
    )
    for column, names, known in named:
        for some in db.chunks(sorted({name for name in names if name and name not in known})):
            found |= {row.id: row for row in db.session().execute(_payments().where(column.in_(some)))}
    shares = _received(list(found))
    return [
        OurPayment(row.id, row.order_id, row.number, row.account_id, row.key, row.state, row.amount_fen, row.live,
                   row.intent_id, row.charge_id, *shares.get(row.id, (0, 0)),
                   expected=row.account_id == account_id and row.settled_at is not None
                   and since <= row.settled_at < until)
        for row in found.values()]


def _payments() -> Any:
    return select(
        CardPayment.id, CardPayment.order_id, Order.number, CardPayment.account_id, CardPayment.key, CardPayment.state,
        CardPayment.amount_fen, CardPayment.live, CardPayment.intent_id, CardPayment.charge_id, CardPayment.settled_at,
    ).join(Order, Order.id == CardPayment.order_id).order_by(CardPayment.id)


def _received(payment_ids: Sequence[int]) -> dict[int, tuple[int, int]]:
    """By payment: what its shares brought, and what the ledger says that came in for these shares, in fen."""
    sums: dict[int, tuple[int, int]] = {}
    source = "receipt:" + cast(ReceiptShare.id, String)
    for some in db.chunks(sorted(payment_ids)):
        for row in db.session().execute(
                select(ReceiptShare.card_payment_id, db.sum_of(ReceiptShare.amount_fen).label("shares"),
                       db.sum_of(_into("supplier:")).label("ledger"))
                .outerjoin(LedgerTransfer, (LedgerTransfer.event == "received") & (LedgerTransfer.source == source))
                .where(ReceiptShare.card_payment_id.in_(some)).group_by(ReceiptShare.card_payment_id)):
            sums[row.card_payment_id] = (row.shares, row.ledger)
    return sums


def refunds(account_id: str, since: datetime, until: datetime, given: Sequence[GivenBack]) -> list[OurRefund]:
    """Refunds to cards of an account confirmed in a time, and those that the provider names."""
    of_time = (CardPayment.account_id == account_id, Refund.confirmed_at >= since, Refund.confirmed_at < until)
    found = {row.id: row for row in db.session().execute(_refunds().where(*of_time))}
    named: Sequence[tuple[Any, Iterable[Any]]] = (
        (Refund.provider_id, [one.id for one in given]), (Refund.id, _ids(one.reference for one in given)))
    for column, names in named:
        for some in db.chunks(sorted(set(names))):
            found |= {row.id: row for row in db.session().execute(_refunds().where(column.in_(some)))}
    sums = _shares_of_refunds(list(found))
    return [
        OurRefund(row.id, row.number, row.order_id, row.card_payment_id, row.account_id, row.intent_id, row.state,
                  row.amount_fen, row.provider_id, *sums.get(row.id, (0, 0)),
                  expected=row.account_id == account_id and row.confirmed_at is not None
                  and since <= row.confirmed_at < until)
        for row in found.values()]


def _refunds() -> Any:
    return select(
        Refund.id, Refund.number, Refund.order_id, Refund.card_payment_id, CardPayment.account_id,
        CardPayment.intent_id, Refund.state, Refund.amount_fen, Refund.provider_id, Refund.confirmed_at,
    ).join(CardPayment, CardPayment.id == Refund.card_payment_id).order_by(Refund.id)


def _shares_of_refunds(refund_ids: Sequence[int]) -> dict[int, tuple[int, int]]:
    sums: dict[int, tuple[int, int]] = {}
    source = "refund:" + cast(RefundShare.id, String)
    for some in db.chunks(sorted(refund_ids)):
        for row in db.session().execute(
                select(RefundShare.refund_id, db.sum_of(RefundShare.amount_fen).label("shares"),
                       db.sum_of(_into("unit:")).label("ledger"))
                .outerjoin(LedgerTransfer, (LedgerTransfer.event == "refunded") & (LedgerTransfer.source == source))
                .where(RefundShare.refund_id.in_(some)).group_by(RefundShare.refund_id)):
            sums[row.refund_id] = (row.shares, row.ledger)
    return sums


def given_back(payment_ids: Iterable[int]) -> dict[int, int]:
    """By card payment: what of it went back by refunds that are done, in fen."""
    sums: dict[int, int] = {}
    for some in db.chunks(sorted(set(payment_ids))):
        sums |= {row.card_payment_id: row.fen for row in db.session().execute(
            select(Refund.card_payment_id, db.sum_of(Refund.amount_fen).label("fen"))
            .where(Refund.card_payment_id.in_(some), Refund.state == "done").group_by(Refund.card_payment_id))}
    return sums


def received_of_claims(claim_ids: Sequence[int]) -> dict[int, int]:
    """By claim: what the ledger says that came in for it, in fen."""
    sums: dict[int, int] = {}
    source = "receipt:" + cast(ReceiptShare.id, String)
    for some in db.chunks(sorted(claim_ids)):
        sums |= {row.claim_id: row.ledger for row in db.session().execute(
            select(ClaimPart.claim_id, db.sum_of(_into("supplier:")).label("ledger"))
            .join(ReceiptShare, ReceiptShare.claim_part_id == ClaimPart.id)
            .join(LedgerTransfer, (LedgerTransfer.event == "received") & (LedgerTransfer.source == source))
            .where(ClaimPart.claim_id.in_(some)).group_by(ClaimPart.claim_id))}
    return sums


def _into(account: str) -> Any:
    """A transfer's amount: plus where this kind of account is debited, minus where it is credited."""
    fen = LedgerTransfer.amount_fen
    return case((LedgerTransfer.debit.startswith(account), fen), (LedgerTransfer.credit.startswith(account), -fen),
                else_=0)


def _ids(marks: Iterable[str]) -> Iterator[int]:
    """Marks that can be ids of ours; what somebody typed in the provider's dashboard is none."""
    yield from (int(mark) for mark in marks if mark.isascii() and mark.isdigit() and len(mark) < 13)
