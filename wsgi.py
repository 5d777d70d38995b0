"""Assembles the app; the only file that knows all packages. Importing it does no I/O."""

import os
from typing import Any

from flask import Flask
from flask_migrate import Migrate
from werkzeug.middleware.proxy_fix import ProxyFix
from whitenoise import WhiteNoise

import catalog.models
import orders.models
from market import (
    account_routes,
    config,
    db,
    files,
    households,
    i18n,
    journal,
    ledger,
    ledger_cli,
    login_frame,
    login_routes,
    outbox,
    parties,
    passwords,
    places,
    places_cli,
    reset_routes,
    sealing,
    settings,
    site_routes,
    submissions,
    users,
    users_cli,
    web,
)

# a table counts once its module is read
TABLES = (places, parties, households, users, settings, files, ledger, sealing, journal, outbox, submissions,
          catalog.models, orders.models)
BLUEPRINTS = (site_routes.bp, account_routes.bp, reset_routes.bp)
COMMANDS = (places_cli.group, users_cli.group, ledger_cli.group)
MENUS = (login_routes.MENU, reset_routes.MENU)
A_YEAR = 31_536_000


def create_app(chosen: config.Config | None = None) -> Flask:
    """The whole site. Raises config.UnsafeSettings where production would start unsafely."""
    chosen = chosen or config.from_environment()
    app = Flask(__name__)
    app.config.from_mapping(chosen.for_flask())
    app.extensions["sijin"] = chosen
    passwords.choose_cost(chosen.low_cost_hashes)
    db.init_app(app, chosen.data_dir)
    Migrate(app, db.db, directory=os.path.join(app.root_path, "market", "migrations"), render_as_batch=True)
    i18n.init_app(app)
    login_frame.init_app(app)
    web.init_app(app, chosen)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    for menu in MENUS:
        web.add_menu(app, *menu)
    for group in COMMANDS:
        app.cli.add_command(group)
    app.wsgi_app = WhiteNoise(  # type: ignore[method-assign]
        app.wsgi_app, root=app.static_folder, prefix="static/", max_age=A_YEAR
    )
    if chosen.proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=chosen.proxies, x_proto=chosen.proxies)  # type: ignore[method-assign]
    return app


def __getattr__(name: str) -> Any:
    """`wsgi:app` for servers and commands, made when first asked for: an import must not touch the disk."""
    if name != "app":
        raise AttributeError(name)
    globals()["app"] = made = create_app()
    return made
