"""代理记账 in the invented world: one accountant keeps the books of the first three co-operatives. No fee is ruled."""

from sqlalchemy import select

from market import db
from market.parties import Membership
from market.users import User
from orders.demo.year import Book

CO_OPERATIVES = 3


def keep_books(book: Book) -> None:
    """The accountant of the first co-operative keeps the next two's books as well."""
    first, *others = list(book.facts.coops)[:CO_OPERATIVES]
    login = book.settled.person(first, "accountant").login
    user_id = db.session().scalars(select(User.id).where(User.login == login)).one()
    with db.transaction() as session:
        session.add_all(Membership(user_id=user_id, organisation_id=book.settled.organisations[key], role="accountant")
                        for key in others)
