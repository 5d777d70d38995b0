"""What the pages of forms list: the office's forms, and what was uploaded for one of them."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select

from market import db, paging
from market.access import Visitor
from market.files import StoredFile
from market.paging import Page
from market.users import User
from orders.forms.keeping import FORMS, VERSIONS


def forms(by: Visitor, away: bool, page: int) -> Page:
    """The office's forms by name, those in use or those put away; counts of both."""
    mine = FORMS.c.organisation_id == by.organisation_id
    is_away = FORMS.c.put_away_at.is_not(None)
    found = db.session().execute(select(is_away, func.count()).where(mine).group_by(is_away)).all()
    counts = {"away" if put_away else "use": count for put_away, count in found}
    query = (
        select(FORMS, VERSIONS.c.report, VERSIONS.c.confirmed_at, User.name.label("confirmed_name"))
        .outerjoin(VERSIONS, (VERSIONS.c.form_id == FORMS.c.id) & (VERSIONS.c.number == FORMS.c.version))
        .outerjoin(User, User.id == VERSIONS.c.confirmed_by)
        .where(mine, is_away if away else ~is_away).order_by(FORMS.c.name, FORMS.c.id))
    return paging.read(query, counts.get("away" if away else "use", 0), page, counts=counts)


def versions(form_id: int) -> Sequence[Any]:
    """All that was uploaded and confirmed for a form, the newest first."""
    confirmer = User.__table__.alias()
    return db.session().execute(
        select(VERSIONS, User.name.label("uploader"), confirmer.c.name.label("confirmer"), StoredFile.original_name)
        .join(User, User.id == VERSIONS.c.uploaded_by).join(StoredFile, StoredFile.id == VERSIONS.c.file_id)
        .outerjoin(confirmer, confirmer.c.id == VERSIONS.c.confirmed_by)
        .where(VERSIONS.c.form_id == form_id).order_by(VERSIONS.c.number.desc()).limit(paging.PER_PAGE)).all()
