"""What the forms about months send."""

from market.schemas import Input, Words


class CloseSchema(Input):
    """A wish to close; a remark may be left out."""

    reason = Words(longest=300, lines=True, load_default="")


class ReopenSchema(Input):
    """A wish to reopen, with its reason."""

    reason = Words(longest=300, lines=True, required=True)
