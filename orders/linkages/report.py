"""Report 10, helped households (联农带农): by village, class and kind of linkage, counted from entries."""

from collections import defaultdict
from collections.abc import Collection, Iterable

from sqlalchemy import select

from market import db
from market.errors import N_, NotFound
from market.figures import Where
from market.households import Household, HouseholdClass
from market.i18n import gettext as _
from market.linkages import TIES
from market.places import Division
from market.words import HOUSEHOLD_CLASSES
from orders.income import households
from orders.linkages import helped, words
from orders.linkages.helped import Earned, Group
from orders.reports.frame import Asked, Column, Content, Report, Row
from orders.reports.readers import Area, Reader

ORDINARY = N_("Ordinary household")
COLUMNS = (
    Column("village", N_("Village"), "text"), Column("class", N_("Class"), "text"),
    Column("kind", N_("Kind of linkage"), "text"), Column("households", N_("Households"), "count"),
    Column("people", N_("People"), "count"), Column("income_fen", N_("Income"), "fen", stage="earned", sums=True),
    Column("new", N_("New households"), "count"),
)


def read(asked: Asked, area: Area, reader: Reader) -> Content:
    """One row for each village, class of the last year asked for, and kind of linkage. Not for the public."""
    if not reader.sees_all:
        raise NotFound()
    earned = helped.tied(households.entries(villages=_villages(area.where)))
    asked_for = [one for one in earned if asked.first <= one.entry.period <= asked.last]
    named = {one.household_id for one in asked_for}
    people, classes = _people(named), _classes(named, int(asked.last[:4]))
    new = _first_seen(earned, asked.first)
    paths = _paths({one.entry.village_id for one in asked_for})
    groups: defaultdict[tuple[int, str, str], Group] = defaultdict(Group)
    for one in asked_for:
        key = (one.entry.village_id, classes.get(one.household_id, ""), one.kind)
        groups[key].fen_of[one.household_id] += one.entry.earned_fen

    def values(group: Group) -> dict[str, int]:
        return {"households": len(group.households), "people": sum(people[one] for one in group.households),
                "income_fen": group.income_fen, "new": len(group.households & new)}

    order = [*HOUSEHOLD_CLASSES, ""]
    rows = [Row({"village": paths[village], "class": _(HOUSEHOLD_CLASSES[name]) if name else _(ORDINARY),
                 "kind": _(words.KINDS[kind]), **values(group)},
                place=str(village), order=f"{paths[village]} {order.index(name)} {kind}")
            for (village, name, kind), group in groups.items()]
    return Content(COLUMNS, rows, Row(dict(values(helped.count(asked_for, asked.first, asked.last).all))), [
        _("Counted are households with income above 0 from a linkage in these months; in the total each counts once."),
        _("New are households that had no such income before these months."),
        _("Growers whose names have not followed yet are not in it.")])


def _villages(where: Where) -> Collection[int]:
    """Where anybody is tied: no income comes from elsewhere."""
    return list(db.session().scalars(select(TIES.c.village_id).where(where.holds(TIES.c.village_id)).distinct()))


def _first_seen(earned: Iterable[Earned], first: str) -> set[int]:
    """Households without income above 0 before a month."""
    before: defaultdict[int, int] = defaultdict(int)
    for one in earned:
        before[one.household_id] += one.entry.earned_fen if one.entry.period < first else 0
    return {household for household, fen in before.items() if fen <= 0}


def _people(ids: Collection[int]) -> dict[int, int]:
    return {row.id: row.people for some in db.chunks(sorted(ids)) for row in db.session().execute(
        select(Household.id, Household.people).where(Household.id.in_(some)))}


def _classes(ids: Collection[int], year: int) -> dict[int, str]:
    return {row.household_id: row.household_class for some in db.chunks(sorted(ids)) for row in db.session().execute(
        select(HouseholdClass.household_id, HouseholdClass.household_class)
        .where(HouseholdClass.household_id.in_(some), HouseholdClass.year == year))}


def _paths(ids: Collection[int]) -> dict[int, str]:
    return {row.id: row.path for some in db.chunks(sorted(ids)) for row in db.session().execute(
        select(Division.id, Division.path).where(Division.id.in_(some)))}


REPORT = Report("helped-households", N_("Helped households"),
                N_("Households with income from a linkage, by village, class and kind of linkage."), read,
                verb="report.read", by_village=False, group="income")
