"""What a co-operative sees of its lots, and an officer of those of their area; each list in a fixed number of reads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, case, func, select

from catalog import lot_confirmers, origins
from catalog.lot_models import LotDetail, LotPayment
from catalog.lot_parts import Contribution, LotDetails, Making
from catalog.lot_yields import YIELDS, Usual
from catalog.lots import touches_area
from catalog.models import Category, Lot, LotContribution, LotInput, LotShare, Product, StockMove
from catalog.on_sale import harvested
from market import db, money, paging
from market.access import Visitor
from market.errors import N_, InvalidInput, MarketError, NotFound
from market.files import StoredFile
from market.households import CoopMember, Household
from market.parties import Organisation
from market.places import Division

STATES = ("waiting", "in_store", "used_up", "failed", "expected", "closed")
MOST_MOVES = 100
Columns = Row[*tuple[Any, ...]]


@dataclass(frozen=True)
class LotStory:
    """A lot with all that its own co-operative, or an officer of the area, may know of it."""

    lot: Columns
    details: Columns | LotDetails  # as LotDetails
    contributions: Sequence[Columns]  # member_no, head_name (none: own base), path, grams, unsplit, payment
    shares: Sequence[Columns]  # path, own_base, grams, farm_gate_fen_per_kg, origin
    inputs: Sequence[Columns]  # code, name, milli, grams
    moves: Sequence[Columns]  # at, kind, on_hand_change_milli, held_change_milli

    @property
    def farm_gate_fen(self) -> int:
        """What households are owed if all of a harvested lot is accepted: price by kg of what households brought."""
        grams = sum(row.grams for row in self.contributions if row.head_name is not None or row.unsplit)
        return money.line_total(self.lot.farm_gate_fen_per_kg, grams)

    @property
    def paid_fen(self) -> int:
        """What households were paid at weigh-in."""
        return sum(row.paid_fen or 0 for row in self.contributions)


def _state() -> ColumnElement[str]:
    """A lot whose sample failed waits for nobody: it stays where it is, for the record."""
    lot, detail = db.table(Lot), db.table(LotDetail)
    failed = select(detail.c.lot_id).where(detail.c.lot_id == lot.c.id, detail.c.test == "failed").exists()
    return case((lot.c.confirmed_at.is_(None) & failed, "failed"), (lot.c.confirmed_at.is_(None), "waiting"),
                (lot.c.closed_at.is_not(None), "closed"), (lot.c.expected_on.is_not(None), "expected"),
                (lot.c.on_hand_milli > 0, "in_store"), else_="used_up")


def _lots() -> Select[Any]:
    lot, product, supplier = db.table(Lot), db.table(Product), db.table(Organisation)
    return (
        select(lot, _state().label("state"), product.c.name, product.c.name_en, product.c.unit, product.c.unit_en,
               product.c.by_weight, supplier.c.short_name.label("supplier"))
        .select_from(lot).join(product, product.c.id == lot.c.product_id)
        .join(supplier, supplier.c.id == lot.c.supplier_id)
    )


def own_lots(supplier_id: int | None, state: str | None, product_id: int | None, page: int) -> paging.Page:
    """A co-operative's lots in a state (None: all) and of a product (None: all), newest first, in two statements."""
    lot = db.table(Lot)
    mine = [lot.c.supplier_id == supplier_id] + ([lot.c.product_id == product_id] if product_id else [])
    return _page(mine, state, page)


def lots_in_area(by: Visitor, state: str | None, page: int) -> paging.Page:
    """Lots with goods of this officer's area, newest first, in two statements.

    "waiting" are those that this officer may confirm; "elsewhere" those that wait for somebody else.
    """
    if state == "elsewhere":
        return _page([touches_area(by), ~lot_confirmers.confirmable(by)], "waiting", page)
    if state == "waiting":
        return _page([touches_area(by), lot_confirmers.confirmable(by)], state, page)
    return _page([touches_area(by)], state, page)


def _page(conditions: Sequence[ColumnElement[bool]], state: str | None, page: int) -> paging.Page:
    lot = db.table(Lot)
    states = select(_state().label("state")).select_from(lot).where(*conditions).subquery()
    counts = {row.state: row.lots for row in db.session().execute(
        select(states.c.state, func.count().label("lots")).group_by(states.c.state))}
    total = counts.get(state, 0) if state else sum(counts.values())
    query = _lots().where(*conditions, *([_state() == state] if state else []))
    return paging.read(query.order_by(lot.c.id.desc()), total, page, counts=counts)


def lots_after(by: Visitor, cursor: int | None, limit: int, waiting: bool) -> Sequence[Columns]:
    """For programs: lots of the co-operative, or of an officer's area, newest first, below an id."""
    lot = db.table(Lot)
    query = _lots().where(_visible_to(by)).order_by(lot.c.id.desc()).limit(limit)
    if cursor is not None:
        query = query.where(lot.c.id < cursor)
    if waiting:
        query = query.where(_state() == "waiting")
        if by.organisation_kind == "office":
            query = query.where(lot_confirmers.confirmable(by))
    return db.session().execute(query).all()


