"""到户: money a co-operative hands on to households and collectives, with proof, never more than is unpaid."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select

from market import clock, db, journal, ledger, money, places
from market.access import Visitor
from market.errors import N_, Conflict, InvalidInput, NotFound, SecondPersonNeeded
from market.households import Household
from orders import numbers
from orders.income import dues, households, posting
from orders.income.areas import in_area
from orders.models import Payout, PayoutLine, PayoutShare

WHO = N_("Say who was paid how much.")


class MoreThanUnpaid(Conflict):
    """The village is owed less."""

    code = "more_than_unpaid"
    text = N_("Only ¥%(left)s is unpaid in this village.")


class MoreThanDue(Conflict):
    """This household is owed less."""

    code = "more_than_due"
    text = N_("To one of the households ¥%(asked)s would be paid; it is owed ¥%(left)s.")


@dataclass(frozen=True)
class Handed:
    """What a co-operative has handed on in one village by one kind of income: (household id, or None for the
    collective, fen) per line, on a day, with its proof's file. `sent`: it was reserved and sent while it was owed.
    """

    supplier_id: int
    made_by: int
    village_id: int
    income_kind: str
    lines: Sequence[tuple[int | None, int]]
    paid_on: date
    proof_id: int
    sent: bool = False


def pay(village_id: int, income_kind: str, lines: Sequence[tuple[int | None, int]], paid_on: date, proof_id: int,
        by: Visitor, confirmed_by: Visitor) -> Payout:
    """Book a payout of the visitor's co-operative, confirmed by a person of the village. Raises as book() does."""
    if by.organisation_id is None:
        raise InvalidInput({"lines": [WHO]})
    return book(Handed(by.organisation_id, by.id, village_id, income_kind, lines, paid_on, proof_id), confirmed_by)[0]


def book(handed: Handed, confirmed_by: Visitor) -> tuple[Payout, list[PayoutLine]]:
    """Book what was handed on, with a row for each line in the same order; a person of the village confirms it.

    Nobody is paid more than is owed to them; of what was sent while it was owed, goods that came back since make money
    paid ahead. Raises MoreThanUnpaid, MoreThanDue, SecondPersonNeeded, NotFound, InvalidInput.
    """
    supplier_id, village_id, income_kind, lines = (
        handed.supplier_id, handed.village_id, handed.income_kind, handed.lines)
    if not lines or any(fen <= 0 for _household, fen in lines) or handed.paid_on > clock.today():
        raise InvalidInput({"lines": [WHO]})
    if confirmed_by.id == handed.made_by or not in_area(village_id, confirmed_by):
        raise SecondPersonNeeded()
    dues.lock(supplier_id)
    unpaid = dues.unpaid_by_category(supplier_id, village_id, income_kind)
    owed = _owed(handed, sum(unpaid.values()))
    _check_receivers(village_id, income_kind, lines, owed)
    if not handed.sent:
        _check_dues(lines, owed)
    payout = Payout(
        number=numbers.new("F", clock.today()), supplier_id=supplier_id, village_id=village_id,
        income_kind=income_kind, paid_on=handed.paid_on, proof_id=handed.proof_id, made_by=handed.made_by,
        confirmed_by=confirmed_by.id, business_date=clock.today())
    session = db.session()
    session.add(payout)
    session.flush()
    rows = [PayoutLine(payout_id=payout.id, household_id=household, amount_fen=fen) for household, fen in lines]
    session.add_all(rows)
    session.flush()
    ledger.post([transfer for row, share in _shares(rows, unpaid) for transfer in posting.paid_out(payout, row, share)])
    journal.record("payout.made", "payout", payout.id, confirmed_by, village=village_id, income_kind=income_kind,
                   amount_fen=sum(fen for _household, fen in lines), made_by=handed.made_by)
    return payout, rows


def _owed(handed: Handed, collective_fen: int) -> dict[int | None, int]:
    """Unpaid fen by receiver: to each household of its own goods, of wages, rents and dividends declared for it.

    Below zero where it was paid ahead, which takes nothing from what its neighbours are owed.
    """
    if handed.income_kind == "collective":
        return {None: collective_fen}
    return {household: due.unpaid_fen for (_village, household, kind), due in
            households.dues(handed.supplier_id, [handed.village_id]).items() if kind == handed.income_kind}


def _check_dues(lines: Sequence[tuple[int | None, int]], owed: Mapping[int | None, int]) -> None:
    whole = sum(max(0, fen) for fen in owed.values())
    if sum(fen for _household, fen in lines) > whole:
        raise MoreThanUnpaid(left=money.yuan(whole))
    asked: dict[int | None, int] = {}
    for household, fen in lines:
        asked[household] = asked.get(household, 0) + fen
    for household, fen in asked.items():
        left = owed.get(household, 0)
        if fen > left:
            raise MoreThanDue(left=money.yuan(max(0, left)), asked=money.yuan(fen))


def _shares(lines: Sequence[PayoutLine], unpaid: Mapping[str | None, int]) -> list[tuple[PayoutLine, PayoutShare]]:
    """Each line over the categories of goods, by what is unpaid of each; together never more than that, but where
    neighbours were paid ahead: then the rest lies on the first one.
    """
    left = {category: fen for category, fen in unpaid.items() if fen > 0}
    shares = []
    for line in lines:
        covered = min(line.amount_fen, sum(left.values()))
        parts = dict(zip(left, money.allocate(covered, list(left.values())), strict=True)) if covered else {}
        if covered < line.amount_fen:
            first = next(iter(unpaid), None)
            parts[first] = parts.get(first, 0) + line.amount_fen - covered
        for number, (category, fen) in enumerate((category, fen) for category, fen in parts.items() if fen):
            left[category] = left.get(category, 0) - fen
            shares.append((line, PayoutShare(payout_line_id=line.id, part=number, category=category, amount_fen=fen)))
        left = {category: fen for category, fen in left.items() if fen > 0}
    db.session().add_all([share for _line, share in shares])
    db.session().flush()
    return shares


def _check_receivers(village_id: int, income_kind: str, lines: Sequence[tuple[int | None, int]],
                     owed: Collection[int | None]) -> None:
    """The collective is one receiver; households must have earned in the village, wherever they live by now, or be of
    it, or of what it has become since.
    """
    receivers = {household for household, _fen in lines}
    if income_kind == "collective":
        if receivers != {None}:
            raise InvalidInput({"lines": [N_("The collective is paid as one.")]})
        return
    known = set(db.session().scalars(
        select(Household.id).where(Household.id.in_(receivers - {None}),
                                   Household.id.in_([one for one in owed if one is not None])
                                   | Household.village_id.in_({village_id, places.today_of(village_id)}))))
    if None in receivers or known != receivers:
        raise NotFound()
