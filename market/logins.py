"""Who is at the door: sessions the server can end, and the Visitor of a request from one query."""

import hashlib
import secrets
from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from typing import Any

from sqlalchemy import Row, Select, bindparam, exists, insert, literal, select, update

from market import clock, db, journal
from market.access import Visitor
from market.config import SESSION_HOURS
from market.errors import NotFound
from market.parties import Membership, Organisation
from market.places import Division
from market.users import ApiToken, BoundDevice, User, UserSession

# what one gets in by without a password
DOORS: Mapping[str, Any] = {"session": UserSession, "phone": BoundDevice, "token": ApiToken}


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
    db.session().execute(update(UserSession).where(UserSession.id == session_id, UserSession.ended_at.is_(None))
                         .values(ended_at=clock.now()))


def end_own(visitor: Visitor, kind: str, door_id: int) -> None:
    """End one session, API token or bound phone of one's own; `kind` is a key of DOORS. Foreign ones are NotFound."""
    door = DOORS[kind]
    ended = db.session().execute(
        update(door).where(door.id == door_id, door.user_id == visitor.id, door.ended_at.is_(None))
        .values(ended_at=clock.now()).returning(door.id)
    ).first()
    if ended is None:
        raise NotFound()
    journal.record(f"login.{kind}_ended", "user", visitor.id, visitor, door=door_id)


def end_all_sessions(user_id: int, but: int | None = None) -> None:
    """Log a person out everywhere, API tokens and bound phones too; the session `but` stays."""
    now = clock.now()
    for door in DOORS.values():
        ending = update(door).where(door.user_id == user_id, door.ended_at.is_(None)).values(ended_at=now)
        if door is UserSession and but is not None:
            ending = ending.where(door.id != but)
        db.session().execute(ending)


def end_everything(visitor: Visitor) -> None:
    """A person logs out everywhere."""
    end_all_sessions(visitor.id)
    journal.record("login.left_everywhere", "user", visitor.id, visitor)


def open_doors(user_id: int) -> dict[str, list[Row[Any]]]:
    """What lets a person in now, newest first: 'session', 'phone', 'token' rows (id, since, expires_at, device)."""
    return {kind: list(db.session().execute(_live(door, user_id))) for kind, door in DOORS.items()}


def _live(door: Any, user_id: int) -> Select[*tuple[Any, ...]]:
    since = door.bound_at if door is BoundDevice else door.created_at
    device = literal("") if door is ApiToken else door.device
    return (select(door.id, since.label("since"), door.expires_at, device.label("device"))
            .where(door.user_id == user_id, door.ended_at.is_(None), door.expires_at > clock.now())
            .order_by(door.id.desc()))


def duties(user_id: int) -> list[Row[Any]]:
    """Every role a person holds (organisation_id, organisation_name, kind, office_kind, role), the oldest first."""
    return list(db.session().execute(
        select(Organisation.id.label("organisation_id"), Organisation.short_name.label("organisation_name"),
               Organisation.kind, Organisation.office_kind, Membership.role)
        .join(Membership, Membership.organisation_id == Organisation.id)
        .where(Membership.user_id == user_id).order_by(Membership.id)))


def switch_organisation(visitor: Visitor, organisation_id: int) -> None:
    """Act for another organisation in this session, one of the person's own; any other is NotFound."""
    switched = db.session().execute(
        update(UserSession).where(
            UserSession.id == visitor.session_id,
            exists().where(Membership.user_id == visitor.id, Membership.organisation_id == organisation_id))
        .values(organisation_id=organisation_id).returning(UserSession.id)
    ).first()
    if switched is None:
        raise NotFound()
    journal.record("login.switched", "organisation", organisation_id, visitor, before=visitor.organisation_id)


def login_of(user_id: int) -> str:
    """The login name of somebody known."""
    return db.session().execute(select(User.login).where(User.id == user_id)).scalar_one()


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
    return _visitor(UserSession, token)


def visitor_of_token(token: str) -> Visitor | None:
    """The person whose live API token this is."""
    return _visitor(ApiToken, token)


def visitor_of_login(login: str, organisation_id: int | None = None) -> Visitor | None:
    """A person by login name, acting for an organisation (their first unless said): for commands and the demo."""
    user_id = db.session().scalar(select(User.id).where(User.login == login))
    if user_id is None:
        return None
    organisation_id = organisation_id or first_organisation(user_id)
    query = _people().outerjoin(db.table(Organisation), _organisation.id == organisation_id)
    return _from_rows(db.session().execute(_with_duties(query).where(_user.id == user_id)).all())


_user, _organisation = db.table(User).c, db.table(Organisation).c
_division, _member = db.table(Division).c, db.table(Membership).c


def _people() -> Select[*tuple[Any, ...]]:
    """A visitor's columns; whoever calls joins the organisation the person acts for."""
    return select(
        _user.id, _user.name, _user.login, _organisation.id.label("organisation_id"),
        _organisation.kind.label("organisation_kind"), _organisation.short_name.label("organisation_name"),
        _organisation.office_kind, _organisation.unit_type, _organisation.division_id,
        _division.code.label("division_code"), _member.role,
    ).select_from(db.table(User))


def _with_duties(query: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    """Where that organisation lies, and the person's roles in it."""
    return (
        query.outerjoin(db.table(Division), _division.id == _organisation.division_id)
        .outerjoin(db.table(Membership), (_member.user_id == _user.id) & (_member.organisation_id == _organisation.id))
    )


def _visitor(door: type[UserSession] | type[ApiToken], token: str) -> Visitor | None:
    known = {"token_hash": token_hash(token), "now": clock.now()}
    return _from_rows(db.session().execute(_through(door), known).all())


@cache
def _through(door: type[UserSession] | type[ApiToken]) -> Select[*tuple[Any, ...]]:
    """Built once: asked on every page of everybody who is logged in."""
    entry = db.table(door).c
    query = _with_duties(
        _people().join(db.table(door), entry.user_id == _user.id)
        .outerjoin(db.table(Organisation), _organisation.id == entry.organisation_id)
    ).where(entry.token_hash == bindparam("token_hash"), entry.ended_at.is_(None), entry.expires_at > bindparam("now"))
    return query.add_columns(entry.id.label("session_id")) if door is UserSession else query


def _from_rows(rows: Any) -> Visitor | None:
    """One row per role; a membership that has been taken away leaves no role."""
    if not rows:
        return None
    first: Row[Any] = rows[0]
    facts = {name: value for name, value in first._mapping.items() if name != "role"}
    return Visitor(**facts, roles=frozenset(row.role for row in rows if row.role))
