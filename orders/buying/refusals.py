"""What speaks against each good of an order, so that every message can stand at its line."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from catalog import stock
from catalog.capacity import gates
from catalog.papers import refusals as papers
from market import money
from market.errors import N_, Conflict, MarketError, in_english
from orders.buying import cart, checkout


class NoLongerSold(Conflict):
    """Taken off the shelf since it was put into the cart."""

    code = "no_longer_sold"
    text = N_("This is no longer on sale.")


class GoodsWithdrawn(Conflict):
    """A purchase waited for a yes, and meanwhile one of its goods left the shelf."""

    code = "goods_withdrawn"
    text = N_("%(name)s: %(reason)s Nothing has been sent to the co-operatives.")

    def __init__(self, name: str, reason: MarketError) -> None:
        super().__init__(name=name, reason=reason.message())
        self.reason = reason

    def message(self, translate: Callable[..., str] = in_english) -> str:
        return translate(self.text, **(self.details | {"reason": self.reason.message(translate)}))


def check_still_sold(names: Mapping[int, str]) -> None:
    """Raises GoodsWithdrawn for the first of these goods (name by product id) that is not on sale today."""
    gone = sorted(set(names) - set(cart.sellable(list(names))))
    if gone:
        raise GoodsWithdrawn(names[gone[0]], papers.by_good(gone).get(gone[0]) or NoLongerSold())


def by_good(goods: Sequence[tuple[int, int]], day: date) -> dict[int, MarketError]:
    """Refusals by product id for goods, given as (product id, milli), and a delivery day; in four statements,
    three more where something is not on sale: only want of a paper is told, why goods are hidden is not."""
    ids = [product_id for product_id, _milli in goods]
    products, free = cart.sellable(ids, day), stock.free_milli(ids, day)
    lapsed = papers.by_good([product_id for product_id in ids if product_id not in products])
    found = ((product_id, lapsed.get(product_id) or _refusal(products.get(product_id), milli, free[product_id], day))
             for product_id, milli in goods)
    return {product_id: refusal for product_id, refusal in found if refusal is not None}


def _refusal(product: Any, milli: int, free_milli: int, day: date) -> MarketError | None:
    if product is None:
        return NoLongerSold()
    try:
        cart.check_quantity(product, milli)
    except cart.NotThisQuantity as refusal:
        return refusal
    if product.supply == "daily" and not checkout.in_season(product.harvest_months, day.month):
        return checkout.NotInSeason(name=product.name)
    if milli > free_milli:
        return stock.OutOfStock(name=product.name, left=money.plain_decimal(max(free_milli, 0)))
    after = (product.sold_grams or 0) + money.grams_of(milli, product.grams_per_unit)
    if product.approved_grams and after > product.approved_grams:
        return gates.AboveCapacity(name=product.name, season=product.season,
                                   left=gates.left(product.approved_grams, product.sold_grams))
    return None
