"""Households helped: counted from their income entries and the linkages these rest on, never typed.

A household counts where it has income above 0 in the months asked for. Farm-gate income rests on the household's own
agreement with the co-operative where it has one of buying, else on the village's, else on the delivery.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from market import db
from market.linkages import BUYING_FORMS, TIES
from orders.income.households import Entry


@dataclass
class Group:
    """Entries of one sort: income in fen by household, the households that earned more than they gave back."""

    fen_of: defaultdict[int, int] = field(default_factory=lambda: defaultdict(int))

    @property
    def households(self) -> set[int]:
        return {household for household, fen in self.fen_of.items() if fen > 0}

    @property
    def income_fen(self) -> int:
        return sum(self.fen_of.values())


@dataclass(frozen=True)
class Earned:
    """An entry of a household with the kind and form of the linkage it rests on."""

    entry: Entry
    household_id: int
    kind: str
    form: str


def tied(entries: Iterable[Entry]) -> list[Earned]:
    """Income entries of named households with their linkages; what rests on none is left out. Few statements."""
    earned = [(one, one.household_id) for one in entries if one.earned_fen and one.household_id is not None]
    named = _rows("id", {one.linkage_id for one, _household in earned if one.linkage_id is not None})
    by_id = {row.id: row for row in named}
    own: defaultdict[tuple[int, int], list[Any]] = defaultdict(list)
    for row in _rows("household_id", {household for _one, household in earned}):
        if row.form in BUYING_FORMS and row.confirmed_at is not None:
            own[row.supplier_id, row.household_id].append(row)
    found = []
    for one, household in earned:
        tie = by_id.get(one.linkage_id or 0)
        if one.income_kind == "farm_gate":
            tie = next((row for row in own[one.supplier_id, household] if row.since <= one.business_date
                        and (row.until is None or one.business_date < row.until)), tie)
        if tie is not None:
            found.append(Earned(one, household, tie.kind, tie.form))
    return found


def _rows(column: str, ids: Iterable[int]) -> Sequence[Any]:
    """Linkages by their ids or their households', the newest first."""
    return [row for some in db.chunks(sorted(ids)) for row in db.session().execute(
        select(TIES).where(TIES.c[column].in_(some)).order_by(TIES.c.id.desc()))]


@dataclass(frozen=True)
class Helped:
    """Distinct households with income above 0: all of them, by form and by kind of linkage."""

    all: Group
    by_form: Mapping[str, Group]
    by_kind: Mapping[str, Group]


def count(earned: Iterable[Earned], first: str, last: str) -> Helped:
    """Of entries that count in the months from first to last, both included."""
    whole = Group()
    forms: defaultdict[str, Group] = defaultdict(Group)
    kinds: defaultdict[str, Group] = defaultdict(Group)
    for one in earned:
        if first <= one.entry.period <= last:
            for group in (whole, forms[one.form], kinds[one.kind]):
                group.fen_of[one.household_id] += one.entry.earned_fen
    return Helped(whole, dict(forms), dict(kinds))
