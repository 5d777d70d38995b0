"""Payouts and their proofs across all co-operatives whose books a person keeps."""

from typing import Any

from sqlalchemy import func, select

from market import db, paging
from market.access import Visitor
from market.errors import NotFound
from market.files import StoredFile
from market.parties import Membership, Organisation
from market.places import Division
from orders.agency.lists import KEEPERS
from orders.models import Payout, PayoutLine


def payouts(by: Visitor, page: int) -> paging.Page:
    """What was handed to households and collectives, the newest first; two statements."""
    total = db.session().scalar(select(func.count()).select_from(Payout).where(_kept(by))) or 0
    lines = (select(PayoutLine.payout_id, db.sum_of(PayoutLine.amount_fen).label("fen"),
                    func.count().label("receivers")).group_by(PayoutLine.payout_id).subquery())
    return paging.read(
        select(Payout.id, Payout.number, Payout.paid_on, Payout.income_kind, Organisation.short_name.label("supplier"),
               Division.path, lines.c.fen, lines.c.receivers)
        .join(lines, lines.c.payout_id == Payout.id).join(Organisation, Organisation.id == Payout.supplier_id)
        .join(Division, Division.id == Payout.village_id).where(_kept(by)).order_by(Payout.id.desc()), total, page)


def proof(payout_id: int, by: Visitor) -> StoredFile:
    """The receipt or slip of a payout of a co-operative whose books the person keeps. Raises NotFound."""
    found = db.session().scalar(
        select(StoredFile).join(Payout, Payout.proof_id == StoredFile.id).where(Payout.id == payout_id, _kept(by)))
    if found is None:
        raise NotFound()
    return found


def _kept(by: Visitor) -> Any:
    return Payout.supplier_id.in_(
        select(Membership.organisation_id).join(Organisation, Organisation.id == Membership.organisation_id)
        .where(Membership.user_id == by.id, Membership.role.in_(KEEPERS), Organisation.kind == "supplier"))
