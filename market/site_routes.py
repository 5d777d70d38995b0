"""Pages about the site itself: alive, ready, metrics, the page of all components."""

from flask import Blueprint, Response, jsonify, render_template
from prometheus_client import CONTENT_TYPE_LATEST

from market import limits, metrics, readiness
from market.access import public

bp = Blueprint("site", __name__)


@bp.get("/healthz")
@public
@limits.limiter.exempt
def healthz() -> Response:
    """Alive: the process answers."""
    return Response("ok\n", mimetype="text/plain")


@bp.get("/readyz")
@public
@limits.limiter.exempt
def readyz() -> tuple[Response, int]:
    """Ready for visitors; 503 with the reasons when not."""
    problems = readiness.problems()
    return jsonify({"ready": not problems, "problems": problems}), 503 if problems else 200


@bp.get("/metrics")
@public
@limits.limiter.exempt
def metrics_() -> Response:
    """Figures for Prometheus; the proxy keeps this address inside (deploy/nginx.conf)."""
    return Response(metrics.exposition(), content_type=CONTENT_TYPE_LATEST)


@bp.get("/patterns")
@public
def patterns() -> str:
    """Every component, in every state."""
    return render_template("market/patterns.html")
