"""Letting village people in again: the township prints a one-time code for a clerk or village officer of its own."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, Select, and_, insert, or_, select, update

from market import clock, credentials, db, devices, journal, logins, passwords
from market.access import Visitor
from market.errors import N_, InvalidInput, NotFound
from market.parties import Membership, Organisation
from market.places import Division
from market.users import ResetCode, User

HOURS = 24
LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # none that look alike on paper
GROUPS = 3  # of four: 31 ** 12, almost 60 bits


class WrongResetCode(InvalidInput):
    """Unknown, used, too old: the visitor is not told which."""

    def __init__(self) -> None:
        super().__init__({"code": [N_("This code is wrong, too old or used before. Please ask your township again.")]})


@dataclass(frozen=True)
class Sheet:
    """What is printed once; the code itself is kept nowhere."""

    code: str
    name: str
    login: str
    expires_at: datetime


def people_of(visitor: Visitor) -> list[Row[Any]]:
    """Whom a township may let in again (id, name, login, organisation_name, role), by organisation."""
    return list(db.session().execute(_people(visitor).order_by(Organisation.short_name, User.name)))


def _people(visitor: Visitor) -> Select[*tuple[Any, ...]]:
    """People all of whose offices lie in the township: nobody resets a person who is more elsewhere."""
    return (select(User.id, User.name, User.login, Organisation.short_name.label("organisation_name"), Membership.role)
            .join(Membership, Membership.user_id == User.id)
            .join(Organisation, Organisation.id == Membership.organisation_id)
            .where(User.id.in_(_insiders(visitor, inside=True)), User.id.not_in(_insiders(visitor, inside=False))))


def _insiders(visitor: Visitor, inside: bool) -> Select[*tuple[Any, ...]]:
    """Users with an office among the township's suppliers and villages, or (not inside) anywhere else."""
    here = and_(Division.township_id.is_not(None), Division.township_id == (visitor.division_id or 0),
                or_(Organisation.kind == "supplier", Organisation.office_kind == "village"))
    return (select(Membership.user_id).join(Organisation, Organisation.id == Membership.organisation_id)
            .outerjoin(Division, Division.id == Organisation.division_id)
            .where(here if inside else here.is_not(True)))


def issue(visitor: Visitor, user_id: int) -> Sheet:
    """A code for one person, good once and for 24 hours; earlier ones end. Raises NotFound beyond the walls."""
    person = db.session().execute(_people(visitor).where(User.id == user_id).limit(1)).first()
    if person is None:
        raise NotFound()
    return hand_out(person, visitor)


def hand_out(person: Row[Any], by: Visitor, hours: int = HOURS) -> Sheet:
    """A code for somebody (id, name, login) whom the caller may let in; earlier ones end."""
    session, now, user_id = db.session(), clock.now(), person.id
    session.execute(update(ResetCode).where(ResetCode.user_id == user_id, ResetCode.used_at.is_(None),
                                            ResetCode.expires_at > now).values(expires_at=now))
    code = "-".join("".join(secrets.choice(LETTERS) for _ in range(4)) for _ in range(GROUPS))
    expires_at = now + timedelta(hours=hours)
    session.execute(insert(ResetCode), [{
        "code_hash": _code_hash(code), "user_id": user_id, "issued_by": by.id, "issued_at": now,
        "expires_at": expires_at,
    }])
    journal.record("login.reset_issued", "user", user_id, by)
    return Sheet(code, person.name, person.login, expires_at)


def use(code: str, password: str, pin: str, device: str, address: str) -> str | None:
    """Set a new password by a printed code; every session ends. With a PIN this phone is bound, and its token returned.

    Raises WrongResetCode, or TooEasy or NotAllowed, and then the code stays good.
    """
    session = db.session()
    user_id = session.execute(
        update(ResetCode).where(ResetCode.code_hash == _code_hash(code), ResetCode.used_at.is_(None),
                                ResetCode.expires_at > clock.now())
        .values(used_at=clock.now()).returning(ResetCode.user_id)
    ).scalar()
    if user_id is None:
        raise WrongResetCode()
    person = session.execute(select(User.login, User.mobile).where(User.id == user_id)).one()
    passwords.refuse_easy_password(password, person.login, person.mobile)
    credentials.set_password(user_id, password)
    logins.end_all_sessions(user_id)
    token = devices.bind(user_id, pin, device) if pin else None
    journal.record("login.reset_used", "user", user_id, None, address=address, phone_bound=token is not None)
    return token


def _code_hash(code: str) -> str:
    """Typed with or without dashes, in small or capital letters."""
    return logins.token_hash("".join(c for c in code.upper() if c.isalnum()))
