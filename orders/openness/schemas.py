"""Input about costs and about being named."""

from typing import Any

from marshmallow import fields

from catalog.entry.schemas import Percent
from market.schemas import Input, LeftEmpty, Month, Words


class MaybePercent(LeftEmpty, Percent):
    """A share that may be left open."""


class CostSchema(Input):
    """What holds for a category of goods from a month on, in hundredths of a percent of the price."""

    category = Words(required=True, longest=32)
    valid_from = Month(required=True)
    packing_points = Percent(required=True)
    transport_points = Percent(required=True)
    loss_points = Percent(required=True)
    share_points: fields.Field[Any] = MaybePercent(load_default=None)


class NamingSchema(Input):
    agreed = fields.Boolean(load_default=False)
