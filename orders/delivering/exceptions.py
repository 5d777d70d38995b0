"""What the receivers say of the whole van besides the lines: how cold it was, and whether the papers were there."""

from collections.abc import Mapping, Sequence
from typing import Any

from market import money
from market.errors import N_, MarketError
from market.schemas import REQUIRED
from orders.delivering import cold
from orders.delivering.acceptance import Documents, Taken


class TooWarm(MarketError):
    """A warning, not a wall: the receivers may say that they take the goods all the same."""

    status = 422
    code = "too_warm"
    text = N_("Warmer than %(limit)s °C: refuse the cold goods, or tick below that you take them all the same.")


def cold_kinds(taken: Mapping[int, Sequence[Taken]], lines: Mapping[int, Any]) -> dict[int, str]:
    """How the goods travel, by line, for the lines of which something cold is taken."""
    some = [one.line_id for lines_of in taken.values() for one in lines_of if one.grams or one.milli]
    kinds = cold.kinds_of({lines[line_id].category for line_id in some})
    return {line_id: kinds[lines[line_id].category] for line_id in some if lines[line_id].category in kinds}


def wrong_with(values: Mapping[str, Any], kinds: Mapping[int, str]) -> dict[str, list[str | MarketError]]:
    """Messages by field: a temperature that is missing, or too warm and nobody says that the goods are taken so."""
    wrong: dict[str, list[str | MarketError]] = {
        field_of(kind): [REQUIRED] for kind in sorted(set(kinds.values())) if values[field_of(kind)] is None}
    if not values["warm_taken"]:
        measurements = {kind: values[field_of(kind)] for kind in cold.LIMITS}
        for kind in cold.too_warm(sorted(set(kinds.values())), measurements):
            wrong[field_of(kind)] = [TooWarm(limit=degrees(cold.LIMITS[kind].tenths))]
    return wrong


def papers_unsaid(values: Mapping[str, Any]) -> dict[str, list[str | MarketError]]:
    """A message where papers were neither seen nor said to be missing."""
    said = values["documents_seen"] or values["documents_note"]
    return {} if said else {"documents_seen": [N_("Tick that you saw the papers, or say which are missing.")]}


def measured(values: Mapping[str, Any], kind: str | None) -> int | None:
    """The temperature of goods that travel so."""
    return values[field_of(kind)] if kind else None


def documents(values: Mapping[str, Any]) -> Documents:
    """What was said of the papers."""
    return Documents(values["documents_seen"], values["documents_note"])


def field_of(kind: str) -> str:
    return f"{kind}_tenths"


def degrees(tenths: int) -> str:
    """Tenths of a degree as people write them.

    >>> degrees(80), degrees(-125), degrees(-5)
    ('8', '-12.5', '-0.5')
    """
    return ("-" if tenths < 0 else "") + money.plain_decimal(abs(tenths) * 100)
