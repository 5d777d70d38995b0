"""The steps of a purchase: which is open, who may answer it, and the answer."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import func, select

from market import clock, db, words
from market.access import Visitor
from market.errors import N_, Conflict, SecondPersonNeeded, in_english
from market.files import StoredFile
from market.users import User
from orders import families
from orders.approving import people
from orders.approving.models import ApprovalDecision, ApprovalStep
from orders.models import Order, Purchase


class NotYourStep(Conflict):
    """The step that is open belongs to another role."""

    code = "not_your_step"
    text = N_("This step needs somebody with the role '%(role)s'.")

    def message(self, translate: Callable[..., str] = in_english) -> str:
        return translate(self.text, role=translate(words.ROLES[self.details["role"]]))


class OneStepEach(SecondPersonNeeded):
    """One person decides at most one step of a purchase."""

    code = "one_step_each"
    text = N_("You have already decided a step of this purchase: somebody else decides the next one.")


@dataclass(frozen=True)
class Paper:
    """An approval signed on paper or in an office system: whose name and which day stand on it, and its scan."""

    signed_by: str
    signed_on: date
    file_id: int
    signed_by_user: int | None = None


def open_step(purchase_id: int) -> Any:
    """The first step of the present round without an answer (a row of approval_step), None when all are answered."""
    return db.session().execute(
        select(db.table(ApprovalStep)).outerjoin(ApprovalDecision, ApprovalDecision.step_id == ApprovalStep.id)
        .where(ApprovalStep.purchase_id == purchase_id, ApprovalDecision.id.is_(None),
               ApprovalStep.round_no == _newest(purchase_id))
        .order_by(ApprovalStep.step_no).limit(1)).first()


def _newest(purchase_id: int) -> Any:
    return (select(func.max(ApprovalStep.round_no)).where(ApprovalStep.purchase_id == purchase_id)
            .scalar_subquery())


def round_no(purchase_id: int) -> int:
    """How often approval was asked for; 0 where it never was."""
    return db.session().scalar(select(_newest(purchase_id))) or 0


def check_person(purchase_id: int, step: Any, by: Visitor, *, on_paper: bool = False) -> None:
    """Raises SecondPersonNeeded, OneStepEach or NotYourStep where this person may not answer, or file an answer."""
    if by.id in people.askers([purchase_id]) | people.takers([purchase_id]):
        raise SecondPersonNeeded()
    ways = set(db.session().scalars(select(ApprovalDecision.way).where(
        ApprovalDecision.purchase_id == purchase_id, ApprovalDecision.round_no == step.round_no,
        (ApprovalDecision.decided_by == by.id) | (ApprovalDecision.signed_by_user == by.id))))
    if "here" in ways or (ways and not on_paper):
        raise OneStepEach()
    if not on_paper and step.role not in by.roles:
        raise NotYourStep(role=step.role)


def write(step: Any, decision: str, content_hash: str, by: Visitor, reason: str = "",
          paper: Paper | None = None) -> None:
    """Keep the answer to a step; its unique key lets one stand."""
    db.insert_rows(ApprovalDecision, [{
        "step_id": step.id, "purchase_id": step.purchase_id, "round_no": step.round_no, "step_no": step.step_no,
        "decided_by": by.id, "decision": decision, "content_hash": content_hash, "at": clock.now(), "reason": reason,
        "way": "paper" if paper else "here", "signed_by": paper.signed_by if paper else "",
        "signed_by_user": paper.signed_by_user if paper else None, "signed_on": paper.signed_on if paper else None,
        "file_id": paper.file_id if paper else None}])


def keep_beforehand(purchase: Purchase) -> None:
    """A yes that was given before the purchase was placed, as to a plan, stays on file as its first round once it is
    void: who gave it neither receives nor pays."""
    if purchase.approved_by is None or round_no(purchase.id):
        return
    step = {"purchase_id": purchase.id, "round_no": 1, "step_no": 1, "role": "approver", "from_fen": 0,
            "compared_fen": purchase.total_fen, "asked_by": purchase.ordered_by, "asked_at": purchase.placed_at}
    step_id = db.insert_returning_ids(ApprovalStep, [step])[0]
    db.insert_rows(ApprovalDecision, [{
        "step_id": step_id, "purchase_id": purchase.id, "round_no": 1, "step_no": 1,
        "decided_by": purchase.approved_by, "decision": "approve", "content_hash": purchase.content_hash,
        "at": purchase.approved_at, "reason": "", "way": "here", "signed_by": "", "signed_by_user": None,
        "signed_on": None, "file_id": None}])


# ---- for pages ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Shown:
    """The steps of a purchase by round, and what of them is open."""

    steps: Sequence[Any]
    open_step: Any = None
    round_no: int = 0

    @property
    def now(self) -> list[Any]:
        """The steps of the present round."""
        return [step for step in self.steps if step.round_no == self.round_no]


def shown(purchase_id: int) -> Shown:
    """Every step of a purchase with its answer, in one statement."""
    decider = db.table(User).alias()
    steps = db.session().execute(
        select(db.table(ApprovalStep), ApprovalDecision.id.label("decision_id"), ApprovalDecision.decision,
               ApprovalDecision.at, ApprovalDecision.reason, ApprovalDecision.way, ApprovalDecision.signed_by,
               ApprovalDecision.signed_on, ApprovalDecision.decided_by, decider.c.name.label("decider"),
               StoredFile.name.label("file_name"))
        .outerjoin(ApprovalDecision, ApprovalDecision.step_id == ApprovalStep.id)
        .outerjoin(decider, decider.c.id == ApprovalDecision.decided_by)
        .outerjoin(StoredFile, StoredFile.id == ApprovalDecision.file_id)
        .where(ApprovalStep.purchase_id == purchase_id)
        .order_by(ApprovalStep.round_no, ApprovalStep.step_no)).all()
    newest = max((step.round_no for step in steps), default=0)
    unanswered = [step for step in steps if step.round_no == newest and step.decision_id is None]
    return Shown(steps, unanswered[0] if unanswered else None, newest)


def may_answer(purchase: Any, of: Shown, by: Visitor, *, on_paper: bool = False) -> bool:
    """Whether a page offers this person the answer; the verb asks again under a lock."""
    step = of.open_step
    if purchase.approval != "waiting" or step is None:
        return False
    asked = {purchase.ordered_by, *(one.asked_by for one in of.steps)}
    ways = {one.way for one in of.now if one.decided_by == by.id}
    if by.id in asked or "here" in ways or (ways and not on_paper):
        return False
    return on_paper or step.role in by.roles


def waiting_for(by: Visitor) -> int:
    """How many purchases of the unit and of those it supervises wait for a step that this person may answer."""
    step, earlier = db.table(ApprovalStep).alias(), db.table(ApprovalStep).alias()
    answered = select(ApprovalDecision.step_id)
    newest = (select(func.max(earlier.c.round_no)).where(earlier.c.purchase_id == step.c.purchase_id)
              .scalar_subquery())
    before = (select(earlier.c.id).where(
        earlier.c.purchase_id == step.c.purchase_id, earlier.c.round_no == step.c.round_no,
        earlier.c.step_no < step.c.step_no, earlier.c.id.not_in(answered)).exists())
    mine = (select(ApprovalDecision.id).where(
        ApprovalDecision.purchase_id == step.c.purchase_id, ApprovalDecision.round_no == step.c.round_no,
        (ApprovalDecision.decided_by == by.id) | (ApprovalDecision.signed_by_user == by.id)).exists())
    asked = (select(earlier.c.id).where(earlier.c.purchase_id == step.c.purchase_id, earlier.c.asked_by == by.id)
             .exists())
    still_wanted = select(Order.id).where(Order.purchase_id == step.c.purchase_id, Order.state == "waiting").exists()
    return db.session().scalar(
        select(func.count(func.distinct(step.c.purchase_id))).select_from(step)
        .join(Purchase, Purchase.id == step.c.purchase_id)
        .where(Purchase.unit_id.in_(families.within(by.organisation_id)), Purchase.approval == "waiting",
               Purchase.ordered_by != by.id, step.c.role.in_(by.roles), step.c.round_no == newest,
               step.c.id.not_in(answered), ~before, ~mine, ~asked, still_wanted)) or 0
