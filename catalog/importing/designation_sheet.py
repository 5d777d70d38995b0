"""Designations of villages by the table: an official says for the villages of their area what they were in a year."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, select, update

from catalog.importing import lookups
from catalog.importing.kinds import TWICE, Column, Fault, Kind, Offer, Plan, Planned, accepted
from catalog.importing.lookups import normal
from catalog.schemas import VillageCode
from market import db, journal, places
from market.access import Visitor
from market.errors import N_
from market.places import Division, VillageDesignation
from market.schemas import Choice, Input, Whole, Words
from market.sheet_input import Rows

NOT_HERE = N_("No village of today in your area has this code.")
OTHER_NAME = N_("The village with this code has another name.")
YES_NO = (("yes", "是", "yes"), ("no", "否", "no"))

COLUMNS = (
    Column("village", "村代码", "Village code", "code", required=True, offer="villages", example=""),
    Column("name", "村名", "Village name", example="", note=N_("May be left empty; written, it must fit the code.")),
    Column("year", "年份", "Year", "code", required=True, example="2026"),
    Column("designated", "是否脱贫村", "Designated", required=True, offer="yes_no", example="是"),
    Column("source", "依据文件", "By which paper", required=True, example="省级名单（2026 年）"),
)


class DesignationRow(Input):
    """A village, a year, and what a paper says of them."""

    village = VillageCode(longest=12, required=True)
    name = Words(longest=80, load_default="")
    year = Whole(required=True, low=2014, high=2099)
    designated = Choice([code for code, *_words in YES_NO], required=True)
    source = Words(required=True, longest=200)


def offers(by: Visitor) -> Mapping[str, Offer]:
    """All villages of the official's area, by code."""
    rows = db.session().execute(
        select(Division.code, Division.path).where(
            Division.level == "village", Division.valid_to.is_(None), places.lies_in(by.division_id))
        .order_by(Division.code)).all()
    return {"villages": Offer([(row.code, row.path) for row in rows], {}),
            "yes_no": Offer([(zh, en) for _code, zh, en in YES_NO],
                            accepted((word, code) for code, *words in YES_NO for word in words))}


def match(rows: Rows, by: Visitor) -> Plan:
    """Compare with what is said of these villages and years; a village elsewhere is unknown here."""
    villages = _villages({values["village"] for values in rows.loaded.values()}, by)
    known = _designations([row.id for row in villages.values()])
    plan, said = Plan(), dict[tuple[str, int], int]()
    for line, values in rows.loaded.items():
        village = villages.get(values["village"])
        faults = []
        if village is None:
            faults.append(Fault(line, "village", NOT_HERE))
        elif values["name"] and values["name"] not in (normal(village.name), normal(village.path)):
            faults.append(Fault(line, "name", OTHER_NAME))
        if (first := said.setdefault((values["village"], values["year"]), line)) != line:
            faults.append(Fault(line, "village", TWICE, {"line": first}))
        if village is None or faults:
            plan.faults += faults
            continue
        columns = {"village_id": village.id, "year": values["year"], "designated": values["designated"] == "yes",
                   "source": values["source"]}
        before = known.get((village.id, values["year"]))
        if before is None:
            plan.new.append(Planned(line, columns))
        elif changes := tuple(n for n in ("designated", "source") if normal(getattr(before, n)) != columns[n]):
            plan.changed.append(Planned(
                line, columns, before, changes,
                {"designated": "yes" if before.designated else "no", "source": before.source}))
        else:
            plan.unchanged += 1
    return plan


def _villages(codes: set[str], by: Visitor) -> dict[str, Any]:
    division = db.table(Division)
    query = select(division.c.id, division.c.code, division.c.name, division.c.path).where(
        division.c.code.in_(codes), division.c.level == "village", division.c.valid_to.is_(None),
        places.lies_in(by.division_id)).order_by(division.c.id)
    return {row.code: row for row in db.session().execute(lookups.locked(query))}


def _designations(village_ids: Sequence[int]) -> dict[tuple[int, int], Any]:
    row = db.table(VillageDesignation)
    return {(found.village_id, found.year): found for found in db.session().execute(
        lookups.locked(select(row).where(row.c.village_id.in_(village_ids)).order_by(row.c.id)))}


def write(plan: Plan, by: Visitor) -> None:
    """Say it, each with the paper it rests on."""
    row = db.table(VillageDesignation)
    db.insert_rows(VillageDesignation, [one.values for one in plan.new])
    if plan.changed:
        db.session().execute(
            update(row).where(row.c.id == bindparam("which"))
            .values(designated=bindparam("to_designated"), source=bindparam("to_source")),
            [{"which": one.known.id, "to_designated": one.values["designated"], "to_source": one.values["source"]}
             for one in plan.changed])
    journal.record_many(
        [("village.designated", "village", one.values["village_id"],
          {"year": one.values["year"], "before": one.known.designated if one.known else None,
           "after": one.values["designated"], "source": one.values["source"]})
         for one in (*plan.new, *plan.changed)], by)


def export(by: Visitor) -> Iterable[Sequence[Any]]:
    row, division = db.table(VillageDesignation), db.table(Division)
    words = {code == "yes": zh for code, zh, _en in YES_NO}
    for found in db.session().execute(
            select(division.c.code, division.c.name, row.c.year, row.c.designated, row.c.source)
            .join_from(row, division, division.c.id == row.c.village_id)
            .where(division.c.valid_to.is_(None), places.lies_in(by.division_id))
            .order_by(row.c.year.desc(), division.c.code)):
        yield (found.code, found.name, str(found.year), words[found.designated], found.source)


KIND = Kind(
    "designations", N_("Designations of villages"), N_("Which villages of your area are designated ones in a year."),
    "place.manage", COLUMNS, DesignationRow, offers, match, write, export, "places.index")
