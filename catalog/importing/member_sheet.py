"""Members of a co-operative by the table: ordinary households by member number, registered ones found by their code.

A registered household's facts are the register's: it joins only where code, name, village and size agree, and a wrong
guess is answered like a code that nobody has.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, select, update

from catalog.importing import lookups
from catalog.importing.kinds import CHOOSE, TWICE, Column, Fault, Kind, Offer, Plan, Planned
from catalog.importing.lookups import normal
from catalog.schemas import VillageCode
from market import db, journal, sealing
from market.access import Visitor
from market.errors import N_
from market.households import CoopMember, Household
from market.places import Division
from market.schemas import Input, Whole, Words
from market.sheet_input import Rows

NOT_REGISTERED = N_("No registered household has this code, name, village and number of people.")
STAYS = N_("For a known member this stays as it is.")
KEPT_ELSEWHERE = N_("This household is registered, or also another co-operative's member: its facts stay.")
MEMBER_ALREADY = N_("This household is already your member %(number)s.")

COLUMNS = (
    Column("member_no", "社员号", "Member number", required=True, example=""),
    Column("head_name", "户主姓名", "Name", required=True, example="张三"),
    Column("village", "村", "Village", "code", required=True, offer="villages", example=""),
    Column("people", "人口", "People", "count", required=True, example="4"),
    Column("register_code", "建档立卡编号", "Register code", "code", note=N_(
        "Only for registered households; empty for all others.")),
)


class MemberRow(Input):
    """A household with its member number."""

    member_no = Words(longest=16, required=True)
    head_name = Words(longest=40, required=True)
    village = VillageCode(longest=12, required=True)
    people = Whole(low=1, high=30, required=True)
    register_code = Words(longest=32, load_default="")


def offers(by: Visitor) -> Mapping[str, Offer]:
    return {"villages": lookups.village_offer(by)}


def match(rows: Rows, by: Visitor) -> Plan:
    """Compare with the members by number, and register codes with the register."""
    members = _members(by)
    homes = {row.household_id: row.member_no for row in members.values()}
    registered = _registered(values["register_code"] for values in rows.loaded.values())
    villages = lookups.village_ids(values["village"] for values in rows.loaded.values())
    plan, said = Plan(), dict[tuple[str, str], int]()
    for line, values in rows.loaded.items():
        faults = [Fault(line, name, TWICE, {"line": said[name, values[name]]})
                  for name in ("member_no", "register_code")
                  if values[name] and said.setdefault((name, values[name]), line) != line]
        village_id = villages.get(values["village"])
        if village_id is None:
            faults.append(Fault(line, "village", CHOOSE))
        known = members.get(values["member_no"])
        facts = {"head_name": values["head_name"], "people": values["people"], "village_id": village_id,
                 "register_code": values["register_code"] or None, "member_no": values["member_no"]}
        if known is not None:
            faults += _refused_changes(line, known, facts, rows.fields)
        elif values["register_code"]:
            found = registered.get(values["register_code"])
            if found is None or any(normal(getattr(found, name)) != facts[name] for name in
                                    ("head_name", "people", "village_id")):
                faults.append(Fault(line, "register_code", NOT_REGISTERED))
            elif found.id in homes:
                faults.append(Fault(line, "register_code", MEMBER_ALREADY, {"number": homes[found.id]}))
            else:
                facts["household_id"] = found.id
        if faults:
            plan.faults += faults
        elif known is None:
            plan.new.append(Planned(line, facts))
        elif changes := tuple(n for n in ("head_name", "people") if normal(getattr(known, n)) != facts[n]):
            plan.changed.append(Planned(line, facts, known, changes, known._mapping))
        else:
            plan.unchanged += 1
    return plan


def _refused_changes(line: int, known: Any, facts: Mapping[str, Any], fields: frozenset[str]) -> list[Fault]:
    faults = []
    if facts["village_id"] not in (None, known.village_id):
        faults.append(Fault(line, "village", STAYS))
    if "register_code" in fields and facts["register_code"] != known.register_code:
        faults.append(Fault(line, "register_code", STAYS))
    if known.register_code is not None or known.shared:
        faults += [Fault(line, name, KEPT_ELSEWHERE) for name in ("head_name", "people")
                   if normal(getattr(known, name)) != facts[name]]
    return faults


def _members(by: Visitor) -> dict[str, Any]:
    """The co-operative's members by number."""
    member, household = db.table(CoopMember), db.table(Household)
    other = member.alias("other")
    shared = select(other.c.id).where(other.c.household_id == household.c.id,
                                      other.c.supplier_id != member.c.supplier_id).exists()
    query = (select(member.c.member_no, member.c.household_id, household.c.village_id, household.c.register_code,
                    household.c.head_name, household.c.people, shared.label("shared"))
             .join_from(member, household, household.c.id == member.c.household_id)
             .where(member.c.supplier_id == by.organisation_id).order_by(household.c.id))
    return {row.member_no: row for row in db.session().execute(lookups.locked(query))}


def _registered(codes: Iterable[str]) -> dict[str, Any]:
    household = db.table(Household)
    wanted = {code for code in codes if code}
    return {row.register_code: row for row in db.session().execute(
        select(household.c.id, household.c.register_code, household.c.head_name, household.c.people,
               household.c.village_id).where(household.c.register_code.in_(wanted)))}


# ---- writing --------------------------------------------------------------------------------------------------------


def write(plan: Plan, by: Visitor) -> None:
    """New members with their households, and what has changed of ordinary ones."""
    unknown = [row for row in plan.new if "household_id" not in row.values]
    ids = iter(db.insert_returning_ids(Household, [
        {"village_id": row.values["village_id"], "register_code": None, "head_name": row.values["head_name"],
         "people": row.values["people"]} for row in unknown]))
    joined = [(row.values.get("household_id") or next(ids), row.values["member_no"]) for row in plan.new]
    db.insert_rows(CoopMember, [{"supplier_id": by.organisation_id, "household_id": household_id, "member_no": number}
                                for household_id, number in joined])
    if plan.changed:
        household = db.table(Household)
        db.session().execute(
            update(household).where(household.c.id == bindparam("which"))
            .values(head_name=bindparam("to_name"), people=bindparam("to_people")),
            [{"which": row.known.household_id, "to_name": row.values["head_name"], "to_people": row.values["people"]}
             for row in plan.changed])
        sealing.resize_households({row.known.household_id: row.values["people"] - row.known.people
                                   for row in plan.changed})
    journal.record_many(
        [("member.joined", "household", household_id, {"member_no": number}) for household_id, number in joined]
        + [("member.changed", "household", row.known.household_id,
            {"before": {"people": row.known.people}, "after": {"people": row.values["people"]},
             "renamed": normal(row.known.head_name) != row.values["head_name"]}) for row in plan.changed], by)


def export(by: Visitor) -> Iterable[Sequence[Any]]:
    member, household, village = db.table(CoopMember), db.table(Household), db.table(Division)
    for row in db.session().execute(
            select(member.c.member_no, household.c.head_name, village.c.code, household.c.people,
                   household.c.register_code)
            .join_from(member, household, household.c.id == member.c.household_id)
            .join(village, village.c.id == household.c.village_id)
            .where(member.c.supplier_id == by.organisation_id).order_by(member.c.member_no)):
        yield (row.member_no, row.head_name, row.code, row.people, row.register_code or "")


KIND = Kind(
    "members", N_("Members"), N_("The households of your co-operative with their member numbers."), "member.manage",
    COLUMNS, MemberRow, offers, match, write, export, "lots.new")
