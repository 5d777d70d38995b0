"""A bank's table comes in: kept, its new rows written once, what they pay for claimed. Nothing here books money."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from sqlalchemy import bindparam, func, select, update

from market import clock, db, faults, files, journal, outbox
from market.access import Visitor
from market.errors import Conflict, NotFound
from market.files import StoredFile
from market.sheet_input import XLSX_BEGINS
from orders.banking import finding, matching, table
from orders.banking.finding import Found
from orders.banking.matching import Verdict
from orders.banking.table import Movement, Read
from orders.models import BankMapping, BankRow, BankStatement

CONTENT_TYPE = "application/vnd.sijin.bank-statement"  # tells these files from a co-operative's others
FOUND = "bank.found"
ROWS_AT_ONCE = 200  # of one INSERT
WAITING = ("unknown", "closed", "duplicate")  # states without a claim that somebody has to look at


def keep(content: bytes, name: str, by: Visitor, folder: Path) -> int:
    """Keep the bank's file; its id. The same file of the same co-operative is kept once."""
    sha256 = hashlib.sha256(content).hexdigest()
    there = db.session().scalar(select(StoredFile.id).where(
        StoredFile.organisation_id == by.organisation_id, StoredFile.content_type == CONTENT_TYPE,
        StoredFile.sha256 == sha256).order_by(StoredFile.id).limit(1))
    if there is not None:
        return int(there)
    suffix = ".xlsx" if content.startswith(XLSX_BEGINS) else ".csv"
    return files.keep((content, CONTENT_TYPE, suffix), name, "own", by, folder).id


def kept(file_id: int, by: Visitor) -> StoredFile:
    """A bank's file of the visitor's co-operative. Raises NotFound for any other."""
    row = db.session().scalar(select(StoredFile).where(
        StoredFile.id == file_id, StoredFile.organisation_id == by.organisation_id,
        StoredFile.content_type == CONTENT_TYPE))
    if row is None:
        raise NotFound()
    return row


def mappings(by: Visitor) -> dict[str, BankMapping]:
    """What the co-operative has confirmed about tables of banks, by their signature."""
    return {row.headings_hash: row for row in db.session().scalars(
        select(BankMapping).where(BankMapping.supplier_id == by.organisation_id))}


def remember(signature: str, columns: Mapping[str, str], bank_name: str, by: Visitor) -> int:
    """Keep what the headings of a bank mean, also for the next upload; the mapping's id."""
    row = {"supplier_id": by.organisation_id, "headings_hash": signature, "bank_name": bank_name,
           "columns": dict(columns), "changed_by": by.id, "changed_at": clock.now()}
    found = db.session().execute(
        db.insert_or_update(BankMapping, "supplier_id", "headings_hash").values(row)
        .returning(db.table(BankMapping).c.id)).scalar_one()
    journal.record("bank.columns", "bank_mapping", found, by, columns=dict(columns), bank=bank_name)
    return int(found)


def taken(sha256: str, by: Visitor) -> int | None:
    """The statement that this very file has become, if it has been taken before."""
    return db.session().scalar(select(BankStatement.id).where(
        BankStatement.supplier_id == by.organisation_id, BankStatement.sha256 == sha256))


def take(file_id: int, read: Read, mapping_id: int, by: Visitor) -> int:
    """Write what is new of a file and find what it pays for; the statement's id. The same file again is the first one.

    Unique keys decide between two people who send the same movements at the same moment.
    """
    file = kept(file_id, by)
    made = _insert_statement(file, read, mapping_id, by)
    if made is None:
        there = taken(file.sha256, by)
        if there is None:
            raise Conflict()
        return there
    rows = _insert_rows(made, read.movements, by)
    faults.point("bank_rows_written")
    claims = _match(rows, by)
    faults.point("bank_claims_made")
    db.session().execute(update(BankStatement).where(BankStatement.id == made).values(new_rows=len(rows)))
    journal.record("bank.statement", "bank_statement", made, by, rows=len(read.movements), new_rows=len(rows),
                   out=read.out, claims=claims)
    if claims:
        outbox.enqueue(FOUND, {"statement_id": made})
    return made


