"""How goods come in: one way for form, program and spreadsheet. It checks them and decides where they stand.

Declared, and shown on the forms: goods whose price lies inside the band of the reference price and that raise no
finding are on the shelf at once, all others wait for the county. An edit of a name, shelf, village, unit, weight, photo
or price is looked at in the same way; a price that is not higher than the approved one needs no reference. While an
edit waits, canteens go on buying the goods as they were approved. Verbs flush, edges commit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from catalog import products
from catalog.models import Category, Product
from catalog.products import NewGoods
from catalog.review import checks, pictures, rules
from catalog.review import ground as grounds
from catalog.review.checks import Incoming, Photo, RowsRefused, Voucher
from catalog.review.ground import Ground
from catalog.review.models import ListingReview, PriceVoucher
from catalog.review.rules import Finding
from market import clock, db, journal
from market.access import Visitor
from market.errors import InvalidInput
from market.files import StoredFile
from market.places import Division

MOST_ROWS = 5_000
LOOKED_AT = ("name", "aliases", "category", "village", "unit", "grams_per_unit")


@dataclass(frozen=True)
class Outcome:
    """Where goods stand now: 'listed' or 'waiting', and what was found."""

    product_id: int
    state: str
    findings: Sequence[Finding]


def submit(incoming: Incoming, supplier_id: int, by: Visitor | None) -> Outcome:
    """One new product. Raises InvalidInput with each refused word named at its field."""
    try:
        return submit_many([incoming], supplier_id, by)[0]
    except RowsRefused as refusal:
        raise InvalidInput({name: list(messages) for name, messages in refusal.rows[0].items()}) from refusal


def submit_many(incoming: Sequence[Incoming], supplier_id: int, by: Visitor | None) -> list[Outcome]:
    """Up to 5,000 new products, all or nothing. The number of statements is fixed, but for one more with each photo
    (and on SQLite one for each new id).

    Raises RowsRefused; `refusals` gives the same messages without writing, for a preview.
    """
    if not 0 < len(incoming) <= MOST_ROWS:
        raise ValueError("1 to 5,000 rows")
    ground = grounds.of(supplier_id, {one.values["village"] for one in incoming})
    refused = checks.refusals([one.values for one in incoming], ground)
    if refused:
        raise RowsRefused(refused)
    found = []
    for one in incoming:
        found.append(rules.findings(checks.goods_of(one, ground)))
        ground.add(one.values["name"], one.values["unit"])
    states = ["waiting" if some else "listed" for some in found]
    ids = products.create_many([
        NewGoods(one.values, ground.categories[one.values["category"]].id, ground.villages[one.values["village"]].id,
                 state, one.photo.file.id if one.photo else None)
        for one, state in zip(incoming, states, strict=True)], supplier_id, by)
    _note_vouchers([(i, one.voucher) for i, one in zip(ids, incoming, strict=True) if one.voucher], by)
    for one in incoming:
        if one.photo and one.photo.look is not None:
            pictures.note(one.photo.file.id, one.photo.look)
    note_reviews([(i, "new", some, None) for i, some in zip(ids, found, strict=True)], by)
    return [Outcome(i, state, some) for i, state, some in zip(ids, states, found, strict=True)]


def refusals(rows: Sequence[Mapping[str, Any]], supplier_id: int) -> dict[int, dict[str, list[Any]]]:
    """What keeps rows from coming in, by index and field; empty where all may. Writes nothing."""
    return checks.refusals(rows, grounds.of(supplier_id, {row["village"] for row in rows}))


def change(product: Product, values: Mapping[str, Any], by: Visitor | None, photo: Photo | None = None,
           voucher: Voucher | None = None) -> Outcome:
    """What a co-operative says now about its goods; `values` as ProductSchema loads them, `price_fen` where it is said.

    The caller holds the product's row. Raises InvalidInput for a refused word.
    """
    ground = _ground_of(product, values)
    if voucher is not None:
        _note_vouchers([(product.id, voucher)], by)
    if photo is not None and photo.look is not None:
        pictures.note(photo.file.id, photo.look)
    wanted = {**values, "price_fen": values.get("price_fen") or wanted_price(product)}
    if product.state in ("waiting", "returned"):
        return _again(product, wanted, ground, by, photo)
    return _edit(product, wanted, ground, by, photo)


def _ground_of(product: Product, values: Mapping[str, Any]) -> Ground:
    """What an edit is seen against. Raises InvalidInput for a refused word."""
    ground = grounds.of(product.supplier_id, {values["village"]})
    refused = checks.refusals([values], ground)
    if refused:
        raise InvalidInput({name: list(messages) for name, messages in refused[0].items()})
    return ground


def change_price(product: Product, price_fen: int, by: Visitor | None, voucher: Voucher | None = None) -> Outcome:
    """Another price, all else as it is (or as it waits)."""
    return change(product, {**said_now(product), **(_pending(product.id) or {}), "price_fen": price_fen}, by,
                  voucher=voucher)


def show(product: Product, by: Visitor | None) -> Outcome:
    """Hidden goods back on the shelf; where the same goods stand there by now, the county looks at them first.

    Raises NotReviewed, InvalidInput for a refused word in an edit that waits.
    """
    if product.state != "hidden" or not _has_like_on_the_shelf(product):
        products.set_state(product, "listed", by)
        return Outcome(product.id, product.state, [])
    wanted = {**said_now(product), "price_fen": product.price_fen, **(_pending(product.id) or {})}
    ground, photo = _ground_of(product, wanted), _pending_photo(product.id)
    products.move_to(product, "waiting", by)
    return _again(product, wanted, ground, by, photo)


def _has_like_on_the_shelf(product: Product) -> bool:
    names = db.session().scalars(select(Product.name).where(
        Product.supplier_id == product.supplier_id, Product.state == "listed", Product.id != product.id))
    return rules.plain_name(product.name) in {rules.plain_name(name) for name in names}


def withdraw(product: Product, by: Visitor | None) -> None:
    """The co-operative no longer wants an edit that waits or was sent back; the goods stay as they were approved."""
    newest = newest_review(product.id)
    if newest is None or newest.kind != "edit" or newest.decision not in ("waiting", "returned"):
        return
    close_waiting([product.id], by, newest.id)
    journal.record("listing.withdrawn", "product", product.id, by)


# ---- what a product says now ----------------------------------------------------------------------------------------


def said_now(product: Product) -> dict[str, Any]:
    """A product's row as ProductSchema would load it."""
    session = db.session()
    return {
        **{name: getattr(product, name) for name in products.WRITTEN},
        "category": session.scalar(select(Category.code).where(Category.id == product.category_id)),
        "village": session.scalar(select(Division.code).where(Division.id == product.village_id)),
    }


