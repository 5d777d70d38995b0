"""The second factor: a six-digit code of an authenticator app (TOTP). A code is good once."""

import hmac

import pyotp
import segno
from sqlalchemy import select, update

from market import clock, credentials, db, journal, logins
from market.access import OFFICIALS, OPERATORS, Visitor
from market.errors import N_, InvalidInput, SecondPersonNeeded
from market.users import User

STEP_SECONDS = 30
ROLES = OFFICIALS | OPERATORS | {"auditor", "finance"}


class WrongCode(InvalidInput):
    """Wrong, used before, or too many tries: the visitor is not told which."""

    def __init__(self) -> None:
        super().__init__({"code": [N_("This code is wrong or was used before. Please wait for the next one.")]})


def required_of(user_id: int) -> bool:
    """Whether one of the person's roles demands a second factor, where this installation asks for one."""
    return any(duty.role in ROLES for duty in logins.duties(user_id))


def is_enrolled(user_id: int) -> bool:
    """Whether the person has an authenticator app."""
    return db.session().scalar(select(User.totp_secret).where(User.id == user_id)) is not None


def new_secret() -> str:
    """A secret to enrol with."""
    return pyotp.random_base32()


def qr_svg(secret: str, login: str) -> str:
    """What the authenticator app photographs, as inline SVG without styles."""
    address = pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name="四进 Sijin")
    picture = segno.make(address, micro=False)
    return picture.svg_inline(omitsize=True, border=3, light="#fff", svgclass=None, lineclass=None)


def enrol(user_id: int, secret: str, code: str, by: Visitor | None) -> None:
    """Keep the secret once its first code is right; that code is then used up. Raises WrongCode."""
    step = _step_of(secret, code)
    if step is None or not db.session().execute(
        update(User).where(User.id == user_id, User.totp_secret.is_(None))
        .values(totp_secret=secret, totp_last_step=step).returning(User.id)
    ).first():
        raise WrongCode()
    journal.record("login.second_factor_set", "user", user_id, by)


def prove(user_id: int, code: str, address: str) -> bool:
    """Use up a code; False when it is wrong, was used before or the login is locked, and then it is counted."""
    session = db.session()
    secret = session.scalar(select(User.totp_secret).where(User.id == user_id))
    step = _step_of(secret, code) if secret else None
    if step is not None and session.execute(
        update(User).where(User.id == user_id, User.totp_secret == secret, User.totp_last_step < step,
                           credentials.unlocked())
        .values(totp_last_step=step).returning(User.id)
    ).first():
        return True
    credentials.count_failure(user_id, "code", address)
    return False


def _step_of(secret: str, code: str) -> int | None:
    """The half minute a code belongs to: this one, or one before or after it for clocks that differ."""
    now = int(clock.now().timestamp()) // STEP_SECONDS
    generator = pyotp.TOTP(secret)
    typed = code.replace(" ", "").encode()
    return next((step for step in (now, now - 1, now + 1)
                 if hmac.compare_digest(generator.generate_otp(step).encode(), typed)), None)


def remove(visitor: Visitor) -> None:
    """Give the own second factor up."""
    _clear(visitor.id)
    journal.record("login.second_factor_removed", "user", visitor.id, visitor)


def reset(login: str, by: Visitor) -> None:
    """The security operator takes a lost second factor away; the person is logged out and enrols anew.

    Raises InvalidInput for an unknown login or one without second factor, SecondPersonNeeded for the own one.
    """
    known = login.strip().lower()
    user_id = db.session().scalar(select(User.id).where((User.login == known) | (User.mobile == known),
                                                        User.totp_secret.is_not(None)))
    if user_id is None:
        raise InvalidInput({"login": [N_("Nobody with this login has a second factor.")]})
    if user_id == by.id:
        raise SecondPersonNeeded()
    _clear(user_id)
    logins.end_all_sessions(user_id)
    journal.record("login.second_factor_reset", "user", user_id, by)


def _clear(user_id: int) -> None:
    db.session().execute(update(User).where(User.id == user_id).values(totp_secret=None))
