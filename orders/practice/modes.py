"""How the provider misbehaves on demand, account by account: for the next so many calls."""

import threading
from dataclasses import dataclass

DECLINE, HANG, CUT, BUSY, BROKEN, SLOW = "decline", "charge_then_hang", "charge_then_cut", "429", "500", "slow"
KINDS = (DECLINE, HANG, CUT, BUSY, BROKEN, SLOW)
OF_DEEDS = (DECLINE, HANG, CUT)
DEEDS = ("open", "expire", "refund", "account", "link", "pay")


@dataclass
class Mode:
    """What happens to the next `times` calls of a name: open, session, expire, intent, refund, charges, refunds,
    disputes, account, link, or pay (the hosted page). Without a name it is any of them, for decline, hang and cut any
    that does something.
    """

    kind: str
    times: int = 1
    seconds: float = 1.0
    on: str = ""

    def is_for(self, name: str) -> bool:
        """Whether a call of this name is one of its `times`."""
        if self.times <= 0:
            return False
        return self.on == name if self.on else name in DEEDS or self.kind not in OF_DEEDS


class Modes:
    """The modes that are set, by account."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._set: dict[str, list[Mode]] = {}

    def set(self, account: str, mode: Mode) -> None:
        """From now on, until it has happened so many times."""
        if mode.kind not in KINDS:
            raise ValueError(mode.kind)
        with self._lock:
            self._set.setdefault(account, []).append(mode)

    def clear(self) -> None:
        """Behave."""
        with self._lock:
            self._set.clear()

    def take(self, account: str, name: str) -> Mode | None:
        """What is to happen to this call; counted."""
        with self._lock:
            for mode in self._set.get(account, []):
                if mode.is_for(name):
                    mode.times -= 1
                    return mode
        return None
