"""Tables of buying units: how they came in, who left, who took over, contractors and their terms."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from market.db import Base, choice

STATES = ("waiting", "returned", "admitted")
HANDOVER_STATES = ("planned", "done", "cancelled")
_OPEN = text("ended_at IS NULL")
_PLANNED = text("state = 'planned'")


class UnitApplication(Base):
    """A new unit asks to be let in. Its credit code and its person's mobile count once somebody vouched for them."""

    __tablename__ = "unit_application"
    __table_args__ = (
        CheckConstraint("state <> 'admitted' OR decided_at IS NOT NULL", name="decided"),
        Index("ix_unit_application_state", "state", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), unique=True)
    state: Mapped[str] = mapped_column(choice("state", *STATES))
    credit_code: Mapped[str] = mapped_column(String(18))
    supervising_code: Mapped[str] = mapped_column(String(18), default="")  # of the unit it says stands above it
    applicant_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    mobile: Mapped[str] = mapped_column(String(11), default="")
    registration_token: Mapped[str | None] = mapped_column(String(64), unique=True)
    sent_at: Mapped[datetime]
    reason: Mapped[str] = mapped_column(default="")  # why it came back
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    decided_at: Mapped[datetime | None]


class UnitLeaver(Base):
    """Somebody who acted for a unit and no longer does; the login and its name on old papers stay."""

    __tablename__ = "unit_leaver"
    __table_args__ = (Index("ix_unit_leaver_unit", "unit_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    roles: Mapped[list[Any]] = mapped_column(JSON)
    reason: Mapped[str] = mapped_column(default="")
    ended_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    ended_at: Mapped[datetime]


class UnitHandover(Base):
    """交接: from a day on one person does what another did. `things` names what was open when it took effect."""

    __tablename__ = "unit_handover"
    __table_args__ = (
        CheckConstraint("from_user_id <> to_user_id", name="two_people"),
        CheckConstraint("(state = 'done') = (done_at IS NOT NULL)", name="done"),
        Index("uq_unit_handover_planned", "unit_id", "from_user_id", unique=True, sqlite_where=_PLANNED,
              postgresql_where=_PLANNED),
        Index("ix_unit_handover_due", "state", "from_day"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    from_user_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    to_user_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    from_day: Mapped[date]
    reason: Mapped[str] = mapped_column(default="")
    state: Mapped[str] = mapped_column(choice("state", *HANDOVER_STATES))
    roles: Mapped[list[Any]] = mapped_column(JSON)
    things: Mapped[list[Any]] = mapped_column(JSON)  # msgid and number of each kind of open thing
    created_by: Mapped[int] = mapped_column(ForeignKey("user.id"))
    created_at: Mapped[datetime]
    done_at: Mapped[datetime | None]


class ContractorTerm(Base):
    """A person of a contractor (食堂外包承包方) who orders for a unit: the firm, its licence as seen, the period."""

    __tablename__ = "contractor_term"
    __table_args__ = (
        CheckConstraint("last_day >= first_day", name="days"),
        Index("uq_contractor_term_open", "unit_id", "user_id", unique=True, sqlite_where=_OPEN,
              postgresql_where=_OPEN),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    firm_name: Mapped[str]
    licence_no: Mapped[str]
    licence_seen_on: Mapped[date]
    first_day: Mapped[date]
    last_day: Mapped[date]
    added_by: Mapped[int] = mapped_column(ForeignKey("user.id"))
    added_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
