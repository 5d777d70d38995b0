"""Sub-units and trading accounts by the table: one row a person, with the unit the person acts for.

A unit is the visitor's own or one below it, known by its credit code; an unknown one is made and waits for admission.
New people get their first codes on the page of people, to be printed once.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from marshmallow import ValidationError, fields
from sqlalchemy import func, select

from catalog.importing import lookups
from catalog.importing.kinds import CHOOSE, TWICE, Column, Fault, Kind, Offer, Plan, Planned, accepted
from market import clock, credentials, db, journal, outbox, passwords
from market.access import Visitor
from market.errors import N_
from market.parties import UNIT_TYPES, DeliveryPoint, Membership, Organisation
from market.schemas import Choice, CreditCode, EmailAddress, Input, Mobile, Words
from market.sheet_input import Rows
from market.users import User
from orders import families
from orders.units import admission, people
from orders.units.models import UnitApplication

# how a role is written in a cell, Chinese and English
ROLE_WORDS: Mapping[str, tuple[str, str]] = {
    "manager": ("管理", "manages"), "requester": ("下单", "orders"), "approver": ("审批", "approves"),
    "leader": ("领导审批", "decides"), "receiver": ("验收", "receives"), "finance": ("付款", "pays"),
}
TYPE_WORDS: Mapping[str, tuple[str, str]] = {
    "agency": ("机关", "agency"), "school": ("学校", "school"), "hospital": ("医院", "hospital"),
    "enterprise": ("企业", "enterprise"), "community": ("社区", "community"),
}
_ROLES = accepted((said, role) for role, pair in ROLE_WORDS.items() for said in (role, *pair))
_BETWEEN = re.compile(r"[、,，;；/ ]+")
OTHER_NAME = N_("Row %(line)s calls the unit with this credit code %(name)s.")
KNOWN_NAME = N_("The unit with this credit code is called %(name)s.")
OTHER_PERSON = N_("This mobile number is %(name)s's.")

COLUMNS = (
    Column("unit_name", "单位名称", "Unit", required=True, example="永州示例小学"),
    Column("credit_code", "统一社会信用代码", "Credit code", "code", required=True, example=""),
    Column("unit_type", "单位类型", "Type of unit", required=True, offer="types", example="学校"),
    Column("parent", "上级单位", "Supervising unit", offer="parents", note=N_("Empty: your own unit.")),
    Column("name", "姓名", "Name", required=True, example="张三"),
    Column("mobile", "手机", "Mobile", "code", required=True, example="13900000000"),
    Column("email", "邮箱", "E-mail", example=""),
    Column("roles", "角色", "Roles", required=True, offer="roles", example="下单、验收",
           note=N_("Several in one cell, with 、 between them.")),
    Column("door", "收货地点", "Delivery point", note=N_("Added to the unit where it has none of this name.")),
)


class RolesText(fields.Field[str]):
    """Roles in one cell, as their Chinese words in a fixed order."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **_: Any) -> str:
        said = [word for word in _BETWEEN.split(value.strip().lower()) if word] if isinstance(value, str) else []
        if not said or any(word not in _ROLES for word in said):
            raise ValidationError(CHOOSE)
        return in_words(_ROLES[word] for word in said)


def in_words(roles: Iterable[str]) -> str:
    """Roles as a cell holds them.

    >>> in_words(["receiver", "requester"])
    '下单、验收'
    """
    held = set(roles)
    return "、".join(zh for role, (zh, _en) in ROLE_WORDS.items() if role in held)


class PersonRow(Input):
    """A person and the unit the person acts for."""

    unit_name = Words(longest=60, required=True)
    credit_code = CreditCode(required=True)
    unit_type = Choice(UNIT_TYPES, required=True)
    parent = Words(longest=60, load_default="")
    name = Words(longest=20, required=True)
    mobile = Mobile(longest=11, required=True)
    email = EmailAddress(longest=254, load_default="")
    roles = RolesText(required=True)
    door = Words(longest=40, load_default="")


def offers(by: Visitor) -> Mapping[str, Offer]:
    return {
        "types": Offer([TYPE_WORDS[name] for name in UNIT_TYPES],
                       accepted((said, name) for name, pair in TYPE_WORDS.items() for said in (name, *pair))),
        "parents": Offer([(row.name, row.short_name) for row in _tree(by).values()], {}),
        "roles": Offer(list(ROLE_WORDS.values()), {}),
    }


# ---- checking -------------------------------------------------------------------------------------------------------


@dataclass
class Known:
    """What a table is compared with, in a fixed number of statements."""

    tree: Mapping[str, Any]  # own and sub-units by credit code
    parents: Mapping[str, int]
    codes: frozenset[str]  # credit codes of all others
    people: Mapping[str, Any]  # by mobile number: id, name
    emails: Mapping[str, int]
    roles: Mapping[tuple[int, int], frozenset[str]]  # by person and unit
    said: dict[tuple[str, str], int] = field(default_factory=dict)
    units: dict[str, tuple[int, str]] = field(default_factory=dict)  # new ones by code: first row and name


