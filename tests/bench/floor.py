"""What the product's pages are measured against: a static string through the same app, and a bare page of the cards."""

import os
from typing import Any

from flask import Flask, render_template_string, request
from sqlalchemy import create_engine, text

from market.access import public
from wsgi import create_app

BARE_CARDS = text("""
    SELECT p.id, p.name, p.price_fen, p.unit, p.certified, p.picture, v.name AS village, t.name AS township,
           c.name AS county, o.short_name AS supplier,
           (SELECT sum(l.on_hand_milli - l.held_milli) FROM lot l WHERE l.product_id = p.id) AS in_store
    FROM product p JOIN division v ON v.id = p.village_id JOIN division t ON t.id = v.township_id
    JOIN division c ON c.id = v.county_id JOIN organisation o ON o.id = p.supplier_id
    WHERE p.state = 'listed' AND p.category_id = :category ORDER BY p.sold_milli DESC, p.id LIMIT 24
""")
BARE_PAGE = """<!doctype html><html lang="zh"><head><title>货架</title></head><body><ul>
{% for card in cards %}<li class="card"><a href="/products/{{ card.id }}">
<img src="/static/img/goods/{{ card.picture }}.svg" alt="">
<p>{{ card.village }} {{ card.township }} {{ card.county }}</p>
<h3>{{ card.name }}</h3><p>¥{{ '%.2f' % (card.price_fen / 100) }} / {{ card.unit }}</p>
<p>{{ card.supplier }} {{ card.in_store }}{% if card.certified %} <b>认定</b>{% endif %}</p></a></li>{% endfor %}
</ul></body></html>"""


def product() -> Flask:
    """The product with one route more: a string."""
    app = create_app()

    @app.get("/bench/static")
    @public
    def static_string() -> str:
        return "four ways in"

    return app


def bare() -> Flask:
    """Nothing but Flask, one Core query and one template: the same 24 cards without any of the product around them."""
    app = Flask("bare")
    engine = create_engine(os.environ["DATABASE_URL"])

    @app.get("/healthz")
    def healthz() -> str:
        return "ok"

    @app.get("/goods")
    def goods() -> str:
        with engine.connect() as connection:
            cards: Any = connection.execute(BARE_CARDS, {"category": int(request.args["category"])}).mappings().all()
        return render_template_string(BARE_PAGE, cards=cards)

    return app
