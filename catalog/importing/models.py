"""Tables of imports: what was uploaded, how far it has come, and what is wrong in which row."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from market.db import Base, choice

# queued -> checking -> ready | faulty | refused; ready -> confirmed -> writing -> done
STATES = ("queued", "checking", "ready", "faulty", "refused", "confirmed", "writing", "done", "cancelled")
AT_WORK = ("queued", "checking", "confirmed", "writing")
OPEN = (*AT_WORK, "ready")
_OPEN = text("state IN ('queued', 'checking', 'ready', 'confirmed', 'writing')")


class SheetImport(Base):
    """One uploaded table. `attempt` counts the workers that took it up: only the newest may go on.

    A file that is still under way is not begun a second time; what is over may be sent again.
    """

    __tablename__ = "sheet_import"
    __table_args__ = (
        CheckConstraint("rows_done >= 0 AND rows_done <= rows_total", name="rows"),
        Index("ix_sheet_import_newest", "organisation_id", "id"),
        Index("uq_sheet_import_open", "organisation_id", "kind", "sha256", unique=True, sqlite_where=_OPEN,
              postgresql_where=_OPEN),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    kind: Mapped[str] = mapped_column(String(24))
    file_id: Mapped[int] = mapped_column(ForeignKey("stored_file.id"))
    sha256: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(choice("state", *STATES), default="queued")
    attempt: Mapped[int] = mapped_column(default=0)
    rows_total: Mapped[int] = mapped_column(default=0)
    rows_done: Mapped[int] = mapped_column(default=0)  # of this state: checked, or read again for writing
    new_rows: Mapped[int] = mapped_column(default=0)
    changed_rows: Mapped[int] = mapped_column(default=0)
    unchanged_rows: Mapped[int] = mapped_column(default=0)
    left_out_rows: Mapped[int] = mapped_column(default=0)  # the template's example
    to_county: Mapped[int] = mapped_column(default=0)  # rows that the county has to look at before they hold
    faults: Mapped[int] = mapped_column(default=0)
    first_rows: Mapped[list[Any] | None] = mapped_column(JSON)  # number, 'new' or 'changed', cells by field
    refusal: Mapped[dict[str, Any] | None] = mapped_column(JSON)  # text and details
    uploaded_by: Mapped[int] = mapped_column(ForeignKey("user.id"))
    uploaded_at: Mapped[datetime]
    checked_at: Mapped[datetime | None]
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    decided_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


class SheetFault(Base):
    """One thing to mend: the row as the spreadsheet counts, the field of the column, the sentence with its details."""

    __tablename__ = "sheet_fault"
    __table_args__ = (Index("ix_sheet_fault_import", "import_id", "line"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    import_id: Mapped[int] = mapped_column(ForeignKey("sheet_import.id"))
    line: Mapped[int]
    field: Mapped[str] = mapped_column(String(40))
    text: Mapped[str]
    details: Mapped[dict[str, Any]] = mapped_column(JSON)


class ImportedLot(Base):
    """Under which number of its own papers a co-operative imported a lot: sent again, it is the same lot."""

    __tablename__ = "imported_lot"
    __table_args__ = (UniqueConstraint("supplier_id", "reference"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    supplier_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    reference: Mapped[str] = mapped_column(String(40))
    lot_id: Mapped[int] = mapped_column(ForeignKey("lot.id"), unique=True)
