"""What is looked at when goods come in, as tables and pure functions: words, units, prices, likeness of pictures.

The band: a price between these shares of the reference price per kilo holds at once. Fresh goods swing more.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from market import money
from market.errors import N_

# goods are bought because they are good; nobody's misery is advertised
PITY_WORDS = ("可怜", "救救", "求求", "卖不出去", "卖不掉", "滞销", "愁卖", "愁销", "烂在地里", "含泪", "泪奔",
              "血本无归", "血亏", "活不下去", "走投无路", "揭不开锅", "苦命", "绝望", "求助",
              # the same as they are written elsewhere
              "可憐", "賣不出去", "賣不掉", "滯銷", "滯销", "滞銷", "愁賣", "愁銷", "爛在地裡",
              "爛在地里", "含淚", "淚奔",
              "血本無歸", "血虧", "走投無路", "揭不開鍋", "絕望")
PITY_WORDS_EN = ("pity", "pitiful", "desperate", "heartbreaking", "unsold", "unsellable", "misery", "tears", "begging")
# who supplies canteens supplies nobody specially
SPECIAL_WORDS = ("特供", "特贡", "专供", "内供", "军供", "国宴",
                 "特貢", "專供", "內供", "軍供", "國宴")
SPECIAL_WORDS_EN = ("special supply", "specially supplied", "state banquet")
SPOKEN = ("name", "name_en", "aliases", "description", "description_en")

# sales units, and what one of them may weigh in grams
UNIT_GRAMS: Mapping[str, tuple[int, int]] = {
    "斤": (500, 500), "公斤": (1000, 1000), "箱": (500, 50_000), "袋": (20, 50_000), "瓶": (20, 10_000),
    "桶": (200, 50_000), "盒": (20, 20_000), "只": (200, 20_000), "枚": (10, 250), "份": (20, 10_000),
}
# units that make sense on some shelves only
UNIT_SHELVES: Mapping[str, frozenset[str]] = {
    "枚": frozenset({"egg"}), "只": frozenset({"poultry", "meat", "aquatic"}),
    "瓶": frozenset({"oil", "drink", "processed", "bean"}), "桶": frozenset({"oil", "drink", "processed"}),
}
# what a kilo may cost by shelf, in fen; outside, unit or price is most likely mistyped
KILO_FEN: Mapping[str, tuple[int, int]] = {
    "veg": (40, 20_000), "fruit": (60, 20_000), "grain": (150, 6_000), "bean": (150, 8_000), "meat": (800, 40_000),
    "poultry": (800, 30_000), "egg": (400, 20_000), "aquatic": (500, 40_000), "oil": (600, 60_000),
    "drink": (1_000, 400_000), "processed": (200, 60_000),
}
ANY_KILO_FEN = (40, 400_000)

# basis points of the reference price: (below, above)
BAND: Mapping[str, tuple[int, int]] = {"veg": (5_000, 3_000), "fruit": (5_000, 3_000)}
USUAL_BAND = (5_000, 2_000)
MOST_BITS_APART = 3


@dataclass(frozen=True)
class Kind:
    """What a finding says (a msgid with the details' names) and the field of the form it is about."""

    text: str
    field: str
    tone: str = "waiting"


FINDINGS: Mapping[str, Kind] = {
    "odd_unit": Kind(N_("Unusual sales unit: %(unit)s"), "unit"),
    "unit_of_other_shelf": Kind(N_("%(unit)s is not a unit for goods of this shelf"), "unit"),
    "unit_weight": Kind(N_("One %(unit)s weighs %(kg)s kg? Usual are %(low)s to %(high)s kg"), "grams_per_unit"),
    "kilo_price": Kind(N_("¥%(yuan)s per kg? On this shelf ¥%(low)s to ¥%(high)s are usual"), "price_fen"),
    "above_reference": Kind(N_("%(percent)s above the reference price of ¥%(yuan)s per kg"), "price_fen", "wrong"),
    "below_reference": Kind(N_("%(percent)s below the reference price of ¥%(yuan)s per kg"), "price_fen"),
    "no_reference": Kind(N_("No reference price to compare with"), "price_fen"),
    "no_voucher": Kind(N_("No price voucher"), "voucher_link"),
    "price_raised": Kind(N_("Dearer than approved: ¥%(after)s instead of ¥%(before)s per kg"), "price_fen"),
    "same_goods": Kind(N_("Already listed as %(name)s, by the %(unit)s"), "name", "wrong"),
    "same_picture": Kind(N_("The same picture as %(name)s of %(supplier)s"), "photo", "wrong"),
    "origin": Kind(N_("Neither members nor the own township are in this village"), "village", "wrong"),
    "returned_before": Kind(N_("Was sent back before"), "name", "info"),
}


@dataclass(frozen=True)
class Finding:
    """Something that the county should look at."""

    code: str
    details: Mapping[str, str] = field(default_factory=dict)

    def as_plain(self) -> dict[str, Any]:
        """As it is kept with the review."""
        return {"code": self.code, "details": dict(self.details)}


@dataclass(frozen=True)
class Reference:
    """What a kilo costs elsewhere, who says so and when."""

    division_id: int
    is_county: bool
    category_id: int
    word: str
    fen_per_kg: int
    source: str
    day: Any


@dataclass(frozen=True)
class Like:
    """Other goods that these may be the same as."""

    name: str
    unit: str
    supplier: str = ""


@dataclass(frozen=True)
class Goods:
    """All that is looked at."""

    name: str
    shelf: str  # the code of the root category
    unit: str
    grams_per_unit: int
    price_fen: int
    reference: Reference | None = None
    has_voucher: bool = False
    own_village: bool = True
    approved_fen_per_kg: int | None = None  # what canteens pay now, where goods are already on the shelf
    same_goods: Sequence[Like] = ()
    same_picture: Sequence[Like] = ()
    was_returned: bool = False

    @property
    def fen_per_kg(self) -> int:
        return money.price_of_kg(self.price_fen, self.grams_per_unit)


def refused_words(texts: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """By field: ('pity' or 'special', the first word that goods may not be advertised with).

    >>> refused_words({"name": "救 救果农 蜜桔", "description": "机关特供", "name_en": "Pitted plums"})
    {'name': ('pity', '救救'), 'description': ('special', '特供')}
    """
    found = {}
    for name in SPOKEN:
        word = _first_word(str(texts.get(name) or ""))
        if word:
            found[name] = word
    return found


def _first_word(text: str) -> tuple[str, str] | None:
    close = re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", text))  # a space or a dot between two hides nothing
    close = re.sub(r"(?<=[\u4e00-\u9fff])[0-9A-Za-z]+(?=[\u4e00-\u9fff])", "", close)  # nor does a letter or a number
    spoken = " " + re.sub(r"[^a-z]+", " ", text.lower()) + " "
    for kind, words, english in (("pity", PITY_WORDS, PITY_WORDS_EN), ("special", SPECIAL_WORDS, SPECIAL_WORDS_EN)):
        for word in words:
            if word in close:
                return kind, word
        for word in english:
            if f" {word} " in spoken:
                return kind, word
    return None


def band(reference_fen_per_kg: int, shelf: str) -> tuple[int, int]:
    """The prices per kilo, in fen, that hold at once.

    >>> band(1000, "veg"), band(1000, "oil")
    ((500, 1300), (500, 1200))
    """
    below, above = BAND.get(shelf, USUAL_BAND)
    return (reference_fen_per_kg - money.part_of(reference_fen_per_kg, below),
            reference_fen_per_kg + money.part_of(reference_fen_per_kg, above))


def findings(goods: Goods) -> list[Finding]:
    """All that the county should look at; nothing found means that the goods may be sold at once."""
    return [*_about_unit(goods), *_about_price(goods), *_about_likeness(goods)]


def _about_unit(goods: Goods) -> list[Finding]:
    found = []
    shelves = UNIT_SHELVES.get(goods.unit)
    if goods.unit not in UNIT_GRAMS:
        found.append(Finding("odd_unit", {"unit": goods.unit}))
    elif shelves is not None and goods.shelf in KILO_FEN and goods.shelf not in shelves:
        found.append(Finding("unit_of_other_shelf", {"unit": goods.unit}))
    low, high = UNIT_GRAMS.get(goods.unit, (1, 1_000_000))
    if not low <= goods.grams_per_unit <= high:
        found.append(Finding("unit_weight", {
            "unit": goods.unit, "kg": money.decimal_text(goods.grams_per_unit), "low": money.decimal_text(low),
            "high": money.decimal_text(high)}))
    return found


def _about_price(goods: Goods) -> list[Finding]:
    found = []
    price = goods.fen_per_kg
    low, high = KILO_FEN.get(goods.shelf, ANY_KILO_FEN)
    if not low <= price <= high:
        found.append(Finding("kilo_price", {
            "yuan": money.yuan(price), "low": money.yuan(low), "high": money.yuan(high)}))
    if goods.approved_fen_per_kg is not None and price <= goods.approved_fen_per_kg:
        return found  # not dearer than what was approved
    if goods.reference is None:
        found.append(_without_reference(goods))
    else:
        found += _against_reference(price, goods.reference.fen_per_kg, goods.shelf)
    if not goods.has_voucher and any(f.code in {"no_reference", "price_raised", "above_reference"} for f in found):
        found.append(Finding("no_voucher"))
    return found


def _without_reference(goods: Goods) -> Finding:
    if goods.approved_fen_per_kg is None:
        return Finding("no_reference")
    return Finding("price_raised", {"before": money.yuan(goods.approved_fen_per_kg),
                                    "after": money.yuan(goods.fen_per_kg)})


def _against_reference(price: int, reference: int, shelf: str) -> list[Finding]:
    lowest, highest = band(reference, shelf)
    if lowest <= price <= highest:
        return []
    apart = money.percent(abs(difference(price, reference)))
    return [Finding("above_reference" if price > highest else "below_reference",
                    {"percent": apart, "yuan": money.yuan(reference)})]


def difference(price: int, reference: int) -> int:
    """How far a price lies above (below: negative) its reference, in hundredths of a percent.

    >>> difference(1500, 1000), difference(800, 1000)
    (5000, -2000)
    """
    apart = money.basis_points(abs(price - reference), reference)
    return apart if price >= reference else -apart


def _about_likeness(goods: Goods) -> list[Finding]:
    found = []
    if goods.same_goods:
        like = goods.same_goods[0]
        found.append(Finding("same_goods", {"name": like.name, "unit": like.unit}))
    if goods.same_picture:
        like = goods.same_picture[0]
        found.append(Finding("same_picture", {"name": like.name, "supplier": like.supplier}))
    if not goods.own_village:
        found.append(Finding("origin"))
    if goods.was_returned:
        found.append(Finding("returned_before"))
    return found


def plain_name(name: str) -> str:
    """A name without the words for packing and size that tell the same goods apart.

    >>> plain_name("江永香柚（礼箱装）"), plain_name("江永香柚 5斤装"), plain_name("香芋")
    ('江永香柚', '江永香柚', '香芋')
    """
    bare = re.sub(r"[（(【\[].*?[）)】\]]", "", name.lower())
    bare = re.sub(r"[0-9.]+ *(?:公斤|千克|kg|斤|克|g|枚|只|个|瓶|袋|盒|箱|份|桶)", "", bare)
    bare = re.sub(r"(?:礼品|礼)?(?:箱|盒|袋|瓶|桶|散|精|整)?装$|礼箱$|礼盒$", "", bare.strip())
    return re.sub(r"[\W_]+", "", bare) or name


def bits_apart(one: int, other: int) -> int:
    """In how many of 64 bits two picture hashes differ.

    >>> bits_apart(0b1010, 0b0110)
    2
    """
    return (one ^ other).bit_count()


def best_reference(references: Sequence[Reference], county_id: int | None, city_id: int | None,
                   category_ids: Sequence[int | None], name: str) -> Reference | None:
    """The reference that fits goods best: of the county before the city, of the narrower shelf, of the longer word.

    The word stands in the goods' name; what they are called beside it is the co-operative's own saying.
    """
    fitting = [
        one for one in references
        if one.category_id in category_ids and one.division_id in (county_id, city_id) and one.word in name]
    return max(fitting, default=None, key=lambda one: (
        one.is_county, len(one.word), -category_ids.index(one.category_id), one.day))
