"""Collective income of villages by calendar year: the platform's share from the ledger, beside what was declared.

Villages are those of today. What a village's predecessors earned before a renaming or merger stands in its row, in both
years alike, so that the increment compares like with like; the row names them. A year is known where the village itself
has confirmed other income of that year, or every one of its predecessors has.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import aliased

from market import clock, db, figures
from market.figures import EVERYWHERE, Where
from market.places import Division
from orders.collective import rules
from orders.collective.dated import Rule, Rules
from orders.collective.models import CollectiveDecision, OtherIncome
from orders.collective.rules import Year

Declared = Mapping[tuple[int, int], int]  # fen by (village id, year), confirmed


@dataclass(frozen=True)
class VillageYear:
    """A village of today in a year: what its collective earned, and what a rule makes of it. `former` are names."""

    village: Any
    year: int
    now: Year
    before: Year
    ratio: Rule
    decision: Any
    former: Sequence[str] = ()

    @property
    def increment_fen(self) -> int | None:
        return rules.increment_fen(self.now, self.before)

    @property
    def pool_fen(self) -> int | None:
        """A calculation, not a payment."""
        return rules.pool_fen(self.increment_fen, self.ratio.value)


class Succession:
    """Which villages of before have become which of today; one statement."""

    def __init__(self) -> None:
        self.before: defaultdict[int, list[Any]] = defaultdict(list)
        self.after: dict[int, int] = {}
        for row in db.session().execute(
                select(Division.id, Division.name, Division.valid_to, Division.successor_id)
                .where(Division.level == "village", Division.successor_id.is_not(None)).order_by(Division.id)):
            self.before[row.successor_id].append(row)
            self.after[row.id] = row.successor_id

    def today_of(self, village_id: int) -> int:
        """The village of today."""
        while village_id in self.after:
            village_id = self.after[village_id]
        return village_id

    def origins(self, village_id: int) -> list[int]:
        """The village itself and all that it came from."""
        return [village_id, *(origin for row in self.before.get(village_id, ()) for origin in self.origins(row.id))]

    def names(self, village_id: int) -> list[str]:
        """Names of all that it came from, without its own, each once."""
        return list(dict.fromkeys(name for row in self.before.get(village_id, ())
                                  for name in (row.name, *self.names(row.id))))


def of_area(where: Where, year: int, every: bool = False) -> list[VillageYear]:
    """Villages of today in an area, in a constant number of statements; open a snapshot around.

    Those about which there is something in the year or the one before; with `every` all.
    """
    db.need_one_moment()
    succession = Succession()
    villages = _villages(where)
    origins = {village.id: succession.origins(village.id) for village in villages}
    ids = {one for some in origins.values() for one in some}
    platform = platform_by_year(EVERYWHERE if where == EVERYWHERE else Where(village_ids=ids), year - 1, year)
    declared = _declared(year - 1, year)
    decisions = _decisions(year)
    ratios = Rules("reward_ratio", min(clock.today(), date(year, 12, 31)))
    found = []
    for village in villages:
        now, before = (_year(village.id, one, origins[village.id], platform, declared, succession)
                       for one in (year, year - 1))
        decision = next((decisions[one] for one in origins[village.id] if one in decisions), None)
        if every or decision or any(one.platform_fen or one.declared_fen is not None for one in (now, before)):
            found.append(VillageYear(village, year, now, before, ratios.of_county(village.county_id), decision,
                                     succession.names(village.id)))
    return found


def _villages(where: Where) -> Sequence[Any]:
    county, township = aliased(Division), aliased(Division)
    return db.session().execute(
        select(Division.id, Division.code, Division.name, Division.path, Division.county_id, Division.township_id,
               Division.valid_to, county.name.label("county"), township.name.label("township"))
        .outerjoin(county, county.id == Division.county_id).outerjoin(township, township.id == Division.township_id)
        .where(Division.level == "village", Division.successor_id.is_(None), where.holds(Division.id))
        .order_by(Division.code, Division.id)).all()


def platform_by_year(where: Where, first: int, last: int) -> dict[tuple[int, int], int]:
    """By (village, year): attributed less withdrawn, in the months that the reports count them in."""
    sums: defaultdict[tuple[int, int], int] = defaultdict(int)
    for row in figures.village_figures(f"{first}-01", f"{last}-12", where, by_period=True):
        sums[row["village_id"], int(row["period"][:4])] += row["collective_fen"]
    return sums


def _declared(first: int, last: int) -> Declared:
    return {(row.village_id, row.year): row.fen for row in db.session().execute(
        select(OtherIncome.village_id, OtherIncome.year, db.sum_of(OtherIncome.amount_fen).label("fen"))
        .where(OtherIncome.confirmed_at.is_not(None), OtherIncome.year.between(first, last))
        .group_by(OtherIncome.village_id, OtherIncome.year))}


def _decisions(year: int) -> dict[int, Any]:
    return {row.village_id: row for row in db.session().execute(
        select(CollectiveDecision.village_id, CollectiveDecision.number, CollectiveDecision.decided_on)
        .where(CollectiveDecision.year == year).order_by(CollectiveDecision.id))}  # the newest comes last and stays


def _year(village_id: int, year: int, origins: Collection[int], platform: Mapping[tuple[int, int], int],
          declared: Declared, succession: Succession) -> Year:
    known = _is_known(village_id, year, declared, succession)
    return Year(sum(platform.get((one, year), 0) for one in origins),
                sum(declared.get((one, year), 0) for one in origins) if known else None)


def _is_known(village_id: int, year: int, declared: Declared, succession: Succession) -> bool:
    before = succession.before.get(village_id, ())
    return (village_id, year) in declared or (
        bool(before) and all(_is_known(row.id, year, declared, succession) for row in before))


def of_village(village_id: int, year: int) -> VillageYear:
    """One village of today. Open a snapshot around."""
    return of_area(Where(village_ids=(village_id,)), year, every=True)[0]
