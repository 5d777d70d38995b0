"""The time a notice is about: a week from Monday to Sunday, or months."""

from dataclasses import dataclass
from datetime import date

from market import clock
from market.errors import N_, InvalidInput, MarketError

WEEK = 7


class NotOver(MarketError):
    """A notice tells of what is over."""

    status = 422
    code = "period_not_over"
    text = N_("The time from %(first)s to %(last)s is not over yet.")


@dataclass(frozen=True)
class Span:
    """Days from first to last, both included; `kind` 'week', or 'month' for one month or several whole ones."""

    kind: str
    first_day: date
    last_day: date

    @property
    def months(self) -> tuple[str, str]:
        """The first and the last month it touches."""
        return clock.period_of(self.first_day), clock.period_of(self.last_day)

    @property
    def year(self) -> int:
        return self.last_day.year

    @property
    def name(self) -> str:
        """'2026-10', or '2026-10-05 — 2026-10-11'."""
        if self.kind == "month" and self.months[0] == self.months[1]:
            return self.months[0]
        return f"{self.first_day.isoformat()} — {self.last_day.isoformat()}"

    def before(self) -> "Span":
        """The time of the same length just before."""
        if self.kind == "week":
            return week_of(clock.days_after(self.first_day, -1))
        first, last = self.months
        return months(clock.months_before(first, len(clock.months_between(first, last))), clock.months_before(first, 1))


def months(first: str, last: str) -> Span:
    """Whole months.

    >>> months("2026-03", "2026-04").before()
    Span(kind='month', first_day=datetime.date(2026, 1, 1), last_day=datetime.date(2026, 2, 28))
    """
    return Span("month", clock.first_day(first), clock.last_day(last))


def week_of(day: date) -> Span:
    """The week that a day lies in.

    >>> week_of(date(2026, 10, 12)).name
    '2026-10-12 — 2026-10-18'
    """
    monday = clock.days_after(day, -day.weekday())
    return Span("week", monday, clock.days_after(monday, WEEK - 1))


def of(kind: str, day: date) -> Span:
    """The week or month that a day lies in."""
    return week_of(day) if kind == "week" else months(clock.period_of(day), clock.period_of(day))


def newest(kind: str) -> Span:
    """The last week or month that is over."""
    return of(kind, clock.today()).before()


def need_over(span: Span) -> None:
    """Raises NotOver for the running week or month and later ones, InvalidInput before 2020."""
    if span.last_day >= clock.today():
        raise NotOver(first=span.first_day.isoformat(), last=span.last_day.isoformat())
    if span.year < 2020:
        raise InvalidInput({"day": [N_("This number is outside what is possible here.")]})
