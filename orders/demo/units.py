"""What the demo's first unit has put in order: a sub-unit that waits, a contractor, doors with words, a hand-over."""

from datetime import timedelta

from stdnum.cn import uscc

from market import clock, db
from market.parties import DeliveryPoint
from orders.demo.year import Book
from orders.units import contractors, doors, handover, people, tree
from orders.units.contractors import Term
from orders.units.people import Person


def keep_in_order(book: Book) -> None:
    """The showcase unit's manager at work on the last day; every name is invented."""
    key = next(iter(book.facts.units))
    by = book.settled.person(key, "manager")
    with clock.at(clock.shanghai(book.last, 15)), db.transaction() as session:
        door = session.get_one(DeliveryPoint, book.settled.points[key])
        doors.change(door.id, {"name": door.name, "address": "学院路 1 号（演示）", "contact": "食堂值班", "phone": "",
                               "window_note": "货车走北门，7:00 前到", "division_id": door.division_id}, by)
        tree.add_sub_unit({"name": "演示分校食堂", "credit_code": _credit_code(), "unit_type": "school"},
                          Person("方老师", "13900009001"), by)
        today = clock.today()
        contractors.add(Person("卢师傅", "13900009002"), Term(
            "永州演示餐饮服务有限公司", "JY1431100DEMO01", today, today, today + timedelta(days=300)), by)
        successor = people.add(Person("周老师", "13900009003"), ["receiver"], by)
        receiver = book.settled.person(key, "receiver")
        handover.plan(receiver.id, successor, today + timedelta(days=14), "轮岗（演示）", by)


def _credit_code() -> str:
    body = "12000000DEM900001"  # an area that does not exist, so that the code belongs to nobody
    return body + str(uscc.calc_check_digit(body))
