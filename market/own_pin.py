"""An own PIN: six digits by which a person of a unit signs on a colleague's screen. It opens no login by itself.

It is the same PIN that a bound phone asks for (market/devices.py): a phone must be bound before six digits let anybody
in, and people of units cannot bind one. Wrong tries are counted with those of the password.
"""

from collections.abc import Collection

from sqlalchemy import select, update

from market import credentials, db, journal, logins, passwords
from market.access import Visitor
from market.credentials import Examined
from market.errors import NotAllowed
from market.users import User

ROLES = frozenset({"receiver", "requester", "manager"})  # who may be one of two receivers, in one scheme or the other


def may_have(user_id: int) -> bool:
    """Whether a person may be asked to sign at a unit's kitchen door."""
    return any(duty.kind == "unit" and duty.role in ROLES for duty in logins.duties(user_id))


def put(visitor: Visitor, pin: str) -> None:
    """Keep a person's own PIN; whoever calls has asked for the password. Raises NotAllowed or TooEasy."""
    if not may_have(visitor.id):
        raise NotAllowed()
    session = db.session()
    passwords.refuse_easy_pin(pin, session.scalar(select(User.mobile).where(User.id == visitor.id)))
    session.execute(update(User).where(User.id == visitor.id).values(pin_hash=passwords.hashed(pin)))
    journal.record("login.pin_set", "user", visitor.id, visitor)


def holders(user_ids: Collection[int]) -> set[int]:
    """Which of these people have a PIN."""
    return set(db.session().scalars(select(User.id).where(User.id.in_(user_ids), User.pin_hash.is_not(None))))


def examine(user_id: int, pin: str) -> Examined:
    """Check a PIN; takes as long where none is set. Worth nothing until settle() has counted it."""
    kept = db.session().scalar(select(User.pin_hash).where(User.id == user_id))
    return Examined(user_id, kept or "", "", passwords.matches(kept, pin[:passwords.LONGEST]))


def settle(examined: Examined, address: str) -> bool:
    """Count the try; True when it was right and the login is neither locked nor its PIN changed meanwhile."""
    if examined.right and db.session().execute(
        update(User).where(User.id == examined.user_id, User.pin_hash == examined.seen_hash, credentials.unlocked())
        .values(failed_count=0, locked_until=None).returning(User.id)
    ).first():
        return True
    credentials.count_failure(examined.user_id, "pin", address)
    return False
