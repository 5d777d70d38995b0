"""Input of the review desk and the price pages."""

from marshmallow import fields

from catalog.schemas import NewProductSchema, PriceSchema, ProductSchema
from market.schemas import Day, Fen, Input, Words

LONGEST_LINK = 500


class ListingSchema(NewProductSchema):
    """New goods with what shows that their price is fair."""

    voucher_link = Words(longest=LONGEST_LINK, load_default="")


class EditSchema(ProductSchema):
    """What a co-operative says about goods it has; a price that is not said stays."""

    price_fen = Fen(high=100_000_000, load_default=None)
    voucher_link = Words(longest=LONGEST_LINK, load_default="")


class NewPriceSchema(PriceSchema):
    """A new price and why it is fair."""

    voucher_link = Words(longest=LONGEST_LINK, load_default="")


class ApprovalSchema(Input):
    remark = Words(longest=500, lines=True, load_default="")


class ReturnSchema(ApprovalSchema):
    """What has to be mended: ticked sentences, own words, or both."""

    reasons = fields.List(Words(longest=20), data_key="reasons[]", load_default=list)


class ReferenceSchema(Input):
    """What a kilo costs on the market; up to ¥10,000."""

    category = Words(longest=32, required=True)
    word = Words(longest=20, load_default="")
    fen_per_kg = Fen(high=1_000_000, required=True)
    source = Words(longest=120, required=True)
    day = Day(required=True)


class ReasonSchema(Input):
    reason = Words(longest=500, lines=True, required=True)
