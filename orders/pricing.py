"""What goods cost: as ordered, and as weighed at the door. Pure rules.

A school orders 10 kg of cabbage at ¥2.00 a kilo and 3 boxes of pomelo at ¥60.00 a box (10 kg each):

| line    | ordered  | at the door          | settled on     | amount |
|---------|----------|----------------------|----------------|--------|
| cabbage | 10 kg    | 9.5 kg               | weighed grams  | ¥19.00 |
| pomelo  | 3 boxes  | 3 boxes, one at ¥45  | count          | ¥180.00 or at the reduced price |

>>> weigh(Weighable("cabbage", 200, 10_000, 1000, True), accepted_grams=9_500).amount_fen
1900
>>> weigh(Weighable("pomelo", 6_000, 3_000, 10_000, False), accepted_milli=3_000, price_fen=4_500).amount_fen
13500
"""

from dataclasses import dataclass

from market import money
from market.errors import N_, Conflict, MarketError


@dataclass(frozen=True)
class Weighable:
    """An order line at the door: price in fen per sales unit, quantity in thousandths, weight in grams."""

    name: str
    price_fen: int
    ordered_milli: int
    grams_per_unit: int
    by_weight: bool
    packed_milli: int | None = None  # what was sent; None before anything is


@dataclass(frozen=True)
class Weighed:
    """What was taken of a line, and what it costs."""

    outcome: str
    accepted_milli: int
    accepted_grams: int
    price_fen: int
    amount_fen: int


class TooMuch(Conflict):
    """More than ordered and more than the unit's tolerance: the surplus goes back on the van."""

    code = "too_much"
    text = N_("%(name)s: at most %(most)s may be accepted.")


class WeightUnlikely(MarketError):
    """A weight that cannot belong to a count: each piece weighs about what it always weighs, and never nothing."""

    status = 422
    code = "weight_unlikely"
    text = N_("%(name)s: the weight does not fit the quantity.")


class PriceRaised(MarketError):
    """At the door a price can only fall."""

    status = 422
    code = "price_raised"
    text = N_("%(name)s: the price may be reduced, not raised.")


def weigh(line: Weighable, *, accepted_grams: int | None = None, accepted_milli: int | None = None,
          price_fen: int | None = None, tolerance_points: int = 500) -> Weighed:
    """Settle a line: goods of weight by weighed grams, counted goods by count (grams as usual unless given).

    tolerance_points: hundredths of a percent by which the accepted quantity may exceed the ordered and the packed
    one. Raises TooMuch, WeightUnlikely and PriceRaised.
    """
    if line.by_weight:
        grams = accepted_grams
        if grams is None:
            grams = money.grams_of(accepted_milli or 0, line.grams_per_unit)
        milli = money.milli_of(grams, line.grams_per_unit)
    else:
        milli = accepted_milli or 0
        grams = accepted_grams if accepted_grams is not None and milli else money.grams_of(milli, line.grams_per_unit)
    most = most_milli(line, tolerance_points)
    if milli > most:
        raise TooMuch(name=line.name, most=money.plain_decimal(most))
    check_weight(line.name, milli, grams, line.grams_per_unit, line.by_weight)
    price = line.price_fen if price_fen is None else price_fen
    if price > line.price_fen:
        raise PriceRaised(name=line.name)
    return Weighed(outcome_of(line.ordered_milli, milli), milli, grams if milli else 0, price,
                   money.line_total(price, milli))


def most_milli(line: Weighable, tolerance_points: int) -> int:
    """The most that may be accepted: a little more than ordered, and than was sent."""
    sent = line.ordered_milli if line.packed_milli is None else min(line.ordered_milli, line.packed_milli)
    return sent * (10_000 + tolerance_points) // 10_000


def check_weight(name: str, milli: int, grams: int, grams_per_unit: int, by_weight: bool) -> None:
    """Raise WeightUnlikely unless grams are those of the quantity: exactly by weight, within a tenth by count."""
    usual = money.grams_of(milli, grams_per_unit)
    allowed = 0 if by_weight else usual // 10
    if (milli > 0) != (grams > 0) or abs(grams - usual) > allowed:
        raise WeightUnlikely(name=name)


def outcome_of(ordered_milli: int, accepted_milli: int) -> str:
    """One word for what happened to a line.

    >>> [outcome_of(1000, taken) for taken in (1000, 950, 1020, 0)]
    ['accepted', 'short', 'over', 'rejected']
    """
    if accepted_milli == 0:
        return "rejected"
    if accepted_milli == ordered_milli:
        return "accepted"
    return "short" if accepted_milli < ordered_milli else "over"


def returned_total(price_fen: int, accepted_milli: int, returned_milli: int, back_milli: int) -> int:
    """What goods sent back are worth (fen), so that sending all back in any steps gives exactly the accepted amount.

    >>> returned_total(333, 1500, 0, 500) + returned_total(333, 1500, 500, 1000) == money.line_total(333, 1500)
    True
    """
    if not 0 < back_milli <= accepted_milli - returned_milli:
        raise ValueError("more than is left")
    before = money.line_total(price_fen, returned_milli)
    return money.line_total(price_fen, returned_milli + back_milli) - before
