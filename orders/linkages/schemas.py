"""Input about linkages, declared income and proposed shares."""

from typing import Any

from marshmallow import ValidationError, fields, validates_schema

from market import money
from market.errors import N_
from market.linkages import FORMS, KINDS
from market.schemas import REQUIRED, Choice, Day, Fen, Input, LeftEmpty, Month, Number, Whole, Words
from orders.models.income import DECLARED_KINDS


class MaybeDay(LeftEmpty, Day):
    """A day, or none."""


class MaybeFen(LeftEmpty, Fen):
    """An amount, or none."""


class MaybeWhole(LeftEmpty, Whole):
    """An id, or none."""


class Points(Number):
    """A share, typed in percent with at most two decimals: 0 to 50. In JSON hundredths of a percent."""

    low, high = 0, 5000
    from_text = staticmethod(money.parse_fen)
    refusal = N_("A percentage, plain digits with at most two decimals, such as 8.5.")


class LinkageSchema(Input):
    """With whom something is agreed, and what; `last_day` is the last one on which it holds."""

    whom = Choice(("household", "village"), load_default="household")
    member = Words(longest=60, load_default="")
    village = Words(longest=12, load_default="")
    kind = Choice(KINDS, required=True)
    form = Choice([form for form in FORMS if form != "delivery"], required=True)
    since = Day(required=True)
    last_day = MaybeDay(load_default=None)
    note = Words(longest=200, load_default="")
    bears_returns = fields.Boolean(load_default=False)

    @validates_schema
    def names_somebody(self, values: dict[str, Any], **_: Any) -> None:
        name = "member" if values.get("whom", "household") == "household" else "village"
        if not values.get(name):
            raise ValidationError({name: [REQUIRED]})


class EndSchema(Input):
    last_day = Day(required=True)


class RefusalSchema(Input):
    reason = Words(required=True, longest=200)


class LineSchema(Input):
    """What one household, or one village's collective, earned; a row without an amount says nothing."""

    member = Words(longest=60, load_default="")
    amount_fen = MaybeFen(load_default=None)
    linkage_id = MaybeWhole(load_default=None)
    again = fields.Boolean(load_default=False)

    @validates_schema
    def names_somebody(self, values: dict[str, Any], **_: Any) -> None:
        if values.get("amount_fen") is not None and not values.get("member"):
            raise ValidationError({"member": [REQUIRED]})


class ListSchema(Input):
    """One kind of income of one month."""

    kind = Choice(DECLARED_KINDS, required=True)
    month = Month(required=True)


class DeclareSchema(ListSchema):
    """The same, with its rows."""

    lines = fields.List(fields.Nested(LineSchema), required=True)

    @validates_schema
    def says_something(self, values: dict[str, Any], **_: Any) -> None:
        if not any(row["amount_fen"] is not None for row in values.get("lines", [])):
            raise ValidationError({"lines": [REQUIRED]})


class SheetRowSchema(Input):
    """A row of a table."""

    member = Words(required=True, longest=60)
    amount_fen = Fen(required=True)


class CorrectionSchema(Input):
    """How much was too much, and why."""

    amount_fen = Fen(required=True)
    reason = Words(required=True, longest=200)


class ProposalSchema(Input):
    """The share and the decision behind it."""

    village = Words(required=True, longest=12)
    basis_points = Points(required=True)
    valid_from = Day(required=True)
    decision_no = Words(required=True, longest=60)


class IdsSchema(Input):
    """The rows that a person has seen."""

    ids = fields.List(Whole(), required=True, data_key="ids[]")
