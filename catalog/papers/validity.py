"""Until when goods have all their papers, and what they lack. `Product.papers_until` is kept here and nowhere else."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import and_, exists, func, or_, select, update
from sqlalchemy.orm import aliased

from catalog.models import FOR_GOOD, Category, Lot, Product, ProductChange
from catalog.papers.kinds import LOT, PRODUCT, SUPPLIER, Lack, Rule, needed
from catalog.papers.models import Paper
from market import clock, db
from market.parties import Organisation

NEVER = date(1970, 1, 1)  # the last day of a paper that there never was
OF_GOODS = (SUPPLIER, PRODUCT)

Held = Mapping[tuple[int, int | None, str], date]  # (supplier, product or None, kind): the last day


def recompute(supplier_id: int) -> None:
    """Write the last day on which each of a supplier's goods has its papers; the search index hears of what changed.

    Called whenever a paper is added or refused. The supplier's row is locked first: of two papers added at the same
    moment the second sees the first.
    """
    lock(supplier_id)
    changed: dict[date, list[int]] = defaultdict(list)
    for product_id, told, until in _goods(supplier_id):
        if told != until:
            changed[until].append(product_id)
    product = db.table(Product)
    for until, ids in sorted(changed.items()):
        db.session().execute(update(product).where(product.c.id.in_(sorted(ids))).values(papers_until=until))
    db.insert_rows(ProductChange, [{"product_id": one} for ids in changed.values() for one in ids])


def of_one(supplier_id: int, category_id: int, product_id: int | None = None) -> date:
    """The same for goods that are being listed (no product yet) or come under another category."""
    return of_new(supplier_id, [category_id], product_id)[category_id]


def of_new(supplier_id: int, category_ids: Iterable[int], product_id: int | None = None) -> dict[int, date]:
    """The same for many goods that are being listed, by category."""
    lock(supplier_id)
    codes, held = categories(), _held([supplier_id])
    return {key: _until(needed(codes[key], OF_GOODS), supplier_id, product_id, held) for key in set(category_ids)}


def lock(supplier_id: int) -> None:
    """Until the end of the transaction nobody else reckons this supplier's papers; orders go on."""
    db.session().execute(
        select(Organisation.id).where(Organisation.id == supplier_id).with_for_update(key_share=True))


def disagreeing() -> list[int]:
    """Ids of products whose `papers_until` is not what rules and papers say: the check of all this."""
    return [product_id for product_id, told, until in _goods() if told != until]


def categories() -> dict[int, frozenset[str]]:
    """By category: its code and those of all above it."""
    rows = {row.id: row for row in db.session().execute(select(Category.id, Category.code, Category.parent_id))}

    def chain(row: Any) -> Iterator[str]:
        yield row.code
        if row.parent_id is not None:
            yield from chain(rows[row.parent_id])

    return {key: frozenset(chain(row)) for key, row in rows.items()}


def lacks(product_ids: Sequence[int]) -> dict[int, list[Lack]]:
    """What goods lack today, by product id; goods with all their papers are left out. Three statements."""
    if not product_ids:
        return {}
    goods = db.session().execute(
        select(Product.id, Product.supplier_id, Product.category_id).where(Product.id.in_(product_ids))).all()
    held, codes, today = _held({row.supplier_id for row in goods}), categories(), clock.today()
    found = {}
    for row in goods:
        short = [Lack(rule.kind, rule.scope, None if last == NEVER else last)
                 for rule in needed(codes[row.category_id], OF_GOODS)
                 if (last := _last(rule, row.supplier_id, row.id, held)) < today]
        if short:
            found[row.id] = short
    return found


def own_lacks(supplier_id: int) -> list[Lack]:
    """What a supplier lacks today whatever it sells; one statement."""
    held, today = _held([supplier_id]), clock.today()
    return [Lack(rule.kind, rule.scope, None if last == NEVER else last)
            for rule in needed(frozenset(), (SUPPLIER,))
            if (last := _last(rule, supplier_id, None, held)) < today]


