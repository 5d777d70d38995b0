"""What applicants and offices see: the steps of an application, lists of applications, the register of suppliers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select

from catalog.entry.area import area_of, handed_in
from catalog.entry.models import Application, EntryStep, SupplierStanding
from catalog.models import Product
from market import clock, db, paging
from market.access import Visitor
from market.paging import Columns, Page
from market.parties import Organisation
from market.places import Division
from market.users import User

TABS = ("mine", "overdue", "all")


def steps_of(application_ids: Sequence[int]) -> Mapping[int, list[Columns]]:
    """Every step of some applications by application, the oldest first, with office and person."""
    rows = db.session().execute(
        select(EntryStep.id, EntryStep.application_id, EntryStep.step, EntryStep.office_id, EntryStep.opened_at,
               EntryStep.due_on, EntryStep.decision, EntryStep.reason, EntryStep.decided_by, EntryStep.decided_at,
               Organisation.name.label("office"), Organisation.phone.label("office_phone"), User.name.label("person"))
        .join(Organisation, Organisation.id == EntryStep.office_id)
        .outerjoin(User, User.id == EntryStep.decided_by)
        .where(EntryStep.application_id.in_(application_ids)).order_by(EntryStep.id))
    found: dict[int, list[Columns]] = {number: [] for number in application_ids}
    for row in rows:
        found[row.application_id].append(row)
    return found


def newest(steps: Sequence[Columns]) -> dict[str, Columns]:
    """The last row of each step."""
    return {row.step: row for row in steps}


# ---- applications, for offices --------------------------------------------------------------------------------------


def waits_for(by: Visitor) -> ColumnElement[bool]:
    """The condition that an open step is one of the visitor's office."""
    return and_(EntryStep.decision.is_(None), EntryStep.office_id == (by.organisation_id or 0))


def is_overdue() -> ColumnElement[bool]:
    """The condition that an open step's last day is over."""
    return and_(EntryStep.decision.is_(None), EntryStep.due_on < clock.today())


def applications(by: Visitor, tab: str, query: str, page: int) -> Page:
    """Applications of the area: with a step that waits for the visitor's office, with an overdue one, or all.

    The first two tabs have one row per step, with office and last day; the third one row per application.
    """
    conditions = [handed_in(), area_of(by), *_named(query)]
    if tab == "all":
        return _page(_applications().where(*conditions).order_by(Application.submitted_at.desc(), Application.id), page)
    conditions.append(waits_for(by) if tab == "mine" else is_overdue())
    listed = _applications(EntryStep.step, EntryStep.due_on, EntryStep.opened_at, Organisation.name.label("office"))
    return _page(listed.join(EntryStep, EntryStep.application_id == Application.id)
                 .join(Organisation, Organisation.id == EntryStep.office_id)
                 .where(*conditions).order_by(EntryStep.due_on, EntryStep.id), page)


def _applications(*more: Any) -> Select[Any]:
    return select(Application.id, Application.name, Application.supplier_type, Application.state,
                  Application.submitted_at, Division.path, *more).join(Division, Division.id == Application.village_id)


def _named(query: str) -> list[ColumnElement[bool]]:
    if not query:
        return []
    return [or_(Application.name.icontains(query, autoescape=True), Division.path.icontains(query, autoescape=True),
                Application.credit_code == query.upper())]


def _page(query: Select[Any], page: int) -> Page:
    total = db.session().scalar(select(func.count()).select_from(query.order_by(None).subquery())) or 0
    return paging.read(query, total, page)


@dataclass(frozen=True)
class Open:
    """How many steps wait for an office, and how many are overdue there and in its whole area."""

    mine: int
    mine_overdue: int
    area_overdue: int


def open_steps(by: Visitor) -> Open:
    """What waits, in one statement."""
    mine = waits_for(by)
    late = is_overdue()
    row = db.session().execute(
        select(func.count().filter(mine), func.count().filter(and_(mine, late)), func.count().filter(late))
        .select_from(EntryStep).join(Application, Application.id == EntryStep.application_id)
        .join(Division, Division.id == Application.village_id)
        .where(EntryStep.decision.is_(None), area_of(by))).one()
    return Open(*row)


