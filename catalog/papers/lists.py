"""What the village desk and the officials see of papers; every statement starts from the visitor's organisation."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Row, func, or_, select

from catalog.models import Lot, Product
from catalog.papers import validity
from catalog.papers.keeping import suppliers_of
from catalog.papers.kinds import PRODUCT, RULES, Lack
from catalog.papers.models import Paper
from market import clock, db, paging
from market.access import Visitor
from market.errors import NotFound
from market.files import StoredFile
from market.parties import Organisation
from market.users import User

Columns = Row[*tuple[Any, ...]]
SOON_DAYS = 90
MOST_SHOWN = 50  # of missing papers, and of goods named beside one
OWN_TABS = ("valid", "former")
OFFICE_TABS = ("to_check", "soon", "all")


@dataclass(frozen=True)
class Missing:
    """A paper that is missing, the goods that it keeps from sale (names, the first few) and the thing it is about."""

    lack: Lack
    names: Sequence[tuple[str, str]]
    goods: int
    document: str
    read: bool
    product_id: int | None = None
    lot_id: int | None = None
    lot_code: str = ""


def missing(supplier_id: int) -> list[Missing]:
    """What keeps this supplier's goods from sale: papers of its own first, then of goods on the shelf, then of lots."""
    blocked = db.session().execute(
        select(Product.id, Product.name, Product.name_en)
        .where(Product.supplier_id == supplier_id, Product.state == "listed", Product.papers_until < clock.today())
        .order_by(Product.id)).all()
    names = {row.id: (row.name, row.name_en) for row in blocked}
    found: dict[tuple[str, int | None], list[int]] = {}
    lacks: dict[tuple[str, int | None], Lack] = {}
    for product_id, short in validity.lacks(list(names)).items():
        for lack in short:
            key = (lack.kind, product_id if lack.scope == PRODUCT else None)
            found.setdefault(key, []).append(product_id)
            lacks[key] = lack
    for lack in validity.own_lacks(supplier_id):  # before the first goods are listed, too
        found.setdefault((lack.kind, None), [])
        lacks[lack.kind, None] = lack
    order = sorted(found, key=lambda key: (key[1] is not None, key[1] or 0))
    return [Missing(lacks[key], [names[i] for i in found[key][:5]], len(found[key]), *_rule_of(lacks[key]),
                    product_id=key[1]) for key in order] + _missing_of_lots(supplier_id)


def _missing_of_lots(supplier_id: int) -> list[Missing]:
    """Lots with goods in them that wait for papers of their own."""
    lots = {row.id: row for row in db.session().execute(
        select(Lot.id, Lot.code, Product.name, Product.name_en).join(Product, Product.id == Lot.product_id)
        .where(Lot.supplier_id == supplier_id, Lot.on_hand_milli > 0, Lot.best_before >= clock.today(),
               Lot.recalled_at.is_(None)).order_by(Lot.id))}
    return [Missing(lack, [(lots[lot_id].name, lots[lot_id].name_en)], 1, *_rule_of(lack), lot_id=lot_id,
                    lot_code=lots[lot_id].code)
            for lot_id, short in validity.lot_lacks(list(lots)).items() for lack in short]


def _rule_of(lack: Lack) -> tuple[str, bool]:
    rule = next(rule for rule in RULES if (rule.kind, rule.scope) == (lack.kind, lack.scope))
    return rule.document, rule.read


def blocked_goods(supplier_id: int | None) -> int:
    """How many goods a supplier has on the shelf that nobody can order for want of a paper."""
    return db.session().scalar(select(func.count()).select_from(Product).where(
        Product.supplier_id == supplier_id, Product.state == "listed", Product.papers_until < clock.today())) or 0


