"""Two tables of the officials: the register of households, and their classes in a year.

A class that changes what is known waits for a second person; everything else is written at once.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, select, update

from catalog.importing.kinds import CHOOSE, TWICE, Column, Fault, Kind, Offer, Plan, Planned, accepted
from catalog.importing.lookups import normal
from catalog.schemas import VillageCode
from market import db, journal, places, sealing
from market.access import Visitor
from market.errors import N_
from market.households import Household, HouseholdClass, masked
from market.places import Division
from market.schemas import Choice, Input, Whole, Words
from market.sheet_input import Rows
from orders.households import classes
from orders.households.classes import CHANGES, ChangeWaits, Said

NOT_HERE = N_("No registered household of your area has this code.")
WHOLE_NAME = N_("Write the whole name of a household that is new.")
HIDDEN = ("*", "＊")
ELSEWHERE = N_("A household outside your area has this register code.")
# how a class is written in a cell, Chinese and English
CLASS_WORDS: Mapping[str, tuple[str, str]] = {
    "stable": ("已稳定脱贫", "stable"), "consolidate": ("需巩固提升", "consolidate"),
    "safety_net": ("兜底保障", "safety net"), "not_lifted": ("未脱贫", "not lifted"),
    "unstable": ("脱贫不稳定户", "unstable"), "marginal": ("边缘易致贫户", "marginal"),
    "sudden_hardship": ("突发严重困难户", "sudden hardship"),
}
HOUSEHOLD = db.table(Household)


# ---- the register ---------------------------------------------------------------------------------------------------


class HouseholdRow(Input):
    """A registered household."""

    register_code = Words(longest=32, required=True)
    village = VillageCode(longest=12, required=True)
    head_name = Words(longest=40, required=True)
    people = Whole(low=1, high=30, required=True)


REGISTER_COLUMNS = (
    Column("register_code", "建档立卡编号", "Register code", "code", required=True, example=""),
    Column("village", "村代码", "Village code", "code", required=True, offer="villages", example=""),
    Column("head_name", "户主姓名", "Name", required=True, example="张三"),
    Column("people", "人口", "People", "count", required=True, example="4"),
)


def village_offers(by: Visitor) -> Mapping[str, Offer]:
    """All villages of the officer's area, by code."""
    rows = db.session().execute(
        select(Division.code, Division.path).where(
            Division.level == "village", Division.valid_to.is_(None), places.lies_in(by.division_id))
        .order_by(Division.code)).all()
    return {"villages": Offer([(row.code, row.path) for row in rows], {})}


def match_register(rows: Rows, by: Visitor) -> Plan:
    """Compare with the register by code; a household or village elsewhere is not theirs to say."""
    villages = {row.code: row.id for row in db.session().execute(
        select(Division.code, Division.id).where(
            Division.code.in_({values["village"] for values in rows.loaded.values()}), Division.level == "village",
            Division.valid_to.is_(None), places.lies_in(by.division_id)))}
    known = _known({values["register_code"] for values in rows.loaded.values()})
    ours = _ours(by, known)
    plan, said = Plan(), dict[str, int]()
    for line, values in rows.loaded.items():
        faults = [] if values["village"] in villages else [Fault(line, "village", CHOOSE)]
        if (first := said.setdefault(values["register_code"], line)) != line:
            faults.append(Fault(line, "register_code", TWICE, {"line": first}))
        before = known.get(values["register_code"])
        if before is not None and before.id not in ours:
            faults.append(Fault(line, "register_code", ELSEWHERE))
        name = values["head_name"]
        if before is not None and name == normal(masked(before.head_name)):  # as the export gave it out
            name = before.head_name
        if before is None and name.endswith(HIDDEN):
            faults.append(Fault(line, "head_name", WHOLE_NAME))
        if faults:
            plan.faults += faults
            continue
        columns = {"register_code": values["register_code"], "village_id": villages[values["village"]],
                   "head_name": name, "people": values["people"]}
        if before is None:
            plan.new.append(Planned(line, {**columns, "village": values["village"]}))
        elif changes := tuple(n for n in ("village_id", "head_name", "people") if normal(getattr(before, n))
                              != columns[n]):
            plan.changed.append(Planned(line, {**columns, "village": values["village"]}, before,
                                        tuple("village" if n == "village_id" else n for n in changes),
                                        {"village": before.code, "people": before.people,
                                         "head_name": masked(before.head_name)}))
        else:
            plan.unchanged += 1
    return plan


