"""What the API takes and tells about purchases, orders and payments; decisions share the pages' schemas."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from market.api import PageSchema
from market.schemas import REQUIRED, Choice, Fen, Grams, Input, Milli, Secret, Whole, Words
from orders.buying.schemas import ApprovalSchema, PurchaseSchema
from orders.delivering.schemas import DoorSchema
from orders.models.paying import CLAIM_STATES
from orders.paying import schemas as paying
from orders.states import STATES


class PurchaseLineSchema(Input):
    product_id = Whole(required=True)
    ordered_milli = Milli(required=True)
    substitute_ok = fields.Boolean(load_default=False)


class NewPurchaseSchema(PurchaseSchema):
    """A purchase; with `expected_total_fen` another total of goods and freight is refused."""

    lines = fields.List(fields.Nested(PurchaseLineSchema), required=True)


class DecisionSchema(ApprovalSchema):
    """A second person's yes or no; with `content_hash` only to what was shown."""

    decision = Choice(("approve", "decline"), load_default="approve")
    content_hash = Words(longest=64, load_default=None)


class AcceptedLineSchema(Input):
    """Grams for goods sold by weight, milli for counted goods; 0 refuses. A refusal or reduction says why."""

    line_id = Whole(required=True)
    accepted_grams = Grams(low=0, load_default=None)
    accepted_milli = Milli(low=0, load_default=None)
    price_fen = Fen(load_default=None)
    reason = Words(longest=200, load_default="")
    photo_ids = fields.List(Whole(), load_default=list, validate=validate.Length(max=3))


class SecondReceiverSchema(Input):
    """The second receiver with the own PIN, or with the password while they have set no PIN."""

    login = Words(longest=64, required=True)
    pin = Secret(load_default=None)
    password = Secret(load_default=None)

    @validates_schema
    def one_proof(self, values: dict[str, Any], **_: Any) -> None:
        if not values.get("pin") and not values.get("password"):
            raise ValidationError({"pin": [REQUIRED]})


class AcceptanceSchema(DoorSchema):
    """The caller is one receiver, the other proves it. What is refused, reduced or over names photos sent before.

    Cold goods need their temperature in tenths of a degree; above the limit they are taken with `warm_taken` only.
    """

    lines = fields.List(fields.Nested(AcceptedLineSchema), required=True)
    second_receiver = fields.Nested(SecondReceiverSchema, required=True)


class PhotoSchema(Schema):
    id = fields.Integer(required=True)


class NewClaimSchema(paying.ClaimSchema):
    """A bank transfer for one order, as the payer describes it."""


class ClaimPartSchema(Input):
    order_id = Whole(required=True)
    amount_fen = Fen(required=True)


class ClaimOfSeveralSchema(paying.RemittanceSchema):
    """A bank transfer for several orders of one co-operative."""

    orders = fields.List(fields.Nested(ClaimPartSchema), required=True, validate=validate.Length(min=1, max=100))


class OrderFilterSchema(PageSchema):
    state = Choice(STATES, load_default=None)


class ClaimFilterSchema(PageSchema):
    state = Choice(CLAIM_STATES, load_default=None)


class LineSchema(Schema):
    """A line as it was ordered, and what was packed and accepted of it."""

    id = fields.Integer(required=True)
    product_id = fields.Integer(required=True)
    product_name = fields.String(required=True)
    unit = fields.String(required=True)
    grams_per_unit = fields.Integer(required=True)
    by_weight = fields.Boolean(required=True)
    price_fen = fields.Integer(required=True)
    ordered_milli = fields.Integer(required=True)
    amount_fen = fields.Integer(required=True)
    substitute_ok = fields.Boolean(required=True)
    substitute_product_id = fields.Integer(required=True, allow_none=True)
    packed_milli = fields.Integer(required=True)
    outcome = fields.String(required=True, allow_none=True)
    accepted_milli = fields.Integer(required=True, allow_none=True)
    accepted_grams = fields.Integer(required=True, allow_none=True)
    accepted_fen = fields.Integer(required=True, allow_none=True)


class OrderSchema(Schema):
    """A sub-order of one co-operative."""

    id = fields.Integer(required=True)
    number = fields.String(required=True)
    purchase_id = fields.Integer(required=True)
    unit_id = fields.Integer(required=True)
    unit_name = fields.String(required=True)
    supplier_id = fields.Integer(required=True)
    supplier_name = fields.String(required=True)
    state = fields.String(required=True)
    payment = fields.String(required=True)
    fund_source = fields.String(required=True)
    placed_fen = fields.Integer(required=True)  # goods only, like accepted and returned
    freight_fen = fields.Integer(required=True)
    accepted_fen = fields.Integer(required=True)
    returned_fen = fields.Integer(required=True)
    received_fen = fields.Integer(required=True)
    refunded_fen = fields.Integer(required=True)
    delivery_point_id = fields.Integer(required=True)
    payment_terms = fields.String(required=True)
    payment_days = fields.Integer(required=True)
    pay_by = fields.Date(required=True, allow_none=True)
    delivery_day = fields.Date(required=True)
    delivery_window = fields.String(required=True)
    placed_at = fields.AwareDateTime(required=True)


class PackedLotSchema(Schema):
    line_id = fields.Integer(required=True, attribute="order_line_id")
    lot_code = fields.String(required=True, attribute="code")
    packed_milli = fields.Integer(required=True)
    packed_grams = fields.Integer(required=True)


class WholeOrderSchema(OrderSchema):
    """An order with its lines and the lots really packed. Only the co-operative reads the code of its delivery run."""

    lines = fields.List(fields.Nested(LineSchema), required=True)
    packed = fields.List(fields.Nested(PackedLotSchema), required=True)
    run_number = fields.String(allow_none=True)
    run_code = fields.String()


class PurchaseSummarySchema(Schema):
    """A purchase: `total_fen` are its goods, what it costs is `total_fen + freight_fen`.

    `approval` is not_needed, waiting, approved or declined.
    """

    id = fields.Integer(required=True)
    number = fields.String(required=True)
    unit_id = fields.Integer(required=True)
    fund_source = fields.String(required=True)
    delivery_point_id = fields.Integer(required=True)
    delivery_day = fields.Date(required=True)
    delivery_window = fields.String(required=True)
    note = fields.String(required=True)
    total_fen = fields.Integer(required=True)
    freight_fen = fields.Integer(required=True)
    approval = fields.String(required=True)
    content_hash = fields.String(required=True)
    placed_at = fields.AwareDateTime(required=True)


class OrderWithLinesSchema(OrderSchema):
    lines = fields.List(fields.Nested(LineSchema), required=True)


class WholePurchaseSchema(PurchaseSummarySchema):
    """A purchase with its sub-orders and their lines."""

    orders = fields.List(fields.Nested(OrderWithLinesSchema), required=True)


class ClaimSchema(Schema):
    """A bank transfer that a unit says it made; `state` is claimed, received, refused or withdrawn."""

    id = fields.Integer(required=True)
    number = fields.String(required=True)
    unit_id = fields.Integer(required=True)
    supplier_id = fields.Integer(required=True)
    payer_name = fields.String(required=True)
    paid_on = fields.Date(required=True)
    amount_fen = fields.Integer(required=True)
    state = fields.String(required=True)
    reason = fields.String(required=True)
    origin = fields.String(required=True)
