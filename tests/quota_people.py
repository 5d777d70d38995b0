"""People and rules of the reserved share, added to the named people's world by the tests that want them."""

from itertools import count
from typing import Any

from sqlalchemy import select

from market import clock, db, passwords
from market.access import Visitor
from market.files import StoredFile
from market.parties import DeliveryPoint, Membership, Organisation
from market.places import Division
from market.users import User
from orders.quota import filing, lists, rules
from tests.world import PASSWORD, SCHOOL, World

RULE = {
    "unit_type": "any", "fund_source": "canteen", "year": 2026, "duty": "local", "counts": "local",
    "min_points": 2000, "encouraged_points": 3000, "base": "食堂食材采购总额", "document_name": "演示通知",
    "document_number": "演示〔2026〕1号", "remark": "演示", "with_union": True, "with_staff": True,
}
FILED = {
    "canteen": "own", "union_demand": False, "canteen_base_fen": 100_000, "canteen_points": 2000,
    "union_base_fen": None, "union_points": None, "representative": "", "contractor": "", "contact": "钱主任",
    "phone": "13900001234", "remark": "",
}

_numbers = count(1)


class Office:
    """A finance office over the city, a bureau over the school, and what they do."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.city = db.session().scalars(select(Division.id).where(Division.level == "city")).one()
        self.finance = self.join("永州演示财政局", "budget.ma", "马科员", "official", kind="office",
                                 office_kind="finance")

    def join(self, name: str, login: str, person: str, *roles: str, kind: str = "unit", **more: Any) -> Visitor:
        """An organisation with one person and a delivery point."""
        with db.transaction() as session:
            found = session.scalar(select(Organisation).where(Organisation.name == name))
            one = found or Organisation(kind=kind, name=name, short_name=name, created_at=clock.now(),
                                        division_id=self.city, **more)
            session.add(one)
            session.flush()
            user = User(login=login, name=person, mobile=f"1380000{next(_numbers):04d}",
                        password_hash=passwords.hashed(PASSWORD), created_at=clock.now())
            session.add(user)
            session.flush()
            session.add_all(Membership(user_id=user.id, organisation_id=one.id, role=role) for role in roles)
            if kind == "unit" and found is None:
                session.add(DeliveryPoint(unit_id=one.id, name="后门"))
        return self.world.person(login)

    def rule(self, **changes: Any) -> int:
        with db.transaction():
            return rules.keep({**RULE, **changes}, self.finance, changes.get("replaces"))

    def file(self, by: Visitor, year: int = 2026, *, submit: bool = True, **changes: Any) -> int:
        with db.transaction():
            return filing.save(year, {**FILED, **changes}, by, submit=submit)

    def approve(self, filing_id: int) -> None:
        with db.transaction():
            found = self.row(filing_id)
            filing.decide(found, found.revision, True, "", self.finance)

    def row(self, filing_id: int) -> Any:
        return lists.filing(filing_id)

    def supervise(self, parent: Visitor, unit: str = SCHOOL) -> None:
        with db.transaction() as session:
            session.get_one(Organisation, self.world.organisation_id(unit)).parent_id = parent.organisation_id

    def scan(self) -> int:
        with db.transaction() as session:
            row = StoredFile(name="a" * 32 + ".webp", original_name="批文.jpg", content_type="image/webp",
                             size_bytes=1, sha256="0" * 64, visibility="parties", uploaded_at=clock.now())
            session.add(row)
            session.flush()
            return row.id
