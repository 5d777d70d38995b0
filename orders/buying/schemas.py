"""Input of the buyer's desk: the cart, a purchase, its approval, taking an order back."""

from typing import Any

from marshmallow import ValidationError, fields, validates_schema

from market.schemas import REQUIRED, Choice, Day, Input, Milli, Whole, Words
from orders.states import FUND_SOURCES, PAYMENT_TERMS, WINDOWS


class CartLineSchema(Input):
    """A good and how much of it."""

    product_id = Whole(required=True)
    quantity_milli = Milli(required=True)
    substitute_ok = fields.Boolean(load_default=False)


class CartSchema(Input):
    """The whole cart."""

    lines = fields.List(fields.Nested(CartLineSchema), load_default=list)


class RemovalSchema(Input):
    """A good that leaves the cart."""

    product_id = Whole(required=True)


class PurchaseSchema(CartSchema):
    """A cart and what is decided about it; `expected_total_fen` was shown for goods and freight, in whole fen."""

    delivery_point_id = Whole(required=True)
    delivery_day = Day(required=True)
    delivery_window = Choice(WINDOWS, required=True)
    fund_source = Choice(FUND_SOURCES, required=True)
    budget_unit_id = Whole(load_default=None)
    note = Words(longest=500, lines=True, load_default="")
    expected_total_fen = Whole(load_default=None)
    payment_terms = Choice(("as_set", *PAYMENT_TERMS), load_default="as_set")


class ApprovalSchema(Input):
    """A second person's yes or no to the content that was shown."""

    decision = Choice(("approve", "decline"), required=True)
    content_hash = Words(longest=64, required=True)
    reason = Words(longest=200, load_default="")

    @validates_schema
    def a_no_is_explained(self, values: dict[str, Any], **_: Any) -> None:
        if values["decision"] == "decline" and not values["reason"]:
            raise ValidationError({"reason": [REQUIRED]})


class CancellationSchema(Input):
    """Why an order is taken back."""

    reason = Words(longest=200, required=True)
