"""Payment by payment: what the card provider says beside what our books say, and what differs. No database, no call.

A line is one charge, refund or dispute of the provider, or one of ours that it does not know; it has one verdict.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from orders.paying.gateway import CURRENCY, Charge, Dispute, GivenBack

SAME, UNDER_WAY, VOID, HEALED = "same", "under_way", "void", "healed"
GOOD = (SAME, UNDER_WAY, VOID, HEALED)
MISSED = "missing_event"  # healed by looking
OVER = ("won", "warning_closed", "prevented")  # disputes that cost nothing


@dataclass(frozen=True)
class OurPayment:
    """A card payment as the books have it: what its shares brought in, and what the ledger says of these, in fen."""

    id: int
    order_id: int
    order_number: str
    account_id: str
    key: str
    state: str
    amount_fen: int
    live: bool
    intent_id: str | None
    charge_id: str | None
    shares_fen: int
    ledger_fen: int
    expected: bool = True  # paid in the time that is compared, so the provider must have it


@dataclass(frozen=True)
class OurRefund:
    """A refund to a card as the books have it."""

    id: int
    number: str
    order_id: int
    payment_id: int
    account_id: str
    intent_id: str | None
    state: str
    amount_fen: int
    provider_id: str | None
    shares_fen: int
    ledger_fen: int
    expected: bool = True


@dataclass(frozen=True)
class Line:
    """One thing compared. `why` names the fact that differs: amount, currency, mode, order, account, shares, ledger."""

    what: str
    verdict: str
    thing: str  # what a task about it is named by: the provider's id where it has one, else our own name of it
    theirs_fen: int | None = None
    ours_fen: int | None = None
    ledger_fen: int | None = None
    at: datetime | None = None
    payment: OurPayment | None = None
    refund: OurRefund | None = None
    why: str = ""
    said: str = ""  # the provider's own word: its way, state or reason
    currency: str = CURRENCY
    theirs: str = ""  # the provider's id, empty where it knows nothing of this

    @property
    def differs(self) -> bool:
        return self.verdict not in GOOD


def unseen(charges: Sequence[Charge], payments: Sequence[OurPayment]) -> list[OurPayment]:
    """Paid ones that no charge of the list belongs to: they are looked up singly before anything is said of them."""
    seen = {payment.id for payment in _matched(charges, payments).values()}
    return [payment for payment in payments if payment.expected and payment.state == "paid" and payment.id not in seen]


def compare_charges(charges: Sequence[Charge], payments: Sequence[OurPayment], account_id: str,
                    live: bool) -> list[Line]:
    """A line for each charge, and one for each paid payment that no charge belongs to."""
    matched = _matched(charges, payments)
    lines = [_of_charge(charge, matched.get(charge.id), account_id, live) for charge in charges]
    return lines + [
        Line("charge", "books_differ", payment.key, None, payment.amount_fen, payment.ledger_fen, payment=payment,
             why="unknown")
        for payment in unseen(charges, payments)]


def _matched(charges: Sequence[Charge], payments: Sequence[OurPayment]) -> dict[str, OurPayment]:
    """Which payment each charge belongs to: by charge, by intent, by the mark we put on it; one charge to a payment."""
    names: list[tuple[Mapping[str, OurPayment], Mapping[str, str]]] = [
        ({p.charge_id: p for p in payments if p.charge_id}, {c.id: c.id for c in charges}),
        ({p.intent_id: p for p in payments if p.intent_id}, {c.id: c.intent_id for c in charges if c.intent_id}),
        ({str(p.id): p for p in payments}, {c.id: c.reference for c in charges if c.reference}),
    ]
    found: dict[str, OurPayment] = {}
    taken: set[int] = set()
    for ours, theirs in names:
        for charge_id, name in theirs.items():
            payment = ours.get(name)
            if payment is not None and payment.id not in taken and charge_id not in found:
                found[charge_id] = payment
                taken.add(payment.id)
    return found


def _of_charge(charge: Charge, payment: OurPayment | None, account_id: str, live: bool) -> Line:
    verdict, why = _judged(charge, payment, account_id, live)
    if why == "account":  # another co-operative's: it is not named here
        payment = None
    return Line("charge", verdict, charge.id, charge.captured_fen, payment.amount_fen if payment else None,
                payment.ledger_fen if payment else None, charge.created_at, payment, why=why, said=charge.way,
                currency=charge.currency, theirs=charge.id)


def _judged(charge: Charge, payment: OurPayment | None, account_id: str, live: bool) -> tuple[str, str]:
    """The first rule that does not hold names the difference."""
    if payment is None:
        return ("foreign_charge", "unknown") if charge.captured_fen > charge.refunded_fen else (VOID, "")
    for why, holds in (
        ("account", payment.account_id == account_id), ("mode", charge.live == payment.live == live),
        ("currency", charge.currency == CURRENCY),
        ("order", charge.order_number in {"", payment.order_number}),
    ):
        if not holds:
            return "charge_differs", why
    if charge.captured_fen != payment.amount_fen:
        return "amount_differs", "amount"
    if payment.state != "paid":
        return MISSED, "state"
    return _booked(payment.amount_fen, payment.shares_fen, payment.ledger_fen)


def _booked(amount_fen: int, shares_fen: int, ledger_fen: int) -> tuple[str, str]:
    if shares_fen != amount_fen:
        return "books_differ", "shares"
    return (SAME, "") if ledger_fen == shares_fen else ("books_differ", "ledger")


def unseen_refunds(given: Sequence[GivenBack], refunds: Sequence[OurRefund]) -> list[OurRefund]:
    """Done ones that the provider's list does not name."""
    seen = {refund.id for refund in _matched_refunds(given, refunds).values()}
    return [refund for refund in refunds if refund.expected and refund.state == "done" and refund.id not in seen]


