"""`flask --app wsgi evidence package VILLAGE_CODE --year 2026 --output FILE`: a package without a browser."""

from pathlib import Path

import click
from flask import current_app
from flask.cli import AppGroup

from market import db, journal, sealing
from market.errors import MarketError
from market.figures import EVERYWHERE
from market.i18n import gettext as _
from orders.evidence import making, subjects
from orders.reports.readers import WHOLE, find_place

group = AppGroup("evidence", help="Packages of evidence.")


@group.command("package")
@click.argument("village")
@click.option("--year", type=click.IntRange(2015, 2099), required=True)
@click.option("--with-names", is_flag=True, help="Also scans that show names of households.")
@click.option("--output", required=True, type=click.Path(dir_okay=False, writable=True, path_type=Path))
def package(village: str, year: int, with_names: bool, output: Path) -> None:
    """Write a village's year (its 12-digit code, or a former village's id) to a ZIP that verifies itself."""
    sealing.seal_all()
    try:
        place = find_place(WHOLE, village, "village")
        made = making.make(subjects.of_village(place, year, EVERYWHERE if with_names else None), output,
                           current_app.extensions["sijin"].files_dir, lambda _done, _whole: None)
    except MarketError as refusal:
        raise click.ClickException(refusal.message(_)) from refusal
    with db.transaction():
        journal.record("evidence.written", "village", place.id, None, year=year, manifest=made.manifest_sha256,
                       full_view=with_names)
    click.echo(f"{place.path}, {year}: {made.orders} orders, {made.transfers} transfers, {made.scans} scans, "
               f"{made.missing} missing, head {made.head}")
    click.echo(f"manifest {made.manifest_sha256}")
    click.echo(f"zip {made.zip_sha256}")
