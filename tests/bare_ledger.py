"""The ledger as it is below the storeys that hand it documents and things to count."""

from flask import Flask
from pytest import MonkeyPatch

from market import ledger_frame


def by_itself(app: Flask, monkeypatch: MonkeyPatch) -> None:
    """No documents to expect, and only what the ledger can count without them."""
    monkeypatch.setitem(app.extensions, "sijin_checks", [])
    monkeypatch.setitem(app.extensions, "sijin_presence", ledger_frame.plain_things)
