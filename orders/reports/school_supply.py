"""Report 18, direct supply of schools (校农结合): what each school bought, and what of it registered households grew.

Purchases are those of the village report, transfer by transfer. What of a lot registered households grew follows the
weight they brought; goods of growers not named yet, of ordinary households and of own bases are not theirs.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, false, select

from market import db, money
from market.errors import N_, NotFound
from market.i18n import gettext as _
from market.parties import DeliveryPoint, Organisation
from market.sealing import TRANSFERS
from market.words import registered_label
from orders.reports import listing, school_lots, traded
from orders.reports.frame import Asked, Column, Content, Report, Row, column_of, total_of
from orders.reports.readers import Area, Reader, number_of
from orders.reports.school_lots import Lots

COLUMNS = (
    Column("school", N_("School"), "text"), Column("diners", N_("Diners"), "count"),
    Column("grams", N_("Purchases"), "grams", "accepted", sums=True, opens=True),
    Column("fen", N_("Purchases"), "fen", "accepted", sums=True, opens=True),
    Column("registered_grams", N_("From registered households"), "grams", "accepted", sums=True, opens=True),
    Column("registered_fen", N_("From registered households"), "fen", "accepted", sums=True, opens=True),
    Column("share_points", N_("Share"), "percent"), Column("households", N_("Registered households"), "count"),
    Column("people", N_("People in them"), "count"),
    Column("income_fen", N_("Their farm-gate income"), "fen", "earned", sums=True, opens=True),
    Column("per_household_fen", N_("Income per household"), "fen", "earned"),
    Column("points", N_("Supply point"), "text"),
)
EVENTS = ("accepted", "returned", "attributed", "withdrawn")


@dataclass
class Bought:
    """What one school bought: fen and grams, and the registered households behind it (id: people)."""

    fen: int = 0
    grams: int = 0
    registered_fen: int = 0
    registered_grams: int = 0
    income_fen: int = 0
    households: dict[int, int] = field(default_factory=dict)

    def add(self, part: "Bought") -> None:
        """Count a further part."""
        for name in ("fen", "grams", "registered_fen", "registered_grams", "income_fen"):
            setattr(self, name, getattr(self, name) + getattr(part, name))
        self.households |= part.households


def read(asked: Asked, area: Area, reader: Reader) -> Content:
    """One row for each school of the area that bought in these months. Not for the public."""
    if not reader.sees_all:
        raise NotFound()
    schools = _schools(asked, area)
    parts = bought(asked, list(schools))
    points = _points(parts)
    rows = [_row(school, schools[school], _sum(some.values()), points.get(school, ()))
            for school, some in parts.items()]
    totals = total_of(COLUMNS, rows)
    totals.values |= _derived(_sum(part for some in parts.values() for part in some.values()))
    return Content(COLUMNS, rows, totals, [
        _("Purchases: goods accepted less sent back, as the village report counts them. Weights in kilograms."),
        _("From registered households (%(label)s): what they brought to the lots, by weight. Goods of growers not "
          "named yet, of other households and of the co-operatives' own bases are not counted as theirs.",
          label=_(registered_label(int(asked.last[:4])))),
        _("Households and people of the total are counted once, so that they do not add up. Income: farm-gate money "
          "that these households earned with goods of the school."),
        _("A dash: not known. How many eat at a school is not kept here yet, nor are supply contracts and collection "
          "points; the supply point is where the school takes goods in."),
    ])


def _schools(asked: Asked, area: Area) -> dict[int, str]:
    query = select(Organisation.id, Organisation.name).where(
        Organisation.kind == "unit", Organisation.unit_type == "school", listing.lies_in(area.where, Organisation.id))
    unit_id = number_of(asked.unit)
    if unit_id is not None:
        query = query.where(Organisation.id == unit_id)
    return {row.id: row.name for row in db.session().execute(query.order_by(Organisation.id))}


def bought(asked: Asked, schools: Sequence[int]) -> dict[int, dict[tuple[int, int], Bought]]:
    """By school, and by (lot, village), what was bought in the months asked for. Raises InvalidInput."""
    traded.check_months(asked)
    keys = {"school": TRANSFERS.c.unit_id, "lot": TRANSFERS.c.lot_id, "village": TRANSFERS.c.village_id}
    found = traded.sums(asked, keys, EVENTS, _condition(asked, schools))
    lots = school_lots.read({lot for _school, lot, _village in found if lot is not None})
    parts: defaultdict[int, dict[tuple[int, int], Bought]] = defaultdict(dict)
    for (school, lot, village), figures in sorted(found.items(), key=repr):
        parts[school][lot or 0, village] = _part(figures, lots, (lot or 0, village))
    return dict(sorted(parts.items()))


def _condition(asked: Asked, schools: Sequence[int]) -> ColumnElement[bool]:
    condition: ColumnElement[bool] = false()
    for some in db.chunks(schools):
        condition |= TRANSFERS.c.unit_id.in_(some)
    for one in listing.of_facets(asked.facets, {
            name: TRANSFERS.c[name] for name in ("method", "fund_source", "category", "certified")}):
        condition &= one
    return condition


def _part(figures: Mapping[str, int], lots: Lots, key: tuple[int, int]) -> Bought:
    fen, grams, income = traded.net_fen(figures), traded.net_grams(figures), figures["farm_gate_fen"]
    of_weight, of_income = lots.by_weight.get(key, (0, 1)), lots.by_income.get(key, (0, 1))
    return Bought(fen, grams, _portion(fen, of_weight), _portion(grams, of_weight), _portion(income, of_income),
                  dict(lots.households.get(key, {})) if figures["accepted_grams"] else {})


def _portion(amount: int, weights: tuple[int, int]) -> int:
    """The first weight's part of an amount, which is below zero where more came back than was taken."""
    part = money.allocate(abs(amount), weights)[0] if any(weights) else 0
    return part if amount >= 0 else -part


