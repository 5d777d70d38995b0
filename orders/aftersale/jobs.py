"""News of cases and of changes of the credited unit: each side hears what the other did, once."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from market import db, notices
from market.errors import N_
from market.notices import Kind, Kinds
from market.outbox import Handler
from market.parties import Organisation
from orders.models import AfterSale, CreditChange, Order

KINDS: Kinds = {
    "after_sale.opened": Kind(N_("%(unit)s opened case %(number)s about order %(order)s. Please answer by %(due)s."),
                              "aftersale.case", "case_id"),
    "after_sale.agreed": Kind(N_("Case %(number)s about order %(order)s is settled."), "aftersale.case", "case_id"),
    "after_sale.refused": Kind(N_("%(supplier)s does not agree in case %(number)s about order %(order)s."),
                               "aftersale.case", "case_id"),
    "after_sale.withdrawn": Kind(N_("%(unit)s has taken back case %(number)s."), "aftersale.case", "case_id"),
    "after_sale.mediation": Kind(N_("Case %(number)s of %(unit)s and %(supplier)s: please mediate by %(due)s."),
                                 "aftersale.case", "case_id"),
    "after_sale.proposed": Kind(N_("The county has proposed how to settle case %(number)s."),
                                "aftersale.case", "case_id"),
    "after_sale.failed": Kind(N_("Case %(number)s was closed without agreement."), "aftersale.case", "case_id"),
    "credit.asked": Kind(N_("Order %(order)s is to count for another unit: a second person decides."),
                         "credit.index", "change"),
    "credit.declined": Kind(N_("Order %(order)s does not count for %(unit)s: it was declined."),
                            "credit.index", "change"),
    "credit.approved": Kind(N_("Order %(order)s now counts for %(unit)s."), "credit.index", "change"),
}
# who hears of it: the unit, the supplier, the office
TOLD: Mapping[str, tuple[str, ...]] = {
    "opened": ("supplier_id",), "agreed": ("unit_id", "office_id"), "refused": ("unit_id",),
    "withdrawn": ("supplier_id", "office_id"), "mediation": ("office_id", "supplier_id"),
    "proposed": ("unit_id", "supplier_id"), "failed": ("unit_id", "supplier_id"),
}


def case_moved(payload: Mapping[str, Any]) -> None:
    """Tell whoever is concerned by what happened to a case."""
    unit, supplier = db.table(Organisation).alias(), db.table(Organisation).alias()
    with db.transaction() as session:
        found = session.execute(
            select(AfterSale.number, AfterSale.due_on, AfterSale.office_id, Order.number.label("order"), Order.unit_id,
                   Order.supplier_id, unit.c.short_name.label("unit"), supplier.c.short_name.label("supplier"))
            .join(Order, Order.id == AfterSale.order_id).join(unit, unit.c.id == Order.unit_id)
            .join(supplier, supplier.c.id == Order.supplier_id).where(AfterSale.id == payload["case_id"])).one()
        details = {"number": found.number, "order": found.order, "unit": found.unit, "supplier": found.supplier,
                   "due": found.due_on.isoformat() if found.due_on else ""}
        for side in TOLD[payload["what"]]:
            if getattr(found, side) is not None:
                notices.tell(getattr(found, side), f"after_sale.{payload['what']}", payload["case_id"], details,
                             payload.get("at", ""))


def credit_moved(payload: Mapping[str, Any]) -> None:
    """The unit asked hears of the request; both units hear of the change."""
    with db.transaction() as session:
        found = session.execute(
            select(CreditChange.state, CreditChange.from_unit_id, CreditChange.to_unit_id,
                   Order.number.label("order"), Organisation.short_name.label("unit"), Organisation.parent_id)
            .join(Order, Order.id == CreditChange.order_id)
            .join(Organisation, Organisation.id == CreditChange.to_unit_id)
            .where(CreditChange.id == payload["change_id"])).one()
        told = {found.from_unit_id, found.to_unit_id} if found.state == "approved" else {found.from_unit_id}
        for unit_id in sorted(told):
            notices.tell(unit_id, f"credit.{found.state}", payload["change_id"],
                         {"order": found.order, "unit": found.unit})


HANDLERS: Mapping[str, Handler] = {"after_sale.moved": case_moved, "credit.moved": credit_moved}
