"""Files made to hurt: each refused in under 2 s and under 200 MB, and nothing outside the upload folder.

Each file is sent to the site of a process of its own, so that its time and its highest memory can be measured.
"""

import io
import json
import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image

from market import clock, db
from market.files import StoredFile
from tests.web.forms import csrf_token
from tests.world import NOON, World

ROOT = Path(__file__).parents[2]
SECONDS, MEGABYTES = 2.0, 200

pytestmark = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)  # files do not reach the database

MEASURED = """
import json, resource, sys, time
resource.setrlimit(resource.RLIMIT_CPU, (30, 30))
from market import files
content = sys.stdin.buffer.read()
before = time.process_time()
try:
    files.prepare(content)
    answer = "kept"
except files.FileRefused:
    answer = "refused"
seconds = time.process_time() - before
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))  # ru_maxrss counts the parent too
print(json.dumps([answer, seconds, int(peak.split()[1]) / 1024]))
"""


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width: int, height: int, *more: bytes, rows: bytes = b"") -> bytes:
    """A PNG that says how large it is, whatever is in it."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(more) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def squeezed(size: int) -> bytes:
    """So many zeros, packed small."""
    packer = zlib.compressobj(9)
    return b"".join(packer.compress(bytes(1_000_000)) for _ in range(size // 1_000_000)) + packer.flush()


def large(side: int, kind: str = "PNG") -> bytes:
    content = io.BytesIO()
    Image.new("RGBA" if kind == "PNG" else "RGB", (side, side), "green").save(content, kind)
    return content.getvalue()


def scans(side: int, more: int, *, between: bytes = b"") -> bytes:
    """A progressive JPEG whose last pass over the picture comes so many times more."""
    content = io.BytesIO()
    Image.new("RGB", (side, side), "green").save(content, "JPEG", progressive=True)
    jpeg = content.getvalue()
    last = jpeg[jpeg.rindex(b"\xff\xda"):-2]
    return jpeg[:-2] + (between + last) * more + b"\xff\xd9"


SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(1)</script></svg>'
ENTITIES = (b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">'
            b'<!ENTITY x SYSTEM "file:///etc/passwd">]><svg>&b;&x;</svg>')
HOSTILE = {
    "an SVG with a script": lambda: SVG,
    "an SVG of entities": lambda: ENTITIES,
    "HTML named .jpg": lambda: b"<!doctype html><script>alert(document.cookie)</script>" * 20,
    "a header of 65,535 squared pixels": lambda: png(65_535, 65_535),
    "65,535 squared pixels, packed": lambda: png(65_535, 65_535, rows=squeezed(600_000_000)),
    "just above 25 million pixels": lambda: png(5_001, 5_000, rows=squeezed(75_000_000)),
    "a text of 500 MB in a PNG": lambda: png(10, 10, chunk(b"zTXt", b"Comment\0\0" + squeezed(500_000_000))),
    "a GIF": lambda: large(10, "GIF"),
    "a TIFF": lambda: large(10, "TIFF"),
    "a JPEG of 410 passes": lambda: scans(5_000, 400),
    "a JPEG of 110 passes": lambda: scans(5_000, 100),
    "a JPEG of 410 passes with odd bytes between": lambda: scans(4_900, 400, between=b"\xff\x02\xff\xff"),
    "half a JPEG": lambda: large(1000, "JPEG")[:400],
    "a zip bomb named .png": lambda: b"PK\x03\x04" + squeezed(500_000_000),
    "a PDF by its first bytes only": lambda: b"%PDF-1.7\n<script>alert(1)</script>",
    "HTML that begins and ends like a PDF": lambda: b"%PDF-1.4\n<script>alert(1)</script>\nstartxref\n9\n%%EOF",
    "a PDF that points past its end": lambda: b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\nstartxref\n99999\n%%EOF",
    "nothing": lambda: b"",
    "11 MB": lambda: b"%PDF-" + bytes(11 * 1024 * 1024),
}
FINE = {
    "a picture of 25 million pixels": lambda: large(4_990),
    "a photo of 25 million pixels in ten passes": lambda: scans(5_000, 0),
    "a photo with a small picture of many passes in it": lambda: with_inner(large(2_000, "JPEG"), scans(40, 150)),
    "a photo of 24 million pixels": lambda: large(4_900, "JPEG"),
}


def with_inner(jpeg: bytes, inner: bytes) -> bytes:
    """As cameras keep a small picture in a segment of its own."""
    return jpeg[:2] + b"\xff\xed" + struct.pack(">H", len(inner) + 2) + inner + jpeg[2:]


def pdf() -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (60, 40), "white").save(content, "PDF")
    return content.getvalue()


FINE["a PDF"] = pdf


def measured(content: bytes) -> tuple[str, float, float]:
    done = subprocess.run([sys.executable, "-c", MEASURED], input=content, capture_output=True, cwd=ROOT,
                          env={**os.environ, "PYTHONPATH": str(ROOT)}, timeout=60, check=True)
    answer, seconds, megabytes = json.loads(done.stdout)
    return answer, seconds, megabytes


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_soon_and_cheaply(app: Flask, name: str) -> None:
    answer, seconds, megabytes = measured(HOSTILE[name]())
    assert answer == "refused"
    assert seconds < SECONDS, f"{seconds:.2f} s"
    assert megabytes < MEGABYTES, f"{megabytes:.0f} MB"


@pytest.mark.parametrize("name", FINE)
def test_the_largest_honest_files_are_kept_within_the_same_bounds(app: Flask, name: str) -> None:
    answer, seconds, megabytes = measured(FINE[name]())
    assert answer == "kept"
    assert seconds < SECONDS, f"{seconds:.2f} s"
    assert megabytes < MEGABYTES, f"{megabytes:.0f} MB"


@pytest.mark.parametrize("name", ["../../evil.jpg", "/etc/cron.d/evil", "..\\..\\evil.png", "a/b/c.pdf", "....//x.jpg",
                                  "C:\\evil.jpg", "x" * 5000 + ".jpg"])
def test_a_file_name_never_leads_anywhere(app: Flask, world: World, name: str) -> None:
    with clock.at(NOON):
        folder = app.extensions["sijin"].data_dir
        before = files_in(folder)
        answer = upload(world.logged_in("chair.he"), large(20, "JPEG"), name)
        assert answer == 303
        new = files_in(folder) - before
        stored = db.session().query(StoredFile).order_by(StoredFile.id.desc()).first()
        assert stored is not None
        assert new == {app.extensions["sijin"].files_dir / stored.name}
        assert not (ROOT / "evil.jpg").exists()
        assert len(stored.original_name) <= 200


@pytest.mark.parametrize("name", ["an SVG with a script", "HTML named .jpg", "a header of 65,535 squared pixels",
                                  "HTML that begins and ends like a PDF"])
def test_a_refused_file_leaves_nothing(app: Flask, world: World, name: str) -> None:
    with clock.at(NOON):
        folder = app.extensions["sijin"].data_dir
        before = files_in(folder)
        rows = db.session().query(StoredFile).count()
        assert upload(world.logged_in("chair.he"), HOSTILE[name](), "执照.jpg") == 422
        assert files_in(folder) == before
        assert db.session().query(StoredFile).count() == rows


def test_a_pdf_is_handed_out_as_a_download_in_a_sandbox(app: Flask, world: World) -> None:
    with clock.at(NOON):
        chair = world.logged_in("chair.he")
        assert upload(chair, pdf(), "执照.pdf") == 303
        stored = db.session().query(StoredFile).order_by(StoredFile.id.desc()).first()
        assert stored is not None
        got = chair.get(f"/files/{stored.name}")
        assert got.headers["Content-Disposition"].startswith("attachment")
        assert got.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert got.headers["X-Content-Type-Options"] == "nosniff"


def files_in(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file() and path.name != "write.lock"}


def upload(client: FlaskClient, content: bytes, name: str) -> int:
    return client.post("/village/papers", content_type="multipart/form-data", data={
        "csrf_token": csrf_token(client, "/village/papers/new"), "kind": "licence", "number": "1", "issuer": "局",
        "issued_on": "2026-10-01", "valid_until": "", "file": (io.BytesIO(content), name)}).status_code
