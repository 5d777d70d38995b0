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
from orders.demo import practising
from tests import databases, servers
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


def test_the_demo_practises_cards_with_a_third_process(world: World, database_url: str, data_dir: Path) -> None:
    port = servers.free_port()
    variables = servers.environment(
        database_url, data_dir, PORT=str(port), WEB_WORKERS="1", STRIPE_SECRET_KEY="", STRIPE_API="",
        PRACTICE_PORT=str(servers.free_port()))
    provider = Server(int(variables["PRACTICE_PORT"]))
    with open(data_dir / "log", "w") as log:
        process = subprocess.Popen([sys.executable, "-m", "flask", "--app", "wsgi", "demo", "run"], cwd=serving.ROOT,
                                   stdout=log, env=variables)
    try:
        servers.wait_until_alive(Server(port), process)
        first = wait_for_child(process.pid, "orders.practice.cli")
        wait_until_it_listens(provider)
        os.kill(first, signal.SIGKILL)
        assert wait_for_child(process.pid, "orders.practice.cli", other_than=first) != first
        wait_until_it_listens(provider)
        settings = environment_of(wait_for_child(process.pid, "wsgi worker"))
        assert settings["STRIPE_API"] == provider.address
        assert settings["STRIPE_SECRET_KEY"].startswith("sk_test_")
        assert settings["STRIPE_WEBHOOK_SECRET"] == (data_dir / practising.SECRET).read_text()
        process.terminate()
        assert process.wait(serving.SECONDS_TO_END + 10) == 0
    finally:
        if process.poll() is None:
            servers.end(process)
    with pytest.raises(OSError, match="refused"):
        provider.ask("GET", "/c/pay/unknown")
    assert children(process.pid) == {}
    assert f"practice (演练) at {provider.address}" in (data_dir / "log").read_text()


@pytest.mark.parametrize("settings", [
    {"STRIPE_SECRET_KEY": "sk_test_of_ours"}, {"STRIPE_SECRET_KEY": "", "CARD_PAYMENTS": "off"}])
def test_without_need_nothing_is_practised(tmp_path: Path, settings: dict[str, str]) -> None:
    assert practising.helpers(databases.settings("sqlite://", tmp_path, **settings), "127.0.0.1", 8000) == ()


def test_the_provider_rings_where_the_site_listens(world: World, tmp_path: Path) -> None:
    chosen = databases.settings("sqlite://", tmp_path, STRIPE_SECRET_KEY="", STRIPE_API="", PRACTICE_PORT="9000")
    [everywhere], [one] = practising.helpers(chosen, "0.0.0.0", 8000), practising.helpers(chosen, "10.0.0.5", 8000)
    assert everywhere.command[-1] == "http://127.0.0.1:8000/webhooks/stripe"
    assert one.command[-1] == "http://10.0.0.5:8000/webhooks/stripe"
    assert everywhere.environment == one.environment  # the secret is kept
    assert everywhere.environment["STRIPE_API"] == "http://127.0.0.1:9000"


def wait_until_it_listens(provider: Server) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            assert provider.ask("GET", "/c/pay/unknown").status == 404
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        else:
            return


def environment_of(pid: int) -> dict[str, str]:
    pairs = (Path("/proc") / str(pid) / "environ").read_text().split("\0")
    return dict(pair.split("=", 1) for pair in pairs if "=" in pair)


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
    return wait_for_child(pid, "wsgi worker ", other_than)


def wait_for_child(pid: int, words: str, other_than: int = 0) -> int:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        for child, command in children(pid).items():
            if words in command and child != other_than:
                return child
        time.sleep(0.1)
    raise AssertionError(f"no {words}")


def wait_until_ready(server: Server) -> None:
    """The index has been followed, so the new worker is at work."""
    deadline = time.monotonic() + 60
    while (answer := server.ask("GET", "/readyz")).status != 200:
        assert time.monotonic() < deadline, answer.body
        time.sleep(0.2)
