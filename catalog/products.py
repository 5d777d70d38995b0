"""Goods as a co-operative lists them: create, change, price, show and hide. Verbs flush, edges commit."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import exists, select, update

from catalog.models import Availability, Category, Lot, Product, ProductChange, ProductPrice
from catalog.papers import validity
from catalog.schemas import UNITS_EN, WEIGHT_UNITS
from market import clock, db, journal, money
from market.access import Visitor
from market.errors import N_, Conflict, InvalidInput, NotFound, in_english
from market.files import StoredFile
from market.places import Division

# what a journal entry compares before and after
TOLD = ("name", "category_id", "village_id", "supply", "unit", "grams_per_unit", "minimum_milli", "step_milli",
        "harvest_months", "daily_capacity_milli", "state")
# what a co-operative says in so many words and numbers
WRITTEN = ("name", "name_en", "aliases", "description", "description_en", "supply", "unit", "grams_per_unit",
           "minimum_milli", "step_milli", "harvest_months", "daily_capacity_milli", "picture")
# what stock, holds and carts are counted in, and the form's field that says it
COUNTED_IN = {"supply": "supply", "unit": "unit", "by_weight": "unit", "grams_per_unit": "grams_per_unit"}


class BelowPromised(Conflict):
    """A day cannot yield less than what is already promised to orders."""

    code = "below_promised"
    text = N_("%(held)s are already promised for %(day)s.")


class AlreadyCounted(Conflict):
    """Lots and promised days are counted in the unit: another one would make other quantities of them."""

    code = "already_counted"
    text = N_("These goods already have lots or planned days, so the kind of supply, the sales unit and its weight "
              "stay as they are. Please list new goods instead.")

    def __init__(self, fields: Iterable[str]) -> None:
        super().__init__()
        self.fields = tuple(dict.fromkeys(fields))

    def field_messages(self, translate: Callable[..., str] = in_english) -> dict[str, list[str]]:
        return {name: [self.message(translate)] for name in self.fields}


class NotReviewed(Conflict):
    """Goods that the county has not approved yet are on no shelf."""

    code = "not_reviewed"
    text = N_("The county has to look at these goods first.")


@dataclass(frozen=True)
class NewGoods:
    """Goods to be written: what the schema loaded, with the places it names looked up."""

    values: Mapping[str, Any]
    category_id: int
    village_id: int
    state: str
    photo_id: int | None = None


def create_product(values: Mapping[str, Any], supplier_id: int, by: Visitor | None, *, photo: StoredFile | None = None,
                   certified: bool = False) -> Product:
    """List new goods; `values` as NewProductSchema loads them. Raises InvalidInput for an unknown category or village.

    The plain verb, without any check: what a co-operative lists itself comes in by `review.listing.submit`.
    `certified` comes from those who check certificates, never from the co-operative itself.
    """
    columns = _columns(values)
    product = Product(supplier_id=supplier_id, created_at=clock.now(), price_fen=values["price_fen"], state="listed",
                      certified=certified, papers_until=validity.of_one(supplier_id, columns["category_id"]), **columns)
    if photo is not None:
        product.photo_id = photo.id
    db.session().add(product)
    db.session().flush()
    _note_price(product, by)
    note_change([product.id])
    journal.record("product.created", "product", product.id, by, price_fen=product.price_fen, **_told(product))
    return product


def create_many(goods: Sequence[NewGoods], supplier_id: int, by: Visitor | None) -> list[int]:
    """Write many goods in a fixed number of statements; returns their ids in the same order."""
    now, until = clock.now(), validity.of_new(supplier_id, [one.category_id for one in goods])
    ids = db.insert_returning_ids(Product, [
        {"supplier_id": supplier_id, "created_at": now, "price_fen": one.values["price_fen"], "state": one.state,
         "certified": False, "photo_id": one.photo_id, "category_id": one.category_id, "village_id": one.village_id,
         "papers_until": until[one.category_id], **said(one.values)} for one in goods])
    db.insert_rows(ProductPrice, [
        {"product_id": product_id, "price_fen": one.values["price_fen"], "valid_from": now,
         "set_by": by.id if by else None} for product_id, one in zip(ids, goods, strict=True)])
    note_change(ids)
    journal.record_many([
        ("product.created", "product", product_id,
         {"price_fen": one.values["price_fen"], "state": one.state, "name": one.values["name"]})
        for product_id, one in zip(ids, goods, strict=True)], by)
    return ids


def own_product(product_id: int, supplier_id: int | None) -> Product:
    """A product of this co-operative, locked for this transaction. Raises NotFound for anybody else's."""
    found = db.session().scalar(
        select(Product).where(Product.id == product_id, Product.supplier_id == supplier_id)
        .with_for_update().execution_options(populate_existing=True)
    )
    if found is None:
        raise NotFound()
    return found


