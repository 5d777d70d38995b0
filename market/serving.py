"""Web server and worker as two child processes of one command: watched, restarted, ended together."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import structlog

from market.config import Config

ROOT = Path(__file__).parent.parent
SETTINGS = ROOT / "deploy" / "gunicorn.conf.py"
WEB = (sys.executable, "-m", "gunicorn", "--config", str(SETTINGS), "wsgi:app")
WORKER = (sys.executable, "-m", "flask", "--app", "wsgi", "worker")
SECONDS_TO_END = 12  # gunicorn's graceful_timeout and the worker's own limit lie below
LOOK_SECONDS = 0.2
PAUSE_SECONDS = 1.0  # between the death of a worker and the next one

log = structlog.get_logger("sijin.serving")


def run(config: Config) -> int:
    """Serve until SIGINT or SIGTERM, or until the web server ends by itself; returns the exit status."""
    stopping = threading.Event()
    for asked in (signal.SIGINT, signal.SIGTERM):
        signal.signal(asked, lambda _number, _frame: stopping.set())
    environment = {**os.environ, "DATA_DIR": str(config.data_dir)}
    web, worker = _start(WEB, environment), _start(WORKER, environment)
    while not stopping.wait(LOOK_SECONDS) and web.poll() is None:
        if worker.poll() is not None:
            log.warning("worker ended, starting another", status=worker.returncode)
            stopping.wait(PAUSE_SECONDS)
            worker = _start(WORKER, environment)
    asked_to_stop = stopping.is_set()
    _end(web, worker)
    return 0 if asked_to_stop else web.returncode or 1


def _start(command: tuple[str, ...], environment: dict[str, str]) -> subprocess.Popen[bytes]:
    """In a session of its own, so that Ctrl-C reaches only us and both can end in order."""
    return subprocess.Popen(command, cwd=ROOT, env=environment, start_new_session=True)  # noqa: S603 - fixed words


def _end(*children: subprocess.Popen[bytes]) -> None:
    for child in children:
        if child.poll() is None:
            child.terminate()
    deadline = time.monotonic() + SECONDS_TO_END
    for child in children:
        try:
            child.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
