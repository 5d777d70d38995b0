"""Harvests by the table: one row for each contribution, rows with the same lot number are one lot.

A booked lot never changes: sent again it is the same lot, or it is refused. Writing goes through lots.book, so that
every rule of the weigh-in holds here too; a table therefore holds a bounded number of lots.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import select

from catalog import lots, origins
from catalog.importing import lookups
from catalog.importing.kinds import (
    CHOOSE,
    Column,
    Fault,
    Kind,
    Offer,
    Plan,
    Planned,
    RowsRefused,
    accepted,
    sentence_of,
)
from catalog.importing.lookups import normal
from catalog.importing.models import ImportedLot
from catalog.lot_models import LotDetail
from catalog.lot_parts import Contribution, LotDetails
from catalog.lot_schemas import ContributionSchema, DetailsSchema
from catalog.models import Lot, LotContribution, Product
from catalog.on_sale import harvested
from market import clock, db, money
from market.access import Visitor
from market.errors import N_, InvalidInput, MarketError
from market.households import CoopMember, Household
from market.places import Division
from market.schemas import Day, Fen, Milli, Words
from market.sheet_input import Rows

MOST_LOTS = 500
CODE = re.compile(r"L[0-9]{6}-[2-9A-HJ-NP-Z]{7}", re.ASCII)
YES_NO = (("1", "是", "yes"), ("0", "否", "no"))
TEST_WORDS = (("none", "未检", "none"), ("passed", "合格", "passed"), ("failed", "不合格", "failed"))

NO_LOT = N_("You have no lot with this code.")
NO_GOODS = N_("You have no goods of this number or name.")
NO_MEMBER = N_("No member has this number or name.")
OTHERWISE = N_("Row %(line)s says something else of the same lot.")
BOOKED = N_("Lot %(code)s is booked already and says something else here. A booked lot does not change.")
TOO_MANY = N_("At most %(lots)s lots in one table: please send the others in a second one.")
FUTURE = N_("This day lies in the future.")
ENDS_FIRST = N_("Goods cannot end before they begin.")
DISAGREE = N_("Quantity and weight do not belong together.")
TOO_MANY_ROWS = N_("At most 300 rows at once.")

COLUMNS = (
    Column("reference", "批号", "Lot number", required=True, example="", note=N_(
        "Your own number, from the notebook: rows with the same one are one lot.")),
    Column("product", "农产品", "Goods", required=True, offer="products"),
    Column("harvested_on", "采收日期", "Day of harvest", "day", required=True, example="2026-10-12"),
    Column("farm_gate_fen_per_kg", "收购价（元/公斤）", "Farm-gate price (yuan per kg)", "fen", required=True,
           example="1.20"),
    Column("member", "社员号", "Member number", offer="members", example="", note=N_(
        "Who brought the goods; or leave it empty and name a village.")),
    Column("village", "基地所在村", "Village of the own base", "code", offer="villages", note=N_(
        "Instead of a member: the village of your own base.")),
    Column("unsplit", "待分户", "Households named later", offer="yes_no", example="否"),
    Column("grams", "重量（公斤）", "Weight (kg)", "grams", required=True, example="120.5"),
    Column("milli", "数量（件）", "Quantity (pieces)", "grams", note=N_("Only for goods sold by the piece.")),
    Column("best_before", "保质期至", "Best before", "day"),
    Column("received_at", "收购点", "Collection point"),
    Column("plot", "地块", "Plot"),
    Column("area_mu_hundredths", "面积（亩）", "Area (mu)", "fen"),
    Column("test", "抽检", "Sample test", offer="tests"),
    Column("test_note", "抽检说明", "Note on the test"),
)
OF_THE_LOT = ("product", "harvested_on", "farm_gate_fen_per_kg", "milli", "best_before", "received_at", "plot",
              "area_mu_hundredths", "test", "test_note")
DETAILS = tuple(field.name for field in fields(LotDetails) if field.name != "notebook_id")


class LotRow(ContributionSchema, DetailsSchema):
    """One contribution with what its lot says."""

    reference = Words(longest=40, required=True)
    product = Words(longest=60, required=True)
    harvested_on = Day(required=True)
    farm_gate_fen_per_kg = Fen(low=0, high=1_000_000, required=True)
    milli = Milli(load_default=None)
    best_before = Day(load_default=None)


def offers(by: Visitor) -> Mapping[str, Offer]:
    product, member, household = db.table(Product), db.table(CoopMember), db.table(Household)
    goods = db.session().execute(select(product.c.id, product.c.name, product.c.unit).where(
        product.c.supplier_id == by.organisation_id).order_by(product.c.name, product.c.id)).all()
    members = db.session().execute(
        select(member.c.member_no, household.c.head_name)
        .join_from(member, household, household.c.id == member.c.household_id)
        .where(member.c.supplier_id == by.organisation_id).order_by(member.c.member_no)).all()
    names = accepted((said, str(row.id)) for row in goods for said in (normal(row.name), f"{row.name} {row.unit}"))
    words = names | {str(row.id): str(row.id) for row in goods}
    numbers = accepted((normal(row.head_name), row.member_no) for row in members)
    return {
        "products": Offer([(say_goods(row, names), f"{row.id} {row.name} {row.unit}") for row in goods], words),
        "members": Offer([(row.member_no, row.head_name) for row in members],
                         numbers | {row.member_no.lower(): row.member_no for row in members}),
        "villages": lookups.village_offer(by),
        "yes_no": Offer([(zh, en) for _code, zh, en in YES_NO],
                        accepted((word, code) for code, *said in YES_NO for word in said)),
        "tests": Offer([(zh, en) for _code, zh, en in TEST_WORDS],
                       accepted((word, code) for code, *said in TEST_WORDS for word in said)),
    }


def say_goods(row: Any, names: Mapping[str, str]) -> str:
    """The goods' name where only these have it, else their number."""
    return str(row.name) if names.get(normal(row.name).lower()) == str(row.id) else str(row.id)


