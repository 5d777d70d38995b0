"""A second person's yes to a purchase, bound to its content; and taking a purchase or order back before it ships."""

from dataclasses import replace
from typing import Any

from sqlalchemy import select, update

from catalog import stock
from market import clock, db, journal, outbox
from market.access import Visitor
from market.errors import N_, Conflict, InvalidInput, NotFound
from market.parties import Membership, Organisation
from market.users import User
from orders import families, seasons, states
from orders.approving import deciding, people, rules
from orders.approving.deciding import Paper
from orders.approving.models import ApprovalDecision
from orders.buying import checkout, refusals
from orders.models import Order, OrderLine, Purchase
from orders.paying import card_closing, receipts, terms


class ContentChanged(Conflict):
    """What lies there now is not what was shown for approval."""

    code = "content_changed"
    text = N_("The purchase has changed since it was shown to you. Please look again.")


def approve(purchase_id: int, shown_hash: str | None, by: Visitor) -> bool:
    """Say yes to the step that is open; after the last one the purchase goes to the co-operatives, as long as all its
    goods are still on sale. Returns whether that was the last.

    Raises SecondPersonNeeded, OneStepEach, NotYourStep, ContentChanged, GoodsWithdrawn, Conflict, NotFound.
    """
    return _approve(purchase_id, shown_hash, by, None)


def file_paper(purchase_id: int, step_no: int, paper: Paper, by: Visitor) -> bool:
    """File a yes to the open step that was given on paper or in an office system, as a second person: not who ordered,
    and from then on neither receiver nor payer. The name on it is not that of who ordered.

    Raises what approve() raises, and InvalidInput.
    """
    purchase = _waiting(purchase_id, by)
    step = deciding.open_step(purchase.id)
    if step is None or step.step_no != step_no:
        raise Conflict()
    if paper.signed_on > clock.today():
        raise InvalidInput({"signed_on": [N_("This day lies in the future.")]})
    if paper.signed_on < clock.business_date(step.asked_at):  # of a purchase that grew: before it was asked for anew
        raise InvalidInput({"signed_on": [N_("This day lies before the purchase.")]})
    return _approve(purchase_id, None, by, replace(paper, signed_by_user=_signer(purchase, step, paper.signed_by)))


def _signer(purchase: Purchase, step: Any, name: str) -> int | None:
    """The login of who signed, where that name has one in the unit or above it. Raises InvalidInput where they may
    not sign: who ordered may belong to either, or have left."""
    session = db.session()
    above = select(Organisation.parent_id).where(Organisation.id == purchase.unit_id).scalar_subquery()
    found = set(session.scalars(
        select(User.id).join(Membership, Membership.user_id == User.id)
        .where((Membership.organisation_id == purchase.unit_id) | (Membership.organisation_id == above),
               User.name == name)))
    asked = session.scalars(select(User.name).where(User.id.in_(people.askers([purchase.id]))))
    if name in set(asked):
        raise InvalidInput({"signed_by": [N_("Who ordered does not approve, on paper either.")]})
    signed = session.scalars(select(ApprovalDecision.signed_by).where(
        ApprovalDecision.purchase_id == purchase.id, ApprovalDecision.round_no == step.round_no))
    decided = session.scalars(select(ApprovalDecision.decided_by).where(
        ApprovalDecision.purchase_id == purchase.id, ApprovalDecision.round_no == step.round_no,
        ApprovalDecision.way == "here"))
    if name in set(signed) or found & set(decided):
        raise InvalidInput({"signed_by": [N_("This person has already decided a step of this purchase.")]})
    return min(found, default=None)


def _approve(purchase_id: int, shown_hash: str | None, by: Visitor, paper: Paper | None) -> bool:
    purchase = _waiting(purchase_id, by)
    step = _step_for(purchase, by, on_paper=paper is not None)
    current = _hash_now(purchase)
    if current != purchase.content_hash or (shown_hash is not None and shown_hash != current):
        raise ContentChanged()
    refusals.check_still_sold(_goods_waiting(purchase))
    deciding.write(step, "approve", current, by, paper=paper)
    told = {"content_hash": current, "step": step.step_no} | (
        {"signed_by": paper.signed_by, "file": paper.file_id} if paper else {})
    more = deciding.open_step(purchase.id) is not None
    act = "purchase.approved_on_paper" if paper else "purchase.step_approved" if more else "purchase.approved"
    journal.record(act, "purchase", purchase.id, by, **told)
    if more:
        return False
    _settle(purchase, "approved", "placed", by)
    outbox.enqueue("purchase.approved", {"purchase_id": purchase.id})
    if step.round_no > 1:
        outbox.enqueue("purchase.approved_again", {"purchase_id": purchase.id, "round_no": step.round_no})
    return True


def _step_for(purchase: Purchase, by: Visitor, *, on_paper: bool = False) -> Any:
    """The open step, which this person may answer."""
    step = deciding.open_step(purchase.id)
    if step is None:
        raise Conflict()
    deciding.check_person(purchase.id, step, by, on_paper=on_paper)
    return step


