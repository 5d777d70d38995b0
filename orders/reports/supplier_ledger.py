"""Report 7, the ledger of suppliers: who let each in, what it sold, what was said of it, what falls due.

A supplier stands where it is at home; its sales are all it sold in these months, wherever they were grown. The number
of statements is fixed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import aliased

from catalog.entry import labels, lists
from catalog.models import Product
from catalog.papers.models import Paper
from catalog.review.models import PriceOutlier
from market import clock, db, figures, money, thing_counts
from market.errors import N_, NotFound
from market.i18n import gettext as _
from market.linkages import TIES
from market.parties import Organisation
from market.places import Division
from orders.models import AfterSale, Order, Rating
from orders.reports import bought, order_lists
from orders.reports.bought import Wanted
from orders.reports.frame import Asked, Column, Content, Report, Row, column_of, total_of
from orders.reports.readers import Area, Reader, number_of

DUE_DAYS = 60  # papers that end within so many days
RECOMMENDS = ("agriculture", "revitalisation", "confirmation")
COLUMNS = (
    Column("supplier", N_("Supplier"), "text"), Column("supplier_type", N_("Kind of supplier"), "text"),
    Column("county", N_("County"), "text"), Column("status", N_("State"), "text"),
    Column("recommended_by", N_("Recommended by"), "text"), Column("recommended_on", N_("Recommended on"), "code"),
    Column("goods", N_("Goods on the shelf"), "count", sums=True),
    Column("orders", N_("Orders"), "count", "accepted", sums=True, opens=True),
    Column("sales_fen", N_("Sales"), "fen", "accepted", sums=True, opens=True),
    Column("alerts", N_("Price alerts"), "count", sums=True), Column("ratings", N_("Ratings"), "count", sums=True),
    Column("stars", N_("Stars for goods"), "text"), Column("complaints", N_("Complaints"), "count", sums=True),
    Column("returns", N_("Sent back, share"), "percent", "accepted"),
    Column("papers_due", N_("Papers ending within 60 days"), "count", sums=True),
    Column("households", N_("Households tied"), "count"),
    Column("farm_gate", N_("Farm-gate payments, share of sales"), "percent", "earned"),
)


@dataclass(frozen=True)
class Sums:
    """What a supplier's accounts add up to in the months asked for, in fen."""

    accepted_fen: int = 0
    returned_fen: int = 0
    farm_gate_fen: int = 0

    @property
    def sales_fen(self) -> int:
        return self.accepted_fen - self.returned_fen

    def points(self, part_fen: int, whole_fen: int) -> int | None:
        return money.basis_points(part_fen, whole_fen) if whole_fen > 0 else None


@dataclass(frozen=True)
class Facts:
    """By supplier id."""

    sums: Mapping[int, Sums]
    orders: Mapping[int, int]
    goods: Mapping[int, int]
    alerts: Mapping[int, int]
    ratings: Mapping[int, Any]
    complaints: Mapping[int, int]
    papers_due: Mapping[int, int]
    households: Mapping[int, int]
    recommended: Mapping[int, Any]


def read(asked: Asked, area: Area, reader: Reader) -> Content:
    """One row for each supplier of the area that was ever let in. Not for the public."""
    if not reader.sees_all:
        raise NotFound()
    here = _here(area)
    found = db.session().execute(_suppliers(here)).all()
    facts = _facts(asked, here, [row.id for row in found])
    rows = [_row(one, facts) for one in found]
    totals = total_of(COLUMNS, rows)
    whole = Sums(*(sum(getattr(one, name) for one in facts.sums.values())
                   for name in ("accepted_fen", "returned_fen", "farm_gate_fen")))
    totals.values |= {"returns": whole.points(whole.returned_fen, whole.accepted_fen),
                      "farm_gate": whole.points(whole.farm_gate_fen, whole.sales_fen)}
    return Content(COLUMNS, rows, totals, [
        _("Suppliers stand where they are at home; sales are all they sold in these months, accepted less sent back, "
          "wherever it grew."),
        _("Price alerts: goods of theirs far above like goods in these months. Ratings and complaints: of these "
          "months. Goods, papers and households: as of the day on which this was made."),
        _("Households tied: those with a confirmed linkage that holds; one that is tied to two suppliers counts with "
          "both."),
    ])


def _here(area: Area) -> ColumnElement[bool]:
    """Suppliers that are at home in an area and were let in."""
    condition = (Organisation.kind == "supplier") & (Organisation.status != "applying")
    where = area.where
    if where.county_id is None and where.township_id is None and where.village_ids is None:
        return condition
    at_home = where.holds(Organisation.division_id)
    return condition & (at_home | (Organisation.division_id == where.county_id) if where.county_id is not None
                        and where.village_ids is None and where.township_id is None else at_home)


def _suppliers(here: ColumnElement[bool]) -> Any:
    county = aliased(Division)
    return (
        select(Organisation.id, Organisation.name, Organisation.supplier_type, Organisation.status,
               func.coalesce(county.name, Division.name).label("county"))
        .outerjoin(Division, Division.id == Organisation.division_id)
        .outerjoin(county, county.id == Division.county_id).where(here).order_by(Organisation.id))


