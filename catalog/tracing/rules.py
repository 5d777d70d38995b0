"""What the rules say: which goods need a certificate of conformity, on what a promise may stand, what an event is."""

from collections.abc import Iterable, Mapping

from market.errors import N_

# 农业农村部令2025年第4号 (食用农产品承诺达标合格证管理办法, in force since 2026-02-01), by category or its shelf
ORDER_NUMBER = "农业农村部令2025年第4号"
NEEDS_CERTIFICATE: Mapping[str, str] = {
    "veg": N_("Vegetables, grown mushrooms included"),
    "fruit": N_("Fruit"),
    "tea-leaf": N_("Fresh tea leaf"),
    "pork": N_("Livestock and poultry"),
    "poultry": N_("Livestock and poultry"),
    "fresh-egg": N_("Fresh eggs"),
    "aquatic": N_("Farmed fish"),
}
KEPT_DAYS = 184  # six months at least; nothing in the product deletes a certificate

BASES: Mapping[str, str] = {
    "internal_control": N_("Internal quality control"), "self_check": N_("Own test"),
    "commissioned_test": N_("Commissioned test"), "own_promise": N_("Own promise"),
}
USUAL_BASIS = "internal_control"
PROMISE = N_("We promise that the edible farm products we sell: were grown or raised without banned pesticides, banned "
             "veterinary drugs or other banned substances; carry no more pesticide or veterinary drug residues than "
             "the national food safety standards allow; and that this promise is true.")

# kind of event: (EPCIS event, action, business step, disposition); CBV 2.0 words where it has them
EVENTS: Mapping[str, tuple[str, str, str, str]] = {
    "booked": ("ObjectEvent", "ADD", "commissioning", "active"),
    "made": ("TransformationEvent", "", "commissioning", "active"),
    "used": ("TransformationEvent", "", "commissioning", "inactive"),
    "confirmed": ("ObjectEvent", "OBSERVE", "inspecting", "sellable_accessible"),
    "certified": ("ObjectEvent", "OBSERVE", "inspecting", "conformant"),
    "shipped": ("ObjectEvent", "OBSERVE", "shipping", "in_transit"),
    "accepted": ("ObjectEvent", "OBSERVE", "accepting", "in_progress"),
    "refused": ("ObjectEvent", "OBSERVE", "receiving", "non_conformant"),
    "returned": ("ObjectEvent", "OBSERVE", "receiving", "returned"),
    "recalled": ("ObjectEvent", "OBSERVE", "holding", "recalled"),
    "written_off": ("ObjectEvent", "DELETE", "destroying", "destroyed"),
}
EVENT_LABELS: Mapping[str, str] = {
    "booked": N_("Booked in"), "made": N_("Made from other lots"), "used": N_("Used for other goods"),
    "confirmed": N_("Confirmed at the village"), "certified": N_("Certificate issued"),
    "shipped": N_("Packed and sent"), "accepted": N_("Accepted"), "refused": N_("Refused"),
    "returned": N_("Goods came back"), "recalled": N_("Recalled"), "written_off": N_("Written off"),
}


def group_of(category: str, shelf: str | None) -> str | None:
    """The group of the order that goods of a category on a shelf belong to, None where none is needed.

    >>> group_of("leaf", "veg"), group_of("preserved-egg", "egg")
    ('Vegetables, grown mushrooms included', None)
    """
    return NEEDS_CERTIFICATE.get(category) or NEEDS_CERTIFICATE.get(shelf or "")


def kept_bases(bases: Iterable[str]) -> str:
    """Bases as they are kept: in the order of the form, by comma."""
    chosen = set(bases)
    return ",".join(basis for basis in BASES if basis in chosen)
