"""Why goods cannot be ordered, or a lot neither confirmed nor shipped, for want of a paper; in the reader's words."""

from collections.abc import Callable, Mapping, Sequence

from sqlalchemy import select

from catalog.models import Lot, Product
from catalog.papers import validity
from catalog.papers.kinds import KINDS, SUPPLIER, Lack
from market import db
from market.errors import N_, Conflict, in_english
from market.parties import Organisation


class PapersLapsed(Conflict):
    """Goods on the shelf whose supplier has a paper no longer, or not yet."""

    code = "papers_lapsed"
    text = N_("A paper that these goods need is missing.")

    def __init__(self, supplier: str, lack: Lack) -> None:
        super().__init__()
        self.supplier, self.lack = supplier, lack

    def message(self, translate: Callable[..., str] = in_english) -> str:
        return sentence(self.supplier, self.lack, translate)


class LotPapersMissing(Conflict):
    """A lot of meat without the papers of its animals."""

    code = "lot_papers_missing"
    text = N_("Lot %(lot)s still lacks: %(papers)s. The co-operative adds them under Papers.")

    def __init__(self, lot: str, lacks: Sequence[Lack]) -> None:
        super().__init__(lot=lot, papers=", ".join(KINDS[lack.kind].name for lack in lacks))
        self.lacks = lacks

    def message(self, translate: Callable[..., str] = in_english) -> str:
        papers = translate(N_(", ")).join(translate(KINDS[lack.kind].name) for lack in self.lacks)
        return translate(self.text, **(self.details | {"papers": papers}))


def sentence(supplier: str, lack: Lack, translate: Callable[..., str]) -> str:
    """One lack as a buyer reads it: whose paper, which, and since when it holds no longer."""
    told = {"supplier": supplier, "paper": translate(KINDS[lack.kind].name)}
    if lack.ended_on is not None:
        if lack.scope == SUPPLIER:
            return translate(N_("Cannot be ordered: the %(paper)s of %(supplier)s ended on %(day)s."),
                             day=lack.ended_on.isoformat(), **told)
        return translate(N_("Cannot be ordered: the %(paper)s of these goods ended on %(day)s."),
                         day=lack.ended_on.isoformat(), paper=told["paper"])
    if lack.scope == SUPPLIER:
        return translate(N_("Cannot be ordered: the %(paper)s of %(supplier)s is missing."), **told)
    return translate(N_("Cannot be ordered: the %(paper)s of these goods is missing."), paper=told["paper"])


def by_good(product_ids: Sequence[int]) -> dict[int, PapersLapsed]:
    """Those of some goods that only want of a paper keeps from sale; never goods that are hidden, by product id."""
    lacks = validity.lacks(product_ids)
    names: Mapping[int, str] = {row.id: row.short_name for row in db.session().execute(
        select(Product.id, Organisation.short_name).join(Organisation, Organisation.id == Product.supplier_id)
        .where(Product.id.in_(lacks), Product.state == "listed", Organisation.status == "active"))}
    return {product_id: PapersLapsed(names[product_id], short[0])
            for product_id, short in lacks.items() if product_id in names}


def name_of(product_id: int) -> tuple[str, str]:
    """What goods are called, in both languages."""
    row = db.session().execute(select(Product.name, Product.name_en).where(Product.id == product_id)).one()
    return row.name, row.name_en


def check_lots(lot_ids: Sequence[int]) -> None:
    """Raises LotPapersMissing for the first of these lots that lacks a paper today."""
    for lot_id, short in validity.lot_lacks(lot_ids).items():
        code = db.session().scalars(select(Lot.code).where(Lot.id == lot_id)).one()
        raise LotPapersMissing(code, short)
