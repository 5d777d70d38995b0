"""A real Chromium for the story tests. Missing, it is installed where that is possible, else the test fails."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
QUIET = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--force-color-profile=srgb")
ADVICE = f"The browser tests need Chromium: none of {', '.join(NAMES)} is on PATH"


class NoBrowser(Exception):
    """There is no Chromium, and it could not be installed."""


def executable() -> str:
    """The path of a Chromium; installs the system's package when there is none and we may."""
    return _on_path() or _installed()


def _on_path() -> str | None:
    return next(filter(None, map(shutil.which, NAMES)), None)


def _installed() -> str:
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise NoBrowser(f"{ADVICE}. Install it (on Debian or Ubuntu: apt-get install chromium) and run again.")
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["apt-get", "update", "-q"], ["apt-get", "install", "-qy", "--no-install-recommends", "chromium"]):
        done = subprocess.run(command, env=quiet, capture_output=True, text=True, check=False)
        if done.returncode:
            raise NoBrowser(f"{ADVICE}, and '{' '.join(command)}' failed: {done.stderr.strip()[-500:]}")
    found = _on_path()
    if found is None:
        raise NoBrowser(f"{ADVICE}, also after installing the package chromium.")
    return found


@contextmanager
def running() -> Iterator[Browser]:
    """A browser without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), args=list(QUIET))
        try:
            yield browser
        finally:
            browser.close()
