"""Cases, ratings and changes as each side may see them: columns, a fixed number of statements."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, func, or_, select

from market import clock, db, paging
from market.access import Visitor, can
from market.errors import NotFound
from market.files import StoredFile
from market.parties import Organisation
from market.places import Division, lies_in
from market.users import User
from orders import families
from orders.aftersale import crediting, states
from orders.models import (
    AcceptanceLine,
    AfterSale,
    AfterSaleLine,
    AfterSalePhoto,
    CreditChange,
    GoodsReturn,
    Order,
    OrderLine,
    Purchase,
    Rating,
)

TABS = ("open", "closed", "all")
Columns = Row[*tuple[Any, ...]]


def is_seen_by(by: Visitor) -> ColumnElement[bool]:
    """The unit's own, the co-operative's own, an office's own and what it only reads in its area."""
    if by.organisation_kind == "unit":
        return Order.unit_id == by.organisation_id
    if by.organisation_kind == "supplier":
        return Order.supplier_id == by.organisation_id
    if can(by, "report.read") and by.division_id is not None:
        in_area = select(Organisation.id).join(Division, Division.id == Organisation.division_id).where(
            lies_in(by.division_id))
        return or_(AfterSale.office_id == by.organisation_id, Order.supplier_id.in_(in_area))
    return AfterSale.office_id == by.organisation_id


def cases(by: Visitor, tab: str, query: str, page: int) -> paging.Page:
    """Cases, those with the nearest day first; two statements."""
    conditions = [is_seen_by(by)]
    if query:
        conditions.append(or_(*(column.icontains(query, autoescape=True)
                                for column in (AfterSale.number, Order.number, Order.supplier_name))))
    counts = dict.fromkeys(TABS, 0)
    for state, number in db.session().execute(
            select(AfterSale.state, func.count()).join(Order, Order.id == AfterSale.order_id).where(*conditions)
            .group_by(AfterSale.state)):
        counts["open" if state in states.LIVE else "closed"] += number
        counts["all"] += number
    if tab != "all":
        conditions.append(AfterSale.state.in_(states.LIVE) if tab == "open" else AfterSale.state.not_in(states.LIVE))
    order = (AfterSale.due_on, AfterSale.id) if tab == "open" else (AfterSale.id.desc(),)
    return paging.read(_case_columns().where(*conditions).order_by(*order), counts[tab], page, counts=counts)


def case(case_id: int, by: Visitor) -> Columns:
    """One case. Raises NotFound for anybody else's."""
    found = db.session().execute(_case_columns().where(AfterSale.id == case_id, is_seen_by(by))).first()
    if found is None:
        raise NotFound()
    return found


def of_order(order_id: int) -> Sequence[Columns]:
    """The cases of an order, newest first. The caller has checked whose order it is."""
    return db.session().execute(_case_columns().where(AfterSale.order_id == order_id)
                                .order_by(AfterSale.id.desc())).all()


def _case_columns() -> Select[Any]:
    opener, answerer = db.table(User).alias(), db.table(User).alias()
    unit, office = db.table(Organisation).alias(), db.table(Organisation).alias()
    return (
        select(db.table(AfterSale), Order.number.label("order_number"), Order.unit_id, Order.supplier_id,
               Order.supplier_name, unit.c.short_name.label("unit_name"), office.c.name.label("office_name"),
               opener.c.name.label("opener"), answerer.c.name.label("answerer"), GoodsReturn.business_date.label(
                   "returned_on"), Purchase.number.label("replacement_number"))
        .join(Order, Order.id == AfterSale.order_id).join(unit, unit.c.id == Order.unit_id)
        .join(opener, opener.c.id == AfterSale.opened_by)
        .outerjoin(answerer, answerer.c.id == AfterSale.answered_by)
        .outerjoin(office, office.c.id == AfterSale.office_id)
        .outerjoin(GoodsReturn, GoodsReturn.id == AfterSale.return_id)
        .outerjoin(Purchase, Purchase.id == AfterSale.replacement_id))


def lines(case_id: int) -> Sequence[Columns]:
    """What a case is about, with the accepted price."""
    return db.session().execute(
        select(OrderLine.product_name, OrderLine.product_name_en, OrderLine.unit, OrderLine.unit_en,
               AfterSaleLine.milli, AcceptanceLine.price_fen, AcceptanceLine.accepted_milli)
        .join(OrderLine, OrderLine.id == AfterSaleLine.order_line_id)
        .join(AcceptanceLine, AcceptanceLine.order_line_id == OrderLine.id)
        .where(AfterSaleLine.case_id == case_id).order_by(AfterSaleLine.id)).all()