def _known(codes: set[str]) -> dict[str, Any]:
    query = (select(HOUSEHOLD, Division.code).join(Division, Division.id == HOUSEHOLD.c.village_id)
             .where(HOUSEHOLD.c.register_code.in_(codes)).order_by(HOUSEHOLD.c.id))
    if db.session().info.get(db.WRITE):
        query = query.with_for_update(of=HOUSEHOLD)
    return {row.register_code: row for row in db.session().execute(query)}


def _ours(by: Visitor, known: Mapping[str, Any]) -> set[int]:
    """Which of these households live in the officer's area."""
    villages = set(db.session().scalars(select(Division.id).where(
        Division.id.in_({row.village_id for row in known.values()}), places.lies_in(by.division_id))))
    return {row.id for row in known.values() if row.village_id in villages}


def write_register(plan: Plan, by: Visitor) -> None:
    """New households, and what has changed of known ones."""
    names = ("register_code", "village_id", "head_name", "people")
    ids = db.insert_returning_ids(Household, [{name: row.values[name] for name in names} for row in plan.new])
    if plan.changed:
        db.session().execute(
            update(HOUSEHOLD).where(HOUSEHOLD.c.id == bindparam("which"))
            .values({name: bindparam(f"to_{name}") for name in names[1:]}),
            [{"which": row.known.id, **{f"to_{name}": row.values[name] for name in names[1:]}}
             for row in plan.changed])
        sealing.resize_households({row.known.id: row.values["people"] - row.known.people for row in plan.changed})
    journal.record_many(
        [*(("household.entered", "household", one, {"village": row.values["village_id"],
                                                    "people": row.values["people"]})
           for one, row in zip(ids, plan.new, strict=True)),
         *(("household.corrected", "household", row.known.id,
            {"before": {"village_id": row.known.village_id, "people": row.known.people},
             "after": {"village_id": row.values["village_id"], "people": row.values["people"]},
             "renamed": "head_name" in row.changes}) for row in plan.changed)], by)


def export_register(by: Visitor) -> Iterable[Sequence[Any]]:
    """The area's households as a template; names stay masked, and come back as they are."""
    for row in db.session().execute(_registered(by)):
        yield (row.register_code, row.code, masked(row.head_name), row.people)


def _registered(by: Visitor) -> Any:
    return (select(HOUSEHOLD.c.id, HOUSEHOLD.c.register_code, HOUSEHOLD.c.head_name, HOUSEHOLD.c.people, Division.code)
            .join(Division, Division.id == HOUSEHOLD.c.village_id)
            .where(HOUSEHOLD.c.register_code.is_not(None), places.lies_in(by.division_id))
            .order_by(HOUSEHOLD.c.register_code))


# ---- classes --------------------------------------------------------------------------------------------------------


class ClassRow(Input):
    """The class of a household in a year."""

    register_code = Words(longest=32, required=True)
    year = Whole(required=True, low=2014, high=2099)
    household_class = Choice(list(CLASS_WORDS), required=True)
    source = Words(required=True, longest=200)


CLASS_COLUMNS = (
    Column("register_code", "建档立卡编号", "Register code", "code", required=True, example=""),
    Column("year", "年份", "Year", "code", required=True, example="2026"),
    Column("household_class", "类别", "Class", required=True, offer="classes", example="已稳定脱贫"),
    Column("source", "依据文件", "By which paper", required=True, example="年度动态管理名单"),
)


