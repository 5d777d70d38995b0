"""What of a plan is written, and what may stand there."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, func, select

from market import db
from market.access import Visitor
from market.errors import N_, InvalidInput, MarketError, NotFound
from market.parties import DeliveryPoint, Organisation
from orders.buying import cart
from orders.standing.contents import Content, Line, Terms
from orders.standing.models import StandingLine, StandingQuantity

MOST_LINES = 100


def columns(terms: Terms) -> dict[str, Any]:
    return {name: getattr(terms, name) for name in Terms.__dataclass_fields__}


def write_lines(plan_id: int, lines: Sequence[Line]) -> None:
    """The goods as they are now: what a good asked, or takes once, stays with it unless its ceiling is raised."""
    kept: dict[int, Any] = {row.product_id: row for row in db.session().execute(
        select(db.table(StandingLine)).where(StandingLine.plan_id == plan_id))}
    ids = select(StandingLine.id).where(StandingLine.plan_id == plan_id)
    db.session().execute(delete(StandingQuantity).where(StandingQuantity.line_id.in_(ids)))
    db.session().execute(delete(StandingLine).where(StandingLine.plan_id == plan_id))
    line_ids = db.insert_returning_ids(StandingLine, [
        {"plan_id": plan_id, "product_id": line.product_id, "ceiling_fen": line.ceiling_fen,
         "substitutes": line.substitutes, **_asked(line, kept.get(line.product_id))} for line in lines])
    rows = [{"line_id": line_id, "weekday": weekday, "milli": milli}
            for line, line_id in zip(lines, line_ids, strict=True)
            for weekday, milli in enumerate(line.quantities) if milli]
    if rows:
        db.insert_rows(StandingQuantity, rows)


def _asked(line: Line, before: Any) -> dict[str, int | None]:
    if before is None:
        return {"asked_fen": None, "once_fen": None}
    answered = before.asked_fen is not None and line.ceiling_fen >= before.asked_fen
    return {"asked_fen": None if answered else before.asked_fen, "once_fen": before.once_fen}


def check(content: Content, by: Visitor, known: Sequence[int]) -> None:
    """Raises InvalidInput or NotFound; goods that the plan holds already may have left the shelf."""
    terms = content.terms
    problems: dict[str, list[str | MarketError]] = {}
    if terms.first_day > terms.last_day:
        problems["last_day"] = [N_("The last day comes before the first.")]
    if len(content.lines) > MOST_LINES:
        problems["lines"] = [N_("A standing order holds at most 100 goods.")]
    products = cart.sellable([line.product_id for line in content.lines])
    for number, line in enumerate(content.lines):
        if line.product_id in products:
            refused = _wrong_quantity(products[line.product_id], line)
            if refused:
                problems[f"lines-{number}-quantities"] = [refused]
        elif line.product_id not in known:
            raise NotFound()
    if len({line.product_id for line in content.lines}) != len(content.lines):
        problems["lines"] = [N_("A good is listed twice.")]
    problems |= _wrong_place(terms, by)
    if problems:
        raise InvalidInput(problems)


def _wrong_quantity(product: Any, line: Line) -> MarketError | None:
    try:
        for milli in filter(None, line.quantities):
            cart.check_quantity(product, milli)
    except cart.NotThisQuantity as refusal:
        return refusal
    return None


def _wrong_place(terms: Terms, by: Visitor) -> dict[str, list[str | MarketError]]:
    """The budget unit is the visitor's own or one it supervises, the door one of either's."""
    unit = db.session().execute(
        select(Organisation.id, Organisation.parent_id, Organisation.status)
        .where(Organisation.id == terms.budget_unit_id, Organisation.kind == "unit")).one_or_none()
    if unit is None or by.organisation_id not in {unit.id, unit.parent_id} or unit.status != "active":
        raise NotFound()
    doors = db.session().scalar(select(func.count()).select_from(DeliveryPoint).where(
        DeliveryPoint.id == terms.delivery_point_id, DeliveryPoint.unit_id.in_([unit.id, by.organisation_id or 0])))
    return {} if doors else {"delivery_point_id": [N_("Please choose one of your delivery points.")]}
