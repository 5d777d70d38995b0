"""Commands of the catalogue."""

import click
from flask import current_app
from flask.cli import AppGroup

from catalog import indexing
from market.config import Config

group = AppGroup("search", help="The full-text index of this host.")


@group.command("rebuild")
def rebuild() -> None:
    """Build the search index afresh from the database."""
    config: Config = current_app.extensions["sijin"]
    count = indexing.rebuild(config.search_dir)
    click.echo(f"{count} products indexed")
