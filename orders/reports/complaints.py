"""Report 21, quality and complaints: returns, replacements and complaints of an area by the day they were opened."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Select, select

from market import clock, db
from market.errors import N_, NotFound
from market.i18n import gettext as _
from market.parties import Organisation
from orders.aftersale import states
from orders.delivering.reasons import REASONS
from orders.models import AfterSale, AfterSaleLine, Order, OrderLine, ReturnLine
from orders.reports import listing
from orders.reports.frame import Asked, Column, Content, Report, Row
from orders.reports.listing import Found, Listing
from orders.reports.readers import Area, Reader, number_of

COLUMNS = (
    Column("opened", N_("Opened on"), "code"), Column("number", N_("Case"), "code"),
    Column("kind", N_("Kind"), "text"), Column("order", N_("Order"), "code"),
    Column("goods", N_("Goods concerned"), "text"), Column("reason", N_("Reason"), "text"),
    Column("unit", N_("Unit"), "text"), Column("supplier", N_("Co-operative"), "text"),
    Column("closed", N_("Closed on"), "code"), Column("days", N_("Days open"), "count"),
    Column("outcome", N_("Outcome"), "text"), Column("back_fen", N_("Value of goods sent back"), "fen", sums=True),
    Column("refund_fen", N_("Refund"), "fen", sums=True),
)


def read(asked: Asked, area: Area, reader: Reader) -> Content:
    """The first cases, and the refunds of all. Not for the public."""
    rows, more = _listing(asked, area, reader).first()
    return Content(COLUMNS, rows, Row(_totals(asked, area)), [
        *listing.more_words(len(rows), more),
        _("Days are counted from opening to closing, of open cases until today; cases between two places stand in "
          "both."),
        _("Refund: money given back on the order so far. It is confirmed for an order, not for a case, and stands in "
          "the row of the order's first case of this time, so that it is counted once."),
    ])


def rows_of(asked: Asked, area: Area, reader: Reader) -> Iterator[Row]:
    """Every case in the same order. Not for the public."""
    return _listing(asked, area, reader).every()


def _listing(asked: Asked, area: Area, reader: Reader) -> Listing:
    if not reader.sees_all:
        raise NotFound()
    other = db.table(AfterSale).alias()
    earlier = select(other.c.id).where(
        other.c.order_id == AfterSale.order_id, other.c.id < AfterSale.id,
        other.c.business_date >= listing.days(asked)[0]).exists()
    query = _cases(asked, area, select(
        db.table(AfterSale), Order.number.label("order_number"), Order.supplier_name, Order.refunded_fen,
        earlier.label("is_further"), Organisation.name.label("unit"))).join(
            Organisation, Organisation.id == Order.unit_id)
    return Listing(query, (AfterSale.business_date, AfterSale.id), _rows)


def _cases(asked: Asked, area: Area, columns: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    query = (
        columns.select_from(AfterSale).join(Order, Order.id == AfterSale.order_id)
        .where(AfterSale.business_date.between(*listing.days(asked)), listing.of_area(area.where),
               *listing.of_facets(asked.facets, {"unit_type": Order.unit_type, "method": Order.method,
                                                 "fund_source": Order.fund_source})))
    unit_id = number_of(asked.unit)
    return query if unit_id is None else query.where(Order.unit_id == unit_id)


def _totals(asked: Asked, area: Area) -> dict[str, int]:
    """Sums of all cases, by SQL."""
    run = db.session().execute
    back = _cases(asked, area, select(db.sum_of(ReturnLine.amount_fen))).join(
        ReturnLine, ReturnLine.return_id == AfterSale.return_id)
    orders = _cases(asked, area, select(AfterSale.order_id)).subquery()
    refunded = select(db.sum_of(Order.refunded_fen)).where(Order.id.in_(select(orders.c.order_id)))
    return {"back_fen": run(back).scalar_one(), "refund_fen": run(refunded).scalar_one()}


def _rows(found: Found) -> list[Row]:
    """Cases with what they are about and what went back; two statements for each batch."""
    goods = _goods([case.id for case in found])
    back = _sent_back([case.return_id for case in found if case.return_id is not None])
    return [_row(case, goods.get(case.id), back) for case in found]


def _goods(case_ids: Sequence[int]) -> Mapping[int, list[str]]:
    names: defaultdict[int, list[str]] = defaultdict(list)
    for some in db.chunks(case_ids):
        for row in db.session().execute(
                select(AfterSaleLine.case_id, OrderLine.product_name)
                .join(OrderLine, OrderLine.id == AfterSaleLine.order_line_id)
                .where(AfterSaleLine.case_id.in_(some)).order_by(AfterSaleLine.id)):
            names[row.case_id].append(row.product_name)
    return names


def _sent_back(return_ids: Sequence[int]) -> dict[int, int]:
    return {row.return_id: row.fen for some in db.chunks(return_ids) for row in db.session().execute(
        select(ReturnLine.return_id, db.sum_of(ReturnLine.amount_fen).label("fen"))
        .where(ReturnLine.return_id.in_(some)).group_by(ReturnLine.return_id))}


def _row(case: Any, goods: Sequence[str] | None, back: Mapping[int, int]) -> Row:
    closed = clock.business_date(case.closed_at) if case.closed_at is not None else None
    row = Row({
        "opened": case.business_date.isoformat(), "number": case.number, "kind": _(states.KIND_LABELS[case.kind]),
        "order": case.order_number, "goods": "、".join(goods) if goods else _("the whole delivery"),
        "reason": _(REASONS[case.reason]) if case.reason in REASONS else case.reason,
        "unit": case.unit, "supplier": case.supplier_name, "closed": closed.isoformat() if closed else None,
        "days": ((closed or clock.today()) - case.business_date).days, "outcome": _(states.STATE_LABELS[case.state]),
        "back_fen": back.get(case.return_id, 0), "refund_fen": None if case.is_further else case.refunded_fen,
    }, place=str(case.id), order=f"{case.business_date.isoformat()} {case.id:012d}")
    if case.is_further:
        row.instead["refund_fen"] = _("see its first case")
    return row


REPORT = Report("complaints", N_("Quality and complaints"),
                N_("Returns, replacements and complaints: what about, how long, how it ended, what was given back."),
                read, verb="report.read", by_village=False, filters=("unit_type", "unit", "method", "fund_source"),
                rows_of=rows_of, group="goods")
