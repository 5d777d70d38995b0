"""Who takes part: buying units, suppliers, offices; their delivery points and the people who act for them."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from market.db import Base, choice

UNIT_TYPES = ("agency", "school", "hospital", "enterprise", "community")
SUPPLIER_TYPES = ("cooperative", "family_farm", "enterprise", "trader")
OFFICE_KINDS = ("village", "township", "agriculture", "revitalisation", "finance", "city", "platform")

STATUSES = ("active", "suspended", "applying", "left")  # a supplier's: catalog/entry

ROLES = {
    "unit": ("requester", "approver", "leader", "receiver", "finance", "contractor", "manager"),
    "supplier": ("manager", "clerk", "accountant", "applicant"),
    "office": ("village_officer", "township_officer", "official", "auditor",
               "operator_system", "operator_security", "operator_audit"),
}


class Organisation(Base):
    """A buying unit, a supplier or an office."""

    __tablename__ = "organisation"
    __table_args__ = (
        CheckConstraint("approval_limit_fen IS NULL OR approval_limit_fen >= 0", name="limit"),
        CheckConstraint("over_tolerance_points BETWEEN 0 AND 10000", name="tolerance"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(choice("kind", "unit", "supplier", "office"))
    name: Mapped[str]
    short_name: Mapped[str]
    credit_code: Mapped[str | None] = mapped_column(String(18), unique=True)
    unit_type: Mapped[str | None] = mapped_column(choice("unit_type", *UNIT_TYPES))
    supplier_type: Mapped[str | None] = mapped_column(choice("supplier_type", *SUPPLIER_TYPES))
    office_kind: Mapped[str | None] = mapped_column(choice("office_kind", *OFFICE_KINDS))
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"), index=True)
    division_id: Mapped[int | None] = mapped_column(ForeignKey("division.id"), index=True)
    contact_name: Mapped[str] = mapped_column(default="")
    phone: Mapped[str] = mapped_column(default="")
    about: Mapped[str] = mapped_column(default="")
    bank_name: Mapped[str] = mapped_column(default="")
    bank_account: Mapped[str] = mapped_column(default="")
    approval_limit_fen: Mapped[int | None]  # purchases above it wait for a second person; none: no limit set
    receiving_scheme: Mapped[str] = mapped_column(choice("receiving_scheme", "two_receivers", "reduced"),
                                                  default="two_receivers")
    over_tolerance_points: Mapped[int] = mapped_column(default=500)  # hundredths of a percent of the ordered quantity
    status: Mapped[str] = mapped_column(choice("status", *STATUSES), default="active")
    created_at: Mapped[datetime]


class DeliveryPoint(Base):
    """A door at which a unit's goods are handed over."""

    __tablename__ = "delivery_point"

    id: Mapped[int] = mapped_column(primary_key=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)
    name: Mapped[str]
    address: Mapped[str] = mapped_column(default="")
    division_id: Mapped[int | None] = mapped_column(ForeignKey("division.id"))
    contact: Mapped[str] = mapped_column(default="")
    phone: Mapped[str] = mapped_column(default="")
    window_note: Mapped[str] = mapped_column(default="")  # when and how the door is open, in the unit's words
    closed_at: Mapped[datetime | None]  # no longer offered; old orders keep it


class Membership(Base):
    """A person acts for an organisation in a role; the same person may hold several."""

    __tablename__ = "membership"
    __table_args__ = (UniqueConstraint("user_id", "organisation_id", "role"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), index=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)
    role: Mapped[str] = mapped_column(choice("role", *[r for roles in ROLES.values() for r in roles if r != "manager"],
                                             "manager"))
