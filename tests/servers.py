"""Real servers for tests: gunicorn with the product's own settings, on a port of its own."""

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from market import serving
from tests import databases

SECONDS_TO_START = 60


@dataclass(frozen=True)
class Answer:
    """What came back over the wire."""

    status: int
    body: str

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Server:
    """A running site."""

    port: int

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(self, method: str, path: str, content: Any = None, headers: Mapping[str, str] | None = None) -> Answer:
        """One request over a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        body = None if content is None else json.dumps(content)
        try:
            connection.request(method, path, body, {"Content-Type": "application/json", **(headers or {})})
            answer = connection.getresponse()
            return Answer(answer.status, answer.read().decode())
        finally:
            connection.close()


def environment(url: str, folder: Path, **more: str) -> dict[str, str]:
    """The environment of a process that works on a test's database and data folder."""
    return {**os.environ, **databases.environment(url, folder), **more}


@contextmanager
def running(url: str, folder: Path, target: str = "wsgi:app", workers: int = 4, quiet: bool = False,
            **more: str) -> Iterator[Server]:
    """A gunicorn on a database and data folder, until the block ends; `quiet` drops its request log."""
    port = free_port()
    variables = environment(url, folder, HOST="127.0.0.1", PORT=str(port), WEB_WORKERS=str(workers), **more)
    command = [sys.executable, "-m", "gunicorn", "--config", str(serving.SETTINGS), target]
    process = subprocess.Popen(command, cwd=serving.ROOT, env=variables,
                               stdout=subprocess.DEVNULL if quiet else None)
    try:
        server = Server(port)
        wait_until_alive(server, process)
        yield server
    finally:
        end(process)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def wait_until_alive(server: Server, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < deadline:
        assert process.poll() is None, f"the server ended with status {process.returncode}"
        try:
            if server.ask("GET", "/healthz").status == 200:
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"the server did not answer within {SECONDS_TO_START} s")


def end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
