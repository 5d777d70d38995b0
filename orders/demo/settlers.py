"""The demo world's people: organisations, logins, households, who acts for whom. Written in bulk into an empty site."""

from dataclasses import dataclass, field
from random import Random
from typing import Any

from sqlalchemy import select
from stdnum.cn import uscc

from market import clock, db, logins, passwords
from market.access import Visitor
from market.households import CoopMember, Household, HouseholdClass
from market.parties import DeliveryPoint, Membership, Organisation
from market.places import Division, VillageDesignation
from market.users import User
from orders.demo.fact_rows import Facts
from orders.demo.households import GIVEN, SURNAMES, DemoHousehold, households

PASSWORD = "sijin-demo-2026"  # noqa: S105 - printed for everybody; the demo world holds nothing to protect
YEARS = range(2014, 2031)


@dataclass
class Settlement:
    """Ids of what was settled, by the keys of the fact files."""

    organisations: dict[str, int] = field(default_factory=dict)
    villages: dict[str, int] = field(default_factory=dict)  # by code
    points: dict[str, int] = field(default_factory=dict)  # delivery point by unit key
    people: dict[tuple[str, str], list[str]] = field(default_factory=dict)  # (organisation, role): logins
    households: dict[tuple[str, str], list[int]] = field(default_factory=dict)  # (co-operative, village code): ids
    officers: dict[str, str] = field(default_factory=dict)  # village code: login of an officer for it
    _visitors: dict[str, Visitor] = field(default_factory=dict)

    def person(self, organisation: str, role: str, number: int = 0) -> Visitor:
        """Somebody who acts for an organisation in a role."""
        return self.visitor(self.people[organisation, role][number], self.organisations[organisation])

    def visitor(self, login: str, organisation_id: int | None = None) -> Visitor:
        if login not in self._visitors:
            found = logins.visitor_of_login(login, organisation_id)
            if found is None:
                raise LookupError(login)
            self._visitors[login] = found
        return self._visitors[login]


def settle(facts: Facts) -> Settlement:
    """Put everybody in, in the caller's transaction."""
    settled = Settlement()
    divisions = _divisions()
    townships = _townships(facts, divisions)
    _settle_organisations(facts, townships, divisions, settled)
    _settle_people(facts, townships, settled)
    _settle_households(facts, divisions, settled)
    settled.villages = {code: divisions[code].id for code in facts.villages}
    settled.officers = {code: f"township.{divisions[code].code[:9]}" for code in facts.villages}
    return settled


def _divisions() -> dict[str, Any]:
    rows = db.session().execute(
        select(Division.id, Division.code, Division.name, Division.township_id).where(Division.valid_to.is_(None)))
    return {row.code: row for row in rows}


def _townships(facts: Facts, divisions: dict[str, Any]) -> dict[str, Any]:
    """The townships of all supplying villages, by nine-digit code: each gets an office, so that every lot and payout
    finds a person near the village who confirms it."""
    by_id = {row.id: row for row in divisions.values()}
    return {code[:9]: by_id[divisions[code].township_id] for code in facts.villages}


