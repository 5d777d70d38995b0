"""The documents behind one figure of one village: every transfer that feeds it, so that their sum is the figure.

A page reads its own rows alone, in the order of month and number, after the last one of the page before; the sum of
all of them comes from the roll-up. Files hold all rows.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from heapq import merge
from itertools import islice
from typing import Any

from sqlalchemy import BigInteger, Select, and_, cast, or_, select
from sqlalchemy.orm import aliased

from catalog.models import Lot, Product
from market import clock, db, figures, thing_counts, words
from market.errors import N_, NotFound
from market.figures import ALL, PRESENCE, Where
from market.households import CoopMember, Household
from market.i18n import gettext as _
from market.ledger import CANONICAL
from market.parties import Organisation
from market.sealing import TRANSFERS, UNSEALED, closed_months, open_month
from market.village_months import FEEDS, figures_of
from orders.models import OrderLine
from orders.periods.words import late_mark
from orders.reports import village_income
from orders.reports.frame import Asked, Column, Content, Report, Row, column_of
from orders.reports.readers import Area, Reader
from orders.reports.village_narrowed import TOLD

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
KEY = re.compile("[0-9]{4}-[0-9]{2} [0-9]{15}", re.ASCII)
AT_ONCE = 500  # rows read together


def report_of(figure: str) -> Report:
    """The report of the rows behind a figure. Raises NotFound for what is no figure or is made of others."""
    column = column_of(village_income.COLUMNS, figure)
    if not column.opens:
        raise NotFound()

    def read(asked: Asked, area: Area, _reader: Reader) -> Content:
        if asked.village is None or asked.stage == "placed" or (asked.facets != ALL and figure not in TOLD):
            raise NotFound()
        village_id = next(iter(area.where.village_ids or ()), 0)
        content = _things(asked, village_id, column) if figure in THINGS else _lines(asked, village_id, column)
        return replace(content, about=area.path)

    return Report("village-income-lines", column.heading, N_("The documents behind a figure."), read, "report.read")


# ---- transfers ------------------------------------------------------------------------------------------------------


def _lines(asked: Asked, village_id: int, column: Column) -> Content:
    """One row per transfer that feeds the figure, signed as it counts there."""
    fed = ((found, column.value_of(figures_of(found))) for found in _transfers(asked, village_id, column))
    found, following = _page(((row, value) for row, value in fed if value), asked, lambda one: _key(one[0]))
    named = _named([row for row, _value in found])
    rows = [_line({**row, **named[row["id"]]}, column.key, value) for row, value in found]
    columns = (*COLUMNS, Column(column.key, column.heading, column.kind, column.stage, sums=True))
    return Content(columns, rows, Row({column.key: _whole(asked, village_id, column)}), paged=True,
                   following=following)


def _page(rows: Iterator[Any], asked: Asked, key_of: Any) -> tuple[list[Any], str]:
    """The rows of a page, and the key of the last one where more follow; all of them for a file."""
    if not asked.most:
        return list(rows), ""
    found = list(islice(rows, asked.most + 1))
    shown = found[:asked.most]
    return shown, key_of(shown[-1]) if len(found) > asked.most else ""


def _whole(asked: Asked, village_id: int, column: Column) -> int:
    """The figure itself, from the roll-up."""
    where = Where(village_ids=(village_id,))
    rows = figures.facet_figures(asked.first, asked.last, ("village_id",), where, asked.facets) \
        if asked.facets != ALL else figures.village_figures(asked.first, asked.last, where)
    return sum(column.value_of(row) for row in rows)


def _line(found: Mapping[str, Any], key: str, value: int) -> Row:
    kind = words.INCOME_KINDS.get(found["income_kind"] or "")
    return Row({
        "day": found["business_date"].isoformat(), "month": found["counted_in"], "event": _(EVENTS[found["event"]]),
        "order": found["order_ref"], "goods": found["goods"], "lot": found["lot"], "unit": found["unit"],
        "supplier": found["supplier"], "income_kind": _(kind) if kind else None,
        "household": found["register_code"] or found["member_no"], "transfer": f"T{found['id']}",
        "late": late_mark(found["business_date"], found["counted_in"]), key: value,
    }, order=_key(found))


def _key(row: Mapping[str, Any]) -> str:
    return f"{row['counted_in']} {row['id']:015d}"


def _after(text: str) -> tuple[str, int]:
    """The month and the number of the last row of the page before. Raises NotFound for what is no key."""
    if KEY.fullmatch(text) is None:
        raise NotFound()
    return text[:7], int(text[8:])


def _transfers(asked: Asked, village_id: int, column: Column) -> Iterator[dict[str, Any]]:
    """The village's transfers of these months that may feed a figure, by month and number, after a key."""
    events = {event for (event, _kind), feeds in FEEDS.items() if {name for name, *_ in feeds} & set(column.formula)}
    kinds = {kind for (_event, kind), feeds in FEEDS.items() if {name for name, *_ in feeds} & set(column.formula)}
    query = select(*(TRANSFERS.c[name] for name in (*CANONICAL, "period"))).where(
        TRANSFERS.c.village_id == village_id, TRANSFERS.c.event.in_(sorted(events)), asked.facets.holds(TRANSFERS))
    if None not in kinds:
        query = query.where(TRANSFERS.c.income_kind.in_(sorted(kind for kind in kinds if kind)))
    after = _after(asked.after) if asked.after else ("", 0)
    fresh = [row for row in _fresh(query) if asked.first <= row["counted_in"] <= asked.last
             and (row["counted_in"], row["id"]) > after]
    return merge(_sealed(query, asked, after), fresh, key=_key)


