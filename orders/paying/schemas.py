"""Input of the payment pages."""

from market.schemas import Day, Fen, Input, Words


class ClaimSchema(Input):
    """A bank transfer as the payer describes it; the photo of the voucher comes as a file."""

    amount_fen = Fen(required=True)
    payer_name = Words(longest=100, required=True)
    paid_on = Day(required=True)