def change_product(product: Product, values: Mapping[str, Any], by: Visitor | None,
                   photo: StoredFile | None = None) -> None:
    """Say something else about goods; price and state have verbs of their own. Orders keep what they copied.

    Raises AlreadyCounted for another supply, unit or weight once there are lots or days in the old one.
    """
    before, columns = _told(product), _columns(values)
    recounted = [name for name in COUNTED_IN if columns[name] != getattr(product, name)]
    if recounted and is_counted(product.id):
        raise AlreadyCounted(COUNTED_IN[name] for name in recounted)
    if columns["category_id"] != product.category_id:  # other goods need other papers
        product.papers_until = validity.of_one(product.supplier_id, columns["category_id"], product.id)
    for name, value in columns.items():
        setattr(product, name, value)
    if photo is not None:
        product.photo_id = photo.id
    db.session().flush()
    note_change([product.id])
    journal.record("product.changed", "product", product.id, by, before=before, after=_told(product))


def is_counted(product_id: int) -> bool:
    """Whether goods have a lot or a day of their own; an order leaves one or the other behind."""
    return bool(db.session().scalar(select(
        exists().where(Lot.product_id == product_id) | exists().where(Availability.product_id == product_id))))


def set_price(product: Product, price_fen: int, by: Visitor | None) -> None:
    """Another price (fen per sales unit, at least 1) from now on; the history keeps the old one."""
    if price_fen == product.price_fen:
        return
    before, product.price_fen = product.price_fen, price_fen
    db.session().flush()
    _note_price(product, by)
    note_change([product.id])
    journal.record("product.priced", "product", product.id, by, before=before, after=price_fen)


def set_state(product: Product, state: str, by: Visitor | None) -> None:
    """Put goods on the shelf ('listed') or take them off ('hidden'); orders already placed go on.

    Raises NotReviewed for goods that wait for the county or were sent back.
    """
    if product.state not in ("listed", "hidden"):
        raise NotReviewed()
    move_to(product, state, by)


def move_to(product: Product, state: str, by: Visitor | None) -> None:
    """Another state, whatever it was; who may do it is for the caller to know."""
    if state == product.state:
        return
    product.state = state
    db.session().flush()
    note_change([product.id])
    journal.record("product." + state, "product", product.id, by)


def set_availability(product: Product, days: Sequence[tuple[date, int]], by: Visitor | None) -> None:
    """What days yield, in thousandths of the sales unit. Raises BelowPromised where orders already hold more."""
    wanted = dict(days)
    if not wanted:
        return
    db.session().execute(db.insert_new(Availability), [
        {"product_id": product.id, "day": day, "capacity_milli": milli, "held_milli": 0}
        for day, milli in sorted(wanted.items())
    ])
    for day, milli in sorted(wanted.items()):
        _change_day(product.id, day, milli)
    journal.record("product.availability", "product", product.id, by,
                   days={day.isoformat(): milli for day, milli in wanted.items()})


def _change_day(product_id: int, day: date, milli: int) -> None:
    """One conditional UPDATE: never under what is held, whoever orders at the same moment."""
    changed = db.session().execute(
        update(Availability).where(Availability.product_id == product_id, Availability.day == day,
                                   Availability.held_milli <= milli).values(capacity_milli=milli)
        .execution_options(synchronize_session=False)
    )
    if changed.rowcount != 1:  # type: ignore[attr-defined]
        held = db.session().scalar(select(Availability.held_milli).where(
            Availability.product_id == product_id, Availability.day == day)) or 0
        raise BelowPromised(held=money.plain_decimal(held), day=day.isoformat())


def follow_village(old_id: int, new_id: int) -> None:
    """A village has become another one: goods listed there grow in the new one; orders keep what they copied."""
    moved = db.session().scalars(
        update(Product).where(Product.village_id == old_id).values(village_id=new_id).returning(Product.id)
        .execution_options(synchronize_session=False))
    note_change(list(moved))


def note_change(product_ids: Iterable[int]) -> None:
    """Tell the search index, in this transaction, that these products read differently now."""
    db.insert_rows(ProductChange, [{"product_id": product_id} for product_id in product_ids])


def said(values: Mapping[str, Any]) -> dict[str, Any]:
    """The columns that follow from the values alone, without looking anything up."""
    return {name: values[name] for name in WRITTEN} | {
        "unit_en": UNITS_EN.get(values["unit"], ""), "by_weight": values["unit"] in WEIGHT_UNITS}


def _columns(values: Mapping[str, Any]) -> dict[str, Any]:
    """The columns that a co-operative writes, from what the schema loaded."""
    return said(values) | {
        "category_id": _id_of(select(Category.id).where(Category.code == values["category"]), "category"),
        "village_id": _id_of(select(Division.id).where(Division.code == values["village"], Division.level == "village",
                                                       Division.valid_to.is_(None)), "village"),
    }


def _id_of(query: Any, field: str) -> int:
    found = db.session().scalar(query)
    if found is None:
        raise InvalidInput({field: [N_("Please choose one of the list.")]})
    return int(found)


def _note_price(product: Product, by: Visitor | None) -> None:
    db.insert_rows(ProductPrice, [{
        "product_id": product.id, "price_fen": product.price_fen, "valid_from": clock.now(),
        "set_by": by.id if by else None,
    }])


def _told(product: Product) -> dict[str, Any]:
    return {name: getattr(product, name) for name in TOLD}
