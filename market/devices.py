"""Bound phones: a village clerk proves who they are once by password, then for 90 days by PIN on that phone alone."""

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Row, insert, select, update

from market import clock, db, journal, logins, passwords
from market.access import Visitor
from market.errors import N_, MarketError, NotAllowed
from market.users import BoundDevice, User

DAYS = 90
TRIES = 5
PIN_ROLES = frozenset({"clerk", "village_officer"})


class WrongPin(MarketError):
    """Wrong PIN, or the phone is not, or no longer, bound: the visitor is not told which."""

    status = 401
    code = "wrong_pin"
    text = N_("This PIN is wrong. After five wrong tries this phone must log in with the password again.")


@dataclass(frozen=True)
class ExaminedPin:
    """What a PIN check found; worth nothing until settle_pin() has counted it."""

    device_id: int  # 0: not a bound phone
    user_id: int
    seen_hash: str
    right: bool


def may_use_pin(user_id: int) -> bool:
    """People of suppliers and villages who hold no other office: those need more than six digits."""
    duties = logins.duties(user_id)
    return bool(duties) and all(d.kind == "supplier" or d.role in PIN_ROLES for d in duties)


def bind(user_id: int, pin: str, device: str) -> str:
    """Set the PIN and bind this phone; returns the token that only the phone keeps. Raises NotAllowed or TooEasy."""
    if not may_use_pin(user_id):
        raise NotAllowed()
    session = db.session()
    passwords.refuse_easy_pin(pin, session.scalar(select(User.mobile).where(User.id == user_id)))
    session.execute(update(User).where(User.id == user_id).values(pin_hash=passwords.hashed(pin)))
    token = secrets.token_urlsafe(32)
    now = clock.now()
    session.execute(insert(BoundDevice), [{
        "token_hash": logins.token_hash(token), "user_id": user_id, "bound_at": now,
        "expires_at": now + timedelta(days=DAYS), "failed_count": 0, "device": device[:200],
    }])
    return token


def bind_own(visitor: Visitor, pin: str, device: str, earlier: str = "") -> str:
    """Bind one's own phone, journalled; the binding whose token the phone held before ends."""
    token = bind(visitor.id, pin, device)
    db.session().execute(
        update(BoundDevice).where(BoundDevice.token_hash == logins.token_hash(earlier), BoundDevice.ended_at.is_(None))
        .values(ended_at=clock.now()))
    journal.record("login.phone_bound", "user", visitor.id, visitor, device=device[:200])
    return token


def owner(token: str) -> Row[*tuple[Any, ...]] | None:
    """Whose phone this is (device_id, user_id, name, pin_hash), while it is bound."""
    return db.session().execute(
        select(BoundDevice.id.label("device_id"), User.id.label("user_id"), User.name, User.pin_hash)
        .join(User, User.id == BoundDevice.user_id)
        .where(BoundDevice.token_hash == logins.token_hash(token), BoundDevice.ended_at.is_(None),
               BoundDevice.expires_at > clock.now())
    ).first()


def examine_pin(token: str, pin: str) -> ExaminedPin:
    """Check a PIN on the phone that holds the token; takes as long where the phone is not bound."""
    known = owner(token)
    right = passwords.matches(known.pin_hash if known else None, pin[:passwords.LONGEST])
    if known is None:
        return ExaminedPin(0, 0, "", False)
    return ExaminedPin(known.device_id, known.user_id, known.pin_hash or "", right)


def settle_pin(examined: ExaminedPin, address: str) -> bool:
    """Count the try; True when it was right, the phone is still bound and its owner still may use a PIN.

    The fifth wrong one ends the binding.
    """
    bound = (BoundDevice.id == examined.device_id, BoundDevice.ended_at.is_(None))
    session = db.session()
    if examined.right and may_use_pin(examined.user_id) and session.execute(
        update(BoundDevice).where(
            *bound, select(User.pin_hash).where(User.id == examined.user_id).scalar_subquery() == examined.seen_hash)
        .values(failed_count=0).returning(BoundDevice.id)
    ).first():
        return True
    session.execute(update(BoundDevice).where(*bound).values(failed_count=BoundDevice.failed_count + 1))
    ended = session.execute(update(BoundDevice).where(*bound, BoundDevice.failed_count >= TRIES)
                            .values(ended_at=clock.now()).returning(BoundDevice.id)).first()
    journal.record("login.phone_ended" if ended else "login.failed", "user", examined.user_id or "unknown", None,
                   proof="pin", address=address)
    return False


# marks in a browser's self-description, the telling ones first
_PROGRAMS = (("MicroMessenger", "WeChat"), ("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"),
             ("Chrome/", "Chrome"), ("Safari/", "Safari"))
_SYSTEMS = (("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"),
            ("Mac OS", "Mac"), ("Linux", "Linux"))


def short_name(user_agent: str) -> str:
    """What a person calls a device.

    >>> short_name("Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/126 Mobile Safari/537.36")
    'Chrome · Android'
    """
    words = [next((name for mark, name in table if mark in user_agent), "") for table in (_PROGRAMS, _SYSTEMS)]
    return " · ".join(word for word in words if word) or "?"
