"""What goods usually weigh after making: a yield outside its category's range needs a reason.

Source of the ranges: common knowledge of makers, rounded, marked K in the domain notes; invented where a kind of goods
varies much. They only ask for a sentence, they refuse nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from market import money
from market.errors import N_, MarketError

# category: grams that come out of 1,000 g of input, least and most
YIELDS: Mapping[str, tuple[int, int]] = {
    "camellia-oil": (200, 320),  # 100 kg of seed give 25 kg of oil
    "peanut-oil": (300, 480),
    "rice": (600, 750),
    "noodle": (700, 2500),
    "tofu": (900, 4000),
    "cured": (450, 800),
    "preserved-egg": (850, 1100),
    "tea": (180, 280),
    "pickle": (300, 1100),
    "dried": (60, 500),
    "processed": (100, 1100),
}


class UnusualYield(MarketError):
    """Said at the field for the reason."""

    status = 422
    code = "unusual_yield"
    text = N_("1 kg of input gave %(got)s kg; usual are %(low)s to %(high)s kg. Please say why.")


@dataclass(frozen=True)
class Usual:
    """A category's range, in grams out of 1,000 g."""

    low: int
    high: int


def usual(category: str) -> Usual | None:
    """The range of a category, None where there is no rule."""
    found = YIELDS.get(category)
    return Usual(*found) if found else None


def out_of_a_kilo(grams: int, input_grams: int) -> int:
    """Grams of goods out of 1,000 g of input, rounded.

    >>> out_of_a_kilo(25_000, 100_000)
    250
    """
    return (grams * 2000 + input_grams) // (2 * input_grams)


def check(category: str, grams: int, input_grams: int) -> UnusualYield | None:
    """What to say where a yield is outside the range of its category.

    >>> check("camellia-oil", 25_000, 100_000) is None, check("leaf", 1, 100_000) is None
    (True, True)
    >>> check("camellia-oil", 50_000, 100_000).message()
    '1 kg of input gave 0.5 kg; usual are 0.2 to 0.32 kg. Please say why.'
    """
    range_ = usual(category)
    if range_ is None or range_.low * input_grams <= grams * 1000 <= range_.high * input_grams:
        return None
    return UnusualYield(got=money.plain_decimal(out_of_a_kilo(grams, input_grams)),
                        low=money.plain_decimal(range_.low), high=money.plain_decimal(range_.high))
