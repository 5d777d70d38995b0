"""One command, two processes: a shot worker comes back, and one signal ends everything."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from market import serving
from tests import servers
from tests.servers import Server
from tests.world import PASSWORD, World

pytestmark = pytest.mark.slow


def test_web_and_worker_run_together_and_end_together(
        world: World, backend: str, database_url: str, data_dir: Path) -> None:
    asked = {"sqlite": signal.SIGINT, "postgresql": signal.SIGTERM}[backend]  # Ctrl-C, and what systemd sends
    port = servers.free_port()
    with open(data_dir / "log", "w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "flask", "--app", "wsgi", "serve"], cwd=serving.ROOT, stdout=log,
            env=servers.environment(database_url, data_dir, PORT=str(port), WEB_WORKERS="1"))
    server = Server(port)
    try:
        servers.wait_until_alive(server, process)
        first = wait_for_worker(process.pid)
        os.kill(first, signal.SIGKILL)
        assert wait_for_worker(process.pid, other_than=first) != first
        wait_until_ready(server)
        assert server.ask("GET", "/metrics").status == 200
        assert server.ask("POST", "/login", {"login": "cook.chen", "password": PASSWORD}).status == 400
        began = time.monotonic()
        process.send_signal(asked)
        assert process.wait(serving.SECONDS_TO_END + 10) == 0
        assert time.monotonic() - began < serving.SECONDS_TO_END + 10
    finally:
        if process.poll() is None:
            servers.end(process)
    with pytest.raises(OSError, match="refused"):
        server.ask("GET", "/healthz")
    assert children(process.pid) == {}
    check_log((data_dir / "log").read_text())


def check_log(text: str) -> None:
    """One JSON object a line; a request has its id, its route and its outcome, and never what was sent."""
    lines = [json.loads(line) for line in text.splitlines()]
    requests = [line for line in lines if line["event"] == "request"]
    assert [(line["endpoint"], line["status"]) for line in requests] == [("account.login", 400)]
    assert len(requests[0]["request_id"]) == 16
    assert PASSWORD not in text
    assert "worker ended, starting another" in {line["event"] for line in lines}


def children(pid: int) -> dict[int, str]:
    """The command lines of a process's living children."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            stat, command = (folder / "stat").read_text(), (folder / "cmdline").read_text()
        except OSError:
            continue  # it has just ended
        state, parent = stat.rpartition(")")[2].split()[:2]
        if int(parent) == pid and state != "Z":
            found[int(folder.name)] = command.replace("\0", " ")
    return found


def wait_for_worker(pid: int, other_than: int = 0) -> int:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        for child, command in children(pid).items():
            if command.endswith("wsgi worker ") and child != other_than:
                return child
        time.sleep(0.1)
    raise AssertionError("no worker")


def wait_until_ready(server: Server) -> None:
    """The index has been followed, so the new worker is at work."""
    deadline = time.monotonic() + 60
    while (answer := server.ask("GET", "/readyz")).status != 200:
        assert time.monotonic() < deadline, answer.body
        time.sleep(0.2)
