"""The demo world's certificates: drawn, marked as invented, complete enough that goods may be sold."""

from datetime import date, timedelta
from pathlib import Path

from sqlalchemy import select

from catalog.papers import keeping, validity
from catalog.papers.kinds import KINDS, PRODUCT, SUPPLIER, needed
from catalog.papers.models import Paper
from market import clock, db, files
from orders.demo import drawing
from orders.demo.fact_rows import Facts
from orders.demo.settlers import Settlement

ISSUER = "演示发证机关（虚构）"
ENDS_SOON = ("xt-soy", "production_permit", 21)  # co-operative, kind, days after the last day of trade
REFUSED_AT_LAST = ("pickled-radish", "lingling-agriculture", "报告上的批次与产品不符（演示）")


def of_suppliers(known: Facts, settled: Settlement, today: date, folder: Path) -> dict[str, int]:
    """A licence for everybody, permits where goods are made, before anything is listed; returns each one's scan."""
    scans = {}
    above = _categories_above(known)
    for key, coop in known.coops.items():
        clerk = settled.person(key, "manager")
        scans[key] = files.keep(files.prepare(drawing.certificate(coop.short_name)), f"{coop.short_name}-演示证照.png",
                                "parties", clerk, folder).id
        kinds = {rule.kind for good in known.goods.values() if good.coop_key == key
                 for rule in needed(above[good.category], (SUPPLIER,))}
        for kind in sorted({"licence", *kinds}):
            soon = (key, kind) == ENDS_SOON[:2]
            _keep(settled, key, scans[key], kind, until=today + timedelta(days=ENDS_SOON[2]) if soon else None)
    return scans


def of_goods(known: Facts, settled: Settlement, products: dict[str, int], scans: dict[str, int]) -> None:
    """A factory report for each product that is made."""
    above = _categories_above(known)
    for key, good in known.goods.items():
        for rule in needed(above[good.category], (PRODUCT,)):
            _keep(settled, good.coop_key, scans[good.coop_key], rule.kind, product_id=products[key])


def of_lot(settled: Settlement, key: str, scan: int, lot_id: int) -> None:
    """What a lot of meat needs before it may be confirmed."""
    for lack in validity.lot_lacks([lot_id]).get(lot_id, []):
        _keep(settled, key, scan, lack.kind, lot_id=lot_id)


def leave_open(settled: Settlement, products: dict[str, int]) -> None:
    """At the end one report is refused, so that the desk shows goods that wait for a paper."""
    good, office, why = REFUSED_AT_LAST
    paper_id = db.session().scalars(select(Paper.id).where(Paper.product_id == products[good])).one()
    keeping.refuse(paper_id, why, settled.person(office, "official"))


def _keep(settled: Settlement, key: str, scan: int, kind: str, until: date | None = None, **about: int) -> None:
    said = {"kind": kind, "number": "演示-0001" if KINDS[kind].numbered else "", "issuer": ISSUER,
            "issued_on": clock.today(), "valid_until": until, **about}
    keeping.add(said, scan, settled.organisations[key], settled.person(key, "manager"))


def _categories_above(known: Facts) -> dict[str, frozenset[str]]:
    """By category: its code and those of all above it."""
    found = {}
    for code in known.categories:
        chain, at = {code}, known.categories[code].parent
        while at:
            chain.add(at)
            at = known.categories[at].parent
        found[code] = frozenset(chain)
    return found
