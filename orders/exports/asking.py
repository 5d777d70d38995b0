"""Asking for a report as a file (market/long_work.py): the same question joins what runs, its owner alone gets it."""

import hashlib
import json
from dataclasses import asdict
from typing import Any

from flask import current_app
from sqlalchemy import ColumnElement, func, select, update

from market import clock, db, journal, long_work, notices
from market.access import Visitor, can
from market.errors import N_, Conflict, NotFound
from market.figures import Facets
from market.long_work import RUNNING
from market.users import User
from orders.exports.models import ExportFile
from orders.reports import frame, narrowing
from orders.reports.declared import narrowed_alike
from orders.reports.frame import Asked, Report
from orders.reports.readers import Reader, area_of, reader_of

ASKED, READY, FETCHED, CANCELLED, FAILED = (f"export.{act}" for act in (
    "asked", "ready", "fetched", "cancelled", "failed"))
THING = "report_file"
FILES = db.table(ExportFile)
MOST_WAITING = 5


class TooManyWaiting(Conflict):
    """One person fills the queue of all."""

    code = "too_many_files"
    text = N_("%(most)s of your files are not made yet. Please wait for one of them, or cancel one.")


def report_of(name: str, figure: str, by: Visitor) -> Report:
    """A report this person may read, or that of the documents behind one of its figures. Raises NotFound.

    Doors know all reports; they are handed in by `wsgi.py` (`app.extensions["sijin_reports"]`).
    """
    reports, lines = current_app.extensions["sijin_reports"]
    report: Report | None = reports.get(name)
    if report is None or not (report.verb is None or can(by, report.verb)):
        raise NotFound()
    if not figure:
        return report
    if name not in lines or not can(by, "report.read"):
        raise NotFound()
    return narrowed_alike(lines[name](figure), report)


def ask(name: str, figure: str, asked: Asked, kind: str, language: str, by: Visitor) -> int:
    """Ask for a file, in the caller's transaction; returns its id, a running one's where the same is made already.

    Raises what the report itself would refuse, and TooManyWaiting.
    """
    if by.organisation_id is None:
        raise NotFound()
    report, reader = report_of(name, figure, by), reader_of(by)
    _check(report, asked, reader)
    question: dict[str, Any] = {"report": name, "figure": figure, "asked": asdict(asked), "kind": kind,
                                "language": language, "sees_all": reader.sees_all}
    subject = hashlib.sha256(json.dumps([by.organisation_id, question], sort_keys=True).encode()).hexdigest()
    db.session().execute(select(User.id).where(User.id == by.id).with_for_update())  # two clicks count one by one
    if (running := long_work.running_one(ExportFile, subject, by)) is not None:
        return running
    waiting = db.session().scalar(select(func.count()).select_from(FILES).where(
        FILES.c.asked_by == by.id, FILES.c.state.in_(RUNNING))) or 0
    if waiting >= MOST_WAITING:
        raise TooManyWaiting(most=MOST_WAITING)
    number, _is_new = long_work.ask(ExportFile, subject, by, {
        **question, "title": report.title, "period": "–".join(dict.fromkeys((asked.first, asked.last)))})
    journal.record(ASKED, THING, number, by, report=name, period=asked.first, to=asked.last, form=kind)
    return number


def _check(report: Report, asked: Asked, reader: Reader) -> None:
    """What the report would refuse is refused now, not minutes later."""
    frame.check(report, asked, reader)
    narrowing.words_of(asked)
    area_of(reader, asked.county, asked.township, asked.village)


def asked_of(row: ExportFile) -> Asked:
    """The question as it was put."""
    kept: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value
                            for name, value in row.asked.items()}
    kept["facets"] = Facets(**kept["facets"])
    return Asked(**kept)


def owned_by(by: Visitor) -> ColumnElement[bool]:
    """The condition that a file is this person's."""
    return long_work.owned_by(ExportFile, by)


def own(export_id: int, by: Visitor) -> ExportFile:
    """One that this person asked for, acting for the same organisation. Raises NotFound."""
    return long_work.owned(ExportFile, export_id, by)


def fetch(export_id: int, by: Visitor) -> ExportFile:
    """The finished file, and a note that its owner took it. Raises NotFound, also where they may read less by now."""
    row = own(export_id, by)
    long_work.need_offered(row)
    need_reader(row, by)
    journal.record(FETCHED, THING, row.id, by, sha256=row.sha256)
    return row


def need_reader(row: ExportFile, by: Visitor) -> Report:
    """The report, if this person may read it as they did when they asked. Raises NotFound."""
    if row.sees_all and not reader_of(by).sees_all:
        raise NotFound()
    return report_of(row.report, row.figure, by)


def cancel(export_id: int, by: Visitor) -> None:
    """It is not wanted any more; what is finished stays. Its maker finds out at its next word. Raises NotFound."""
    row = own(export_id, by)
    changed = db.session().scalar(update(FILES).where(FILES.c.id == row.id, FILES.c.state.in_(RUNNING)).values(
        state="cancelled", finished_at=clock.now()).returning(FILES.c.id))
    if changed is not None:
        journal.record(CANCELLED, THING, row.id, by)


# ---- what its maker says --------------------------------------------------------------------------------------------


def finish(row: ExportFile, file_name: str, size_bytes: int, sha256: str, rows: int) -> None:
    """The file lies there; the owner's organisation hears of it. Raises Overtaken."""
    long_work.change(row, done=rows, whole=rows, sha256=sha256, **long_work.finished(file_name, size_bytes))
    journal.record(READY, THING, row.id, None, sha256=sha256, rows=rows)
    notices.tell(row.organisation_id, READY, row.id, {"title": row.title, "period": row.period})


def fail(row: ExportFile, why: str) -> None:
    """It cannot be made. Raises Overtaken."""
    long_work.change(row, state="failed", finished_at=clock.now(), why=why[:500])
    journal.record(FAILED, THING, row.id, None, why=why[:500])
