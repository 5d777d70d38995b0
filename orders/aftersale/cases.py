"""A return, a replacement or a complaint: opened by the unit, answered by the co-operative, mediated by the county.

Goods go back, and new ones are sent, only when a person of the co-operative agrees; the county proposes, it does not
decide. Every answer has a clock in working days.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import func, select

from market import clock, db, journal, logins, money, offices, outbox
from market.access import Visitor
from market.errors import N_, Conflict, InvalidInput, MarketError, NotFound, SecondPersonNeeded
from market.parties import DeliveryPoint, Organisation
from market.schemas import REQUIRED
from market.working_days import working_days_after
from orders import numbers
from orders import states as order_states
from orders.aftersale import states
from orders.buying import checkout
from orders.buying.checkout import Wish
from orders.delivering import returns
from orders.models import (
    Acceptance,
    AcceptanceLine,
    AfterSale,
    AfterSaleLine,
    AfterSalePhoto,
    Order,
    OrderLine,
    Purchase,
)


@dataclass(frozen=True)
class Matter:
    """What a unit asks for: the kind, the lines it is about {order line id: milli}, why, in whose words, photos."""

    kind: str
    reason: str
    words: str = ""
    lines: Mapping[int, int] | None = None
    photo_ids: Sequence[int] = ()


class TooLate(Conflict):
    """The time for it has run out."""

    code = "too_late"
    text = N_("This is possible for %(days)s days after the goods were accepted.")


class MoreThanAccepted(MarketError):
    """More of a good than was taken of it, less what has gone back."""

    status = 422
    code = "more_than_accepted"
    text = N_("%(name)s: at most %(most)s %(unit)s.")


class NotNow(Conflict):
    """The case has moved on."""

    code = "case_moved_on"
    text = N_("This case has moved on; please look again.")


def open_case(order_id: int, matter: Matter, by: Visitor) -> AfterSale:
    """Open a case about an accepted order of the visitor's unit.

    Raises NotFound, WrongState, TooLate, MoreThanAccepted (at the line), InvalidInput.
    """
    session = db.session()
    order = session.scalar(
        select(Order).where(Order.id == order_id, Order.unit_id == by.organisation_id).with_for_update())
    if order is None:
        raise NotFound()
    _check_in_time(order)
    lines = _checked_lines(order.id, matter)
    now = clock.now()
    case = AfterSale(
        number=numbers.new("A", clock.today()), order_id=order.id, kind=matter.kind, state="open",
        reason=matter.reason, words=matter.words, opened_by=by.id, opened_at=now,
        business_date=clock.business_date(now), due_on=working_days_after(clock.today(), states.ANSWER_DAYS))
    session.add(case)
    session.flush()
    db.insert_rows(AfterSaleLine, [{"case_id": case.id, "order_line_id": line_id, "milli": milli}
                                   for line_id, milli in sorted(lines.items())])
    db.insert_rows(AfterSalePhoto, [{"case_id": case.id, "file_id": file_id} for file_id in matter.photo_ids])
    _note(case, "opened", by, reason=matter.reason)
    return case


def _check_in_time(order: Order) -> None:
    """Only what was accepted, and for so many days."""
    if order.state not in {"accepted", "rejected"}:
        raise order_states.WrongState(state=order.state)
    taken_on = db.session().scalar(select(Acceptance.business_date).where(Acceptance.order_id == order.id))
    if taken_on is None or clock.today() > clock.days_after(taken_on, states.OPEN_DAYS):
        raise TooLate(days=states.OPEN_DAYS)


def _checked_lines(order_id: int, matter: Matter) -> Mapping[int, int]:
    """The lines asked for; a complaint may be about the delivery as a whole."""
    asked = dict(matter.lines or {})
    if not asked and matter.kind != "complaint":
        raise InvalidInput({"lines": [N_("Say which goods, and how much of them.")]})
    if not matter.words and (matter.kind == "complaint" or matter.reason == "other"):
        raise InvalidInput({"words": [REQUIRED]})
    possible = {line.id: line for line in open_lines(order_id)}
    if not set(asked) <= set(possible):
        raise NotFound()
    wrong: dict[str, list[str | MarketError]] = {}
    for line_id, milli in asked.items():
        line = possible[line_id]
        most = line.returnable_milli if matter.kind == "return" or line.returnable_milli else line.missing_milli
        if not 0 < milli <= most:
            wrong[f"line-{line_id}"] = [MoreThanAccepted(name=line.product_name, unit=line.unit,
                                                         most=money.plain_decimal(most))]
    if wrong:
        raise InvalidInput(wrong)
    return asked


def open_lines(order_id: int) -> Sequence[Any]:
    """An order's lines with what may still go back (`returnable_milli`: accepted less returned less what open cases
    ask for) and what was never taken of them and has not come anew (`missing_milli`), in thousandths of the unit."""
    def of_cases(*which: Any) -> Any:
        return (select(func.coalesce(func.sum(AfterSaleLine.milli), 0))
                .join(AfterSale, AfterSale.id == AfterSaleLine.case_id)
                .where(AfterSaleLine.order_line_id == OrderLine.id, *which).correlate(OrderLine).scalar_subquery())

    asked = of_cases(AfterSale.state.in_(states.LIVE), AfterSale.kind != "complaint")
    replaced = of_cases(AfterSale.state == "agreed", AfterSale.kind == "replacement")
    rows = db.session().execute(
        select(OrderLine.id, OrderLine.product_id, OrderLine.product_name, OrderLine.product_name_en, OrderLine.unit,
               OrderLine.unit_en, OrderLine.price_fen, OrderLine.ordered_milli, AcceptanceLine.accepted_milli,
               AcceptanceLine.returned_milli, asked.label("asked_milli"),
               replaced.label("replaced_milli"))
        .join(AcceptanceLine, AcceptanceLine.order_line_id == OrderLine.id)
        .where(OrderLine.order_id == order_id).order_by(OrderLine.id))
    return [_Line(**row._mapping) for row in rows]


@dataclass(frozen=True)
class _Line:
    id: int
    product_id: int
    product_name: str
    product_name_en: str
    unit: str
    unit_en: str
    price_fen: int
    ordered_milli: int
    accepted_milli: int
    returned_milli: int
    asked_milli: int
    replaced_milli: int

    @property
    def returnable_milli(self) -> int:
        return max(0, self.accepted_milli - self.returned_milli - int(self.asked_milli))

    @property
    def missing_milli(self) -> int:
        """Of a line that was refused as a whole: it may come anew, once."""
        gone = int(self.asked_milli) + int(self.replaced_milli)
        return max(0, self.ordered_milli - gone) if self.accepted_milli == 0 else 0


# ---- the co-operative -----------------------------------------------------------------------------------------------


def agree(case_id: int, words: str, day: date | None, by: Visitor, *, restock: bool = False) -> AfterSale:
    """A person of the co-operative agrees: goods go back as a dated minus, a replacement is ordered for a day.

    The replacement is a purchase of its own at the price of the first, for which the first one's approval stands.
    `restock`: what goes back is sound and is sold again.
    Raises NotFound, NotNow, SecondPersonNeeded, InvalidInput, whatever checkout refuses, whatever a return refuses.
    """
    case, order = _locked(case_id, AfterSale.order_id.in_(select(Order.id).where(
        Order.supplier_id == by.organisation_id)), "agreed")
    if case.opened_by == by.id:
        raise SecondPersonNeeded()
    wanted = _wanted(case)
    if case.kind != "complaint":
        _send_back(case, order, wanted, by, restock)
    if case.kind == "replacement":
        if day is None:
            raise InvalidInput({"delivery_day": [REQUIRED]})
        case.replacement_id = _order_anew(case, order, wanted, day)
    _answer(case, "agreed", words, by)
    return case


def refuse(case_id: int, words: str, by: Visitor) -> AfterSale:
    """The co-operative does not agree, and says why; the unit may call the county. Raises NotFound, NotNow."""
    case, _order = _locked(case_id, AfterSale.order_id.in_(select(Order.id).where(
        Order.supplier_id == by.organisation_id)), "refused")
    if case.opened_by == by.id:
        raise SecondPersonNeeded()
    if not words:
        raise InvalidInput({"words": [REQUIRED]})
    _answer(case, "refused", words, by)
    return case


def _answer(case: AfterSale, state: str, words: str, by: Visitor) -> None:
    case.answer, case.answered_by, case.answered_at = words or case.answer, by.id, clock.now()
    _move(case, state, by, reason=words)


def _send_back(case: AfterSale, order: Order, wanted: Mapping[int, int], by: Visitor, restock: bool) -> None:
    """What was accepted of the lines goes back; what was refused at the door never came in."""
    taken = {line.id for line in open_lines(order.id) if line.accepted_milli}
    back = {line_id: milli for line_id, milli in wanted.items() if line_id in taken}
    if back:
        opener = _acting_for(case.opened_by, order.unit_id)
        case.return_id = returns.take_back(order.id, back, case.reason, opener, by, restock=restock).id


def _order_anew(case: AfterSale, order: Order, wanted: Mapping[int, int], day: date) -> int:
    """In the name of who ordered first, so that whoever opened the case may still receive the new goods; for the unit
    whose door it is, which may be the one above."""
    lines = {line.id: line for line in open_lines(order.id)}
    first = db.session().get_one(Purchase, order.purchase_id)
    wish = Wish(order.delivery_point_id, day, order.delivery_window, order.fund_source, order.method, order.unit_id,
                note=case.number)
    door_of = db.session().scalars(
        select(DeliveryPoint.unit_id).where(DeliveryPoint.id == order.delivery_point_id)).one()
    placed = checkout.place(
        [(lines[line_id].product_id, milli) for line_id, milli in wanted.items()], wish, f"after-sale:{case.id}",
        _acting_for(first.ordered_by, door_of), approved_by=first.approved_by if first.approval == "approved" else None,
        at_prices={lines[line_id].product_id: lines[line_id].price_fen for line_id in wanted})
    return placed.id


# ---- the unit and the county ----------------------------------------------------------------------------------------


def withdraw(case_id: int, by: Visitor) -> AfterSale:
    """The unit lets it rest. Raises NotFound, NotNow."""
    case, _order = _locked(case_id, _of_unit(by), "withdrawn")
    _move(case, "withdrawn", by)
    return case


def call_county(case_id: int, by: Visitor) -> AfterSale:
    """Once the co-operative has refused, or let its time run out, the unit may ask the county to mediate.

    The agriculture office of the co-operative's county mediates. Raises NotFound, NotNow, Conflict where there is none.
    """
    case, order = _locked(case_id, _of_unit(by), "mediation")
    if case.state == "open" and (case.due_on is None or clock.today() <= case.due_on):
        raise NotNow()
    place = db.session().scalar(select(Organisation.division_id).where(Organisation.id == order.supplier_id))
    found = offices.over(place, "agriculture", "revitalisation") if place is not None else []
    if not found:
        raise NoOffice()
    case.office_id = found[0]
    _move(case, "mediation", by)
    return case


class NoOffice(Conflict):
    """No county office is registered where the co-operative lies."""

    code = "no_office"
    text = N_("No county office is registered here that could mediate.")


def propose(case_id: int, words: str, by: Visitor) -> AfterSale:
    """The county says what it finds right; the co-operative may agree, the unit may let it rest.

    Raises NotFound, NotNow, InvalidInput.
    """
    case, _order = _locked(case_id, AfterSale.office_id == by.organisation_id, "proposed")
    if not words:
        raise InvalidInput({"words": [REQUIRED]})
    case.proposal, case.mediated_by = words, by.id
    _move(case, "proposed", by, reason=words)
    return case


def fail(case_id: int, by: Visitor) -> AfterSale:
    """The county closes a case in which nobody agreed. Raises NotFound, NotNow."""
    case, _order = _locked(case_id, AfterSale.office_id == by.organisation_id, "failed")
    _move(case, "failed", by)
    return case


# ---- what all of them share -----------------------------------------------------------------------------------------


def _of_unit(by: Visitor) -> Any:
    return AfterSale.order_id.in_(select(Order.id).where(Order.unit_id == by.organisation_id))


def _locked(case_id: int, mine: Any, new: str) -> tuple[AfterSale, Order]:
    """The case and its order, the order locked first as every verb about an order does."""
    session = db.session()
    order = session.scalar(select(Order).join(AfterSale, AfterSale.order_id == Order.id)
                           .where(AfterSale.id == case_id, mine).with_for_update(of=Order))
    if order is None:
        raise NotFound()
    case = session.scalars(select(AfterSale).where(AfterSale.id == case_id).with_for_update()
                           .execution_options(populate_existing=True)).one()
    if new not in states.NEXT[case.state]:
        raise NotNow()
    return case, order


def _move(case: AfterSale, state: str, by: Visitor, **details: Any) -> None:
    days = {"mediation": states.MEDIATION_DAYS, "proposed": states.ANSWER_DAYS}.get(state)
    case.state = state
    case.due_on = working_days_after(clock.today(), days) if days else None
    case.closed_at = None if states.NEXT[state] else clock.now()
    db.session().flush()
    _note(case, state, by, **details)


def _note(case: AfterSale, what: str, by: Visitor, **details: Any) -> None:
    """On the order's timeline, and told to the other side after the commit."""
    journal.record(f"after_sale.{what}", "order", case.order_id, by, case=case.number, **details)
    outbox.enqueue("after_sale.moved", {"case_id": case.id, "what": what, "at": clock.now().isoformat()})


def _acting_for(user_id: int, unit_id: int) -> Visitor:
    """A person as acting for a unit."""
    person = logins.visitor_of_login(logins.login_of(user_id), unit_id)
    if person is None:
        raise NotFound()
    return person


def _wanted(case: AfterSale) -> dict[int, int]:
    return {row.order_line_id: row.milli for row in db.session().execute(
        select(AfterSaleLine.order_line_id, AfterSaleLine.milli).where(AfterSaleLine.case_id == case.id)
        .order_by(AfterSaleLine.order_line_id))}
