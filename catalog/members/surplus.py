"""The yearly surplus return: drawn up by one person of the co-operative, confirmed by another, kept as it was."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import func, select

from catalog.members import volume
from catalog.members.models import LEAST_RETURN_POINTS, MemberCapital, SurplusLine, SurplusReturn
from catalog.members.volume import Volume
from market import clock, db, journal, money
from market.access import Visitor
from market.errors import N_, Conflict, InvalidInput, NotFound, SecondPersonNeeded
from market.households import CoopMember, Household
from market.parties import Organisation
from market.places import Division
from market.schemas import REQUIRED

LONGEST_DAYS = 366


@dataclass(frozen=True)
class Plan:
    """What the members' meeting decided: fen, and hundredths of a percent."""

    first_day: date
    last_day: date
    surplus_fen: int
    reserve_points: int
    return_points: int
    measure: str = "amount"  # by what the volume is measured: farm-gate amount, or grams


@dataclass(frozen=True)
class Meeting:
    """The record of the members' meeting that decided: its number and its day."""

    decision_no: str
    decided_on: date


@dataclass(frozen=True)
class Parts:
    """Where a surplus goes; the four always sum to it."""

    reserve_fen: int
    by_volume_fen: int
    by_capital_fen: int
    other_fen: int


class PeriodTaken(Conflict):
    """A day's surplus is returned once."""

    code = "surplus_period_taken"
    text = N_("A confirmed return already covers days of this period.")


class FiguresChanged(Conflict):
    """Lots or capital have changed since it was drawn up."""

    code = "surplus_figures_changed"
    text = N_("Lots or shares have changed since this was drawn up. Please discard it and draw it up again.")


