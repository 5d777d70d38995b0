"""Payment by payment, on paper: which difference is found, and that nothing else is."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.models.reconciling import TASK_KINDS
from orders.paying.gateway import Charge, Dispute, GivenBack
from orders.reconciling import comparing, words
from orders.reconciling.comparing import OurPayment, OurRefund

NOON = datetime(2026, 10, 12, 4, 0, tzinfo=UTC)
HERE = "acct_greens"


def charge(number: int = 1, fen: int = 2000, **more: object) -> Charge:
    facts = {"id": f"ch_{number}", "intent_id": f"pi_{number}", "captured_fen": fen, "refunded_fen": 0,
             "currency": "cny", "live": False, "paid": True, "disputed": False, "way": "alipay",
             "reference": str(number), "order_number": f"S{number}", "created_at": NOON}
    return Charge(**{**facts, **more})  # type: ignore[arg-type]


def payment(number: int = 1, fen: int = 2000, **more: object) -> OurPayment:
    facts = {"id": number, "order_id": number, "order_number": f"S{number}", "account_id": HERE, "key": f"key-{number}",
             "state": "paid", "amount_fen": fen, "live": False, "intent_id": f"pi_{number}",
             "charge_id": f"ch_{number}", "shares_fen": fen, "ledger_fen": fen}
    return OurPayment(**{**facts, **more})  # type: ignore[arg-type]


def refund(number: int = 1, fen: int = 500, **more: object) -> OurRefund:
    facts = {"id": number, "number": f"R{number}", "order_id": number, "payment_id": number, "account_id": HERE,
             "intent_id": f"pi_{number}", "state": "done", "amount_fen": fen, "provider_id": f"re_{number}",
             "shares_fen": fen, "ledger_fen": fen}
    return OurRefund(**{**facts, **more})  # type: ignore[arg-type]


def given_back(number: int = 1, fen: int = 500, **more: object) -> GivenBack:
    facts = {"id": f"re_{number}", "intent_id": f"pi_{number}", "charge_id": f"ch_{number}", "amount_fen": fen,
             "currency": "cny", "state": "succeeded", "reference": str(number), "created_at": NOON}
    return GivenBack(**{**facts, **more})  # type: ignore[arg-type]


def verdicts(charges: list[Charge], payments: list[OurPayment]) -> list[tuple[str, str, str]]:
    return [(line.verdict, line.thing, line.why)
            for line in comparing.compare_charges(charges, payments, HERE, live=False) if line.verdict != "same"]


@pytest.mark.parametrize(("theirs", "ours", "expected"), [
    (charge(), payment(), None),
    (charge(reference="", order_number=""), payment(), None),  # known by its charge
    (charge(), payment(charge_id=None), None),  # known by its intent
    (charge(), payment(state="open", charge_id=None, intent_id=None, shares_fen=0, ledger_fen=0),
     ("missing_event", "ch_1", "state")),  # known by our mark
    (charge(), payment(state="expired", shares_fen=0, ledger_fen=0), ("missing_event", "ch_1", "state")),
    (charge(fen=2100), payment(), ("amount_differs", "ch_1", "amount")),
    (charge(fen=2100), payment(state="open"), ("amount_differs", "ch_1", "amount")),
    (charge(currency="usd"), payment(), ("charge_differs", "ch_1", "currency")),
    (charge(live=True), payment(), ("charge_differs", "ch_1", "mode")),
    (charge(), payment(live=True), ("charge_differs", "ch_1", "mode")),
    (charge(order_number="S9"), payment(), ("charge_differs", "ch_1", "order")),
    (charge(), payment(account_id="acct_other"), ("charge_differs", "ch_1", "account")),
    (charge(), payment(state="different"), ("missing_event", "ch_1", "state")),  # looked at again, it is right
    (charge(), payment(shares_fen=1900), ("books_differ", "ch_1", "shares")),
    (charge(), payment(ledger_fen=0), ("books_differ", "ch_1", "ledger")),
    (charge(7), None, ("foreign_charge", "ch_7", "unknown")),
    (charge(7, refunded_fen=2000), None, ("void", "ch_7", "")),  # somebody has given it back already
    (charge(7, fen=0), None, ("void", "ch_7", "")),
    (None, payment(), ("books_differ", "key-1", "unknown")),
    (None, payment(expected=False), None),
    (None, payment(state="open"), None),
])
def test_each_difference_has_its_name(theirs, ours, expected) -> None:
    found = verdicts([theirs] if theirs else [], [ours] if ours else [])
    assert found == ([expected] if expected else [])


def test_another_cooperatives_payment_is_not_named() -> None:
    line = comparing.compare_charges([charge()], [payment(account_id="acct_other")], HERE, live=False)[0]
    assert (line.verdict, line.payment, line.ours_fen, line.ledger_fen) == ("charge_differs", None, None, None)


def test_a_second_charge_for_one_payment_is_money_nobody_asked_for() -> None:
    second = charge(2, reference="1", order_number="S1")
    assert verdicts([second, charge()], [payment()]) == [("foreign_charge", "ch_2", "unknown")]


@pytest.mark.parametrize(("theirs", "ours", "expected"), [
    (given_back(), refund(), "same"),
    (given_back(), refund(provider_id=None), "same"),
    (given_back(state="pending"), refund(state="sending", provider_id=None), "under_way"),
    (given_back(), refund(state="sending", provider_id=None), "missing_event"),
    (given_back(), refund(state="failed"), "missing_event"),
    (given_back(state="failed"), refund(), "refund_failed"),
    (given_back(state="failed"), refund(state="failed"), "void"),
    (given_back(fen=400), refund(), "books_differ"),
    (given_back(), refund(account_id="acct_other"), "books_differ"),
    (given_back(), refund(ledger_fen=0), "books_differ"),
    (given_back(reference=""), None, "provider_refund"),
    (given_back(reference="", state="canceled"), None, "void"),
    (given_back(9, reference=""), None, "void"),  # of a charge that was never ours
    (None, refund(), "books_differ"),
    (None, refund(state="sending"), None),
])
def test_each_refund_has_its_verdict(theirs, ours, expected) -> None:
    paid = comparing.names_of_ours([charge()], [payment()])
    lines = comparing.compare_refunds([theirs] if theirs else [], [ours] if ours else [], HERE, paid)
    assert [line.verdict for line in lines] == ([expected] if expected else [])


def test_a_refund_outside_the_list_is_no_difference_once_its_charge_shows_it() -> None:
    lines = comparing.compare_refunds([], [refund()], HERE, {}, found_singly={1})
    assert [(line.verdict, line.theirs_fen) for line in lines] == [("same", 500)]


def test_a_dispute_is_for_a_person_until_it_is_won() -> None:
    asked = Dispute("du_1", "ch_1", 2000, "needs_response", "fraudulent", NOON)
    paid = comparing.names_of_ours([charge()], [payment()])
    lines = comparing.compare_disputes([asked, replace(asked, id="du_2", state="won")], paid)
    assert [(line.verdict, line.payment is not None) for line in lines] == [("dispute", True), ("void", True)]


CHANGES = {
    "amount_differs": lambda c, p: (replace(c, captured_fen=c.captured_fen + 1), p),
    "charge_differs": lambda c, p: (replace(c, currency="usd"), p),
    "books_differ": lambda c, p: (None, p),
    "foreign_charge": lambda c, p: (replace(c, intent_id="pi_x", id=f"x{c.id}", reference="x", order_number=""), None),
    "missing_event": lambda c, p: (c, replace(p, state="open", shares_fen=0, ledger_fen=0)),
    "same": lambda c, p: (c, p),
}


@given(st.lists(st.tuples(st.sampled_from(sorted(CHANGES)), st.integers(1, 10**7)), max_size=60), st.randoms())
def test_exactly_what_was_changed_is_found(changes, random) -> None:
    pairs = [(kind, *CHANGES[kind](charge(number, fen), payment(number, fen)))
             for number, (kind, fen) in enumerate(changes, 1)]
    charges = [c for _kind, c, _p in pairs if c]
    payments = [p for _kind, _c, p in pairs if p]
    random.shuffle(charges)
    random.shuffle(payments)
    lines = comparing.compare_charges(charges, payments, HERE, live=False)
    assert sorted(line.verdict for line in lines) == sorted(kind for kind, _fen in changes)
    assert len({line.thing for line in lines}) == len(pairs)


def test_every_kind_of_task_is_told_in_words() -> None:
    assert set(words.KINDS) == set(TASK_KINDS)
    assert {*comparing.GOOD, "unclaimed"} <= set(words.VERDICTS)