def names_of_ours(charges: Sequence[Charge], payments: Sequence[OurPayment]) -> dict[str, OurPayment]:
    """Our payments by every name that the provider has for them: charge or intent."""
    matched = _matched(charges, payments)
    named = {c.id: matched[c.id] for c in charges if c.id in matched}
    named |= {c.intent_id: matched[c.id] for c in charges if c.id in matched and c.intent_id}
    return named | {name: p for p in payments for name in (p.charge_id, p.intent_id) if name}


def compare_refunds(given: Sequence[GivenBack], refunds: Sequence[OurRefund], account_id: str,
                    paid: Mapping[str, OurPayment], found_singly: Collection[int] = ()) -> list[Line]:
    """A line for each refund of the provider, and one for each of ours that it does not name.

    `paid`: names_of_ours(). `found_singly`: refunds of ours whose charge, looked up by itself, has given back what
    they say.
    """
    matched = _matched_refunds(given, refunds)
    lines = [_of_refund(one, matched.get(one.id), account_id,
                        paid.get(one.charge_id or "") or paid.get(one.intent_id or "")) for one in given]
    for refund in unseen_refunds(given, refunds):
        verdict, why = ("books_differ", "unknown")
        if refund.id in found_singly:
            verdict, why = _booked(refund.amount_fen, refund.shares_fen, refund.ledger_fen)
        lines.append(Line("refund", verdict, refund.provider_id or refund.number,
                          None if why == "unknown" else refund.amount_fen, refund.amount_fen, refund.ledger_fen,
                          refund=refund, why=why))
    return lines


def _matched_refunds(given: Sequence[GivenBack], refunds: Sequence[OurRefund]) -> dict[str, OurRefund]:
    by_id = {refund.provider_id: refund for refund in refunds if refund.provider_id}
    by_mark = {str(refund.id): refund for refund in refunds}
    found = {one.id: by_id[one.id] for one in given if one.id in by_id}
    taken = {refund.id for refund in found.values()}
    for one in given:
        refund = by_mark.get(one.reference) if one.id not in found else None
        if refund is not None and refund.id not in taken:
            found[one.id] = refund
            taken.add(refund.id)
    return found


def _of_refund(one: GivenBack, refund: OurRefund | None, account_id: str, paid: OurPayment | None) -> Line:
    verdict, why = _judged_refund(one, refund, account_id)
    if verdict == "provider_refund" and paid is None:  # of money that was never ours
        verdict, why = VOID, ""
    if why == "account":
        refund = None
    thing = refund.number if refund and verdict == "refund_failed" else one.id
    return Line("refund", verdict, thing, one.amount_fen, refund.amount_fen if refund else None,
                refund.ledger_fen if refund else None, one.created_at, paid, refund, why, one.state, one.currency,
                one.id)


def _judged_refund(one: GivenBack, refund: OurRefund | None, account_id: str) -> tuple[str, str]:
    gone_wrong = one.state in {"failed", "canceled"}
    if refund is None:
        return (VOID, "") if gone_wrong else ("provider_refund", "unknown")
    for why, holds in (("account", refund.account_id == account_id), ("amount", one.amount_fen == refund.amount_fen)):
        if not holds:
            return "books_differ", why
    if gone_wrong:
        return ("refund_failed", "state") if refund.state == "done" else (VOID, "")
    if refund.state == "done":
        return _booked(refund.amount_fen, refund.shares_fen, refund.ledger_fen)
    return (UNDER_WAY, "") if one.state != "succeeded" and refund.state == "sending" else (MISSED, "state")


def compare_disputes(disputes: Sequence[Dispute], paid: Mapping[str, OurPayment]) -> list[Line]:
    """Each dispute is for a person, until it is won; `paid`: names_of_ours()."""
    return [
        Line("dispute", VOID if one.state in OVER else "dispute", one.id, one.amount_fen,
             payment.amount_fen if payment else None, payment.ledger_fen if payment else None, one.created_at,
             payment, why="" if one.state in OVER else "reason", said=one.reason or one.state,
             theirs=one.id)
        for one in disputes for payment in (paid.get(one.charge_id),)]