# ---- what the rows would book ---------------------------------------------------------------------------------------


def match(rows: Rows, by: Visitor) -> Plan:
    """Put the rows of each lot together and compare with what is booked, in a fixed number of statements."""
    known, plan = _Known(rows, by), Plan()
    by_lot: dict[str, list[int]] = defaultdict(list)
    for line, values in rows.loaded.items():
        by_lot[values["reference"]].append(line)
    if len(by_lot) > MOST_LOTS:
        first = list(by_lot.values())[MOST_LOTS][0]
        plan.faults.append(Fault(first, "reference", TOO_MANY, {"lots": MOST_LOTS}))
        return plan
    whole = not rows.errors  # else some rows of a lot may be missing here
    for reference, lines in by_lot.items():
        given = [(line, rows.loaded[line]) for line in lines]
        faults = _disagreements(given)
        origins = [_origin(line, values, known, faults) for line, values in given]
        _check_lot(given, known, faults, whole)
        lot = known.lots.get(reference)
        if lot is None and CODE.fullmatch(reference):
            faults.append(Fault(lines[0], "reference", NO_LOT))
        if faults:
            plan.faults += faults
        elif lot is None:
            plan.new += [Planned(line, {**values, "contribution": origin, "product_id": int(values["product"])})
                         for (line, values), origin in zip(given, origins, strict=True)]
        elif not whole or (changed := _change(lot, given, origins, known)) is None:
            plan.unchanged += len(lines)
        else:
            plan.faults.append(Fault(lines[0], changed, BOOKED, {"code": lot.code}))
    return plan


def _disagreements(given: Sequence[tuple[int, Mapping[str, Any]]]) -> list[Fault]:
    """What is said of a lot is said alike in all its rows."""
    first, said = given[0]
    faults = [Fault(line, name, OTHERWISE, {"line": first}) for line, values in given[1:] for name in OF_THE_LOT
              if values[name] != said[name]]
    if len(given) > 300:
        faults.append(Fault(given[300][0], "reference", TOO_MANY_ROWS))
    return faults


