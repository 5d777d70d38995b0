"""Platform fee: dated rules, none by default. What holds on a day is frozen on the order when it is placed."""

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Row, func, select

from market import clock, db, four_eyes, journal, money
from market.access import Visitor
from market.errors import N_, InvalidInput, NotFound
from market.parties import Organisation
from market.users import User
from orders.models import FeeRule

MOST_POINTS = 1000  # 10 %
Columns = Row[*tuple[Any, ...]]


def points_of(supplier_ids: Collection[int], day: date) -> dict[int, int]:
    """The fee of each co-operative on a day, in hundredths of a percent; one statement.

    The newest rule of its own holds, else the newest for all, else there is no fee.
    """
    own: dict[int | None, int] = {}
    for row in db.session().execute(
            select(FeeRule.supplier_id, FeeRule.points)
            .where(FeeRule.supplier_id.is_(None) | FeeRule.supplier_id.in_(supplier_ids), FeeRule.valid_from <= day)
            .order_by(FeeRule.valid_from, FeeRule.id)):
        own[row.supplier_id] = row.points
    for_all = own.get(None, 0)
    return {supplier_id: own.get(supplier_id, for_all) for supplier_id in supplier_ids}


def fee_fen(order: Any) -> int:
    """What an order's goods cost the co-operative in fees: a share of accepted less returned, without freight."""
    return money.part_of(order.accepted_fen - order.returned_fen, order.fee_points)


def rule(supplier_id: int | None, points: int, valid_from: date, reason: str, by: Visitor) -> FeeRule:
    """Set the fee of one co-operative, or of all (None), from a day after today on. Raises InvalidInput, NotFound,
    OwnCooperative.
    """
    problems: dict[str, list[Any]] = {}
    if not 0 <= points <= MOST_POINTS:
        problems["percent"] = [N_("A fee lies between 0 and 10 percent.")]
    if valid_from <= clock.today():
        problems["valid_from"] = [N_("A fee is changed from tomorrow on, never for orders already placed.")]
    if problems:
        raise InvalidInput(problems)
    if supplier_id is not None:
        if db.session().scalar(select(Organisation.id).where(
                Organisation.id == supplier_id, Organisation.kind == "supplier")) is None:
            raise NotFound()
        four_eyes.need_outsider(supplier_id, by)
    made = FeeRule(supplier_id=supplier_id, points=points, valid_from=valid_from, reason=reason, made_by=by.id,
                   made_at=clock.now())
    db.session().add(made)
    db.session().flush()
    journal.record("fee.ruled", "fee_rule", made.id, by, supplier=supplier_id, points=points,
                   valid_from=valid_from.isoformat(), reason=reason)
    return made


def rules() -> Sequence[Columns]:
    """Every rule with whom it is for (None: all) and who made it, the newest day first; one statement."""
    return db.session().execute(
        select(db.table(FeeRule), Organisation.short_name.label("supplier_name"), User.name.label("maker"))
        .outerjoin(Organisation, Organisation.id == FeeRule.supplier_id)
        .join(User, User.id == FeeRule.made_by).order_by(FeeRule.valid_from.desc(), FeeRule.id.desc())).all()


def holding(found: Sequence[Columns], today: date) -> set[int]:
    """Which of all rules (newest first) hold today: the newest begun one for each co-operative and for all."""
    newest: dict[int | None, int] = {}
    for row in found:
        if row.valid_from <= today:
            newest.setdefault(row.supplier_id, row.id)
    return set(newest.values())


def suppliers() -> Sequence[Columns]:
    """Whom a rule may be for (id, short_name)."""
    return db.session().execute(
        select(Organisation.id, Organisation.short_name).where(Organisation.kind == "supplier")
        .order_by(func.lower(Organisation.short_name), Organisation.id)).all()
