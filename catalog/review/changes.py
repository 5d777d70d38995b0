"""Edits by the table: what listing.change does for one product, for thousands of them in a fixed number of statements.

The rules are the same ones (rules.findings over the same Ground); only looking things up and writing is done at once.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, func, select, update

from catalog import products
from catalog.models import Category, Product, ProductPrice
from catalog.papers import validity
from catalog.review import listing, pictures, rules
from catalog.review.ground import Ground
from catalog.review.listing import LOOKED_AT, Outcome
from catalog.review.models import ListingReview, PriceVoucher
from catalog.review.rules import Finding, Goods, Like
from market import clock, db, journal, money
from market.access import Visitor
from market.files import StoredFile
from market.places import Division

SAID = (*products.WRITTEN, "category", "village", "price_fen")


@dataclass(frozen=True)
class Known:
    """Goods as they stand. `said` is what the co-operative says now: the row, or the edit that waits over it."""

    row: Any  # the product's columns, with the codes of shelf and village
    said: Mapping[str, Any]
    photo_id: int | None  # of the edit that waits
    has_voucher: bool
    was_returned: bool

    @property
    def approved(self) -> Mapping[str, Any]:
        return {name: getattr(self.row, name) for name in SAID}

    @property
    def is_approved(self) -> bool:
        return self.row.state in ("listed", "hidden")


@dataclass(frozen=True)
class Edit:
    """What is wanted of goods: all of it, as ProductSchema loads it, with the price."""

    known: Known
    wanted: Mapping[str, Any]

    @property
    def is_looked_at(self) -> bool:
        approved = self.known.approved
        return self.known.photo_id is not None or any(
            self.wanted[name] != approved[name] for name in (*LOOKED_AT, "price_fen"))


def known_goods(supplier_id: int, lock: bool) -> list[Known]:
    """All goods of a co-operative, in four statements; `lock` holds their rows until the transaction ends."""
    product, category, village = db.table(Product), db.table(Category), db.table(Division)
    review, voucher = db.table(ListingReview), db.table(PriceVoucher)
    query = (select(product, category.c.code.label("category"), village.c.code.label("village"))
             .join_from(product, category, category.c.id == product.c.category_id)
             .join(village, village.c.id == product.c.village_id)
             .where(product.c.supplier_id == supplier_id).order_by(product.c.id))
    rows = db.session().execute(query.with_for_update(of=product) if lock else query).all()
    own = select(product.c.id).where(product.c.supplier_id == supplier_id)
    waiting = {row.product_id: row.proposed for row in db.session().execute(
        select(review.c.product_id, review.c.proposed)
        .where(review.c.product_id.in_(own), review.c.kind == "edit", review.c.decision == "waiting"))}
    vouchers = set(db.session().scalars(select(voucher.c.product_id).where(voucher.c.product_id.in_(own)).distinct()))
    last: dict[int, dict[str, int]] = defaultdict(dict)
    for found in db.session().execute(
            select(review.c.product_id, review.c.decision, func.max(review.c.id).label("last"))
            .where(review.c.product_id.in_(own)).group_by(review.c.product_id, review.c.decision)):
        last[found.product_id][found.decision] = found.last
    return [_known(row, waiting.get(row.id), row.id in vouchers, last[row.id]) for row in rows]


def _known(row: Any, waiting: Mapping[str, Any] | None, has_voucher: bool, last: Mapping[str, int]) -> Known:
    said = {name: getattr(row, name) for name in SAID}
    returned, good = last.get("returned", 0), max(last.get("approved", 0), last.get("published", 0))
    return Known(row, {**said, **{name: waiting[name] for name in SAID if name in waiting}} if waiting else said,
                 waiting.get("photo_id") if waiting else None, has_voucher,
                 row.state in ("waiting", "returned") and returned > good)


def findings(edit: Edit, ground: Ground) -> list[Finding]:
    """What the county should look at; nothing where an edit touches nothing that is looked at."""
    known, wanted = edit.known, edit.wanted
    row, approved = known.row, known.is_approved
    if approved and not edit.is_looked_at:
        return []
    return rules.findings(Goods(
        name=wanted["name"], shelf=ground.shelf(wanted["category"]), unit=wanted["unit"],
        grams_per_unit=wanted["grams_per_unit"], price_fen=wanted["price_fen"], reference=ground.reference(wanted),
        has_voucher=known.has_voucher,
        own_village=wanted["village"] in ground.own_villages or (approved and wanted["village"] == row.village),
        approved_fen_per_kg=money.price_of_kg(row.price_fen, row.grams_per_unit) if approved else None,
        same_goods=() if approved and wanted["name"] == row.name else ground.same_goods(wanted, row.id),
        same_picture=_same_picture(known),
        was_returned=known.was_returned))


def _same_picture(known: Known) -> Sequence[Like]:
    """A photo that waits is looked at, and one of goods that nobody has approved."""
    photo_id = known.photo_id or (None if known.is_approved else known.row.photo_id)
    if photo_id is None:
        return ()
    kept = db.session().get_one(StoredFile, photo_id)
    return pictures.alike(kept.id, kept.sha256, pictures.look_kept(kept.id), known.row.id)


def change_many(edits: Sequence[Edit], ground: Ground, by: Visitor | None) -> list[Outcome]:
    """Let each edit hold, or wait for the county. The caller holds the rows and has refused what may not be said."""
    found = [findings(edit, ground) for edit in edits]
    _close_waiting({edit.known.row.id for edit in edits}, by)
    states = [_state_after(edit, some) for edit, some in zip(edits, found, strict=True)]
    _write([(edit, state) for edit, state, some in zip(edits, states, found, strict=True)
            if not (edit.known.is_approved and some)], ground, by)
    listing.note_reviews([
        (edit.known.row.id, "edit" if edit.known.is_approved else "new", some, _proposed(edit, some))
        for edit, some in zip(edits, found, strict=True) if edit.is_looked_at or not edit.known.is_approved], by)
    return [Outcome(edit.known.row.id, "waiting" if some else state, some)
            for edit, state, some in zip(edits, states, found, strict=True)]


def _state_after(edit: Edit, found: Sequence[Finding]) -> str:
    if edit.known.is_approved:
        return str(edit.known.row.state)
    return "waiting" if found else "listed"


def _proposed(edit: Edit, found: Sequence[Finding]) -> dict[str, Any] | None:
    if not (edit.known.is_approved and found):
        return None
    return {**{name: edit.wanted[name] for name in SAID}, "photo_id": edit.known.photo_id}


def _close_waiting(product_ids: Collection[int], by: Visitor | None) -> None:
    """What waited is taken back by the later submission."""
    review = db.table(ListingReview)
    db.session().execute(
        review.update().where(review.c.product_id.in_(product_ids), review.c.decision == "waiting")
        .values(decision="withdrawn", decided_at=clock.now(), decided_by=by.id if by else None))


def _write(rows: Sequence[tuple[Edit, str]], ground: Ground, by: Visitor | None) -> None:
    """What holds from now on, with prices, history and the index's news."""
    if not rows:
        return
    columns = [_columns(edit, state, ground) for edit, state in rows]
    product = db.table(Product)
    db.session().execute(
        update(product).where(product.c.id == bindparam("which"))
        .values({name: bindparam("to_" + name) for name in columns[0]}),
        [{"which": edit.known.row.id, **{"to_" + name: value for name, value in one.items()}}
         for (edit, _state), one in zip(rows, columns, strict=True)])
    now = clock.now()
    db.insert_rows(ProductPrice, [
        {"product_id": edit.known.row.id, "price_fen": edit.wanted["price_fen"], "valid_from": now,
         "set_by": by.id if by else None} for edit, _state in rows
        if edit.wanted["price_fen"] != edit.known.row.price_fen])
    if any(one["category_id"] != edit.known.row.category_id for (edit, _state), one in zip(rows, columns, strict=True)):
        validity.recompute(rows[0][0].known.row.supplier_id)  # other shelves ask for other papers
    products.note_change([edit.known.row.id for edit, _state in rows])
    journal.record_many([act for (edit, _state), one in zip(rows, columns, strict=True) for act in _acts(edit, one)],
                        by)


def _columns(edit: Edit, state: str, ground: Ground) -> dict[str, Any]:
    wanted = edit.wanted
    return {**products.said(wanted), "category_id": ground.categories[wanted["category"]].id,
            "village_id": ground.villages[wanted["village"]].id, "price_fen": wanted["price_fen"], "state": state,
            "photo_id": edit.known.photo_id or edit.known.row.photo_id}


def _acts(edit: Edit, columns: Mapping[str, Any]) -> list[tuple[str, str, int | str, dict[str, Any]]]:
    row, acts = edit.known.row, list[tuple[str, str, int | str, dict[str, Any]]]()
    if any(getattr(row, name) != value for name, value in columns.items() if name not in ("price_fen", "state")):
        acts.append(("product.changed", "product", row.id,
                     {"before": {name: getattr(row, name) for name in products.TOLD},
                      "after": {name: columns[name] for name in products.TOLD}}))
    if row.price_fen != columns["price_fen"]:
        acts.append(("product.priced", "product", row.id, {"before": row.price_fen, "after": columns["price_fen"]}))
    if row.state != columns["state"]:
        acts.append(("product." + columns["state"], "product", row.id, {}))
    return acts