def _sum(parts: Collection[Bought] | Any) -> Bought:
    total = Bought()
    for part in parts:
        total.add(part)
    return total


def _derived(one: Bought) -> dict[str, int | None]:
    households = len(one.households)
    return {
        "share_points": money.basis_points(one.registered_fen, one.fen) if one.fen > 0 else None,
        "households": households, "people": sum(one.households.values()),
        "per_household_fen": money.average(one.income_fen, households) if households else None,
    }


def _points(schools: Collection[int]) -> Mapping[int, list[str]]:
    names: defaultdict[int, list[str]] = defaultdict(list)
    for some in db.chunks(sorted(schools)):
        for row in db.session().execute(
                select(DeliveryPoint.unit_id, DeliveryPoint.name)
                .where(DeliveryPoint.unit_id.in_(some), DeliveryPoint.closed_at.is_(None)).order_by(DeliveryPoint.id)):
            names[row.unit_id].append(row.name)
    return names


def _row(school: int, name: str, one: Bought, points: Sequence[str]) -> Row:
    return Row({
        "school": name, "diners": None, "grams": one.grams, "fen": one.fen, "registered_grams": one.registered_grams,
        "registered_fen": one.registered_fen, "income_fen": one.income_fen, "points": "、".join(points) or None,
        **_derived(one)}, place=str(school), order=f"{school:012d}")


# ---- the lots behind a school's figures -----------------------------------------------------------------------------


def lines_of(figure: str) -> Report:
    """The report of the lots behind a school's figure. Raises NotFound for figures that are made of others."""
    column = column_of(COLUMNS, figure)
    if not column.opens:
        raise NotFound()

    def read_lots(asked: Asked, area: Area, reader: Reader) -> Content:
        school = number_of(asked.row)
        schools = _schools(asked, area) if reader.sees_all else {}
        if school is None or school not in schools:
            raise NotFound()
        parts = bought(asked, [school]).get(school, {})
        columns = (*school_lots.COLUMNS, Column(column.key, column.heading, column.kind, column.stage, sums=True))
        rows = [Row({**values, column.key: getattr(parts[key], column.key)}, place=f"{key[0]}:{key[1]}",
                    order=f"{key[0]:012d} {key[1]:012d}")
                for key, values in school_lots.described(parts).items() if getattr(parts[key], column.key)]
        return Content(columns, rows, total_of(columns, rows), about=schools[school])

    return Report("school-supply-lines", column.heading, N_("The lots behind a school's figure."), read_lots,
                  "report.read", by_village=False)


REPORT = Report("school-supply", N_("Direct supply of schools"),
                N_("What each school bought, and what of it registered households grew, month by month."),
                read, verb="report.read", by_village=False,
                filters=("unit", "method", "fund_source", "category", "certified"), group="purchases")
