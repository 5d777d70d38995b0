"""Input about payment runs and household accounts."""

import re
from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, fields

from catalog.lot_schemas import FilledRows
from market.errors import N_
from market.ledger import INCOME_KINDS
from market.schemas import Choice, Day, Fen, Input, Whole, Words
from orders.payouts.models import FAILURES

_RECEIVER = re.compile(rf"([1-9][0-9]{{0,11}}):([1-9][0-9]{{0,11}})?:({'|'.join(INCOME_KINDS)})", re.ASCII)
_NUMBER = re.compile(r"[0-9]{8,32}", re.ASCII)


class AccountNumber(Words):
    """The digits of a passbook or card, 8 to 32, however they are grouped."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **options: Any) -> str:
        text = re.sub(r"[ -]", "", super()._deserialize(value, attr, data, **options))
        if _NUMBER.fullmatch(text) is None:
            raise ValidationError(N_("The digits of the account, 8 to 32 of them."))
        return text


class AccountSchema(Input):
    """Whose account, where, its number."""

    holder = Words(longest=40, required=True)
    bank = Words(longest=60, required=True)
    number = AccountNumber(longest=64, required=True)


class Receiver(fields.Field[tuple[int, int | None, str]]):
    """Village, household (none: the collective) and kind of income, as 17:42:farm_gate."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None,
                     **_: Any) -> tuple[int, int | None, str]:
        found = _RECEIVER.fullmatch(value) if isinstance(value, str) else None
        if found is None:
            raise ValidationError(N_("This is not understood."))
        return int(found[1]), int(found[2]) if found[2] else None, found[3]


class WantedSchema(Input):
    """A receiver that is ticked, and how much."""

    receiver = Receiver(required=True)
    take = fields.String(required=True)
    amount_fen = Fen(required=True)


class RunSchema(FilledRows):
    """A payment run as it is built."""

    rows, needs = "lines", "take"

    lines = fields.List(fields.Nested(WantedSchema), required=True)
    in_cash = fields.Boolean(load_default=False)
    note = Words(longest=200, load_default="")


class LinesSchema(Input):
    """Lines that are ticked."""

    line_ids = fields.List(Whole(), data_key="lines[]", load_default=list)


class PaidSchema(LinesSchema):
    """Lines that are paid; the proof comes beside it."""

    paid_on = Day(required=True)


class FailedSchema(LinesSchema):
    """Lines whose money did not arrive."""

    failure = Choice(FAILURES, required=True)
    note = Words(longest=200, load_default="")


class DisputeSchema(LinesSchema):
    """Lines that the village does not find."""

    words = Words(longest=200, required=True)
