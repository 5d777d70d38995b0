"""The demo world's late payments and goods that nobody has looked at, through the verbs that people use."""

from datetime import timedelta

from orders.demo import year

NEVER_PAID = ((82, 3), (52, 1), (38, 4), (33, 2))  # delivered so many days before the last, to which unit
NOT_ACCEPTED = ((12, 2), (9, 5))


def leave_late(book: year.Book) -> None:
    """What a few units have not paid for weeks, and what lies at two doors; fresh goods, cut for the order."""
    units = list(book.facts.units.values())
    for days, at in (*NEVER_PAID, *NOT_ACCEPTED):
        year.trade_fresh(book, units[at % len(units)], book.last - timedelta(days=days),
                         accepted=(days, at) in NEVER_PAID)
