"""The audit: every digest, block, head, figure and document again, from the rows themselves.

A changed, missing or invented row is named where its value or a document shows it, else its block is. Everything is
read in one snapshot and in batches, so that a million rows pass through little memory.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, islice
from operator import itemgetter
from pathlib import Path

from sqlalchemy import func, or_, select, type_coerce
from sqlalchemy.types import NullType

from market import audit_documents, audit_figures, db, filings, heads, ledger_frame
from market.audit_rows import BATCH, Row, moment, side_by_side, transfers
from market.errors import N_
from market.filings import GENESIS
from market.heads import Head
from market.ledger import CANONICAL, RULES, LedgerAccount, LedgerBlock, digest_of, kind_of, names_its_income
from market.problem import Problem
from market.sealing import TRANSFERS, block_hash, line_of

BLOCKS = db.table(LedgerBlock)


def check(outside: Sequence[Head] = (), heads_file: Path | None = None, limit: int = 1000) -> list[Problem]:
    """Everything that does not agree, at most `limit` findings; empty when all is well.

    `outside` are heads kept elsewhere, `heads_file` the file the sealer appends to.
    """
    kept = [*outside, *(heads.kept(heads_file) if heads_file else ())]
    with db.snapshot():
        return list(islice(_problems(kept), limit))


def _problems(kept: Sequence[Head]) -> Iterator[Problem]:
    yield from _account_problems()
    yield from _double_problems()
    yield from _reversal_problems()
    yield from _chain_problems(_Heads(kept))
    for row in transfers(TRANSFERS.c.block_no.is_(None), TRANSFERS.c.id):
        yield from _row_problems(row, digest_of(row))
    yield from audit_figures.problems()
    yield from filings.problems()
    yield from audit_documents.problems(ledger_frame.checks())


# ---- rows -----------------------------------------------------------------------------------------------------------


def _row_problems(row: Row, digest: str) -> Iterator[Problem]:
    if digest != row["digest"]:
        yield Problem(N_("Transfer %(id)s (%(event)s, %(source)s) was changed: it does not match its own digest."),
                      id=row["id"], event=row["event"], source=row["source"])
    sides = kind_of(str(row["debit"])), kind_of(str(row["credit"]))
    allowed = RULES.get(row["event"], ())
    if (sides[::-1] if row["backward"] else sides) not in allowed:
        yield Problem(N_("Transfer %(id)s: '%(event)s' may not be booked from %(debit)s to %(credit)s."),
                      id=row["id"], event=row["event"], debit=row["debit"], credit=row["credit"])
    elif not names_its_income(row["event"], sides, row["income_kind"]):
        yield Problem(N_("Transfer %(id)s: '%(event)s' may not carry the kind of income '%(kind)s' here."),
                      id=row["id"], event=row["event"], kind=row["income_kind"])


def _account_problems() -> Iterator[Problem]:
    for name, kind in db.session().execute(select(LedgerAccount.name, type_coerce(LedgerAccount.kind, NullType))):
        if kind_of(name) != kind:
            yield Problem(N_("Account %(name)s is kept as '%(kind)s'."), name=name, kind=kind)


def _double_problems() -> Iterator[Problem]:
    event = type_coerce(TRANSFERS.c.event, NullType)
    query = (
        select(event, TRANSFERS.c.source, func.count()).group_by(TRANSFERS.c.event, TRANSFERS.c.source)
        .having(func.count() > 1)
    )
    for name, source, count in db.session().execute(query):
        yield Problem(N_("%(event)s, %(source)s was posted %(count)s times."), event=name, source=source, count=count)


def _reversal_problems() -> Iterator[Problem]:
    """A transfer that undoes another says the same with debit and credit exchanged."""
    undoing, undone = TRANSFERS.alias("undoing"), TRANSFERS.alias("undone")
    own = {"id", "source", "backward", "debit", "credit", "business_date", "posted_at", "reverses_id"}
    differs = or_(
        undoing.c.debit != undone.c.credit, undoing.c.credit != undone.c.debit,
        *(undoing.c[name].is_distinct_from(undone.c[name]) for name in CANONICAL if name not in own),
    )
    query = select(undoing.c.id, undone.c.id).join(undone, undoing.c.reverses_id == undone.c.id).where(differs)
    for number, original in db.session().execute(query):
        yield Problem(N_("Transfer %(id)s says that it undoes transfer %(original)s, but is not its exact opposite."),
                      id=number, original=original)


# ---- blocks ---------------------------------------------------------------------------------------------------------


class _Heads:
    """Heads kept outside the database, compared with the blocks as they pass."""

    def __init__(self, kept: Iterable[Head]) -> None:
        self.waiting: dict[int, dict[str, Head]] = {}
        for head in kept:
            self.waiting.setdefault(head.number, {}).setdefault(head.hash, head)

    def problems(self, number: int, block_hash: str) -> Iterator[Problem]:
        for head in self.waiting.pop(number, {}).values():
            if head.hash != block_hash:
                yield Problem(N_("Block %(number)s is not the one that was sealed: %(where)s keeps another head."),
                              number=number, where=head.kept_in)

    def left(self) -> Iterator[Problem]:
        for number in sorted(self.waiting):
            for head in self.waiting[number].values():
                yield Problem(N_("Block %(number)s is gone: %(where)s keeps its head."),
                              number=number, where=head.kept_in)


def _chain_problems(kept: _Heads) -> Iterator[Problem]:
    """Walk along blocks and rows together, both in the order of block numbers."""
    block_no = TRANSFERS.c.block_no
    groups = groupby(transfers(block_no.is_not(None), block_no, TRANSFERS.c.id), key=itemgetter("block_no"))
    expected, previous = 1, GENESIS
    for number, block, rows in side_by_side(_blocks(), groups):
        if block is None:
            yield from _homeless(number, rows or ())
            continue
        if number != expected or block["previous_hash"] != previous:
            yield Problem(N_("Block %(number)s does not follow on the block before it."), number=number)
        yield from _block_problems(block, rows or ())
        yield from kept.problems(number, block["hash"])
        expected, previous = number + 1, block["hash"]
    yield from kept.left()


def _blocks() -> Iterator[tuple[int, Row]]:
    columns = [type_coerce(column, NullType).label(column.name) for column in BLOCKS.c]
    query = select(*columns).order_by(BLOCKS.c.number).execution_options(yield_per=BATCH)
    for block in db.session().execute(query).mappings():
        yield block["number"], {**block, "sealed_at": moment(block["sealed_at"])}


def _block_problems(block: Row, rows: Iterable[Row]) -> Iterator[Problem]:
    lines = []
    for row in rows:
        digest = digest_of(row)
        yield from _row_problems(row, digest)
        lines.append(line_of(digest, row["period"]))
    if len(lines) != block["transfer_count"]:
        yield Problem(N_("Block %(number)s holds %(found)s transfers; %(count)s were sealed in it."),
                      number=block["number"], found=len(lines), count=block["transfer_count"])
    if block_hash(block["number"], block["previous_hash"], block["sealed_at"], lines) != block["hash"]:
        yield Problem(N_("Block %(number)s was changed: its transfers do not give its hash."), number=block["number"])


def _homeless(number: int, rows: Iterable[Row]) -> Iterator[Problem]:
    for row in rows:
        yield Problem(N_("Transfer %(id)s says that it lies in block %(number)s, which does not exist."),
                      id=row["id"], number=number)