def wanted_price(product: Product) -> int:
    """The price that waits for the county, else the one that holds."""
    pending = _pending(product.id)
    return int(pending["price_fen"]) if pending else product.price_fen


def newest_review(product_id: int) -> ListingReview | None:
    """The last submission of a product; None for goods that came in another way."""
    return db.session().scalar(select(ListingReview).where(ListingReview.product_id == product_id)
                               .order_by(ListingReview.id.desc()).limit(1)
                               .execution_options(populate_existing=True))


def _pending(product_id: int) -> Mapping[str, Any] | None:
    """What an edit that waits for the county wants."""
    newest = newest_review(product_id)
    return newest.proposed if newest and newest.decision == "waiting" else None


def _pending_photo(product_id: int) -> Photo | None:
    """The new photo that waits for the county, looked at once more with whatever is said now."""
    photo_id = (_pending(product_id) or {}).get("photo_id")
    return Photo(db.session().get_one(StoredFile, photo_id), pictures.look_kept(photo_id)) if photo_id else None


# ---- how an edit goes -----------------------------------------------------------------------------------------------


def _again(product: Product, wanted: Mapping[str, Any], ground: Ground, by: Visitor | None,
           photo: Photo | None) -> Outcome:
    """Goods that nobody can buy yet: what is said now simply takes the place of what was said before."""
    close_waiting([product.id], by)
    products.change_product(product, wanted, by, photo.file if photo else None)
    products.set_price(product, wanted["price_fen"], by)
    found = rules.findings(checks.goods_of(Incoming(wanted, photo), ground, product))
    state = "waiting" if found else "listed"
    products.move_to(product, state, by)
    note_reviews([(product.id, "new", found, None)], by)
    return Outcome(product.id, state, found)


