"""What the worker does for the reserved share: reminders of the last filing day and of a year that lags; once each."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from flask_babel import force_locale
from sqlalchemy import select

from market import clock, db, mail, money, notices, settings
from market.errors import N_
from market.i18n import gettext as _
from market.notices import Kind, Kinds
from market.outbox import Handler
from market.parties import Organisation
from orders.quota import figures, rules
from orders.quota.models import FILED, QuotaFiling, QuotaReminder

FOLLOWED = "quota_followed"
REMIND_AT = (1, 7, 30)  # days left for filing
LAG_POINTS = 2000  # behind the time by more than 20 points
DAYS_AFTER_QUARTER = 14  # for a worker that did not run on the day itself
QUARTER_ENDS = ((3, 31), (6, 30), (9, 30), (12, 31))
READERS = ("manager", "finance")
DUE = N_("The filing of the reserved share for %(year)s is due by %(day)s.")
LAGS = N_("The reserved share of %(year)s stands at %(done)s, the year at %(time)s.")

KINDS: Kinds = {
    **{f"quota.due_{days}": Kind(DUE, "quota.home", "year", mailed=True) for days in REMIND_AT},
    **{f"quota.lags_q{quarter}": Kind(LAGS, "quota.home", "year", mailed=True) for quarter in (1, 2, 3, 4)},
}
HANDLERS: Mapping[str, Handler] = {}


def follow_day() -> None:
    """Once a day, whenever the worker first comes to it."""
    today = clock.today()
    if settings.get(FOLLOWED) == today.isoformat():
        return
    with db.transaction():
        remind_of_deadlines(today)
        remind_of_lags(today)
        settings.put(FOLLOWED, today.isoformat())


def remind_of_deadlines(today: date) -> None:
    """Units that have not filed hear 30, 7 and 1 days before the last day of their area, once each."""
    for year in (today.year, today.year + 1):
        book = rules.Book(year)
        if not book.terms:
            continue
        filed = select(QuotaFiling.unit_id).where(QuotaFiling.year == year,
                                                  QuotaFiling.state.in_((*FILED, "closed")))
        for unit in db.session().execute(_units().where(Organisation.id.not_in(filed))).all():
            deadline = book.deadline(unit.division_id)
            left = (deadline - today).days if deadline else -1
            stage = next((days for days in REMIND_AT if 0 <= left <= days), None)
            if stage is not None:
                _tell(unit.id, year, f"due_{stage}", DUE, {"year": str(year), "day": deadline.isoformat()})


def remind_of_lags(today: date) -> None:
    """At the end of a quarter: units whose share lags behind the time by more than 20 points."""
    for quarter, (month, day) in enumerate(QUARTER_ENDS, 1):
        for year in (today.year - 1, today.year):
            end = date(year, month, day)
            if not 0 <= (today - end).days <= DAYS_AFTER_QUARTER:
                continue
            units = db.session().scalars(
                select(QuotaFiling.unit_id).where(QuotaFiling.year == year, QuotaFiling.state == "approved")).all()
            for unit_id, found in figures.progress(units, year, end).items():
                if found.lag_points is not None and found.lag_points > LAG_POINTS:
                    _tell(unit_id, year, f"lags_q{quarter}", LAGS, {
                        "year": str(year), "done": money.percent(found.local.points or 0),
                        "time": money.percent(found.time_points)})


def _units() -> Any:
    return select(Organisation.id, Organisation.division_id).where(Organisation.kind == "unit",
                                                                   Organisation.status == "active")


def _tell(unit_id: int, year: int, matter: str, text: str, told: Mapping[str, str]) -> None:
    """A notice and a mail in both languages, unless they went out before."""
    new = db.session().scalar(db.insert_new(QuotaReminder).returning(QuotaReminder.id),
                              {"unit_id": unit_id, "year": year, "matter": matter, "sent_at": clock.now()})
    if new is None:
        return
    notices.tell(unit_id, f"quota.{matter}", year, told)
    said: list[tuple[str, str]] = []
    for language in ("zh", "en"):
        with force_locale(language):
            said.append((_(N_("The reserved share of %(year)s"), year=str(year)), _(text, **told)))
    mail.write(unit_id, READERS, f"quota {unit_id} {year} {matter}", " / ".join(line for line, _text in said),
               "\n\n".join(body for _line, body in said) + "\n")
