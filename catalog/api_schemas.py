"""What the API tells about goods and lots, and what it takes to filter them."""

from marshmallow import Schema, fields

from market.api import PageSchema
from market.schemas import Choice, Whole, Words


class ProductFilterSchema(PageSchema):
    q = Words(longest=100, load_default="")
    category = Words(longest=32, load_default=None)
    supplier_id = Whole(load_default=None)


class ProductSchema(Schema):
    """Goods on sale. `in_store_milli`: stocked goods, what could still be ordered."""

    id = fields.Integer(required=True)
    name = fields.String(required=True)
    name_en = fields.String()
    category = fields.String(required=True)
    supplier_id = fields.Integer(required=True)
    supplier = fields.String(required=True)
    village_code = fields.String(required=True)
    village_path = fields.String(required=True)
    supply = fields.String(required=True)
    unit = fields.String(required=True)
    grams_per_unit = fields.Integer(required=True)
    by_weight = fields.Boolean(required=True)
    price_fen = fields.Integer(required=True)
    minimum_milli = fields.Integer(required=True)
    step_milli = fields.Integer(required=True)
    daily_capacity_milli = fields.Integer(required=True)
    in_store_milli = fields.Integer(required=True)
    harvest_months = fields.String(required=True)
    certified = fields.Boolean(required=True)


class FindingSchema(Schema):
    """What the county is asked to look at."""

    code = fields.String(required=True)
    details = fields.Dict(keys=fields.String(), values=fields.String(), required=True)


class SubmittedSchema(Schema):
    """Where new goods stand: `state` is listed or waiting."""

    id = fields.Integer(required=True)
    state = fields.String(required=True)
    findings = fields.List(fields.Nested(FindingSchema), required=True)


class LotFilterSchema(PageSchema):
    state = Choice(("waiting", "all"), load_default="all")


class LotSchema(Schema):
    """A lot; `state` is waiting, in_store, used_up or failed (its sample was not safe)."""

    id = fields.Integer(required=True)
    code = fields.String(required=True)
    product_id = fields.Integer(required=True)
    name = fields.String(required=True)
    supplier_id = fields.Integer(required=True)
    supplier = fields.String(required=True)
    kind = fields.String(required=True)
    state = fields.String(required=True)
    harvested_on = fields.Date(required=True)
    best_before = fields.Date(required=True)
    total_milli = fields.Integer(required=True)
    total_grams = fields.Integer(required=True)
    on_hand_milli = fields.Integer(required=True)
    held_milli = fields.Integer(required=True)
    farm_gate_fen_per_kg = fields.Integer(required=True)
    confirmed_at = fields.AwareDateTime(required=True, allow_none=True)


class ShareSchema(Schema):
    village_path = fields.String(required=True, attribute="path")
    own_base = fields.Boolean(required=True)
    grams = fields.Integer(required=True)
    accepted_grams = fields.Integer(required=True)
    farm_gate_fen_per_kg = fields.Integer(required=True)
    origin_lot = fields.String(required=True, attribute="origin")


class LotDetailsSchema(Schema):
    """How it was received; an area in hundredths of a mu."""

    received_at = fields.String(required=True)
    plot = fields.String(required=True)
    area_mu_hundredths = fields.Integer(required=True, allow_none=True)
    test = fields.String(required=True)
    test_note = fields.String(required=True)
    notebook_id = fields.Integer(required=True, allow_none=True)


class LotStorySchema(LotSchema):
    """A lot with the villages that grew it, and how it was received."""

    details = fields.Nested(LotDetailsSchema, required=True)
    shares = fields.List(fields.Nested(ShareSchema), required=True)
