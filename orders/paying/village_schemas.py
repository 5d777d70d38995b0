"""Input of the co-operative's answers to payment claims."""

from marshmallow import fields

from market.schemas import Input, Whole, Words


class RefusalSchema(Input):
    """Why the money was not found."""

    reason = Words(longest=200, required=True)


class ReceiptsSchema(Input):
    """The ticked transfers of a list, with how many and how much (fen) stood beside the button."""

    claims = fields.List(Whole(), data_key="claims[]", load_default=list)
    seen_claims = Whole(low=0, required=True)
    seen_fen = Whole(low=0, required=True)