def own_papers(supplier_id: int, tab: str, page: int) -> paging.Page:
    """Own papers: those that hold (the first to end first), or those that ended or were refused (the newest first)."""
    holds = [Paper.state != "refused", or_(Paper.valid_until.is_(None), Paper.valid_until >= clock.today())]
    former = or_(Paper.state == "refused", Paper.valid_until < clock.today())
    conditions = [Paper.supplier_id == supplier_id, *(holds if tab == "valid" else [former])]
    order = ((Paper.valid_until.is_(None), Paper.valid_until, Paper.id) if tab == "valid" else (Paper.id.desc(),))
    return paging.read(_papers().where(*conditions).order_by(*order), _count(conditions), page)


def in_area(by: Visitor, tab: str, page: int) -> paging.Page:
    """Papers of an official's area: to be checked (the oldest first), ending within 90 days, or all."""
    today = clock.today()
    there: ColumnElement[bool] = Paper.supplier_id.in_(suppliers_of(by))
    by_tab = {
        "to_check": [there, Paper.state == "unchecked"],
        "soon": [there, Paper.state != "refused", Paper.lot_id.is_(None),
                 Paper.valid_until.between(today, clock.days_after(today, SOON_DAYS))],
        "all": [there],
    }
    order = {"to_check": (Paper.id,), "soon": (Paper.valid_until, Paper.id), "all": (Paper.id.desc(),)}[tab]
    counts = {key: _count(by_tab[key]) for key in ("to_check", "soon")}
    total = counts[tab] if tab in counts else _count(by_tab[tab])
    return paging.read(_papers().where(*by_tab[tab]).order_by(*order), total, page, counts=counts)


def to_check(by: Visitor) -> int:
    """How many papers of an official's area nobody has looked at yet."""
    return _count([Paper.supplier_id.in_(suppliers_of(by)), Paper.state == "unchecked"])


def one(paper_id: int, by: Visitor) -> Columns:
    """A paper of the visitor's own co-operative or area. Raises NotFound for any other."""
    mine = (Paper.supplier_id == by.organisation_id if by.organisation_kind == "supplier"
            else Paper.supplier_id.in_(suppliers_of(by)))
    found = db.session().execute(_papers().where(Paper.id == paper_id, mine)).first()
    if found is None:
        raise NotFound()
    return found


def others(paper: Columns) -> Sequence[Columns]:
    """The other papers of the same kind about the same thing, the newest first: what it replaced, what replaced it."""
    return db.session().execute(
        _papers().where(Paper.supplier_id == paper.supplier_id, Paper.kind == paper.kind, Paper.id != paper.id,
                        Paper.product_id.is_not_distinct_from(paper.product_id),
                        Paper.lot_id.is_not_distinct_from(paper.lot_id))
        .order_by(Paper.id.desc()).limit(MOST_SHOWN)).all()


def lots_to_choose(supplier_id: int) -> Sequence[Columns]:
    """The newest lots with goods in them, for the form."""
    return db.session().execute(
        select(Lot.id, Lot.code, Product.name, Product.name_en).join(Product, Product.id == Lot.product_id)
        .where(Lot.supplier_id == supplier_id, Lot.on_hand_milli > 0).order_by(Lot.id.desc()).limit(MOST_SHOWN)).all()


def days_left(until: date | None) -> int | None:
    """Days after today on which a paper still holds; none where it has no end."""
    return None if until is None else (until - clock.today()).days


def _papers() -> Any:
    return (
        select(db.table(Paper), Product.name, Product.name_en, Lot.code.label("lot_code"),
               StoredFile.name.label("file"), StoredFile.content_type,
               Organisation.name.label("supplier"), User.name.label("decider"))
        .join(StoredFile, StoredFile.id == Paper.file_id).join(Organisation, Organisation.id == Paper.supplier_id)
        .outerjoin(Lot, Lot.id == Paper.lot_id)
        .outerjoin(Product, Product.id == func.coalesce(Paper.product_id, Lot.product_id))
        .outerjoin(User, User.id == Paper.decided_by)
    )


def _count(conditions: Sequence[ColumnElement[bool]]) -> int:
    return db.session().scalar(select(func.count()).select_from(Paper).where(*conditions)) or 0
