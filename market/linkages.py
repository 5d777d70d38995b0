"""利益联结: what ties a household, or a whole village, to the co-operative that pays it; every income points to one.

Most ties are agreements that a co-operative enters with their evidence and a person at the village confirms. Where
goods are bought without any, the confirmed delivery itself is the tie, and is listed as just that.
"""

from collections.abc import Collection, Iterable
from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ColumnElement, ForeignKey, Index, String, or_, select
from sqlalchemy.orm import Mapped, mapped_column

from market import clock, db
from market.db import Base, choice

KINDS = ("shareholding", "direct_support", "commissioned_support")
# how it is done, as the forms of the programme ask (domain 3.2); by delivery: bought, and nothing agreed in writing
FORMS = ("delivery", "guaranteed_purchase", "seed_supply", "guidance", "employment", "processing", "land_rights",
         "collective_share", "other")
BUYING_FORMS = ("guaranteed_purchase", "seed_supply", "guidance", "processing", "other")  # goods are bought under them
# which forms an income entry of a kind rests on before any other
FORMS_OF_INCOME = {"wage": ("employment", "processing"), "land": ("land_rights",),
                   "dividend": ("land_rights", "other"), "collective": ("collective_share",)}


class Linkage(Base):
    """A tie between a co-operative and a household, or with none, a village; from `since` to `until` (excluded).

    `bears_returns`: the village's growers bear goods that come back, even where they were paid for them already.
    `lot_id` is the first delivery behind a tie by delivery; opaque here.
    """

    __tablename__ = "linkage"
    __table_args__ = (
        CheckConstraint("(form = 'delivery') = (delivery_key IS NOT NULL)", name="delivery"),
        CheckConstraint("until IS NULL OR until >= since", name="time"),
        CheckConstraint("NOT bears_returns OR household_id IS NULL", name="bears"),
        CheckConstraint("confirmed_by IS NULL OR confirmed_by <> entered_by", name="second_person"),
        Index("ix_linkage_pair", "supplier_id", "village_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    supplier_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    village_id: Mapped[int] = mapped_column(ForeignKey("division.id"), index=True)
    household_id: Mapped[int | None] = mapped_column(ForeignKey("household.id"), index=True)
    kind: Mapped[str] = mapped_column(choice("kind", *KINDS))
    form: Mapped[str] = mapped_column(choice("form", *FORMS))
    since: Mapped[date]
    until: Mapped[date | None]
    note: Mapped[str] = mapped_column(String(200), default="")
    bears_returns: Mapped[bool] = mapped_column(default=False)
    evidence_id: Mapped[int | None] = mapped_column(ForeignKey("stored_file.id"))
    lot_id: Mapped[int | None]
    delivery_key: Mapped[str | None] = mapped_column(String(60), unique=True)
    entered_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    entered_at: Mapped[datetime]
    confirmed_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    confirmed_at: Mapped[datetime | None]
    refused_at: Mapped[datetime | None]
    refusal: Mapped[str] = mapped_column(String(200), default="")


TIES = db.table(Linkage)


def holds_on(first: date, last: date) -> ColumnElement[bool]:
    """The condition that a confirmed linkage holds on one of the days from first to last, both included."""
    return (TIES.c.confirmed_at.is_not(None) & (TIES.c.since <= last)
            & or_(TIES.c.until.is_(None), TIES.c.until > first))


def by_delivery(supplier_id: int, tied: Iterable[tuple[int, int | None]], day: date, lot_id: int,
                entered_by: int | None, confirmed_by: int | None) -> None:
    """Goods were bought from (village, household or None): tie them, where no delivery has tied them yet."""
    now = clock.now()
    rows = [
        {"supplier_id": supplier_id, "village_id": village, "household_id": household, "kind": "direct_support",
         "form": "delivery", "since": day, "until": None, "note": "", "bears_returns": False, "evidence_id": None,
         "lot_id": lot_id, "delivery_key": f"{supplier_id}/{village}/{household or ''}", "entered_by": entered_by,
         "entered_at": now, "confirmed_by": confirmed_by, "confirmed_at": now, "refused_at": None, "refusal": ""}
        for village, household in sorted(set(tied), key=lambda pair: (pair[0], pair[1] or 0))]
    if rows:
        db.session().execute(db.insert_new(Linkage), rows)


def of_villages(supplier_id: int, villages: Collection[int], day: date,
                forms: Collection[str] = BUYING_FORMS) -> dict[int, Any]:
    """By village: the agreement with it under which goods are bought on a day, the newest one; else the delivery's.

    Rows hold every column of a Linkage.
    """
    found: dict[int, Any] = {}
    for row in db.session().execute(
            select(TIES).where(TIES.c.supplier_id == supplier_id, TIES.c.village_id.in_(villages),
                               TIES.c.household_id.is_(None), TIES.c.form.in_((*forms, "delivery")),
                               or_(TIES.c.form == "delivery", holds_on(day, day)))
            .order_by(TIES.c.id)):
        if row.form != "delivery" or row.village_id not in found:
            found[row.village_id] = row
    return found


def behind_income(supplier_id: int, village_id: int, household_id: int | None, income_kind: str,
                  month: str) -> int | None:
    """The tie that income of a household (or the collective) in a month rests on: of the fitting form, else any one.

    None where nothing ties the two.
    """
    found = under_income(supplier_id, village_id, household_id, income_kind, month)
    return found[0].id if found else None


def under_income(supplier_id: int, village_id: int, household_id: int | None, income_kind: str,
                 month: str) -> list[Any]:
    """Every tie that such income can rest on, the best first: id, kind, form, since, until."""
    rows = db.session().execute(
        select(TIES.c.id, TIES.c.kind, TIES.c.form, TIES.c.since, TIES.c.until).where(
            TIES.c.supplier_id == supplier_id, holds_on(clock.first_day(month), clock.last_day(month)),
            TIES.c.household_id == household_id if household_id is not None  # wherever it lives today
            else TIES.c.household_id.is_(None) & (TIES.c.village_id == village_id))).all()
    wanted = FORMS_OF_INCOME.get(income_kind, ())
    if household_id is None:  # a collective's money needs an agreement about it, not just goods that were bought
        rows = [row for row in rows if row.form in wanted]
    return sorted(rows, key=lambda row: (row.form in wanted, row.form != "delivery", row.id), reverse=True)


def follow_village(old_id: int, new_id: int) -> None:
    """A village has become another one: its agreements hold for the new one too; deliveries tie anew."""
    rows = db.session().execute(
        select(TIES).where(TIES.c.village_id == old_id, TIES.c.until.is_(None) | (TIES.c.until > clock.today()),
                           TIES.c.form != "delivery", TIES.c.confirmed_at.is_not(None))
        .order_by(TIES.c.id)).mappings().all()
    db.insert_rows(Linkage, [{**{name: value for name, value in row.items() if name != "id"}, "village_id": new_id}
                             for row in rows])
