"""What sealed transfers add up to by village and month: the columns, what feeds them, and what is counted once."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.dialects.postgresql import TEXT
from sqlalchemy.orm import Mapped, mapped_column

from market import db
from market.db import Base, choice
from market.ledger import INCOME_KINDS

# text that both databases and Python put into the same order
CHARACTERS = Text().with_variant(TEXT(collation="C"), "postgresql")
PRESENCE_KINDS = ("order", "product", "household", "supplier")


class Figures:
    """The columns of every roll-up, in fen or grams."""

    accepted_fen: Mapped[int]
    accepted_grams: Mapped[int]
    certified_fen: Mapped[int]  # accepted less returned, certified goods only
    returned_fen: Mapped[int]
    returned_grams: Mapped[int]
    allowance_fen: Mapped[int]
    received_fen: Mapped[int]
    refunded_fen: Mapped[int]
    farm_gate_fen: Mapped[int]  # this and the next four: attributed less withdrawn
    wage_fen: Mapped[int]
    land_fen: Mapped[int]
    dividend_fen: Mapped[int]
    collective_fen: Mapped[int]
    households_paid_fen: Mapped[int]
    collective_paid_fen: Mapped[int]


class VillageMonth(Figures, Base):
    """What a village's sealed transfers of a month add up to; derived, and recomputed by the audit."""

    __tablename__ = "village_month"

    village_id: Mapped[int] = mapped_column(ForeignKey("division.id"), primary_key=True)
    period: Mapped[str] = mapped_column(String(7), primary_key=True)


class VillagePresence(Base):
    """That a thing occurred in a village's month: counts that do not add (an order lies in several villages).

    Of an order also whose it was there and the way it was sold, as the last goods accepted in that month say: an order
    that was booked over counts where it went. '' where none were, or for other things.
    """

    __tablename__ = "village_presence"
    __table_args__ = (
        Index("ix_village_presence_kind_thing", "kind", "thing"),
        Index("ix_village_presence_village_thing", "village_id", "kind", "thing", "period"),
    )

    village_id: Mapped[int] = mapped_column(ForeignKey("division.id"), primary_key=True)
    period: Mapped[str] = mapped_column(String(7), primary_key=True)
    kind: Mapped[str] = mapped_column(choice("kind", *PRESENCE_KINDS), primary_key=True)
    thing: Mapped[str] = mapped_column(CHARACTERS, primary_key=True)
    closing: Mapped[int] = mapped_column(server_default="1")  # the first closing of the month that counts it
    way: Mapped[str] = mapped_column(CHARACTERS, server_default="")  # kind of unit and method, either may be empty
    supplier_id: Mapped[int | None]


KEYS = ("village_id", "period")
FIGURES = tuple(column.name for column in db.table(VillageMonth).c if column.name not in KEYS)

# (event, income kind): the columns it feeds, from which measure, with which sign, and whether for certified goods only
FEEDS: Mapping[tuple[str, str | None], Sequence[tuple[str, str, int, bool]]] = {
    ("accepted", None): (
        ("accepted_fen", "amount_fen", 1, False),
        ("accepted_grams", "grams", 1, False),
        ("certified_fen", "amount_fen", 1, True),
    ),
    ("returned", None): (
        ("returned_fen", "amount_fen", 1, False),
        ("returned_grams", "grams", 1, False),
        ("certified_fen", "amount_fen", -1, True),
    ),
    ("allowance", None): (("allowance_fen", "amount_fen", 1, False),),
    ("received", None): (("received_fen", "amount_fen", 1, False),),
    ("refunded", None): (("refunded_fen", "amount_fen", 1, False),),
    **{("attributed", kind): ((f"{kind}_fen", "amount_fen", 1, False),) for kind in INCOME_KINDS},
    **{("withdrawn", kind): ((f"{kind}_fen", "amount_fen", -1, False),) for kind in INCOME_KINDS},
    **{
        ("paid_out", kind): (
            ("collective_paid_fen" if kind == "collective" else "households_paid_fen", "amount_fen", 1, False),
        )
        for kind in INCOME_KINDS
    },
}


def figures_of(row: Mapping[Any, Any]) -> dict[str, int]:
    """The columns a transfer feeds, with signed fen or grams. Linear, so it also holds for rows summed by SQL."""
    sign = -1 if row["backward"] else 1
    return {
        column: sign * factor * row[measure]
        for column, measure, factor, certified_only in FEEDS.get((row["event"], row["income_kind"]), ())
        if row["certified"] or not certified_only
    }


def add_to(sums: dict[Any, dict[str, int]], key: Any, figures: Mapping[str, int]) -> None:
    """Add figures under a key; a new key begins with zeros in every column."""
    of_key = sums.setdefault(key, dict.fromkeys(FIGURES, 0))
    for column, value in figures.items():
        of_key[column] += value
