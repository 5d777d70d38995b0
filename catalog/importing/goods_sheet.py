"""Goods by the table: new ones, changed ones, and the shelf as it is to work on and send back."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import or_, select

from catalog import products
from catalog.drawings import DRAWINGS
from catalog.importing import lookups
from catalog.importing.kinds import TWICE, Column, Fault, Kind, Offer, Plan, Planned, accepted, sentence_of
from catalog.importing.lookups import normal
from catalog.models import Availability, Lot, Product
from catalog.review import changes, checks, listing, rules
from catalog.review import ground as grounds
from catalog.review.changes import Edit, Known
from catalog.review.checks import Incoming
from catalog.review.ground import Ground
from catalog.schemas import UNITS_EN, NewProductSchema
from market import db
from market.access import Visitor
from market.errors import N_
from market.schemas import Whole
from market.sheet_input import Rows

UNKNOWN = N_("You have no goods with this number.")
SEVERAL = N_("You have several goods of this name, unit and weight: give the number.")
SUPPLY_WORDS = (("daily", "当日采收", "Harvested to order"), ("stocked", "现货", "From stock"))

COLUMNS = (
    Column("number", "编号", "Number", "text", example="", note=N_(
        "Leave it empty for new goods. The export fills it in: with it a row changes these very goods.")),
    Column("name", "品名", "Name of the goods", required=True, example="白菜"),
    Column("category", "货架", "Shelf", required=True, offer="categories", example=""),
    Column("village", "产地村", "Village", "code", required=True, offer="villages", example=""),
    Column("supply", "供货方式", "Kind of supply", required=True, offer="supplies", example="当日采收"),
    Column("unit", "销售单位", "Sales unit", required=True, offer="units", example="斤"),
    Column("grams_per_unit", "每单位重量（公斤）", "Weight of one unit (kg)", "grams", required=True, example="0.5"),
    Column("price_fen", "单价（元）", "Price (yuan)", "fen", required=True, example="2.00"),
    Column("minimum_milli", "起订量", "Smallest order", "grams", required=True, example="5"),
    Column("step_milli", "加订单位", "In steps of", "grams", required=True, example="1"),
    Column("daily_capacity_milli", "日常供应量", "What a usual day yields", "grams", example="200", note=N_(
        "Only for goods harvested to order.")),
    Column("harvest_months[]", "采收月份", "Months of harvest", example="10,11,12", note=N_(
        "Month numbers with commas; empty means all year.")),
    Column("description", "说明", "Description", example="霜降后采收，清甜。"),
    Column("aliases", "别名", "Other names", example="大白菜|黄芽白"),
    Column("name_en", "英文品名", "Name in English", example="Chinese cabbage"),
    Column("description_en", "英文说明", "Description in English"),
    Column("picture", "图样", "Drawing", offer="drawings", example="cabbage"),
)
FIELDS = {"harvest_months": "harvest_months[]"}  # where a column is called otherwise


class GoodsRow(NewProductSchema):
    """A row: what the form of new goods asks for, and the number where the goods are known."""

    number = Whole(load_default=None)


def offers(by: Visitor) -> Mapping[str, Offer]:
    return {
        "categories": lookups.category_offer(),
        "villages": lookups.village_offer(by),
        "supplies": Offer([(zh, en) for _code, zh, en in SUPPLY_WORDS],
                          accepted((said, code) for code, *words in SUPPLY_WORDS for said in (code, *words))),
        "units": Offer(list(UNITS_EN.items()), accepted((said, zh) for zh, en in UNITS_EN.items()
                                                        for said in (zh, en))),
        "drawings": Offer([(name, english) for name, english in DRAWINGS.items()],
                          accepted((said, name) for name, english in DRAWINGS.items() for said in (name, english))),
    }


# ---- what the rows would change -------------------------------------------------------------------------------------


def match(rows: Rows, by: Visitor) -> Plan:
    """Compare with the shelf: by number, else by name, unit and weight. Somebody else's number is unknown.

    What the county looks at on the form it looks at here: the plan counts the rows that will wait for it.
    """
    shelf = _Shelf(by)
    ground = grounds.of(by.organisation_id or 0, {values["village"] for values in rows.loaded.values()})
    refused = checks.refusals(list(rows.loaded.values()), ground)
    plan, said = Plan(), dict[Any, int]()
    for index, (line, values) in enumerate(rows.loaded.items()):
        known, faults = shelf.find(line, values)
        faults += [Fault(line, name, *sentence_of(message)) for name, messages in refused.get(index, {}).items()
                   for message in messages]
        what = known.row.id if known else _key(values)
        if said.setdefault(what, line) != line:
            faults.append(Fault(line, "number" if values["number"] else "name", TWICE, {"line": said[what]}))
        if faults:
            plan.faults += faults
        elif known is None:
            plan.new.append(Planned(line, values))
            plan.to_county += bool(rules.findings(checks.goods_of(Incoming(values), ground)))
            ground.add(values["name"], values["unit"])
        else:
            _plan_change(plan, line, values, known, rows.fields, shelf, ground)
    return plan


def _plan_change(plan: Plan, line: int, values: Mapping[str, Any], known: Known, fields: frozenset[str],
                 shelf: "_Shelf", ground: Ground) -> None:
    """A column that the table does not have stays as it is."""
    wanted = {name: values[name] if FIELDS.get(name, name) in fields and not _same(name, known.said[name], values[name])
              else known.said[name] for name in changes.SAID}
    changed = [name for name in changes.SAID if wanted[name] != known.said[name]]
    recounted = [name for name in ("supply", "unit", "grams_per_unit") if wanted[name] != getattr(known.row, name)]
    if changed and recounted and known.row.id in shelf.counted:
        plan.faults += [Fault(line, name, products.AlreadyCounted.text) for name in recounted]
    elif changed:
        edit = Edit(known, wanted)
        plan.changed.append(Planned(line, wanted, edit, tuple(FIELDS.get(name, name) for name in changed),
                                    {name: known.said[name] for name in changed}))
        plan.to_county += bool(changes.findings(edit, ground))
    else:
        plan.unchanged += 1


def _same(name: str, before: Any, value: Any) -> bool:
    """Whether a row says what is there; months in another order are the same months."""
    if name == "harvest_months":
        return set(before.split(",")) == set(value.split(","))
    return bool(normal(before) == value)


def _key(values: Mapping[str, Any]) -> tuple[str, str, int]:
    return normal(values["name"]), values["unit"], values["grams_per_unit"]


class _Shelf:
    """A co-operative's goods, locked where a transaction is open, in five statements."""

    def __init__(self, by: Visitor) -> None:
        product = db.table(Product)
        goods = changes.known_goods(by.organisation_id or 0, lock=bool(db.session().info.get(db.WRITE)))
        self.by_id = {one.row.id: one for one in goods}
        self.by_key: dict[tuple[str, str, int], list[Known]] = {}
        for one in goods:
            self.by_key.setdefault(_key(one.said), []).append(one)
        self.counted = frozenset(db.session().scalars(
            select(product.c.id).where(product.c.supplier_id == by.organisation_id, or_(
                select(Lot.id).where(Lot.product_id == product.c.id).exists(),
                select(Availability.id).where(Availability.product_id == product.c.id).exists()))))

    def find(self, line: int, values: Mapping[str, Any]) -> tuple[Known | None, list[Fault]]:
        """The goods a row speaks of, None for new ones, and what is wrong with how it names them."""
        if values["number"] is not None:
            known = self.by_id.get(values["number"])
            return known, [] if known else [Fault(line, "number", UNKNOWN)]
        found = self.by_key.get(_key(values), [])
        return (found[0] if found else None), [Fault(line, "number", SEVERAL)] if len(found) > 1 else []


