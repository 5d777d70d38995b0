"""One import from the upload to its end: begun, checked, decided by a person, written. Verbs flush, edges commit.

The worker may die at any point and another take the import up again. Each take-up counts `attempt` on; whoever finds
another number than its own there has been overtaken and stops, so nothing is told or written twice.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import delete, select, update

from catalog.importing.kinds import FIRST_ROWS, Fault, Kind, Plan, Planned
from catalog.importing.models import OPEN, SheetFault, SheetImport
from market import clock, db, files, journal, logins, outbox, sheet_input
from market.access import Visitor
from market.errors import N_, Conflict, InvalidInput, MarketError, NotFound
from market.files import StoredFile
from market.parties import Organisation
from market.sheet_input import Rows

MOST_ATTEMPTS = 5
CHECK, WRITE = "import.check", "import.write"  # kinds of outbox messages
GAVE_UP = N_("Something went wrong on our side. Nothing was written; please send the table again.")


class NotUnderWay(Conflict):
    """The import is over, or not yet where this can be done."""

    code = "import_not_ready"
    text = N_("This import has come to its end, or it still waits for the check. Please look at its page again.")


class Overtaken(Exception):
    """Another worker has taken the import up, or a person has cancelled it."""


@dataclass(frozen=True)
class Work:
    """An import as a worker has taken it up."""

    id: int
    attempt: int
    state: str
    kind: str
    file_name: str
    by: Visitor


# ---- the person's side ----------------------------------------------------------------------------------------------


def suffix_of(content: bytes) -> str:
    """What kind of file was sent, by its first bytes. Raises InvalidInput; whoever checks reads the rest."""
    if not content:
        raise InvalidInput({"file": [N_("Please choose a file.")]})
    if len(content) > sheet_input.MAX_BYTES:
        raise InvalidInput({"file": [sheet_input.SheetTooLarge(
            rows=sheet_input.MAX_ROWS, megabytes=sheet_input.MAX_BYTES // (1024 * 1024))]})
    if content.startswith(sheet_input.OLD_XLS_BEGINS):
        raise InvalidInput({"file": [sheet_input.OldWorkbook()]})
    if content.startswith(sheet_input.XLSX_BEGINS):
        return ".xlsx"
    if b"\0" in content[:4096]:
        raise InvalidInput({"file": [sheet_input.SheetRefused()]})
    return ".csv"


def begin(kind: Kind, content: bytes, name: str, by: Visitor, folder: Path) -> int:
    """Keep a file and have it checked; returns the import's id. The same file still under way is that very import."""
    session, sha256 = db.session(), hashlib.sha256(content).hexdigest()
    under_way = select(SheetImport.id).where(
        SheetImport.organisation_id == by.organisation_id, SheetImport.kind == kind.name,
        SheetImport.sha256 == sha256, SheetImport.state.in_(OPEN))
    found = session.scalar(under_way)
    if found is not None:
        return int(found)
    stored = files.keep((content, "application/octet-stream", suffix_of(content)), name, "own", by, folder)
    row = {"organisation_id": by.organisation_id, "kind": kind.name, "file_id": stored.id, "sha256": sha256,
           "state": "queued", "attempt": 0, "rows_total": 0, "rows_done": 0, "new_rows": 0, "changed_rows": 0,
           "unchanged_rows": 0, "left_out_rows": 0, "to_county": 0, "faults": 0,
           "uploaded_by": by.id, "uploaded_at": clock.now()}
    begun = session.scalar(db.insert_new(SheetImport).returning(SheetImport.id), row)
    if begun is None:  # a rival sent the same file at the same moment
        return int(session.scalars(under_way).one())
    outbox.enqueue(CHECK, {"import_id": begun}, unique_key=f"{CHECK}:{begun}")
    journal.record("import.begun", "import", begun, by, table=kind.name, sha256=sha256)
    return int(begun)


def confirm(import_id: int, kinds: Mapping[str, Kind], by: Visitor) -> None:
    """Have a checked table written; a second click finds the first. Raises NotFound, NotUnderWay."""
    one = _own(import_id, kinds, by)
    if one.state in ("confirmed", "writing", "done"):
        return
    if one.state != "ready":
        raise NotUnderWay()
    one.state, one.decided_by, one.decided_at, one.rows_done = "confirmed", by.id, clock.now(), 0
    db.session().flush()
    outbox.enqueue(WRITE, {"import_id": import_id}, unique_key=f"{WRITE}:{import_id}")
    journal.record("import.confirmed", "import", import_id, by)


def cancel(import_id: int, kinds: Mapping[str, Kind], by: Visitor) -> None:
    """Let a table go that nobody has had written. Raises NotFound, NotUnderWay."""
    one = _own(import_id, kinds, by)
    if one.state == "cancelled":
        return
    if one.state not in ("queued", "checking", "ready"):
        raise NotUnderWay()
    one.state, one.ended_at = "cancelled", clock.now()
    db.session().flush()
    journal.record("import.cancelled", "import", import_id, by)


def _own(import_id: int, kinds: Mapping[str, Kind], by: Visitor) -> SheetImport:
    found = db.session().scalar(
        select(SheetImport).where(SheetImport.id == import_id, SheetImport.organisation_id == by.organisation_id,
                                  SheetImport.kind.in_(kinds))
        .with_for_update().execution_options(populate_existing=True))
    if found is None:
        raise NotFound()
    return found


