"""The demo world's files: an auditor wants the villages' past year as a workbook, which the worker then makes."""

from datetime import date

from market import clock, db, logins
from orders.exports import asking
from orders.reports.frame import Asked

AUDITOR, REPORT = "auditor.city", "village-income"


def ask(today: date) -> None:
    """Twelve months up to the last that is over."""
    by = logins.visitor_of_login(AUDITOR)
    if by is None:
        return
    last = clock.months_before(clock.period_of(today), 1)
    with clock.at(clock.shanghai(today, 10)), db.transaction():
        asking.ask(REPORT, "", Asked(clock.months_before(last, 11), last), "xlsx", "zh", by)
