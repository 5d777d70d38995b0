"""Would-be suppliers, filled in and handed in through the product's own verbs."""

from io import BytesIO
from typing import Any

from PIL import Image
from sqlalchemy import select
from stdnum.cn import uscc

from catalog.entry import applications, lists, registration, steps
from catalog.entry.models import Application, EntryStep
from market import db, files, logins
from market.access import Visitor
from market.parties import Organisation
from tests.world import World


class Entry:
    """An applicant (欧大姐 unless said), her application and the offices that answer it."""

    def __init__(self, world: World, login: str = "apply.ou", county: str = "江永县") -> None:
        self.world, self.login, self.county, self.category = world, login, county, "leaf"

    @property
    def applicant(self) -> Visitor:
        return self.world.person(self.login)

    @property
    def application(self) -> Application:
        return applications.own(self.applicant)

    def paper(self) -> files.StoredFile:
        picture = BytesIO()
        Image.new("RGB", (40, 40), "white").save(picture, "PNG")
        return files.keep(files.prepare(picture.getvalue()), "证.png", "parties", self.applicant,
                          self.world.app.extensions["sijin"].files_dir)

    def fill(self, **who: Any) -> None:
        """Everything a co-operative says."""
        with db.transaction():
            application = applications.held(self.applicant)
            applications.say_who(application, {"supplier_type": "cooperative", "name": "江永县演示新社",
                                               "short_name": "新社", "credit_code": code("93", 1)} | who)
            applications.say_village(application, self.village_code())
            applications.say(application, {"legal_person": "欧大姐", "mobile": "13800001234", "bank_name": "演示银行",
                                           "bank_account": "62000000123", "capacity": "三十亩地，一个冷库"})
            applications.add_good(application, self.good())
            applications.add_linkage(application, {"kind": "buy_back", "households": 30, "note": "高价收购"},
                                     self.paper())
            applications.add_paper(application, "licence", self.paper())

    def good(self, name: str = "香芋") -> dict[str, Any]:
        return {"name": name, "category": self.category, "villages": [self.village_code()], "harvest_months": "10,11",
                "yearly_grams": 20_000_000}

    def village_code(self) -> str:
        return lists.find_villages(self.county, 1)[0].code

    def hand_in(self) -> None:
        with db.transaction():
            applications.submit(applications.held(self.applicant), self.applicant)

    def open(self) -> dict[str, EntryStep]:
        rows = db.session().scalars(select(EntryStep).where(EntryStep.decision.is_(None))
                                    .execution_options(populate_existing=True))
        return {row.step: row for row in rows}

    def decide(self, step: str, login: str, decision: str = "passed", reason: str = "看过") -> None:
        row = self.open()[step]
        with db.transaction():
            steps.decide(row.application_id, {"step_id": row.id, "decision": decision, "reason": reason},
                         self.world.person(login))

    def admit(self) -> None:
        self.hand_in()
        self.decide("township", "township.yan")
        self.decide("agriculture", "farm.luo")
        self.decide("revitalisation", "official.hua")
        self.decide("platform", "system.tao")

    def supplier(self) -> Organisation:
        return db.session().get_one(Organisation, self.applicant.organisation_id, populate_existing=True)


def newcomer(world: World, number: int, county: str = "江永县", category: str = "leaf") -> Entry:
    """Somebody new who has registered, filled everything in and handed it in."""
    with db.transaction():
        said = registration.Newcomer(f"演示新社{number}", f"新人{number}", "13911112222", "x")
        user_id = registration.register(said, None)
    entry = Entry(world, logins.login_of(user_id), county)
    entry.category = category
    entry.fill(name=f"演示新社{number}", credit_code=code("93", number))
    entry.hand_in()
    return entry


def code(kind: str, number: int) -> str:
    """A credit code of a kind with its right check digit."""
    body = f"{kind}431125MA0DEM{number:03d}"
    return body + str(uscc.calc_check_digit(body))
