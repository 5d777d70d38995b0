"""Tables of tracing: certificates of conformity, what happened to lots, recalls."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from catalog.tracing.rules import EVENTS
from market.db import Base, choice


class Certificate(Base):
    """承诺达标合格证: what was promised of a lot on the day of issue; never changed, never deleted.

    One with a CertificateVoid row no longer holds; `issue` counts a lot's certificates from 1.
    """

    __tablename__ = "conformity_certificate"
    __table_args__ = (
        UniqueConstraint("lot_id", "issue"),
        CheckConstraint("quantity_milli > 0 AND grams > 0", name="amounts"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(24), unique=True)
    lot_id: Mapped[int] = mapped_column(ForeignKey("lot.id"))
    issue: Mapped[int]
    supplier_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)
    product_name: Mapped[str]
    product_name_en: Mapped[str]
    quantity_milli: Mapped[int]
    unit: Mapped[str]
    unit_en: Mapped[str]
    grams: Mapped[int]
    origin: Mapped[str]  # the villages' paths of that day
    made_on: Mapped[date]  # harvest or making
    promiser: Mapped[str]
    contact: Mapped[str]
    address: Mapped[str]
    bases: Mapped[str]  # keys of rules.BASES by comma
    issued_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    issued_at: Mapped[datetime]
    issued_on: Mapped[date]
    keep_until: Mapped[date]
    replaces_id: Mapped[int | None] = mapped_column(ForeignKey("conformity_certificate.id"))  # the one it corrects


class CertificateSource(Base):
    """Goods were mixed or made into others: the certificates of what went in."""

    __tablename__ = "conformity_source"
    __table_args__ = (UniqueConstraint("certificate_id", "source_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    certificate_id: Mapped[int] = mapped_column(ForeignKey("conformity_certificate.id"))
    source_id: Mapped[int] = mapped_column(ForeignKey("conformity_certificate.id"), index=True)


class CertificateVoid(Base):
    """A mistake was found: the certificate no longer holds."""

    __tablename__ = "conformity_void"

    id: Mapped[int] = mapped_column(primary_key=True)
    certificate_id: Mapped[int] = mapped_column(ForeignKey("conformity_certificate.id"), unique=True)
    reason: Mapped[str]
    voided_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    voided_at: Mapped[datetime]


class TraceEvent(Base):
    """What happened to a lot (what), where, when and why; append-only, written with the deed itself.

    `source` names the row that the event tells of ('shipment_line:7'), so that a deed is told once. No person is in it.
    """

    __tablename__ = "trace_event"
    __table_args__ = (
        UniqueConstraint("kind", "source"),
        Index("ix_trace_event_lot", "lot_id", "id"),
        CheckConstraint("milli >= 0 AND grams >= 0", name="amounts"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    lot_id: Mapped[int] = mapped_column(ForeignKey("lot.id"))
    kind: Mapped[str] = mapped_column(choice("kind", *EVENTS))
    milli: Mapped[int]
    grams: Mapped[int]
    at: Mapped[datetime]
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))  # where: at whose place
    division_id: Mapped[int | None] = mapped_column(ForeignKey("division.id"))  # where, as far as a place is known
    to_organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"))  # on the way to
    reference: Mapped[str] = mapped_column(default="")  # certificate, order or other lot, as the public may read it
    source: Mapped[str] = mapped_column(String(48))


class Recall(Base):
    """A lot was found unsafe: it and all that was made of it is stopped. Never undone."""

    __tablename__ = "recall"

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(24), unique=True)
    lot_id: Mapped[int] = mapped_column(ForeignKey("lot.id"), unique=True)
    supplier_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)
    reason: Mapped[str]
    recalled_by: Mapped[int] = mapped_column(ForeignKey("user.id"))
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))  # who ordered it
    recalled_at: Mapped[datetime]
    business_date: Mapped[date]


class RecallLot(Base):
    """A lot stopped by a recall: the one named, or one made from it. A lot is stopped once."""

    __tablename__ = "recall_lot"

    id: Mapped[int] = mapped_column(primary_key=True)
    recall_id: Mapped[int] = mapped_column(ForeignKey("recall.id"), index=True)
    lot_id: Mapped[int] = mapped_column(ForeignKey("lot.id"), unique=True)


class RecallRelease(Base):
    """Goods of a stopped lot that were promised to an order line and now have to come from another lot, or be short."""

    __tablename__ = "recall_release"
    __table_args__ = (UniqueConstraint("lot_id", "line_id"), CheckConstraint("milli > 0", name="milli"))

    id: Mapped[int] = mapped_column(primary_key=True)
    recall_id: Mapped[int] = mapped_column(ForeignKey("recall.id"), index=True)
    lot_id: Mapped[int] = mapped_column(ForeignKey("lot.id"))
    line_id: Mapped[int] = mapped_column(index=True)  # an order line, opaque here
    milli: Mapped[int]
