"""The documents behind one figure of one village: every transfer that feeds it, so that their sum is the figure."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import BigInteger, cast, select
from sqlalchemy.orm import aliased

from catalog.models import Lot, Product
from market import clock, db, ledger_frame, words
from market.errors import N_, NotFound
from market.households import CoopMember, Household
from market.i18n import gettext as _
from market.ledger import CANONICAL
from market.parties import Organisation
from market.sealing import TRANSFERS, closed_months, open_month
from market.village_months import FEEDS, figures_of
from orders.models import OrderLine
from orders.periods.words import late_mark
from orders.reports import village_income
from orders.reports.frame import Asked, Column, Content, Report, Row, column_of, total_of
from orders.reports.readers import Area, Reader

EVENTS: Mapping[str, str] = {
    "accepted": N_("Accepted"), "returned": N_("Sent back"), "allowance": N_("Price reduced afterwards"),
    "received": N_("Received"), "refunded": N_("Refunded"), "attributed": N_("Earned"),
    "withdrawn": N_("Taken back"), "paid_out": N_("Paid out"), "fee": N_("Fee"),
}
COLUMNS = (
    Column("day", N_("Day"), "code"), Column("month", N_("Month"), "code"),
    Column("event", N_("What happened"), "text"),
    Column("order", N_("Order"), "code"), Column("goods", N_("Goods"), "text"), Column("lot", N_("Lot"), "code"),
    Column("unit", N_("Buying unit"), "text"), Column("supplier", N_("Co-operative"), "text"),
    Column("income_kind", N_("Kind of income"), "text"), Column("household", N_("Household"), "code"),
    Column("transfer", N_("Transfer"), "code"), Column("late", N_("Entered late"), "text"),
)
THINGS = {"orders": "order", "products": "product", "households": "household", "people": "household"}


def report_of(figure: str) -> Report:
    """The report of the rows behind a figure. Raises NotFound for what is no figure or is made of others."""
    column = column_of(village_income.COLUMNS, figure)
    if not column.opens:
        raise NotFound()

    def read(asked: Asked, area: Area, _reader: Reader) -> Content:
        if asked.village is None:
            raise NotFound()
        village_id = next(iter(area.where.village_ids or ()), 0)
        content = _things(asked, village_id, column) if figure in THINGS else _lines(asked, village_id, column)
        return replace(content, about=area.path)

    return Report("village-income-lines", column.heading, N_("The documents behind a figure."), read, "report.read")


def _lines(asked: Asked, village_id: int, column: Column) -> Content:
    """One row per transfer that feeds the figure, signed as it counts there."""
    events = {event for (event, _kind), feeds in FEEDS.items() if {name for name, *_ in feeds} & set(column.formula)}
    rows = []
    for found in _transfers(asked, village_id, events):
        value = column.value_of(figures_of(found))
        if value:
            rows.append(_line(found, column.key, value))
    columns = (*COLUMNS, Column(column.key, column.heading, column.kind, column.stage, sums=True))
    return Content(columns, rows, total_of(columns, rows))


def _line(found: Mapping[str, Any], key: str, value: int) -> Row:
    kind = words.INCOME_KINDS.get(found["income_kind"] or "")
    return Row({
        "day": found["business_date"].isoformat(), "month": found["counted_in"], "event": _(EVENTS[found["event"]]),
        "order": found["order_ref"], "goods": found["goods"], "lot": found["lot"], "unit": found["unit"],
        "supplier": found["supplier"], "income_kind": _(kind) if kind else None,
        "household": found["register_code"] or found["member_no"], "transfer": f"T{found['id']}",
        "late": late_mark(found["business_date"], found["counted_in"]), key: value,
    }, order=f"{found['business_date'].isoformat()} {found['id']:012d}")


def _transfers(asked: Asked, village_id: int, events: Iterable[str]) -> list[dict[str, Any]]:
    """The village's transfers of these months with the names behind their ids; months by the sealer's own rule."""
    unit, supplier = aliased(Organisation), aliased(Organisation)
    query = (
        select(*(TRANSFERS.c[name] for name in (*CANONICAL, "period")), OrderLine.product_name.label("goods"),
               Lot.code.label("lot"), unit.name.label("unit"), supplier.name.label("supplier"),
               Household.register_code, CoopMember.member_no)
        .select_from(TRANSFERS)
        .outerjoin(OrderLine, OrderLine.id == cast(TRANSFERS.c.line_ref, BigInteger))
        .outerjoin(Lot, Lot.id == TRANSFERS.c.lot_id)
        .outerjoin(unit, unit.id == TRANSFERS.c.unit_id).outerjoin(supplier, supplier.id == TRANSFERS.c.supplier_id)
        .outerjoin(Household, Household.id == TRANSFERS.c.household_id)
        .outerjoin(CoopMember, (CoopMember.household_id == TRANSFERS.c.household_id)
                   & (CoopMember.supplier_id == TRANSFERS.c.supplier_id))
        .where(TRANSFERS.c.village_id == village_id, TRANSFERS.c.event.in_(sorted(events)),
               TRANSFERS.c.block_no.is_(None) | TRANSFERS.c.period.between(asked.first, asked.last))
        .order_by(TRANSFERS.c.id)
    )
    closed = closed_months()
    rows = [
        {**row, "counted_in": row["period"] or open_month(clock.period_of(row["business_date"]), closed)}
        for row in db.session().execute(query).mappings()
    ]
    return [row for row in rows if asked.first <= row["counted_in"] <= asked.last]


def _things(asked: Asked, village_id: int, column: Column) -> Content:
    """One row per order, good or household, each once; households by code, never by name."""
    kind = THINGS[column.key]
    transfers = _transfers(asked, village_id, ("accepted", "attributed"))
    things = sorted({thing for _number, of_kind, thing in ledger_frame.things_of(transfers) if of_kind == kind})
    if kind == "order":
        named = {thing: (thing, 1) for thing in things}
    elif kind == "product":
        named = _goods(things)
    else:
        named = _households(things, column.key == "people")
    heading = {"order": N_("Order"), "product": N_("Goods"), "household": N_("Household")}[kind]
    columns = (Column("thing", heading, "code"), Column(column.key, column.heading, "count", column.stage, sums=True))
    rows = [Row({"thing": name, column.key: count}, order=name) for name, count in named.values()]
    return Content(columns, rows, total_of(columns, rows))


def _goods(things: list[str]) -> dict[str, tuple[str, int]]:
    found = db.session().execute(select(Product.id, Product.name).where(Product.id.in_(map(int, things))))
    return {str(row.id): (row.name, 1) for row in found}


def _households(things: list[str], by_people: bool) -> dict[str, tuple[str, int]]:
    """By register code, or by the member number a co-operative knows an ordinary household by."""
    query = (
        select(Household.id, Household.register_code, Household.people, CoopMember.member_no)
        .outerjoin(CoopMember, CoopMember.household_id == Household.id).where(Household.id.in_(map(int, things)))
        .order_by(CoopMember.id)
    )
    return {str(row.id): (row.register_code or row.member_no or f"H{row.id}", row.people if by_people else 1)
            for row in db.session().execute(query)}
