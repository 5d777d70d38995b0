"""Input of the evidence pages."""

from marshmallow import fields

from market.errors import N_
from market.schemas import Input, Whole, Words
from orders.evidence.drawing import MOST


class Year(Whole):
    """A calendar year."""

    low, high = 2015, 2099
    refusal = N_("A year such as 2026.")


class Count(Whole):
    """How many orders of a sample."""

    low, high = 1, MOST
    refusal = N_("A whole number from 1 to 200.")


class PackageSchema(Input):
    """A village and a year; whether scans that show names are wanted."""

    village = Words(longest=12, required=True)
    year = Year(required=True)
    with_names = fields.Boolean(load_default=False)


class SampleSchema(Input):
    """A year, an area or some villages by code, and how many orders."""

    year = Year(required=True)
    area = Words(longest=24)
    villages = Words(longest=1000)
    wanted = Count(required=True)


class SamplePackageSchema(Input):
    """Whether scans that show names are wanted."""

    with_names = fields.Boolean(load_default=False)
