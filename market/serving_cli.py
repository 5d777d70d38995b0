"""Commands that keep running: `flask --app wsgi serve` (web and worker together) and `flask --app wsgi worker`."""

import sys

import click
from flask import current_app

from market import serving, worker


@click.command("serve")
def serve() -> None:
    """Start web server and worker together and watch them; Ctrl-C ends both."""
    sys.exit(serving.run(current_app.extensions["sijin"]))


@click.command("worker")
@click.option("--once", is_flag=True, help="Do every job one time and end.")
def work(once: bool) -> None:
    """Deliver messages, seal the ledger, follow the search index, until told to stop."""
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    if once:
        worker.run_once(app)
    else:
        worker.run(app)
