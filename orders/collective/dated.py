"""Rules with a date that counties and the city set: the reward ratio, and what makes a risk signal.

The nearest area's newest row that has begun counts; without one, the default with its document.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import aliased

from market import clock, db, journal
from market.access import Visitor
from market.errors import N_, InvalidInput, NotAllowed
from market.places import Division
from market.users import User
from orders.collective.models import AreaRule

SETTERS = ("county", "city")  # levels of places whose officials set rules


@dataclass(frozen=True)
class Kind:
    """A rule: what it is called, its unit, what it may be, and what holds while nobody has set it."""

    label: str
    unit: str
    low: int
    high: int
    default: int
    document: str = ""


KINDS: Mapping[str, Kind] = {
    "reward_ratio": Kind(N_("Reward pool: share of the increment"), "percent", 1, 5_000, 2_000, "永扶字〔2020〕2号"),
    "fallen_share": Kind(N_("Signal 'income fallen': by how much"), "percent", 1_000, 9_900, 5_000),
    "stopped_months": Kind(N_("Signal 'stopped selling': months without income"), "months", 1, 12, 3),
    "unpaid_days": Kind(N_("Signal 'unpaid': days since it was earned"), "days", 15, 365, 60),
}


@dataclass(frozen=True)
class Rule:
    """What holds in an area on a day."""

    value: int
    document: str


class Rules:
    """All rules of one name as of a day, for any county."""

    def __init__(self, name: str, day: date) -> None:
        self.default = Rule(KINDS[name].default, KINDS[name].document)
        self.by_place: dict[int, Rule] = {}
        for row in db.session().execute(
                select(AreaRule.division_id, AreaRule.value, AreaRule.document)
                .where(AreaRule.name == name, AreaRule.since <= day).order_by(AreaRule.since, AreaRule.id)):
            self.by_place[row.division_id] = Rule(row.value, row.document)
        self.city_of: dict[int, int | None] = {} if not self.by_place else {
            row.id: row.parent_id for row in db.session().execute(
                select(Division.id, Division.parent_id).where(Division.level == "county"))}

    def of_county(self, county_id: int | None) -> Rule:
        """The county's own, else its city's, else the default."""
        for place in (county_id, self.city_of.get(county_id or 0)):
            if place is not None and place in self.by_place:
                return self.by_place[place]
        return self.default


def put(name: str, since: date, value: int, document: str, by: Visitor) -> AreaRule:
    """Set a rule for this official's county or city from a day on. Raises NotAllowed, InvalidInput."""
    level = db.session().scalar(select(Division.level).where(Division.id == by.division_id))
    if level not in SETTERS or "official" not in by.roles or by.division_id is None:
        raise NotAllowed()
    kind = KINDS[name]
    if not kind.low <= value <= kind.high:
        raise InvalidInput({"value": [N_("This number is outside what is possible here.")]})
    before = Rules(name, since).by_place.get(by.division_id)
    row = AreaRule(name=name, division_id=by.division_id, since=since, value=value, document=document,
                   entered_by=by.id, entered_at=clock.now())
    db.session().add(row)
    db.session().flush()
    journal.record("area_rule.set", "division", by.division_id, by, rule=name, since=since, value=value,
                   document=document, before=before.value if before else None)
    return row


def listed(by: Visitor) -> Sequence[Any]:
    """Rules of this visitor's area and those above and below it, the newest first."""
    home = aliased(Division)
    row = db.session().execute(
        select(home.id, home.county_id, home.parent_id, home.level).where(home.id == by.division_id)).first()
    if row is None:
        return []
    county = aliased(Division)
    places = {row.id, row.county_id, row.parent_id} - {None}
    if row.county_id is not None:
        city = db.session().scalar(select(county.parent_id).where(county.id == row.county_id))
        places |= {city} - {None}
    near = Division.id.in_(places)
    if row.level == "city":
        near |= Division.parent_id == row.id
    return db.session().execute(
        select(db.table(AreaRule), Division.name.label("place"), User.name.label("who"))
        .join(Division, Division.id == AreaRule.division_id).join(User, User.id == AreaRule.entered_by)
        .where(near).order_by(AreaRule.since.desc(), AreaRule.id.desc()).limit(200)).all()


def may_set(by: Visitor) -> bool:
    """Whether this visitor's office is a county's or the city's."""
    return "official" in by.roles and db.session().scalar(
        select(Division.level).where(Division.id == by.division_id)) in SETTERS
