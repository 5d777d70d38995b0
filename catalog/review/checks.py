"""The checks over rows of the database: what refuses goods, and what the county should look at."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import exists, func, select

from catalog.models import Product
from catalog.review import pictures, rules
from catalog.review.ground import Ground
from catalog.review.models import ListingReview, PriceVoucher
from catalog.review.rules import Goods, Like
from market import db, money
from market.errors import N_, InvalidInput, MarketError, in_english
from market.files import StoredFile


class RefusedWord(MarketError):
    """A word that goods are not advertised with; named, so that it can be found and mended."""

    status = 422
    code = "refused_word"
    text = N_("“%(word)s”: please leave this word out. Say what is good about the goods; nobody is to buy out of pity.")


class SpecialWord(RefusedWord):
    text = N_("“%(word)s”: please leave this word out. All canteens buy the same goods at the same price.")


class RowsRefused(MarketError):
    """Some rows cannot come in as they are; nothing has been written. `rows` is {index: {field: messages}}."""

    status = 422
    code = "rows_refused"
    text = N_("Some rows need mending. Nothing has been saved yet.")

    def __init__(self, rows: Mapping[int, Mapping[str, list[Any]]]) -> None:
        super().__init__()
        self.rows = rows

    def field_messages(self, translate: Callable[..., str] = in_english) -> dict[str, list[str]]:
        return {f"rows-{index}-{name}": InvalidInput({name: messages}).field_messages(translate)[name]
                for index, fields in self.rows.items() for name, messages in fields.items()}


@dataclass(frozen=True)
class Photo:
    """A stored photo and what it looks like."""

    file: StoredFile
    look: int | None


@dataclass(frozen=True)
class Voucher:
    """Why a price is fair: an address as text, or a stored paper."""

    link: str = ""
    file: StoredFile | None = None


@dataclass(frozen=True)
class Incoming:
    """Goods as a co-operative says them; `values` as NewProductSchema loads them."""

    values: Mapping[str, Any]
    photo: Photo | None = None
    voucher: Voucher | None = None


def refusals(rows: Sequence[Mapping[str, Any]], ground: Ground) -> dict[int, dict[str, list[Any]]]:
    """What keeps rows from coming in: refused words, named at their field, and shelves and villages that are not."""
    refused: dict[int, dict[str, list[Any]]] = {}
    for index, values in enumerate(rows):
        fields: dict[str, list[Any]] = {}
        for name, (kind, word) in rules.refused_words(values).items():
            fields[name] = [RefusedWord(word=word) if kind == "pity" else SpecialWord(word=word)]
        for name, known in (("category", ground.categories), ("village", ground.villages)):
            if values[name] not in known:
                fields[name] = [N_("Please choose one of the list.")]
        if fields:
            refused[index] = fields
    return refused


def goods_of(one: Incoming, ground: Ground, product: Product | None = None) -> Goods:
    """What the checks look at. Goods that were approved and keep village, name or photo are not asked it again."""
    values = one.values
    approved = product is not None and product.state in ("listed", "hidden")
    return Goods(
        name=values["name"], shelf=ground.shelf(values["category"]), unit=values["unit"],
        grams_per_unit=values["grams_per_unit"], price_fen=values["price_fen"], reference=ground.reference(values),
        has_voucher=one.voucher is not None or (product is not None and has_voucher(product.id)),
        own_village=values["village"] in ground.own_villages or (
            approved and product is not None and ground.villages[values["village"]].id == product.village_id),
        approved_fen_per_kg=money.price_of_kg(product.price_fen, product.grams_per_unit)
        if approved and product is not None else None,
        same_goods=() if approved and product is not None and values["name"] == product.name
        else ground.same_goods(values, product.id if product else None),
        same_picture=_same_picture(one.photo, product), was_returned=product is not None and _was_returned(product))


def _same_picture(photo: Photo | None, product: Product | None) -> Sequence[Like]:
    if photo is not None:
        return pictures.alike(photo.file.id, photo.file.sha256, photo.look, product.id if product else None)
    if product is None or product.photo_id is None or product.state in ("listed", "hidden"):
        return ()
    kept = db.session().get_one(StoredFile, product.photo_id)
    return pictures.alike(kept.id, kept.sha256, pictures.look_kept(kept.id), product.id)


def has_voucher(product_id: int) -> bool:
    """Whether a price voucher was ever given."""
    return bool(db.session().scalar(select(exists().where(PriceVoucher.product_id == product_id))))


def _was_returned(product: Product) -> bool:
    """Whether the county sent these goods back and nobody has approved them since."""
    last = select(func.max(ListingReview.id)).where(ListingReview.product_id == product.id)
    returned = db.session().scalar(last.where(ListingReview.decision == "returned")) or 0
    good = db.session().scalar(last.where(ListingReview.decision.in_(("approved", "published")))) or 0
    return product.state in ("waiting", "returned") and returned > good
