"""Proving who one is by password: checked before the transaction (it is slow), counted inside it.

Unknown login, wrong password and locked login take equally long and get the same answer.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlalchemy.exc import IntegrityError

from market import clock, db, journal, logins, passwords
from market.access import Visitor
from market.errors import N_, Conflict, InvalidInput, MarketError
from market.parties import ROLES, Membership, Organisation
from market.users import User

TRIES = 5
LOCKED_FOR = timedelta(minutes=15)
DIGITS = 4  # behind a name, so that it is a login name of its own
LOGIN_TAKEN = N_("This login name or mobile number already belongs to somebody.")
MOBILE_TAKEN = N_("This mobile number already belongs to somebody.")
EMAIL_TAKEN = N_("This e-mail address already belongs to somebody.")


class WrongLogin(MarketError):
    """Unknown, wrong or locked: the visitor is not told which."""

    status = 401
    code = "wrong_login"
    text = N_("Login or password is wrong. After five wrong tries a login stays locked for 15 minutes.")


class AlreadyRegistered(Conflict):
    """The same form was sent a second time: what the first one made is there."""

    code = "already_registered"
    text = N_("You are registered already. Please log in with your login name.")

    def __init__(self, user_id: int) -> None:
        super().__init__()
        self.user_id = user_id


class WrongPassword(InvalidInput):
    """Somebody logged in could not repeat their password."""

    def __init__(self) -> None:
        super().__init__({"current": [N_("This is not your password. After five wrong tries it stays locked for "
                                         "15 minutes.")]})


@dataclass(frozen=True)
class Examined:
    """What a password check found; worth nothing until settle() has counted it."""

    user_id: int  # 0: nobody
    seen_hash: str
    fresh_hash: str
    right: bool


def examine(login: str, password: str) -> Examined:
    """Check a password by login name or mobile number. Takes about as long for a login that does not exist."""
    known = login.strip().lower()
    return _examine(or_(User.login == known, User.mobile == known), password)


def examine_own(user_id: int, password: str) -> Examined:
    """Check the password of somebody who is logged in, before a change to their login."""
    return _examine(User.id == user_id, password)


def _examine(who: ColumnElement[bool], password: str) -> Examined:
    row = db.session().execute(select(User.id, User.password_hash).where(who).limit(1)).first()
    kept = row.password_hash if row else None
    right = passwords.matches(kept, password[:passwords.LONGEST])
    return Examined(row.id if row else 0, kept or "", passwords.refreshed(kept, password) if kept and right else "",
                    right)


def settle(examined: Examined, address: str) -> bool:
    """Count the try; True when it was right and the login is neither locked nor changed meanwhile."""
    if examined.right and db.session().execute(
        update(User).where(User.id == examined.user_id, User.password_hash == examined.seen_hash, unlocked())
        .values(password_hash=examined.fresh_hash).returning(User.id)
    ).first():
        return True
    count_failure(examined.user_id, "password", address)
    return False


def password_mark(user_id: int) -> str:
    """Changes whenever the password does; tells nothing of it."""
    kept = db.session().scalar(select(User.password_hash).where(User.id == user_id)) or ""
    return logins.token_hash(kept)[:16]


def unlocked() -> ColumnElement[bool]:
    """The condition that a login is not locked now."""
    return or_(User.locked_until.is_(None), User.locked_until <= clock.now())


def count_failure(user_id: int, proof: str, address: str) -> None:
    """One wrong try; the fifth in a row locks the login for 15 minutes. `proof` is 'password' or 'code'."""
    session = db.session()
    session.execute(update(User).where(User.id == user_id, unlocked()).values(failed_count=User.failed_count + 1))
    locked = session.execute(
        update(User).where(User.id == user_id, User.failed_count >= TRIES)
        .values(failed_count=0, locked_until=clock.now() + LOCKED_FOR).returning(User.id)
    ).first()
    journal.record("login.locked" if locked else "login.failed", "user", user_id or "unknown", None,
                   proof=proof, address=address)


def forget_failures(user_id: int) -> None:
    """After everything asked for was right."""
    db.session().execute(update(User).where(User.id == user_id).values(failed_count=0, locked_until=None))


def enter(user_id: int, how: str, address: str, device: str) -> str:
    """Open a session for a person who has proved all that is asked; returns its token. `how`: password, code, pin."""
    forget_failures(user_id)
    token = logins.open_session(user_id, logins.first_organisation(user_id), device)
    visitor = logins.visitor_of_session(token)
    journal.record("login.entered", "user", user_id, visitor, how=how, address=address,
                   roles=sorted(visitor.roles) if visitor else [])
    return token


def change_password(visitor: Visitor, new: str) -> None:
    """Set an own new password; every other session, every API token and every bound phone ends. Raises TooEasy."""
    row = db.session().execute(select(User.login, User.mobile).where(User.id == visitor.id)).one()
    passwords.refuse_easy_password(new, row.login, row.mobile)
    set_password(visitor.id, new)
    logins.end_all_sessions(visitor.id, but=visitor.session_id)
    journal.record("login.password_changed", "user", visitor.id, visitor)


def set_password(user_id: int, new: str) -> None:
    """Keep the hash of a new password and lift a lock."""
    db.session().execute(update(User).where(User.id == user_id)
                         .values(password_hash=passwords.hashed(new), failed_count=0, locked_until=None))


def email_of(user_id: int) -> str:
    """Where reminders for a person go; empty where nowhere."""
    return db.session().scalars(select(User.email).where(User.id == user_id)).one()


def mobile_of(user_id: int) -> str:
    """The mobile number a person logs in with; empty where none."""
    return db.session().scalars(select(User.mobile).where(User.id == user_id)).one() or ""


def set_email(visitor: Visitor, email: str) -> None:
    """Another address for one's own reminders, or none. The journal notes that, not the address.

    Raises InvalidInput for somebody else's address, in whatever letters.
    """
    refuse_taken(email=email, but=visitor.id)
    try:
        db.session().execute(update(User).where(User.id == visitor.id).values(email=email))
    except IntegrityError:  # a rival took it at the same moment
        raise InvalidInput({"email": [EMAIL_TAKEN]}) from None
    journal.record("user.email_set", "user", visitor.id, visitor, given=bool(email))


def refuse_taken(mobile: str | None = None, email: str = "", but: int = 0) -> None:
    """Raises InvalidInput at the field where another login than `but` has this mobile number or e-mail address."""
    wrong: dict[str, list[str | MarketError]] = {}
    others = select(User.id).where(User.id != but).limit(1)
    if mobile and db.session().scalar(others.where(User.mobile == mobile)) is not None:
        wrong["mobile"] = [MOBILE_TAKEN]
    if email and db.session().scalar(others.where(func.lower(User.email) == email.lower())) is not None:
        wrong["email"] = [EMAIL_TAKEN]
    if wrong:
        raise InvalidInput(wrong)


def create_person(login: str, name: str, password: str, mobile: str | None = None) -> int:
    """A new login; returns its id. Login names are kept in small letters and never look like a mobile number.

    Raises InvalidInput where login or mobile number is taken.
    """
    known = login.strip().lower()
    if not known or known.isdigit():
        raise InvalidInput({"login": [N_("A login name needs at least one letter.")]})
    taken = select(User.id).where(or_(User.login == known, and_(User.mobile.is_not(None), User.mobile == mobile)))
    if db.session().execute(taken).first():
        raise InvalidInput({"login": [LOGIN_TAKEN]})
    return add_person(known, name, passwords.hashed(password), mobile)


def add_person(login: str, name: str, password_hash: str, mobile: str | None = None, email: str = "",
               by: Visitor | None = None) -> int:
    """A new login; the slow hash was made before the transaction. Returns its id.

    Raises InvalidInput where a rival took the login name, mobile number or address since the caller looked.
    """
    user_id = db.session().execute(db.insert_new(User).returning(User.id), [{
        "login": login, "name": name, "mobile": mobile, "email": email, "password_hash": password_hash,
        "totp_last_step": 0, "failed_count": 0, "created_at": clock.now(),
    }]).scalar()
    if user_id is None:
        refuse_taken(mobile, email)
        raise InvalidInput({"login": [LOGIN_TAKEN]})
    journal.record("login.created", "user", user_id, by, login=login)
    return int(user_id)


def free_logins(names: Sequence[str]) -> list[str]:
    """A login name for each person: the name in one word and four or more digits, such as 周桂香4821."""
    for digits in range(DIGITS, 12):
        logins_made = [f"{_base(name)}{secrets.randbelow(10 ** digits):0{digits}d}" for name in names]
        taken = db.session().scalar(select(User.id).where(User.login.in_(logins_made)).limit(1))
        if taken is None and len(set(logins_made)) == len(names):
            return logins_made
    raise RuntimeError("no login name is free")


def _base(name: str) -> str:
    base = "".join(name.lower().split())[:20]
    return f"s{base}" if base.isdigit() else base


def add_role(user_id: int, organisation_id: int, role: str) -> None:
    """Let a person act for an organisation in a role that its kind knows. Giving it twice changes nothing."""
    kind = db.session().scalar(select(Organisation.kind).where(Organisation.id == organisation_id))
    if kind is None or role not in ROLES[kind]:
        raise InvalidInput({"role": [N_("This organisation knows no such role.")]})
    db.session().execute(db.insert_new(Membership), [
        {"user_id": user_id, "organisation_id": organisation_id, "role": role}])
    journal.record("role.given", "user", user_id, None, organisation_id=organisation_id, role=role)
