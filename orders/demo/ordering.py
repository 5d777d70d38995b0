"""The showcase school's weekly lists, and what its kitchen calls things: so that these pages show something."""

from market import clock, db, money
from orders.demo.year import SEASONS, Book
from orders.ordering import learning, weekly
from orders.ordering.drafts import Want
from orders.ordering.weekly import MOST_LINES, Entry

LISTS = (("周一菜单（演示）", 1), ("周三菜单（演示）", 3))


def keep_lists(book: Book) -> None:
    """Two lists out of the season's menu, by weekday, and one word of the kitchen's own."""
    unit = next(iter(book.facts.units.values()))
    cook = book.settled.person(unit.key, "requester")
    with clock.at(clock.shanghai(book.last, 10)), db.transaction():
        for name, weekday in LISTS:
            entries = _of_weekday(book, unit.type, unit.people, weekday)
            if entries:
                weekly.make(name, entries, cook)
                learning.remember([Want(entries[0].product_id, None, word="老样子")], cook)


def _of_weekday(book: Book, unit_type: str, people: int, weekday: int) -> list[Entry]:
    """What is eaten on a weekday, in whole steps; goods not on sale this month are left out."""
    found = {}
    for line in book.facts.menu(unit_type, SEASONS[book.last.month]):
        good = book.facts.goods[line.goods_key]
        if weekday in line.weekdays and book.last.month in book.facts.sale_months(good):
            wanted = money.part_of(line.quantity_milli_per_100, people * 100)  # people are percents of a hundred
            steps = max(wanted // good.step_milli, -(-good.minimum_milli // good.step_milli))
            found[book.products[line.goods_key]] = Entry(book.products[line.goods_key], steps * good.step_milli)
    return list(found.values())[:MOST_LINES]
