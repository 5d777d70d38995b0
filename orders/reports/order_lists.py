"""Orders behind a figure: each once, with its unit, co-operative, days and what was accepted less what came back."""

from typing import Any

from market.errors import N_
from orders.reports import bought, bought_facts
from orders.reports.bought import Wanted
from orders.reports.frame import Column, Content, Row
from orders.reports.purchase_detail import more_words

COLUMNS = (
    Column("order", N_("Order"), "code"), Column("first_day", N_("First day"), "code"),
    Column("last_day", N_("Last day"), "code"), Column("unit", N_("Unit"), "text"),
    Column("supplier", N_("Co-operative"), "text"),
)


def counted(wanted: Wanted, total: int) -> Content:
    """Orders with goods accepted; the last column counts them, so that it adds up to a number of orders."""
    column = Column("orders", N_("Orders"), "count", "accepted", sums=True)
    found, more = bought.orders_behind(wanted)
    return _content(found, more, column, total, {"amount": _amount()})


def with_amounts(wanted: Wanted, heading: str) -> Content:
    """Orders of which anything was accepted or came back; the last column is their amount."""
    found, more = bought.orders_behind(wanted, accepted=False)
    return _content(found, more, _amount(heading), bought.sums(wanted)[0], {})


def _amount(heading: str = N_("Purchase amount")) -> Column:
    return Column("amount_fen", heading, "fen", "accepted", sums=True)


def _content(found: list[Any], more: bool, last: Column, total: int, beside: dict[str, Column]) -> Content:
    names = bought_facts.organisations({row.unit_id for row in found} | {row.supplier_id for row in found} - {None})
    rows = [
        Row({"order": row.order_ref, "first_day": row.first_day.isoformat(), "last_day": row.last_day.isoformat(),
             "unit": names[row.unit_id].name if row.unit_id in names else None,
             "supplier": names[row.supplier_id].name if row.supplier_id in names else None,
             "amount_fen": row.accepted_fen - row.returned_fen, "orders": 1},
            place=f"{row.order_ref}:{row.unit_id or 0}", order=f"{row.order_ref} {row.unit_id or 0:012d}")
        for row in found]
    return Content((*COLUMNS, *beside.values(), last), rows, Row({last.key: total}),
                   [more_words(len(rows))] if more else [])
