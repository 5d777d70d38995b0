"""What the desks list of collective income: rows declared, what waits, the transfers behind the platform's share."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import aliased

from market import clock, db, paging, places
from market.access import Visitor
from market.errors import NotFound
from market.files import StoredFile
from market.parties import Organisation
from market.places import Division
from market.sealing import TRANSFERS, closed_months, open_month
from market.users import User
from orders.collective.figures import Succession
from orders.collective.models import OtherIncome

CORRECTED, DECLARER, DECIDER = aliased(OtherIncome), aliased(User), aliased(User)


def find_village(village_id: int, by: Visitor) -> int:
    """The village of today, of the visitor's area; of a former one its successor. Raises NotFound."""
    found = db.session().scalar(select(Division.id).where(
        Division.id == village_id, Division.level == "village", _sees(by)))
    if found is None:
        raise NotFound()
    return places.today_of(found)


def _sees(by: Visitor) -> Any:
    return Division.level == "village" if "auditor" in by.roles else places.lies_in(by.division_id)


def declared(village_id: int, years: Sequence[int]) -> Sequence[Any]:
    """Rows of a village and all that it came from, newest first; refused ones too."""
    ids = Succession().origins(village_id)
    return db.session().execute(
        _rows().where(OtherIncome.village_id.in_(ids), OtherIncome.year.in_(years))
        .order_by(OtherIncome.year.desc(), OtherIncome.id.desc()).limit(300)).all()


def waiting(by: Visitor, page: int) -> paging.Page:
    """Rows of the area that nobody has decided about, the oldest first."""
    query = _rows().where(*_open(by))
    return paging.read(query.order_by(OtherIncome.id), count_waiting(by), page)


def count_waiting(by: Visitor) -> int:
    return db.session().scalar(
        select(func.count()).select_from(OtherIncome).join(Division, Division.id == OtherIncome.village_id)
        .where(*_open(by))) or 0


def _open(by: Visitor) -> tuple[Any, ...]:
    return OtherIncome.confirmed_at.is_(None), OtherIncome.refused_at.is_(None), places.lies_in(by.division_id)


def _rows() -> Select[Any]:
    return (
        select(*db.table(OtherIncome).c, Division.name.label("village"), Division.path,
               DECLARER.name.label("declarer"), DECIDER.name.label("decider"),
               CORRECTED.amount_fen.label("corrected_fen"))
        .join(Division, Division.id == OtherIncome.village_id).join(DECLARER, DECLARER.id == OtherIncome.declared_by)
        .outerjoin(DECIDER, DECIDER.id == func.coalesce(OtherIncome.confirmed_by, OtherIncome.refused_by))
        .outerjoin(CORRECTED, CORRECTED.id == OtherIncome.corrects_id))


def evidence(row_id: int, by: Visitor) -> StoredFile:
    """The paper behind a row of the visitor's area. Raises NotFound."""
    found = db.session().scalar(
        select(StoredFile).join(OtherIncome, OtherIncome.evidence_id == StoredFile.id)
        .join(Division, Division.id == OtherIncome.village_id).where(OtherIncome.id == row_id, _sees(by)))
    if found is None:
        raise NotFound()
    return found


def village_of(row_id: int, by: Visitor) -> int:
    """The village of today of a row of the visitor's area. Raises NotFound."""
    found = db.session().scalar(
        select(OtherIncome.village_id).join(Division, Division.id == OtherIncome.village_id)
        .where(OtherIncome.id == row_id, _sees(by)))
    if found is None:
        raise NotFound()
    return places.today_of(found)


@dataclass(frozen=True)
class Part:
    """One transfer of a collective's share; `fen` is below zero where income was taken back."""

    number: int
    business_date: date
    month: str
    village: str
    supplier: str
    order_ref: str | None
    event: str
    fen: int


def share(village_id: int, year: int) -> list[Part]:
    """The transfers behind the platform's share of a year, predecessors' among them; they add up to it."""
    db.need_one_moment()
    ids = Succession().origins(village_id)
    closed = closed_months()
    found = []
    for row in db.session().execute(
            select(TRANSFERS.c.id, TRANSFERS.c.business_date, TRANSFERS.c.period, TRANSFERS.c.event,
                   TRANSFERS.c.backward, TRANSFERS.c.amount_fen, TRANSFERS.c.order_ref,
                   Division.name.label("village"), Organisation.name.label("supplier"))
            .join(Division, Division.id == TRANSFERS.c.village_id)
            .outerjoin(Organisation, Organisation.id == TRANSFERS.c.supplier_id)
            .where(TRANSFERS.c.village_id.in_(ids), TRANSFERS.c.income_kind == "collective",
                   TRANSFERS.c.event.in_(("attributed", "withdrawn")),
                   TRANSFERS.c.period.is_(None) | TRANSFERS.c.period.between(f"{year}-01", f"{year}-12"))
            .order_by(TRANSFERS.c.business_date, TRANSFERS.c.id)):
        month = row.period or open_month(clock.period_of(row.business_date), closed)
        if month.startswith(f"{year}-"):
            plus = (row.event == "attributed") != row.backward
            found.append(Part(row.id, row.business_date, month, row.village, row.supplier or "", row.order_ref,
                              row.event, row.amount_fen if plus else -row.amount_fen))
    return found

