"""A finished file of somebody's, and a published month, without the trade behind them."""

import hashlib
from datetime import timedelta

from sqlalchemy import func, select

from market import clock, db
from orders.exports import jobs
from orders.exports.models import ExportFile
from orders.opendata import publishing
from orders.opendata.models import OpenDataEntry
from tests.world import World

EMPTY = b'{"rows": []}'


def exported(world: World, login: str) -> dict[str, int]:
    """A person's finished file; its id by the name of the routes' parameter."""
    by = world.person(login)
    name = f"{by.id:032x}.csv"
    (jobs.folder() / name).write_bytes(b"a\r\n")
    with db.transaction() as session:
        file = ExportFile(
            organisation_id=by.organisation_id or 0, asked_by=by.id, asked_at=clock.now(), subject=f"{by.id:064x}",
            report="village-income", figure="", asked={}, title="Village sales and income", period="2026-10",
            kind="csv", language="zh", sees_all=False, state="done", done=1, whole=1, finished_at=clock.now(),
            expires_at=clock.now() + timedelta(days=7), file_name=name, size_bytes=3, made_at=clock.now(),
            name="village-income-2026-10.csv", sha256="0" * 64)
        session.add(file)
        session.flush()
        return {"export_id": file.id}


def published(month: str) -> None:
    """A month of the villages' income, told with no village."""
    sha256 = hashlib.sha256(EMPTY).hexdigest()
    for ending in publishing.ENDINGS:
        (publishing.folder() / f"{sha256}.{ending}").write_bytes(EMPTY)
    with db.transaction() as session:
        last = session.scalar(select(func.max(OpenDataEntry.id))) or 0
        session.add(OpenDataEntry(
            id=last + 1, data_set="village-income", month=month, version=1, closing=0, published_at=clock.now(),
            looked_at=clock.now(), csv_sha256=sha256, csv_bytes=len(EMPTY), json_sha256=sha256,
            json_bytes=len(EMPTY)))