def photo_ids(case_id: int) -> Sequence[int]:
    return db.session().scalars(
        select(AfterSalePhoto.file_id).where(AfterSalePhoto.case_id == case_id).order_by(AfterSalePhoto.id)).all()


def photo(case_id: int, file_id: int) -> StoredFile:
    """A photo of a case whose reader has been checked. Raises NotFound."""
    found = db.session().scalar(
        select(StoredFile).join(AfterSalePhoto, AfterSalePhoto.file_id == StoredFile.id)
        .where(AfterSalePhoto.case_id == case_id, StoredFile.id == file_id))
    if found is None:
        raise NotFound()
    return found


def rating(order_id: int) -> Columns | None:
    """What was said of an order, None while nothing was. The caller has checked whose it is."""
    return db.session().execute(
        select(db.table(Rating), User.name.label("rater")).join(User, User.id == Rating.rated_by)
        .where(Rating.order_id == order_id)).first()


def waiting(by: Visitor) -> Mapping[str, int]:
    """How many cases wait for the visitor's organisation, and how many of them are late; one statement."""
    mine = {"supplier": ("open", "mediation", "proposed"), "unit": ("refused", "proposed"), "office": ("mediation",)}
    condition = (AfterSale.office_id == by.organisation_id if by.organisation_kind == "office" else is_seen_by(by))
    row = db.session().execute(
        select(func.count().label("all"), func.count().filter(AfterSale.due_on < clock.today()).label("late"))
        .select_from(AfterSale).join(Order, Order.id == AfterSale.order_id)
        .where(condition, AfterSale.state.in_(mine.get(by.organisation_kind or "", ())))).one()
    return {"all": row.all, "late": row.late}


# ---- the credited unit ----------------------------------------------------------------------------------------------


def targets(unit_id: int) -> Sequence[Columns]:
    """The units an order may be moved to (id, short_name)."""
    return db.session().execute(
        select(Organisation.id, Organisation.short_name).where(Organisation.id.in_(crediting.family(unit_id)))
        .order_by(Organisation.id)).all()


def changes(by: Visitor, page: int) -> paging.Page:
    """Changes asked for in the visitor's unit and those below it, the open ones first; two statements."""
    mine = families.within(by.organisation_id)
    condition = CreditChange.from_unit_id.in_(mine) | CreditChange.to_unit_id.in_(mine)
    total = db.session().scalar(select(func.count()).select_from(CreditChange).where(condition)) or 0
    return paging.read(_change_columns().where(condition).order_by((CreditChange.state != "asked"),
                                                                   CreditChange.id.desc()), total, page)


def changes_waiting(by: Visitor) -> int:
    """Open requests that this person may decide."""
    return db.session().scalar(select(func.count()).select_from(CreditChange).where(
        _asked_in(by), CreditChange.state == "asked", CreditChange.asked_by != by.id)) or 0


def changes_of(order_id: int) -> Sequence[Columns]:
    """The changes of one order, newest first. The caller has checked whose it is."""
    return db.session().execute(_change_columns().where(CreditChange.order_id == order_id)
                                .order_by(CreditChange.id.desc())).all()


def change(change_id: int, by: Visitor) -> Columns:
    """A request of the visitor's unit or of one below it. Raises NotFound for anybody else's."""
    found = db.session().execute(_change_columns().where(CreditChange.id == change_id, _asked_in(by))).first()
    if found is None:
        raise NotFound()
    return found


def _asked_in(by: Visitor) -> ColumnElement[bool]:
    return CreditChange.from_unit_id.in_(families.within(by.organisation_id))


def evidence(change_id: int, by: Visitor) -> StoredFile:
    """The paper of a request of the visitor's family. Raises NotFound."""
    found = db.session().scalar(
        select(StoredFile).join(CreditChange, CreditChange.evidence_id == StoredFile.id)
        .where(CreditChange.id == change_id, _asked_in(by)))
    if found is None:
        raise NotFound()
    return found


def _change_columns() -> Select[Any]:
    first, second = db.table(Organisation).alias(), db.table(Organisation).alias()
    asker, decider = db.table(User).alias(), db.table(User).alias()
    return (
        select(db.table(CreditChange), Order.number.label("order_number"), Order.supplier_name, Order.accepted_fen,
               Order.placed_fen, Order.state.label("order_state"), first.c.short_name.label("from_name"),
               second.c.short_name.label("to_name"), asker.c.name.label("asker"), decider.c.name.label("decider"))
        .join(Order, Order.id == CreditChange.order_id)
        .join(first, first.c.id == CreditChange.from_unit_id).join(second, second.c.id == CreditChange.to_unit_id)
        .join(asker, asker.c.id == CreditChange.asked_by)
        .outerjoin(decider, decider.c.id == CreditChange.decided_by))
