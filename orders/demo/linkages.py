"""What waits for a village in the invented world: a linkage, a share of the collective, a wage, a minus entry."""

from sqlalchemy import select

from market import clock, db
from orders.demo import handing_on
from orders.demo.year import Book
from orders.income import corrections, declarations
from orders.income import linkages as ties
from orders.linkages import proposals
from orders.models import IncomeDeclaration


def leave_waiting(book: Book) -> None:
    """The first co-operative and the first of its villages."""
    key, coop = next(iter(book.facts.coops.items()))
    code, chair, proof = coop.village_codes[0], book.settled.person(key, "manager"), book.proofs[key]
    village, household = book.settled.villages[code], book.settled.households[key, code][-1]
    handing_on.tie(book, key, code, household, "wage")
    with db.transaction():
        ties.enter(ties.Tie(village, household, "direct_support", "guidance", book.last, proof), chair)
        proposals.propose(proposals.Proposed(village, 400, book.last, "演示决议 7 号", proof), chair)
        declarations.declare(declarations.Declared(household, "wage", clock.period_of(book.last), 36_000, proof), chair)
        for declared in db.session().scalars(select(IncomeDeclaration).where(
                IncomeDeclaration.supplier_id == chair.organisation_id, IncomeDeclaration.confirmed_at.is_not(None))
                .order_by(IncomeDeclaration.id.desc()).limit(20)):
            if corrections.left_fen(declared) >= 1_000:
                corrections.ask(declared.id, 1_000, "演示：多写了 10 元", chair)
                return
