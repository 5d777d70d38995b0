"""Goods by the table: new ones, changed ones, and the shelf as it is to work on and send back."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import bindparam, or_, select, update

from catalog import products
from catalog.drawings import DRAWINGS
from catalog.importing import lookups
from catalog.importing.kinds import CHOOSE, TWICE, Column, Fault, Kind, Offer, Plan, Planned, accepted
from catalog.importing.lookups import normal
from catalog.models import FOR_GOOD, Availability, Category, Lot, Product, ProductPrice
from catalog.review import bulk
from catalog.schemas import UNITS_EN, NewProductSchema
from market import clock, db, journal
from market.access import Visitor
from market.errors import N_
from market.places import Division
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
FOLLOWING = ("unit_en", "by_weight")  # they follow from the unit
FIELDS = {"category_id": "category", "village_id": "village", "harvest_months": "harvest_months[]"}  # by column


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
    """Compare with the shelf: by number, else by name, unit and weight. Somebody else's number is unknown."""
    shelf = _Shelf(by)
    categories = lookups.category_ids(values["category"] for values in rows.loaded.values())
    villages = lookups.village_ids(values["village"] for values in rows.loaded.values())
    plan, said = Plan(), dict[Any, int]()
    for line, values in rows.loaded.items():
        known, faults = shelf.find(line, values)
        faults += [Fault(line, name, CHOOSE) for name, there in (("category", categories), ("village", villages))
                   if values[name] not in there]
        faults += [Fault(line, field, text, {"word": word}) for field, text, word in bulk.faults(values)]
        what = known.id if known else _key(values)
        if said.setdefault(what, line) != line:
            faults.append(Fault(line, "number" if values["number"] else "name", TWICE, {"line": said[what]}))
        if faults:
            plan.faults += faults
            continue
        columns = products.said(values) | {"category_id": categories[values["category"]],
                                           "village_id": villages[values["village"]], "price_fen": values["price_fen"]}
        _plan_row(plan, Planned(line, columns, known), rows.fields, shelf)
    return plan


def _plan_row(plan: Plan, row: Planned, fields: frozenset[str], shelf: "_Shelf") -> None:
    if row.known is None:
        plan.new.append(row)
        return
    kept = {name.removesuffix("[]") for name in _may_be_missing() if name not in fields}
    columns = {name: getattr(row.known, name) if name in kept else value for name, value in row.values.items()}
    changes = [name for name, value in columns.items() if name not in kept and not _same(name, row.known, value)]
    recounted = [products.COUNTED_IN[name] for name in changes if name in products.COUNTED_IN]
    if recounted and row.known.id in shelf.counted:
        plan.faults += [Fault(row.line, name, products.AlreadyCounted.text) for name in dict.fromkeys(recounted)]
    elif changes:
        named = tuple(FIELDS.get(name, name) for name in changes if name not in FOLLOWING)
        plan.changed.append(Planned(row.line, columns, row.known, named))
    else:
        plan.unchanged += 1


def _same(name: str, known: Any, value: Any) -> bool:
    """Whether a row says what is there; months in another order are the same months."""
    before = normal(getattr(known, name))
    if name == "harvest_months":
        return set(before.split(",")) == set(value.split(","))
    return bool(before == value)


def _may_be_missing() -> Iterable[str]:
    return (column.field for column in COLUMNS if not column.required)


def _key(values: Mapping[str, Any]) -> tuple[str, str, int]:
    return normal(values["name"]), values["unit"], values["grams_per_unit"]


class _Shelf:
    """A co-operative's goods, locked where a transaction is open, in two statements."""

    def __init__(self, by: Visitor) -> None:
        product = db.table(Product)
        session = db.session()
        rows = session.execute(lookups.locked(
            select(product).where(product.c.supplier_id == by.organisation_id).order_by(product.c.id))).all()
        self.by_id = {row.id: row for row in rows}
        self.by_key: dict[tuple[str, str, int], list[Any]] = {}
        for row in rows:
            self.by_key.setdefault(_key(dict(row._mapping)), []).append(row)
        self.counted = frozenset(session.scalars(
            select(product.c.id).where(product.c.supplier_id == by.organisation_id, or_(
                select(Lot.id).where(Lot.product_id == product.c.id).exists(),
                select(Availability.id).where(Availability.product_id == product.c.id).exists()))))

    def find(self, line: int, values: Mapping[str, Any]) -> tuple[Any, list[Fault]]:
        """The goods a row speaks of, None for new ones, and what is wrong with how it names them."""
        if values["number"] is not None:
            known = self.by_id.get(values["number"])
            return known, [] if known else [Fault(line, "number", UNKNOWN)]
        found = self.by_key.get(_key(values), [])
        return (found[0] if found else None), [Fault(line, "number", SEVERAL)] if len(found) > 1 else []


