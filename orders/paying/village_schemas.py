"""Input of the co-operative's answers to payment claims."""

from market.schemas import Input, Words


class RefusalSchema(Input):
    """Why the money was not found."""

    reason = Words(longest=200, required=True)