def match(rows: Rows, by: Visitor) -> Plan:
    """Compare with the unit's tree and with everybody's mobile numbers, addresses and credit codes.

    Raises NotYetAdmitted.
    """
    people.need_admitted(by)
    known, plan = _known(rows, by), Plan()
    for line, values in rows.loaded.items():
        faults = [*_unit_faults(line, values, known), *_person_faults(line, values, known)]
        unit, person = known.tree.get(values["credit_code"]), known.people.get(values["mobile"])
        parent_id = known.parents.get(values["parent"].lower(), by.organisation_id)
        planned = {**values, "unit_id": unit.id if unit else None, "user_id": person.id if person else None,
                   "parent_id": parent_id}
        held = known.roles.get((person.id, unit.id), frozenset()) if person and unit else frozenset()
        wanted = frozenset(_ROLES[word] for word in values["roles"].split("、"))
        if "contractor" in held:
            faults.append(Fault(line, "roles", N_("A contractor's person is changed on the page of people.")))
        if faults:
            plan.faults += faults
        elif held >= wanted:
            plan.unchanged += 1
        elif held:
            plan.changed.append(Planned(line, planned, person, ("roles",), {**values, "roles": in_words(held)}))
        else:
            plan.new.append(Planned(line, planned))
    return plan


def _unit_faults(line: int, values: Mapping[str, Any], known: Known) -> Iterator[Fault]:
    code, unit = values["credit_code"], known.tree.get(values["credit_code"])
    if values["parent"] and values["parent"].lower() not in known.parents:
        yield Fault(line, "parent", CHOOSE)
    if unit is not None:
        if lookups.normal(unit.name) != values["unit_name"]:
            yield Fault(line, "unit_name", KNOWN_NAME, {"name": unit.name})
        return
    if code in known.codes:
        yield Fault(line, "credit_code", admission.CODE_TAKEN)
    first, name = known.units.setdefault(code, (line, values["unit_name"]))
    if name != values["unit_name"]:
        yield Fault(line, "unit_name", OTHER_NAME, {"line": first, "name": name})


def _person_faults(line: int, values: Mapping[str, Any], known: Known) -> Iterator[Fault]:
    for name in ("mobile", "email"):
        said = values[name].lower()
        if said and (first := known.said.setdefault((name, said), line)) != line:
            yield Fault(line, name, TWICE, {"line": first})
    person = known.people.get(values["mobile"])
    if person is not None and not any(user_id == person.id for user_id, _unit in known.roles):
        yield Fault(line, "mobile", credentials.MOBILE_TAKEN)
    elif person is not None and lookups.normal(person.name) != values["name"]:
        yield Fault(line, "mobile", OTHER_PERSON, {"name": person.name})
    owner = known.emails.get(values["email"].lower())
    if owner is not None and (person is None or owner != person.id):
        yield Fault(line, "email", credentials.EMAIL_TAKEN)


def _known(rows: Rows, by: Visitor) -> Known:
    said = list(rows.loaded.values())
    tree = _tree(by)
    ids = [row.id for row in tree.values()]
    read = db.session().execute
    codes = {values["credit_code"] for values in said} - set(tree)
    taken = {row.credit_code for row in read(select(Organisation.credit_code).where(
        Organisation.credit_code.in_(codes)))}
    people = {row.mobile: row for row in read(select(User.id, User.name, User.mobile).where(
        User.mobile.in_({values["mobile"] for values in said})))}
    lowered = func.lower(User.email)
    emails = {row.email: row.id for row in read(select(User.id, lowered.label("email")).where(
        lowered.in_({values["email"].lower() for values in said} - {""})))}
    held: dict[tuple[int, int], set[str]] = {}
    for row in read(select(Membership.user_id, Membership.organisation_id, Membership.role).where(
            Membership.organisation_id.in_(ids))):
        held.setdefault((row.user_id, row.organisation_id), set()).add(row.role)
    parents = {name.lower(): row.id for row in tree.values() for name in (row.name, row.short_name)}
    return Known(tree, parents, frozenset(taken), people, emails,
                 {key: frozenset(roles) for key, roles in held.items()})


def _tree(by: Visitor) -> dict[str, Any]:
    """The visitor's own unit and those below it by credit code, or the one they applied with."""
    code = func.coalesce(Organisation.credit_code, UnitApplication.credit_code)
    query = (
        select(Organisation.id, Organisation.name, Organisation.short_name, Organisation.unit_type, code.label("code"),
               Organisation.parent_id)
        .outerjoin(UnitApplication, UnitApplication.unit_id == Organisation.id)
        .where(Organisation.kind == "unit", families.is_within(by.organisation_id)).order_by(Organisation.id))
    return {row.code or f"#{row.id}": row for row in db.session().execute(query)}


# ---- writing --------------------------------------------------------------------------------------------------------


