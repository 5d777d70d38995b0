"""The demo world's four eyes: a school's steps, a purchase that waits for them, a changed order, a limit to check."""

from datetime import date

from sqlalchemy import select

from market import clock, db
from market.parties import Membership
from market.places import Division
from orders.approving import amending, rules, schemes, tenders
from orders.approving.rules import Rule
from orders.demo import year
from orders.models import Order, OrderLine

SCHOOL, SMALL = "school-1", "agency-6"
STEPS = (Rule("any", 500_000, "approver"), Rule("any", 2_000_000, "leader"), Rule("union", 100_000, "approver"))
# domain.md 4.5 names the figure with its source; nobody has checked it against the original
HUNAN_2025 = {"year": 2025, "category": "", "limit_fen": 50_000_000,
              "document": "演示数据，未经核对：湖南省政府集中采购目录及采购限额标准（2025）"}


def approve_in_steps(book: year.Book, today: date) -> None:
    """After the year has been traded: from now on the school approves in steps."""
    settled = book.settled
    with clock.at(clock.shanghai(today, 9)), db.transaction() as session:
        leader = settled.person(SCHOOL, "manager")
        session.add(Membership(user_id=leader.id, organisation_id=leader.organisation_id, role="leader"))
        rules.replace(STEPS, leader)
        hunan = session.scalars(select(Division.id).where(Division.level == "province")).one()
        tenders.put({"division_id": hunan, **HUNAN_2025}, settled.person("city-finance", "official"))
        manager = settled.person(SMALL, "manager")
        if schemes.of_unit(manager.organisation_id) == "two_receivers":
            schemes.declare("reduced", "演示：全单位只有三人", today, manager)
    _change_one(book, today)


def _change_one(book: year.Book, today: date) -> None:
    """An order still to be packed loses a little, as kitchens ask for every day."""
    key_of = {number: key for key, number in book.settled.organisations.items()}
    with clock.at(clock.shanghai(today, 9)):
        found = db.session().execute(
            select(OrderLine.id, OrderLine.order_id, OrderLine.ordered_milli, Order.unit_id)
            .join(Order, Order.id == OrderLine.order_id)
            .where(Order.state == "placed", Order.delivery_day > today, OrderLine.ordered_milli >= 20_000)
            .order_by(OrderLine.id).limit(1)).first()
        if found is None:
            return
        with db.transaction():
            amending.amend(found.order_id, {found.id: found.ordered_milli - 10_000}, [], "演示：少来几个人",
                           book.settled.person(key_of[found.unit_id], "requester"))