# ---- the register of suppliers --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Recommended:
    """Which office let a supplier pass, and when."""

    step: str
    office: str
    day: date


def suppliers(by: Visitor, status: str | None, query: str, page: int) -> tuple[Page, Mapping[int, list[Recommended]]]:
    """Suppliers of the area with their goods on the shelf, and by supplier the offices that recommended them."""
    goods = (select(func.count()).select_from(Product)
             .where(Product.supplier_id == Organisation.id, Product.state == "listed")
             .correlate(Organisation).scalar_subquery())
    since = (select(func.max(SupplierStanding.from_day))
             .where(SupplierStanding.supplier_id == Organisation.id, SupplierStanding.applied_at.is_not(None))
             .correlate(Organisation).scalar_subquery())
    conditions = [Organisation.kind == "supplier", Organisation.status != "applying", area_of(by)]
    if status is not None:
        conditions.append(Organisation.status == status)
    if query:
        conditions.append(or_(Organisation.name.icontains(query, autoescape=True),
                              Division.path.icontains(query, autoescape=True),
                              Organisation.credit_code == query.upper()))
    found = _page(
        select(Organisation.id, Organisation.name, Organisation.supplier_type, Organisation.credit_code,
               Organisation.status, Division.path, goods.label("goods"), since.label("since"))
        .outerjoin(Division, Division.id == Organisation.division_id)
        .where(*conditions).order_by(Organisation.name, Organisation.id), page)
    return found, recommendations([row.id for row in found.rows])


def recommendations(supplier_ids: Sequence[int]) -> Mapping[int, list[Recommended]]:
    """By supplier, who let it pass and when; the newest word of each office."""
    rows = db.session().execute(
        select(Application.supplier_id, EntryStep.step, Organisation.name, EntryStep.decided_at)
        .join(Application, Application.id == EntryStep.application_id)
        .join(Organisation, Organisation.id == EntryStep.office_id)
        .where(Application.supplier_id.in_(supplier_ids), Application.state == "admitted",
               EntryStep.decision == "passed").order_by(EntryStep.id))
    found: dict[int, dict[str, Recommended]] = {}
    for row in rows:
        found.setdefault(row.supplier_id, {})[row.step] = Recommended(
            row.step, row.name, clock.business_date(row.decided_at))
    return {supplier_id: list(steps.values()) for supplier_id, steps in found.items()}


def application_of(supplier_id: int) -> int | None:
    """The application by which a supplier came in; none for those who were here before."""
    return db.session().scalar(select(Application.id).where(Application.supplier_id == supplier_id,
                                                            Application.submitted_at.is_not(None)))


# ---- villages to choose ---------------------------------------------------------------------------------------------


def find_villages(query: str, limit: int = 30) -> Sequence[Columns]:
    """Villages of today whose name or township holds the words."""
    words = query.split()[:4]
    if not words:
        return []
    return db.session().execute(
        select(Division.code, Division.path)
        .where(Division.level == "village", Division.valid_to.is_(None),
               *(Division.path.icontains(word, autoescape=True) for word in words))
        .order_by(Division.code).limit(limit)).all()


def villages_near(village: Columns | None, query: str) -> Sequence[Columns]:
    """Villages that goods may come from: those of the home township, and of the county those that hold the words."""
    if village is None:
        return []
    near = [Division.township_id == village.township_id]
    if query:
        near.append(and_(Division.county_id == village.county_id, Division.path.icontains(query, autoescape=True)))
    return db.session().execute(
        select(Division.code, Division.name, Division.path, Division.township_id)
        .where(Division.level == "village", Division.valid_to.is_(None), or_(*near))
        .order_by(Division.township_id != village.township_id, Division.code).limit(150)).all()
