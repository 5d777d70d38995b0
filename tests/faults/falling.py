"""The product with workers that can be felled: a request may name the fault point at which its worker is killed.

It exists for tests only and starts with FAULTS=falling alone, which production refuses. The points themselves stand in
the product; here a header of the request arms one of them, so that a single server serves all falls.
"""

from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask

from market import faults
from wsgi import create_app

HEADER = "X-Fault"


def create() -> Flask:
    """The site whose requests may say where to fall."""
    made = create_app()
    if "falling" not in made.extensions["sijin"].faults:
        raise SystemExit("the workers of this site fall on purpose: it starts with FAULTS=falling only")
    answer = made.wsgi_app

    def fall_where_told(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        faults.arm({environ.get("HTTP_X_FAULT", "")} - {""})
        return answer(environ, start_response)

    made.wsgi_app = fall_where_told  # type: ignore[method-assign]
    return made