def write(plan: Plan, by: Visitor) -> None:
    """New units with their applications, new logins without a password, roles, doors."""
    rows = sorted([*plan.new, *plan.changed], key=lambda row: row.line)
    unit_ids = _write_units(rows, by)
    placed = [(row, row.values["unit_id"] or unit_ids[row.values["credit_code"]]) for row in rows]
    user_ids = _write_users([row for row in rows if row.values["user_id"] is None], by)
    given = [{"user_id": row.values["user_id"] or user_ids[row.values["mobile"]], "organisation_id": unit_id,
              "role": _ROLES[word]} for row, unit_id in placed for word in row.values["roles"].split("、")]
    db.session().execute(db.insert_new(Membership), given)
    _write_doors([(unit_id, row.values["door"]) for row, unit_id in placed if row.values["door"]])
    journal.record_many([("person.added", "user", one["user_id"], {"unit_id": one["organisation_id"],
                          "roles": [one["role"]]}) for one in given], by)


def _write_units(rows: Sequence[Planned], by: Visitor) -> dict[str, int]:
    first: dict[str, Planned] = {}
    for row in rows:
        if row.values["unit_id"] is None:
            first.setdefault(row.values["credit_code"], row)
    now = clock.now()
    ids = db.insert_returning_ids(Organisation, [
        {"kind": "unit", "name": row.values["unit_name"], "short_name": row.values["unit_name"],
         "unit_type": row.values["unit_type"], "parent_id": row.values["parent_id"], "division_id": by.division_id,
         "contact_name": row.values["name"], "phone": row.values["mobile"], "about": "", "bank_name": "",
         "bank_account": "", "receiving_scheme": "two_receivers", "over_tolerance_points": 500,
         "status": "applying", "created_at": now} for row in first.values()])
    made = dict(zip(first, ids, strict=True))
    applications = db.insert_returning_ids(UnitApplication, [
        {"unit_id": unit_id, "state": "waiting", "credit_code": code, "supervising_code": "", "mobile": "",
         "sent_at": now, "reason": ""} for code, unit_id in made.items()])
    for application_id in applications:
        outbox.enqueue(admission.CHANGED, {"application_id": application_id, "state": "waiting"})
    journal.record_many([("unit.applied", "organisation", unit_id, {"credit_code": code})
                         for code, unit_id in made.items()], by)
    return made


def _write_users(rows: Sequence[Planned], by: Visitor) -> dict[str, int]:
    names = credentials.free_logins([row.values["name"] for row in rows])
    ids = db.insert_returning_ids(User, [
        {"login": login, "name": row.values["name"], "mobile": row.values["mobile"], "email": row.values["email"],
         "password_hash": passwords.NONE_YET, "totp_last_step": 0, "failed_count": 0, "created_at": clock.now()}
        for login, row in zip(names, rows, strict=True)])
    journal.record_many([("login.created", "user", user_id, {"login": login})
                         for user_id, login in zip(ids, names, strict=True)], by)
    return dict(zip((row.values["mobile"] for row in rows), ids, strict=True))


def _write_doors(wanted: Sequence[tuple[int, str]]) -> None:
    there = {(row.unit_id, row.name) for row in db.session().execute(
        select(DeliveryPoint.unit_id, DeliveryPoint.name).where(
            DeliveryPoint.unit_id.in_({unit_id for unit_id, _name in wanted}), DeliveryPoint.closed_at.is_(None)))}
    db.insert_rows(DeliveryPoint, [
        {"unit_id": unit_id, "name": name, "address": "", "contact": "", "phone": "", "window_note": ""}
        for unit_id, name in sorted({*wanted} - there)])


def export(by: Visitor) -> Iterable[Sequence[Any]]:
    """Everybody of the unit and its sub-units but contractors, as the table takes them in."""
    tree = {row.id: row for row in _tree(by).values()}
    people: dict[tuple[int, int], list[str]] = {}
    facts: dict[int, Any] = {}
    for row in db.session().execute(
            select(User.id, User.name, User.mobile, User.email, Membership.organisation_id, Membership.role)
            .join(Membership, Membership.user_id == User.id)
            .where(Membership.organisation_id.in_(tree), Membership.role != "contractor")
            .order_by(Membership.organisation_id, User.id)):
        facts[row.id] = row
        people.setdefault((row.organisation_id, row.id), []).append(row.role)
    for (unit_id, user_id), roles in people.items():
        unit, person = tree[unit_id], facts[user_id]
        yield (unit.name, "" if unit.code is None else unit.code, TYPE_WORDS[unit.unit_type or "agency"][0],
               tree[unit.parent_id].name if unit.parent_id in tree else "", person.name, person.mobile or "",
               person.email, in_words(roles), "")


KIND = Kind(
    "unit_people", N_("Sub-units and people"),
    N_("One row a person. An unknown credit code makes a sub-unit, which waits for admission."), "unit.manage",
    COLUMNS, PersonRow, offers, match, write, export, "units.people_page")
KINDS: Mapping[str, Kind] = {KIND.name: KIND}
