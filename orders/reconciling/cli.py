"""`flask --app wsgi payments reconcile [--since DAY]`: compare now, and say what came of it."""

import sys
from datetime import datetime

import click
from flask import current_app
from flask.cli import AppGroup
from sqlalchemy import select

from market import clock, db
from orders.models import Reconciliation
from orders.reconciling import jobs, night

group = AppGroup("payments", help="Money that comes in.")


@group.command("reconcile")
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), metavar="DAY",
              help="Compare everything from this day on; without it, as every night.")
def reconcile(since: datetime | None) -> None:
    """Compare card provider, bank statements and ledger, payment by payment. Exit 1: the provider did not answer."""
    site = current_app.extensions
    wrong = False
    for scope in jobs.scopes_with_work():
        with db.transaction():
            run_id = night.begin(scope, f"command {scope} {clock.now().isoformat()}")
        if run_id is None:
            continue
        night.run(run_id, site["sijin_gateway"], site["sijin_hands"], site["sijin"].files_dir,
                  clock.shanghai(since.date()) if since else None)
        row = db.session().execute(select(db.table(Reconciliation)).where(Reconciliation.id == run_id)).one()
        click.echo(f"{scope}: {row.compared} compared, {row.differences} differ, {row.healed} right again"
                   + (f"; {row.error}" if row.error else ""))
        wrong = wrong or bool(row.error)
    if wrong:
        sys.exit(1)
