"""`flask --app wsgi demo load [--orders N]` and `demo users`."""

import json
import os
import sys
from datetime import date, datetime
from typing import Any

import click
from flask import current_app
from flask.cli import AppGroup
from flask_migrate import upgrade
from sqlalchemy import select

from market import clock, db, sealing, serving
from market.parties import Membership, Organisation
from market.users import User
from orders.demo import bulletins, evidence, exports, practising
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
    _load(orders, today.date() if today else clock.today(), if_empty)


def _load(orders: int, day: date, if_empty: bool) -> None:
    _refuse_production()
    if if_empty and demo.is_settled():
        click.echo("The site is in use; nothing was loaded.")
        return
    with click.progressbar(length=max(orders, 1), label="demo world") as bar:
        demo.load(orders, day, current_app.extensions["sijin"].data_dir / "files",
                  lambda _stage, done, _of: bar.update(min(done, orders) - bar.pos))
    sealed = sealing.seal_all()
    evidence.draw(day)  # a sample is drawn from sealed blocks
    exports.ask(day)
    bulletins.tell(day)
    click.echo(f"The demo world is loaded; {sealed} ledger rows sealed. Everything in it is invented (演示数据).")


def _refuse_production() -> None:
    """Everybody in the demo world has the same password, which is printed."""
    if current_app.extensions["sijin"].production:
        raise click.ClickException("The demo world is for practice; a site in production takes none of its logins.")


@group.command("run")
def run() -> None:
    """Migrate, fill an empty site with the demo world, tell the logins, then serve: one start instead of four."""
    _refuse_production()
    upgrade()
    _load(demo.ORDERS, clock.today(), if_empty=True)
    _tell(_people(), everybody=False)
    host, port = os.environ.get("HOST") or "127.0.0.1", os.environ.get("PORT") or "8000"
    chosen = current_app.extensions["sijin"]
    helpers = practising.helpers(chosen, host, int(port))
    for helper in helpers:
        click.echo(f"Card, Alipay and WeChat Pay are practice (演练) at {helper.environment['STRIPE_API']}; "
                   "no money moves.")
    click.echo(f"四进 Sijin: http://{host}:{port}  (Ctrl-C ends everything)")
    db.db.session.remove()
    db.db.engine.dispose()  # the web processes open connections of their own
    sys.exit(serving.run(chosen, helpers))


@group.command("users")
@click.option("--json", "as_json", is_flag=True, help="for programs: everybody")
@click.option("--all", "everybody", is_flag=True, help="everybody, not only the people of one whole order")
def users(as_json: bool, everybody: bool) -> None:
    """List demo logins with password, organisation and roles: the people of one whole order, or everybody."""
    people = _people()
    if as_json:
        click.echo(json.dumps(people, ensure_ascii=False, indent=1))
        return
    _tell(people, everybody)


def _tell(people: list[dict[str, Any]], everybody: bool) -> None:
    shown = people if everybody else _people_of_one_order(people)
    if not shown:
        click.echo("No demo people here.")
        return
    click.echo(f"Demo logins, all with the password {PASSWORD}:")
    for person in shown:
        click.echo(f"  {person['login']:<22}{person['organisation']}  ({', '.join(person['roles'])})")
    if not everybody:
        click.echo(f"  and {len(people) - len(shown)} more: flask --app wsgi demo users --all")


def _people_of_one_order(people: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The first unit's and the first co-operative's people, and of every other role the first person."""
    firsts: dict[str, str] = {}
    for person in people:
        firsts.setdefault(person["kind"], person["organisation"])
    shown, seen = [], set[str]()
    for person in people:
        new_roles = set(person["roles"]) - seen
        mine = person["kind"] != "office" and firsts[person["kind"]] == person["organisation"]
        if mine or (person["kind"] == "office" and new_roles):
            shown.append(person)
            seen |= set(person["roles"])
    return shown


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
        if row.role not in person["roles"]:  # an accountant has it in several co-operatives
            person["roles"].append(row.role)
    return list(people.values())
