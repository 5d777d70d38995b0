"""Report 8, certified product list: goods marked as certified in an area, with what was sold of them.

The certification itself is not kept here yet: its days, the people helped and the value of goods are not known.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import ColumnElement, select, true
from sqlalchemy.orm import aliased

from catalog.models import Product
from catalog.papers.kinds import KINDS
from catalog.papers.models import Paper
from market import db
from market.errors import N_, NotFound
from market.i18n import gettext as _
from market.parties import Organisation
from market.places import Division
from market.sealing import TRANSFERS
from orders.models import OrderLine
from orders.reports import listing, traded
from orders.reports.frame import Asked, Column, Content, Report, Row, column_of, total_of
from orders.reports.readers import Area, Reader, number_of

GOODS_PAPERS = ("green", "organic", "gi")
COLUMNS = (
    Column("province", N_("Province"), "text"), Column("city", N_("City"), "text"),
    Column("county", N_("County"), "text"), Column("product", N_("Product"), "text"),
    Column("supplier", N_("Supplier"), "text"), Column("people_helped", N_("People helped"), "count"),
    Column("goods_value_fen", N_("Value of goods"), "fen"), Column("certified_on", N_("Certified on"), "code"),
    Column("valid_to", N_("Valid until"), "code"), Column("papers", N_("Certificates of the product"), "text"),
    Column("sales_fen", N_("Sales in the period"), "fen", "accepted", sums=True, opens=True),
)
LINE_COLUMNS = (
    Column("order", N_("Order"), "code"), Column("goods", N_("Goods"), "text"),
    Column("unit", N_("Buying unit"), "text"), Column("village", N_("Village of origin"), "text"),
    Column("grams", N_("Weight"), "grams", "accepted", sums=True),
)
EVENTS = ("accepted", "returned")


def read(asked: Asked, area: Area, reader: Reader) -> Content:
    """One row for each product certified now, or sold as certified in these months. Not for the public."""
    if not reader.sees_all:
        raise NotFound()
    traded.check_months(asked)
    sold = {key: traded.net_fen(figures) for (key,), figures in traded.sums(
        asked, {"product": OrderLine.product_id}, EVENTS, _condition(asked, area)).items()}
    products = _products(area, sold)
    papers = _papers([row.id for row in products])
    rows = [_row(row, sold.get(row.id, 0), papers.get(row.id, ())) for row in products]
    return Content(COLUMNS, rows, total_of(COLUMNS, rows), [
        _("Goods marked as certified today whose main village lies here, and goods that were sold as certified in "
          "these months. Sales: certified goods grown here, accepted less sent back, as the village report counts "
          "them."),
        _("A dash: not known. The certification itself (day, last day, people helped, value of goods) is not kept on "
          "this platform yet; nothing stands in for it."),
        _("Certificates of the product: papers that nobody refused, with the day until which they hold."),
    ])


def _condition(asked: Asked, area: Area) -> ColumnElement[bool]:
    """Certified goods grown in the area, narrowed as asked; what is not certified does not belong here."""
    condition = TRANSFERS.c.certified & area.where.holds(TRANSFERS.c.village_id)
    for one in listing.of_facets(asked.facets, {
            name: TRANSFERS.c[name] for name in ("unit_type", "method", "fund_source", "category")}):
        condition &= one
    unit_id = number_of(asked.unit)
    return condition & (TRANSFERS.c.unit_id == unit_id if unit_id is not None else true())


def _products(area: Area, sold: Collection[int]) -> list[Any]:
    village, county, city, province = Division, aliased(Division), aliased(Division), aliased(Division)
    query = (
        select(Product.id, Product.name, Organisation.name.label("supplier"), village.path, county.name.label("county"),
               city.name.label("city"), province.name.label("province"))
        .join(Organisation, Organisation.id == Product.supplier_id).join(village, village.id == Product.village_id)
        .outerjoin(county, county.id == village.county_id).outerjoin(city, city.id == county.parent_id)
        .outerjoin(province, province.id == city.parent_id))
    run = db.session().execute
    found = {row.id: row for row in run(query.where(Product.certified, area.where.holds(Product.village_id)))}
    for some in db.chunks(sorted(set(sold) - set(found))):
        found.update({row.id: row for row in run(query.where(Product.id.in_(some)))})
    return [found[key] for key in sorted(found)]


def _papers(product_ids: Collection[int]) -> Mapping[int, list[Any]]:
    papers: defaultdict[int, list[Any]] = defaultdict(list)
    for some in db.chunks(sorted(product_ids)):
        for row in db.session().execute(
                select(Paper.product_id, Paper.kind, Paper.number, Paper.valid_until)
                .where(Paper.product_id.in_(some), Paper.kind.in_(GOODS_PAPERS), Paper.state != "refused")
                .order_by(Paper.id)):
            papers[row.product_id].append(row)
    return papers


def _row(product: Any, sold_fen: int, papers: Collection[Any]) -> Row:
    held = "；".join(_("%(kind)s %(number)s until %(day)s", kind=_(KINDS[paper.kind].name), number=paper.number,
                      day=paper.valid_until.isoformat() if paper.valid_until else _("no last day"))
                    for paper in papers)
    return Row({
        "province": product.province, "city": product.city, "county": product.county, "product": product.name,
        "supplier": product.supplier, "people_helped": None, "goods_value_fen": None, "certified_on": None,
        "valid_to": None, "papers": held or None, "sales_fen": sold_fen,
    }, place=str(product.id), order=f"{product.path} {product.id:012d}")


# ---- the order lines behind a product's sales -----------------------------------------------------------------------


def lines_of(figure: str) -> Report:
    """The report of the order lines behind a product's sales. Raises NotFound for other figures."""
    column = column_of(COLUMNS, figure)
    if not column.opens:
        raise NotFound()

    def read_lines(asked: Asked, area: Area, reader: Reader) -> Content:
        product_id = number_of(asked.row)
        if not reader.sees_all or product_id is None:
            raise NotFound()
        traded.check_months(asked)
        keys = {"order": TRANSFERS.c.order_ref, "line": traded.LINE_ID, "goods": OrderLine.product_name,
                "unit": TRANSFERS.c.unit_id, "village": TRANSFERS.c.village_id}
        found = traded.sums(asked, keys, EVENTS, _condition(asked, area) & (OrderLine.product_id == product_id))
        product = next((row for row in _products(area, [product_id] if found else []) if row.id == product_id), None)
        if product is None:
            raise NotFound()
        columns = (*LINE_COLUMNS, Column(column.key, column.heading, column.kind, column.stage, sums=True))
        rows = _line_rows(found)
        return Content(columns, rows, total_of(columns, rows), about=f"{product.supplier} {product.name}")

    return Report("certified-products-lines", column.heading, N_("The order lines behind a product's sales."),
                  read_lines, "report.read", by_village=False)


def _line_rows(found: Mapping[tuple[Any, ...], Mapping[str, int]]) -> list[Row]:
    run = db.session().execute
    units = {row.id: row.name for some in db.chunks(sorted({key[3] for key in found})) for row in run(
        select(Organisation.id, Organisation.name).where(Organisation.id.in_(some)))}
    villages = {row.id: row.path for some in db.chunks(sorted({key[4] for key in found})) for row in run(
        select(Division.id, Division.path).where(Division.id.in_(some)))}
    return [Row({
        "order": order, "goods": goods, "unit": units.get(unit), "village": villages.get(village),
        "grams": traded.net_grams(figures), "sales_fen": traded.net_fen(figures),
    }, place=f"{line}:{village}:{unit}", order=f"{order} {line:012d} {village:012d} {unit or 0:012d}")
        for (order, line, goods, unit, village), figures in found.items()]


REPORT = Report("certified-products", N_("Certified product list"),
                N_("Goods marked as certified, their co-operatives and certificates, and what was sold of them."), read,
                verb="report.read", by_village=False,
                filters=("unit_type", "unit", "method", "fund_source", "category"), compares=("ytd", "yoy"),
                group="goods")
