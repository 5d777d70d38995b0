"""What the public may know of households' income: sums over months that are over, behind enough households.

One household's income must follow neither from a figure nor from the difference of two. So the public gets one total
of all kinds of household income, never the split; nothing of a running month, which would differ before and after one
entry; and of money paid out only what enough households shared in every month that is summed.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from sqlalchemy import func, select

from catalog.origins import FEWEST_HOUSEHOLDS
from market import clock, db
from market.errors import N_, MarketError
from market.figures import Where
from market.sealing import TRANSFERS, closed_months, open_month
from orders.income import presence


class NotYetOver(MarketError):
    """The public reads a month once it has ended."""

    status = 422
    code = "month_not_over"
    text = N_("%(month)s is not over yet. The public report shows a month once it has ended; the newest is %(newest)s.")


def newest_month() -> str:
    """The last month that is over, in Shanghai."""
    return clock.months_before(clock.period_of(clock.today()), 1)


def check_over(month: str) -> None:
    """Raises NotYetOver for the running month and later ones."""
    newest = newest_month()
    if month > newest:
        raise NotYetOver(month=month, newest=newest)


def standing(first: str, last: str, sums: Mapping[int, Mapping[str, int]],
             counts: Mapping[int, Mapping[str, int]]) -> dict[int, int]:
    """By village: how many households stand behind the income of these months. Open a snapshot around.

    Counted are the households that anything was earned for, less every grower of a lot whose farm-gate income was
    wholly taken back in the same months. Such a grower is left out even where another lot or a wage brought income:
    the count errs towards saying less.
    """
    gone = _taken_back(first, last, [village for village, row in sums.items() if row["returned_fen"]])
    return {village: of_kind.get("household", 0) - len(gone[village]) for village, of_kind in counts.items()}


def _taken_back(first: str, last: str, village_ids: Sequence[int]) -> defaultdict[int, set[int]]:
    """By village: growers of lots that brought nothing in the end. The cost follows the villages that took goods back.
    """
    gone: defaultdict[int, set[int]] = defaultdict(set)
    if not village_ids:
        return gone
    keys = [TRANSFERS.c[name] for name in ("village_id", "lot_id", "period", "business_date", "event", "backward")]
    query = (
        select(*keys, db.sum_of(TRANSFERS.c.amount_fen).label("amount_fen"))
        .where(TRANSFERS.c.village_id.in_(village_ids), TRANSFERS.c.income_kind == "farm_gate",
               TRANSFERS.c.event.in_(("attributed", "withdrawn")),
               TRANSFERS.c.block_no.is_(None) | TRANSFERS.c.period.between(first, last))
        .group_by(*keys)
    )
    closed = closed_months()
    left: Counter[tuple[int, int]] = Counter()
    for row in db.session().execute(query):
        if first <= (row.period or open_month(clock.period_of(row.business_date), closed)) <= last:
            taken_back = (row.event == "withdrawn") != row.backward
            left[row.village_id, row.lot_id] += -row.amount_fen if taken_back else row.amount_fen
    nothing = [key for key, fen in left.items() if fen <= 0]
    growers = presence.growers({lot for _village, lot in nothing})
    for village, lot in nothing:
        gone[village].update(growers.get((lot, village), ()))
    return gone


def shared_payouts(first: str, last: str, where: Where) -> set[tuple[int, str]]:
    """Village and month in which enough different households were paid; only sealed transfers are looked at."""
    query = (
        select(TRANSFERS.c.village_id, TRANSFERS.c.period)
        .where(TRANSFERS.c.event == "paid_out", TRANSFERS.c.backward.is_(False), TRANSFERS.c.household_id.is_not(None),
               TRANSFERS.c.period.between(first, last), where.holds(TRANSFERS.c.village_id))
        .group_by(TRANSFERS.c.village_id, TRANSFERS.c.period)
        .having(func.count(TRANSFERS.c.household_id.distinct()) >= FEWEST_HOUSEHOLDS)
    )
    return {(row.village_id, row.period) for row in db.session().execute(query)}
