"""What the worker does for the catalogue: this host's search index follows the products."""

import os
from pathlib import Path

from flask import current_app

from catalog import indexing
from market import clock

LEVEL = "level"  # a file in the index's folder, touched whenever the index holds every change there was


def follow_index() -> None:
    """Bring the index up to date, and note when that was."""
    folder = _folder()
    while indexing.follow(folder):
        pass
    now = clock.now().timestamp()
    (folder / LEVEL).touch()
    os.utime(folder / LEVEL, (now, now))


def index_age_seconds() -> float:
    """How long ago this host's index was last known to hold every change; infinite when it never was."""
    try:
        return max(0.0, clock.now().timestamp() - (_folder() / LEVEL).stat().st_mtime)
    except FileNotFoundError:
        return float("inf")


def _folder() -> Path:
    folder: Path = current_app.extensions["sijin"].search_dir
    return folder
