"""Input of the inspection book: goods bought elsewhere."""

from marshmallow import fields

from market.schemas import Day, Milli, Secret, Whole, Words
from orders.delivering.schemas import Degrees, Given


class BoughtSchema(Given):
    """What the first inspector types, and the second one's own PIN, or password where no PIN is set."""

    bought_on = Day(required=True)
    product_name = Words(longest=60, required=True)
    spec = Words(longest=40, load_default="")
    unit = Words(longest=8, required=True)
    quantity_milli = Milli(low=0, required=True)
    lot_code = Words(longest=40, load_default="")
    made_on = Day(load_default=None)
    best_before = Day(load_default=None)
    farm_produce = fields.Boolean(load_default=False)
    supplier_name = Words(longest=80, required=True)
    supplier_address = Words(longest=120, load_default="")
    supplier_contact = Words(longest=60, load_default="")
    certificates = Words(longest=200, load_default="")
    reference = Words(longest=40, load_default="")
    rejected_milli = Milli(low=0, load_default=0)
    reason = Words(longest=200, load_default="")
    temperature_tenths = Degrees(load_default=None)
    second_id = Whole(required=True)
    second_password = Secret(required=True)
