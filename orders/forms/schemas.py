"""Input of the pages of forms."""

from marshmallow import fields, validate

from market.schemas import Input, Month, Whole, Words
from orders.forms.keeping import LONGEST_NAME


class LineSchema(Input):
    """What one heading means."""

    source = Words(longest=60, load_default="")
    text = Words(longest=200, load_default="")
    unit = Words(longest=20, load_default="")


class MappingSchema(Input):
    """What all headings mean; `seen` is the meaning whose first rows were shown beside the form."""

    version = Whole(required=True, low=1, high=999_999)
    report = Words(longest=60, required=True)
    name = Words(longest=LONGEST_NAME, required=True)
    lines = fields.List(fields.Nested(LineSchema), required=True, validate=validate.Length(max=60))
    month = Month(required=True)
    seen = Words(longest=64, load_default="")
    deed = Words(longest=10, load_default="keep")


class NameSchema(Input):
    """Another name."""

    name = Words(longest=LONGEST_NAME, required=True)


class ReportSchema(Input):
    """The report that fills a form."""

    report = Words(longest=60, required=True)


class FillSchema(Input):
    """Months and place of a filled form."""

    first = Month(data_key="from", required=True)
    last = Month(data_key="to", required=True)
    county = Words(longest=12, load_default="")
    township = Words(longest=12, load_default="")
    village = Words(longest=12, load_default="")