# ---- the worker's side ----------------------------------------------------------------------------------------------


def take(import_id: int, states: Sequence[str]) -> Work | None:
    """Take an import up that waits in the first of two states, or was left in the second; None where there is no more
    to do. Progress begins anew."""
    session = db.session()
    row = session.scalar(select(SheetImport).where(SheetImport.id == import_id, SheetImport.state.in_(states))
                         .with_for_update().execution_options(populate_existing=True))
    if row is None:
        return None
    row.attempt += 1
    row.state, row.rows_done, row.rows_total = states[1], 0, 0
    session.flush()
    visitor = logins.visitor_of_login(logins.login_of(row.decided_by or row.uploaded_by), row.organisation_id)
    if visitor is None:
        raise NotFound()
    file_name = session.scalars(select(StoredFile.name).where(StoredFile.id == row.file_id)).one()
    work = Work(row.id, row.attempt, row.state, row.kind, file_name, visitor)
    if row.attempt > MOST_ATTEMPTS:
        _end(work, "refused", refusal={"text": GAVE_UP, "details": {}})
        return None
    return work


def tell_progress(work: Work, done: int, of: int) -> None:
    """So many rows are through. Raises Overtaken."""
    _update(work, rows_done=done, rows_total=of)


def refuse(work: Work, refusal: MarketError) -> None:
    """The whole table cannot be taken; nothing of it has been."""
    _end(work, "refused", refusal={"text": refusal.text, "details": refusal.details})


def finish_check(work: Work, rows: Rows, plan: Plan, shown: Callable[[Mapping[str, Any]], dict[str, str]]) -> None:
    """Keep what the check found; a table that says nothing new is done with that. Raises Overtaken."""
    faults = faults_of(rows, plan)
    state = "faulty" if faults else "ready" if plan.new or plan.changed else "done"
    counted: dict[str, Any] = {
        "new_rows": len(plan.new), "changed_rows": len(plan.changed), "unchanged_rows": plan.unchanged,
        "left_out_rows": rows.left_out, "to_county": plan.to_county, "faults": len(faults), "checked_at": clock.now(),
        "first_rows": _first_rows(rows, plan, shown)}
    if state == "ready":
        _update(work, state=state, **counted)
    else:
        _end(work, state, **counted)
    _keep_faults(work, faults)


def claim(work: Work) -> None:
    """Before writing: this worker and no other, until the transaction ends. Raises Overtaken."""
    session = db.session()
    held = session.scalar(
        select(SheetImport.id).where(SheetImport.id == work.id, SheetImport.attempt == work.attempt,
                                     SheetImport.state == work.state).with_for_update())
    if held is None:
        raise Overtaken()
    # one table of an organisation after the other: two that bring the same new rows must not both find them missing
    session.scalar(select(Organisation.id).where(Organisation.id == work.by.organisation_id)
                   .with_for_update(key_share=True))


def finish_write(work: Work, plan: Plan) -> None:
    """The rows are written, in this same transaction."""
    _end(work, "done", new_rows=len(plan.new), changed_rows=len(plan.changed), unchanged_rows=plan.unchanged,
         to_county=plan.to_county)
    journal.record("import.written", "import", work.id, work.by, table=work.kind, new=len(plan.new),
                   changed=len(plan.changed), unchanged=plan.unchanged)


def finish_faulty(work: Work, faults: Sequence[Fault]) -> None:
    """Since the preview the world has changed, and the table does not fit any more: nothing is written."""
    _end(work, "faulty", faults=len(faults))
    _keep_faults(work, faults)


def faults_of(rows: Rows, plan: Plan) -> list[Fault]:
    """All that is wrong, by row: what the schema says and what the database says."""
    found = [Fault(error.number, error.field, text) for error in rows.errors for text in error.messages]
    return sorted([*found, *plan.faults], key=lambda fault: fault.line)


def _keep_faults(work: Work, faults: Sequence[Fault]) -> None:
    db.session().execute(delete(SheetFault).where(SheetFault.import_id == work.id))
    db.insert_rows(SheetFault, [
        {"import_id": work.id, "line": fault.line, "field": fault.field[:40], "text": fault.text,
         "details": dict(fault.details)} for fault in faults])


def _first_rows(rows: Rows, plan: Plan, shown: Callable[[Mapping[str, Any]], dict[str, str]]) -> list[dict[str, Any]]:
    """The first rows that would be written, for the preview; `shown` says a row as people read it."""
    first = sorted([*plan.new, *plan.changed], key=lambda row: row.line)[:FIRST_ROWS]
    return [{"line": row.line, "verdict": "changed" if row.known else "new", "changes": _changes(row, shown),
             "cells": shown(rows.loaded[row.line])} for row in first]


def _changes(row: Planned, shown: Callable[[Mapping[str, Any]], dict[str, str]]) -> dict[str, str]:
    """What is there now, by the field that would change."""
    before = shown(row.before)
    return {name: before[name] for name in row.changes}


def _end(work: Work, state: str, **columns: Any) -> None:
    _update(work, state=state, ended_at=clock.now(), **columns)


def _update(work: Work, **columns: Any) -> None:
    done = db.session().execute(
        update(SheetImport).where(SheetImport.id == work.id, SheetImport.attempt == work.attempt,
                                  SheetImport.state == work.state).values(**columns)
        .execution_options(synchronize_session=False))
    if done.rowcount != 1:  # type: ignore[attr-defined]
        raise Overtaken()
