"""A client thin enough not to be what is measured: one socket, one request, the answer read to its end."""

import itertools
import json
import os
import random
import socket
from collections.abc import Callable, Mapping
from typing import Any

from tests.bench.placing import MILLI, TOMORROW, pick

Deed = Callable[[], None]


def get(port: int, paths: list[str], headers: Mapping[str, str]) -> Callable[[int], Deed]:
    """A deed that asks for one of the paths and insists on 200."""

    def make(number: int) -> Deed:
        chance = random.Random(number)
        requests = [_request("GET", path, headers, b"") for path in paths]
        return lambda: _expect(_send(port, chance.choice(requests)), b"200")

    return make


def order(port: int, tokens: list[str], point: int, products: list[int], lines: int) -> Callable[[int], Deed]:
    """A deed that places an order over the API and insists on 201."""

    def make(number: int) -> Deed:
        chance, serial = random.Random(number), itertools.count()
        headers = {"Authorization": f"Bearer {tokens[number]}", "Content-Type": "application/json"}

        def deed() -> None:
            body: dict[str, Any] = {
                "lines": [{"product_id": p, "ordered_milli": MILLI} for p in pick(chance, products, lines)],
                "delivery_point_id": point, "delivery_day": TOMORROW.isoformat(), "delivery_window": "morning",
                "fund_source": "canteen"}
            key = {"Idempotency-Key": f"{os.getpid()}-{next(serial)}"}
            order = _request("POST", "/api/v1/purchases", headers | key, json.dumps(body).encode())
            _expect(_send(port, order), b"201")

        return deed

    return make


def _request(method: str, path: str, headers: Mapping[str, str], body: bytes) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "Connection: close", f"Content-Length: {len(body)}",
             *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    return "\r\n".join(lines).encode() + body


def _send(port: int, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(request)
        received = []
        while chunk := connection.recv(65536):
            received.append(chunk)
    return b"".join(received)


def _expect(answer: bytes, status: bytes) -> None:
    if answer[9:12] != status:
        raise RuntimeError(answer[:600].decode(errors="replace"))
