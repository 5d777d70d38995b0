"""The audit of transfers against the documents behind them: what is changed, missing, doubled or invented has a name.

A check yields the transfers its documents should have posted, in any order, and Problems of its own. Once there is
any check, every transfer in the ledger must be one that a document stands behind, sealed or not.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from sqlalchemy import true

from market.audit_rows import BATCH, Row, transfers
from market.errors import N_
from market.ledger import Transfer
from market.ledger_frame import Check
from market.problem import Problem
from market.sealing import TRANSFERS

# which transfer a reversal undoes is not a document's matter; the audit compares the two transfers themselves
COMPARED = tuple(name for name in Transfer.__dataclass_fields__ if name not in {"event", "source", "reverses_id"})
PAGE = 4096


class _Numbers:
    """A set of transfer ids, a bit each, however far apart they lie."""

    def __init__(self) -> None:
        self._pages: defaultdict[int, int] = defaultdict(int)

    def __contains__(self, number: int) -> bool:
        return bool(self._pages.get(number // PAGE, 0) >> number % PAGE & 1)

    def add(self, number: int) -> None:
        self._pages[number // PAGE] |= 1 << number % PAGE


def problems(checks: Sequence[Check]) -> Iterator[Problem]:
    """What the checks say themselves, then where transfers and documents differ."""
    if not checks:
        return
    backed = _Numbers()
    for check in checks:
        findings = iter(check())
        while batch := list(islice(findings, BATCH)):
            yield from (finding for finding in batch if isinstance(finding, Problem))
            yield from _compare([finding for finding in batch if isinstance(finding, Transfer)], backed)
    for row in transfers(true(), TRANSFERS.c.id):
        if row["id"] not in backed:
            yield Problem(N_("Transfer %(id)s (%(event)s, %(source)s, %(amount)s fen): no document stands behind it."),
                          id=row["id"], event=row["event"], source=row["source"], amount=row["amount_fen"])


def _compare(expected: Sequence[Transfer], backed: _Numbers) -> Iterator[Problem]:
    posted = _posted(expected)
    for transfer in expected:
        row = posted.get((transfer.event, transfer.source))
        if row is None:
            yield Problem(N_("Missing: %(event)s, %(source)s, %(amount)s fen was not posted, or was removed."),
                          event=transfer.event, source=transfer.source, amount=transfer.amount_fen)
            continue
        if row["id"] in backed:
            yield Problem(N_("Transfer %(id)s (%(event)s, %(source)s): two documents claim it."),
                          id=row["id"], event=row["event"], source=row["source"])
        backed.add(row["id"])
        yield from _differences(row, transfer)


def _posted(expected: Iterable[Transfer]) -> dict[tuple[str, str], Row]:
    sources: defaultdict[str, list[str]] = defaultdict(list)
    for transfer in expected:
        sources[transfer.event].append(transfer.source)
    return {
        (row["event"], row["source"]): row
        for event, named in sources.items()
        for row in transfers((TRANSFERS.c.event == event) & TRANSFERS.c.source.in_(named), TRANSFERS.c.id)
    }


def _differences(row: Row, transfer: Transfer) -> Iterator[Problem]:
    for name in COMPARED:
        right = getattr(transfer, name)
        if row[name] != right:
            yield Problem(
                N_("Transfer %(id)s (%(event)s, %(source)s): %(column)s is %(posted)s, its document says %(right)s."),
                id=row["id"], event=row["event"], source=row["source"], column=name, posted=row[name], right=right,
            )
