"""Units by completion of their reserved share: the best and the last, each by one named grade.

Bought here and bought at 832 stand in columns of their own. A unit is ranked by one of them alone against its quota,
whatever its rule counts together.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from sqlalchemy import select

from market import db, money
from market.parties import Organisation
from market.places import Division
from orders.bulletins.reading import ranks
from orders.bulletins.spans import Span
from orders.openness.models import NamedUnit
from orders.quota import figures, rules
from orders.quota.models import FILED, QuotaFiling

MOST = 10  # of the best, and of the last


@dataclass(frozen=True)
class Unit:
    """A unit's year up to the last day; amounts in fen, shares in hundredths of a percent. `named`: it agreed to be."""

    id: int
    name: str
    unit_type: str | None
    place: str | None
    named: bool
    quota_fen: int
    proven_fen: int
    uploaded_fen: int
    completion: int
    before: int
    rank: int = 0


def by_completion(span: Span, grade: str) -> list[Unit]:
    """Units with a filed quota, the best first; declared figures there are none of, so then what is proven here."""
    known = _filed(span.year)
    now = _parts(list(known), span.year, span.last_day)
    day_before = span.before().last_day
    before = _parts(list(known), span.year, day_before) if day_before.year == span.year else {}
    found = [_unit(known[unit], one, before.get(unit), grade) for unit, one in now.items() if one[0]]
    places = ranks(unit.completion for unit in found)
    ranked = [replace(unit, rank=place or 0) for unit, place in zip(found, places, strict=True)]
    return sorted(ranked, key=lambda unit: (unit.rank, unit.id))


def best_and_last(units: list[Unit]) -> tuple[list[Unit], list[Unit]]:
    """The first ten, and the last ten of those that are not among them, the last one first."""
    return units[:MOST], units[MOST:][-MOST:][::-1]


Parts = tuple[int | None, int, int]  # quota, bought here, bought at 832, in fen


def _unit(row: Any, now: Parts, before: Parts | None, grade: str) -> Unit:
    return Unit(row.id, row.name, row.unit_type, row.place, row.named is not None, now[0] or 0, now[1], now[2],
                _points(now, grade), _points(before, grade) if before else 0)


def _points(parts: Parts, grade: str) -> int:
    quota, here, at_832 = parts
    return money.basis_points(at_832 if grade == "uploaded" else here, quota) if quota else 0


def _parts(unit_ids: list[int], year: int, until: date) -> Mapping[int, Parts]:
    """What was bought of the funds that count towards each unit's local duty, by where it was bought."""
    book = rules.Book(year)
    found: dict[int, Parts] = {}
    for unit_id, one in figures.progress(unit_ids, year, until).items():
        place, kind = one.unit.division_id, one.unit.unit_type
        feeds = figures.what_feeds("local", one.local.rule, book.of(place, kind, "union", "local"))
        funds = {fund for _channel, fund in feeds}
        here, outside = (sum(fen for fund, fen in sums.items() if fund in funds)
                         for sums in (one.sums.of, one.sums.outside))
        found[unit_id] = one.local.quota_fen, here, outside
    return found


def _filed(year: int) -> dict[int, Any]:
    query = (
        select(Organisation.id, Organisation.name, Organisation.unit_type, Division.name.label("place"),
               NamedUnit.unit_id.label("named"))
        .join(QuotaFiling, QuotaFiling.unit_id == Organisation.id)
        .outerjoin(Division, Division.id == Organisation.division_id)
        .outerjoin(NamedUnit, NamedUnit.unit_id == Organisation.id)
        .where(QuotaFiling.year == year, QuotaFiling.state.in_(FILED), Organisation.status == "active"))
    return {row.id: row for row in db.session().execute(query.order_by(Organisation.id))}


def still_named(unit_ids: list[int]) -> set[int]:
    """Those of these units that agree to be named today: what is taken back counts at once."""
    return set(db.session().scalars(select(NamedUnit.unit_id).where(NamedUnit.unit_id.in_(unit_ids))))
