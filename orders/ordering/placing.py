"""A draft becomes purchases, one for each delivery, all of them or none; or goes into the cart."""

from collections import defaultdict
from collections.abc import Sequence

from market import money
from market.access import Visitor
from market.errors import N_, Conflict, InvalidInput, MarketError
from orders.buying import cart, checkout
from orders.buying.checkout import Placed, Wish
from orders.ordering import drafts
from orders.ordering.drafts import Part


class TotalChanged(Conflict):
    """Quantities or prices are no longer those that the shown total was for."""

    code = "look_again"
    text = N_("The total is now ¥%(total)s. Please look once more and order again.")


def place(parts: Sequence[Part], note: str, expected_total_fen: int | None, token: str, by: Visitor) -> list[Placed]:
    """Order every part that has goods, as one purchase each, in the caller's one transaction.

    Raises InvalidInput with a message at each line that cannot be ordered, TotalChanged, and what checkout.place does;
    then nothing at all has been placed.
    """
    wanted = [Part(part.delivery, [want for want in part.wants if want.milli]) for part in parts]
    full = [(number, part) for number, part in enumerate(wanted) if part.wants]
    if not full:
        raise InvalidInput({"lines": [N_("An order holds between 1 and 200 goods.")]})
    check(parts)
    total = _total_fen([part for _number, part in full])
    if expected_total_fen is not None and total != expected_total_fen:
        raise TotalChanged(total=money.yuan(total))
    return [_place_one(number, part, note, token, by) for number, part in full]


def _place_one(number: int, part: Part, note: str, token: str, by: Visitor) -> Placed:
    """A refusal about a delivery stands at that part's field."""
    to = part.delivery
    wish = Wish(to.delivery_point_id or 0, to.delivery_day, to.delivery_window, to.fund_source,
                budget_unit_id=to.budget_unit_id, note=note)
    goods = [(want.product_id, want.milli or 0) for want in part.wants]
    try:
        return checkout.place(goods, wish, f"{token}:{number}", by)
    except InvalidInput as refusal:
        raise InvalidInput({f"parts-{number}-{name}" if hasattr(to, name) else name: messages
                            for name, messages in refusal.fields.items()}) from refusal


def into_cart(parts: Sequence[Part], by: Visitor) -> int:
    """Set the goods of all parts in the cart, sums over the parts; returns how many. Raises InvalidInput."""
    sums: dict[int, int] = defaultdict(int)
    for part in parts:
        for want in part.wants:
            sums[want.product_id] += want.milli or 0
    goods = [(product_id, milli) for product_id, milli in sums.items() if milli]
    check(parts, only=(cart.NotThisQuantity, *drafts.GONE))
    if not goods:
        raise InvalidInput({"lines": [N_("There is nothing to put into the cart.")]})
    cart.put_all(goods, by)
    return len(goods)


def check(parts: Sequence[Part], only: tuple[type[MarketError], ...] = (MarketError,)) -> None:
    """Raises InvalidInput with what speaks against each line that has a quantity, under its name in the form."""
    against, number = drafts.wrong(parts), 0
    fields: dict[str, list[str | MarketError]] = {}
    for at, part in enumerate(parts):
        for want in part.wants:
            refusal = against.get((at, want.product_id))
            if want.milli and isinstance(refusal, only):
                fields[f"lines-{number}-quantity_milli"] = [refusal]
            number += 1
    if fields:
        raise InvalidInput(fields)


def _total_fen(parts: Sequence[Part]) -> int:
    """What all deliveries cost with their freight, in fen."""
    products = cart.sellable([want.product_id for part in parts for want in part.wants])
    goods = [(part.delivery.delivery_point_id, [(products[want.product_id], want.milli or 0) for want in part.wants
                                                if want.product_id in products]) for part in parts]
    return sum(drafts.freight_fen(goods)) + sum(
        money.line_total(product.price_fen, milli) for _point, some in goods for product, milli in some)
