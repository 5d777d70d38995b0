"""The worker: does, again and again, what no request should wait for.

The tables are the truth: each job looks there for what is due, so a worker that is killed loses nothing, and several
may run at once. Huey, in memory, is only the clock that rings the jobs.
"""

import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from flask import Flask, current_app
from huey import MemoryHuey, crontab
from huey.consumer import Consumer

from market import db, outbox, sealing

log = structlog.get_logger("sijin.worker")

THREADS = 3  # a long sealing must not keep messages waiting
MESSAGES = 50  # in one turn
SECONDS_TO_END = 8
HEALTH_SECONDS = 10


@dataclass(frozen=True)
class Job:
    """Something to do every so many seconds, or every night at three (seconds None).

    `work` does a bounded turn; it returns True where more of the same is waiting already.
    """

    name: str
    work: Callable[[], object]
    seconds: int | None


def drain_outbox() -> bool:
    """Hand due messages to their handlers (`app.extensions["sijin_handlers"]`), some of them in one turn."""
    return outbox.drain(current_app.extensions["sijin_handlers"], MESSAGES) == MESSAGES


OWN_JOBS = (
    Job("outbox", drain_outbox, seconds=1),
    Job("ledger", sealing.seal_all, seconds=5),
    Job("sweep", outbox.sweep, seconds=None),
)


def jobs_of(app: Flask) -> tuple[Job, ...]:
    """Our own jobs and those of the storeys above (`app.extensions["sijin_jobs"]`)."""
    return (*OWN_JOBS, *app.extensions["sijin_jobs"])


def run_once(app: Flask) -> None:
    """Every job until nothing of it waits; a failure is written down and the others are done."""
    for job in jobs_of(app):
        while _run(app, job):
            pass


def run(app: Flask) -> None:
    """Work until SIGTERM or SIGINT; the jobs in hand are finished first."""
    jobs = jobs_of(app)
    clock = MemoryHuey("sijin", results=False, utc=True)
    for job in jobs:
        _set_ringing(clock, app, job)
    consumer = Consumer(clock, workers=THREADS, max_delay=1.0, shutdown_timeout=SECONDS_TO_END)
    consumer.start()
    stopping = threading.Event()
    for asked in (signal.SIGTERM, signal.SIGINT):
        signal.signal(asked, lambda _number, _frame: stopping.set())
    log.info("worker started", jobs=[job.name for job in jobs])
    while not stopping.wait(HEALTH_SECONDS):
        consumer.check_worker_health()
    consumer.stop(graceful=True)
    log.info("worker ended")


def _set_ringing(clock: MemoryHuey, app: Flask, job: Job) -> None:
    """A job with a period rings itself anew when it has ended, so that a slow one never piles up."""
    if job.seconds is None:
        clock.periodic_task(crontab(minute="0", hour="19"), name=job.name)(lambda: _run(app, job))  # 3:00 in Shanghai
        return

    def ring() -> None:
        if _run(app, job):
            task()
        else:
            task.schedule(delay=job.seconds)

    task = clock.task(name=job.name)(ring)
    task()


def _run(app: Flask, job: Job) -> bool:
    """One turn of a job, and whether more waits; its failure is written down and the job comes again."""
    with app.app_context():
        try:
            return job.work() is True
        except Exception:  # whatever happened, the next turn looks at the tables again
            db.session().rollback()
            log.exception("job failed", job=job.name)
            return False
