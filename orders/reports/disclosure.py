"""What the public may know of households' income: sums over months that are over, behind enough households.

One household's income must follow neither from a figure nor from the difference of two. So the public gets one total
of all kinds of household income, never the split; nothing of a running month, which would differ before and after one
entry. Of money paid out it gets only shares, in whole percent, and only such that are made of whole cells (village,
co-operative, category, month) in each of which enough households were paid: whatever is subtracted from whatever, the
rest is made of such cells again.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import BigInteger, ColumnElement, case, cast, func, literal_column, select, union_all

from catalog.origins import FEWEST_HOUSEHOLDS
from market import clock, db
from market.errors import N_, MarketError
from market.sealing import TRANSFERS, closed_months, open_month, signed
from orders.income import presence
from orders.models import PaidAtWeighIn


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


@dataclass(frozen=True)
class Cell:
    """The smallest sum of what households were paid; `category` None for wages, rents and dividends."""

    village_id: int
    supplier_id: int | None
    category: str | None
    period: str


def small_cells(first: str, last: str, condition: ColumnElement[bool]) -> set[Cell]:
    """Cells of these months in which fewer than FEWEST_HOUSEHOLDS households were paid, and those that still change.

    Counted are households that got something in the end; growers paid at weigh-in by their slips. A cell still changes
    while a row of it is unsealed, or where a row was posted after its month: before and after, two figures would
    differ by that row alone. `condition` narrows TRANSFERS.
    """
    paid = (
        select(*CELL, TRANSFERS.c.household_id, signed(TRANSFERS.c.amount_fen).label("fen"),
               _late(first, last).label("late"))
        .where(_is_paid(first, last, condition), TRANSFERS.c.household_id.is_not(None))
    )
    part = case((_at_weigh_in(), cast(func.substr(TRANSFERS.c.source, 6, func.length(TRANSFERS.c.source) - 14),
                                      BigInteger)))
    weighed = (
        select(*CELL, PaidAtWeighIn.household_id, signed(PaidAtWeighIn.amount_fen).label("fen"),
               _late(first, last).label("late"))
        .join(PaidAtWeighIn, PaidAtWeighIn.acceptance_part_id == part)
        .where(_is_paid(first, last, condition), _at_weigh_in())
    )
    rows = union_all(paid, weighed).subquery()
    keys = [rows.c[column.name] for column in CELL]
    of_household = (
        select(*keys, func.sum(rows.c.fen).label("fen"), func.max(rows.c.late).label("late"))
        .group_by(*keys, rows.c.household_id).subquery()
    )
    keys = [of_household.c[column.name] for column in CELL]
    receivers = func.sum(case((of_household.c.fen != 0, 1), else_=0))
    few = select(*keys).group_by(*keys).having(
        ((receivers > 0) & (receivers < FEWEST_HOUSEHOLDS)) | (func.max(of_household.c.late) > 0))
    unsealed = select(TRANSFERS.c.village_id, TRANSFERS.c.supplier_id, TRANSFERS.c.category,
                      TRANSFERS.c.business_date).where(
        TRANSFERS.c.event == "paid_out", TRANSFERS.c.block_no.is_(None), condition)
    closed = closed_months()
    fresh = [(*row[:3], open_month(clock.period_of(row.business_date), closed))
             for row in db.session().execute(unsealed)]
    return {Cell(*row) for row in (*db.session().execute(few), *fresh) if first <= row[3] <= last}


CELL = tuple(TRANSFERS.c[name] for name in ("village_id", "supplier_id", "category", "period"))


def _is_paid(first: str, last: str, condition: ColumnElement[bool]) -> ColumnElement[bool]:
    paid_out = TRANSFERS.c.event == literal_column("'paid_out'")  # as its index says it
    return paid_out & TRANSFERS.c.period.between(first, last) & condition


def _at_weigh_in() -> ColumnElement[bool]:
    return TRANSFERS.c.source.like("part:%:weigh_in")


def _late(first: str, last: str) -> ColumnElement[int]:
    """1 for a row that was posted after the month it counts in was over."""
    return case(*(
        ((TRANSFERS.c.period == month) & (TRANSFERS.c.posted_at >= clock.shanghai(
            clock.first_day(clock.months_before(month, -1)))), 1)
        for month in clock.months_between(first, last)), else_=0)
