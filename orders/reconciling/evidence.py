"""The compared lists, kept line by line: whoever audits reads what was compared, not only what was found."""

from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from flask_babel import force_locale

from market import clock, files, sheets
from market.errors import N_
from market.files import StoredFile
from market.i18n import gettext as _
from orders.reconciling import words
from orders.reconciling.bank import BankLine
from orders.reconciling.comparing import Line

CSV = ("text/csv; charset=utf-8", ".csv")

CARD_HEADINGS = (
    (N_("What"), "text"), (N_("At the provider"), "code"), (N_("Moment"), "text"), (N_("Provider says"), "fen"),
    (N_("Currency"), "code"), (N_("Our number"), "code"), (N_("Order"), "code"), (N_("We say"), "fen"),
    (N_("Came in for the order"), "fen"), (N_("Ledger says"), "fen"), (N_("Our state"), "code"),
    (N_("Verdict"), "text"), (N_("Because of"), "text"), (N_("Provider's word"), "text"))
BANK_HEADINGS = (
    (N_("Claim"), "code"), (N_("Day"), "code"), (N_("Bank says"), "fen"), (N_("We say"), "fen"),
    (N_("Ledger says"), "fen"), (N_("Payer"), "text"), (N_("Bank's number"), "code"), (N_("Verdict"), "text"),
    (N_("Because of"), "text"))
RUN_HEADINGS = (
    (N_("Co-operative"), "text"), (N_("Account"), "code"), (N_("From"), "text"), (N_("Until"), "text"),
    (N_("Payments compared"), "count"), (N_("Differences"), "count"), (N_("Booked by looking"), "count"),
    (N_("Other side"), "fen"), (N_("Ledger"), "fen"), (N_("Error"), "text"), (N_("Checksum of the list"), "code"))


def of_cards(lines: Iterable[Line]) -> bytes:
    """A line of the comparison is a line of the table."""
    return _written(CARD_HEADINGS, [_card_row(line) for line in lines])


def of_bank(lines: Iterable[BankLine]) -> bytes:
    return _written(BANK_HEADINGS, [
        [line.thing if line.claim_id else "", line.day.isoformat(), line.theirs_fen, line.ours_fen, line.ledger_fen,
         line.payer_name, line.serial, _both(words.VERDICTS[line.verdict]), _both(words.WHY[line.why])]
        for line in lines])


def of_run(parts: Iterable[Any]) -> bytes:
    """What each co-operative's list came to, with its checksum: one file that vouches for all of a night."""
    return _written(RUN_HEADINGS, [
        [part.name, part.account_id, _moment(part.since), _moment(part.until), part.compared, part.differences,
         part.healed, part.theirs_fen, part.ours_fen, part.error, part.sha256 or ""] for part in parts])


def keep(content: bytes, name: str, supplier_id: int | None, folder: Path) -> StoredFile:
    """The table as a file of the co-operative's own, or of nobody's but the platform's."""
    stored = files.keep((content, *CSV), name, "own", None, folder)
    stored.organisation_id = supplier_id
    return stored


def _card_row(line: Line) -> list[Any]:
    ours = line.payment or line.refund
    return [
        _both(words.WHAT[line.what]), line.theirs, _moment(line.at), line.theirs_fen,
        line.currency, (line.payment.key if line.payment else line.refund.number if line.refund else ""),
        line.payment.order_number if line.payment else "", line.ours_fen, ours.shares_fen if ours else None,
        line.ledger_fen, ours.state if ours else "", _both(words.VERDICTS[line.verdict]), _both(words.WHY[line.why]),
        line.said]


def _written(headings: Sequence[tuple[str, str]], rows: Sequence[Sequence[Any]]) -> bytes:
    return sheets.write_csv(sheets.Table([sheets.Heading(_both(text), kind) for text, kind in headings], rows))


@cache
def _both(text: str) -> str:
    """In both languages: nobody knows who will read it."""
    if not text:
        return ""
    with force_locale("zh"):
        chinese = str(_(text))
    return f"{chinese} {text}"


def _moment(at: Any) -> str:
    return at.astimezone(clock.SHANGHAI).isoformat(sep=" ", timespec="seconds") if at else ""
