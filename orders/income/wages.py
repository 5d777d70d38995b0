"""Wages for making goods: stated with the processed lot, declared household by household, confirmed by the village.

A processing plant's village earns by the work done there. What the lot states is the most that may be declared for it;
each household's part becomes income the usual way, by a declaration with proof that the village confirms.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select

from catalog.lot_models import LotMaking
from catalog.models import Lot, Product
from market import db, money, paging
from market.access import Visitor
from market.errors import N_, Conflict, InvalidInput, NotFound
from market.households import CoopMember, Household
from market.places import Division
from orders.income import declarations
from orders.models import IncomeCorrection, IncomeDeclaration


class MoreThanStated(Conflict):
    """A lot's wages are said once, with the lot."""

    code = "more_than_stated"
    text = N_("Only ¥%(left)s of this lot's wages is still to be declared.")


def declare(lot_id: int, wages: Sequence[tuple[int, int]], month: str, proof_id: int,
            by: Visitor) -> list[IncomeDeclaration]:
    """Declare (household id, fen) of a lot's processing wages in a month, with one proof.

    Households are members who live in the plant's village. Raises NotFound, MoreThanStated, InvalidInput.
    """
    if not wages or len({household for household, _fen in wages}) != len(wages):
        raise InvalidInput({"lines": [N_("Say who was paid how much.")]})
    making = db.session().scalar(
        select(LotMaking).join(Lot, Lot.id == LotMaking.lot_id)
        .where(LotMaking.lot_id == lot_id, Lot.supplier_id == by.organisation_id)
        .with_for_update(of=db.table(LotMaking)))
    if making is None or not making.wage_fen:
        raise NotFound()
    left = making.wage_fen - _declared_fen(lot_id)
    if sum(fen for _household, fen in wages) > left:
        raise MoreThanStated(left=money.yuan(left))
    households = {household for household, _fen in wages}
    if households - {one.household_id for one in workers(making.plant_village_id, by)}:
        raise NotFound()
    return [declarations.declare(
        declarations.Declared(household, "wage", month, fen, proof_id, lot_id), by) for household, fen in wages]


def _declared_fen(lot_id: int) -> int:
    return db.session().scalar(select(_said(lot_id))) or 0


def _said(lot_id: Any, *where: ColumnElement[bool]) -> Any:
    """What of a lot's wages is declared and neither refused nor taken back since, in fen."""
    back = (select(db.sum_of(IncomeCorrection.amount_fen))
            .where(IncomeCorrection.declaration_id == IncomeDeclaration.id, IncomeCorrection.confirmed_at.is_not(None))
            .correlate(IncomeDeclaration).scalar_subquery())
    return (select(func.coalesce(db.sum_of(IncomeDeclaration.amount_fen - func.coalesce(back, 0)), 0))
            .where(IncomeDeclaration.lot_id == lot_id, IncomeDeclaration.refused_at.is_(None),
                   IncomeDeclaration.withdrawn_at.is_(None), *where).correlate(Lot).scalar_subquery())


def stated(by: Visitor, page: int) -> paging.Page:
    """The co-operative's processed lots with wages, newest first: what is stated, declared and confirmed."""
    total = db.session().scalar(select(func.count()).select_from(_stated(by).subquery())) or 0
    return paging.read(_stated(by).order_by(Lot.id.desc()), total, page)


def of_lot(lot_id: int, by: Visitor) -> Any:
    """One processed lot with its wages. Raises NotFound."""
    found = db.session().execute(_stated(by).where(Lot.id == lot_id)).first()
    if found is None:
        raise NotFound()
    return found


def _stated(by: Visitor) -> Select[Any]:
    declared = _said(Lot.id)
    confirmed = _said(Lot.id, IncomeDeclaration.confirmed_at.is_not(None))
    return (
        select(Lot.id, Lot.code, Lot.harvested_on, Lot.confirmed_at, Product.name, Product.name_en, Division.path,
               LotMaking.plant_village_id, LotMaking.wage_fen, declared.label("declared_fen"),
               confirmed.label("confirmed_fen"))
        .join(LotMaking, LotMaking.lot_id == Lot.id).join(Product, Product.id == Lot.product_id)
        .join(Division, Division.id == LotMaking.plant_village_id)
        .where(Lot.supplier_id == by.organisation_id, LotMaking.wage_fen > 0))


def workers(village_id: int | None, by: Visitor) -> Sequence[Any]:
    """Members of the co-operative in the plant's village: household_id, member_no, head_name."""
    return db.session().execute(
        select(CoopMember.household_id, CoopMember.member_no, Household.head_name)
        .join(Household, Household.id == CoopMember.household_id)
        .where(CoopMember.supplier_id == by.organisation_id, Household.village_id == village_id)
        .order_by(CoopMember.member_no)).all()