def story(lot_id: int, by: Visitor) -> LotStory:
    """One lot, in six statements. Raises NotFound for a lot of somebody else, or outside an officer's area."""
    lot = db.table(Lot)
    found = db.session().execute(_lots().where(lot.c.id == lot_id, _visible_to(by))).first()
    if found is None:
        raise NotFound()
    read = db.session().execute
    return LotStory(found, read(_details(lot_id)).first() or LotDetails(), read(_contributions(found)).all(),
                    read(_shares(lot_id)).all(), read(_inputs(lot_id)).all(), read(_moves(lot_id)).all())


def _visible_to(by: Visitor) -> ColumnElement[bool]:
    return touches_area(by) if by.organisation_kind == "office" else db.table(Lot).c.supplier_id == by.organisation_id


def _details(lot_id: int) -> Select[Any]:
    detail = db.table(LotDetail)
    return select(detail).where(detail.c.lot_id == lot_id)


def notebook(lot_id: int, by: Visitor) -> StoredFile:
    """The photographed page of a lot's notebook. Raises NotFound, also for a lot that is not this visitor's to see."""
    photo = db.session().scalar(
        select(StoredFile).join(LotDetail, LotDetail.notebook_id == StoredFile.id)
        .join(Lot, Lot.id == LotDetail.lot_id).where(Lot.id == lot_id, _visible_to(by)))
    if photo is None:
        raise NotFound()
    return photo


def _contributions(lot: Columns) -> Select[Any]:
    given, household, member = db.table(LotContribution), db.table(Household), db.table(CoopMember)
    village = db.table(Division)
    paid = db.table(LotPayment)
    return (
        select(given.c.id, member.c.member_no, household.c.head_name, village.c.path, given.c.grams, given.c.unsplit,
               paid.c.id.label("payment_id"), paid.c.amount_fen.label("paid_fen"), paid.c.paid_on, paid.c.way)
        .select_from(given).join(village, village.c.id == given.c.village_id)
        .outerjoin(household, household.c.id == given.c.household_id)
        .outerjoin(member, (member.c.household_id == given.c.household_id) & (member.c.supplier_id == lot.supplier_id))
        .outerjoin(paid, paid.c.contribution_id == given.c.id)
        .where(given.c.lot_id == lot.id).order_by(given.c.id)
    )


def _shares(lot_id: int) -> Select[Any]:
    share, village, origin = db.table(LotShare), db.table(Division), db.table(Lot)
    return (
        select(village.c.path, share.c.own_base, share.c.grams, share.c.accepted_grams, share.c.farm_gate_fen_per_kg,
               origin.c.code.label("origin"), share.c.origin_lot_id)
        .join_from(share, village, village.c.id == share.c.village_id)
        .join(origin, origin.c.id == share.c.origin_lot_id)
        .where(share.c.lot_id == lot_id).order_by(share.c.id)
    )


def _inputs(lot_id: int) -> Select[Any]:
    used, origin, product = db.table(LotInput), db.table(Lot), db.table(Product)
    return (
        select(origin.c.id, origin.c.code, product.c.name, product.c.name_en, product.c.unit, product.c.unit_en,
               used.c.milli, used.c.grams)
        .join_from(used, origin, origin.c.id == used.c.input_lot_id)
        .join(product, product.c.id == origin.c.product_id)
        .where(used.c.lot_id == lot_id).order_by(used.c.id)
    )


def _moves(lot_id: int) -> Select[Any]:
    move = db.table(StockMove)
    return (select(move.c.at, move.c.kind, move.c.on_hand_change_milli, move.c.held_change_milli)
            .where(move.c.lot_id == lot_id).order_by(move.c.id.desc()).limit(MOST_MOVES))


def making_of(values: Mapping[str, Any]) -> Making:
    """What ProcessSchema has loaded about the making, with the plant's village found. Raises InvalidInput."""
    code = values["plant_village"]
    village = _villages({code}).get(code) if code else None
    if code and village is None:
        raise InvalidInput({"plant_village": [N_("Please choose one of the list.")]})
    return Making(values["yield_reason"], village, values["wage_fen"])


# ---- what the forms offer -------------------------------------------------------------------------------------------


def own_goods(supplier_id: int | None) -> Sequence[Columns]:
    """The co-operative's goods to choose from, by name."""
    product = db.table(Product)
    return db.session().execute(
        select(product.c.id, product.c.name, product.c.name_en, product.c.unit, product.c.unit_en, product.c.by_weight,
               product.c.state, product.c.supply)
        .where(product.c.supplier_id == supplier_id).order_by(product.c.state.desc(), product.c.name)).all()


