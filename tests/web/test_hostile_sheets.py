"""Tables that mean harm are refused quickly, in little memory, and leave nothing behind."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import openpyxl
import pytest

from market import serving
from tests import hostile_sheets
from tests.web.forms import csrf_token
from tests.world import World

MOST_SECONDS, MOST_MEGABYTES = 2, 200


def test_they_are_refused_in_little_time_and_memory(tmp_path: Path) -> None:
    sent, home = tmp_path / "sent", tmp_path / "home"
    sent.mkdir()
    home.mkdir()
    hostile_sheets.write_all(sent)
    done = subprocess.run([sys.executable, "-m", "tests.hostile_sheets", str(sent)], cwd=serving.ROOT, check=True,
                          capture_output=True, text=True,
                          env={**os.environ, "TMPDIR": str(home), "HOME": str(home)})
    told = json.loads(done.stdout)
    found = {file["name"]: file["found"] for file in told["files"]}
    assert {name for name, what in found.items() if what in ("sheet", "sheet_too_large")} == set(hostile_sheets.REFUSED)
    assert {file["name"]: file["seconds"] for file in told["files"] if file["seconds"] > MOST_SECONDS} == {}
    assert told["megabytes"] < MOST_MEGABYTES
    assert "formula" in found["formulas.xlsx"]
    assert all(" rows: " in found[name] for name in hostile_sheets.HARMLESS)  # read as what they are, and no good
    assert list(home.iterdir()) == []
    assert not Path("/tmp/evil.xml").exists()


def test_xml_is_read_by_the_parser_that_knows_no_entities() -> None:
    assert openpyxl.DEFUSEDXML


@pytest.mark.parametrize("name", ["../../../evil.xlsx", "..\\evil.xlsx", "/etc/passwd", "a" * 500 + ".csv", "<b>.csv"])
def test_the_name_of_a_file_is_only_a_word(world: World, data_dir: Path, name: str) -> None:
    clerk = world.logged_in("clerk.zhang")
    content = hostile_sheets.HARMLESS["traversal.xlsx"]()
    answer = clerk.post("/village/imports", data={
        "csrf_token": csrf_token(clerk, "/village/imports"), "kind": "products",
        "file": (io.BytesIO(content), name)})
    assert answer.status_code == 303
    kept = [path for path in data_dir.rglob("*") if path.is_file() and path.suffix in (".csv", ".xlsx")]
    assert [path.parent for path in kept] == [data_dir / "files"]
    assert len(kept[0].stem) == 32
    page = clerk.get(answer.location).text
    assert "<b>" not in page


def test_what_is_too_large_is_not_even_kept(world: World, data_dir: Path) -> None:
    clerk = world.logged_in("clerk.zhang")
    answer = clerk.post("/village/imports", data={
        "csrf_token": csrf_token(clerk, "/village/imports"), "kind": "products",
        "file": (io.BytesIO(b"x" * 13_000_000), "big.csv")})
    assert answer.status_code == 413
    assert not (data_dir / "files").exists()