def decline(purchase_id: int, reason: str, by: Visitor) -> None:
    """Refuse a waiting purchase; its goods are free again."""
    purchase = _waiting(purchase_id, by)
    step = _step_for(purchase, by)
    deciding.write(step, "decline", purchase.content_hash, by, reason)
    declined = _settle(purchase, "declined", "cancelled", by)
    _free(_line_ids(Order.id.in_(declined)))
    journal.record("purchase.declined", "purchase", purchase.id, by, reason=reason)


def ask_again(purchase: Purchase, unit: Any, lines: list[dict[str, Any]], by: Visitor) -> int | None:
    """After a purchase has grown: what was approved is void, and it waits again for every step of its new amount.
    Returns the round that was opened, None where no step is needed.
    """
    costs_fen = purchase.total_fen + purchase.freight_fen
    steps = rules.needed(unit, purchase.fund_source, lines, costs_fen, purchase.id)
    if not steps and purchase.approval in {"waiting", "approved"}:  # as under a plan that was approved beforehand
        steps = (rules.Step(1, "approver", 0, costs_fen),)
    if not steps:
        return None
    round_no = deciding.round_no(purchase.id) + 1
    rules.ask(purchase.id, steps, by, round_no)
    voided = purchase.approval == "approved"
    purchase.approval, purchase.approved_by, purchase.approved_at = "waiting", None, None
    session = db.session()
    session.flush()
    session.execute(update(Order).where(Order.purchase_id == purchase.id, Order.state == "placed")
                    .values(state="waiting"))
    if voided:
        journal.record("purchase.approval_voided", "purchase", purchase.id, by, total_fen=purchase.total_fen)
    return round_no


def rehash(purchase: Purchase) -> None:
    """What an approval would bind now."""
    purchase.content_hash = _hash_now(purchase)
    db.session().flush()


def cancel(order_id: int, reason: str, by: Visitor) -> None:
    """Take an order back that has not been shipped; its goods are free again. Raises WrongState, NotFound."""
    session = db.session()
    order = session.scalar(select(Order).where(Order.id == order_id, is_of(by)).with_for_update())
    if order is None:
        raise NotFound()
    take_back(order)
    journal.record("order.cancelled", "order", order.id, by, reason=reason)


def take_back(order: Order) -> None:
    """An order that has not left is over: its goods are free again, an open card page is closed. Raises WrongState.

    The caller holds the order's row and says why in the journal.
    """
    states.check_next(order.state, "cancelled")
    order.state = "cancelled"
    receipts.update_payment(order)
    card_closing.close_pages(order.id)
    _free(_line_ids(Order.id == order.id))


def is_of(by: Visitor) -> Any:
    """Orders of this visitor's unit and of the units it supervises."""
    return Order.unit_id.in_(families.within(by.organisation_id))


def _waiting(purchase_id: int, by: Visitor) -> Purchase:
    purchase = db.session().scalar(
        select(Purchase).where(Purchase.id == purchase_id, Purchase.unit_id.in_(families.within(by.organisation_id)))
        .with_for_update())
    if purchase is None:
        raise NotFound()
    if purchase.approval != "waiting":
        raise Conflict()
    return purchase


def _hash_now(purchase: Purchase) -> str:
    rows = db.session().execute(
        select(OrderLine.product_id, OrderLine.ordered_milli, OrderLine.price_fen, OrderLine.amount_fen)
        .join(Order, Order.id == OrderLine.order_id).where(Order.purchase_id == purchase.id)
        .order_by(OrderLine.product_id, OrderLine.id)
    ).mappings().all()
    return checkout.content_hash([dict(row) for row in rows], db.columns_of(purchase))


def _goods_waiting(purchase: Purchase) -> dict[int, str]:
    """What the orders that still wait are about, name by product id."""
    return {row.product_id: row.product_name for row in db.session().execute(
        select(OrderLine.product_id, OrderLine.product_name).join(Order, Order.id == OrderLine.order_id)
        .where(Order.purchase_id == purchase.id, Order.state == "waiting"))}


def _settle(purchase: Purchase, approval: str, state: str, by: Visitor) -> list[int]:
    """The orders that still waited move on; returns their ids: one that was taken back before stays as it is."""
    purchase.approval, purchase.approved_by, purchase.approved_at = approval, by.id, clock.now()
    db.session().flush()
    moved = list(db.session().scalars(
        update(Order).where(Order.purchase_id == purchase.id, Order.state == "waiting").values(state=state)
        .returning(Order.id)))
    if state == "placed":
        terms.follow_approval(moved)
    return moved


def _free(line_ids: list[int]) -> None:
    """Goods of cancelled lines may be ordered again, in store and in their season."""
    stock.release(line_ids)
    seasons.give_back_cancelled(line_ids)


def _line_ids(*conditions: Any) -> list[int]:
    return list(db.session().scalars(
        select(OrderLine.id).join(Order, Order.id == OrderLine.order_id).where(*conditions)))
