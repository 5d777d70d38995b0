"""What the forms about progress notices send."""

from market.schemas import Choice, Day, Fen, Input, Whole, Words
from orders.bulletins.models import GRADES, KINDS, OUTCOMES


class DraftSchema(Input):
    """A week or month by any day in it, and the grade that ranks go by."""

    kind = Choice(KINDS, required=True)
    day = Day(required=True)
    grade = Choice(GRADES, load_default="proven")


class VersionSchema(Input):
    """The drawing that the official looked at."""

    version = Whole(required=True)


class ReasonSchema(Input):
    """Why something is withdrawn or corrected."""

    reason = Words(longest=300, lines=True, required=True)


class ObjectionSchema(Input):
    """A figure of the county's row, and what is wrong with it."""

    figure = Words(longest=32, required=True)
    words = Words(longest=500, lines=True, required=True)


class AnswerSchema(Input):
    """What the city answers."""

    outcome = Choice(OUTCOMES, required=True)
    answer = Words(longest=500, lines=True, required=True)


class TargetSchema(Input):
    """A county's target of a year, with the document that says so."""

    county = Words(longest=12, required=True)
    year = Whole(low=2020, high=2099, required=True)
    amount = Fen(required=True)
    document = Words(longest=120, required=True)


class DeclaredSchema(Input):
    """A county's own figure of the week or month that a day lies in."""

    kind = Choice(KINDS, required=True)
    day = Day(required=True)
    amount = Fen(low=0, required=True)
    reason = Words(longest=300, lines=True, required=True)
