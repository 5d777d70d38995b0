"""Months as the officials' desk lists them: their acts with who and when, filed figures, entries that came late."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from sqlalchemy import func, select

from market import clock, db, filings, paging
from market.errors import NotFound
from market.figures import EVERYWHERE, Where
from market.filings import ACTS, TRANSFERS
from market.parties import Organisation
from market.places import Division
from market.users import User
from orders.periods import closing
from orders.periods.closing import PROPOSALS

ACT_COLUMNS = tuple(ACTS.c[name] for name in ("period", "number", "at", "sha256", "head_number", "head_hash"))


@dataclass
class Month:
    """One month: its acts, oldest first (number, at, sha256, head, who), and the proposal that waits."""

    period: str
    is_over: bool
    acts: list[Any] = field(default_factory=list)
    proposal: Any = None

    @property
    def number(self) -> int:
        return self.acts[-1].number if self.acts else 0

    @property
    def is_closed(self) -> bool:
        return filings.is_closed(self.number)

    @property
    def state(self) -> str:
        """A key of words.STATES."""
        if self.proposal is not None:
            return "reopen_proposed" if self.is_closed else "close_proposed"
        if self.is_closed:
            return "closed"
        return "reopened" if self.acts else "open" if self.is_over else "running"


def months() -> list[Month]:
    """Every month since the first with an entry, the newest first; five statements."""
    acts, proposals = _acts(), _open_proposals()
    now = clock.period_of(clock.today())
    oldest = closing.oldest_open() or now
    found = clock.months_between(min((oldest, *acts)), max((now, *acts)))
    return [Month(period, period < now, acts.get(period, []), proposals.get(period)) for period in reversed(found)]


def month(period: str) -> Month:
    """One month of the list. Raises NotFound."""
    found = next((one for one in months() if one.period == period), None)
    if found is None:
        raise NotFound()
    return found


def _acts() -> dict[str, list[Any]]:
    """With the two persons who did it; without the filed figures themselves, which are long."""
    first, second = db.table(User).alias(), db.table(User).alias()
    query = (
        select(*ACT_COLUMNS, PROPOSALS.c.reason, first.c.name.label("proposed_by"), second.c.name.label("confirmed_by"))
        .outerjoin(PROPOSALS, (PROPOSALS.c.period == ACTS.c.period) & (PROPOSALS.c.number == ACTS.c.number)
                   & (PROPOSALS.c.outcome == "confirmed"))
        .outerjoin(first, first.c.id == PROPOSALS.c.proposed_by)
        .outerjoin(second, second.c.id == PROPOSALS.c.decided_by).order_by(ACTS.c.period, ACTS.c.number))
    found: dict[str, list[Any]] = {}
    for row in db.session().execute(query):
        found.setdefault(row.period, []).append(row)
    return found


def _open_proposals() -> dict[str, Any]:
    query = (select(PROPOSALS, User.name.label("who")).join(User, User.id == PROPOSALS.c.proposed_by)
             .where(PROPOSALS.c.outcome.is_(None)).order_by(PROPOSALS.c.period))
    return {row.period: row for row in db.session().execute(query)}


def proposals_for(user_id: int) -> Sequence[Any]:
    """Open proposals of others, which this person may confirm."""
    return db.session().execute(select(PROPOSALS.c.id, PROPOSALS.c.period, PROPOSALS.c.number).where(
        PROPOSALS.c.outcome.is_(None), PROPOSALS.c.proposed_by != user_id).order_by(PROPOSALS.c.period)).all()


def changes_of(period: str) -> Iterator[tuple[int, list[Any]]]:
    """By closing from the second on: what its filing says otherwise than the one before."""
    kept = db.session().execute(select(ACTS.c.number, ACTS.c.filed).where(
        ACTS.c.period == period, ACTS.c.filed.is_not(None)).order_by(ACTS.c.number)).all()
    for before, after in pairwise(kept):
        yield filings.closing_of(after.number), list(filings.changes(before.filed, after.filed))


# ---- entries that came late -----------------------------------------------------------------------------------------


def _late(period: str, where: Where) -> Any:
    """Of the reader's area: an entry may be the income of a single household."""
    return ((TRANSFERS.c.period == period) & (TRANSFERS.c.business_date < clock.first_day(period))
            & where.holds(TRANSFERS.c.village_id))


def late_sums(period: str, where: Where = EVERYWHERE) -> list[tuple[tuple[str, str], tuple[int, int]]]:
    """Of entries counted in a month that belong to an earlier one: by that month and event, how many, and fen."""
    keys = (TRANSFERS.c.business_date, TRANSFERS.c.event, TRANSFERS.c.backward)
    found: defaultdict[tuple[str, str], tuple[int, int]] = defaultdict(lambda: (0, 0))
    for row in db.session().execute(
            select(*keys, func.count().label("entries"), db.sum_of(TRANSFERS.c.amount_fen).label("fen"))
            .where(_late(period, where)).group_by(*keys)):
        key = clock.period_of(row.business_date), row.event
        entries, fen = found[key]
        found[key] = entries + row.entries, fen + (-row.fen if row.backward else row.fen)
    return sorted(found.items())


def late(period: str, total: int, page: int, where: Where = EVERYWHERE) -> paging.Page:
    """The entries themselves, `total` of them, in the order in which they were booked."""
    supplier = db.table(Organisation).alias()
    query = (
        select(TRANSFERS.c.id, TRANSFERS.c.event, TRANSFERS.c.business_date, TRANSFERS.c.posted_at,
               TRANSFERS.c.amount_fen, TRANSFERS.c.backward, TRANSFERS.c.order_ref, Division.path,
               supplier.c.name.label("supplier"))
        .outerjoin(Division, Division.id == TRANSFERS.c.village_id)
        .outerjoin(supplier, supplier.c.id == TRANSFERS.c.supplier_id)
        .where(_late(period, where)).order_by(TRANSFERS.c.id))
    return paging.read(query, total, page)
