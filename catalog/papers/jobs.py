"""What the worker does for papers: once a day what lapsed and what ends soon, and the news about refused ones.

A paper ends by its date alone; nothing here is needed for goods to leave the shelf.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

from flask_babel import force_locale
from sqlalchemy import and_, exists, or_, select
from sqlalchemy.orm import aliased

from catalog.models import Product, ProductChange
from catalog.papers.kinds import KINDS as PAPERS
from catalog.papers.models import Paper, PaperReminder
from market import clock, db, mail, notices, settings
from market.errors import N_
from market.i18n import gettext as _
from market.notices import Kind, Kinds
from market.outbox import Handler
from market.parties import Organisation

FOLLOWED = "papers_followed"  # the last day whose lapses are noted and whose reminders are out
REMIND_AT = (7, 30, 90)  # days left
READERS = ("manager", "clerk")
ENDS = N_("The %(paper)s %(number)s ends on %(day)s. Please add the new one in time.")
REFUSED = N_("The %(paper)s %(number)s was refused and does not count: %(reason)s")

KINDS: Kinds = {
    **{f"paper.ends_{days}": Kind(ENDS, "papers.show", "paper_id", words=("paper",), mailed=True)
       for days in REMIND_AT},
    "paper.refused": Kind(REFUSED, "papers.show", "paper_id", words=("paper",), mailed=True),
}


def follow_day() -> None:
    """Once a day, whenever the worker first comes to it: days on which no worker ran are made up for."""
    today = clock.today()
    if settings.get(FOLLOWED) == today.isoformat():
        return
    with db.transaction():
        before = settings.get(FOLLOWED)
        note_lapsed(date.fromisoformat(before) if before else None, today)
        remind(today)
        settings.put(FOLLOWED, today.isoformat())


def note_lapsed(since: date | None, today: date) -> None:
    """The search index hears of goods whose papers held for the last time between these days."""
    query = select(Product.id).where(Product.papers_until < today).order_by(Product.id)
    if since is not None:
        query = query.where(Product.papers_until >= since)
    db.insert_rows(ProductChange, [{"product_id": product_id} for product_id in db.session().scalars(query)])


def remind(today: date) -> None:
    """A supplier hears 90, 30 and 7 days before a paper ends, once each, unless a longer one is there already."""
    for paper in db.session().execute(_ending(today)).all():
        days = next(stage for stage in REMIND_AT if (paper.valid_until - today).days <= stage)
        told_now = db.session().scalar(db.insert_new(PaperReminder).returning(PaperReminder.days),
                                       {"paper_id": paper.id, "days": days, "sent_at": clock.now()})
        if told_now is None:  # told before
            continue
        told = {"paper": PAPERS[paper.kind].name, "number": paper.number, "day": paper.valid_until.isoformat()}
        notices.tell(paper.supplier_id, f"paper.ends_{days}", paper.id, told)
        _write(paper.supplier_id, f"paper {paper.id} ends {days}", N_("A paper ends on %(day)s"), ENDS, told)


def _ending(today: date) -> Any:
    """Papers of active suppliers that end within 90 days and that no longer one of the same kind follows."""
    later = aliased(Paper)
    followed = exists().where(
        later.supplier_id == Paper.supplier_id, later.kind == Paper.kind, later.id != Paper.id,
        later.lot_id.is_(None), later.state != "refused", later.product_id.is_not_distinct_from(Paper.product_id),
        or_(later.valid_until.is_(None), later.valid_until > Paper.valid_until,
            and_(later.valid_until == Paper.valid_until, later.id > Paper.id)))
    return (
        select(Paper.id, Paper.supplier_id, Paper.kind, Paper.number, Paper.valid_until)
        .join(Organisation, Organisation.id == Paper.supplier_id)
        .where(Organisation.status == "active", Paper.lot_id.is_(None), Paper.state != "refused",
               Paper.valid_until.between(today, clock.days_after(today, max(REMIND_AT))), ~followed)
        .order_by(Paper.id))


def paper_refused(payload: Mapping[str, Any]) -> None:
    """Refused: the supplier hears why."""
    with db.transaction() as session:
        paper = session.execute(select(Paper.id, Paper.supplier_id, Paper.kind, Paper.number, Paper.reason)
                                .where(Paper.id == payload["paper_id"])).one()
        told = {"paper": PAPERS[paper.kind].name, "number": paper.number, "reason": paper.reason}
        notices.tell(paper.supplier_id, "paper.refused", paper.id, told)
        _write(paper.supplier_id, f"paper {paper.id} refused", N_("A paper was refused"), REFUSED, told)


def _write(supplier_id: int, matter: str, subject: str, text: str, told: Mapping[str, str]) -> None:
    """A mail in both languages, Chinese first: nobody has told us which one they read."""
    said: list[tuple[str, str]] = []
    for language in ("zh", "en"):
        with force_locale(language):
            words = {**told, "paper": _(told["paper"])}
            said.append((_(subject, **words), _(text, **words)))
    mail.write(supplier_id, READERS, matter, " / ".join(line for line, _text in said),
               "\n\n".join(body for _line, body in said) + "\n")


HANDLERS: Mapping[str, Handler] = {"paper.refused": paper_refused}