def _row(one: Any, facts: Facts) -> Row:
    sums, rated = facts.sums.get(one.id, Sums()), facts.ratings.get(one.id)
    steps = facts.recommended.get(one.id, ())
    return Row({
        "supplier": one.name, "county": one.county, "status": _(labels.STATUSES[one.status]),
        "supplier_type": _(labels.SUPPLIER_TYPES[one.supplier_type]) if one.supplier_type else None,
        "recommended_by": _(", ").join(step.office for step in steps) or None,
        "recommended_on": max((step.day for step in steps), default=date.min).isoformat() if steps else None,
        "goods": facts.goods.get(one.id, 0), "orders": facts.orders.get(one.id, 0), "sales_fen": sums.sales_fen,
        "alerts": facts.alerts.get(one.id, 0), "ratings": rated.ratings if rated else 0,
        "stars": _stars(rated), "complaints": facts.complaints.get(one.id, 0),
        "returns": sums.points(sums.returned_fen, sums.accepted_fen), "papers_due": facts.papers_due.get(one.id, 0),
        "households": facts.households.get(one.id, 0), "farm_gate": sums.points(sums.farm_gate_fen, sums.sales_fen),
    }, place=str(one.id), order=f"{one.county or ''} {one.id:012d}")


def _stars(rated: Any) -> str | None:
    """The mean to one decimal, half up, of whole stars: '4.5'."""
    if not rated:
        return None
    tenths = money.average(rated.stars * 10, rated.ratings)
    return f"{tenths // 10}.{tenths % 10}"


# ---- facts ----------------------------------------------------------------------------------------------------------


def _facts(asked: Asked, here: ColumnElement[bool], ids: list[int]) -> Facts:
    """Everything that is counted, each in one statement."""
    suppliers, today = select(Organisation.id).where(here), clock.today()
    begin, end = clock.first_day(asked.first), clock.last_day(asked.last)
    in_months = (clock.shanghai(begin), clock.shanghai(clock.days_after(end, 1)))
    holds_today = (TIES.c.since <= today) & (TIES.c.until.is_(None) | (TIES.c.until > today))
    return Facts(
        _sums(asked, suppliers), thing_counts.orders_by_supplier(asked.first, asked.last, suppliers),
        _counted(select(Product.supplier_id, func.count()).where(
            Product.supplier_id.in_(suppliers), Product.state == "listed").group_by(Product.supplier_id)),
        _counted(select(Product.supplier_id, func.count()).join(PriceOutlier, PriceOutlier.product_id == Product.id)
                 .where(Product.supplier_id.in_(suppliers), PriceOutlier.period.between(asked.first, asked.last))
                 .group_by(Product.supplier_id)),
        {row.supplier_id: row for row in db.session().execute(
            select(Rating.supplier_id, func.count().label("ratings"), db.sum_of(Rating.goods_stars).label("stars"))
            .where(Rating.supplier_id.in_(suppliers), Rating.rated_at >= in_months[0], Rating.rated_at < in_months[1])
            .group_by(Rating.supplier_id))},
        _counted(select(Order.supplier_id, func.count()).join(AfterSale, AfterSale.order_id == Order.id)
                 .where(Order.supplier_id.in_(suppliers), AfterSale.kind == "complaint",
                        AfterSale.business_date.between(begin, end)).group_by(Order.supplier_id)),
        _counted(select(Paper.supplier_id, func.count()).where(
            Paper.supplier_id.in_(suppliers), Paper.state != "refused", Paper.lot_id.is_(None),
            Paper.valid_until.between(today, clock.days_after(today, DUE_DAYS))).group_by(Paper.supplier_id)),
        _counted(select(TIES.c.supplier_id, func.count(TIES.c.household_id.distinct())).where(
            TIES.c.supplier_id.in_(suppliers), TIES.c.household_id.is_not(None), TIES.c.confirmed_at.is_not(None),
            holds_today).group_by(TIES.c.supplier_id)),
        {supplier: [step for step in steps if step.step in RECOMMENDS]
         for supplier, steps in lists.recommendations(ids).items()},
    )


def _counted(query: Any) -> dict[int, int]:
    return {row[0]: row[1] for row in db.session().execute(query)}


def _sums(asked: Asked, suppliers: Select[Any]) -> dict[int, Sums]:
    """Accepted, returned and farm-gate money earned less taken back, by supplier; goods of villages only."""
    return {row["supplier_id"]: Sums(row["accepted_fen"], row["returned_fen"], row["farm_gate_fen"])
            for row in figures.supplier_figures(asked.first, asked.last, suppliers)}


# ---- what stands behind a figure ------------------------------------------------------------------------------------


def lines_of(figure: str) -> Report:
    """The supplier's orders. Raises NotFound for what is no figure of orders."""
    column = column_of(COLUMNS, figure)
    if not column.opens:
        raise NotFound()

    def read_lines(asked: Asked, area: Area, _reader: Reader) -> Content:
        name = db.session().scalar(select(Organisation.name).where(
            _here(area), Organisation.id == (number_of(asked.row) or 0)))
        if name is None:
            raise NotFound()
        wanted = Wanted(asked.first, asked.last, supplier_id=number_of(asked.row))
        content = (order_lists.counted(wanted, bought.orders_of(number_of(asked.row) or 0, asked.first, asked.last))
                   if column.key == "orders" else order_lists.with_amounts(wanted, column.heading))
        content.about = name
        return content

    return Report("supplier-ledger-lines", column.heading, N_("The documents behind a figure."), read_lines,
                  "report.read", by_village=False)


REPORT = Report("supplier-ledger", N_("Ledger of suppliers"),
                N_("Who let each supplier in, what it sold, what was said of it, which papers end."), read,
                verb="report.read", by_village=False, compares=("ytd", "yoy"), group="goods")
