"""What a person keeps of reports: the columns, the filters, and whether it stands among their own."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from market.db import Base


class ReportWish(Base):
    """One person's wishes for one report; nothing of it is anybody else's."""

    __tablename__ = "report_wish"

    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), primary_key=True)
    report: Mapped[str] = mapped_column(String(60), primary_key=True)
    columns: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    filters: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    starred: Mapped[bool]
    changed_at: Mapped[datetime]
