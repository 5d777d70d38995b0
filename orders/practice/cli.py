"""The practice provider as an app of its own, and `python -m orders.practice.cli`: the demo's third process."""

import argparse
import json
import os
import threading
from pathlib import Path

from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

from orders.practice import api, page_routes
from orders.practice.knowing import know
from orders.practice.provider import Provider

SWEEP_SECONDS = 2.0


class Quiet(WSGIRequestHandler):
    """No line for every call: the shop's own log tells of them."""

    protocol_version = "HTTP/1.1"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nothing."""


def create_app(provider: Provider) -> Flask:
    """The provider's API and pages; nothing of the shop's."""
    app = Flask("orders.practice", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = 1024 * 1024
    app.json.sort_keys = False  # type: ignore[attr-defined]  # the default provider has it
    app.extensions["practice"] = provider
    app.register_blueprint(api.bp)
    app.register_blueprint(page_routes.bp)
    return app


def main() -> None:
    """Serve on loopback until told to stop."""
    arguments = argparse.ArgumentParser(description="The practice card provider, on 127.0.0.1 only.")
    arguments.add_argument("--port", type=int, required=True)
    arguments.add_argument("--books", type=Path, required=True, help="file that holds what it remembers")
    arguments.add_argument("--known", type=Path, help="what it has known before, as JSON")
    arguments.add_argument("--webhooks", default="", help="where it rings")
    chosen = arguments.parse_args()
    provider = Provider(os.environ["STRIPE_WEBHOOK_SECRET"], chosen.books, chosen.webhooks)
    if chosen.known:
        know(provider, json.loads(chosen.known.read_text(encoding="utf-8")))
    provider.bells.start()
    threading.Thread(target=_sweep, args=(provider,), daemon=True).start()
    make_server("127.0.0.1", chosen.port, create_app(provider), threaded=True, request_handler=Quiet).serve_forever()


def _sweep(provider: Provider) -> None:
    """Expire what nobody has paid in time."""
    while not threading.Event().wait(SWEEP_SECONDS):
        provider.sessions.expire_due()


if __name__ == "__main__":
    main()
