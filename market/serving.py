"""Web server, worker and the demo's helpers as child processes of one command: watched, restarted, ended together."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import structlog

from market.config import Config

ROOT = Path(__file__).parent.parent
SETTINGS = ROOT / "deploy" / "gunicorn.conf.py"
WEB = (sys.executable, "-m", "gunicorn", "--config", str(SETTINGS), "wsgi:app")
WORKER = (sys.executable, "-m", "flask", "--app", "wsgi", "worker")
SECONDS_TO_END = 12  # gunicorn's graceful_timeout and the worker's own limit lie below
LOOK_SECONDS = 0.2
PAUSE_SECONDS = 1.0  # between the death of a worker or helper and the next one

log = structlog.get_logger("sijin.serving")


@dataclass(frozen=True)
class Helper:
    """A further process that the site needs beside it, and what web and worker must know of it."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]


def run(config: Config, helpers: tuple[Helper, ...] = ()) -> int:
    """Serve until SIGINT or SIGTERM, or until the web server ends by itself; returns the exit status."""
    stopping = threading.Event()
    for asked in (signal.SIGINT, signal.SIGTERM):
        signal.signal(asked, lambda _number, _frame: stopping.set())
    environment = {**os.environ, "DATA_DIR": str(config.data_dir)}
    for helper in helpers:
        environment |= helper.environment
    commands = {helper.name: helper.command for helper in helpers} | {"worker": WORKER}
    beside = {name: _start(command, environment) for name, command in commands.items()}
    web = _start(WEB, environment)
    while not stopping.wait(LOOK_SECONDS) and web.poll() is None:
        for name in [name for name, child in beside.items() if child.poll() is not None]:
            log.warning(f"{name} ended, starting another", status=beside[name].returncode)
            stopping.wait(PAUSE_SECONDS)
            beside[name] = _start(commands[name], environment)
    asked_to_stop = stopping.is_set()
    _end(web, beside.pop("worker"))  # first, while those they ask still answer
    _end(*beside.values())
    return 0 if asked_to_stop else web.returncode or 1


def _start(command: tuple[str, ...], environment: dict[str, str]) -> subprocess.Popen[bytes]:
    """In a session of its own, so that Ctrl-C reaches only us and all can end in order."""
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