def _origin(line: int, values: Mapping[str, Any], known: "_Known", faults: list[Fault]) -> Contribution:
    """Who brought a row's goods."""
    if values["member"]:
        home = known.homes.get(values["member"])
        if home is None:
            faults.append(Fault(line, "member", NO_MEMBER))
        return Contribution(values["grams"], household_id=home.household_id if home else None)
    village_id = known.villages.get(values["village"])
    if village_id is None:
        faults.append(Fault(line, "village", CHOOSE))
    elif values["unsplit"] and village_id not in {home.village_id for home in known.homes.values()}:
        faults.append(Fault(line, "village", N_("No member of yours lives in this village.")))
    return Contribution(values["grams"], village_id=village_id, unsplit=values["unsplit"])


def _check_lot(given: Sequence[tuple[int, Mapping[str, Any]]], known: "_Known", faults: list[Fault],
               whole: bool) -> None:
    line, values = given[0]
    goods = known.goods.get(values["product"])
    if goods is None:
        faults.append(Fault(line, "product", NO_GOODS))
    elif whole:
        grams = sum(row["grams"] for _line, row in given)
        milli = values["milli"] or (money.milli_of(grams, goods.grams_per_unit) if goods.by_weight else 0)
        usual = money.grams_of(milli, goods.grams_per_unit)
        if not milli or abs(usual - grams) > (0 if goods.by_weight else usual // 10):
            faults.append(Fault(line, "milli", DISAGREE))
    if values["harvested_on"] > clock.today():
        faults.append(Fault(line, "harvested_on", FUTURE))
    if values["best_before"] and values["best_before"] < values["harvested_on"]:
        faults.append(Fault(line, "best_before", ENDS_FIRST))


def _change(lot: Any, given: Sequence[tuple[int, Mapping[str, Any]]], origins: Sequence[Contribution],
            known: "_Known") -> str | None:
    """The first field that says something else than the booked lot; what is left empty says nothing."""
    values = given[0][1]
    booked = {"product": str(lot.product_id), "harvested_on": lot.harvested_on, "milli": lot.total_milli,
              "farm_gate_fen_per_kg": lot.farm_gate_fen_per_kg, "best_before": lot.best_before}
    details = {name: getattr(lot, name) for name in DETAILS}
    for name, value in {**booked, **details}.items():
        if values[name] not in (None, "", "none") and normal(value) != values[name]:
            return name
    brought = sorted((c.household_id or 0, 0 if c.household_id else c.village_id or 0, c.unsplit, c.grams)
                     for c in origins)
    there = sorted((c.household_id or 0, 0 if c.household_id else c.village_id, c.unsplit, c.grams)
                   for c in known.contributions[lot.id])
    return None if brought == there else "grams"


@dataclass(frozen=True)
class _Goods:
    grams_per_unit: int
    by_weight: bool


class _Known:
    """The co-operative's goods, members and the lots that the table speaks of; all of them its own."""

    def __init__(self, rows: Rows, by: Visitor) -> None:
        read = db.session().execute
        product, lot, detail = db.table(Product), db.table(Lot), db.table(LotDetail)
        imported, given = db.table(ImportedLot), db.table(LotContribution)
        member, household = db.table(CoopMember), db.table(Household)
        values = rows.loaded.values()
        self.goods = {str(row.id): _Goods(row.grams_per_unit, row.by_weight) for row in read(lookups.locked(
            select(product.c.id, product.c.grams_per_unit, product.c.by_weight)
            .where(product.c.supplier_id == by.organisation_id).order_by(product.c.id)))}
        self.homes = {row.member_no: row for row in read(
            select(member.c.member_no, member.c.household_id, household.c.village_id)
            .join_from(member, household, household.c.id == member.c.household_id)
            .where(member.c.supplier_id == by.organisation_id))}
        villages = lookups.village_ids(row["village"] for row in values if row["village"])
        own = origins.own_villages(by.organisation_id, villages.values())
        self.villages = {code: village for code, village in villages.items() if village in own}
        said = {row["reference"] for row in values}
        found = read(
            select(lot, imported.c.reference, *(detail.c[name] for name in DETAILS)).select_from(lot)
            .outerjoin(imported, imported.c.lot_id == lot.c.id).outerjoin(detail, detail.c.lot_id == lot.c.id)
            .where(lot.c.supplier_id == by.organisation_id, lot.c.kind == "harvest",
                   harvested(), lot.c.code.in_(said) | imported.c.reference.in_(said))).all()
        self.lots = {name: row for row in found for name in (row.code, row.reference) if name in said}
        self.contributions: dict[int, list[Any]] = defaultdict(list)
        for one in read(select(given).where(given.c.lot_id.in_({row.id for row in found}))):
            self.contributions[one.lot_id].append(one)


# ---- writing --------------------------------------------------------------------------------------------------------


def write(plan: Plan, by: Visitor) -> None:
    """Book each lot by the verb of the weigh-in. Raises RowsRefused where it refuses one."""
    by_lot: dict[str, list[Planned]] = defaultdict(list)
    for row in plan.new:
        by_lot[row.values["reference"]].append(row)
    booked = []
    for reference, given in by_lot.items():
        said = given[0].values
        try:
            lot = lots.book(said["product_id"], said["harvested_on"], said["milli"], said["farm_gate_fen_per_kg"],
                            [row.values["contribution"] for row in given], by, said["best_before"],
                            LotDetails(**{name: said[name] for name in DETAILS}))
        except MarketError as refusal:
            raise RowsRefused([Fault(given[0].line, "reference", text, details)
                               for text, details in sentences(refusal)]) from refusal
        booked.append({"supplier_id": by.organisation_id, "reference": reference, "lot_id": lot.id})
    db.insert_rows(ImportedLot, booked)


def sentences(refusal: MarketError) -> list[tuple[str, dict[str, Any]]]:
    """What a refusal says, as msgids with their details."""
    if isinstance(refusal, InvalidInput):
        return [sentence_of(message) for messages in refusal.fields.values() for message in messages]
    return [sentence_of(refusal)]


# ---- the lots as a table --------------------------------------------------------------------------------------------


def export(by: Visitor) -> Iterable[Sequence[Any]]:
    """Harvested lots, a row for each contribution, the oldest first."""
    lot, detail, imported = db.table(Lot), db.table(LotDetail), db.table(ImportedLot)
    given, member, village, product = (db.table(LotContribution), db.table(CoopMember), db.table(Division),
                                       db.table(Product))
    names = offers(by)["products"].accepted
    yes_no = {code == "1": zh for code, zh, _en in YES_NO}
    tests = {code: zh for code, zh, _en in TEST_WORDS}
    for row in db.session().execute(
            select(lot, imported.c.reference, product.c.name, product.c.by_weight, given.c.grams, given.c.unsplit,
                   given.c.household_id, village.c.code.label("village"), member.c.member_no,
                   *(detail.c[name] for name in DETAILS))
            .select_from(lot).join(given, given.c.lot_id == lot.c.id).join(village, village.c.id == given.c.village_id)
            .join(product, product.c.id == lot.c.product_id)
            .outerjoin(imported, imported.c.lot_id == lot.c.id).outerjoin(detail, detail.c.lot_id == lot.c.id)
            .outerjoin(member, (member.c.household_id == given.c.household_id)
                       & (member.c.supplier_id == lot.c.supplier_id))
            .where(lot.c.supplier_id == by.organisation_id, lot.c.kind == "harvest", harvested())
            .order_by(lot.c.id, given.c.id)):
        goods = str(row.name) if names.get(normal(row.name).lower()) == str(row.product_id) else str(row.product_id)
        yield (row.reference or row.code, goods, row.harvested_on.isoformat(), row.farm_gate_fen_per_kg,
               row.member_no or "", "" if row.household_id else row.village, yes_no[row.unsplit], row.grams,
               None if row.by_weight else row.total_milli, row.best_before.isoformat(), row.received_at or "",
               row.plot or "", row.area_mu_hundredths, tests[row.test or "none"], row.test_note or "")


KIND = Kind(
    "lots", N_("Lots"), N_("Harvests that were weighed in, with who brought how much."), "lot.book",
    COLUMNS, LotRow, offers, match, write, export, "lots.index")
