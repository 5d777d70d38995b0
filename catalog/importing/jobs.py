"""What the worker does for imports: check a table, write a table. A message may come twice, a worker may die halfway.

Reading takes its time outside any transaction; how far it is gets told in small ones, so that a page sees it.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flask import current_app

from catalog.importing import runs
from catalog.importing.kinds import Kind, RowsRefused
from catalog.importing.runs import Overtaken, Work
from market import access, db
from market.errors import MarketError, NotAllowed
from market.notices import Kinds
from market.outbox import Handler
from market.sheet_input import Rows


def check(payload: Mapping[str, Any]) -> None:
    """Look at every row; nothing is written of them."""
    work = _take(payload, ("queued", "checking"))
    if work is None:
        return
    try:
        kind, offers, rows = _read(work)
        with db.snapshot():
            plan = kind.match(rows, work.by)
        with db.transaction():
            runs.finish_check(work, rows, plan, lambda values: kind.as_shown(values, offers))
    except MarketError as refusal:
        _refuse(work, refusal)
    except Overtaken:
        db.session().rollback()


def write(payload: Mapping[str, Any]) -> None:
    """Write every row or none, after looking again: the world may have changed since the preview."""
    work = _take(payload, ("confirmed", "writing"))
    if work is None:
        return
    try:
        kind, _offers, rows = _read(work)
        with db.transaction():
            runs.claim(work)
            plan = kind.match(rows, work.by)
            if rows.errors or plan.faults:
                runs.finish_faulty(work, runs.faults_of(rows, plan))
            else:
                kind.write(plan, work.by)
                runs.finish_write(work, plan)
    except RowsRefused as refusal:
        with db.transaction():
            runs.finish_faulty(work, refusal.faults)
    except MarketError as refusal:
        _refuse(work, refusal)
    except Overtaken:
        db.session().rollback()


HANDLERS: Mapping[str, Handler] = {runs.CHECK: check, runs.WRITE: write}
KINDS: Kinds = {}


def _take(payload: Mapping[str, Any], states: tuple[str, str]) -> Work | None:
    with db.transaction():
        return runs.take(payload["import_id"], states)


def _read(work: Work) -> tuple[Kind, Any, Rows]:
    """The file's rows by the schema, telling how far it is. Raises NotAllowed, SheetRefused, Overtaken."""
    kind: Kind = current_app.extensions["sijin_sheets"][work.kind]
    if not access.can(work.by, kind.verb):
        raise NotAllowed()
    folder: Path = current_app.extensions["sijin"].files_dir
    content = (folder / work.file_name).read_bytes()
    with db.snapshot():
        offers = kind.offers(work.by)

    def tell(done: int, of: int) -> None:
        with db.transaction():
            runs.tell_progress(work, done, of)

    return kind, offers, kind.read(content, offers, tell)


def _refuse(work: Work, refusal: MarketError) -> None:
    try:
        with db.transaction():
            runs.refuse(work, refusal)
    except Overtaken:
        db.session().rollback()