def lot_lacks(lot_ids: Sequence[int]) -> dict[int, list[Lack]]:
    """What lots lack today before they may be confirmed and shipped, by lot id. At most three statements."""
    if not lot_ids:
        return {}
    lots = db.session().execute(select(Lot.id, Product.category_id).join(Product, Product.id == Lot.product_id)
                                .where(Lot.id.in_(lot_ids)).order_by(Lot.id)).all()
    codes = categories()
    rules = {row.id: needed(codes[row.category_id], (LOT,)) for row in lots}
    asked = [lot_id for lot_id, some in rules.items() if some]
    if not asked:
        return {}
    there: dict[tuple[int | None, str], date] = {
        (row.lot_id, row.kind): row.last for row in db.session().execute(
            _counting(Paper.lot_id, Paper.kind).where(Paper.lot_id.in_(asked)).group_by(Paper.lot_id, Paper.kind))}
    today = clock.today()
    return {lot_id: short for lot_id in asked if (short := [
        Lack(rule.kind, rule.scope, there.get((lot_id, rule.kind))) for rule in rules[lot_id]
        if there.get((lot_id, rule.kind), NEVER) < today])}


def _goods(supplier_id: int | None = None) -> Iterator[tuple[int, date, date]]:
    """Goods (of one supplier, or all) with the last day that is written, and the one that should be."""
    query = select(Product.id, Product.supplier_id, Product.category_id, Product.papers_until).order_by(Product.id)
    if supplier_id is not None:
        query = query.where(Product.supplier_id == supplier_id)
    goods = db.session().execute(query).all()
    held = _held(None if supplier_id is None else [supplier_id])
    rules = {key: needed(codes, OF_GOODS) for key, codes in categories().items()}
    for row in goods:
        yield row.id, row.papers_until, _until(rules[row.category_id], row.supplier_id, row.id, held)


def _held(supplier_ids: Iterable[int] | None) -> Held:
    """The last day of every kind of paper that counts, by supplier and product."""
    query = (_counting(Paper.supplier_id, Paper.product_id, Paper.kind).where(Paper.lot_id.is_(None))
             .group_by(Paper.supplier_id, Paper.product_id, Paper.kind))
    if supplier_ids is not None:
        query = query.where(Paper.supplier_id.in_(sorted(supplier_ids)))
    return {(row.supplier_id, row.product_id, row.kind): row.last for row in db.session().execute(query)}


def counts(paper_id: int) -> bool:
    """Whether a paper counts today, or waits for the office because one like it was refused."""
    return db.session().scalar(select(Paper.id).where(Paper.id == paper_id, _counts())) is not None


def _counting(*columns: Any) -> Any:
    last = func.max(func.coalesce(Paper.valid_until, FOR_GOOD)).label("last")
    return select(*columns, last).where(_counts())


def _counts() -> Any:
    """A checked paper counts; an unchecked one, unless the office refused one like it and has checked none since."""
    return or_(Paper.state == "checked", and_(Paper.state == "unchecked", ~_refused_like_it()))


def _refused_like_it() -> Any:
    """That a paper of the same kind about the same thing was refused, and none of them was checked after that."""
    refused, checked = aliased(Paper), aliased(Paper)

    def alike(one: Any, other: Any) -> Any:
        return and_(one.supplier_id == other.supplier_id, one.kind == other.kind,
                    one.product_id.is_not_distinct_from(other.product_id),
                    one.lot_id.is_not_distinct_from(other.lot_id))

    checked_since = exists().where(alike(checked, refused), checked.state == "checked",
                                   checked.decided_at > refused.decided_at)
    return exists().where(alike(refused, Paper), refused.state == "refused", ~checked_since)


def _until(rules: Sequence[Rule], supplier_id: int, product_id: int | None, held: Held) -> date:
    return min((_last(rule, supplier_id, product_id, held) for rule in rules), default=FOR_GOOD)


def _last(rule: Rule, supplier_id: int, product_id: int | None, held: Held) -> date:
    if rule.scope == PRODUCT and product_id is None:
        return NEVER
    return held.get((supplier_id, product_id if rule.scope == PRODUCT else None, rule.kind), NEVER)
