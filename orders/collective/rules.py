"""Bands of collective operating income and the suggested reward pool; pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from market import money
from market.errors import N_

WEAK_BELOW_FEN, RICH_ABOVE_FEN = 5_000_000, 20_000_000  # 50,000 and 200,000 yuan a year, domain 3.4
BANDS: Mapping[str, str] = {
    "weak": N_("weak (below 50,000 yuan)"), "ordinary": N_("ordinary (50,000 to 200,000 yuan)"),
    "rich": N_("rich (above 200,000 yuan)"),
}
NOT_DECLARED = N_("not known: other income is not declared")


def band_of(fen: int) -> str:
    """By a year's operating income.

    >>> band_of(4_999_999), band_of(5_000_000), band_of(20_000_000), band_of(20_000_001)
    ('weak', 'ordinary', 'ordinary', 'rich')
    """
    return "weak" if fen < WEAK_BELOW_FEN else "rich" if fen > RICH_ABOVE_FEN else "ordinary"


@dataclass(frozen=True)
class Year:
    """A collective's calendar year in fen; `declared_fen` None: no other income is declared and confirmed."""

    platform_fen: int = 0
    declared_fen: int | None = None

    @property
    def operating_fen(self) -> int | None:
        return None if self.declared_fen is None else self.platform_fen + self.declared_fen

    @property
    def band(self) -> str | None:
        """Tested only where other income is declared."""
        return None if self.operating_fen is None else band_of(self.operating_fen)


def increment_fen(now: Year, before: Year) -> int | None:
    """What is more than in the year before; None while either year is not known."""
    if now.operating_fen is None or before.operating_fen is None:
        return None
    return now.operating_fen - before.operating_fen


def pool_fen(increment: int | None, ratio_points: int) -> int | None:
    """A suggested reward pool (永扶字〔2020〕2号): a calculation, not a payment; None without an increment.

    >>> pool_fen(1_234_567, 2_000), pool_fen(0, 2_000), pool_fen(-5, 2_000), pool_fen(None, 2_000)
    (246913, None, None, None)
    """
    return money.part_of(increment, ratio_points) if increment is not None and increment > 0 else None
