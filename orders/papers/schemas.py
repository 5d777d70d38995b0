"""Input of the papers' pages."""

from typing import Any

from marshmallow import ValidationError, fields

from market.errors import N_
from market.schemas import Choice, CreditCode, Day, Fen, Input, LeftEmpty, Month, Whole, Words
from orders.papers.invoice_files import NUMBER
from orders.papers.models import MOST_PAYMENT_DAYS


class InvoiceNumber(Words):
    """Twenty digits."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> str:
        text = super()._deserialize(value, attr, data, **options).replace(" ", "")
        if text and NUMBER.fullmatch(text) is None:
            raise ValidationError(N_("An invoice number has twenty digits."))
        return text


class ReasonSchema(Input):
    """Why somebody does not agree."""

    reason = Words(longest=200, required=True)


class StatementSchema(Input):
    """For which unit and month a statement is issued."""

    unit_id = Whole(required=True)
    month = Month(required=True)


class TitleSchema(Input):
    """A unit's invoice title."""

    name = Words(longest=100, required=True)
    tax_number = CreditCode(required=True)
    address = Words(longest=200, load_default="")
    phone = Words(longest=40, load_default="")
    bank_name = Words(longest=100, load_default="")
    bank_account = Words(longest=40, load_default="")


class AskSchema(Input):
    """How an invoice is wanted."""

    exempt = Choice(("default", "yes", "no"), load_default="default")
    remark = Words(longest=200, load_default="")


class InvoiceSchema(Input):
    """An invoice as it is sent; what the XML says itself need not be typed. `red_number` where it replaces another."""

    number = InvoiceNumber(longest=30, load_default="")
    amount_fen = Words(longest=20, load_default="")
    issued_on = Words(longest=10, load_default="")
    exempt = fields.Boolean(load_default=False)
    red_number = InvoiceNumber(longest=30, load_default="")


class TypedInvoiceSchema(Input):
    """The same where nothing could be read."""

    number = InvoiceNumber(longest=30, required=True)
    amount_fen = Fen(required=True)
    issued_on = Day(required=True)


class FrameSchema(Input):
    """A frame contract's draft."""

    partner_id = Whole(required=True)
    year = Whole(required=True, low=2015, high=2099)
    first_day = Day(required=True)
    last_day = Day(required=True)
    payment_days = Whole(required=True, low=1, high=MOST_PAYMENT_DAYS)
    price_rule = Words(longest=500, required=True)


class BundleSchema(Input):
    """Which month's papers are wanted, and with whom."""

    month = Month(required=True)
    partner_id = Whole(load_default=None, allow_none=True)


class MaybeFen(LeftEmpty, Fen):
    """Yuan, or nothing."""


class StatementClaimSchema(Input):
    """One transfer for a statement: a sum for all of it, or amounts in fields named order-<id>."""

    total_fen = MaybeFen(load_default=None)

    payer_name = Words(longest=100, required=True)
    paid_on = Day(required=True)
