"""Who hears of capacity: the nearest agriculture office of what is asked, the co-operative of the answer."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from catalog.capacity.models import CapacityRequest, SeasonCapacity, VillageCapacity
from catalog.models import Product
from market import db, money, notices, offices
from market.errors import N_
from market.notices import Kind, Kinds
from market.outbox import Handler
from market.parties import Organisation
from market.places import Division

KINDS: Kinds = {
    "capacity.declared": Kind(N_("%(supplier)s declares %(kg)s kg of %(product)s for %(village)s. Please answer by "
                                 "%(day)s."), "capacity.of_request", "request_id"),
    "capacity.raise": Kind(N_("%(supplier)s asks for %(kg)s kg of %(product)s for %(village)s. Please answer by "
                              "%(day)s."), "capacity.of_request", "request_id"),
    "capacity.approved": Kind(N_("The county approved %(kg)s kg of %(product)s for %(village)s."),
                              "capacity.of_request", "request_id"),
    "capacity.refused": Kind(N_("The county did not approve %(kg)s kg of %(product)s for %(village)s: %(reason)s"),
                             "capacity.of_request", "request_id"),
}


def asked(payload: Mapping[str, Any]) -> None:
    """Asked: the nearest agriculture office hears of it."""
    with db.transaction():
        row = _request(payload["request_id"])
        near = offices.over(row.village_id, "agriculture")
        for office_id in near[:1]:
            notices.tell(office_id, f"capacity.{row.kind}", row.id, _details(row, row.asked_grams))


def decided(payload: Mapping[str, Any]) -> None:
    """Answered: the co-operative hears of it."""
    with db.transaction():
        row = _request(payload["request_id"])
        grams = row.asked_grams if row.granted_grams is None else row.granted_grams
        notices.tell(row.supplier_id, f"capacity.{row.decision}", row.id, _details(row, grams))


def _details(row: Any, grams: int) -> dict[str, Any]:
    return {"supplier": row.supplier, "product": row.product, "village": row.village, "reason": row.reason,
            "kg": money.plain_decimal(grams), "day": row.due_on.isoformat()}


def _request(request_id: int) -> Any:
    return db.session().execute(
        select(db.table(CapacityRequest), VillageCapacity.village_id, Product.supplier_id,
               Product.name.label("product"), Division.name.label("village"),
               Organisation.short_name.label("supplier"))
        .select_from(CapacityRequest).join(VillageCapacity, VillageCapacity.id == CapacityRequest.village_capacity_id)
        .join(SeasonCapacity, SeasonCapacity.id == VillageCapacity.season_id)
        .join(Product, Product.id == SeasonCapacity.product_id)
        .join(Division, Division.id == VillageCapacity.village_id)
        .join(Organisation, Organisation.id == Product.supplier_id).where(CapacityRequest.id == request_id)).one()


HANDLERS: Mapping[str, Handler] = {"capacity.asked": asked, "capacity.decided": decided}
