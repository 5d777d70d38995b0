"""The product as it is, for rivals over the wire: `gunicorn "tests.faults.guarded:create()"`.

It has one more door, by which tests place purchases as JSON through the product's own verb.
"""

from datetime import date
from typing import Any

from flask import Flask, Response, jsonify, request
from flask_login import current_user

from market.access import requires
from market.web import csrf, once
from orders.buying import checkout
from orders.buying.checkout import Wish
from wsgi import create_app

DOOR = "/api/test/purchases"


@requires("purchase.place")
def place() -> Response:
    """{"delivery_point_id", "delivery_day", "lines": [[product id, milli]], "token"}: 201 with the number."""
    values: dict[str, Any] = request.get_json()
    wish = Wish(values["delivery_point_id"], date.fromisoformat(values["delivery_day"]), "morning")

    def work() -> Response:
        placed = checkout.place([(product, milli) for product, milli in values["lines"]], wish, values["token"],
                                current_user)
        answer = jsonify(id=placed.id, number=placed.number, total_fen=placed.total_fen)
        answer.status_code = 201
        return answer

    return once(work)


def create() -> Flask:
    """The site with the door."""
    made = create_app()
    made.add_url_rule(DOOR, "test_place", csrf.exempt(place), methods=["POST"])
    return made
