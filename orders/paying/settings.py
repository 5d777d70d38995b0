"""How an organisation pays or is paid, set by its manager; and who else pays for a unit, declared beforehand."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row, select, update

from market import clock, db, journal
from market.access import UNIT, Visitor
from market.errors import N_, Conflict, NotFound
from market.parties import Organisation
from market.users import User
from orders.models import PaymentSetting
from orders.paying.payer_models import DeclaredPayer

CHANGED = "payment_setting.changed"
PAYER_LABELS: Mapping[str, str] = {
    "treasury": N_("Treasury centre"), "superior": N_("Superior unit"), "person": N_("A person"),
    "other": N_("Other payer"),
}
Columns = Row[*tuple[Any, ...]]


class AlreadyDeclared(Conflict):
    """The name stands on the list already."""

    code = "already_declared"
    text = N_("This payer is declared already.")


def of(organisation_id: int | None) -> Columns | None:
    """What an organisation has set, with who changed it last; None where nothing is set."""
    return db.session().execute(
        select(db.table(PaymentSetting), User.name.label("changer")).join(User, User.id == PaymentSetting.changed_by)
        .where(PaymentSetting.organisation_id == organisation_id)).one_or_none()


def choose(chosen: bool, by: Visitor) -> None:
    """A unit says whether it pays by bank transfer only; a co-operative, whether all its units pay first.

    What the other column holds stays as it is: whether a unit has to pay first is not its own to say.
    """
    name = "bank_only" if by.organisation_kind == UNIT else "pay_first"
    _keep(by.organisation_id or 0, name, chosen, by)


def require_pay_first(unit_id: int, required: bool, by: Visitor) -> None:
    """The platform says that a unit may not owe. Raises NotFound."""
    found = select(Organisation.id).where(Organisation.id == unit_id, Organisation.kind == UNIT)
    if db.session().scalar(found) is None:
        raise NotFound()
    _keep(unit_id, "pay_first", required, by)


def _keep(organisation_id: int, name: str, chosen: bool, by: Visitor) -> None:
    session = db.session()
    session.execute(db.insert_new(PaymentSetting), [{
        "organisation_id": organisation_id, "pay_first": False, "bank_only": False, "changed_by": by.id,
        "changed_at": clock.now()}])
    row = session.scalars(select(PaymentSetting).where(PaymentSetting.organisation_id == organisation_id)
                          .with_for_update()).one()
    before = getattr(row, name)
    setattr(row, name, chosen)
    row.changed_by, row.changed_at = by.id, clock.now()
    session.flush()
    journal.record(CHANGED, "organisation", organisation_id, by, setting=name, before=before, after=chosen)


# ---- who else pays for a unit ---------------------------------------------------------------------------------------


def payers(unit_id: int | None) -> Sequence[Columns]:
    """The payers a unit has declared and not ended, with who declared them, by name."""
    return db.session().execute(
        select(db.table(DeclaredPayer), User.name.label("declarer")).join(User, User.id == DeclaredPayer.declared_by)
        .where(DeclaredPayer.unit_id == unit_id, DeclaredPayer.ended_at.is_(None)).order_by(DeclaredPayer.name)).all()


def declare(name: str, kind: str, by: Visitor) -> None:
    """Say beforehand that transfers for this unit come under another name. Raises AlreadyDeclared, NotFound."""
    if by.organisation_kind != UNIT:
        raise NotFound()
    made = db.session().scalar(db.insert_new(DeclaredPayer).values(
        unit_id=by.organisation_id, name=name, kind=kind, declared_by=by.id, declared_at=clock.now())
        .returning(db.table(DeclaredPayer).c.id))
    if made is None:
        raise AlreadyDeclared()
    journal.record("payer.declared", "organisation", by.organisation_id or 0, by, name=name, payer=kind)


def end(payer_id: int, by: Visitor) -> None:
    """This payer does not pay for the unit any more. Raises NotFound."""
    name = db.session().scalar(
        update(DeclaredPayer).where(DeclaredPayer.id == payer_id, DeclaredPayer.unit_id == by.organisation_id,
                                    DeclaredPayer.ended_at.is_(None))
        .values(ended_at=clock.now(), ended_by=by.id).returning(DeclaredPayer.name))
    if name is None:
        raise NotFound()
    journal.record("payer.ended", "organisation", by.organisation_id or 0, by, name=name)
