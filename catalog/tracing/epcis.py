"""A lot's events for other programs, shaped after EPCIS 2.0: what, where, when, why; no person, no canteen by name.

Identifiers are addresses of this installation (in-house numbers, see gs1.py), so the document is EPCIS-like rather than
a claim of conformance: it was not run through GS1's schema.
"""

from collections.abc import Callable, Sequence
from typing import Any

from catalog.tracing import gs1
from catalog.tracing.desk import Columns
from catalog.tracing.rules import EVENTS

CONTEXT = ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld", {"sijin": "urn:sijin:"}]


def document(lot: Columns, events: Sequence[Columns], address: Callable[[str, str], str]) -> dict[str, Any]:
    """The whole document; `address` makes a lot's link from its 14-digit number and code. Dated by its last event."""
    this = address(gs1.number_of(lot.product_id), lot.code)
    return {
        "@context": CONTEXT, "type": "EPCISDocument", "schemaVersion": "2.0",
        "creationDate": events[-1].at.isoformat() if events else None,
        "epcisBody": {"eventList": [_event(event, this) for event in events]},
    }


def _event(event: Columns, this: str) -> dict[str, Any]:
    kind, action, step, disposition = EVENTS[event.kind]
    amount = [{"epcClass": this, "quantity": event.grams, "uom": "GRM"}]
    told: dict[str, Any] = {
        "type": kind, "eventID": f"urn:sijin:event:{event.id}", "eventTime": event.at.isoformat(),
        "eventTimeZoneOffset": "+00:00", "bizStep": step, "disposition": disposition, "sijin:kind": event.kind,
        "sijin:quantityMilli": event.milli, "sijin:grams": event.grams,
    }
    if kind == "ObjectEvent":
        told |= {"action": action, "quantityList": amount}
    else:
        told |= {"inputQuantityList" if event.kind == "used" else "outputQuantityList": amount}
    if event.at_kind == "supplier":
        told["readPoint"] = {"id": f"urn:sijin:place:{event.place_code or ''}", "sijin:name": event.at_name,
                             "sijin:path": event.place}
    else:
        told["readPoint"] = {"id": f"urn:sijin:canteen:{event.at_unit_type or ''}"}
    if event.unit_type:
        told["destinationList"] = [{"type": "owning_party", "destination": f"urn:sijin:canteen:{event.unit_type}"}]
    if event.reference and event.kind in {"certified", "made", "used"}:  # an order's number is not for everybody
        told["sijin:reference"] = event.reference
    return told
