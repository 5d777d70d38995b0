"""What stands in a report's address, and what a reader asks for by it."""

import re
from collections.abc import Mapping
from typing import Any

from flask import request
from marshmallow import ValidationError, fields

from market import clock, web
from market.errors import N_
from market.figures import Facets
from market.schemas import Input, Month, Words
from orders.reports import disclosure, narrowing
from orders.reports.declared import FACETS, FILTERS, Asked
from orders.reports.readers import Reader

SEVERAL = ("compare", "columns")  # written as a,b or named again and again
# what an address may hold; all of it is kept from page to page
NAMES = ("from", "to", "period", "county", "township", "village", "every", "sort", "order", "figure", "row", "stage",
         *SEVERAL, *FILTERS)
PERSONAL = ("county", "township", "village", "every", "sort", "order", "stage", "compare", *FILTERS)  # without months
MOST_COLUMNS = 200
KEY = re.compile(r"[A-Za-z0-9_-]{1,60}")


class Keys(fields.Field[tuple[str, ...]]):
    """Plain names with commas between them."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **_: Any) -> tuple[str, ...]:
        keys = tuple(dict.fromkeys(str(value).split(",")))
        if len(keys) > MOST_COLUMNS or not all(map(KEY.fullmatch, keys)):
            raise ValidationError(N_("This is not understood."))
        return keys


class AskedSchema(Input):
    """What stands in a report's address."""

    period = Month()
    first = Month(data_key="from")
    last = Month(data_key="to")
    county = Words(longest=12)
    township = Words(longest=12)
    village = Words(longest=12)
    every = fields.Boolean(load_default=False)
    sort = Words(longest=60, load_default="")
    order = Words(longest=4, load_default="asc")
    unit_type = Words(longest=20)
    unit = Words(longest=18)
    method = Words(longest=20)
    fund_source = Words(longest=20)
    category = Words(longest=40)
    certified = fields.Boolean(load_default=None, allow_none=True)
    row = Words(longest=60, load_default="")
    stage = Words(longest=20, load_default="")
    compare = Keys(load_default=())
    columns = Keys(load_default=())
    after = Words(longest=120, load_default="")


def sent() -> dict[str, str]:
    """This request's wishes, each as one text."""
    values = {name: ",".join(filter(None, request.args.getlist(name))) if name in SEVERAL
              else request.args.get(name, "") for name in NAMES}
    return {name: value for name, value in values.items() if value}


def asked_for(reader: Reader, wishes: Mapping[str, str] | None = None) -> Asked:
    """The months, places and filters in the address; where no month is named the present one, for the public the last
    that is over. Raises InvalidInput.
    """
    values = web.load(AskedSchema(), sent() if wishes is None else wishes)
    month = values.get("period") or (clock.period_of(clock.today()) if reader.sees_all else disclosure.newest_month())
    first = values.get("first") or values.get("last") or month
    return Asked(
        first, values.get("last") or first, values.get("county"), values.get("township"), values.get("village"),
        values["every"], values["sort"], values["order"] == "desc", Facets(*(values.get(one) for one in FACETS)),
        _unit(values.get("unit"), reader), values["row"], values["stage"], values["compare"], values["columns"],
        values["after"])


def _unit(text: str | None, reader: Reader) -> str | None:
    """A unit by its id; for the public nothing is looked up that is then refused."""
    return narrowing.unit_id(text) if text and reader.sees_all else text
