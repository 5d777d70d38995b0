"""Commands about places: `flask --app wsgi places import FILE`."""

import click
from flask.cli import AppGroup

from market import db, places

group = AppGroup("places", help="Provinces to villages.")


@group.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False))
def import_(file: str) -> None:
    """Read a division table (code, level, parent_code, name); rows already there are left alone."""
    with db.transaction():
        count = places.import_divisions(file)
    click.echo(f"{count} places imported.")
