"""What a unit calls its goods, learned from what its people choose; and how it usually has things delivered."""

from collections.abc import Sequence

from sqlalchemy import select

from market import clock, db, journal
from market.access import Visitor
from orders.buying import cart, lists
from orders.models import Purchase
from orders.ordering.drafts import Delivery, Want
from orders.ordering.models import LONGEST_WORD, UnitAlias
from orders.ordering.shelf import even


def remember(wants: Sequence[Want], by: Visitor) -> int:
    """Keep what words mean to the visitor's unit (the newest meaning counts); returns how many were learned."""
    meant = {even(want.word)[:LONGEST_WORD]: want.product_id for want in wants if even(want.word)}
    on_sale = cart.sellable(list(set(meant.values()))) if meant else {}
    rows = [{"unit_id": by.organisation_id, "word": word, "product_id": product_id, "learned_by": by.id,
             "learned_at": clock.now()} for word, product_id in sorted(meant.items()) if product_id in on_sale]
    if rows:
        db.session().execute(db.insert_or_update(UnitAlias, "unit_id", "word"), rows)
        journal.record_many([("unit_alias.learned", "product", product_id, {"word": word})
                             for word, product_id in sorted(meant.items()) if product_id in on_sale], by)
    return len(rows)


def usual_delivery(by: Visitor) -> Delivery:
    """Tomorrow, otherwise as in the visitor's unit's newest purchase; two statements."""
    tomorrow = clock.days_after(clock.today(), 1)
    newest = db.session().execute(
        select(Purchase.delivery_point_id, Purchase.delivery_window, Purchase.fund_source)
        .where(Purchase.unit_id == by.organisation_id).order_by(Purchase.id.desc()).limit(1)).first()
    if newest is not None:
        return Delivery(newest.delivery_point_id, tomorrow, newest.delivery_window, newest.fund_source,
                        by.organisation_id)
    points = lists.delivery_points(by.organisation_id)
    return Delivery(points[0].id if points else None, tomorrow, budget_unit_id=by.organisation_id)
