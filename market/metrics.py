"""Figures for Prometheus: requests by endpoint, and what waits. No village, unit or person is ever a label."""

import os
import time
from collections.abc import Iterator

from flask import Flask, Response, current_app, g, request
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest, multiprocess
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy import func, select

from market import db
from market.ledger import LedgerTransfer
from market.outbox import OutboxMessage

REQUESTS = Counter("sijin_requests", "Requests answered", ["method", "endpoint", "status"])
SECONDS = Histogram("sijin_request_seconds", "Time to the answer", ["endpoint"],
                    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10))


class Waiting(Collector):
    """What waits in the database, counted when it is asked for."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        with db.snapshot() as session:
            messages = session.scalar(select(func.count()).where(OutboxMessage.done_at.is_(None))) or 0
            unsealed = session.scalar(select(func.count()).where(LedgerTransfer.block_no.is_(None))) or 0
            figures = [(name, about, read()) for name, about, read in current_app.extensions["sijin_gauges"]]
        for name, about, value in figures:
            if value is not None:
                yield GaugeMetricFamily(name, about, value=value)
        yield GaugeMetricFamily("sijin_outbox_waiting", "Messages not yet delivered", value=messages)
        yield GaugeMetricFamily("sijin_ledger_unsealed", "Transfers not yet sealed", value=unsealed)


def init_app(app: Flask) -> None:
    app.after_request(_count)


def _count(response: Response) -> Response:
    endpoint = request.endpoint or "none"
    REQUESTS.labels(request.method, endpoint, response.status_code).inc()
    if "began" in g:
        SECONDS.labels(endpoint).observe(time.perf_counter() - g.began)
    return response


def exposition() -> bytes:
    """All figures of all web processes, in Prometheus' text format."""
    registry = CollectorRegistry()
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    else:
        registry.register(REQUESTS)
        registry.register(SECONDS)
    registry.register(Waiting())
    return generate_latest(registry)
