"""Pages about the site itself: alive, ready, metrics, the page of all components."""

from flask import Blueprint, Response, current_app, jsonify, render_template
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest, multiprocess
from sqlalchemy import text

from market import db, limits, outbox
from market.access import public

bp = Blueprint("site", __name__)


@bp.get("/healthz")
@public
@limits.limiter.exempt
def healthz() -> Response:
    """Alive: the process answers."""
    return Response("ok\n", mimetype="text/plain")


@bp.get("/patterns")
@public
def patterns() -> str:
    """Every component, in every state."""
    return render_template("market/patterns.html")
