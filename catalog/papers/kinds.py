"""Which papers there are, what they are about, and which goods need which: facts in tables, not in branches."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from market.errors import N_

SUPPLIER, PRODUCT, LOT = ("supplier", "product", "lot")


@dataclass(frozen=True)
class PaperKind:
    """A kind of paper: its name, what one paper of it may be about, whether it carries a number and may hold for good.

    Papers of a single lot need no last day either: they end with the lot.
    """

    name: str
    scopes: tuple[str, ...]
    numbered: bool = True
    endless: bool = False


KINDS: Mapping[str, PaperKind] = {
    "licence": PaperKind(N_("business licence"), (SUPPLIER,), endless=True),
    "production_permit": PaperKind(N_("production permit (SC)"), (SUPPLIER,)),
    "operation_licence": PaperKind(N_("food operation licence"), (SUPPLIER,)),
    "commission": PaperKind(N_("commission letter of the producer"), (SUPPLIER,)),
    "factory_report": PaperKind(N_("factory test report"), (PRODUCT,)),
    "test_report": PaperKind(N_("test report"), (PRODUCT, LOT)),
    "green": PaperKind(N_("green food certificate"), (PRODUCT,)),
    "organic": PaperKind(N_("organic certificate"), (PRODUCT,)),
    "gi": PaperKind(N_("geographical indication"), (PRODUCT,)),
    "quarantine": PaperKind(N_("quarantine certificate"), (LOT,)),
    "meat_quality": PaperKind(N_("meat quality certificate"), (LOT,)),
    "asf_report": PaperKind(N_("African swine fever report"), (LOT,)),
    "quarantine_stamp": PaperKind(N_("photo of the quarantine stamp"), (LOT,), numbered=False),
    "inspection_stamp": PaperKind(N_("photo of the meat inspection stamp"), (LOT,), numbered=False),
}


@dataclass(frozen=True)
class Rule:
    """Goods of a category, or of one below it, need a paper of a kind for supplier, product or lot.

    `category` "" is every category; `spared` are categories below it that do not need the paper. `document` is the
    rule's number; `read` says whether we have read that document ourselves.
    """

    category: str
    kind: str
    scope: str
    document: str
    spared: tuple[str, ...] = ()
    read: bool = False


FOOD_LAW = "食品安全法第50、53条"
MADE = {  # food that is made: a permit of the maker, a report of the factory about the product
    "processed": (), "noodle": (), "tofu": (), "cured": (), "preserved-egg": (), "oil": ("oilseed",),
}
PORK = "肉品“两章两证一报告”"
RULES: Sequence[Rule] = (
    Rule("", "licence", SUPPLIER, "食品安全法第53条"),
    *(Rule(category, "production_permit", SUPPLIER, FOOD_LAW, spared) for category, spared in MADE.items()),
    *(Rule(category, "factory_report", PRODUCT, FOOD_LAW, spared) for category, spared in MADE.items()),
    Rule("meat", "quarantine", LOT, "动物防疫法", ("cured",)),
    Rule("poultry", "quarantine", LOT, "动物防疫法"),
    Rule("pork", "meat_quality", LOT, PORK),
    Rule("pork", "asf_report", LOT, PORK),
    Rule("pork", "quarantine_stamp", LOT, PORK),
    Rule("pork", "inspection_stamp", LOT, PORK),
)


def needed(categories: frozenset[str], scopes: Iterable[str]) -> list[Rule]:
    """The rules for goods whose category and all above it are these.

    >>> [rule.kind for rule in needed(frozenset({"tofu", "bean"}), ("supplier", "product"))]
    ['licence', 'production_permit', 'factory_report']
    >>> [rule.kind for rule in needed(frozenset({"cured", "meat"}), ("lot",))]
    []
    """
    wanted = set(scopes)
    return [rule for rule in RULES if rule.scope in wanted and (not rule.category or rule.category in categories)
            and categories.isdisjoint(rule.spared)]


@dataclass(frozen=True)
class Lack:
    """A paper that goods need and that does not hold: its kind, what it is about, the last day it held if ever."""

    kind: str
    scope: str
    ended_on: date | None = None
