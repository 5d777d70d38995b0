"""Input of the reconciliation pages."""

from market.schemas import Input, Words


class SettleSchema(Input):
    """What was done about a task."""

    remark = Words(longest=500, required=True)
