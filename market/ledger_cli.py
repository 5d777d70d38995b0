"""Commands about the ledger: `flask --app wsgi ledger seal`, `ledger check`, `ledger head`."""

import sys

import click
from flask.cli import AppGroup

from market import audit, db, heads, ledger_frame, sealing

group = AppGroup("ledger", help="Seal and audit the ledger.")
SHOWN = 20


@group.command("seal")
def seal() -> None:
    """Chain every committed transfer into blocks and add it to the figures of its village."""
    click.echo(f"{sealing.seal_all()} transfers sealed.")
    _say_head()


@group.command("head")
def head() -> None:
    """Print the newest head, NUMBER:HASH, to be kept elsewhere."""
    _say_head()


@group.command("check")
@click.option("--head", "given", multiple=True, metavar="NUMBER:HASH", help="A head kept elsewhere; may be repeated.")
def check(given: tuple[str, ...]) -> None:
    """Audit everything: rows, blocks, heads, figures, documents. Exit 1 names what does not agree."""
    try:
        outside = [heads.parse(text, "the command line") for text in given]
    except ValueError as error:
        raise click.BadParameter(f"{error} is not NUMBER:HASH", param_hint="--head") from error
    problems = audit.check(outside, ledger_frame.heads_file())
    for problem in problems[:SHOWN]:
        click.echo(problem.message())
    if len(problems) > SHOWN:
        click.echo(f"… and {len(problems) - SHOWN} more.")
    if problems:
        sys.exit(1)
    click.echo("The ledger agrees with itself, its heads, its figures and its documents.")
    _say_head()


def _say_head() -> None:
    with db.snapshot():
        newest = heads.newest()
    click.echo(f"Head {newest}" if newest else "Nothing is sealed yet.")
