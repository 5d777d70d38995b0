"""Sending forms as a browser does: fetch the page, bring its CSRF token back."""

import re
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse


def csrf_token(client: FlaskClient, page: str = "/login") -> str:
    """The CSRF token of a page's form."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get(page).text)
    assert found is not None, f"{page} has no form"
    return found[1]


def send(client: FlaskClient, url: str, page: str | None = None, **fields: Any) -> TestResponse:
    """Post a form with the token of `page`, by default the page of the same address."""
    return client.post(url, data={"csrf_token": csrf_token(client, page or url), **fields})
