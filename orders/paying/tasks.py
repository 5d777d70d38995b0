"""What about money a person has to look at: found once, settled by somebody or healed by looking again."""

from typing import Any

from sqlalchemy import select

from market import clock, db, journal, outbox
from market.access import Visitor
from market.errors import Conflict, NotFound
from orders.models import MoneyTask

FOUND = "money.task"


def find(kind: str, thing: str, supplier_id: int, *, amount_fen: int | None = None, order_id: int | None = None,
         card_payment_id: int | None = None, claim_id: int | None = None, refund_id: int | None = None,
         state: str = "open", told: bool = True, **facts: Any) -> int | None:
    """Write a task (one of TASK_KINDS) about a thing; its id, or None where it was found before.

    `facts` are what was compared, as they stood: plain values. A task found as 'healed' is kept to show that it was.
    Somebody is told of an open one, unless the finder is about to make it good itself (`told`).
    """
    task_id: int | None = db.session().execute(db.insert_new(MoneyTask).values(
        kind=kind, thing=thing, supplier_id=supplier_id, order_id=order_id, card_payment_id=card_payment_id,
        claim_id=claim_id, refund_id=refund_id, amount_fen=amount_fen, facts=facts, state=state,
        found_at=clock.now(), settled_at=clock.now() if state != "open" else None, remark="",
    ).returning(db.table(MoneyTask).c.id)).scalar()
    if task_id is not None and state == "open" and told:
        outbox.enqueue(FOUND, {"task_id": task_id})
    return task_id


def heal(kind: str, thing: str) -> bool:
    """What was wrong is right again, found by looking; False where nothing was open: what somebody settled stays."""
    task = db.session().scalar(select(MoneyTask).where(
        MoneyTask.kind == kind, MoneyTask.thing == thing, MoneyTask.state == "open").with_for_update())
    if task is None:
        return False
    task.state, task.settled_at = "healed", clock.now()
    db.session().flush()
    journal.record("money.healed", "money_task", task.id, None, found=kind, thing=thing)
    return True


def settle(task_id: int, remark: str, by: Visitor) -> MoneyTask:
    """Say what was done: about the co-operative's own, or any as the platform. Raises NotFound, Conflict."""
    query = select(MoneyTask).where(MoneyTask.id == task_id).with_for_update()
    if by.organisation_kind != "office":
        query = query.where(MoneyTask.supplier_id == by.organisation_id)
    task = db.session().scalar(query)
    if task is None:
        raise NotFound()
    if task.state != "open":
        raise Conflict()
    task.state, task.settled_by, task.settled_at, task.remark = "settled", by.id, clock.now(), remark
    db.session().flush()
    journal.record("money.settled", "money_task", task.id, by, found=task.kind, thing=task.thing, remark=remark)
    return task
