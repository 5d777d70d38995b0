"""Input about members and surplus returns."""

from catalog.members.models import MEASURES
from market.schemas import Choice, Day, Fen, Input, Words


class CapitalSchema(Input):
    """What a member has paid in, ¥0 to ¥10 million."""

    capital_fen = Fen(low=0, high=1_000_000_000, required=True)


class SurplusSchema(Input):
    """What the members' meeting decided; percent are typed with at most two decimals and kept in hundredths."""

    first_day = Day(required=True)
    last_day = Day(required=True)
    surplus_fen = Fen(required=True)
    reserve_points = Fen(low=0, high=5_000, required=True)
    return_points = Fen(low=0, high=10_000, required=True)
    measure = Choice(MEASURES, required=True)


class MeetingSchema(Input):
    """The record of the members' meeting."""

    decision_no = Words(longest=60, required=True)
    decided_on = Day(required=True)