def _edit(product: Product, wanted: Mapping[str, Any], ground: Ground, by: Visitor | None,
          photo: Photo | None) -> Outcome:
    """Goods that were approved: at once where nothing is found, else they stay as they are until the county decides."""
    photo = photo or _pending_photo(product.id)
    before = {**said_now(product), "price_fen": product.price_fen}
    looked_at = [name for name in (*LOOKED_AT, "price_fen") if wanted[name] != before[name]]
    if not looked_at and photo is None:
        close_waiting([product.id], by)
        products.change_product(product, wanted, by)
        return Outcome(product.id, product.state, [])
    refuse_another_count(product, wanted)
    found = rules.findings(checks.goods_of(Incoming(wanted, photo), ground, product))
    close_waiting([product.id], by)
    new_photo = photo.file.id if photo else None
    if found:
        proposed = {**{name: wanted[name] for name in before}, "photo_id": new_photo}
        note_reviews([(product.id, "edit", found, proposed)], by)
        return Outcome(product.id, "waiting", found)
    apply(product, wanted, new_photo, by)
    note_reviews([(product.id, "edit", [], None)], by)
    return Outcome(product.id, product.state, [])


def refuse_another_count(product: Product, wanted: Mapping[str, Any]) -> None:
    """Raises AlreadyCounted now rather than when the county approves."""
    changed = {products.COUNTED_IN[name] for name in ("supply", "unit", "grams_per_unit")
               if wanted[name] != getattr(product, name)}
    if changed and products.is_counted(product.id):
        raise products.AlreadyCounted(sorted(changed))


def apply(product: Product, wanted: Mapping[str, Any], photo_id: int | None, by: Visitor | None) -> None:
    """Let an edit hold from now on."""
    photo = db.session().get(StoredFile, photo_id) if photo_id else None
    products.change_product(product, wanted, by, photo)
    products.set_price(product, wanted["price_fen"], by)


# ---- rows -----------------------------------------------------------------------------------------------------------


def note_reviews(rows: Sequence[tuple[int, str, Sequence[Finding], Mapping[str, Any] | None]],
                  by: Visitor | None) -> None:
    """Keep (product id, kind, findings, what is proposed): with findings it waits, without it is published."""
    now = clock.now()
    db.insert_rows(ListingReview, [{
        "product_id": product_id, "kind": kind, "findings": [one.as_plain() for one in found], "proposed": proposed,
        "submitted_by": by.id if by else None, "submitted_at": now, "decision": "waiting" if found else "published",
        "decided_by": None, "decided_at": None if found else now, "reasons": [], "remark": "",
    } for product_id, kind, found, proposed in rows])
    journal.record_many([
        ("listing.submitted" if found else "listing.published", "product", product_id,
         {"kind": kind, "findings": [one.code for one in found]}) for product_id, kind, found, _proposed in rows], by)


def close_waiting(product_ids: Sequence[int], by: Visitor | None, returned_id: int | None = None) -> None:
    """What waited is taken back by a later submission; or one that was sent back is given up."""
    review = db.table(ListingReview)
    which = (review.c.id == returned_id) if returned_id else (review.c.decision == "waiting")
    db.session().execute(
        review.update().where(review.c.product_id.in_(product_ids), which)
        .values(decision="withdrawn", decided_at=clock.now(), decided_by=by.id if by else None))


def _note_vouchers(given: Sequence[tuple[int, Voucher]], by: Visitor | None) -> None:
    db.insert_rows(PriceVoucher, [{
        "product_id": product_id, "link": one.link, "file_id": one.file.id if one.file else None,
        "given_by": by.id if by else None, "given_at": clock.now(),
    } for product_id, one in given if one.link or one.file])
