"""Tables of collective income: declared other income, decision records, and rules that areas set from a day on."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from market.db import Base, choice

INCOME_KINDS = ("trading", "contract", "investment", "other")  # operating income of a village, domain 3.4
RULES = ("reward_ratio", "fallen_share", "stopped_months", "unpaid_days")
IS_WAITING = "confirmed_at IS NULL AND refused_at IS NULL"


class OtherIncome(Base):
    """Operating income of a village's collective that did not come through the platform, in fen, of a calendar year.

    Rows are never changed: a correction is a further row with the difference (`corrects_id`), confirmed like any other.
    0 says that there was none.
    """

    __tablename__ = "other_income"
    __table_args__ = (
        CheckConstraint("year BETWEEN 2015 AND 2099", name="year"),
        CheckConstraint("amount_fen >= 0 OR corrects_id IS NOT NULL", name="amount"),
        CheckConstraint("confirmed_by IS NULL OR confirmed_by <> declared_by", name="second_person"),
        CheckConstraint("refused_by IS NULL OR refused_by <> declared_by", name="refuser"),
        CheckConstraint("refused_at IS NULL OR confirmed_at IS NULL", name="one_end"),
        Index("ix_other_income_village_year", "village_id", "year"),
        Index("uq_other_income_waiting_correction", "corrects_id", unique=True, sqlite_where=text(IS_WAITING),
              postgresql_where=text(IS_WAITING)),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    village_id: Mapped[int] = mapped_column(ForeignKey("division.id"))
    year: Mapped[int]
    kind: Mapped[str] = mapped_column(choice("kind", *INCOME_KINDS))
    amount_fen: Mapped[int]
    note: Mapped[str] = mapped_column(String(200))
    corrects_id: Mapped[int | None] = mapped_column(ForeignKey("other_income.id"))
    evidence_id: Mapped[int] = mapped_column(ForeignKey("stored_file.id"))
    business_date: Mapped[date]
    declared_by: Mapped[int] = mapped_column(ForeignKey("user.id"))
    declared_at: Mapped[datetime]
    confirmed_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    confirmed_at: Mapped[datetime | None]
    refused_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    refused_at: Mapped[datetime | None]
    refusal: Mapped[str] = mapped_column(String(200), default="")


class CollectiveDecision(Base):
    """The record (四议两公开) of what a village decided about a year's reward; the newest row counts."""

    __tablename__ = "collective_decision"
    __table_args__ = (Index("ix_collective_decision_village_year", "village_id", "year"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    village_id: Mapped[int] = mapped_column(ForeignKey("division.id"))
    year: Mapped[int]
    number: Mapped[str] = mapped_column(String(60))
    decided_on: Mapped[date]
    entered_by: Mapped[int] = mapped_column(ForeignKey("user.id"))
    entered_at: Mapped[datetime]


class AreaRule(Base):
    """A figure that a county or the city sets from a day on, with its document; the newest row of a day counts.

    `value` is in hundredths of a percent, months or days, as the rule's name says (orders/collective/dated.py).
    """

    __tablename__ = "area_rule"
    __table_args__ = (CheckConstraint("value > 0", name="value"), Index("ix_area_rule_name", "name", "since"))

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(choice("name", *RULES))
    division_id: Mapped[int] = mapped_column(ForeignKey("division.id"))
    since: Mapped[date]
    value: Mapped[int]
    document: Mapped[str] = mapped_column(String(200))
    entered_by: Mapped[int] = mapped_column(ForeignKey("user.id"))
    entered_at: Mapped[datetime]
