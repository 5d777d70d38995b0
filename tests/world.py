"""A small world of named people on real places. Built once into a template database; every test gets a fresh copy.

永州演示第一小学 (cook 陈师傅) buys from 上江圩 pomelo growers and a 新田 vegetable co-operative.
"""

import secrets
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from catalog.entry import registration
from catalog.papers import keeping
from market import clock, db, logins, passwords, places
from market.access import Visitor
from market.files import StoredFile
from market.households import CoopMember, Household, HouseholdClass
from market.login_frame import TOKEN
from market.parties import DeliveryPoint, Membership, Organisation
from market.places import Division, VillageDesignation
from market.users import User

TODAY = date(2026, 10, 12)
NOON = datetime(2026, 10, 12, 4, 0, tzinfo=UTC)  # midday in Shanghai
DIVISIONS = Path(__file__).parent.parent / "market" / "data" / "yongzhou_divisions.csv"

# organisation key: (kind, name, extra columns)
SCHOOL, HOSPITAL, POMELO, GREENS = "school", "hospital", "pomelo", "greens"
ORGANISATIONS = {
    SCHOOL: ("unit", "永州演示第一小学", {"unit_type": "school"}),
    HOSPITAL: ("unit", "永州演示医院", {"unit_type": "hospital"}),
    POMELO: ("supplier", "江永县演示香柚合作社", {"supplier_type": "cooperative"}),
    GREENS: ("supplier", "新田县演示蔬菜合作社", {"supplier_type": "cooperative"}),
    "newcomers": ("supplier", "江永县演示新社", {"supplier_type": "cooperative", "status": "applying"}),
    "agriculture": ("office", "江永县演示农业农村局", {"office_kind": "agriculture"}),
    "jiangyong": ("office", "江永县演示乡村振兴局", {"office_kind": "revitalisation"}),
    "city": ("office", "永州市演示乡村振兴局", {"office_kind": "city"}),
    "village": ("office", "江永演示村委会", {"office_kind": "village"}),
    "greens_village": ("office", "新田演示村委会", {"office_kind": "village"}),
    "township": ("office", "江永演示乡镇", {"office_kind": "township"}),
    "platform": ("office", "平台", {"office_kind": "platform"}),
}
# login: (name, organisation, roles)
PEOPLE = {
    "cook.chen": ("陈师傅", SCHOOL, ["requester"]),
    "head.li": ("李校长", SCHOOL, ["approver"]),
    "store.wang": ("王保管", SCHOOL, ["receiver"]),
    "aunt.zhao": ("赵阿姨", SCHOOL, ["receiver"]),
    "cashier.sun": ("孙会计", SCHOOL, ["finance"]),
    "admin.qian": ("钱主任", SCHOOL, ["manager"]),
    "cook.wu": ("吴师傅", HOSPITAL, ["requester", "manager"]),
    "store.zheng": ("郑保管", HOSPITAL, ["receiver"]),
    "cashier.feng": ("冯会计", HOSPITAL, ["finance"]),
    "chair.he": ("何社长", POMELO, ["manager"]),
    "clerk.lv": ("吕文书", POMELO, ["clerk"]),
    "chair.shi": ("石社长", GREENS, ["manager"]),
    "clerk.zhang": ("张文书", GREENS, ["clerk"]),
    "books.dong": ("董会计", POMELO, ["accountant"]),  # an agency's: keeps the books of both co-operatives
    "village.kong": ("孔村主任", "village", ["village_officer"]),
    "village.cao": ("曹村主任", "greens_village", ["village_officer"]),
    "township.yan": ("严干事", "township", ["township_officer"]),
    "official.hua": ("华科长", "jiangyong", ["official"]),
    "official.jin": ("金局长", "city", ["official"]),
    "auditor.wei": ("魏审计", "city", ["auditor"]),
    "system.tao": ("陶运维", "platform", ["operator_system"]),
    "security.jiang": ("姜安全", "platform", ["operator_security"]),
    "audit.qi": ("戚审核", "platform", ["operator_audit"]),
    "farm.luo": ("罗科长", "agriculture", ["official"]),
    "apply.ou": ("欧大姐", "newcomers", ["applicant"]),
    "official.liang": ("梁科长", "city", ["official"]),  # the second of the city's office: a month takes two to close
}
SCAN = "演示证照.jpg"  # of papers that the world begins with
PASSWORD = "four-in-Yongzhou"


def build() -> None:
    """Put the world into an empty, migrated database."""
    password_hash = passwords.hashed(PASSWORD)
    with clock.at(NOON), db.transaction() as session:
        places.import_divisions(DIVISIONS)
        villages = _villages()
        organisations = {}
        for key, (kind, name, more) in ORGANISATIONS.items():
            organisation = Organisation(kind=kind, name=name, short_name=name, created_at=clock.now(),
                                        division_id=_division_of(key, villages), **more)
            session.add(organisation)
            organisations[key] = organisation
        session.flush()
        for key in (SCHOOL, HOSPITAL):
            session.add(DeliveryPoint(unit_id=organisations[key].id, name="食堂后门"))
        user_ids = {}
        for number, (login, (name, key, roles)) in enumerate(PEOPLE.items()):
            user = User(login=login, name=name, mobile=f"1390000{number:04d}", password_hash=password_hash,
                        created_at=clock.now())
            session.add(user)
            session.flush()
            user_ids[login] = user.id
            session.add_all(Membership(user_id=user.id, organisation_id=organisations[key].id, role=r) for r in roles)
        session.add(Membership(user_id=user_ids["books.dong"], organisation_id=organisations[GREENS].id,
                               role="accountant"))
        registration.begin(organisations["newcomers"], user_ids["apply.ou"])
        for key in (POMELO, GREENS):
            keep_paper(organisations[key].id, "licence")
        _add_households(organisations[POMELO].id, villages["pomelo_home"], "DEMO-JY")
        _add_households(organisations[POMELO].id, villages["pomelo_next"], "DEMO-JN")
        _add_households(organisations[GREENS].id, villages["greens_home"], "DEMO-XT")
        session.add(VillageDesignation(village_id=villages["pomelo_home"], year=2026, designated=True, source="演示"))


