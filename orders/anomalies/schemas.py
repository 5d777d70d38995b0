"""Input about cases: an answer, a decision, a second person's word."""

from market.schemas import Choice, Input, Words
from orders.anomalies.models import DECISIONS


class AnswerSchema(Input):
    """What a co-operative says."""

    words = Words(longest=2000, required=True)


class DecisionSchema(Input):
    """What an official found out."""

    decision = Choice(DECISIONS, required=True)
    note = Words(longest=500, required=True)


class SecondSchema(Input):
    """A second person's yes to the decision that was shown."""

    decision = Choice(DECISIONS, required=True)


class RefusalSchema(Input):
    """Why a second person does not agree."""

    note = Words(longest=500, required=True)
