"""Cost ratios: what of the gross from a category is taken to be cost, so that a net can be estimated beside the gross.

A ratio of the table counts from its year on, for a shelf and the shelves under it. The few that come with the product
are one prefecture's card (domain 3.1), not this city's, and are marked so wherever they are used. Without one the net
is not known.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from catalog.models import Category
from market import clock, db, journal, money
from market.access import Visitor
from market.errors import N_, InvalidInput, NotAllowed
from market.users import User
from orders.households.models import CostRatio

KEEPERS = ("agriculture", "city")  # kinds of offices
# grain 40 %, livestock 40 %, fruit 15 %: 楚雄州's 收入卡, https://m.wenke99.com/p-3794224.html
SHIPPED: Mapping[str, int] = {"grain": 4000, "meat": 4000, "poultry": 4000, "fruit": 1500}
SHIPPED_SOURCE = N_("One prefecture's income card (Chuxiong), shipped as a default, not checked for this city")
YEARS = (2015, 2099)


@dataclass(frozen=True)
class Ratio:
    """A ratio that holds: hundredths of a percent, and where it is from."""

    points: int
    source: str
    shipped: bool = False


@dataclass(frozen=True)
class Ratios:
    """The ratios of one year, by category code; shelves above stand in where a shelf has none."""

    by_category: Mapping[str, Ratio]
    above: Mapping[str, str]

    def of(self, category: str | None) -> Ratio | None:
        """None: not known."""
        seen = 0
        while category is not None and seen < 10:  # shelves lie in shelves, never so deep
            if category in self.by_category:
                return self.by_category[category]
            category, seen = self.above.get(category), seen + 1
        return None


def holding(year: int) -> Ratios:
    """The ratios of a household's year; two statements."""
    found = {code: Ratio(points, SHIPPED_SOURCE, shipped=True) for code, points in SHIPPED.items()}
    table = db.table(CostRatio)
    for row in db.session().execute(
            select(table.c.category, table.c.points, table.c.source).where(table.c.valid_from <= year)
            .order_by(table.c.valid_from, table.c.id)):
        found[row.category] = Ratio(row.points, row.source)
    rows = db.session().execute(select(Category.id, Category.code, Category.parent_id)).all()
    codes = {row.id: row.code for row in rows}
    return Ratios(found, {row.code: codes[row.parent_id] for row in rows if row.parent_id in codes})


@dataclass(frozen=True)
class Estimate:
    """A net beside its gross, in fen; cost and net are None where a category has no ratio, named in `unknown`."""

    gross_fen: int
    cost_fen: int | None
    unknown: tuple[str, ...] = ()
    shipped: bool = False  # at least one of the ratios is one that came with the product

    @property
    def net_fen(self) -> int | None:
        return None if self.cost_fen is None else self.gross_fen - self.cost_fen


def estimate(farm_gate: Mapping[str | None, int], other_fen: int, ratios: Ratios) -> Estimate:
    """From the gross by category of goods sold; wages, rents and dividends (`other_fen`) have no cost in them."""
    cost, unknown, shipped = 0, [], False
    for category, fen in sorted(farm_gate.items(), key=lambda pair: pair[0] or ""):
        ratio = ratios.of(category)
        if ratio is None and fen:
            unknown.append(category or "")
        elif ratio is not None:
            cost += money.part_of(fen, ratio.points)
            shipped |= ratio.shipped
    gross = sum(farm_gate.values()) + other_fen
    return Estimate(gross, None if unknown else cost, tuple(unknown), shipped)


# ---- keeping --------------------------------------------------------------------------------------------------------


def put(category: str, points: int, valid_from: int, source: str, by: Visitor) -> None:
    """Say what counts from a year on. Raises NotAllowed (of agriculture and city offices only), InvalidInput."""
    if by.office_kind not in KEEPERS:
        raise NotAllowed()
    if db.session().scalar(select(Category.id).where(Category.code == category)) is None:
        raise InvalidInput({"category": [N_("Please choose one of the list.")]})
    row = CostRatio(category=category, points=points, valid_from=valid_from, source=source, set_by=by.id,
                    set_at=clock.now())
    db.session().add(row)
    db.session().flush()
    journal.record("cost_ratio.set", "cost_ratio", row.id, by, category=category, points=points, valid_from=valid_from,
                   source=source)


def kept() -> Sequence[Any]:
    """Every ratio that was entered, the newest first, with its shelf and who entered it."""
    table = db.table(CostRatio)
    return db.session().execute(
        select(table, Category.name_zh, Category.name_en, User.name.label("setter"))
        .join(User, User.id == table.c.set_by).outerjoin(Category, Category.code == table.c.category)
        .order_by(table.c.id.desc())).all()


def shelves() -> dict[str, Any]:
    """Every shelf by code: name_zh, name_en."""
    return {row.code: row for row in db.session().execute(
        select(Category.code, Category.name_zh, Category.name_en).order_by(Category.sort, Category.code))}
