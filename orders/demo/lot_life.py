"""What the demo's lots live through beside being sold: a notebook, an expected harvest, a write-off, wages."""

from datetime import timedelta
from pathlib import Path

from catalog import lot_write_offs, lots
from catalog.lot_parts import Contribution, Ingredient, LotDetails, Making
from market import clock, db, files, money
from orders.demo import drawing, handing_on
from orders.demo.fact_rows import Good
from orders.demo.year import Book
from orders.income import wages

EXPECTED_DAYS = 21
HUNDRED_KILOS = 100_000


def live(book: Book, folder: Path) -> None:
    """One of each for every co-operative that keeps stock; goods with makers also bring wages to a plant's village."""
    shown = set()
    for key, good in book.facts.goods.items():
        with clock.at(clock.shanghai(book.last, 7, 30)):
            if good.supply == "stocked" and not good.processed_from and good.coop_key not in shown:
                shown.add(good.coop_key)
                _from_notebook(book, key, good, folder)
                _expected(book, key, good)
            if good.processed_from and good.category == "camellia-oil":
                _pressed(book, key, good)


def _from_notebook(book: Book, key: str, good: Good, folder: Path) -> None:
    """Weighed by village, names to follow; a little of it has spoiled and waits for a second person."""
    clerk = book.settled.person(good.coop_key, "clerk")
    with db.transaction():
        page = files.keep(files.prepare(drawing.notebook(good.name_zh)), "记录本-演示.png", "parties", clerk, folder)
        details = LotDetails("演示收购点", "演示三号地", 350, "passed", "演示：农残速测合格", page.id)
        lot = lots.book(book.products[key], clock.today(), _milli(good), good.farm_gate_fen_per_kg,
                        [_unsplit(book, good)], clerk, clock.today() + timedelta(days=30), details)
    _confirm(book, lot.id, good)
    with db.transaction():
        lot_write_offs.propose(lot.id, 2000, "damaged", "演示：装卸时压坏", clerk)


def _expected(book: Book, key: str, good: Good) -> None:
    with db.transaction():
        lot = lots.expect(book.products[key], clock.days_after(clock.today(), EXPECTED_DAYS), _milli(good),
                          good.farm_gate_fen_per_kg, [_unsplit(book, good)],
                          book.settled.person(good.coop_key, "clerk"))
    _confirm(book, lot.id, good)


def _pressed(book: Book, key: str, good: Good) -> None:
    """Oil out of a hundred kilos of seed, with wages; a part of them declared and not yet confirmed."""
    raw = book.facts.goods[good.processed_from]
    clerk, code = book.settled.person(good.coop_key, "clerk"), _village(book, good)
    with db.transaction():
        seed = lots.book(book.products[good.processed_from], clock.today(), _milli(raw), raw.farm_gate_fen_per_kg,
                         [Contribution(_grams(raw), None, book.settled.villages[code])], clerk)
    _confirm(book, seed.id, raw)
    milli = HUNDRED_KILOS // 4 // good.grams_per_unit * 1000
    with db.transaction():
        oil = lots.process(book.products[key], clock.today(), milli, money.grams_of(milli, good.grams_per_unit),
                           [Ingredient(seed.id, _milli(raw))], clerk,
                           making=Making("", book.settled.villages[code], 48_000))
    handing_on.tie(book, good.coop_key, code, book.settled.households[good.coop_key, code][0], "wage")
    with db.transaction():
        wages.declare(oil.id, [(book.settled.households[good.coop_key, code][0], 30_000)],
                      clock.period_of(clock.today()), book.proofs[good.coop_key],
                      book.settled.person(good.coop_key, "manager"))


def _unsplit(book: Book, good: Good) -> Contribution:
    return Contribution(_grams(good), None, book.settled.villages[_village(book, good)], unsplit=True)


def _village(book: Book, good: Good) -> str:
    """The first village of the co-operative in which members live."""
    return next(code for code in book.facts.coops[good.coop_key].village_codes
                if book.settled.households.get((good.coop_key, code)))


def _milli(good: Good) -> int:
    """About a hundred kilos in whole units."""
    return HUNDRED_KILOS // good.grams_per_unit * 1000


def _grams(good: Good) -> int:
    return money.grams_of(_milli(good), good.grams_per_unit)


def _confirm(book: Book, lot_id: int, good: Good) -> None:
    with db.transaction():
        lots.confirm(lot_id, book.settled.visitor(book.settled.officers[_village(book, good)]))
