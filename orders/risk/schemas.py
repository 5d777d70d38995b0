"""Input about handling a signal."""

from market.schemas import Day, Input, Whole, Words


class HandlingSchema(Input):
    """Who, till when, how."""

    handler_id = Whole(required=True)
    due_on = Day(required=True)
    measures = Words(required=True, longest=1000, lines=True)


class OutcomeSchema(Input):
    """What came of it."""

    outcome = Words(required=True, longest=400)


class ReasonSchema(Input):
    """Why not."""

    reason = Words(required=True, longest=200)