def divide(surplus_fen: int, reserve_points: int, return_points: int, *, has_capital: bool) -> Parts:
    """Reserve first; of the rest at least the agreed share by volume (a fraction of a fen goes to the members).

    >>> divide(40_000_000, 1000, 7000, has_capital=False)
    Parts(reserve_fen=4000000, by_volume_fen=25200000, by_capital_fen=0, other_fen=10800000)
    >>> divide(101, 0, 6000, has_capital=True)
    Parts(reserve_fen=0, by_volume_fen=61, by_capital_fen=40, other_fen=0)
    """
    reserve = money.part_of(surplus_fen, reserve_points)
    distributable = surplus_fen - reserve
    by_volume = -(-distributable * return_points // 10_000)
    rest = distributable - by_volume
    return Parts(reserve, by_volume, rest if has_capital else 0, 0 if has_capital else rest)


def draw_up(plan: Plan, by: Visitor) -> SurplusReturn:
    """A draft with a line for each member who traded or holds capital. Raises InvalidInput at the field."""
    _check(plan, by)
    lines = _lines(plan, by)
    parts = divide(plan.surplus_fen, plan.reserve_points, plan.return_points,
                   has_capital=any(line["capital_fen"] for line in lines))
    row = SurplusReturn(
        supplier_id=by.organisation_id, first_day=plan.first_day, last_day=plan.last_day, measure=plan.measure,
        surplus_fen=plan.surplus_fen, reserve_points=plan.reserve_points, return_points=plan.return_points,
        reserve_fen=parts.reserve_fen, by_volume_fen=parts.by_volume_fen, by_capital_fen=parts.by_capital_fen,
        other_fen=parts.other_fen, drawn_by=by.id, drawn_at=clock.now())
    session = db.session()
    session.add(row)
    session.flush()
    weights = [line["amount_fen" if plan.measure == "amount" else "grams"] for line in lines]
    capital = [line["capital_fen"] for line in lines]
    returned = money.allocate(parts.by_volume_fen, weights)
    shares = money.allocate(parts.by_capital_fen, capital) if parts.by_capital_fen else [0] * len(lines)
    db.insert_rows(SurplusLine, [
        {**line, "return_id": row.id, "volume_fen": volume_fen, "share_fen": share_fen}
        for line, volume_fen, share_fen in zip(lines, returned, shares, strict=True)])
    journal.record("surplus.drawn_up", "surplus_return", row.id, by, surplus_fen=plan.surplus_fen,
                   reserve_points=plan.reserve_points, return_points=plan.return_points, members=len(lines))
    return row


def confirm(return_id: int, meeting: Meeting, by: Visitor) -> None:
    """The members' meeting has decided: a second person confirms the draft, if what it rests on is still so.

    Raises NotFound, SecondPersonNeeded, Conflict, InvalidInput, PeriodTaken, FiguresChanged.
    """
    row = _draft(return_id, by)
    if row.drawn_by == by.id:
        raise SecondPersonNeeded()
    _check_meeting(row, meeting)
    taken = db.session().scalar(select(SurplusReturn.id).where(
        SurplusReturn.supplier_id == by.organisation_id, SurplusReturn.confirmed_at.is_not(None),
        SurplusReturn.first_day <= row.last_day, SurplusReturn.last_day >= row.first_day).limit(1))
    if taken is not None:
        raise PeriodTaken()
    plan = Plan(row.first_day, row.last_day, row.surplus_fen, row.reserve_points, row.return_points, row.measure)
    if _figures(_lines(plan, by)) != _figures(_kept(row.id)):
        raise FiguresChanged()
    row.confirmed_by, row.confirmed_at = by.id, clock.now()
    row.decision_no, row.decided_on = meeting.decision_no, meeting.decided_on
    db.session().flush()
    journal.record("surplus.confirmed", "surplus_return", row.id, by, surplus_fen=row.surplus_fen,
                   decision_no=meeting.decision_no, decided_on=meeting.decided_on)


def _check_meeting(row: SurplusReturn, meeting: Meeting) -> None:
    if not meeting.decision_no:
        raise InvalidInput({"decision_no": [REQUIRED]})
    if meeting.decided_on > clock.today():
        raise InvalidInput({"decided_on": [N_("This day lies in the future.")]})
    if meeting.decided_on < row.last_day:
        raise InvalidInput({"decided_on": [N_("A meeting decides about a period that is over.")]})


def discard(return_id: int, by: Visitor) -> None:
    """A draft that is not used; it stays in the list. Raises NotFound, Conflict."""
    row = _draft(return_id, by)
    row.discarded_by, row.discarded_at = by.id, clock.now()
    db.session().flush()
    journal.record("surplus.discarded", "surplus_return", row.id, by)


def set_capital(household_id: int, capital_fen: int, by: Visitor) -> None:
    """What a member has paid in, from now on. Raises NotFound for a household that is not a member."""
    if db.session().scalar(select(CoopMember.id).where(
            CoopMember.supplier_id == by.organisation_id, CoopMember.household_id == household_id)) is None:
        raise NotFound()
    before = capital_of(by.organisation_id, [household_id]).get(household_id, 0)
    db.insert_rows(MemberCapital, [{
        "supplier_id": by.organisation_id, "household_id": household_id, "capital_fen": capital_fen, "set_by": by.id,
        "set_at": clock.now()}])
    journal.record("member.capital", "household", household_id, by, before=before, after=capital_fen)


def capital_of(supplier_id: int | None, households: Sequence[int] | None = None) -> dict[int, int]:
    """The newest capital (fen) by household; who has none is not there."""
    row = db.table(MemberCapital)
    newest = select(func.max(row.c.id)).where(row.c.supplier_id == supplier_id).group_by(row.c.household_id)
    query = select(row.c.household_id, row.c.capital_fen).where(row.c.id.in_(newest), row.c.capital_fen > 0)
    if households is not None:
        query = query.where(row.c.household_id.in_(households))
    return {found.household_id: found.capital_fen for found in db.session().execute(query)}


def _check(plan: Plan, by: Visitor) -> None:
    problems: dict[str, list[Any]] = {}
    if not plan.first_day <= plan.last_day <= clock.days_after(plan.first_day, LONGEST_DAYS - 1):
        problems["last_day"] = [N_("A period has between one day and a year.")]
    elif plan.last_day > clock.today():
        problems["last_day"] = [N_("This day lies in the future.")]
    elif volume.unnamed_grams(by.organisation_id, plan.first_day, plan.last_day):
        problems["last_day"] = [N_("Some lots of this period still wait for the members' names: name them first.")]
    if plan.return_points < LEAST_RETURN_POINTS:
        problems["return_points"] = [N_("The law asks for at least 60 percent by trade volume.")]
    if problems:
        raise InvalidInput(problems)


def _lines(plan: Plan, by: Visitor) -> list[dict[str, Any]]:
    """Members with trade or capital, by number, as they are today."""
    traded = volume.volumes(by.organisation_id, plan.first_day, plan.last_day)
    capital = capital_of(by.organisation_id)
    member, household, village = db.table(CoopMember), db.table(Household), db.table(Division)
    rows = db.session().execute(
        select(member.c.member_no, household.c.id, household.c.head_name, village.c.path)
        .join_from(member, household, household.c.id == member.c.household_id)
        .join(village, village.c.id == household.c.village_id)
        .where(member.c.supplier_id == by.organisation_id).order_by(member.c.member_no)).all()
    none = Volume()
    lines = [
        {"household_id": row.id, "member_no": row.member_no, "head_name": row.head_name, "village": row.path,
         "grams": traded.get(row.id, none).grams, "amount_fen": traded.get(row.id, none).amount_fen,
         "capital_fen": capital.get(row.id, 0)}
        for row in rows if row.id in traded or row.id in capital]
    if not any(line["amount_fen" if plan.measure == "amount" else "grams"] for line in lines):
        raise InvalidInput({"first_day": [N_("No member brought goods in this period.")]})
    return lines


def _figures(lines: Sequence[Mapping[str, Any]]) -> list[tuple[int, int, int, int]]:
    return sorted((x["household_id"], x["grams"], x["amount_fen"], x["capital_fen"]) for x in lines)


def _kept(return_id: int) -> Sequence[Mapping[str, Any]]:
    line = db.table(SurplusLine)
    return [dict(row) for row in db.session().execute(select(line).where(line.c.return_id == return_id)).mappings()]


def _draft(return_id: int, by: Visitor) -> SurplusReturn:
    """An own draft, locked. One return of a co-operative is decided at a time."""
    session = db.session()
    session.execute(select(Organisation.id).where(Organisation.id == by.organisation_id).with_for_update())
    row = session.scalar(select(SurplusReturn).where(
        SurplusReturn.id == return_id, SurplusReturn.supplier_id == by.organisation_id).with_for_update())
    if row is None:
        raise NotFound()
    if row.confirmed_at is not None or row.discarded_at is not None:
        raise Conflict()
    return row
