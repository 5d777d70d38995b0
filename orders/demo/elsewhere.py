"""What the showcase school bought outside the site, invented like all else, so that its inspection book is whole."""

from datetime import timedelta
from pathlib import Path

from market import clock, db, files
from orders.demo import drawing
from orders.demo.year import Book
from orders.inspection import recording
from orders.inspection.recording import Bought

# goods, unit, thousandths, supplier, days ago, days that they keep (none: no last day)
BOUGHT = (("酱油", "瓶", 24_000, "演示调料批发部", 9, 540), ("食盐", "袋", 40_000, "演示调料批发部", 9, None),
          ("鲜豆芽", "公斤", 15_000, "演示农贸市场3号摊", 2, 3))


def buy(book: Book, folder: Path) -> None:
    """A few rows by the school's two receivers, with one drawn voucher."""
    school = next(iter(book.facts.units))
    pair = book.settled.person(school, "receiver"), book.settled.person(school, "receiver", 1)
    voucher = files.prepare(drawing.voucher("演示小票"))
    for name, unit, milli, supplier, ago, keeps in BOUGHT:
        day = book.last - timedelta(days=ago)
        bought = Bought(day, name, unit, milli, supplier, reference=f"演示-{ago:03}", made_on=day,
                        best_before=day + timedelta(days=keeps) if keeps else None, farm_produce=name == "鲜豆芽")
        with clock.at(clock.shanghai(day, 8)), db.transaction():
            kept = files.keep(voucher, "演示小票.png", "own", pair[0], folder)
            recording.add(bought, kept.id, pair)
