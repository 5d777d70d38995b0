"""Somebody with the database in his hands changes, deletes, invents, exchanges, cuts off, or writes all anew."""

import time
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

from sqlalchemy import func, select

from market import audit, db, heads, ledger_frame, sealing
from market.ledger import LedgerBlock, digest_of
from market.sealing import TRANSFERS
from tests.attacker import DERIVED, attack

MOST_FINDINGS = 200
Teller = Callable[[str, float, list[str]], None]  # what was done, seconds, findings


def missed(chance: Random, told: Teller = lambda *_: None) -> list[str]:
    """The ways of tampering that the audit did not find; told(what, seconds, findings) after each look.

    The books are ruined afterwards. Small changes come first and all together, each with a right digest: they must be
    named one by one. Then the tail is cut, then all is written anew with fresh hashes: only a head kept outside tells.
    """
    with db.snapshot():
        outside = heads.newest()
    assert outside is not None
    not_found = []
    signs = _small_changes(chance)
    findings = _look("changed, deleted, invented, exchanged", told)
    not_found += [what for what, sign in signs.items() if not any(sign in finding for finding in findings)]
    for what, ruin in (("cut tail", _cut_tail), ("written anew", _write_anew)):
        ruin()
        findings = _look(what, told, outside._replace(kept_in="the printed report"))
        if not any("the printed report keeps" in finding for finding in findings):
            not_found.append(what)
    return not_found


def _look(what: str, told: Teller, *outside: heads.Head) -> list[str]:
    begun = time.monotonic()
    findings = [one.message() for one in audit.check(outside, ledger_frame.heads_file(), limit=MOST_FINDINGS)]
    told(what, time.monotonic() - begun, findings)
    db.session().rollback()
    return findings


def _small_changes(chance: Random) -> dict[str, str]:
    """Make four changes to sealed rows; by what was done, words of a finding that names it."""
    ids = sorted(chance.sample(range(1, (db.session().scalar(select(func.max(TRANSFERS.c.id))) or 0) + 1), 4))
    rows = {row["id"]: dict(row) for row in db.session().execute(
        select(TRANSFERS).where(TRANSFERS.c.id.in_(ids))).mappings()}
    changed, deleted, one, other = (rows[number] for number in ids)
    changed["amount_fen"] += 1
    attack(
        f"UPDATE ledger_transfer SET amount_fen = amount_fen + 1, digest = '{digest_of(changed)}' "
        f"WHERE id = {changed['id']}",
        _invented(deleted), f"DELETE FROM ledger_transfer WHERE id = {deleted['id']}", *_exchanged(one, other))
    return {"changed": changed["source"], "deleted": deleted["source"], "invented": "part:invented",
            "exchanged": f"Block {one['block_no']} was changed"}


def _invented(row: dict[str, Any]) -> str:
    """A copy of a row under another number and source, not sealed, with a digest that is right for it."""
    copy = {**row, "id": 10 ** 12, "source": "part:invented"}
    values = ", ".join(c.name for c in TRANSFERS.c if c.name not in ("id", "source", "digest", "block_no", "period"))
    return (f"INSERT INTO ledger_transfer (id, source, digest, {values}) SELECT {copy['id']}, '{copy['source']}', "
            f"'{digest_of(copy)}', {values} FROM ledger_transfer WHERE id = {row['id']}")


def _exchanged(one: dict[str, Any], other: dict[str, Any]) -> Iterator[str]:
    """Two rows take each other's number, each with a digest that is right for it."""
    for number, new, row in ((one["id"], -1, one), (other["id"], one["id"], other), (-1, other["id"], one)):
        yield (f"UPDATE ledger_transfer SET id = {new}, digest = '{digest_of({**row, 'id': new})}' "
               f"WHERE id = {number}")


def _cut_tail() -> None:
    last = db.session().scalar(select(func.max(LedgerBlock.number)))
    attack(f"DELETE FROM ledger_transfer WHERE block_no = {last}", f"DELETE FROM ledger_block WHERE number = {last}",
           *DERIVED)


def _write_anew() -> None:
    """The whole chain again over what is left, as if it had always been so; the file of heads with it."""
    attack("UPDATE ledger_transfer SET block_no = NULL, period = NULL", "DELETE FROM ledger_block",
           *DERIVED)
    ledger_frame.heads_file().unlink()
    sealing.seal_all()