# ---- writing --------------------------------------------------------------------------------------------------------


def write(plan: Plan, by: Visitor) -> None:
    """New goods come in as they do by the form, edits hold or wait as they do there."""
    if plan.new:
        listing.submit_many([Incoming(row.values) for row in plan.new], by.organisation_id or 0, by)
    if plan.changed:
        ground = grounds.of(by.organisation_id or 0, {row.values["village"] for row in plan.changed})
        changes.change_many([row.known for row in plan.changed], ground, by)


# ---- the shelf as a table -------------------------------------------------------------------------------------------


def export(by: Visitor) -> Iterable[Sequence[Any]]:
    """The goods as the co-operative says them now: with the edits that wait for the county."""
    shelves = lookups.category_offer()
    names = {shelves.accepted.get(said.lower(), said): said for said, _meant in shelves.shown}
    supplies = {code: zh for code, zh, _en in SUPPLY_WORDS}
    for one in changes.known_goods(by.organisation_id or 0, lock=False):
        said = one.said
        months = "" if said["harvest_months"] == "all" else said["harvest_months"]
        yield (str(one.row.id), said["name"], names.get(said["category"], said["category"]), said["village"],
               supplies[said["supply"]], said["unit"], said["grams_per_unit"], said["price_fen"],
               said["minimum_milli"], said["step_milli"], said["daily_capacity_milli"], months, said["description"],
               said["aliases"], said["name_en"], said["description_en"], said["picture"])


KIND = Kind(
    "products", N_("Goods"), N_("New goods, and changes to what you list: names, prices, amounts."), "goods.manage",
    COLUMNS, GoodsRow, offers, match, write, export, "village.goods")