def class_offers(by: Visitor) -> Mapping[str, Offer]:
    return {"classes": Offer(list(CLASS_WORDS.values()), accepted(
        (word, code) for code, pair in CLASS_WORDS.items() for word in (code, *pair)))}


def match_classes(rows: Rows, by: Visitor) -> Plan:
    """Compare with what is known up to each year; a fixed number of statements."""
    known = _known({values["register_code"] for values in rows.loaded.values()})
    ours = _ours(by, known)
    told = _classes(ours)
    waiting = {(row.household_id, row.year) for row in db.session().execute(
        select(CHANGES.c.household_id, CHANGES.c.year).where(CHANGES.c.state == "waiting",
                                                             CHANGES.c.household_id.in_(ours)))}
    plan, said = Plan(), dict[tuple[str, int], int]()
    for line, values in rows.loaded.items():
        household, year = known.get(values["register_code"]), values["year"]
        if household is None or household.id not in ours:
            plan.faults.append(Fault(line, "register_code", NOT_HERE))
            continue
        if (first := said.setdefault((values["register_code"], year), line)) != line:
            plan.faults.append(Fault(line, "register_code", TWICE, {"line": first}))
            continue
        if (household.id, year) in waiting:
            plan.faults.append(Fault(line, "year", ChangeWaits.text, {"year": year}))
            continue
        of_years = told.get(household.id, {})
        before = of_years[max(years)] if (years := [one for one in of_years if one <= year]) else None
        columns = {**values, "household_id": household.id, "before": before}
        if of_years.get(year) == values["household_class"]:
            plan.unchanged += 1
        elif before in (None, values["household_class"]):
            plan.new.append(Planned(line, columns))
        else:
            plan.to_county += 1
            plan.changed.append(Planned(line, columns, household, ("household_class",), {"household_class": before}))
    return plan


def _classes(households: set[int]) -> dict[int, dict[int, str]]:
    found: dict[int, dict[int, str]] = {}
    for row in db.session().execute(
            select(HouseholdClass.household_id, HouseholdClass.year, HouseholdClass.household_class)
            .where(HouseholdClass.household_id.in_(households))):
        found.setdefault(row.household_id, {})[row.year] = row.household_class
    return found


def write_classes(plan: Plan, by: Visitor) -> None:
    """Set what changes nothing, propose the rest; year by year, so that an earlier row is known to a later one."""
    rows = [row.values for row in (*plan.new, *plan.changed)]
    for year in sorted({row["year"] for row in rows}):
        of_year = [row for row in rows if row["year"] == year]
        before = classes.newest([row["household_id"] for row in of_year], year)
        classes.write([Said(row["household_id"], year, row["household_class"], row["source"]) for row in of_year],
                      before, by)


def export_classes(by: Visitor) -> Iterable[Sequence[Any]]:
    """Every class of the area's registered households, the newest year first."""
    household, told = HOUSEHOLD, db.table(HouseholdClass)
    for row in db.session().execute(
            select(household.c.register_code, told.c.year, told.c.household_class)
            .join_from(told, household, household.c.id == told.c.household_id)
            .join(Division, Division.id == household.c.village_id)
            .where(household.c.register_code.is_not(None), places.lies_in(by.division_id))
            .order_by(told.c.year.desc(), household.c.register_code)):
        yield (row.register_code, str(row.year), CLASS_WORDS[row.household_class][0], "")


REGISTER = Kind(
    "households", N_("Register of households"), N_("Registered households of your area: code, village, name, people."),
    "household.classify", REGISTER_COLUMNS, HouseholdRow, village_offers, match_register, write_register,
    export_register, "households.index")
CLASSES = Kind(
    "household_classes", N_("Classes of households"),
    N_("The class of registered households in a year. What changes waits for a second person."),
    "household.classify", CLASS_COLUMNS, ClassRow, class_offers, match_classes, write_classes, export_classes,
    "household_classes.index")
KINDS: Mapping[str, Kind] = {kind.name: kind for kind in (REGISTER, CLASSES)}
