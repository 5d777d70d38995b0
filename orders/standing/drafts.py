"""What a new plan proposes until somebody says otherwise: workdays, early morning, ordered at three the day before."""

from collections.abc import Sequence

from market import clock, money
from market.access import Visitor
from market.errors import N_, InvalidInput
from orders.buying import cart, lists
from orders.standing import contents, plans
from orders.standing.contents import Content, Line, Terms

WORKDAYS = 5
HALF_A_YEAR = 182
ABOVE_TODAY_POINTS = 1_000  # a ceiling leaves prices a tenth to move


def draw_up(name: str, goods: Sequence[tuple[int, int]], by: Visitor) -> int:
    """A draft with goods, given as (product id, milli), for each workday; goods no longer sold are left out.

    Raises InvalidInput where the unit has no delivery point.
    """
    points = lists.delivery_points(by.organisation_id)
    if not points:
        raise InvalidInput({"delivery_point_id": [N_("Your unit has no delivery point yet.")]})
    first = clock.days_after(clock.today(), 1)
    terms = Terms(
        name=name, budget_unit_id=by.organisation_id or 0, delivery_point_id=points[0].id, delivery_window="dawn",
        fund_source="canteen", days_ahead=1, cut_off_hour=15, first_day=first,  # co-operatives usually close at four
        last_day=clock.days_after(first, HALF_A_YEAR), skip_holidays=True, year_limit_fen=0)
    return plans.draw_up(contents.with_year_limit(Content(terms, _lines(goods)), None), by)


def _lines(goods: Sequence[tuple[int, int]]) -> tuple[Line, ...]:
    wanted = dict(goods)
    products = cart.sellable(list(wanted))
    return tuple(
        Line(product_id, ceiling_of(products[product_id].price_fen), False, (milli,) * WORKDAYS + (0, 0))
        for product_id, milli in wanted.items() if product_id in products)


def ceiling_of(price_fen: int) -> int:
    """The ceiling that is proposed for a price: a tenth more."""
    return price_fen + money.part_of(price_fen, ABOVE_TODAY_POINTS)