def _settle_organisations(facts: Facts, townships: dict[str, Any], divisions: dict[str, Any],
                          settled: Settlement) -> None:
    blank = dict.fromkeys(("credit_code", "unit_type", "supplier_type", "office_kind", "parent_id", "division_id",
                           "approval_limit_fen"))
    blank |= {"phone": "", "about": "", "bank_name": "", "bank_account": "", "receiving_scheme": "two_receivers",
              "over_tolerance_points": 500, "status": "active", "created_at": clock.now()}
    rows: dict[str, dict[str, Any]] = {}
    for key, unit in facts.units.items():
        rows[key] = blank | {"kind": "unit", "name": unit.name, "short_name": unit.name, "unit_type": unit.type,
                             "division_id": divisions[unit.county_code + "000000"].id,
                             "receiving_scheme": unit.receiving_scheme, "credit_code": _credit_code("12", len(rows))}
    for key, coop in facts.coops.items():
        rows[key] = blank | {
            "kind": "supplier", "name": coop.name, "short_name": coop.short_name, "supplier_type": coop.type,
            "division_id": divisions[coop.home_village_code].id, "phone": coop.phone,
            "credit_code": _credit_code("93", len(rows)), "bank_name": "演示农商银行",
            "bank_account": f"6200 0000 {len(rows):04d} 演示"}
    for key, office in facts.offices.items():
        division = divisions.get(office.division_code)
        rows[key] = blank | {"kind": "office", "name": office.name, "short_name": office.name,
                             "office_kind": office.kind, "division_id": division.id if division else None}
    for code, township in townships.items():
        name = f"{township.name}（演示）乡村振兴办"
        rows["township-" + code] = blank | {"kind": "office", "name": name, "short_name": name,
                                            "office_kind": "township", "division_id": township.id}
    ids = db.insert_returning_ids(Organisation, list(rows.values()))
    settled.organisations = dict(zip(rows, ids, strict=True))
    keys = list(facts.units)
    points = db.insert_returning_ids(DeliveryPoint, [
        {"unit_id": settled.organisations[key], "name": facts.units[key].delivery_point, "address": "",
         "division_id": rows[key]["division_id"]} for key in keys])
    settled.points = dict(zip(keys, points, strict=True))


def _credit_code(kind: str, number: int) -> str:
    """A code of the right form over an area that does not exist, so that it belongs to nobody."""
    body = f"{kind}000000DEM{number:06d}"
    return body + str(uscc.calc_check_digit(body))


def _settle_people(facts: Facts, townships: dict[str, Any], settled: Settlement) -> None:
    people = [(p.login, p.name, p.organisation, p.roles) for p in facts.people.values()]
    for code in townships:
        chance = Random(f"officer of {code}")
        people.append((f"township.{code}", chance.choice(SURNAMES) + chance.choice(GIVEN), "township-" + code,
                       ("township_officer",)))
    one_hash = passwords.hashed(PASSWORD)
    ids = db.insert_returning_ids(User, [
        {"login": login, "name": name, "mobile": None, "password_hash": one_hash, "pin_hash": None,
         "totp_secret": None, "totp_last_step": 0, "failed_count": 0, "locked_until": None,
         "created_at": clock.now()} for login, name, _organisation, _roles in people])
    memberships = []
    for (login, _name, organisation, roles), user_id in zip(people, ids, strict=True):
        for role in roles:
            memberships.append({"user_id": user_id, "organisation_id": settled.organisations[organisation],
                                "role": role})
            settled.people.setdefault((organisation, role), []).append(login)
    db.insert_rows(Membership, memberships)


def _settle_households(facts: Facts, divisions: dict[str, Any], settled: Settlement) -> None:
    everyone = households(facts)
    ids = db.insert_returning_ids(Household, [
        {"village_id": divisions[h.village_code].id, "register_code": h.register_code or None,
         "head_name": h.head_name, "people": h.people} for h in everyone])
    db.insert_rows(CoopMember, [
        {"supplier_id": settled.organisations[h.coop_key], "household_id": i, "member_no": h.member_no}
        for h, i in zip(everyone, ids, strict=True)])
    db.insert_rows(HouseholdClass, [
        {"household_id": i, "year": year, "household_class": name}
        for h, i in zip(everyone, ids, strict=True) for year, name in h.class_by_year.items()])
    for household, new_id in zip(everyone, ids, strict=True):
        settled.households.setdefault(_home_of(household), []).append(new_id)
    db.insert_rows(VillageDesignation, [
        {"village_id": divisions[code].id, "year": year, "designated": True, "source": "演示数据"}
        for code, village in facts.villages.items() if village.designated_from
        for year in YEARS if year >= village.designated_from])


def _home_of(household: DemoHousehold) -> tuple[str, str]:
    return household.coop_key, household.village_code
