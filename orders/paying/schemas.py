"""Input of the payment pages."""

from market.schemas import Choice, Day, Fen, Input, Words
from orders.paying.payer_models import PAYER_KINDS


class RemittanceSchema(Input):
    """A bank transfer as the payer describes it; the photo of the voucher comes as a file."""

    payer_name = Words(longest=100, required=True)
    paid_on = Day(required=True)


class ClaimSchema(RemittanceSchema):
    """A transfer for one order."""

    amount_fen = Fen(required=True)


class SettingSchema(Input):
    """A box that is ticked or not."""

    chosen = Choice(("yes", "no"), required=True)


class PayerSchema(Input):
    """Who else pays for a unit."""

    name = Words(longest=100, required=True)
    kind = Choice(PAYER_KINDS, required=True)
