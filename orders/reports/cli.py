"""Reports without a browser: `flask --app wsgi report village-income --period 2026-10 --format csv --output FILE`."""

import json
from pathlib import Path

import click
from flask.cli import with_appcontext
from marshmallow import ValidationError

from market import page_words, sheets
from market.errors import MarketError
from market.i18n import gettext as _
from market.schemas import Month
from orders.reports.frame import Asked, as_json, as_table, fill
from orders.reports.readers import PUBLIC, WHOLE
from orders.reports.routes import REPORTS


@click.command("report")
@click.argument("name", type=click.Choice(sorted(REPORTS)))
@click.option("--period", required=True, metavar="YYYY-MM", help="The month, or the first of several.")
@click.option("--to", "last", metavar="YYYY-MM", help="The last month; without it, one month.")
@click.option("--format", "kind", type=click.Choice(["csv", "xlsx", "json"]), default="csv", show_default=True)
@click.option("--county", help="Code of a county.")
@click.option("--every", is_flag=True, help="Also villages with nothing in these months.")
@click.option("--public", "as_public", is_flag=True, help="Only what everybody may see.")
@click.option("--output", required=True, type=click.Path(dir_okay=False, writable=True, path_type=Path))
@with_appcontext
def report(name: str, period: str, last: str | None, kind: str, county: str | None, every: bool, as_public: bool,
           output: Path) -> None:
    """Write a report to a file."""
    asked = Asked(_month(period), _month(last or period), county, every=every)
    try:
        filled = fill(REPORTS[name], asked, PUBLIC if as_public else WHOLE, page_words.installation_is_demo())
    except MarketError as refusal:
        raise click.ClickException("; ".join(m for found in refusal.field_messages(_).values() for m in found)
                                   or refusal.message(_)) from refusal
    if kind == "json":
        output.write_text(json.dumps(as_json(filled), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    else:
        output.write_bytes((sheets.write_csv if kind == "csv" else sheets.write_xlsx)(as_table(filled)))
    click.echo(f"{filled.title}, {filled.period}: {len(filled.content.rows)} rows in {output}")


def _month(text: str) -> str:
    try:
        return Month().deserialize(text)
    except ValidationError as error:
        raise click.BadParameter(f"{text} is not a month such as 2026-10") from error
