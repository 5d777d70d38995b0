"""One list over all co-operatives whose books a person keeps: a fixed number of statements, however many they are."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, or_, select

from market import clock, db
from market.access import Visitor
from market.errors import NotFound
from market.ledger import INCOME_EVENTS, LedgerTransfer
from market.parties import Membership, Organisation
from orders.buying.lists import open_fen
from orders.models import (
    Acceptance,
    BankRow,
    CardPayment,
    IncomeDeclaration,
    MoneyTask,
    Order,
    PaymentClaim,
    Payout,
    PayoutLine,
    Refund,
)
from orders.models.cards import LIVE_STATES
from orders.models.paying import REFUND_STATES
from orders.payouts.models import RESERVING, PayoutRun, PayoutRunLine

KEEPERS = ("accountant", "manager")
REFUNDS_ON_THEIR_WAY = tuple(state for state in REFUND_STATES if state not in {"done", "refused"})
USUAL_DAYS = 30  # until accepted goods are to be paid, where the order does not say (国务院令第802号)
PAID_OUT_DAYS = 30  # how far back payouts are counted


@dataclass(frozen=True)
class Sum:
    """How many of something, and what they come to in fen."""

    count: int = 0
    fen: int = 0

    def __add__(self, other: "Sum") -> "Sum":
        return Sum(self.count + other.count, self.fen + other.fen)


NONE = Sum()


@dataclass
class Books:
    """What an accountant looks after in one co-operative; each figure is a Sum, named in FIGURES."""

    id: int
    name: str
    roles: frozenset[str]
    sums: dict[str, Sum] = field(default_factory=dict)

    def of(self, figure: str) -> Sum:
        return self.sums.get(figure, NONE)


FIGURES = ("to_confirm", "in_bank", "no_proof", "bank_unknown", "owed", "overdue", "dues", "declared", "paid_out",
           "in_runs", "not_arrived", "refunds", "cards", "tasks")


def books(by: Visitor) -> list[Books]:
    """Every co-operative in which the person is accountant or manager, by name, with its figures."""
    kept: dict[int, Books] = {}
    for row in db.session().execute(
            select(Organisation.id, Organisation.short_name, Membership.role)
            .join(Membership, Membership.organisation_id == Organisation.id)
            .where(Membership.user_id == by.id, Membership.role.in_(KEEPERS), Organisation.kind == "supplier")
            .order_by(Organisation.short_name, Organisation.id)):
        before = kept.get(row.id, Books(row.id, row.short_name, frozenset()))
        kept[row.id] = Books(row.id, row.short_name, before.roles | {row.role})
    for figure, supplier_id, found in _figures(list(kept)):
        kept[supplier_id].sums[figure] = found
    return list(kept.values())


def check_kept(organisation_id: int, by: Visitor) -> None:
    """Raises NotFound for anything but a co-operative whose books the person keeps, their other duties included."""
    if db.session().scalar(
            select(Organisation.id).join(Membership, Membership.organisation_id == Organisation.id)
            .where(Organisation.id == organisation_id, Organisation.kind == "supplier", Membership.user_id == by.id,
                   Membership.role.in_(KEEPERS)).limit(1)) is None:
        raise NotFound()


def together(kept: Collection[Books]) -> Books:
    """The figures of all of them added up."""
    return Books(0, "", frozenset(), {figure: sum((one.of(figure) for one in kept), NONE) for figure in FIGURES})


def _figures(ids: Collection[int]) -> Iterator[tuple[str, int, Sum]]:
    """(figure, co-operative, sum): one statement for each kind of thing."""
    if not ids:
        return
    yield from _claims(ids)
    yield from _grouped("bank_unknown", BankRow, BankRow.amount_fen, BankRow.supplier_id.in_(ids),
                        BankRow.claim_id.is_(None), BankRow.state.not_in(("matched", "ignored")))
    yield from _owed(ids)
    yield from _dues(ids)
    yield from _grouped("declared", IncomeDeclaration, IncomeDeclaration.amount_fen,
                        IncomeDeclaration.supplier_id.in_(ids), IncomeDeclaration.confirmed_at.is_(None),
                        IncomeDeclaration.refused_at.is_(None), IncomeDeclaration.withdrawn_at.is_(None))
    yield from _paid_out(ids)
    yield from _in_runs(ids)
    yield from _refunds(ids)
    yield from _grouped("cards", CardPayment, CardPayment.amount_fen, CardPayment.supplier_id.in_(ids),
                        CardPayment.state.in_(LIVE_STATES))
    yield from _grouped("tasks", MoneyTask, MoneyTask.amount_fen, MoneyTask.supplier_id.in_(ids),
                        MoneyTask.state == "open")


def _grouped(figure: str, entity: Any, fen: Any, *conditions: ColumnElement[bool]) -> Iterator[tuple[str, int, Sum]]:
    for row in db.session().execute(
            select(entity.supplier_id, func.count().label("things"), db.sum_of(fen).label("fen"))
            .where(*conditions).group_by(entity.supplier_id)):
        yield figure, row.supplier_id, Sum(row.things, row.fen)


def _claims(ids: Collection[int]) -> Iterator[tuple[str, int, Sum]]:
    """Announced transfers: all that wait, those that the bank's statement covers, those without any proof."""
    in_bank = BankRow.id.is_not(None)
    bare = BankRow.id.is_(None) & PaymentClaim.voucher_id.is_(None)
    columns = [column for name, which in (("to_confirm", PaymentClaim.id.is_not(None)), ("in_bank", in_bank),
                                          ("no_proof", bare))
               for column in (func.count().filter(which).label(f"{name}_count"),
                              db.sum_of(case((which, PaymentClaim.amount_fen), else_=0)).label(f"{name}_fen"))]
    for row in db.session().execute(
            select(PaymentClaim.supplier_id, *columns)
            .outerjoin(BankRow, BankRow.claim_id == PaymentClaim.id)
            .where(PaymentClaim.supplier_id.in_(ids), PaymentClaim.state == "claimed")
            .group_by(PaymentClaim.supplier_id)).mappings():
        for name in ("to_confirm", "in_bank", "no_proof"):
            yield name, row["supplier_id"], Sum(row[f"{name}_count"], row[f"{name}_fen"])


