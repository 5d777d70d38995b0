"""Named places where a test kills the process: `FAULTS=claim_received`. Production starts with none set.

A point stands where dying hurts most: after a row and before its commit, after a commit and before the answer, on both
sides of a call to somebody else's server.
"""

import os
import signal
from collections.abc import Collection

_armed: frozenset[str] = frozenset()


def arm(names: Collection[str]) -> None:
    """Say which points kill; `create_app` does, from the settings."""
    global _armed  # noqa: PLW0603 - one process, one setting
    _armed = frozenset(names)


def point(name: str) -> None:
    """Die here, as by a power cut, where this point is armed."""
    if name in _armed:
        os.kill(os.getpid(), signal.SIGKILL)
