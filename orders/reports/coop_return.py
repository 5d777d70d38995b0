"""Report 12, co-op return (盈余返还): what members' meetings decided to give back, member by member.

A co-operative reads its own members by name, offices those of their area by code. Surplus, reserve and capital are the
co-operative's own figures (catalog/members/surplus.py); it is a calculation and posts nothing.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, select

from catalog.members.models import LEAST_RETURN_POINTS, SurplusLine, SurplusReturn
from catalog.models import Lot, LotContribution, Product
from catalog.on_sale import harvested
from market import clock, db, money
from market.errors import N_, NotFound
from market.households import Household
from market.i18n import gettext as _
from market.parties import Organisation
from orders.households.cards import code_of
from orders.reports import listing
from orders.reports.frame import Asked, Column, Content, Report, Row, column_of, total_of
from orders.reports.readers import Area, Reader, number_of

NAME = Column("name", N_("Member's name"), "text")
COLUMNS = (
    Column("period", N_("Period"), "code"), Column("supplier", N_("Co-operative"), "text"),
    Column("surplus_fen", N_("Surplus"), "fen"), Column("reserve_fen", N_("Reserve"), "fen"),
    Column("distributable_fen", N_("Distributable"), "fen"),
    Column("return_points", N_("Returned by volume, share"), "percent"), Column("member", N_("Member"), "code"),
    Column("grams", N_("Trade volume"), "grams", sums=True, opens=True),
    Column("traded_fen", N_("Trade volume"), "fen", sums=True, opens=True),
    Column("share_points", N_("Share of the volume"), "percent"),
    Column("volume_fen", N_("Return by volume"), "fen", sums=True),
    Column("capital_fen", N_("Share by capital"), "fen", sums=True),
    Column("total_fen", N_("Together"), "fen", sums=True), Column("decision", N_("Decision record"), "text"),
)
LOT_COLUMNS = (
    Column("lot", N_("Lot"), "code"), Column("day", N_("Day"), "code"), Column("goods", N_("Goods"), "text"),
    Column("farm_gate_fen", N_("Farm-gate price"), "fen"),
)
LINE, RETURN = db.table(SurplusLine).c, db.table(SurplusReturn).c


def read(asked: Asked, area: Area, reader: Reader) -> Content:
    """One row for each member of a return that was decided. Raises NotFound for everybody else than these readers."""
    first, last = int(asked.first[:4]), int(asked.last[:4])
    found = _lines(_seen(area, reader), RETURN.last_day.between(clock.first_day(f"{first}-01"),
                                                                clock.last_day(f"{last}-12")))
    volumes: dict[int, int] = {}
    for line in found:
        volumes[line.return_id] = volumes.get(line.return_id, 0) + _volume(line)
    columns = _columns(reader)
    rows = [_row(line, volumes[line.return_id], reader) for line in found]
    return Content(columns, rows, total_of(columns, rows), _notes(first, last))


def _seen(area: Area, reader: Reader) -> ColumnElement[bool]:
    """The returns a reader may see: a co-operative its own, an office those of co-operatives at home in its area."""
    if reader.supplier_id is not None:
        return RETURN.supplier_id == reader.supplier_id
    if not reader.sees_all:
        raise NotFound()
    return listing.lies_in(area.where, RETURN.supplier_id)


def _columns(reader: Reader) -> Sequence[Column]:
    """Names stand in the co-operative's own report alone."""
    if reader.supplier_id is None:
        return COLUMNS
    at = COLUMNS.index(column_of(COLUMNS, "member")) + 1
    return (*COLUMNS[:at], NAME, *COLUMNS[at:])


def _lines(*conditions: ColumnElement[bool]) -> Sequence[Any]:
    return db.session().execute(
        select(db.table(SurplusLine), RETURN.first_day, RETURN.last_day, RETURN.measure, RETURN.surplus_fen,
               RETURN.reserve_fen, RETURN.return_points, RETURN.decision_no, RETURN.decided_on, RETURN.supplier_id,
               Organisation.name.label("supplier"), Household.register_code)
        .join(db.table(SurplusReturn), RETURN.id == LINE.return_id)
        .join(Organisation, Organisation.id == RETURN.supplier_id).join(Household, Household.id == LINE.household_id)
        .where(RETURN.confirmed_at.is_not(None), *conditions).order_by(RETURN.id, LINE.id)).all()


def _volume(line: Any) -> int:
    return int(line.amount_fen if line.measure == "amount" else line.grams)


