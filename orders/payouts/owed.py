"""What is owed to each household and collective: earned, paid, on its way in payment runs, and since when.

What is paid pays the oldest income first; what is left of it tells since when a household waits.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, select, true

from market import db
from market.ledger import INCOME_EVENTS
from market.sealing import TRANSFERS
from orders.income import households
from orders.payouts import on_way
from orders.payouts.on_way import Key

Dated = tuple[date, int]


@dataclass(frozen=True)
class Owed:
    """One receiver of a village by one kind of income, through one co-operative, in fen; no household: the collective,
    or growers whose names have not followed. `waiting`: what is unpaid, by the day it was earned, the oldest first.
    """

    supplier_id: int
    village_id: int
    household_id: int | None
    income_kind: str
    earned_fen: int
    paid_fen: int
    on_way_fen: int
    waiting: Sequence[Dated]

    @property
    def unpaid_fen(self) -> int:
        return self.earned_fen - self.paid_fen

    @property
    def free_fen(self) -> int:
        """What may enter a payment run."""
        return max(0, self.unpaid_fen - self.on_way_fen) if self.can_be_paid else 0

    @property
    def can_be_paid(self) -> bool:
        return self.household_id is not None or self.income_kind == "collective"

    @property
    def oldest(self) -> date | None:
        return self.waiting[0][0] if self.waiting else None

    def since_before(self, day: date) -> int:
        """Fen earned up to a day and still unpaid."""
        return sum(fen for earned_on, fen in self.waiting if earned_on <= day)


def of(*, supplier_id: int | None = None, villages: Collection[int] | None = None) -> list[Owed]:
    """Everything owed through a co-operative, or in some villages, by village, household and kind of income.

    A handful of statements; the cost follows the transfers of these villages.
    """
    earned: defaultdict[Key, list[Dated]] = defaultdict(list)
    paid: defaultdict[Key, int] = defaultdict(int)
    for entry in households.entries(supplier_id=supplier_id, villages=villages):
        key = (entry.supplier_id, entry.village_id, entry.household_id, entry.income_kind)
        earned[key].append((entry.business_date, entry.earned_fen))
        paid[key] += entry.paid_fen
    for key, day, earned_fen, paid_fen in _collectives(supplier_id, villages):
        earned[key].append((day, earned_fen))
        paid[key] += paid_fen
    on_their_way = on_way.sums(supplier_id=supplier_id, villages=villages)
    return [Owed(*key, sum(fen for _day, fen in days), paid[key], on_their_way.get(key, 0),
                 unpaid_of(days, paid[key]))
            for key, days in sorted(earned.items(), key=lambda pair: (*pair[0][:2], pair[0][2] or 0, pair[0][3]))]


def unpaid_of(days: Iterable[Dated], paid_fen: int) -> list[Dated]:
    """What is left of dated income once so much is paid, the oldest first; minus entries pay off the oldest too.

    >>> first, second = date(2026, 9, 1), date(2026, 10, 1)
    >>> unpaid_of([(first, 100), (second, 50), (second, -20)], 90)
    [(datetime.date(2026, 10, 1), 40)]
    """
    ordered = sorted(days)
    covered = paid_fen - sum(fen for _day, fen in ordered if fen < 0)
    left: list[Dated] = []
    for day, fen in ordered:
        if fen <= 0:
            continue
        pays = min(covered, fen)
        covered -= pays
        if fen > pays:
            if left and left[-1][0] == day:
                left[-1] = (day, left[-1][1] + fen - pays)
            else:
                left.append((day, fen - pays))
    return left


def _collectives(supplier_id: int | None, villages: Collection[int] | None) -> Iterable[tuple[Key, date, int, int]]:
    """The collectives' transfers: key, day, earned, paid."""
    where: ColumnElement[bool] = true()
    if supplier_id is not None:
        where &= TRANSFERS.c.supplier_id == supplier_id
    if villages is not None:
        where &= TRANSFERS.c.village_id.in_(villages)
    for row in db.session().execute(
            select(TRANSFERS.c.supplier_id, TRANSFERS.c.village_id, TRANSFERS.c.event, TRANSFERS.c.backward,
                   TRANSFERS.c.business_date, db.sum_of(TRANSFERS.c.amount_fen).label("fen"))
            .where(TRANSFERS.c.event.in_(INCOME_EVENTS), TRANSFERS.c.income_kind == "collective", where)
            .group_by(TRANSFERS.c.supplier_id, TRANSFERS.c.village_id, TRANSFERS.c.event, TRANSFERS.c.backward,
                      TRANSFERS.c.business_date)):
        fen = -row.fen if row.backward else row.fen
        yield ((row.supplier_id, row.village_id, None, "collective"), row.business_date,
               {"attributed": fen, "withdrawn": -fen}.get(row.event, 0), fen if row.event == "paid_out" else 0)
