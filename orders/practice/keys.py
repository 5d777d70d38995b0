"""Idempotency keys: the same call again gets the first answer; another call with the same key is refused."""

import json
from collections.abc import Callable
from typing import Any

from orders.practice.books import Books
from orders.practice.refusing import Refused

Answer = tuple[int, dict[str, Any], bool]  # status, body, whether it is a replay


def once(books: Books, account: str, key: str, asked: str, work: Callable[[], dict[str, Any]]) -> Answer:
    """Do the work, or answer what the first call with this key was answered. A refusal is an answer too."""
    if not key:
        return (*_answer(work), False)
    first = _claim(books, account, key, asked)
    if first is not None:
        return first
    try:
        with books.deed() as connection:  # the deed and its answer, or neither
            status, body = _answer(work)
            connection.execute("UPDATE answer SET status = ?, body = ? WHERE account = ? AND key = ?",
                               (status, json.dumps(body), account, key))
    except BaseException:
        with books.deed() as connection:
            connection.execute("DELETE FROM answer WHERE account = ? AND key = ?", (account, key))
        raise
    return status, body, False


def _claim(books: Books, account: str, key: str, asked: str) -> Answer | None:
    with books.deed() as connection:
        found = connection.execute("SELECT asked, status, body FROM answer WHERE account = ? AND key = ?",
                                   (account, key)).fetchone()
        if found is None:
            connection.execute("INSERT INTO answer (account, key, asked) VALUES (?, ?, ?)", (account, key, asked))
            return None
    if found["asked"] != asked:
        raise Refused(400, "idempotency_error", "Keys for idempotent requests can only be used with the same "
                      f"parameters they were first used with. Try using a key other than '{key}'.")
    if found["status"] is None:
        raise Refused(409, "idempotency_error", "There is currently another in-progress request using this "
                      "Idempotent Key.", "idempotency_key_in_use")
    return found["status"], json.loads(found["body"]), True


def _answer(work: Callable[[], dict[str, Any]]) -> tuple[int, dict[str, Any]]:
    try:
        return 200, work()
    except Refused as refusal:
        return refusal.status, refusal.body
