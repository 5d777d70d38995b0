"""A draw and a finished package of somebody's, without the year of trade behind them."""

from datetime import timedelta

from market import clock, db
from orders.evidence import jobs
from orders.evidence.models import EvidencePackage, SampleDraw
from tests.world import World


def drawn(world: World, login: str, nth: int) -> dict[str, int]:
    """A person's draw and the package of it; ids by the names of the routes' parameters."""
    by = world.person(login)
    name = f"{by.id:016x}{nth:016x}.zip"
    (jobs.folder() / name).write_bytes(b"PK")
    with db.transaction() as session:
        draw = SampleDraw(
            organisation_id=by.organisation_id or 0, drawn_by=by.id, drawn_at=clock.now(), year=2026,
            area_key=f"all {by.id}", area="永州市", nth=nth, seed="5e", head_number=1, head_hash="0" * 64, population=1,
            population_sha256="0" * 64, wanted=1, numbers=["S261012-2345678"])
        session.add(draw)
        session.flush()
        package = EvidencePackage(
            organisation_id=by.organisation_id or 0, asked_by=by.id, asked_at=clock.now(), subject=f"draw:{draw.id}",
            draw_id=draw.id, year=2026, title="永州市", with_names=False, state="done", finished_at=clock.now(),
            expires_at=clock.now() + timedelta(days=7), file_name=name, size_bytes=2, zip_sha256="0" * 64,
            manifest_sha256="0" * 64, figures={"orders": 1, "transfers": 1, "scans": 0, "missing": 0, "head": "1:0"})
        session.add(package)
        session.flush()
        return {"package_id": package.id, "draw_id": draw.id}