def _row(line: Any, volume: int, reader: Reader) -> Row:
    row = Row({
        "period": f"{line.first_day.isoformat()} – {line.last_day.isoformat()}", "supplier": line.supplier,
        "surplus_fen": line.surplus_fen, "reserve_fen": line.reserve_fen,
        "distributable_fen": line.surplus_fen - line.reserve_fen, "return_points": line.return_points,
        "member": line.member_no if reader.supplier_id is not None else code_of(line), "grams": line.grams,
        "traded_fen": line.amount_fen, "share_points": money.basis_points(_volume(line), volume),
        "volume_fen": line.volume_fen, "capital_fen": line.share_fen,
        "total_fen": line.volume_fen + line.share_fen,
        "decision": f"{line.decision_no} {line.decided_on.isoformat()}" if line.decided_on else None,
    }, place=str(line.id), order=f"{line.last_day.isoformat()} {line.return_id:012d} {line.id:012d}")
    if reader.supplier_id is not None:
        row.values["name"] = line.head_name
    return row


def _notes(first: int, last: int) -> list[str]:
    years = str(first) if first == last else f"{first}–{last}"
    return [
        _("A calculation, not a payment: nothing of it is booked. Dividends to households are declared with proof."),
        _("Returns whose period ended in %(years)s and that the members' meeting decided and a second person "
          "confirmed; drafts are left out.", years=years),
        _("Surplus, reserve and capital are what the co-operative declared. Of what is distributable at least "
          "%(least)s goes back by trade volume (Law on Farmers' Specialised Co-operatives); the rest by capital, where "
          "members hold any.", least=money.percent(LEAST_RETURN_POINTS)),
        _("Trade volume: what a member brought to lots that were confirmed at the village, in kilograms and at "
          "farm-gate prices. Surplus, reserve and distributable are those of the whole co-operative and stand in every "
          "row: they are not added up."),
    ]


# ---- the lots behind a member's volume ------------------------------------------------------------------------------


def lines_of(figure: str) -> Report:
    """The report of the lots behind a member's volume. Raises NotFound for other figures."""
    column = column_of(COLUMNS, figure)
    if not column.opens:
        raise NotFound()

    def read_lots(asked: Asked, area: Area, reader: Reader) -> Content:
        line_id = number_of(asked.row)
        found = _lines(_seen(area, reader), LINE.id == line_id)
        if line_id is None or not found:
            raise NotFound()
        columns = (*LOT_COLUMNS, Column(column.key, column.heading, column.kind, sums=True))
        rows = [_lot_row(lot) for lot in _lots(found[0])]
        totals = total_of(columns, rows)
        kept = found[0].grams if column.kind == "grams" else found[0].amount_fen
        notes = [_("Lots of this period were added or named after the return was decided: the report keeps what was "
                   "decided.")] if totals.values[column.key] != kept else []
        return Content(columns, rows, totals, notes, about=f"{found[0].supplier} {code_of(found[0])}")

    return Report("co-op-return-lines", column.heading, N_("The lots behind a member's trade volume."), read_lots,
                  "surplus.read", by_village=False)


def _lots(line: Any) -> Sequence[Any]:
    """As catalog/members/volume.py adds them up."""
    return db.session().execute(
        select(Lot.id, Lot.code, Lot.harvested_on, Lot.farm_gate_fen_per_kg, Product.name,
               db.sum_of(LotContribution.grams).label("grams"))
        .join(LotContribution, LotContribution.lot_id == Lot.id).join(Product, Product.id == Lot.product_id)
        .where(LotContribution.household_id == line.household_id, Lot.supplier_id == line.supplier_id,
               Lot.kind == "harvest", harvested(), Lot.confirmed_at.is_not(None),
               Lot.harvested_on.between(line.first_day, line.last_day))
        .group_by(Lot.id, Lot.code, Lot.harvested_on, Lot.farm_gate_fen_per_kg, Product.name)
        .order_by(Lot.harvested_on, Lot.id)).all()


def _lot_row(lot: Any) -> Row:
    return Row({
        "lot": lot.code, "day": lot.harvested_on.isoformat(), "goods": lot.name,
        "farm_gate_fen": lot.farm_gate_fen_per_kg, "grams": lot.grams,
        "traded_fen": money.line_total(lot.farm_gate_fen_per_kg, lot.grams),
    }, place=str(lot.id), order=f"{lot.harvested_on.isoformat()} {lot.id:012d}")


REPORT = Report("co-op-return", N_("Co-op return"),
                N_("What goes back to members out of a surplus: volume, share, return, by the meeting's decision."),
                read, verb="surplus.read", by_village=False, group="income")
