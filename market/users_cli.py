"""Commands about logins: `flask --app wsgi users token LOGIN`, `users create`, `users password`."""

import click
from flask import current_app
from flask.cli import AppGroup

from market import credentials, db, journal, logins, passwords, second_factor
from market.access import Visitor
from market.errors import MarketError
from market.i18n import gettext as _

group = AppGroup("users", help="Logins and API tokens.")


@group.command("token")
@click.argument("login")
@click.option("--days", default=30, type=click.IntRange(1, 365), show_default=True, help="How long it is good.")
def token(login: str, days: int) -> None:
    """Print an API token for a person; in production the person's second-factor code is asked for."""
    visitor = _known(login)
    if current_app.extensions["sijin"].production:
        _ask_for_code(visitor)
    with db.transaction():
        made = logins.issue_api_token(visitor.id, visitor.organisation_id, days)
        journal.record("login.token_issued", "user", visitor.id, visitor, days=days)
    click.echo(made)


@group.command("create")
@click.argument("login")
@click.option("--name", required=True)
@click.option("--mobile")
@click.option("--organisation", "organisation_id", type=int, help="Id of the organisation the person acts for.")
@click.option("--role", "roles", multiple=True, help="May be given several times.")
@click.password_option()
def create(login: str, name: str, mobile: str | None, organisation_id: int | None, roles: tuple[str, ...],
           password: str) -> None:
    """Make a login."""
    with _spoken(), db.transaction():
        passwords.refuse_easy_password(password, login, mobile)
        user_id = credentials.create_person(login, name, password, mobile)
        for role in roles:
            credentials.add_role(user_id, organisation_id or 0, role)
    click.echo(f"{login} made.")


@group.command("password")
@click.argument("login")
@click.password_option()
def password_(login: str, password: str) -> None:
    """Set a new password; everything that let the person in ends."""
    visitor = _known(login)
    with _spoken(), db.transaction():
        passwords.refuse_easy_password(password, login)
        credentials.set_password(visitor.id, password)
        logins.end_all_sessions(visitor.id)
        journal.record("login.password_set", "user", visitor.id, None)
    click.echo(f"The password of {login} is set.")


def _known(login: str) -> Visitor:
    visitor = logins.visitor_of_login(login)
    if visitor is None:
        raise click.ClickException(f"Nobody has the login {login}.")
    return visitor


def _ask_for_code(visitor: Visitor) -> None:
    code = click.prompt("Second-factor code", hide_input=True)
    with db.transaction():
        right = second_factor.prove(visitor.id, code, "command line")
    if not right:
        raise click.ClickException("This code is wrong or was used before.")


class _spoken:
    """Refusals as one line instead of a traceback."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, MarketError):
            fields = error.field_messages(_)
            raise click.ClickException(" ".join(m for messages in fields.values() for m in messages)
                                       or error.message(_)) from None
