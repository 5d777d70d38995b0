"""Rows of a spreadsheet by the same rule as the forms, in a fixed number of statements for thousands of them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import select

from catalog.models import Product
from catalog.review import checks, listing, rules
from catalog.review import ground as grounds
from catalog.review.models import PriceVoucher
from catalog.review.rules import Finding, Goods
from market import db, money
from market.access import Visitor
from market.places import Division

APPROVED = ("listed", "hidden")
LOOKED_AT = ("name", "category_id", "village_id", "unit", "grams_per_unit", "price_fen")  # columns of a product

Row = tuple[Mapping[str, Any], Any]  # the columns as they would be, and the product's row where it is known


def faults(values: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """(field, message, word) of each refused word in a row."""
    return [(field, (checks.RefusedWord if kind == "pity" else checks.SpecialWord).text, word)
            for field, (kind, word) in rules.refused_words(values).items()]


def judge(rows: Sequence[Row], supplier_id: int) -> list[list[Finding]]:
    """What the county should look at, row by row; nothing for known goods of which nothing is changed that counts."""
    if not rows:
        return []
    ids = {columns["village_id"] for columns, _known in rows}
    codes = {row.id: row.code for row in db.session().execute(
        select(Division.id, Division.code).where(Division.id.in_(sorted(ids))))}
    ground = grounds.of(supplier_id, set(codes.values()))
    categories = {row.id: code for code, row in ground.categories.items()}
    vouched = set(db.session().scalars(select(PriceVoucher.product_id).join(
        Product, Product.id == PriceVoucher.product_id).where(Product.supplier_id == supplier_id)))
    found: list[list[Finding]] = []
    for columns, known in rows:
        values = {**columns, "category": categories[columns["category_id"]], "village": codes[columns["village_id"]]}
        if known is not None and known.state in APPROVED and not _is_looked_at(columns, known):
            found.append([])
            continue
        found.append(rules.findings(_goods(values, known, ground, vouched)))
        if known is None:
            ground.add(values["name"], values["unit"])
    return found


def _is_looked_at(columns: Mapping[str, Any], known: Any) -> bool:
    return any(columns[name] != getattr(known, name) for name in LOOKED_AT)


def _goods(values: Mapping[str, Any], known: Any, ground: grounds.Ground, vouched: set[int]) -> Goods:
    approved = known is not None and known.state in APPROVED
    return Goods(
        name=values["name"], shelf=ground.shelf(values["category"]), unit=values["unit"],
        grams_per_unit=values["grams_per_unit"], price_fen=values["price_fen"], reference=ground.reference(values),
        has_voucher=known is not None and known.id in vouched,
        own_village=values["village"] in ground.own_villages or (approved and values["village_id"] == known.village_id),
        approved_fen_per_kg=money.price_of_kg(known.price_fen, known.grams_per_unit) if approved else None,
        same_goods=() if approved and values["name"] == known.name
        else ground.same_goods(values, known.id if known else None),
        was_returned=known is not None and known.state == "returned")


def state_after(known: Any, found: Sequence[Finding]) -> str:
    """Where goods stand once a row is written: approved ones stay, others wait where anything was found."""
    if known is not None and known.state in APPROVED:
        return str(known.state)
    return "waiting" if found else "listed"


def is_held_back(known: Any, found: Sequence[Finding]) -> bool:
    """Whether a change of approved goods waits for the county instead of being written."""
    return known is not None and known.state in APPROVED and bool(found)


def note(rows: Iterable[tuple[int, Mapping[str, Any], Any, Sequence[Finding]]], by: Visitor | None) -> None:
    """Keep (product id, columns, known row, findings) as submissions, in the place of what waited."""
    rows = [row for row in rows if row[2] is None or row[2].state not in APPROVED or row[3]]
    if not rows:
        return
    codes = {row.id: row.code for row in db.session().execute(select(Division.id, Division.code).where(
        Division.id.in_({columns["village_id"] for _i, columns, _k, _f in rows})))}
    categories = grounds.category_codes()
    listing.close_waiting([product_id for product_id, _columns, known, _found in rows if known is not None], by)
    listing.note_reviews([
        (product_id, "edit", found, {
            **{name: value for name, value in columns.items() if name in listing.PROPOSED},
            "category": categories[columns["category_id"]], "village": codes[columns["village_id"]], "photo_id": None})
        if is_held_back(known, found) else (product_id, "new", found, None)
        for product_id, columns, known, found in rows], by)
