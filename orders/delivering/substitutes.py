"""What may be sent instead of a good, where the buyer allowed it: another of the kind, not dearer, same seller."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import and_, or_, select, update

from catalog.models import Category, Product
from catalog.on_sale import on_sale
from market import db
from market.errors import N_, Conflict
from market.parties import Organisation
from orders.models import OrderLine

SAME = ("unit", "grams_per_unit", "by_weight", "certified")  # so that quantity, price and report mean the same


class OneGoodPerLine(Conflict):
    """A line is filled with what was ordered or with one other good."""

    code = "one_good_per_line"
    text = N_("%(name)s: pack either the good itself or one other instead.")


def allowed(lines: Iterable[Any], supplier_id: int) -> dict[int, dict[int, Any]]:
    """Goods on sale that may be sent instead, {order line id: {product id: its id, name, name_en}}; one statement."""
    open_lines = [line for line in lines if line.substitute_ok]
    found: dict[int, dict[int, Any]] = defaultdict(dict)
    if not open_lines:
        return found
    product, category = db.table(Product).c, db.table(Category).c
    fits = or_(*(and_(product.id != line.product_id, category.code == line.category,
                      product.price_fen <= line.price_fen, *(product[name] == getattr(line, name) for name in SAME))
                 for line in open_lines))
    rows = db.session().execute(
        select(product.id, product.name, product.name_en, product.price_fen, category.code.label("category"),
               *(product[name] for name in SAME))
        .join_from(db.table(Product), db.table(Category), category.id == product.category_id)
        .join(db.table(Organisation), db.table(Organisation).c.id == product.supplier_id)
        .where(product.supplier_id == supplier_id, on_sale(), fits).order_by(product.name, product.id)).all()
    for line in open_lines:
        found[line.id] = {row.id: row for row in rows if _fits(row, line)}
    return found


def _fits(row: Any, line: Any) -> bool:
    return (row.id != line.product_id and row.category == line.category and row.price_fen <= line.price_fen
            and all(getattr(row, name) == getattr(line, name) for name in SAME))


def note(lines: Mapping[int, OrderLine], packed: Mapping[int, set[int]],
         goods: Mapping[int, Mapping[int, Any]]) -> None:
    """Keep on each line what was packed instead, {line id: product ids of its lots}; what was ordered stays there.

    Raises OneGoodPerLine where a line's lots hold several goods.
    """
    for line_id, products in sorted(packed.items()):
        line = lines[line_id]
        if len(products) > 1:
            raise OneGoodPerLine(name=line.product_name)
        product_id = next(iter(products))
        if product_id != line.product_id:
            other = goods[line_id][product_id]
            db.session().execute(update(OrderLine).where(OrderLine.id == line_id, OrderLine.substitute_ok.is_(True))
                                 .values(substitute_product_id=other.id, substitute_name=other.name,
                                         substitute_name_en=other.name_en))
