"""Input of the household room."""

from marshmallow import fields

from market.households import CLASSES
from market.schemas import Choice, Fen, Input, Whole, Words
from orders.households.costs import YEARS
from orders.quota.outside import Percent


class RegisterSchema(Input):
    """What the register says of a household."""

    register_code = Words(longest=32, required=True)
    village_id = Whole(required=True)
    head_name = Words(longest=40, required=True)
    people = Whole(low=1, high=30, required=True)


class CorrectionSchema(RegisterSchema):
    """The same corrected; an empty name stays as it is, since the page does not show it."""

    head_name = Words(longest=40, load_default="")


class RevealSchema(Input):
    """Why somebody looks at a full name, and whether on paper."""

    purpose = Words(longest=100, required=True)
    sheet = fields.Boolean(load_default=False)
    year = Whole(low=YEARS[0], high=YEARS[1], load_default=None)


class ClassSchema(Input):
    """The class of a household in a year, and by which paper."""

    year = Whole(required=True, low=2014, high=2099)
    household_class = Choice(CLASSES, required=True)
    source = Words(required=True, longest=200)


class ChangesSchema(Input):
    """Changes of class that a second person confirms together."""

    changes = fields.List(Whole(), required=True, data_key="changes[]")


class RefusalSchema(Input):
    """Why not."""

    reason = Words(required=True, longest=200)


class RatioSchema(Input):
    """What of a category's gross is cost, from a year on."""

    category = Words(required=True, longest=32)
    points = Percent(data_key="percent", required=True)
    valid_from = Whole(required=True, low=YEARS[0], high=YEARS[1])
    source = Words(required=True, longest=200)


class LineSchema(Input):
    """The monitoring line of the office's area in a year, yuan per head."""

    line_year = Whole(required=True, low=YEARS[0], high=YEARS[1])
    amount_fen = Fen(required=True)
    line_source = Words(required=True, longest=200)
