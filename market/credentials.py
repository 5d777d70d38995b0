"""Proving who one is by password: checked before the transaction (it is slow), counted inside it.

Unknown login, wrong password and locked login take equally long and get the same answer.
"""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import ColumnElement, and_, insert, or_, select, update

from market import clock, db, journal, logins, passwords
from market.access import Visitor
from market.errors import N_, InvalidInput, MarketError
from market.parties import ROLES, Membership, Organisation
from market.users import User

TRIES = 5
LOCKED_FOR = timedelta(minutes=15)


class WrongLogin(MarketError):
    """Unknown, wrong or locked: the visitor is not told which."""

    status = 401
    code = "wrong_login"
    text = N_("Login or password is wrong. After five wrong tries a login stays locked for 15 minutes.")


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


def set_email(visitor: Visitor, email: str) -> None:
    """Another address for one's own reminders, or none. The journal notes that, not the address."""
    db.session().execute(update(User).where(User.id == visitor.id).values(email=email))
    journal.record("user.email_set", "user", visitor.id, visitor, given=bool(email))


def create_person(login: str, name: str, password: str, mobile: str | None = None) -> int:
    """A new login; returns its id. Login names are kept in small letters and never look like a mobile number.

    Raises InvalidInput where login or mobile number is taken.
    """
    known = login.strip().lower()
    if not known or known.isdigit():
        raise InvalidInput({"login": [N_("A login name needs at least one letter.")]})
    taken = select(User.id).where(or_(User.login == known, and_(User.mobile.is_not(None), User.mobile == mobile)))
    if db.session().execute(taken).first():
        raise InvalidInput({"login": [N_("This login name or mobile number already belongs to somebody.")]})
    return add_person(known, name, passwords.hashed(password), mobile)


def add_person(login: str, name: str, password_hash: str, mobile: str | None = None) -> int:
    """A new login that is known to be free; the slow hash was made before the transaction. Returns its id."""
    user_id: int = db.session().execute(insert(User).returning(User.id), [{
        "login": login, "name": name, "mobile": mobile, "password_hash": password_hash,
        "totp_last_step": 0, "failed_count": 0, "created_at": clock.now(),
    }]).scalar_one()
    journal.record("login.created", "user", user_id, None, login=login)
    return user_id


def add_role(user_id: int, organisation_id: int, role: str) -> None:
    """Let a person act for an organisation in a role that its kind knows. Giving it twice changes nothing."""
    kind = db.session().scalar(select(Organisation.kind).where(Organisation.id == organisation_id))
    if kind is None or role not in ROLES[kind]:
        raise InvalidInput({"role": [N_("This organisation knows no such role.")]})
    db.session().execute(db.insert_new(Membership), [
        {"user_id": user_id, "organisation_id": organisation_id, "role": role}])
    journal.record("role.given", "user", user_id, None, organisation_id=organisation_id, role=role)