def _fresh(query: Select[Any]) -> list[dict[str, Any]]:
    """Those that no block holds yet; months by the sealer's own rule."""
    closed = closed_months()
    rows = db.session().execute(query.where(UNSEALED)).mappings()
    return sorted(({**row, "counted_in": open_month(clock.period_of(row["business_date"]), closed)} for row in rows),
                  key=_key)


def _sealed(query: Select[Any], asked: Asked, after: tuple[str, int]) -> Iterator[dict[str, Any]]:
    """Sealed ones as the index on village and month gives them, some at a time."""
    ordered = (query.where(TRANSFERS.c.block_no.is_not(None), TRANSFERS.c.period.between(asked.first, asked.last))
               .order_by(TRANSFERS.c.period, TRANSFERS.c.id))
    most = asked.most + 1 if asked.most else AT_ONCE
    while True:
        month, number = after
        further = or_(TRANSFERS.c.period > month, and_(TRANSFERS.c.period == month, TRANSFERS.c.id > number))
        some = db.session().execute(
            ordered.where(TRANSFERS.c.period >= month, further).limit(most)).mappings().all()
        yield from ({**row, "counted_in": row["period"]} for row in some)
        if len(some) < most:
            return
        after = (some[-1]["period"], some[-1]["id"])


def _named(rows: Iterable[Mapping[str, Any]]) -> dict[int, dict[str, Any]]:
    """By transfer: the names behind its ids; households by code."""
    unit, supplier = aliased(Organisation), aliased(Organisation)
    query = (
        select(TRANSFERS.c.id, OrderLine.product_name.label("goods"), Lot.code.label("lot"), unit.name.label("unit"),
               supplier.name.label("supplier"), Household.register_code, CoopMember.member_no)
        .select_from(TRANSFERS)
        .outerjoin(OrderLine, OrderLine.id == cast(TRANSFERS.c.line_ref, BigInteger))
        .outerjoin(Lot, Lot.id == TRANSFERS.c.lot_id)
        .outerjoin(unit, unit.id == TRANSFERS.c.unit_id).outerjoin(supplier, supplier.id == TRANSFERS.c.supplier_id)
        .outerjoin(Household, Household.id == TRANSFERS.c.household_id)
        .outerjoin(CoopMember, (CoopMember.household_id == TRANSFERS.c.household_id)
                   & (CoopMember.supplier_id == TRANSFERS.c.supplier_id))
    )
    return {row["id"]: dict(row) for some in db.chunks([row["id"] for row in rows])
            for row in db.session().execute(query.where(TRANSFERS.c.id.in_(some))).mappings()}


# ---- orders, goods, households --------------------------------------------------------------------------------------


def _things(asked: Asked, village_id: int, column: Column) -> Content:
    """One row per order, good or household, each once; households by code, never by name."""
    kind, where = THINGS[column.key], Where(village_ids=(village_id,))
    things, following = _page(_present(asked, where, kind), asked, str)
    named = {"order": _orders, "product": _goods}.get(kind, _households)(things)
    heading = {"order": N_("Order"), "product": N_("Goods"), "household": N_("Household")}[kind]
    columns = (Column("thing", heading, "code"), Column(column.key, column.heading, "count", column.stage, sums=True))
    by_people = column.key == "people"
    rows = [Row({"thing": name, column.key: people if by_people else 1}, place=thing)
            for thing, (name, people) in ((thing, named.get(thing, (f"H{thing}", 0))) for thing in things)]
    whole = (thing_counts.people_by_village(asked.first, asked.last, where).get(village_id, 0) if by_people
             else figures.presence_counts(asked.first, asked.last, where).get(kind, 0))
    return Content(columns, rows, Row({column.key: whole}), paged=True, following=following)


def _present(asked: Asked, where: Where, kind: str) -> Iterator[str]:
    """Things of a kind that occur in these months, in the order of their names, after one."""
    query = select(PRESENCE.c.thing).distinct().where(
        PRESENCE.c.kind == kind, PRESENCE.c.period.between(asked.first, asked.last),
        where.holds(PRESENCE.c.village_id), PRESENCE.c.thing > asked.after).order_by(PRESENCE.c.thing)
    fresh = sorted(name for _village, name in figures.fresh_things(asked.first, asked.last, where, kind)
                   if name > asked.after)
    sealed = db.session().scalars(query.limit(asked.most + 1) if asked.most else query)
    return merge(sealed, fresh)


def _orders(things: list[str]) -> dict[str, tuple[str, int]]:
    return {thing: (thing, 1) for thing in things}


def _goods(things: list[str]) -> dict[str, tuple[str, int]]:
    return {str(row.id): (row.name, 1) for some in db.chunks(things) for row in db.session().execute(
        select(Product.id, Product.name).where(Product.id.in_(map(int, some))))}


def _households(things: list[str]) -> dict[str, tuple[str, int]]:
    """Code and people: by register code, or by the member number a co-operative knows an ordinary household by."""
    query = (
        select(Household.id, Household.register_code, Household.people, CoopMember.member_no)
        .outerjoin(CoopMember, CoopMember.household_id == Household.id).order_by(CoopMember.id)
    )
    return {str(row.id): (row.register_code or row.member_no or f"H{row.id}", row.people)
            for some in db.chunks(things)
            for row in db.session().execute(query.where(Household.id.in_(map(int, some))))}
