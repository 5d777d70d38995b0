"""What reconciliation calls things: kinds of task, verdicts, why, states."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from market import clock
from market.errors import N_
from orders.paying.gateway import CURRENCY

SCOPES: Mapping[str, str] = {"card": N_("Cards and wallets"), "bank": N_("Bank statements")}
STATES: Mapping[str, str] = {"open": N_("To look at"), "settled": N_("Settled"), "healed": N_("Right again by itself")}
TONES: Mapping[str, str] = {"open": "waiting", "settled": "good", "healed": "info"}
WHAT: Mapping[str, str] = {"charge": N_("Payment"), "refund": N_("Refund"), "dispute": N_("Dispute")}


@dataclass(frozen=True)
class Told:
    """A kind of task in plain words: its name, what was found, what to do next."""

    name: str
    found: str
    next: str


KINDS: Mapping[str, Told] = {
    "missing_event": Told(
        N_("Paid, but not told"),
        N_("The card provider has the money, but its message never reached us."),
        N_("If it is right again by itself, nothing is to be done. If it is still open, look at the payment at the "
           "provider and tell the platform.")),
    "foreign_charge": Told(
        N_("Money that no order asked for"),
        N_("There is a payment on the co-operative's account at the card provider that no order here asked for."),
        N_("Ask who paid and for what. If it was meant for an order, give it back at the provider and let the unit pay "
           "again here; if it is the co-operative's other business, settle this with a word about it.")),
    "amount_differs": Told(
        N_("Another amount"),
        N_("The amount that was paid is not the one that was asked for here."),
        N_("Compare both figures with the order. Give back what is too much; ask for what is missing.")),
    "charge_differs": Told(
        N_("Another currency, order or account"),
        N_("The payment is about something else than we asked for."),
        N_("Do not book it by hand. Give the money back at the card provider and let the unit pay again.")),
    "provider_refund": Told(
        N_("Given back at the provider"),
        N_("Money was given back in the card provider's own pages, not here, so our books do not know of it."),
        N_("Find out who did it and why, then enter the refund here, so that order and ledger follow. Refunds "
           "belong into this site.")),
    "dispute": Told(
        N_("The payer's bank asks for the money back"),
        N_("The payer has told the bank that the payment was not right."),
        N_("Answer in the card provider's pages before its last day, with the order, the delivery note and the "
           "acceptance sheet as proof.")),
    "paid_late": Told(
        N_("Paid when the order was closed"),
        N_("The money came after the order had been closed."),
        N_("Agree with the unit: deliver, or give the money back.")),
    "refund_failed": Told(
        N_("A refund has failed"),
        N_("The card provider could not give the money back."),
        N_("Give it back by bank transfer, then settle this.")),
    "books_differ": Told(
        N_("Our books say otherwise"),
        N_("What our books say of this payment or refund is not what the other side says."),
        N_("Tell the platform: the books have to be checked before anything else is done.")),
    "claim_without_bank": Told(
        N_("Confirmed, but not in the bank statement"),
        N_("The receipt of a transfer was confirmed, but the uploaded statement of these days does not show it."),
        N_("Look at the bank account again: another day, another account, or a claim that was confirmed too early?")),
    "account_lost": Told(
        N_("The account no longer answers"),
        N_("The card provider no longer lets us look at the co-operative's account."),
        N_("Look whether the account was closed or the connection taken away; connect it again if cards are still "
           "wanted.")),
}

VERDICTS: Mapping[str, str] = {
    "same": N_("Agrees"), "under_way": N_("Under way"), "void": N_("No money moved"), "healed": N_("Booked by looking"),
    "unclaimed": N_("No claim for it"), **{kind: told.name for kind, told in KINDS.items()},
}
WHY: Mapping[str, str] = {
    "unknown": N_("only one side knows it"), "amount": N_("amount"), "currency": N_("currency"),
    "mode": N_("practice or in earnest"), "order": N_("order"), "account": N_("account"), "state": N_("state"),
    "shares": N_("what came in for the order"),
    "ledger": N_("ledger"), "reason": N_("reason"), "": "",
}

ERRORS: Mapping[str, str] = {
    "unanswered": N_("The card provider did not answer. The next night compares this time again."),
    "lost": N_("The account no longer answers."),
}
# what a task may know, in the order of the page; figures stand beside each other
FIGURES: Mapping[str, str] = {
    "theirs_fen": N_("The other side says"), "ours_fen": N_("We asked for"), "ledger_fen": N_("Our ledger says")}
FACTS: Mapping[str, str] = {
    "why": N_("What differs"), "ours": N_("Our number"), "charge": N_("At the provider"), "payer": N_("Payer"),
    "currency": N_("Currency"), "said": N_("In the other side's words"), "reason": N_("In the other side's words"),
    "status": N_("State"), "at": N_("When")}


def figures(task: Any) -> list[tuple[str, int | None]]:
    """Both sides' figures in fen, where the task knows them."""
    known = task.facts
    if "amount_fen" in known.get("asked", {}):
        known = {"theirs_fen": int(known["found"]["amount_fen"]), "ours_fen": int(known["asked"]["amount_fen"])}
    return [(label, known[name]) for name, label in FIGURES.items() if name in known] or [
        (N_("Amount"), task.amount_fen)]


def facts(task: Any) -> list[tuple[str, str]]:
    """What else was written down when it was found, as label and text; either may be a msgid."""
    known = {name: str(task.facts.get(name) or "") for name in FACTS}
    if known["currency"] == CURRENCY:
        known["currency"] = ""
    known["why"] = WHY.get(known["why"], known["why"]) or _asked_and_found(task.facts)
    if "T" in known["at"]:
        known["at"] = clock.business_date(datetime.fromisoformat(known["at"])).isoformat()
    return [(label, known[name]) for name, label in FACTS.items() if known[name]]


def _asked_and_found(facts_then: Mapping[str, Any]) -> str:
    """What the booking function set side by side when it set the payment aside."""
    return ", ".join(f"{what}: {facts_then['found'].get(what)} ≠ {asked}"
                     for what, asked in facts_then.get("asked", {}).items())
