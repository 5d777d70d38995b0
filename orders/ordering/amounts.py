"""From what was said to what a good is sold in: exactly, or not at all. Pure."""

from dataclasses import dataclass

from market import money
from market.errors import N_, MarketError

GRAMS = {"斤": 500, "市斤": 500, "jin": 500, "公斤": 1000, "千克": 1000, "kg": 1000, "克": 1, "g": 1, "两": 50,
         "吨": 1_000_000}
SAME = ({"公斤", "千克", "kg"}, {"斤", "市斤", "jin"}, {"克", "g"}, {"个", "只", "枚", "pcs"}, {"箱", "box", "boxes"},
        {"袋", "包", "bag", "bags"}, {"框", "筐"})
DOZEN = "打"


@dataclass(frozen=True)
class Sold:
    """How a good is sold: its unit, what a unit weighs (grams), the least and the step (thousandths of the unit)."""

    name: str
    unit: str
    unit_en: str
    grams_per_unit: int
    minimum_milli: int
    step_milli: int


class OtherUnit(MarketError):
    """A count of something else than what the good is sold by."""

    status = 422
    code = "other_unit"
    text = N_("%(name)s is sold by %(unit)s, not by %(said)s. Please say how many %(unit)s.")


class NotExpressible(MarketError):
    """Between two steps of what the good is sold in, or below the least."""

    status = 422
    code = "not_expressible"
    text = N_("%(name)s: %(said)s is not possible; the nearest is %(nearest)s %(unit)s.")

    def __init__(self, nearest_milli: int, **details: object) -> None:
        super().__init__(nearest=money.plain_decimal(nearest_milli), **details)
        self.nearest_milli = nearest_milli


def milli_of(said_milli: int, word: str, good: Sold) -> int:
    """Thousandths of the good's unit for thousandths of a word's. Raises OtherUnit, NotExpressible.

    >>> milli_of(100_000, "斤", Sold("香柚", "箱", "box", 10_000, 1000, 1000))    # 50 kg are five boxes
    5000
    """
    over, under = _parts(said_milli, word, good)
    exact, rest = divmod(over, under)
    if rest == 0 and exact >= good.minimum_milli and exact % good.step_milli == 0:
        return exact
    raise NotExpressible(nearest(over, under, good), name=good.name, unit=good.unit,
                         said=money.plain_decimal(said_milli) + (word or good.unit))


def _parts(said_milli: int, word: str, good: Sold) -> tuple[int, int]:
    """The quantity in thousandths of the good's unit, as a fraction."""
    own = {good.unit.casefold(), good.unit_en.casefold()}
    if not word or word in own or any(word in alike and own & alike for alike in SAME):
        return said_milli, 1
    if word in GRAMS:
        return said_milli * GRAMS[word], good.grams_per_unit
    if word == DOZEN and own & {"个", "只", "枚"}:
        return said_milli * 12, 1
    raise OtherUnit(name=good.name, unit=good.unit, said=word)


def nearest(over: int, under: int, good: Sold) -> int:
    """The nearest quantity that can be ordered; of two as near the smaller one.

    >>> nearest(5_400, 1, Sold("香柚", "箱", "box", 10_000, 1000, 1000))
    5000
    """
    least = -(-good.minimum_milli // good.step_milli) * good.step_milli
    below = over // (under * good.step_milli) * good.step_milli
    above = below + good.step_milli
    closer = below if over - below * under <= above * under - over else above
    return max(closer, least)