def members(supplier_id: int | None) -> Sequence[Columns]:
    """The co-operative's members: number, name, village."""
    member, household, village = db.table(CoopMember), db.table(Household), db.table(Division)
    return db.session().execute(
        select(member.c.member_no, household.c.head_name, village.c.name.label("village"))
        .join_from(member, household, household.c.id == member.c.household_id)
        .join(village, village.c.id == household.c.village_id)
        .where(member.c.supplier_id == supplier_id).order_by(member.c.member_no)).all()


def member_villages(supplier_id: int | None) -> dict[str, str]:
    """Villages in which members live, by code."""
    member, household, village = db.table(CoopMember), db.table(Household), db.table(Division)
    rows = db.session().execute(
        select(village.c.code, village.c.path).join_from(member, household, household.c.id == member.c.household_id)
        .join(village, village.c.id == household.c.village_id).where(member.c.supplier_id == supplier_id)
        .distinct().order_by(village.c.code))
    return {row.code: row.path for row in rows}


def usual_yields(supplier_id: int | None) -> list[tuple[Columns, Usual]]:
    """The co-operative's goods whose category has a usual yield."""
    product, category = db.table(Product), db.table(Category)
    rows = db.session().execute(
        select(product.c.name, product.c.name_en, category.c.code)
        .join_from(product, category, category.c.id == product.c.category_id)
        .where(product.c.supplier_id == supplier_id, category.c.code.in_(YIELDS)).order_by(product.c.name))
    return [(row, Usual(*YIELDS[row.code])) for row in rows]


def usable_lots(supplier_id: int | None) -> Sequence[Columns]:
    """Confirmed lots from which something can still be taken, first expired first."""
    lot = db.table(Lot)
    return db.session().execute(
        _lots().add_columns((lot.c.on_hand_milli - lot.c.held_milli).label("free_milli"))
        .where(lot.c.supplier_id == supplier_id, lot.c.confirmed_at.is_not(None), lot.c.recalled_at.is_(None),
               harvested(), lot.c.on_hand_milli > lot.c.held_milli)
        .order_by(lot.c.best_before, lot.c.id)).all()


def contributions_of(rows: Sequence[Mapping[str, Any]], by: Visitor) -> list[Contribution]:
    """Rows as ContributionSchema loads them, with households and villages found.

    A member is named by number, or by a name that only one member has. Raises InvalidInput at the row.
    """
    named = {row["member"] for row in rows if row["member"]}
    households = _households(named, by)
    villages = _own_villages({row["village"] for row in rows if row["village"]}, by)
    problems: dict[str, list[str | MarketError]] = {}
    found = []
    for number, row in enumerate(rows):
        if row["member"]:
            matches = households.get(row["member"], set())
            if len(matches) == 1:
                found.append(Contribution(row["grams"], household_id=next(iter(matches))))
            else:
                problems[f"contributions-{number}-member"] = [
                    N_("Several members have this name: give the number.") if matches
                    else N_("No member has this number or name.")]
        elif row["village"] in villages:
            found.append(Contribution(row["grams"], None, villages[row["village"]], row.get("unsplit", False)))
        else:
            problems[f"contributions-{number}-village"] = [N_("Please choose one of the list.")]
    if problems:
        raise InvalidInput(problems)
    return found


def _households(named: set[str], by: Visitor) -> dict[str, set[int]]:
    """Households by what was typed; a number goes before a name."""
    found: dict[str, set[int]] = {}
    names: dict[str, set[int]] = {}
    for row in db.session().execute(
        select(CoopMember.member_no, Household.head_name, Household.id)
        .join(Household, Household.id == CoopMember.household_id)
        .where(CoopMember.supplier_id == by.organisation_id,
               CoopMember.member_no.in_(named) | Household.head_name.in_(named))
    ):
        found.setdefault(row.member_no, set()).add(row.id)
        names.setdefault(row.head_name, set()).add(row.id)
    return {**names, **found}


def village_of_code(code: str, by: Visitor) -> int:
    """Raises InvalidInput at `village` for a code that is no village of the co-operative's."""
    found = _own_villages({code}, by).get(code)
    if found is None:
        raise InvalidInput({"village": [N_("Please choose one of the list.")]})
    return found


def _own_villages(codes: set[str], by: Visitor) -> dict[str, int]:
    """Those of some villages that may be an origin of the co-operative's goods, by code."""
    found = _villages(codes)
    own = origins.own_villages(by.organisation_id, found.values())
    return {code: village for code, village in found.items() if village in own}


def _villages(codes: set[str]) -> dict[str, int]:
    rows = db.session().execute(select(Division.code, Division.id).where(
        Division.code.in_(codes), Division.level == "village", Division.valid_to.is_(None)))
    return {row.code: row.id for row in rows}
