"""What people see of their organisation's imports: the list, one import, what is wrong in it."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Row, Select, func, select

from catalog.importing.models import SheetFault, SheetImport
from market import db, paging
from market.access import Visitor
from market.errors import NotFound
from market.files import StoredFile
from market.users import User

Columns = Row[*tuple[Any, ...]]


def imports(by: Visitor, kinds: Collection[str], page: int) -> paging.Page:
    """The organisation's imports, the newest first; two statements."""
    one = db.table(SheetImport)
    mine = (one.c.organisation_id == by.organisation_id, one.c.kind.in_(kinds))
    total = db.session().scalar(select(func.count()).select_from(one).where(*mine)) or 0
    return paging.read(_imports().where(*mine).order_by(one.c.id.desc()), total, page)


def story(import_id: int, by: Visitor, kinds: Collection[str]) -> Columns:
    """One import of the organisation. Raises NotFound for anybody else's."""
    one = db.table(SheetImport)
    found = db.session().execute(_imports().where(
        one.c.id == import_id, one.c.organisation_id == by.organisation_id, one.c.kind.in_(kinds))).first()
    if found is None:
        raise NotFound()
    return found


def _imports() -> Select[Any]:
    one, file, sender = db.table(SheetImport), db.table(StoredFile), db.table(User)
    decider = sender.alias("decider")
    return (
        select(one, file.c.original_name, file.c.size_bytes, sender.c.name.label("sender"),
               decider.c.name.label("decider"))
        .select_from(one).join(file, file.c.id == one.c.file_id).join(sender, sender.c.id == one.c.uploaded_by)
        .outerjoin(decider, decider.c.id == one.c.decided_by)
    )


def faults(import_id: int, total: int, page: int) -> paging.Page:
    """One page of what is wrong, by row. The caller has checked whose import it is."""
    return paging.read(_faults(import_id), total, page)


def all_faults(import_id: int) -> Sequence[Columns]:
    """Everything that is wrong. The caller has checked whose import it is."""
    return db.session().execute(_faults(import_id)).all()


def _faults(import_id: int) -> Select[Any]:
    fault = db.table(SheetFault)
    return (select(fault.c.line, fault.c.field, fault.c.text, fault.c.details)
            .where(fault.c.import_id == import_id).order_by(fault.c.line, fault.c.id))


def waiting(by: Visitor) -> int:
    """How many checked tables wait for somebody of the organisation to have them written."""
    one = db.table(SheetImport)
    return db.session().scalar(select(func.count()).select_from(one).where(
        one.c.organisation_id == by.organisation_id, one.c.state == "ready")) or 0


def has_come_before(story: Columns) -> Columns | None:
    """The newest import that wrote the very same file earlier."""
    one = db.table(SheetImport)
    return db.session().execute(
        select(one.c.id, one.c.ended_at).where(
            one.c.organisation_id == story.organisation_id, one.c.kind == story.kind, one.c.sha256 == story.sha256,
            one.c.state == "done", one.c.id < story.id).order_by(one.c.id.desc()).limit(1)).first()