# ---- writing --------------------------------------------------------------------------------------------------------


def write(plan: Plan, by: Visitor) -> None:
    """List the new goods and change the others, with their prices, histories and the index's news.

    By the rule of the forms: what the county has to look at waits for it; approved goods stay as they are until then.
    """
    now, supplier_id = clock.now(), by.organisation_id or 0
    found = bulk.judge([(row.values, row.known) for row in (*plan.new, *plan.changed)], supplier_id)
    found_new, found_changed = found[:len(plan.new)], found[len(plan.new):]
    ids = db.insert_returning_ids(Product, [
        {"supplier_id": supplier_id, "created_at": now, "state": bulk.state_after(None, some), "certified": False,
         "sold_milli": 0, "papers_until": FOR_GOOD, **row.values}
        for row, some in zip(plan.new, found_new, strict=True)])
    changed = [replace(row, values={**row.values, "state": bulk.state_after(row.known, some)})
               for row, some in zip(plan.changed, found_changed, strict=True) if not bulk.is_held_back(row.known, some)]
    bulk.note([*((i, row.values, None, some) for i, row, some in zip(ids, plan.new, found_new, strict=True)),
               *((row.known.id, row.values, row.known, some)
                 for row, some in zip(plan.changed, found_changed, strict=True))], by)
    _change(changed, by)
    priced = [(product_id, row) for product_id, row in zip(ids, plan.new, strict=True)]
    priced += [(row.known.id, row) for row in changed if row.values["price_fen"] != row.known.price_fen]
    db.insert_rows(ProductPrice, [
        {"product_id": product_id, "price_fen": row.values["price_fen"], "valid_from": now, "set_by": by.id}
        for product_id, row in priced])
    products.note_change([*ids, *(row.known.id for row in changed)])
    journal.record_many(
        [("product.created", "product", product_id, {"price_fen": row.values["price_fen"]} | _told(row.values))
         for product_id, row in zip(ids, plan.new, strict=True)], by)


def _change(rows: Sequence[Planned], by: Visitor) -> None:
    if not rows:
        return
    product = db.table(Product)
    names = list(rows[0].values)
    db.session().execute(
        update(product).where(product.c.id == bindparam("which")).values({name: bindparam("to_" + name)
                                                                          for name in names}),
        [{"which": row.known.id} | {"to_" + name: row.values[name] for name in names} for row in rows])
    acts: list[tuple[str, str, int | str, dict[str, Any]]] = []
    for row in rows:
        before, after = _told(row.known._mapping), _told(row.values)
        if any(not _same(name, row.known, value) for name, value in row.values.items() if name != "price_fen"):
            acts.append(("product.changed", "product", row.known.id, {"before": before, "after": after}))
        if row.known.price_fen != row.values["price_fen"]:
            acts.append(("product.priced", "product", row.known.id,
                         {"before": row.known.price_fen, "after": row.values["price_fen"]}))
    journal.record_many(acts, by)


def _told(columns: Mapping[str, Any]) -> dict[str, Any]:
    return {name: columns[name] for name in products.TOLD if name in columns and name != "state"}


# ---- the shelf as a table -------------------------------------------------------------------------------------------


def export(by: Visitor) -> Iterable[Sequence[Any]]:
    product, category, village = db.table(Product), db.table(Category), db.table(Division)
    shelves = lookups.category_offer().accepted
    supplies = {code: zh for code, zh, _en in SUPPLY_WORDS}
    for row in db.session().execute(
            select(product, category.c.code.label("category"), category.c.name_zh, village.c.code.label("village"))
            .join_from(product, category, category.c.id == product.c.category_id)
            .join(village, village.c.id == product.c.village_id)
            .where(product.c.supplier_id == by.organisation_id).order_by(product.c.id)):
        yield (str(row.id), row.name, lookups.say(row.category, row.name_zh, shelves), row.village,
               supplies[row.supply], row.unit, row.grams_per_unit, row.price_fen, row.minimum_milli, row.step_milli,
               row.daily_capacity_milli, "" if row.harvest_months == "all" else row.harvest_months, row.description,
               row.aliases, row.name_en, row.description_en, row.picture)


KIND = Kind(
    "products", N_("Goods"), N_("New goods, and changes to what you list: names, prices, amounts."), "goods.manage",
    COLUMNS, GoodsRow, offers, match, write, export, "village.goods")
