"""Input of the bank desk: what columns mean, what a row pays for."""

from collections.abc import Mapping

from market import web
from market.errors import N_, InvalidInput
from market.schemas import Fen, Input, Whole, Words
from orders.banking import columns

# the name of the bank, and for each of our columns the bank's heading or nothing
ColumnsSchema = Input.from_dict({
    "bank_name": Words(longest=40, load_default=""),
    **{ours: Words(longest=columns.MOST_HEADING + 8, load_default="") for ours in columns.LABELS}})


class ReasonSchema(Input):
    """Why a movement pays for no order."""

    reason = Words(longest=200, required=True)


class LinkSchema(Input):
    """Which claim a movement is."""

    claim_id = Whole(required=True)


def amounts(form: Mapping[str, str]) -> dict[int, int]:
    """What was typed for orders, fields 'order-<id>' in yuan; empty ones are left out. Raises InvalidInput."""
    typed = {name: text for name, text in form.items()
             if name.startswith("order-") and name[6:].isascii() and name[6:].isdigit() and len(name) < 19
             and text.strip()}
    schema = Input.from_dict({name: Fen(required=True) for name in typed})
    values = web.load(schema(), typed) if typed else {}
    if not values:
        raise InvalidInput({"orders": [N_("Say for at least one order what was paid.")]})
    return {int(name[6:]): fen for name, fen in values.items()}