def _owed(ids: Collection[int]) -> Iterator[tuple[str, int, Sum]]:
    """What units owe for accepted goods, and what of it should have been paid by now."""
    today, fen = clock.today(), open_fen()
    late = or_(Order.pay_by < today, and_(
        Order.pay_by.is_(None), Acceptance.business_date < clock.days_after(today, -USUAL_DAYS)))
    for row in db.session().execute(
            select(Order.supplier_id, func.count().label("orders"), db.sum_of(fen).label("fen"),
                   func.count().filter(late).label("late_orders"),
                   db.sum_of(case((late, fen), else_=0)).label("late_fen"))
            .join(Acceptance, Acceptance.order_id == Order.id)
            .where(Order.supplier_id.in_(ids), Order.state == "accepted", fen > 0).group_by(Order.supplier_id)):
        yield "owed", row.supplier_id, Sum(row.orders, row.fen)
        yield "overdue", row.supplier_id, Sum(row.late_orders, row.late_fen)


def _dues(ids: Collection[int]) -> Iterator[tuple[str, int, Sum]]:
    """What villages have earned and were not yet paid: how many villages, and how much."""
    row = db.table(LedgerTransfer)
    accounts = [f"due:{supplier_id}" for supplier_id in ids]
    more = case((row.c.debit.in_(accounts), row.c.amount_fen), else_=-row.c.amount_fen)
    unpaid = (
        select(row.c.supplier_id, row.c.village_id, db.sum_of(more).label("fen"))
        .where(row.c.debit.in_(accounts) | row.c.credit.in_(accounts), row.c.event.in_(INCOME_EVENTS))
        .group_by(row.c.supplier_id, row.c.village_id).subquery())
    for found in db.session().execute(
            select(unpaid.c.supplier_id, func.count().label("villages"), db.sum_of(unpaid.c.fen).label("fen"))
            .where(unpaid.c.fen > 0).group_by(unpaid.c.supplier_id)):
        yield "dues", found.supplier_id, Sum(found.villages, found.fen)


def _paid_out(ids: Collection[int]) -> Iterator[tuple[str, int, Sum]]:
    """What was handed to households and collectives lately; a payout cannot be booked without its proof."""
    since = clock.days_after(clock.today(), -PAID_OUT_DAYS)
    for row in db.session().execute(
            select(Payout.supplier_id, func.count(Payout.id.distinct()).label("payouts"),
                   db.sum_of(PayoutLine.amount_fen).label("fen"))
            .join(PayoutLine, PayoutLine.payout_id == Payout.id)
            .where(Payout.supplier_id.in_(ids), Payout.business_date >= since).group_by(Payout.supplier_id)):
        yield "paid_out", row.supplier_id, Sum(row.payouts, row.fen)


def _in_runs(ids: Collection[int]) -> Iterator[tuple[str, int, Sum]]:
    """Lines of payment runs on their way, and those that villages do not find."""
    line, disputed = PayoutRunLine, PayoutRunLine.state == "disputed"
    for row in db.session().execute(
            select(PayoutRun.supplier_id, func.count().label("lines"), db.sum_of(line.amount_fen).label("fen"),
                   func.count().filter(disputed).label("disputed_lines"),
                   db.sum_of(case((disputed, line.amount_fen), else_=0)).label("disputed_fen"))
            .join(line, line.run_id == PayoutRun.id)
            .where(PayoutRun.supplier_id.in_(ids), line.state.in_(RESERVING)).group_by(PayoutRun.supplier_id)):
        yield "in_runs", row.supplier_id, Sum(row.lines, row.fen)
        yield "not_arrived", row.supplier_id, Sum(row.disputed_lines, row.disputed_fen)


def _refunds(ids: Collection[int]) -> Iterator[tuple[str, int, Sum]]:
    """Refunds that were asked for and have not come to an end."""
    for row in db.session().execute(
            select(Order.supplier_id, func.count().label("refunds"), db.sum_of(Refund.amount_fen).label("fen"))
            .select_from(Refund).join(Order, Order.id == Refund.order_id)
            .where(Order.supplier_id.in_(ids), Refund.state.in_(REFUNDS_ON_THEIR_WAY)).group_by(Order.supplier_id)):
        yield "refunds", row.supplier_id, Sum(row.refunds, row.fen)
