"""Input of the pages of files."""

from market.schemas import Choice, Input
from orders.exports.models import KINDS


class FileSchema(Input):
    """CSV or XLSX; the question itself stands in the address, as on the report's page."""

    kind = Choice(KINDS, required=True)
