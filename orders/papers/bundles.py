"""All papers of a month in one ZIP: asked for on a page, made by the worker, which tells how far it is."""

import io
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, or_, select, true, update

from market import clock, db, files, journal, outbox
from market.access import Visitor
from market.errors import N_, Conflict, InvalidInput, NotFound
from orders.models import Acceptance, Order
from orders.papers import facts, lists, printing, walls
from orders.papers.models import InvoiceRequest, PaperBundle, Statement
from orders.papers.statement_lists import month_days

MAKE = "paper_bundle.asked"
MOST_ORDERS = 400  # of a month in one ZIP
STAMP = (1980, 1, 1, 0, 0, 0)  # of every file in it, so that the same papers give the same ZIP


@dataclass(frozen=True)
class Sheet:
    """A paper of a bundle: its name in the ZIP and how it is made."""

    name: str
    make: Callable[[], bytes]


def ask(month: str, partner_id: int | None, by: Visitor) -> PaperBundle:
    """Ask the worker for a month's papers, with one partner or all. Raises InvalidInput for who is no partner."""
    if partner_id is not None and partner_id not in {partner.id for partner in lists.partners(by)}:
        raise InvalidInput({"partner_id": [N_("Please choose one of the list.")]})
    row = PaperBundle(organisation_id=by.organisation_id or 0, partner_id=partner_id, month=month, state="queued",
                      done=0, whole=0, asked_by=by.id, asked_at=clock.now())
    db.session().add(row)
    db.session().flush()
    journal.record(MAKE, "paper_bundle", row.id, by, month=month)
    outbox.enqueue(MAKE, {"bundle_id": row.id})
    return row


def bundle(bundle_id: int, by: Visitor) -> PaperBundle:
    """One of the visitor's own organisation. Raises NotFound."""
    row = db.session().scalar(select(PaperBundle).where(
        PaperBundle.id == bundle_id, PaperBundle.organisation_id == by.organisation_id))
    if row is None:
        raise NotFound()
    return row


def file_of(bundle_id: int, by: Visitor) -> files.StoredFile:
    """The ZIP. Raises NotFound, also while it is not ready."""
    row = bundle(bundle_id, by)
    if row.file_id is None:
        raise NotFound()
    return db.session().get_one(files.StoredFile, row.file_id)


def take(bundle_id: int) -> PaperBundle | None:
    """The worker begins (or begins anew after a crash); None for one that is ready. In the caller's transaction."""
    taken = db.session().scalar(
        update(PaperBundle).where(PaperBundle.id == bundle_id, PaperBundle.state.in_(("queued", "making")))
        .values(state="making", done=0).returning(db.table(PaperBundle).c.id))
    return db.session().get_one(PaperBundle, bundle_id, populate_existing=True) if taken is not None else None


def sheets(row: PaperBundle, by: Visitor) -> list[Sheet]:
    """What lies in a bundle. Raises Conflict where a month holds more orders than one ZIP takes."""
    found = [*_statements(row, by), *_requests(row, by), *_orders(row, by)]
    return sorted(found, key=lambda one: one.name)


def _orders(row: PaperBundle, by: Visitor) -> Iterator[Sheet]:
    first, last = month_days(row.month)
    order_ids = list(db.session().scalars(
        select(Order.id).join(Acceptance, Acceptance.order_id == Order.id).distinct()
        .where(walls.seen_by(by, Order.unit_id, Order.supplier_id), _with(row, Order.unit_id, Order.supplier_id),
               Acceptance.business_date.between(first, last)).order_by(Order.id).limit(MOST_ORDERS + 1)))
    if len(order_ids) > MOST_ORDERS:
        raise Conflict()
    for paper in facts.order_papers(order_ids, by) if order_ids else []:
        for kind in printing.possible(paper.order):
            yield Sheet(f"{paper.order.number}/{kind}.pdf", partial(printing.PRINTERS[kind], paper))


def _statements(row: PaperBundle, by: Visitor) -> Iterator[Sheet]:
    for found in db.session().execute(
            select(Statement.id, Statement.number)
            .where(walls.seen_by(by, Statement.unit_id, Statement.supplier_id),
                   _with(row, Statement.unit_id, Statement.supplier_id), Statement.month == row.month)):
        yield Sheet(f"{found.number}.pdf", partial(printing.statement, found.id, by))


def _requests(row: PaperBundle, by: Visitor) -> Iterator[Sheet]:
    begin, end = _moments(row.month)
    for found in db.session().execute(
            select(InvoiceRequest.id, InvoiceRequest.number)
            .where(walls.seen_by(by, InvoiceRequest.unit_id, InvoiceRequest.supplier_id),
                   _with(row, InvoiceRequest.unit_id, InvoiceRequest.supplier_id),
                   InvoiceRequest.asked_at >= begin, InvoiceRequest.asked_at < end,
                   InvoiceRequest.state != "cancelled")):
        yield Sheet(f"{found.number}.pdf", partial(printing.invoice_request, found.id, by))


def _moments(month: str) -> tuple[datetime, datetime]:
    first, last = month_days(month)
    return clock.shanghai(first), clock.shanghai(clock.days_after(last, 1))


def _with(row: PaperBundle, unit_id: Any, supplier_id: Any) -> ColumnElement[bool]:
    """Of one partner, where one was named."""
    return true() if row.partner_id is None else or_(unit_id == row.partner_id, supplier_id == row.partner_id)


def zipped(made: list[tuple[str, bytes]]) -> bytes:
    """Names and contents as a ZIP: the same ones give the same bytes."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in made:
            archive.writestr(zipfile.ZipInfo(name, STAMP), content, zipfile.ZIP_DEFLATED)
    return target.getvalue()


def finish(bundle_id: int, content: bytes, by: Visitor, folder: Path) -> None:
    """Keep the ZIP, unless somebody else has finished meanwhile."""
    row = db.session().get_one(PaperBundle, bundle_id, with_for_update=True, populate_existing=True)
    if row.state == "making":
        row.file_id = files.keep((content, "application/zip", ".zip"), f"{row.month}.zip", "own", by, folder).id
        row.state, row.done = "done", row.whole
        db.session().flush()


def tell_progress(bundle_id: int, done: int, whole: int) -> None:
    """How far the worker is."""
    db.session().execute(update(PaperBundle).where(PaperBundle.id == bundle_id).values(done=done, whole=whole))


def fail(bundle_id: int) -> None:
    """It cannot be made."""
    db.session().execute(update(PaperBundle).where(PaperBundle.id == bundle_id).values(state="failed"))
