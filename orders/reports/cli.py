"""Reports without a browser: `flask --app wsgi report village-income --period 2026-10 --format csv --output FILE`."""

import json
from collections.abc import Callable
from pathlib import Path

import click
from flask.cli import with_appcontext
from marshmallow import ValidationError

from market import page_words, sheets
from market.errors import MarketError
from market.i18n import gettext as _
from market.schemas import Month
from orders.reports import asking, paper
from orders.reports.frame import COMPARISONS, FILTERS, STAGES, Filled, as_json, as_table, fill
from orders.reports.readers import PUBLIC, WHOLE
from orders.reports.routes import REPORTS

WRITERS: dict[str, Callable[[Filled], bytes]] = {
    "csv": lambda filled: sheets.write_csv(as_table(filled)),
    "xlsx": lambda filled: sheets.write_xlsx(as_table(filled)),
    "pdf": paper.pdf,
    "json": lambda filled: (json.dumps(as_json(filled), ensure_ascii=False, indent=1) + "\n").encode(),
}


@click.command("report")
@click.argument("name", type=click.Choice(sorted(REPORTS)))
@click.option("--period", required=True, metavar="YYYY-MM", help="The month, or the first of several.")
@click.option("--to", "last", metavar="YYYY-MM", help="The last month; without it, one month.")
@click.option("--format", "kind", type=click.Choice([*WRITERS]), default="csv", show_default=True)
@click.option("--county", help="Code of a county.")
@click.option("--township", help="Code of a township.")
@click.option("--village", help="Code of a village.")
@click.option("--filter", "filters", multiple=True, metavar="NAME=VALUE", help=f"One of {', '.join(FILTERS)}.")
@click.option("--stage", type=click.Choice([*STAGES]), help="Stage of the amounts, where the report has several.")
@click.option("--compare", multiple=True, type=click.Choice([*COMPARISONS]))
@click.option("--columns", help="Keys of the columns wanted, with commas between them.")
@click.option("--sort", help="Key of the column to sort by.")
@click.option("--every", is_flag=True, help="Also villages with nothing in these months.")
@click.option("--public", "as_public", is_flag=True, help="Only what everybody may see.")
@click.option("--output", required=True, type=click.Path(dir_okay=False, writable=True, path_type=Path))
@with_appcontext
def report(name: str, period: str, last: str | None, kind: str, filters: tuple[str, ...], every: bool, as_public: bool,
           output: Path, compare: tuple[str, ...], **plain: str | None) -> None:
    """Write a report to a file."""
    wishes = {"from": _month(period), "to": _month(last or period), "every": "1" if every else "",
              "compare": ",".join(compare), **plain, **_pairs(filters)}
    try:
        filled = _filled(name, {key: value for key, value in wishes.items() if value}, as_public)
        output.write_bytes(WRITERS[kind](filled))
    except MarketError as refusal:
        raise click.ClickException("; ".join(m for found in refusal.field_messages(_).values() for m in found)
                                   or refusal.message(_)) from refusal
    click.echo(f"{filled.title}, {filled.period}: {len(filled.content.rows)} rows in {output}")


def _filled(name: str, wishes: dict[str, str], as_public: bool) -> Filled:
    reader = PUBLIC if as_public else WHOLE
    return fill(REPORTS[name], asking.asked_for(reader, wishes), reader, page_words.installation_is_demo())


def _pairs(filters: tuple[str, ...]) -> dict[str, str]:
    pairs = dict(one.split("=", 1) for one in filters if "=" in one)
    if len(pairs) != len(filters) or not pairs.keys() <= {*FILTERS}:
        raise click.BadParameter(f"a filter is NAME=VALUE, its name one of {', '.join(FILTERS)}")
    return pairs


def _month(text: str) -> str:
    try:
        return Month().deserialize(text)
    except ValidationError as error:
        raise click.BadParameter(f"{text} is not a month such as 2026-10") from error
