"""Report 6, purchase detail (消费扶贫明细, from 2021 on 消费帮扶明细): every order line by the village that grew it.

What came back is a line of its own with a minus, dated when it came back, so that lines add up to the purchase amount
of the village report. Households are counted, never named. A page holds the first lines; everything is exported.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

from catalog.entry.labels import SUPPLIER_TYPES
from market import money, words
from market.errors import N_, NotFound
from market.i18n import gettext as _
from orders.reports import bought, bought_facts
from orders.reports.bought import Line, Wanted
from orders.reports.bought_facts import Facts
from orders.reports.frame import FILTERS, Asked, Column, Content, Report, Row
from orders.reports.readers import Area, Reader, number_of

BATCH = 500  # lines described together
WEIGHTS = ("斤", "公斤")
COLUMNS = (
    Column("day", N_("Date"), "code"), Column("order", N_("Order"), "code"), Column("unit", N_("Unit"), "text"),
    Column("unit_type", N_("Kind of unit"), "text"), Column("fund_source", N_("Fund source"), "text"),
    Column("goods", N_("Goods"), "text"), Column("spec", N_("Specification"), "text"),
    Column("grams", N_("Weight"), "grams", "accepted", sums=True), Column("price_fen", N_("Unit price"), "fen"),
    Column("amount_fen", N_("Amount"), "fen", "accepted", sums=True), Column("origin", N_("Village of origin"), "text"),
    Column("households", N_("Households"), "count"), Column("supplier", N_("Co-operative"), "text"),
    Column("supplier_type", N_("Kind of supplier"), "text"),
    Column("certificate", words.certificate_label(words.WORDS_CHANGED), "code"),
    Column("method", N_("Sales method"), "text"), Column("invoice", N_("Invoice no."), "code"),
    Column("accepted_on", N_("Accepted on"), "code"), Column("paid_on", N_("Paid on"), "code"),
)


def read(asked: Asked, area: Area, reader: Reader) -> Content:
    """The first lines, and the totals of all of them. Not for the public."""
    wanted = wanted_of(asked, area, reader)
    found, more = bought.first_lines(wanted)
    return content(found, more, wanted, exported=True)


def rows_of(asked: Asked, area: Area, reader: Reader) -> Iterator[Row]:
    """Every line in the order of a page, in constant memory. Keep the snapshot open until the last. Not for the public.
    """
    wanted = wanted_of(asked, area, reader)
    lines = bought.lines(wanted)
    while some := list(islice(lines, BATCH)):
        yield from rows(some)


def wanted_of(asked: Asked, area: Area, reader: Reader) -> Wanted:
    """Which lines are asked for. Raises NotFound for the public."""
    if not reader.sees_all:
        raise NotFound()
    return Wanted(asked.first, asked.last, area.where, asked.facets, number_of(asked.unit))


def content(found: Sequence[Line], more: bool, wanted: Wanted, exported: bool) -> Content:
    """Lines as a report shows them; `more`: there are further ones, `exported`: which an export holds."""
    fen, grams = bought.sums(wanted)
    notes = [
        _("One row for each accepted order line and village that grew it; what came back is a row of its own with a "
          "minus, dated when it came back. The sum is the purchase amount of the village report."),
        _("Price for one sales unit as accepted. Households: how many of that village brought goods to the lot; no "
          "one is named."),
    ]
    if more:
        notes.insert(0, _("Pages and files at once hold the first rows only, an export holds all of them; the totals "
                          "are those of all rows.") if exported else more_words(len(found)))
    shown = [row for start in range(0, len(found), BATCH) for row in rows(found[start:start + BATCH])]
    return Content(columns_of(wanted.last), shown, Row({"grams": grams, "amount_fen": fen}), notes,
                   title=title(wanted.last))


def ending_with(wanted: Wanted, key: str) -> Content:
    """The same lines with one figure last: those behind a figure of another report."""
    found, more = bought.first_lines(wanted)
    filled = content(found, more, wanted, exported=False)
    last = [column for column in filled.columns if column.key == key]
    return replace(filled, columns=[*(column for column in filled.columns if column.key != key), *last], title="")


def columns_of(month: str) -> tuple[Column, ...]:
    """The columns, in the words of the year reported."""
    year = int(month[:4])
    return tuple(replace(c, heading=words.certificate_label(year)) if c.key == "certificate" else c for c in COLUMNS)


def more_words(shown: int) -> str:
    """Said where a page holds only the first rows."""
    return str(_("Shown are the first %(count)s rows; the totals are those of all rows.", count=shown))


def title(month: str) -> str:
    """In the words of the year reported."""
    return str(_(words.purchase_detail_label(int(month[:4]))))


def rows(lines: Sequence[Line]) -> list[Row]:
    """Lines with all that documents say of them, in few statements."""
    facts = bought_facts.read(lines)
    return [_row(line, facts) for line in lines]


def _row(line: Line, facts: Facts) -> Row:
    seen, goods = line.row, facts.goods.get(line.row["line_ref"])
    supplier, unit = facts.organisations.get(seen["supplier_id"]), facts.organisations.get(seen["unit_id"])
    values: dict[str, Any] = {
        "day": line.day.isoformat(), "order": seen["order_ref"], "unit": unit.name if unit else None,
        "unit_type": _label(words.UNIT_TYPES, seen["unit_type"]),
        "fund_source": _label(words.FUND_SOURCES, seen["fund_source"]), "grams": line.grams,
        "amount_fen": line.amount_fen, "origin": facts.places.get(seen["village_id"]),
        "households": facts.households(line), "supplier": supplier.name if supplier else None,
        "supplier_type": _label(SUPPLIER_TYPES, supplier.supplier_type if supplier else None),
        "certificate": facts.certificate(line), "method": _label(words.METHODS, seen["method"]),
        **(_of_order(goods, facts) if goods else {}),
    }
    instead = {"certificate": _("yes, number not known")} if seen["certified"] and not values["certificate"] else {}
    return Row(values, instead, place=f"T{line.number}", order=f"{seen['village_id']:012d} {line.month} "
               f"{seen['order_ref'] or ''} {seen['line_ref'] or ''} {line.number:012d}")


def _of_order(goods: Any, facts: Facts) -> dict[str, Any]:
    paid = facts.paid_on.get(goods.order_id)
    return {
        "goods": goods.substitute_name if goods.substitute_product_id else goods.product_name,
        "spec": spec_words(goods.unit, goods.grams_per_unit),
        "price_fen": goods.price_fen, "invoice": "、".join(facts.invoices.get(goods.order_id, ())) or None,
        "accepted_on": goods.accepted_on.isoformat() if goods.accepted_on else None,
        "paid_on": paid.isoformat() if paid else None,
    }


def spec_words(unit: str, grams_per_unit: int) -> str:
    """The sales unit, with its weight where the unit's name does not tell it.

    >>> spec_words("公斤", 1000), spec_words("箱", 2500)
    ('公斤', '箱 (2.5 kg)')
    """
    return unit if unit in WEIGHTS else f"{unit} ({money.plain_decimal(grams_per_unit)} kg)"


def _label(labels: Any, key: str | None) -> str | None:
    return str(_(labels[key])) if key in labels else key


REPORT = Report("purchase-detail", N_("Purchase detail"),
                N_("Every accepted order line with unit, goods, village, co-operative, invoice and days."), read,
                verb="report.read", by_village=False, filters=FILTERS, rows_of=rows_of,
                group="purchases")