def look_again(by: Visitor) -> int:
    """Look at waiting rows that nobody has decided about once more: orders and numbers may have come since; how many
    were found.
    """
    waiting = db.session().scalars(
        select(BankRow).where(BankRow.supplier_id == by.organisation_id, BankRow.state.in_(WAITING),
                              BankRow.claim_id.is_(None), BankRow.decided_by.is_(None))
        .order_by(BankRow.id).with_for_update()).all()
    return _match([(row.id, _movement(row)) for row in waiting], by)


def _movement(row: BankRow) -> Movement:
    return Movement(row.line, row.paid_on, row.amount_fen, row.payer_name, row.payer_account, row.remark, row.serial)


def _insert_statement(file: StoredFile, read: Read, mapping_id: int, by: Visitor) -> int | None:
    days = [movement.paid_on for movement in read.movements]
    return db.session().execute(db.insert_new(BankStatement).values(
        supplier_id=by.organisation_id, sha256=file.sha256, file_id=file.id, mapping_id=mapping_id,
        first_day=min(days, default=None), last_day=max(days, default=None), rows=len(read.movements), new_rows=0,
        out_rows=read.out, uploaded_by=by.id, uploaded_at=clock.now(),
    ).returning(db.table(BankStatement).c.id)).scalar()


def _insert_rows(statement_id: int, movements: Sequence[Movement], by: Visitor) -> list[tuple[int, Movement]]:
    """Rows that were not there yet with their ids, in the order of the file.

    Written in the order of their checksums, so that two uploads never wait for one another in a circle.
    """
    by_checksum = dict(zip(table.checksums(movements, by.organisation_id), movements, strict=True))
    ordered = sorted(by_checksum.items())
    columns = db.table(BankRow).c
    found: list[tuple[int, Movement]] = []
    for some in db.chunks(ordered, ROWS_AT_ONCE):
        values = [{"supplier_id": by.organisation_id, "statement_id": statement_id, "line": one.line,
                   "checksum": checksum, "paid_on": one.paid_on, "amount_fen": one.amount_fen,
                   "payer_name": one.payer_name, "payer_account": one.payer_account, "remark": one.remark,
                   "serial": one.serial, "state": "unknown", "reason": ""}
                  for checksum, one in some]
        new = db.session().execute(db.insert_new(BankRow).values(values).returning(columns.id, columns.checksum)).all()
        found += [(row.id, by_checksum[row.checksum]) for row in new]
    return sorted(found, key=lambda pair: pair[1].line)


def _match(rows: Sequence[tuple[int, Movement]], by: Visitor) -> int:
    """Decide about rows, the oldest movement first, and write what was found; how many lie on a claim then."""
    if not rows:
        return 0
    rows = sorted(rows, key=lambda pair: (pair[1].paid_on, pair[1].line))
    ground = matching.Ground([movement for _row_id, movement in rows], by)
    verdicts = [(row_id, movement, ground.decide(movement)) for row_id, movement in rows]
    fresh = [(movement, verdict) for _row_id, movement, verdict in verdicts if verdict.amounts]
    claim_ids = iter(finding.found([_found(movement, verdict) for movement, verdict in fresh], ground.locked, by))
    states = [{"row": row_id, "now": verdict.state, "claim": next(claim_ids) if verdict.amounts else verdict.claim_id}
              for row_id, _movement, verdict in verdicts]
    target = db.table(BankRow)
    db.session().execute(
        update(target).where(target.c.id == bindparam("row"))
        .values(state=bindparam("now"), claim_id=bindparam("claim")), states)
    return sum(one["claim"] is not None for one in states)


def _found(movement: Movement, verdict: Verdict) -> Found:
    return Found(verdict.unit_id, verdict.amounts, movement.payer_name, movement.paid_on, verdict.statement_id)


def waiting(by: Visitor) -> int:
    """How many rows of the co-operative wait for somebody to say what they are."""
    return db.session().scalar(select(func.count()).select_from(BankRow).where(
        BankRow.supplier_id == by.organisation_id, BankRow.state.in_(WAITING))) or 0
