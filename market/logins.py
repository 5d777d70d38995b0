"""Who is at the door: sessions the server can end, and the Visitor of a request from one query."""

import hashlib
import secrets
from datetime import timedelta
from typing import Any

from sqlalchemy import Row, Select, and_, insert, select, update

from market import clock, db
from market.access import Visitor
from market.config import SESSION_HOURS
from market.parties import Membership, Organisation
from market.places import Division
from market.users import ApiToken, User, UserSession


def token_hash(token: str) -> str:
    """Tokens are random, so a plain SHA-256 keeps them as well as a slow hash would."""
    return hashlib.sha256(token.encode()).hexdigest()


def open_session(user_id: int, organisation_id: int | None, device: str = "") -> str:
    """Begin a session and return its token, which only the visitor's cookie keeps."""
    token = secrets.token_urlsafe(32)
    now = clock.now()
    db.session().execute(insert(UserSession), [{
        "token_hash": token_hash(token), "user_id": user_id, "organisation_id": organisation_id,
        "created_at": now, "expires_at": now + timedelta(hours=SESSION_HOURS), "device": device[:200],
    }])
    return token


def end_session(session_id: int) -> None:
    """A copied cookie of this session is worth nothing from now on."""
    db.session().execute(update(UserSession).where(UserSession.id == session_id).values(ended_at=clock.now()))


def end_all_sessions(user_id: int) -> None:
    """Log a person out everywhere: after a password change or a reset."""
    now = clock.now()
    for table in (UserSession, ApiToken):
        db.session().execute(
            update(table).where(table.user_id == user_id, table.ended_at.is_(None)).values(ended_at=now)
        )


def first_organisation(user_id: int) -> int | None:
    """Whom a person acts for after logging in: the first organisation they were made a member of."""
    return db.session().scalar(
        select(Membership.organisation_id).where(Membership.user_id == user_id).order_by(Membership.id).limit(1)
    )


def issue_api_token(user_id: int, organisation_id: int | None, days: int = 30) -> str:
    """A Bearer token for one person acting for one organisation."""
    token = "sj_" + secrets.token_urlsafe(32)
    now = clock.now()
    db.session().execute(insert(ApiToken), [{
        "token_hash": token_hash(token), "user_id": user_id, "organisation_id": organisation_id,
        "created_at": now, "expires_at": now + timedelta(days=days),
    }])
    return token


def visitor_of_session(token: str) -> Visitor | None:
    """The person whose live session this is."""
    return _visitor(_people().add_columns(UserSession.id.label("session_id"))
                    .join(UserSession, and_(UserSession.user_id == User.id))
                    .where(UserSession.token_hash == token_hash(token), UserSession.ended_at.is_(None),
                           UserSession.expires_at > clock.now()), UserSession)


def visitor_of_token(token: str) -> Visitor | None:
    """The person whose live API token this is."""
    return _visitor(_people().join(ApiToken, ApiToken.user_id == User.id)
                    .where(ApiToken.token_hash == token_hash(token), ApiToken.ended_at.is_(None),
                           ApiToken.expires_at > clock.now()), ApiToken)


def visitor_of_login(login: str, organisation_id: int | None = None) -> Visitor | None:
    """A person by login name, acting for an organisation (their first unless said): for commands and the demo."""
    user_id = db.session().scalar(select(User.id).where(User.login == login))
    if user_id is None:
        return None
    organisation_id = organisation_id or first_organisation(user_id)
    rows = db.session().execute(
        _people().outerjoin(Organisation, Organisation.id == organisation_id)
        .outerjoin(Division, Division.id == Organisation.division_id)
        .outerjoin(Membership, and_(Membership.user_id == User.id, Membership.organisation_id == Organisation.id))
        .where(User.id == user_id)
    ).all()
    return _from_rows(rows)


def _people() -> Select[Any]:
    return select(
        User.id, User.name, User.login, Organisation.id.label("organisation_id"),
        Organisation.kind.label("organisation_kind"), Organisation.short_name.label("organisation_name"),
        Organisation.office_kind, Organisation.unit_type, Organisation.division_id,
        Division.code.label("division_code"), Membership.role,
    ).select_from(User)


def _visitor(query: Select[Any], door: type[UserSession] | type[ApiToken]) -> Visitor | None:
    return _from_rows(db.session().execute(
        query.outerjoin(Organisation, Organisation.id == door.organisation_id)
        .outerjoin(Division, Division.id == Organisation.division_id)
        .outerjoin(Membership, and_(Membership.user_id == User.id, Membership.organisation_id == Organisation.id))
    ).all())


def _from_rows(rows: Any) -> Visitor | None:
    """One row per role; a membership that has been taken away leaves no role."""
    if not rows:
        return None
    first: Row[Any] = rows[0]
    facts = {name: value for name, value in first._mapping.items() if name != "role"}
    return Visitor(**facts, roles=frozenset(row.role for row in rows if row.role))
