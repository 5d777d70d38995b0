"""`flask --app wsgi demo load [--orders N]` and `demo users`."""

import json
from datetime import date, datetime
from typing import Any

import click
from flask import current_app
from flask.cli import AppGroup
from sqlalchemy import select

from market import clock, db, sealing
from market.parties import Membership, Organisation
from market.users import User
from orders.demo import load as demo
from orders.demo.settlers import PASSWORD

group = AppGroup("demo", help="The demo world: invented people on real places.")


@group.command("load")
@click.option("--orders", default=demo.ORDERS, show_default=True, type=click.IntRange(0, 1_000_000),
              help="about how many orders in twelve months")
@click.option("--today", type=click.DateTime(["%Y-%m-%d"]), help="the day on which the year of trade ends")
@click.option("--if-empty", is_flag=True, help="do nothing where the site is in use already")
def load(orders: int, today: datetime | None, if_empty: bool) -> None:
    """Fill an empty site with the demo world."""
    if if_empty and demo.is_settled():
        click.echo("The site is in use; nothing was loaded.")
        return
    day: date = today.date() if today else clock.today()
    with click.progressbar(length=max(orders, 1), label="demo world") as bar:
        demo.load(orders, day, current_app.extensions["sijin"].data_dir / "files",
                  lambda _stage, done, _of: bar.update(min(done, orders) - bar.pos))
    sealed = sealing.seal_all()
    click.echo(f"The demo world is loaded; {sealed} ledger rows sealed. Everything in it is invented (演示数据).")


@group.command("users")
@click.option("--json", "as_json", is_flag=True, help="for programs")
def users(as_json: bool) -> None:
    """List the demo logins with password, organisation and roles."""
    people = _people()
    if as_json:
        click.echo(json.dumps(people, ensure_ascii=False, indent=1))
        return
    for person in people:
        click.echo(f"{person['login']:<24}{PASSWORD}  {person['organisation']}  {'、'.join(person['roles'])}")


def _people() -> list[dict[str, Any]]:
    rows = db.session().execute(
        select(User.login, User.name, Organisation.name.label("organisation"), Organisation.kind, Membership.role)
        .join(Membership, Membership.user_id == User.id)
        .join(Organisation, Organisation.id == Membership.organisation_id).order_by(User.id, Membership.id))
    people: dict[str, dict[str, Any]] = {}
    for row in rows:
        person = people.setdefault(row.login, {
            "login": row.login, "password": PASSWORD, "name": row.name, "organisation": row.organisation,
            "kind": row.kind, "roles": []})
        person["roles"].append(row.role)
    return list(people.values())
