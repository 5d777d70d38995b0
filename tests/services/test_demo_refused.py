"""A site in production never takes the demo world: its people all have one password, which is printed."""

from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import func, select

from market import db
from market.users import User


@pytest.mark.parametrize("command", [["demo", "load", "--orders", "0"], ["demo", "run"]])
def test_production_takes_no_demo_world(app: Flask, monkeypatch: pytest.MonkeyPatch, command: list[str]) -> None:
    before = people()
    monkeypatch.setitem(app.extensions, "sijin", replace(app.extensions["sijin"], production=True))
    done = app.test_cli_runner().invoke(args=command)
    assert done.exit_code == 1
    assert "for practice" in done.output
    assert people() == before


def people() -> int:
    db.session().rollback()
    return db.session().scalar(select(func.count()).select_from(User)) or 0
