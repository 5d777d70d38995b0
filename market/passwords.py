"""Passwords and PINs: argon2 hashes that are slow on purpose, and which words are too easy to be one."""

import re
from functools import cache
from itertools import pairwise

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from market.errors import N_, InvalidInput

SHORTEST, LONGEST = 10, 128
NONE_YET = "none"  # kept for a login whose person has not chosen a password: nothing matches it

_STRONG = PasswordHasher()  # RFC 9106 low-memory profile: 64 MiB, some 100 ms
_LOW = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)  # well below 1 ms: demo and tests only
_chosen = [_STRONG]


def choose_cost(low: bool) -> None:
    """Set once at start, from the settings: low cost is for tests and the demo world, never for production."""
    _chosen[0] = _LOW if low else _STRONG


def hashed(secret: str) -> str:
    """The hash of a password or PIN, with a salt of its own."""
    return _chosen[0].hash(secret)


def matches(kept: str | None, secret: str) -> bool:
    """Whether the secret is the one kept. Without a kept hash a dummy is checked, so that the answer takes as long."""
    kept = None if kept == NONE_YET else kept
    try:
        return _chosen[0].verify(kept or _dummy(_chosen[0]), secret) and kept is not None
    except (VerificationError, InvalidHashError):
        return False


def refreshed(kept: str, secret: str) -> str:
    """The hash to keep after a right password: a new one where the cost has been raised since."""
    return hashed(secret) if _chosen[0].check_needs_rehash(kept) else kept


@cache
def _dummy(hasher: PasswordHasher) -> str:
    return hasher.hash("a password that nobody has")


class TooEasy(InvalidInput):
    """The new password or PIN would be guessed soon."""

    def __init__(self, field: str, text: str) -> None:
        super().__init__({field: [text]})


_COMMON = ("password", "1qaz2wsx", "woaini", "iloveyou", "admin", "sijin", "yongzhou")
_ROWS = ("01234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm", "abcdefghijklmnopqrstuvwxyz")
# every piece of a row, forwards and backwards, four characters or more, the longest first
_RUNS = sorted({row[start:end] for row in (*_ROWS, *(row[::-1] for row in _ROWS))
                for start in range(len(row)) for end in range(start + 4, len(row) + 1)}, key=len, reverse=True)


def refuse_easy_password(password: str, *known: str | None) -> None:
    """Raise TooEasy for less than 10 or more than 128 characters, few different ones, keyboard rows, common words.

    `known` are words anybody could try: login name, mobile number.
    """
    if len(password) < SHORTEST:
        raise TooEasy("password", N_("At least 10 characters, please. Four words in a row are easy to keep in mind."))
    if len(password) > LONGEST:
        raise TooEasy("password", N_("At most 128 characters, please."))
    plain = password.lower()
    for word in (*_COMMON, *_RUNS, *(word.lower() for word in known if word)):
        plain = plain.replace(word, "")
    if len(set(password.lower())) < 5 or len(plain) < 6:
        raise TooEasy("password", N_("This password is among the first that somebody would try."))


def refuse_easy_pin(pin: str, mobile: str | None = None) -> None:
    """Raise TooEasy unless the PIN is six digits that are no run, no repetition and no part of the mobile number."""
    if re.fullmatch(r"[0-9]{6}", pin, re.ASCII) is None:
        raise TooEasy("pin", N_("A PIN has exactly six digits."))
    if _is_easy(pin) or pin in (mobile or ""):
        raise TooEasy("pin", N_("This PIN is among the first that somebody would try."))


def _is_easy(pin: str) -> bool:
    """Runs and steps (123456, 975319), repeated or mirrored halves, doubled digits, fewer than three different digits.

    >>> [p for p in ("111111", "123456", "654321", "890123", "121212", "123123", "123321", "112233", "147258", "520520",
    ...              "280416", "739105") if not _is_easy(p)]
    ['280416', '739105']
    """
    steps = {(int(after) - int(before)) % 10 for before, after in pairwise(pin)}
    return (len(set(pin)) < 3 or len(steps) == 1 or pin[:3] == pin[3:] or pin == pin[::-1]
            or (pin[0], pin[2], pin[4]) == (pin[1], pin[3], pin[5])
            or pin in {"147258", "258369", "159357", "159753", "520131", "521314", "131452", "100200"})