def keep_paper(supplier_id: int, kind: str, until: date | None = None, **about: int) -> int:
    """A paper of a supplier (or of product_id=, lot_id=) that counts, in the caller's transaction; returns its id."""
    scan = StoredFile(name=f"{secrets.token_hex(16)}.webp", original_name=SCAN, content_type="image/webp",
                      size_bytes=1, sha256="0" * 64, visibility="parties", uploaded_at=clock.now(),
                      organisation_id=supplier_id)
    db.session().add(scan)
    db.session().flush()
    said = {"kind": kind, "number": "DEMO-001", "issuer": "演示市场监管局", "issued_on": date(2025, 1, 1),
            "valid_until": until, **about}
    return keeping.add(said, scan.id, supplier_id, None).id


def uploads() -> list[StoredFile]:
    """The files that a test has stored, without the scans of the world's own papers."""
    return list(db.session().scalars(
        select(StoredFile).where(StoredFile.original_name != SCAN).order_by(StoredFile.id)))


def _villages() -> dict[str, int]:
    """The first villages of two counties, by key."""
    def first(county: str, count: int) -> list[int]:
        return list(db.session().scalars(
            select(Division.id).where(Division.level == "village", Division.kind == "village",
                                      Division.code.startswith(county)).order_by(Division.code).limit(count)))

    home, following = first("431125", 2)
    greens = first("431128", 1)[0]
    return {"pomelo_home": home, "pomelo_next": following, "greens_home": greens}


def _division_of(key: str, villages: dict[str, int]) -> int | None:
    if key == "newcomers":
        return None  # has not said yet where it is at home
    village = {POMELO: "pomelo_home", GREENS: "greens_home", "village": "pomelo_home",
               "greens_village": "greens_home"}.get(key)
    if village:
        return villages[village]
    session = db.session()
    home = session.get_one(Division, villages["pomelo_home"])
    code = {"jiangyong": home.county_id, "agriculture": home.county_id, "township": home.township_id}.get(key)
    return code or session.scalar(select(Division.id).where(Division.level == "city"))


def _add_households(supplier_id: int, village_id: int, prefix: str) -> None:
    """Six registered households and two ordinary ones, all members of the co-operative."""
    session = db.session()
    taken = session.scalar(select(func.count()).select_from(CoopMember)
                           .where(CoopMember.supplier_id == supplier_id)) or 0
    for number in range(1, 9):
        registered = number <= 6
        household = Household(village_id=village_id, register_code=f"{prefix}-{number:04d}" if registered else None,
                              head_name=f"{prefix[-2:]}户{number}", people=1 + number % 5)
        session.add(household)
        session.flush()
        session.add(CoopMember(supplier_id=supplier_id, household_id=household.id, member_no=f"M{taken + number:03d}"))
        if registered:
            session.add(HouseholdClass(household_id=household.id, year=2026,
                                       household_class="stable" if number % 2 else "consolidate"))


class World:
    """Handles on the named people and things of a fresh copy."""

    def __init__(self, app: Flask) -> None:
        self.app = app

    def person(self, login: str) -> Visitor:
        visitor = logins.visitor_of_login(login)
        assert visitor is not None, login
        return visitor

    def organisation_id(self, key: str) -> int:
        found = db.session().scalar(select(Organisation.id).where(Organisation.name == ORGANISATIONS[key][1]))
        assert found is not None, key
        return found

    def delivery_point_id(self, key: str = SCHOOL) -> int:
        found = db.session().scalar(select(DeliveryPoint.id)
                                    .where(DeliveryPoint.unit_id == self.organisation_id(key)))
        assert found is not None
        return found

    @cached_property
    def villages(self) -> dict[str, int]:
        """'pomelo_home', 'pomelo_next', 'greens_home' by id."""
        return _villages()

    def household_id(self, register_code: str) -> int:
        found = db.session().scalar(select(Household.id).where(Household.register_code == register_code))
        assert found is not None, register_code
        return found

    def logged_in(self, login: str) -> FlaskClient:
        """A browser in which this person is logged in."""
        visitor = self.person(login)
        client = self.app.test_client()
        with db.transaction():
            token = logins.open_session(visitor.id, visitor.organisation_id)
        with client.session_transaction() as cookie:
            cookie[TOKEN] = token
        return client

    def api_headers(self, login: str) -> dict[str, str]:
        """Headers by which this person calls the API."""
        visitor = self.person(login)
        with db.transaction():
            token = logins.issue_api_token(visitor.id, visitor.organisation_id)
        return {"Authorization": f"Bearer {token}"}
