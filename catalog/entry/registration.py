"""A stranger becomes an applicant: a login, a supplier that only applies, and an empty application, all at once.

Nobody chooses a login name here: it is the person's name with four random digits. So no answer tells whose logins
exist, and no mobile number is taken as a login before an office has seen whose it is (see admission.py).
"""

from dataclasses import dataclass

from sqlalchemy import select

from catalog.entry.models import Application
from market import clock, credentials, db, journal
from market.credentials import AlreadyRegistered
from market.parties import Organisation


@dataclass(frozen=True)
class Newcomer:
    """What a stranger says at the door; the password's slow hash is made before the transaction."""

    organisation: str
    name: str
    mobile: str
    password_hash: str


def register(newcomer: Newcomer, token: str | None) -> int:
    """Let a stranger begin an application; returns the new user's id. Raises AlreadyRegistered for a used token."""
    session = db.session()
    if token is not None:
        earlier = user_of(token)
        if earlier is not None:
            raise AlreadyRegistered(earlier)
    user_id = credentials.add_person(credentials.free_logins([newcomer.name])[0], newcomer.name, newcomer.password_hash)
    supplier = Organisation(kind="supplier", name=newcomer.organisation, short_name=newcomer.organisation,
                            status="applying", created_at=clock.now())
    session.add(supplier)
    session.flush()
    credentials.add_role(user_id, supplier.id, "applicant")
    begin(supplier, user_id, newcomer.mobile, token)
    return user_id


def begin(supplier: Organisation, user_id: int, mobile: str = "", token: str | None = None) -> int:
    """An empty application of a supplier; returns its id. Raises AlreadyRegistered when a rival took the token."""
    row = {"supplier_id": supplier.id, "applicant_id": user_id, "registration_token": token, "state": "draft",
           "name": supplier.name, "short_name": "", "legal_person": "", "mobile": mobile, "bank_name": "",
           "bank_account": "", "capacity": "", "producer_name": "", "proof_no": "", "created_at": clock.now()}
    made = db.session().execute(db.insert_new(Application).returning(Application.id), [row]).scalar()
    if made is None:
        raise AlreadyRegistered(user_of(token or "") or 0)
    journal.record("application.begun", "application", made, None, name=supplier.name)
    return int(made)


def user_of(token: str) -> int | None:
    """Who registered with a form of this token."""
    return db.session().scalar(select(Application.applicant_id).where(Application.registration_token == token))
