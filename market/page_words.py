"""What every template may say: money and days, what was typed, menus, addresses of static files."""

import hashlib
import secrets
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from flask import Flask, current_app, g, request, url_for
from flask_login import current_user

from market import clock, i18n, menus, money, table_cards, words
from market.i18n import gettext as _


def init_app(app: Flask) -> None:
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters.update(
        yuan=money.yuan, plain_yuan=money.plain_yuan, quantity=money.decimal_text, plain_quantity=money.plain_decimal,
        kilograms=money.decimal_text, plain_kilograms=money.plain_decimal, percent=money.percent, day=_day,
        moment=_moment, jin=money.jin, jin_price=money.jin_price,
        with_labels=table_cards.with_labels,
    )
    app.jinja_env.globals.update(
        static_url=static_url, submit_token=submit_token, acting_for=acting_for,
        switch_language_url=switch_language_url, words=words, typed=typed,
        errors_of=errors_of, refusal=refusal, in_locale=i18n.in_locale, can=menus.can,
        menu_entries=menus.menu_entries, today=clock.today,
    )
    app.context_processor(lambda: {"locale": i18n.locale(), "installation_is_demo": installation_is_demo()})
    app.extensions["sijin_demo"] = lambda: False


def installation_is_demo() -> bool:
    """Whether this installation holds the invented demo world; wsgi.py hands the answer in."""
    return bool(current_app.extensions["sijin_demo"]())


def typed(name: str, default: Any = "") -> Any:
    """What the visitor typed into a refused form, else the default."""
    return request.form.get(name, default) if g.get("refusal") else default


def errors_of(name: str) -> list[str]:
    """The messages at one field of a refused form."""
    return list(g.get("refused_fields", {}).get(name, []))


def refusal() -> str | None:
    """The sentence above a refused form."""
    error = g.get("refusal")
    return error.message(_) if error else None


def submit_token() -> str:
    """A fresh token for a form that creates something."""
    return secrets.token_urlsafe(16)


def acting_for() -> int | str:
    """The organisation that a form is filled in for; empty for nobody's."""
    return current_user.organisation_id or ""


def switch_language_url(locale: str) -> str:
    """This page in the other language."""
    arguments = {**(request.view_args or {}), **request.args.to_dict(), "lang": locale}
    try:
        return url_for(request.endpoint or "", **arguments) if request.method == "GET" else f"/?lang={locale}"
    except Exception:  # noqa: BLE001 - an error page has no address of its own
        return f"/?lang={locale}"


def static_url(path: str) -> str:
    """A static file's address with a mark of its content, so that it may be kept for a year."""
    return f"/static/{path}?v={_mark(str(Path(current_app.static_folder or '') / path))}"


@cache
def _mark(path: str) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()[:10]


def _day(value: Any) -> str:
    return value.isoformat() if value else ""


def _moment(value: datetime | None) -> str:
    return value.astimezone(clock.SHANGHAI).strftime("%Y-%m-%d %H:%M") if value else ""
