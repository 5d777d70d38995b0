"""Orders held out of public figures: what to subtract, by village and month, read beside the figures themselves.

Whole orders are held, so every village of theirs loses its part. While anything is held in a village's month the
public sees no household income of that month: the difference before and after would tell one household's income.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import case, func, select

from market import clock, db
from market.figures import EVERYWHERE, SUMMED_BY, Where
from market.sealing import TRANSFERS, closed_months, open_month
from market.village_months import figures_of
from orders.anomalies.models import OrderHold


@dataclass
class Held:
    """What is held in a village's month: figures as the roll-up has them, of open and of upheld cases together.

    `under_check`: the part of cases not yet decided, with its orders; `since` is when the oldest of them was held.
    """

    figures: dict[str, int] = field(default_factory=dict)
    under_check: dict[str, int] = field(default_factory=dict)
    orders: set[str] = field(default_factory=set)
    all_orders: set[str] = field(default_factory=set)
    since: datetime | None = None

    def add(self, other: "Held") -> None:
        for mine, theirs in ((self.figures, other.figures), (self.under_check, other.under_check)):
            for name, amount in theirs.items():
                mine[name] = mine.get(name, 0) + amount
        self.orders |= other.orders
        self.all_orders |= other.all_orders
        self.since = min(filter(None, (self.since, other.since)), default=None)

    def bought(self, undecided: bool = True) -> int:
        """Accepted less returned, in fen: of cases not yet decided, or else of upheld ones."""
        part = _bought(self.under_check)
        return part if undecided else _bought(self.figures) - part

    @property
    def days(self) -> int | None:
        """How long the oldest of them has been under check."""
        return (clock.today() - clock.business_date(self.since)).days if self.since else None


def _bought(figures: Mapping[str, int]) -> int:
    return figures.get("accepted_fen", 0) - figures.get("returned_fen", 0)


def held_figures(first: str, last: str, where: Where = EVERYWHERE) -> dict[tuple[int, str], Held]:
    """By village and month, from first to last, both included. Two statements, whatever is held; open a snapshot
    around: these are to be subtracted from figures of the same moment.
    """
    db.need_one_moment()
    standing = (
        select(OrderHold.order_number, func.min(OrderHold.held_at).label("held_at"),
               func.max(case((OrderHold.for_good, 1), else_=0)).label("for_good"))
        .where(OrderHold.released_at.is_(None)).group_by(OrderHold.order_number).subquery())
    keys = [TRANSFERS.c[name] for name in (*SUMMED_BY, "period", "order_ref")]
    rows = db.session().execute(
        select(*keys, standing.c.held_at, standing.c.for_good,
               *(db.sum_of(TRANSFERS.c[name]).label(name) for name in ("amount_fen", "grams")))
        .join(standing, standing.c.order_number == TRANSFERS.c.order_ref)
        .where(TRANSFERS.c.village_id.is_not(None), where.holds(TRANSFERS.c.village_id))
        .group_by(*keys, standing.c.held_at, standing.c.for_good)).mappings().all()
    closed = closed_months() if rows else ()
    found: defaultdict[tuple[int, str], Held] = defaultdict(Held)
    for row in rows:
        month = row["period"] or open_month(clock.period_of(row["business_date"]), closed)
        if first <= month <= last:
            figures = figures_of(row)
            one = Held(figures, all_orders={row["order_ref"]})
            if not row["for_good"]:
                one.under_check, one.orders, one.since = figures, {row["order_ref"]}, row["held_at"]
            found[row["village_id"], month].add(one)
    return dict(found)


def by_village(held: Mapping[tuple[int, str], Held], first: str, last: str) -> dict[int, Held]:
    """The same summed over months from first to last."""
    found: defaultdict[int, Held] = defaultdict(Held)
    for (village, month), one in held.items():
        if first <= month <= last:
            found[village].add(one)
    return dict(found)


def without(rows: Collection[Mapping[str, Any]], held: Mapping[Any, Held]) -> list[dict[str, Any]]:
    """Rows of `figures.village_figures` less what is held; `held` by village, or by village and month like the rows."""
    clear = []
    for row in rows:
        key = (row["village_id"], row["period"]) if "period" in row else row["village_id"]
        taken = held[key].figures if key in held else {}
        clear.append({name: value - taken.get(name, 0) if name not in ("village_id", "period") else value
                      for name, value in row.items()})
    return clear


def goods_held(suppliers: Collection[int], first: str, last: str) -> set[tuple[int, str]]:
    """(Co-operative, category) of goods accepted in these months whose orders are held; one statement."""
    held = select(OrderHold.order_number).where(OrderHold.released_at.is_(None))
    rows = db.session().execute(
        select(TRANSFERS.c.supplier_id, TRANSFERS.c.category).distinct()
        .where(TRANSFERS.c.order_ref.in_(held), TRANSFERS.c.supplier_id.in_(suppliers),
               TRANSFERS.c.category.is_not(None), TRANSFERS.c.period.between(first, last)))
    return {(row.supplier_id, row.category) for row in rows}
